// node snapshot.mjs FOLDER OUT IDENTITY: boot the Pyodide of dist/pyodide with its libraries linked, import
// everything that a page starts with, and write the snapshot of its memory, unpacked.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MEMORY_BYTES, startPyodide } from '../boot/pyodide.js';
import { BLOCK_BYTES, countPlace, takeSnapshot } from '../boot/snapshot.js';
import { assemble } from './assemble.mjs';

/** @typedef {import('../boot/snapshot.js').Run} Run */
/** @typedef {import('../boot/python.d.ts').PyProxy} PyProxy */
/** @typedef {PyProxy & {getBuffer(kind: 'u32'): {data: Uint32Array, release(): void}}} Extents see snapshot.py */
/** @typedef {PyProxy & [practice: number, extents: Extents]} Found the result of snapshot.py */
/** @typedef {import('../boot/python.d.ts').Pyodide & {runPython(source: string): Found}} Pyodide */
/**
 * The exports of Pyodide's program that are used here.
 * @typedef {object} Program
 * @property {() => number} emscripten_stack_get_base
 * @property {() => number} emscripten_stack_get_current
 * @property {() => number} emscripten_stack_get_end
 * @property {(bytes: number) => number} sbrk
 * @property {(bytes: number) => number} malloc
 * @property {(place: number) => void} free
 */

// Replaces Node's own error report, which would quote a line of pyodide.asm.js: that is a megabyte long.
process.on('uncaughtException', (error) => {
  console.error(/** @type {string} */ (error.stack).slice(-2000));
  process.exit(1);
});

const [folder, output, identity] = process.argv.slice(2);
/** @type {import('../boot/lock.js').Lock} */
const lock = JSON.parse(readFileSync(join(folder, 'pyodide-lock.json'), 'utf8'));
const libraries = Object.values(lock.libraries).filter(({ starting }) => starting);
const wheels = lock.starting.map((name) => lock.packages[name].file_name);
const [major, minor] = lock.info.python.split('.');
const SITE_PACKAGES = `/lib/python${major}.${minor}/site-packages`;
const { loadPyodide } = await import(pathToFileURL(join(folder, 'pyodide.mjs')).href);
await import(pathToFileURL(join(folder, 'pyodide.asm.js')).href);

Object.assign(globalThis, {
  PYLOADER_SNAPSHOT_CODEC: await assemble(fileURLToPath(new URL('../boot/snapshot_codec.wat', import.meta.url))),
});
const modules = libraries.map(({ file_name, path }) => ({
  path,
  module: new WebAssembly.Module(readFileSync(join(folder, file_name))),
}));
let program = /** @type {Program} */ (/** @type {unknown} */ (undefined));
const { memory: other } = await hurry(start);
const { memory, pyodide } = await start();
for (const file of wheels)
  pyodide.unpackArchive(new Uint8Array(readFileSync(join(folder, file))), 'wheel', { extractDir: SITE_PACKAGES });
const found = pyodide.runPython(readFileSync(new URL('snapshot.py', import.meta.url), 'utf8'));
const [practice, extents] = found;

const module = pyodide._module;
const view = extents.getBuffer('u32');
clearSlack(view.data);
view.release();
extents.destroy();
found.destroy();
const strangers = Object.values(module.LDSO.loadedLibsByHandle).filter(
  ({ name }) => name !== '__main__' && !modules.some(({ path }) => path === name),
);
if (strangers.length)
  throw new Error(`imported, but not in place from the start: ${strangers.map(({ name }) => name)}`);
clearUnused();
if (module.HEAPU8.length > MEMORY_BYTES)
  throw new Error(`Python has used ${module.HEAPU8.length} bytes, more than the MEMORY_BYTES of boot/pyodide.js`);
const stack = [program.emscripten_stack_get_end(), program.emscripten_stack_get_base()];
const fixed = [...sameIn(1024, stack[0]), ...sameIn(stack[1], module.GOT.__heap_base.value)];
writeFileSync(output, Buffer.concat(takeSnapshot(module, memory, fixed, practice, identity)));
process.exit(0); // Pyodide keeps Node's event loop alive.

/** @returns an interpreter, and its memory before Python ran */
async function start() {
  let memory = /** @type {Uint8Array} */ (/** @type {unknown} */ (undefined));
  const pyodide = await startPyodide(
    (options) => watchProgram(() => loadPyodide(options)),
    { indexURL: folder, _makeSnapshot: true },
    { libraries: modules, onMemory: (module) => (memory = module.HEAPU8.slice()) },
  );
  return { memory, pyodide: /** @type {Pyodide} */ (pyodide) };
}

/**
 * Start with a clock that advances by 10 ms at each reading. Some memory, such as mimalloc's time to read its clock,
 * differs only if a millisecond passes between two readings, in one start of a hundred. With this clock it always
 * differs.
 * @template Value @param {() => Promise<Value>} start
 */
async function hurry(start) {
  const now = performance.now;
  let passed = 0;
  performance.now = () => now.call(performance) + 10 * ++passed;
  try {
    return await start();
  } finally {
    performance.now = now;
  }
}

/**
 * Find the runs of memory that are the same at each start. A few words differ: they hold random numbers, times, or
 * functions that only some engines have.
 * @param {number} begin @param {number} end
 */
function sameIn(begin, end) {
  /** @type {Run[]} */
  const runs = [];
  const engines = countPlace(module);
  for (let from = begin; from < end; from += BLOCK_BYTES) {
    const next = Math.min(from + BLOCK_BYTES, end);
    if (Buffer.compare(memory.subarray(from, next), other.subarray(from, next)) || (from <= engines && engines < next))
      continue;
    const last = runs.at(-1);
    if (last?.[1] === from) last[1] = next;
    else runs.push([from, next]);
  }
  return runs;
}

/**
 * Keep the exports of the program itself, since Pyodide does not expose the allocator.
 * @template Value @param {() => Promise<Value>} start
 */
async function watchProgram(start) {
  const instantiate = WebAssembly.instantiate;
  const watched = async (/** @type {Parameters<typeof instantiate>} */ ...given) => {
    /** @type {WebAssembly.Instance & Partial<WebAssembly.WebAssemblyInstantiatedSource>} */
    const made = await instantiate(...given);
    const { exports } = made.instance ?? made;
    if (exports.emscripten_stack_get_end) program = /** @type {Program} */ (/** @type {unknown} */ (exports));
    return made;
  };
  WebAssembly.instantiate = /** @type {typeof instantiate} */ (watched);
  try {
    return await start();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

/**
 * Clear the unused bytes after objects. The allocator gives an object up to 15 bytes more than it requested; these keep
 * their old contents, which compress badly. The word before a block is its length, with three flags.
 * @param {Uint32Array} extents begin and end of each object
 */
function clearSlack(extents) {
  const IN_USE = 2;
  let count = 0;
  for (let index = 0; index < extents.length; index += 2) {
    const [begin, end] = [extents[index], extents[index + 1]];
    if (begin < module.GOT.__heap_base.value) continue;
    const length = module.HEAPU32[begin / 4 - 1];
    const next = begin + (length & ~7) - 4;
    if (!(length & IN_USE) || next < end || next - end > 16) continue;
    module.HEAPU8.fill(0, end, next);
    count++;
  }
  console.log(`cleared what ${count} of ${extents.length / 2} objects do not use`);
}

/** Clear freed memory and the unused stack, whose old contents would only make the snapshot larger. */
function clearUnused() {
  module.HEAPU8.fill(0, program.emscripten_stack_get_end(), program.emscripten_stack_get_current());
  let top = program.sbrk(0);
  const taken = [];
  for (let size = 1 << 16; size >= 16; size >>= 1) {
    while (program.sbrk(0) === top) {
      const place = program.malloc(size);
      module.HEAPU8.fill(0, place, place + size);
      taken.push(place);
    }
    top = program.sbrk(0);
  }
  console.log(`cleared ${taken.length}, top ${top} -> ${program.sbrk(0)} of ${module.HEAPU8.length}`);
  for (const place of taken) program.free(place);
}
