// @ts-check
// A snapshot of Python's memory after start and imports, as differences from the memory that WebAssembly makes of the
// same files. Format of the unpacked file:
//
//   uint32        length of the header in bytes
//   header        JSON, padded with spaces to a multiple of 4
//   uint32 pairs  start and length of each run of changed bytes
//   bytes         the runs, one after another, encoded by snapshot_codec.js

import { SnapshotCodec, forgetHashes } from './snapshot_codec.js';

/** @typedef {import('./python.d.ts').EmscriptenModule} Module */
/** @typedef {[number, number]} Run begin and end in memory */
/**
 * @typedef {{identity: string, build: string, fixed: Run[], checksum: number, practice: number, tableLength: number,
 *   runs: number, state: import('./python.d.ts').HiwireState, handles: [number, string][]}} Header
 */

export const BLOCK_BYTES = 64;
// Longest unchanged gap between changes that is written too.
const GAP_BYTES = 256;
const SMALL_BYTES = 2 ** 16;
const PAGE_BYTES = 2 ** 16;

export class Snapshot {
  /** @param {ArrayBuffer} file unpacked */
  constructor(file) {
    this.file = file;
    const [length] = new Uint32Array(file, 0, 1);
    /** @type {Header} */
    this.header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
    const places = new Uint32Array(file, 4 + length, 2 * this.header.runs);
    /** @type {Run[]} */
    this.runs = Array.from({ length: this.header.runs }, (_, run) => [
      places[2 * run],
      places[2 * run] + places[2 * run + 1],
    ]);
    this.content = new Uint8Array(file, 4 + length + places.byteLength);
  }

  /**
   * Restore memory, in an interpreter whose libraries are linked and that has not run.
   * @param {Module} module of Emscripten @returns Pyodide's state on the side of JavaScript
   */
  restore(module) {
    const { build, fixed, checksum, practice, tableLength, handles, state } = this.header;
    if (module.API.config.BUILD_ID !== build) throw new Error('the snapshot is of another Pyodide');
    const codec = new SnapshotCodec(module);
    if (codec.sum(fixed) !== checksum) throw new Error('the snapshot is of other WebAssembly files than these');
    const count = module.HEAP32[countPlace(module) >> 2];
    clear(module, fixed);
    let at = 0;
    for (const [begin, end] of this.runs) {
      module.HEAPU8.set(this.content.subarray(at, at + end - begin), begin);
      at += end - begin;
    }
    codec.exchangeNear(this.runs);
    codec.recallHashes(this.runs);
    module.HEAP32[countPlace(module) >> 2] = count;
    module.HEAP32[suspendPlace(module) >> 2] =
      module.GOT[module.jspiSupported ? 'run_sync' : 'run_sync_not_supported'].value;
    module.wasmTable.grow(Math.max(0, tableLength - module.wasmTable.length));
    for (const [handle, path] of handles) module.LDSO.loadedLibsByHandle[handle] = module.LDSO.loadedLibsByName[path];
    warmUp(module, practice);
    return state;
  }
}

/**
 * Return the address where Python keeps the function that counts arguments, for its calls by pointer. Pyodide makes
 * that function of WebAssembly that not every engine has.
 * @param {Module} module of Emscripten @returns {number}
 */
export function countPlace(module) {
  return module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_COUNT_ARGS_OFFSET >> 2];
}

/**
 * Return the address where Python keeps the function behind `run_sync`. Engines that cannot suspend WebAssembly, such
 * as that of the build, use another function.
 * @param {Module} module of Emscripten @returns {number}
 */
function suspendPlace(module) {
  return module._methods + 4; // PyMethodDef.ml_meth of the first method
}

/**
 * Make the file of a snapshot.
 * @param {Module} module of Emscripten, as it is now @param {Uint8Array} before its memory before it ran
 * @param {Run[]} fixed ranges of memory that WebAssembly fills, the same each time
 * @param {number} practice address of a Python function with many steps and no effect, see `warmUp`
 * @param {string} identity of the build
 * @returns {Uint8Array[]} the parts of the file
 */
export function takeSnapshot(module, before, fixed, practice, identity) {
  if (module.HEAP32[suspendPlace(module) >> 2] !== module.GOT.run_sync_not_supported.value)
    throw new Error('this Pyodide keeps run_sync at another address');
  sortGarbageList(module, practice);
  forgetHashes(module);
  const runs = changes(module.HEAPU8, before, fixed);
  new SnapshotCodec(module).exchangeNear(runs);
  /** @type {Header} */
  const header = {
    identity,
    build: module.API.config.BUILD_ID,
    fixed,
    checksum: new SnapshotCodec({ wasmMemory: memoryOf(before), _PyObject_Hash: module._PyObject_Hash }).sum(fixed),
    practice,
    tableLength: module.wasmTable.length,
    runs: runs.length,
    state: module.API.serializeHiwireState(),
    handles: Object.entries(module.LDSO.loadedLibsByHandle)
      .filter(([handle]) => handle !== '0')
      .map(([handle, library]) => [Number(handle), library.name]),
  };
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4));
  const places = Uint32Array.from(runs.flatMap(([begin, end]) => [begin, end - begin]));
  const head = new Uint8Array(Uint32Array.of(encoded.length).buffer);
  return [
    head,
    encoded,
    new Uint8Array(places.buffer),
    ...runs.map(([begin, end]) => module.HEAPU8.subarray(begin, end)),
  ];
}

/**
 * Let V8 compile the interpreter's loop, which takes half a second in the background. V8 assumes that the loop goes on
 * to call what it has called so far, and starts again with each wrong assumption. So the first steps that the loop
 * runs call nothing.
 * @param {Module} module of Emscripten @param {number} practice
 */
function warmUp(module, practice) {
  module._PyObject_CallNoArgs(practice); // its result, None, is never freed
}

/**
 * Zero the memory in use outside the fixed ranges, since the runs do not overwrite all of it.
 * @param {Module} module of Emscripten @param {Run[]} fixed
 */
function clear(module, fixed) {
  let from = 0;
  for (const [begin, end] of fixed) {
    if (begin - from < SMALL_BYTES) module.HEAPU8.fill(0, from, begin); // a larger range is the stack, still unused
    from = end;
  }
  module.HEAPU8.fill(0, from, module._sbrk(0));
}

/**
 * Sort the garbage collector's list of objects by address, so that the next object of each is near.
 * @param {Module} module of Emscripten @param {number} member address of an object in the list
 */
function sortGarbageList({ HEAPU32 }, member) {
  // PyGC_Head precedes the object: a pointer to the next one, and one to the previous one, with two bits of flags.
  const first = (member - 8) >> 2;
  const heads = [first];
  for (let head = HEAPU32[first] >> 2; head !== first; head = HEAPU32[head] >> 2) heads.push(head);
  heads.sort((one, other) => one - other);
  heads.forEach((head, index) => {
    HEAPU32[head] = 4 * heads[(index + 1) % heads.length] + (HEAPU32[head] & 3);
    HEAPU32[head + 1] = 4 * /** @type {number} */ (heads.at(index - 1)) + (HEAPU32[head + 1] & 3);
  });
}

/** @param {Uint8Array} content @returns {WebAssembly.Memory} */
function memoryOf(content) {
  const memory = new WebAssembly.Memory({ initial: content.length / PAGE_BYTES });
  new Uint8Array(memory.buffer).set(content);
  return memory;
}

/** @param {Uint8Array} now @param {Uint8Array} before @param {Run[]} fixed @returns {Run[]} */
function changes(now, before, fixed) {
  const base = new Uint8Array(now.length);
  for (const [begin, end] of fixed) base.set(before.subarray(begin, end), begin);
  /** @type {Run[]} */
  const runs = [];
  for (let begin = 0; begin < now.length; begin += BLOCK_BYTES) {
    const end = begin + BLOCK_BYTES;
    if (isSame(now, base, begin, end)) continue;
    const last = runs[runs.length - 1];
    if (last && begin - last[1] <= GAP_BYTES) last[1] = end;
    else runs.push([begin, end]);
  }
  return runs;
}

/** @param {Uint8Array} one @param {Uint8Array} other @param {number} begin @param {number} end */
function isSame(one, other, begin, end) {
  for (let at = begin; at < end; at++) if (one[at] !== other[at]) return false;
  return true;
}
