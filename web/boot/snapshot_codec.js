// @ts-check
// The words of Python's memory, as a snapshot has to do with them; the loops are WebAssembly, words.wat.
//
// Two kinds are noise to who packs a snapshot, and can be worked out again: the hash of a text, and a
// pointer to what lies next to it, which is another number at each place although the distance is the
// same. Without them it is a tenth shorter.

/** @typedef {import('./snapshot.js').Run} Run */
/** @typedef {(at: number, end: number, ...rest: number[]) => void} Loop */
/** @typedef {{exchange: Loop, recall: Loop, sum: (at: number, end: number, total: number) => number}} Loops */

const NEAR_BYTES = 1024;
// The first of the words that are distances; next to no words of memory are from there.
const DISTANCES = 0x70000000;
// Instead of a hash; nothing else in memory is this word.
const FORGOTTEN = 0x6d9f5a3b;
// PyASCIIObject, in words: reference count, type, length, hash, state; then the text, when it is compact.
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

  /** A checksum. @param {Run[]} runs of memory, of multiples of 16 bytes */
  sum(runs) {
    return runs.reduce((total, [begin, end]) => this.loops.sum(begin, end, total), 0);
  }

  /**
   * Write pointers to what is near as distances, and distances as pointers: twice is as before.
   * @param {Run[]} runs of memory
   */
  exchangeNear(runs) {
    for (const [begin, end] of runs) this.loops.exchange(begin, end, NEAR_BYTES, DISTANCES);
  }

  /** Have Python work out what was taken. @param {Run[]} runs of memory */
  recallHashes(runs) {
    for (const [begin, end] of runs) this.loops.recall(begin, end, FORGOTTEN, 4 * HASH);
  }
}

/**
 * Take the hash of each text out of memory, and what is in no use beside it: Python must not run then.
 * @param {import('./python.d.ts').EmscriptenModule} module of Emscripten
 */
export function forgetHashes({ HEAPU32: words, _PyUnicode_Type: type, _PyObject_Hash: hashOf }) {
  if (words.includes(FORGOTTEN)) throw new Error('memory has the word that stands for a forgotten hash');
  // Not each pointer to the type of texts begins one.
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
  if (!found.length) throw new Error('no text was found in memory: has this Python another PyASCIIObject?');
  for (const text of found) {
    words[text + HASH] = FORGOTTEN;
    words[text + STATE] &= STATE_BITS; // the rest of the word is whatever was there before
  }
}
