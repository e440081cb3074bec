;; Processes words of memory from `at` to `end`, multiples of 16, four at a time; see snapshot_codec.js.
(module
  (import "python" "memory" (memory 1))
  ;; PyObject_Hash, which stores the hash of a string in it
  (import "python" "hash" (func $hash (param i32) (result i32)))

  ;; Continues a checksum in which each word counts by its position.
  (func (export "sum") (param $at i32) (param $end i32) (param $total i32) (result i32)
    (local $sums v128)
    (local.set $sums (i32x4.splat (local.get $total)))
    (loop $next
      (local.set $sums (i32x4.add
        (i32x4.mul (local.get $sums) (i32x4.splat (i32.const 31)))
        (v128.load (local.get $at))))
      (br_if $next (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 16)))
        (local.get $end))))
    (i32.add
      (i32.add
        (i32x4.extract_lane 0 (local.get $sums))
        (i32.mul (i32x4.extract_lane 1 (local.get $sums)) (i32.const 3)))
      (i32.add
        (i32.mul (i32x4.extract_lane 2 (local.get $sums)) (i32.const 5))
        (i32.mul (i32x4.extract_lane 3 (local.get $sums)) (i32.const 7)))))

  ;; Replaces pointers to memory within `reach` of their own address by distances, counted from
  ;; `distances` on, and distances by pointers.
  (func (export "exchange")
    (param $at i32) (param $end i32) (param $reach i32) (param $distances i32)
    (local $words v128) (local $nearest v128) (local $pointer v128) (local $distance v128)
    (local $span v128)
    (local.set $span (i32x4.splat (i32.mul (i32.const 2) (local.get $reach))))
    (local.set $nearest (i32x4.add
      (i32x4.splat (i32.sub (local.get $at) (local.get $reach)))
      (v128.const i32x4 0 4 8 12)))
    (loop $next
      (local.set $words (v128.load (local.get $at)))
      (local.set $pointer (i32x4.sub (local.get $words) (local.get $nearest)))
      (local.set $distance (i32x4.sub (local.get $words) (i32x4.splat (local.get $distances))))
      (v128.store (local.get $at) (v128.bitselect
        (i32x4.add (local.get $pointer) (i32x4.splat (local.get $distances)))
        (v128.bitselect
          (i32x4.add (local.get $distance) (local.get $nearest))
          (local.get $words)
          (i32x4.lt_u (local.get $distance) (local.get $span)))
        (i32x4.lt_u (local.get $pointer) (local.get $span))))
      (local.set $nearest (i32x4.add (local.get $nearest) (i32x4.splat (i32.const 16))))
      (br_if $next (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 16)))
        (local.get $end)))))

  ;; Computes hashes again: each word equal to `forgotten` is the hash of a string, `place` bytes into it.
  (func (export "recall") (param $at i32) (param $end i32) (param $forgotten i32) (param $place i32)
    (local $within i32)
    (loop $next
      (if (v128.any_true (i32x4.eq (v128.load (local.get $at)) (i32x4.splat (local.get $forgotten))))
        (then
          (local.set $within (local.get $at))
          (loop $each
            (if (i32.eq (i32.load (local.get $within)) (local.get $forgotten))
              (then
                (i32.store (local.get $within) (i32.const -1))
                (drop (call $hash (i32.sub (local.get $within) (local.get $place))))))
            (br_if $each (i32.lt_u
              (local.tee $within (i32.add (local.get $within) (i32.const 4)))
              (i32.add (local.get $at) (i32.const 16)))))))
      (br_if $next (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 16)))
        (local.get $end))))))
