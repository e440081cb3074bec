// @ts-check
// Starts Pyodide with pyloader's packages, all fetched at the same time, and says how far it is.
// @ts-ignore -- beside the worker in dist/, laid out by the build
import { loadPyodide } from './pyodide/pyodide.mjs';
import { PyLoaderError } from './errors.js';

/** @typedef {(detail: {stage: string, loaded: number, total: number, percentComplete: number}) => void} Progress */
/** @typedef {{name: string, body: ArrayBuffer}} Wheel */

const PACKAGES = ['numpy', 'pydicom', 'imagecodecs', 'pyloader'];
const SITE_PACKAGES = '/lib/python3.13/site-packages';
// What each stage takes of the whole, in percent; measured on two cores with an empty cache.
const SHARES = { runtime: 40, packages: 20, install: 10, imports: 30 };

/**
 * @param {{assetsURL: string}} options
 * @param {Progress} progress
 * @returns {Promise<any>} Pyodide, with pyloader importable
 */
export async function bootPython({ assetsURL }, progress) {
  const indexURL = new URL('pyodide/', assetsURL).href;
  const advance = meter(progress);
  try {
    const failed = instantiationFailure();
    const runtime = loadPyodide({
      indexURL,
      lockFileURL: `${indexURL}pyodide-lock.json`,
      stdout: (/** @type {string} */ line) => console.info(line),
      stderr: (/** @type {string} */ line) => console.warn(line),
    });
    const [pyodide, wheels] = await Promise.all([
      Promise.race([runtime, failed]).then((/** @type {any} */ started) => (advance('runtime', SHARES.runtime), started)),
      fetchWheels(indexURL, () => advance('packages', SHARES.packages / PACKAGES.length)),
    ]);
    unpack(pyodide, wheels);
    advance('install', SHARES.install);
    return pyodide;
  } catch (error) {
    throw bootError(indexURL, error);
  }
}

/**
 * Reject when the interpreter's WebAssembly cannot be instantiated: Pyodide only warns of that on
 * the console, and its promise stays pending for ever. Listens to the first call, which is Pyodide's.
 * @returns {Promise<never>}
 */
function instantiationFailure() {
  const original = WebAssembly.instantiateStreaming;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = (source, imports) => {
      WebAssembly.instantiateStreaming = original;
      const result = original(source, imports);
      result.catch((error) => reject(new Error(`pyodide.asm.wasm: ${error.message}`)));
      return result;
    };
  });
}

/** @param {Progress} progress */
function meter(progress) {
  let loaded = 0;
  const advance = (/** @type {string} */ stage, /** @type {number} */ share) => {
    loaded += share;
    progress({ stage, loaded, total: 100, percentComplete: Math.round(loaded) });
  };
  advance('runtime', 0);
  return advance;
}

/** @param {string} indexURL @param {() => void} onEach @returns {Promise<Wheel[]>} */
async function fetchWheels(indexURL, onEach) {
  const lock = await fetchAsset(`${indexURL}pyodide-lock.json`).then((answer) => answer.json());
  return Promise.all(
    PACKAGES.map(async (name) => {
      const { file_name: file, sha256 } = lock.packages[name];
      const answer = await fetchAsset(indexURL + file, `sha256-${base64(sha256)}`);
      const body = await answer.arrayBuffer();
      onEach();
      return { name, body };
    }),
  );
}

/** @param {string} url @param {string} [integrity] */
async function fetchAsset(url, integrity) {
  const answer = await fetch(url, { integrity }).catch((error) => {
    throw new Error(`${url} cannot be fetched, or is not the file that the build made (${error.message})`);
  });
  if (!answer.ok) throw new Error(`${url} answered with status ${answer.status}`);
  return answer;
}

/** @param {string} hexadecimal */
function base64(hexadecimal) {
  const bytes = hexadecimal.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes));
}

/**
 * Lay wheels out. Pyodide's own loadPackage would also open every shared library in them, though
 * an image needs one codec at most: here a library is opened by the import that needs it.
 * @param {any} pyodide @param {Wheel[]} wheels
 */
function unpack(pyodide, wheels) {
  for (const { name, body } of wheels) {
    pyodide.unpackArchive(body, 'wheel', { extractDir: SITE_PACKAGES });
    pyodide.loadedPackages[name] = 'default channel'; // so that no other package brings it again
  }
}

/** @param {string} url @param {any} error */
function bootError(url, error) {
  return new PyLoaderError({
    name: 'BootError', code: 'boot', stage: 'boot', url,
    message: `Python could not start from ${url}: ${error?.message ?? error}. Is the whole of dist/ there, and does its server answer with the files themselves?`,
  });
}

/**
 * Load packages by name from dist/, or wheels by URL relative to the page.
 * @param {any} pyodide @param {string[]} packages @param {string} baseURL
 */
export async function installPackages(pyodide, packages, baseURL) {
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
