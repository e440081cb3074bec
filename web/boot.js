// @ts-check
// Starts Pyodide with pyloader's packages, all fetched at the same time, and says how far it is.
// @ts-ignore -- beside the worker in dist/, laid out by the build
import { loadPyodide } from './pyodide/pyodide.mjs';
import { PyLoaderError } from './errors.js';
import { Shelf, unpack } from './packages.js';

/** @typedef {(detail: {stage: string, loaded: number, total: number, percentComplete: number}) => void} Progress */

const PACKAGES = ['numpy', 'pydicom', 'imagecodecs', 'pyloader'];
// What each stage takes of the whole, in percent; measured on two cores with an empty cache.
const SHARES = { runtime: 40, packages: 20, install: 10, imports: 30 };
// What is left for the packages of init(), when there are any.
const EXTRA = 30;
const HALF_BYTES = 2 ** 20;

/**
 * @param {{assetsURL: string}} options
 * @param {(stage: string, share: number) => void} advance see `meter`
 * @returns {Promise<{pyodide: any, shelf: Shelf}>} Pyodide, with pyloader importable
 */
export async function bootPython({ assetsURL }, advance) {
  const indexURL = new URL('pyodide/', assetsURL).href;
  const shelf = new Shelf(indexURL);
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
      fetchWheels(shelf, () => advance('packages', SHARES.packages / PACKAGES.length)),
    ]);
    unpack(pyodide, wheels);
    advance('install', SHARES.install);
    return { pyodide, shelf };
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

/**
 * A function that is told of each share of the whole as it is done, in percent of a start without
 * further packages.
 * @param {Progress} progress @param {boolean} hasExtra whether packages of init() come after that
 */
export function meter(progress, hasExtra) {
  const scale = hasExtra ? 1 - EXTRA / 100 : 1;
  let loaded = 0;
  const advance = (/** @type {string} */ stage, /** @type {number} */ share) => {
    loaded += share * scale;
    progress({ stage, loaded, total: 100, percentComplete: Math.round(loaded) });
  };
  advance('runtime', 0);
  return advance;
}

/**
 * A `Report` of packages that tells of the rest of the start. How much is to come is not known, so
 * each further byte counts for less, and the end is never reached.
 * @param {Progress} progress @returns {import('./packages.js').Report}
 */
export function extraMeter(progress) {
  /** @type {Map<string, number>} */
  const bytes = new Map();
  return (arrival) => {
    bytes.set(arrival.file, arrival.loaded);
    const sum = [...bytes.values()].reduce((total, each) => total + each, 0);
    const loaded = 100 - EXTRA + (EXTRA * sum) / (sum + HALF_BYTES);
    progress({ stage: 'extra', loaded, total: 100, percentComplete: Math.round(loaded) });
  };
}

/** @param {Shelf} shelf @param {() => void} onEach */
async function fetchWheels(shelf, onEach) {
  await shelf.open();
  return Promise.all(PACKAGES.map((name) => shelf.fetch(name).then((wheel) => (onEach(), wheel))));
}

/** @param {string} url @param {any} error */
function bootError(url, error) {
  return new PyLoaderError({
    name: 'BootError', code: 'boot', stage: 'boot', url,
    message: `Python could not start from ${url}: ${error?.message ?? error}. Is the whole of dist/ there, and does its server answer with the files themselves?`,
  });
}
