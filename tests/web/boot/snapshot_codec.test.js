// @ts-check
// The words of memory that a snapshot is made of, and what makes it pack well.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assemble } from '../../../web/build/assemble.mjs';

/** @typedef {import('../../../web/boot/python.d.ts').EmscriptenModule} EmscriptenModule */
/** @typedef {import('../../../web/boot/snapshot.js').Run} Run */

const code = fileURLToPath(new URL('../../../web/boot/snapshot_codec.wat', import.meta.url));
Object.assign(globalThis, { PYLOADER_SNAPSHOT_CODEC: await assemble(code) }); // as the build writes it in
const { SnapshotCodec, forgetHashes } = await import('../../../web/boot/snapshot_codec.js');

const STRING_TYPE = 4096;
const COMPACT_ASCII = 0b1100100;

/** A memory in which the hash of a text is its length and 1000, as Python would keep it. */
function python() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const HEAPU32 = new Uint32Array(memory.buffer);
  /** @type {number[]} */
  const asked = [];
  const _PyObject_Hash = (/** @type {number} */ text) => {
    asked.push(text);
    if (HEAPU32[text / 4 + 3] === 0xffffffff) HEAPU32[text / 4 + 3] = 1000 + HEAPU32[text / 4 + 2];
    return HEAPU32[text / 4 + 3] | 0;
  };
  const module = { wasmMemory: memory, HEAPU32, _PyObject_Hash, _PyUnicode_Type: STRING_TYPE, asked };
  return /** @type {EmscriptenModule & {asked: number[]}} */ (/** @type {unknown} */ (module));
}

/** @param {Uint32Array} memory @param {number} place @param {number} length @param {number} hash */
function putText(memory, place, length, hash) {
  memory.set([1, STRING_TYPE, length, hash, COMPACT_ASCII], place / 4);
}

test('pointers to what is near are the same at each place, and come back', () => {
  const module = python();
  const words = module.HEAPU32;
  for (let at = 256; at < 8192; at++) words[at] = Math.imul(at, 0x9e3779b1);
  const near = [0, 4, -4, 1020, -1024];
  for (const [index, distance] of near.entries()) {
    for (const place of [2048, 8192, 16384]) words[place / 4 + index] = place + 4 * index + distance;
  }
  words[1000] = 0x70000000; // as distances are written, but it is none
  words[1001] = 4 * 1001 + 1024; // just too far
  const before = words.slice();
  /** @type {Run[]} */
  const runs = [
    [1024, 16384],
    [16384, 16448],
  ];
  new SnapshotCodec(module).exchangeNear(runs);
  const at = (/** @type {number} */ place) => [...words.subarray(place / 4, place / 4 + near.length)];
  assert.deepEqual(at(2048), at(8192));
  assert.deepEqual(at(2048), at(16384));
  assert.equal(words[1001], before[1001]);
  assert.notDeepEqual(words, before);
  new SnapshotCodec(module).exchangeNear(runs);
  assert.deepEqual(words, before);
});

test('hashes of texts are forgotten and worked out again', () => {
  const module = python();
  putText(module.HEAPU32, 1024, 5, 1005);
  putText(module.HEAPU32, 1064, 7, 1007); // across what is looked at in one go
  putText(module.HEAPU32, 2048, 5, 0xffffffff); // was never hashed
  module.HEAPU32[1064 / 4 + 4] |= 0xabcdef00; // of which only 8 bits are the text's
  putText(module.HEAPU32, 4096, 5, 77); // only looks like one: that is not its hash
  module.HEAPU32[3000] = STRING_TYPE; // a pointer to the type
  const before = module.HEAPU32.slice();
  forgetHashes(module);
  assert.deepEqual(
    [1024, 1064, 2048, 4096].map((text) => module.HEAPU32[text / 4 + 3] === before[text / 4 + 3]),
    [false, false, true, true],
  );
  module.asked.length = 0;
  new SnapshotCodec(module).recallHashes([
    [1024, 1088],
    [2048, 8192],
  ]);
  before[1064 / 4 + 4] = COMPACT_ASCII;
  assert.deepEqual(module.HEAPU32, before);
  assert.deepEqual(module.asked, [1024, 1064]);
});

test('memory that hashes cannot be taken from is refused', () => {
  assert.throws(() => forgetHashes(python()), /no string was found/);
  const module = python();
  module.HEAPU32[50] = 0x6d9f5a3b;
  assert.throws(() => forgetHashes(module), /stands for a forgotten hash/);
});

test('the sum knows each word and its place', () => {
  const module = python();
  const sum = () =>
    new SnapshotCodec(module).sum([
      [1024, 2048],
      [4096, 4160],
    ]);
  for (let at = 256; at < 2000; at++) module.HEAPU32[at] = at * at;
  const seen = new Set([sum()]);
  for (const at of [256, 257, 258, 259, 511, 1024, 1039]) {
    module.HEAPU32[at] ^= 1;
    seen.add(sum());
    module.HEAPU32[at] ^= 1;
  }
  [module.HEAPU32[300], module.HEAPU32[304]] = [module.HEAPU32[304], module.HEAPU32[300]];
  seen.add(sum());
  assert.equal(seen.size, 9);
  module.HEAPU32[600] = 1; // in none of the runs
  assert.ok(seen.has(sum()));
});
