// @ts-check
// Starts Pyodide with its shared libraries in place before Python runs: their memory, functions and
// symbols then stand at the same addresses each time, so that a memory snapshot of it all can be
// put back. The build makes that snapshot by this file too, under node.

/** @typedef {{path: string, module: WebAssembly.Module}} Library a shared library and where Python looks for it */
/** @typedef {import('./snapshot.js').Snapshot} Snapshot */
/** @typedef {{libraries: Library[], snapshot?: Promise<Snapshot>, onMemory?: (module: Module) => void}} Artifacts */
/** @typedef {import('./python.d.ts').EmscriptenModule} Module */
/** @typedef {import('./python.d.ts').LoadPyodide} LoadPyodide */
/** @typedef {import('./python.d.ts').OnInstance} OnInstance */

// Pyodide takes these from the visitor's browser; a snapshot has them as they were when it was made.
const ENVIRONMENT = {
  LANG: 'C.UTF-8',
  USER: 'web_user',
  LOGNAME: 'web_user',
  PWD: '/',
  PATH: '/',
  _: './this.program',
};
// As it is in browsers, under node too.
const PROGRAM = './this.program';
// The memory that Python has used when all that a page starts with is imported; the rest costs nothing.
export const MEMORY_BYTES = 40 * 2 ** 20;
const PAGE_BYTES = 2 ** 16;
const PAGES = 2 ** 16;
// (module (table (export "t") 1 funcref) (func (export "f")) (elem (i32.const 0) 0))
const OF_A_TABLE = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  4,
  4,
  1,
  112,
  0,
  1,
  7,
  9,
  2,
  1,
  116,
  1,
  0,
  1,
  102,
  0,
  0,
  9,
  7,
  1,
  0,
  65,
  0,
  11,
  1,
  0,
  10,
  4,
  1,
  2,
  0,
  11,
);
// Pyodide wants some; ours is put back by `restore`.
const NO_SNAPSHOT_OF_ITS_OWN = new Uint8Array(16);

/**
 * Start Pyodide, whose pyodide.asm.js is loaded.
 * @param {LoadPyodide} loadPyodide
 * @param {Parameters<LoadPyodide>[0]} options of loadPyodide
 * @param {Artifacts} parts `snapshot` is not awaited before it is needed, which is last; `onMemory` hears
 *   when memory is as WebAssembly makes it, before Python runs
 * @returns {ReturnType<LoadPyodide>} rejects too when the snapshot does not belong to this interpreter
 */
export async function startPyodide(loadPyodide, options, { libraries, snapshot, onMemory }) {
  const scope = /** @type {import('./python.d.ts').PyodideScope} */ (/** @type {unknown} */ (globalThis));
  const create = scope._createPyodideModule;
  /** @type {(error: unknown) => void} */
  let fail;
  /** @type {Promise<never>} */
  const failed = new Promise((_, reject) => {
    fail = reject;
  });
  scope._createPyodideModule = (settings) => {
    scope._createPyodideModule = create; // a start that never ends must not be in the way of the next
    settings.thisProgram = PROGRAM;
    settings.preRun = [...settings.preRun, (module) => placeLibraries(module, libraries)];
    settings.onRuntimeInitialized = () => onMemory?.(settings);
    settings.wasmMemory = new WebAssembly.Memory({ initial: MEMORY_BYTES / PAGE_BYTES, maximum: PAGES });
    if (!knowsFunctions()) recognise(settings);
    if (snapshot) settings.preRun.push((module) => awaitSnapshot(module, snapshot, fail));
    return create(settings);
  };
  try {
    return await Promise.race([
      loadPyodide({ ...options, ...(snapshot && { _loadSnapshot: NO_SNAPSHOT_OF_ITS_OWN }) }),
      failed,
    ]);
  } finally {
    scope._createPyodideModule = create;
  }
}

/**
 * Have the program start when the snapshot is there, or never: what failed by then must not go on
 * beside the start that takes its place.
 * @param {Module} module of Emscripten @param {Promise<Snapshot>} coming @param {(error: unknown) => void} fail
 */
function awaitSnapshot(module, coming, fail) {
  module.addRunDependency('snapshot');
  coming
    .then((snapshot) => {
      module.API.restoreSnapshot = () => snapshot.restore(module);
      module.removeRunDependency('snapshot'); // where the program starts
    })
    .catch(fail);
}

/**
 * Link libraries as the import of each would, but before the program starts.
 * @param {Module} module of Emscripten @param {Library[]} libraries
 */
function placeLibraries(module, libraries) {
  Object.assign(module.ENV, ENVIRONMENT);
  for (const { path, module: code } of libraries) {
    // Undefined symbols are looked for in all that there are, which takes long: once, at the last.
    const allowUndefined = path !== libraries[libraries.length - 1].path;
    const exports = module.loadWebAssemblyModule(code, { nodelete: true, allowUndefined }, path, {});
    module.newDSO(path, undefined, exports).global = false;
    // An import looks whether the file is there, and asks the linker, which has it.
    module.FS.mkdirTree(path.slice(0, path.lastIndexOf('/')));
    module.FS.writeFile(path, new Uint8Array());
  }
}

/** Tell whether a function that a module exports is the same one in its table: WebKit makes two of it. */
function knowsFunctions() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(OF_A_TABLE));
  const { f, t } = /** @type {{f: () => void, t: WebAssembly.Table}} */ (/** @type {unknown} */ (exports));
  return t.get(0) === f;
}

/**
 * Have the linker find the program's functions in its table. Those that it does not find get a second
 * place, and all that comes later another one than in the snapshot.
 * @param {Module} settings of Emscripten
 */
function recognise(settings) {
  const { instantiateWasm } = settings;
  settings.instantiateWasm = (imports, done) =>
    instantiateWasm(
      imports,
      /** @type {OnInstance} */ (
        (instance, code) => {
          // The name of such a function is its number in its module.
          const functions = Object.values(instance.exports).filter((value) => typeof value === 'function');
          const exported = new Map(functions.map((value) => [value.name, value]));
          const found = instance.exports.__indirect_function_table ?? imports.env.__indirect_function_table;
          const table = /** @type {WebAssembly.Table} */ (found);
          const { length } = table;
          table.get = (/** @type {number} */ index) => {
            const known = WebAssembly.Table.prototype.get.call(table, index);
            return (index < length && exported.get(known?.name)) || known;
          };
          settings.preRun.push(() => delete (/** @type {Partial<WebAssembly.Table>} */ (table).get));
          done(instance, code);
        }
      ),
    );
}
