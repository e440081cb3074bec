// @ts-check
// Encodes words of Python's memory for a snapshot; the loops are WebAssembly, snapshot_codec.wat.
//
// Two kinds of words compress badly, and can be computed again: hashes of strings, and pointers to nearby memory,
// which differ at each address although the distance is the same. Without them, a packed snapshot is a tenth smaller.

/** @typedef {import('./snapshot.js').Run} Run */
/** @typedef {(at: number, end: number, ...rest: number[]) => void} Loop */
/** @typedef {{exchange: Loop, recall: Loop, sum: (at: number, end: number, total: number) => number}} Loops */

const NEAR_BYTES = 1024;
// First of the words that encode distances; hardly any other word of memory is in this range.
const DISTANCES = 0x70000000;
// Replaces a hash; no other word of memory has this value.
const FORGOTTEN = 0x6d9f5a3b;
// PyASCIIObject, in words: reference count, type, length, hash, state; then the characters, if it is compact.
const TYPE = 1;
const LENGTH = 2;
const HASH = 3;
const STATE = 4;
const IS_COMPACT = 1 << 5;
const STATE_BITS = 2 ** 8 - 1;
const NOT_HASHED = 0xffffffff;
const LONG = 2 ** 20;

export class SnapshotCodec {
  /** @param {{wasmMemory: WebAssembly.Memory, _PyObject_Hash: (object: number) => number}} module of Emscripten */
  constructor({ wasmMemory: memory, _PyObject_Hash: hash }) {
    const code = Uint8Array.from(atob(PYLOADER_SNAPSHOT_CODEC), (letter) => letter.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { python: { memory, hash } });
    this.loops = /** @type {Loops} */ (/** @type {unknown} */ (exports));
  }

  /** Compute a checksum. @param {Run[]} runs of memory, of multiples of 16 bytes */
  sum(runs) {
    return runs.reduce((total, [begin, end]) => this.loops.sum(begin, end, total), 0);
  }

  /**
   * Write pointers to nearby memory as distances, and distances as pointers: a second call restores the first.
   * @param {Run[]} runs of memory
   */
  exchangeNear(runs) {
    for (const [begin, end] of runs) this.loops.exchange(begin, end, NEAR_BYTES, DISTANCES);
  }

  /** Let Python compute the hashes again that `forgetHashes` removed. @param {Run[]} runs of memory */
  recallHashes(runs) {
    for (const [begin, end] of runs) this.loops.recall(begin, end, FORGOTTEN, 4 * HASH);
  }
}

/**
 * Remove the hash of each string from memory, and the unused bytes beside it. Python must not run afterwards.
 * @param {import('./python.d.ts').EmscriptenModule} module of Emscripten
 */
export function forgetHashes({ HEAPU32: words, _PyUnicode_Type: type, _PyObject_Hash: hashOf }) {
  if (words.includes(FORGOTTEN)) throw new Error('memory already has the word that stands for a forgotten hash');
  // Not every pointer to the string type belongs to a string.
  const isHashed = (/** @type {number} */ text) => {
    const hash = words[text + HASH];
    if (!(words[text + STATE] & IS_COMPACT) || hash === NOT_HASHED || words[text + LENGTH] > LONG) return false;
    words[text + HASH] = NOT_HASHED;
    const found = hashOf(4 * text) >>> 0;
    words[text + HASH] = hash;
    return found === hash;
  };
  const found = [];
  for (let at = words.indexOf(type); at >= 0; at = words.indexOf(type, at + 1)) {
    if (isHashed(at - TYPE)) found.push(at - TYPE);
  }
  if (!found.length) throw new Error('no string was found in memory: has this Python another PyASCIIObject?');
  for (const text of found) {
    words[text + HASH] = FORGOTTEN;
    words[text + STATE] &= STATE_BITS; // the rest of the word is uninitialised
  }
}
