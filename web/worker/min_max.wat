;; Finds the smallest and largest values, 16 bytes at a time. The values are in memory from byte 64 to
;; `end`, a multiple of 16. The result is three vectors from byte 0 on, with one element per lane: the
;; smallest and the largest value outside `least` to `most`, and all ones in lanes with values inside.
;; Each value is first xored with `bias`: with the highest bit, unsigned values are ordered as signed.
(module
  (memory (export "memory") 1)

  (func (export "bytes") (param $end i32) (param $bias i32) (param $least i32) (param $most i32)
    (local $at i32) (local $values v128) (local $within v128) (local $found v128)
    (local $low v128) (local $high v128)
    (local.set $at (i32.const 64))
    (local.set $low (i8x16.splat (i32.const 127)))
    (local.set $high (i8x16.splat (i32.const -128)))
    (loop $next
      (local.set $values (v128.xor (v128.load (local.get $at)) (i8x16.splat (local.get $bias))))
      (local.set $within (v128.and
        (i8x16.ge_s (local.get $values) (i8x16.splat (local.get $least)))
        (i8x16.le_s (local.get $values) (i8x16.splat (local.get $most)))))
      (local.set $found (v128.or (local.get $found) (local.get $within)))
      (local.set $low (i8x16.min_s (local.get $low)
        (v128.bitselect (i8x16.splat (i32.const 127)) (local.get $values) (local.get $within))))
      (local.set $high (i8x16.max_s (local.get $high)
        (v128.bitselect (i8x16.splat (i32.const -128)) (local.get $values) (local.get $within))))
      (br_if $next (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 16)))
        (local.get $end))))
    (v128.store (i32.const 0) (local.get $low))
    (v128.store (i32.const 16) (local.get $high))
    (v128.store (i32.const 32) (local.get $found)))

  (func (export "words") (param $end i32) (param $bias i32) (param $least i32) (param $most i32)
    (local $at i32) (local $values v128) (local $within v128) (local $found v128)
    (local $low v128) (local $high v128)
    (local.set $at (i32.const 64))
    (local.set $low (i16x8.splat (i32.const 32767)))
    (local.set $high (i16x8.splat (i32.const -32768)))
    (loop $next
      (local.set $values (v128.xor (v128.load (local.get $at)) (i16x8.splat (local.get $bias))))
      (local.set $within (v128.and
        (i16x8.ge_s (local.get $values) (i16x8.splat (local.get $least)))
        (i16x8.le_s (local.get $values) (i16x8.splat (local.get $most)))))
      (local.set $found (v128.or (local.get $found) (local.get $within)))
      (local.set $low (i16x8.min_s (local.get $low)
        (v128.bitselect (i16x8.splat (i32.const 32767)) (local.get $values) (local.get $within))))
      (local.set $high (i16x8.max_s (local.get $high)
        (v128.bitselect (i16x8.splat (i32.const -32768)) (local.get $values) (local.get $within))))
      (br_if $next (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 16)))
        (local.get $end))))
    (v128.store (i32.const 0) (local.get $low))
    (v128.store (i32.const 16) (local.get $high))
    (v128.store (i32.const 32) (local.get $found))))
