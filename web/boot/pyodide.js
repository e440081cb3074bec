// @ts-check
// Starts Pyodide with its shared libraries linked before Python runs: their memory, functions and symbols then have
// the same addresses each time, so that a snapshot of the memory can be restored. The build makes that snapshot with
// this file too, under Node.

/** @typedef {{path: string, module: WebAssembly.Module}} Library a shared library, and where Python looks for it */
/** @typedef {import('./snapshot.js').Snapshot} Snapshot */
/** @typedef {{libraries: Library[], snapshot?: Promise<Snapshot>, onMemory?: (module: Module) => void}} Artifacts */
/** @typedef {import('./python.d.ts').EmscriptenModule} Module */
/** @typedef {import('./python.d.ts').LoadPyodide} LoadPyodide */
/** @typedef {import('./python.d.ts').OnInstance} OnInstance */

// Pyodide takes these variables from the visitor's browser; a snapshot has those of the build.
const ENVIRONMENT = {
  LANG: 'C.UTF-8',
  USER: 'web_user',
  LOGNAME: 'web_user',
  PWD: '/',
  PATH: '/',
  _: './this.program',
};
// Name of the program in browsers, set under Node too.
const PROGRAM = './this.program';
// Memory that Python has used once all imports of a start are done; its unused rest costs nothing.
export const MEMORY_BYTES = 40 * 2 ** 20;
const PAGE_BYTES = 2 ** 16;
const PAGES = 2 ** 16;
// (module (table (export "t") 1 funcref) (func (export "f")) (elem (i32.const 0) 0))
const TABLE_PROBE = Uint8Array.of(
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
// Pyodide needs a snapshot of its own kind; `restore` restores ours.
const PLACEHOLDER_SNAPSHOT = new Uint8Array(16);

/**
 * Start Pyodide; its pyodide.asm.js has to be loaded.
 * @param {LoadPyodide} loadPyodide
 * @param {Parameters<LoadPyodide>[0]} options of loadPyodide
 * @param {Artifacts} artifacts `snapshot` is awaited only when it is needed, as the last one; `onMemory` is called when
 *   memory is as WebAssembly makes it, before Python runs
 * @returns {ReturnType<LoadPyodide>} rejects also if the snapshot does not fit this interpreter
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
    scope._createPyodideModule = create; // at once: a start that never ends must not affect the next one
    settings.thisProgram = PROGRAM;
    settings.preRun = [...settings.preRun, (module) => linkLibraries(module, libraries)];
    settings.onRuntimeInitialized = () => onMemory?.(settings);
    settings.wasmMemory = new WebAssembly.Memory({ initial: MEMORY_BYTES / PAGE_BYTES, maximum: PAGES });
    if (!keepsFunctionIdentity()) fixTableLookup(settings);
    if (snapshot) settings.preRun.push((module) => awaitSnapshot(module, snapshot, fail));
    return create(settings);
  };
  try {
    return await Promise.race([
      loadPyodide({ ...options, ...(snapshot && { _loadSnapshot: PLACEHOLDER_SNAPSHOT }) }),
      failed,
    ]);
  } finally {
    scope._createPyodideModule = create;
  }
}

/**
 * Let the program start once the snapshot has loaded, and never if that fails: the failed start must not go on
 * beside the one that replaces it.
 * @param {Module} module of Emscripten @param {Promise<Snapshot>} loading @param {(error: unknown) => void} fail
 */
function awaitSnapshot(module, loading, fail) {
  module.addRunDependency('snapshot');
  loading
    .then((snapshot) => {
      module.API.restoreSnapshot = () => snapshot.restore(module);
      module.removeRunDependency('snapshot'); // the program starts here
    })
    .catch(fail);
}

/**
 * Link libraries as their imports would, but before the program starts.
 * @param {Module} module of Emscripten @param {Library[]} libraries
 */
function linkLibraries(module, libraries) {
  Object.assign(module.ENV, ENVIRONMENT);
  for (const { path, module: code } of libraries) {
    // The search for undefined symbols goes through all libraries, which takes long: do it once, at the last.
    const allowUndefined = path !== libraries[libraries.length - 1].path;
    const exports = module.loadWebAssemblyModule(code, { nodelete: true, allowUndefined }, path, {});
    module.newDSO(path, undefined, exports).global = false;
    // An import checks that the file exists, and then asks the linker, which has the library already.
    module.FS.mkdirTree(path.slice(0, path.lastIndexOf('/')));
    module.FS.writeFile(path, new Uint8Array());
  }
}

/** Return true if an exported function is the same object in the module's table: WebKit makes two objects of it. */
function keepsFunctionIdentity() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(TABLE_PROBE));
  const { f, t } = /** @type {{f: () => void, t: WebAssembly.Table}} */ (/** @type {unknown} */ (exports));
  return t.get(0) === f;
}

/**
 * Let the linker find the program's functions in its table. A function that it does not find gets a second table
 * entry, and all later ones other entries than in the snapshot.
 * @param {Module} settings of Emscripten
 */
function fixTableLookup(settings) {
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
