// @ts-check
// Where Python runs: a module worker, or the page itself for `workers: 0` (then over a MessagePort).
// Boots Pyodide in named steps and passes calls to pyloader.bridge.
// @ts-ignore -- beside this file in dist/, laid out by the build
import { loadPyodide } from './pyodide/pyodide.mjs';
import { PyLoaderError, abortError } from './errors.js';
import { Rpc, Transfer } from './rpc.js';
import { createSend } from './transport.js';

/** @typedef {import('./rpc.js').CallContext} CallContext */
/** @typedef {{assetsURL: string, baseURL: string, headers: Record<string, string>, credentials: RequestCredentials, hasHook: boolean, packages: string[], cacheBytes: number, retries: number}} BootOptions */

const PACKAGES = ['numpy', 'pydicom', 'imagecodecs', 'pyloader'];
// Share of the boot that is over when a step begins; measured on two cores, cold cache.
const STEPS = { runtime: 0, packages: 55, imports: 75, extras: 95, ready: 100 };

/**
 * Answer the page's calls.
 * @param {import('./rpc.js').Endpoint} endpoint
 */
export function serve(endpoint) {
  /** @type {Map<string, Blob>} */
  const files = new Map();
  /** @type {any} */
  let pyodide = null;
  /** @type {any} */
  let bridge = null;
  let calls = 0;

  /**
   * Await a bridge function as one cancellable call.
   * @param {CallContext} context
   * @param {(id: number) => Promise<any>} start
   */
  async function ask({ signal }, start) {
    const id = ++calls;
    const cancel = () => bridge.cancel(id);
    signal.addEventListener('abort', cancel);
    try {
      const answer = await start(id);
      if (answer.error) throw new PyLoaderError(answer.error);
      if (answer.cancelled) throw abortError('the load');
      return answer;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** @param {CallContext} context */
  const listener = ({ progress }) => (/** @type {string} */ phase, /** @type {string} */ url, /** @type {number} */ loaded, /** @type {number | undefined} */ total) =>
    progress({ phase, url, loaded, total: total ?? undefined });

  const rpc = new Rpc(endpoint, {
    /** @param {BootOptions} options @param {CallContext} context */
    async boot(options, { progress }) {
      const step = (/** @type {keyof STEPS} */ stage) => progress({ stage, loaded: STEPS[stage], total: 100, percentComplete: STEPS[stage] });
      step('runtime');
      pyodide = await bootRuntime(options);
      step('imports');
      const hook = options.hasHook ? (/** @type {any} */ request) => rpc.call('beforeRequest', request) : null;
      const send = createSend(options, files, hook);
      const module = pyodide.pyimport('pyloader.bridge');
      bridge = module.Bridge(send, options.cacheBytes, options.retries);
      module.destroy();
      step('extras');
      await installPackages(pyodide, options.packages, options.baseURL);
      step('ready');
    },
    load: async ({ imageId, options }, context) => {
      const answer = await ask(context, (id) => bridge.load(id, imageId, options, listener(context)));
      return new Transfer(answer, [answer.image.pixels.buffer]);
    },
    metadata: ({ imageId, options }, context) => ask(context, (id) => bridge.metadata(id, imageId, options, listener(context))),
    readJson: ({ imageId, text }, context) => ask(context, (id) => bridge.read_json(id, imageId, text)),
    define: async ({ name, source, packages, baseURL }, context) => {
      await installPackages(pyodide, packages, baseURL);
      return (await ask(context, (id) => bridge.define(id, name, source))).schemes;
    },
    provide: ({ name, file }) => void files.set(name, file),
    withdraw: ({ name }) => (files.delete(name), bridge?.release(name)),
    release: ({ source }) => bridge?.release(source),
    purge: () => bridge?.purge(),
    // Also the sign of life: it goes through Python, so a dead interpreter does not answer it.
    stats: () => ({ ...bridge.stats(), heapBytes: pyodide._module.HEAPU8.length }),
  });
}

/** @param {BootOptions} options */
async function bootRuntime({ assetsURL }) {
  const indexURL = new URL('pyodide/', assetsURL).href;
  /** @type {string[]} */
  const failures = [];
  try {
    const pyodide = await loadPyodide({
      indexURL,
      lockFileURL: `${indexURL}pyodide-lock.json`,
      packages: PACKAGES,
      stdout: (/** @type {string} */ line) => console.info(line),
      stderr: (/** @type {string} */ line) => console.warn(line),
    });
    const missing = PACKAGES.filter((name) => !(name in pyodide.loadedPackages));
    if (missing.length) failures.push(`packages ${missing.join(', ')} did not load`);
    else return pyodide;
  } catch (error) {
    failures.push(String(/** @type {any} */ (error)?.message ?? error));
  }
  throw new PyLoaderError({
    name: 'BootError', code: 'boot', stage: 'boot', url: indexURL,
    message: `Python could not start from ${indexURL}: ${failures.join('; ')}. Is the whole of dist/ there, and does its server answer with the files themselves?`,
  });
}

/**
 * Load packages by name from dist/, or wheels by URL relative to the page.
 * @param {any} pyodide @param {string[]} packages @param {string} baseURL
 */
async function installPackages(pyodide, packages, baseURL) {
  if (!packages.length) return;
  /** @type {string[]} */
  const failures = [];
  const wanted = packages.map((name) => (name.endsWith('.whl') ? new URL(name, baseURL).href : name));
  const errorCallback = (/** @type {string} */ words) => failures.push(words);
  await pyodide.loadPackage(wanted, { messageCallback: () => {}, errorCallback }).catch((/** @type {any} */ error) => failures.push(error.message));
  if (failures.length) {
    throw new PyLoaderError({
      name: 'PackageError', code: 'package', stage: 'boot',
      message: `Python packages ${packages.join(', ')} could not be loaded: ${failures.join('; ')}. Name a package of dist/pyodide/, or the URL of a wheel`,
    });
  }
}

if (typeof WorkerGlobalScope !== 'undefined' && globalThis instanceof WorkerGlobalScope) {
  serve(/** @type {any} */ (globalThis));
}
