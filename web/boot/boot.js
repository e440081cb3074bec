// @ts-check
// Starts Pyodide with pyloader in it: from a snapshot of memory, in which everything is imported
// already, or step by step where that is not to be had. Says how far it is, and what took how long.
import { fetchAnd } from '../shared/assets.js';
import { startPyodide } from './pyodide.js';
import { LOCK, assetOf } from './lock.js';
import { STANDARD_LIBRARY, Shelf, unpack } from './packages.js';
import { Artifacts } from './artifacts.js';

/** @typedef {import('../shared/assets.js').Assets} Assets */
/** @typedef {import('../shared/messages.d.ts').BootOptions} BootOptions */
/** @typedef {import('../shared/messages.d.ts').BootReport} BootReport */
/** @typedef {import('../shared/messages.d.ts').BootProgress} BootProgress */
/** @typedef {import('./python.d.ts').Pyodide} Pyodide */
/** @typedef {import('./python.d.ts').LoadPyodide} LoadPyodide */
/** @typedef {(detail: BootProgress) => void} Progress */
/** @typedef {(stage: BootProgress['stage'], share: number) => void} Advance see `meter` */
/** @typedef {BootReport['marks'][number]} Mark in ms, `start` since 1970 */
/** @typedef {{snapshot?: Promise<import('./snapshot.js').Snapshot>, standard?: ArrayBuffer}} Memory what Python finds: a snapshot, or the standard library */
/** @typedef {(memory: Memory) => Promise<Pyodide>} Start */
/** @typedef {{pyodide: Pyodide, shelf: Shelf, reason?: string, snapshot?: import('./snapshot.js').Snapshot}} Started */
/**
 * @typedef {{pyodide: Pyodide, shelf: Shelf, report: () => BootReport, shared:
 *   import('../shared/messages.d.ts').Shared}} Booted
 */

// Percent of the whole that each stage takes, measured on two cores with an empty cache; the imports
// take the rest.
const SHARES = { runtime: 50, packages: 30 };
// The share of the packages of init(), when there are any.
const EXTRA = 30;
const HALF_BYTES = 2 ** 20;
// Given to Pyodide as the folder of its files, so that it asks no server for them.
const NOWHERE = 'https://pyodide.invalid/';
const SCRIPTS = ['pyodide.mjs', 'pyodide.asm.js'];

/**
 * @param {BootOptions} options
 * @param {Advance} advance
 * @returns {Promise<Booted>} Pyodide, with pyloader imported or importable
 */
export async function bootPython({ assetsURL, assetURLs, parts: given }, advance) {
  const assets = { assetsURL, assetURLs };
  const timeline = new Timeline();
  const parts = new Artifacts(assets, given, timeline.measure);
  const [loadPyodide, program, libraries] = await Promise.all([scripts(assets), parts.program, parts.libraries]);
  advance('runtime', SHARES.runtime);
  /** @type {Start} */
  const start = (rest) => timeline.measure('interpreter', run(loadPyodide, program, { libraries, ...rest }));
  const { reason, snapshot, ...started } = await fromSnapshot(parts, assets, start).catch((error) =>
    fromFiles(assets, start, error.message),
  );
  advance('packages', SHARES.packages);
  for (const name of LOCK.starting) started.pyodide.loadedPackages[name] = 'default channel'; // so that no other package brings it again
  return { ...started, report: () => timeline.report(reason), shared: await parts.share(snapshot) };
}

/** @param {Artifacts} parts @param {Assets} assets @param {Start} start @returns {Promise<Started>} */
async function fromSnapshot(parts, assets, start) {
  const pyodide = await start({ snapshot: parts.snapshot });
  return { pyodide, shelf: new Shelf(assets, LOCK.starting), snapshot: await parts.snapshot };
}

/** @param {Assets} assets @param {Start} start @param {string} reason why not from a snapshot @returns {Promise<Started>} */
async function fromFiles(assets, start, reason) {
  const shelf = new Shelf(assets);
  const [standard, ...wheels] = await Promise.all([
    fetchAnd(assetOf(assets, STANDARD_LIBRARY), (answer) => answer.arrayBuffer()),
    ...LOCK.starting.map((name) => shelf.fetch(name)),
  ]);
  const pyodide = await start({ standard });
  unpack(pyodide, wheels);
  return { pyodide, shelf, reason };
}

/**
 * Pyodide's loadPyodide. What a worker imports no browser verifies: where this script was verified, it
 * has Pyodide's two in it. A worker's own address takes no digest either, and who could change them
 * could change this script: they are imported from beside it then, while the rest is compiled, which
 * saves a tenth of a start.
 * @param {Assets} assets @returns {Promise<LoadPyodide>}
 */
async function scripts(assets) {
  if (PYLOADER_IS_WHOLE) return loadPyodide;
  const [found] = await Promise.all(
    SCRIPTS.map(
      (name) =>
        import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ assetOf(assets, name).url),
    ),
  );
  return found.loadPyodide;
}

/**
 * Run loadPyodide, which would fetch on its own what is here already.
 * @param {LoadPyodide} loadPyodide @param {WebAssembly.Module} program
 * @param {import('./pyodide.js').Artifacts & Memory} parts
 */
async function run(loadPyodide, program, { standard, ...parts }) {
  const { fetch } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  const here = (/** @type {string} */ name) =>
    Promise.resolve(new Response(name === STANDARD_LIBRARY ? standard : undefined));
  globalThis.fetch = (input, init) =>
    String(input).startsWith(NOWHERE) ? here(String(input).slice(NOWHERE.length)) : fetch(input, init);
  // Pyodide only warns when that fails, and its promise stays pending for ever.
  /** @type {Promise<never>} */
  const failed = new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = async (_source, imports) => {
      const instance = await WebAssembly.instantiate(program, imports).catch((error) => {
        reject(new Error(`pyodide.asm.wasm: ${error.message}`));
        throw error;
      });
      return { instance, module: program };
    };
  });
  const options = {
    indexURL: NOWHERE,
    lockFileContents: { info: LOCK.info, packages: LOCK.packages },
    stdout: (/** @type {string} */ line) => console.info(line),
    stderr: (/** @type {string} */ line) => console.warn(line),
  };
  try {
    return await Promise.race([startPyodide(loadPyodide, options, parts), failed]);
  } finally {
    globalThis.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

/** Measures what took how long. */
class Timeline {
  started = performance.now();
  /** @type {Mark[]} */
  marks = [];

  /** @type {import('./artifacts.js').Measure} */
  measure = (name, work) => {
    const start = performance.now();
    const note = () =>
      void this.marks.push({ name, start: performance.timeOrigin + start, duration: performance.now() - start });
    work.then(note, () => {});
    return work;
  };

  /** @param {string | undefined} reason why there is no snapshot @returns {BootReport} */
  report(reason) {
    const { timeOrigin } = performance;
    const entries = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource'));
    const assets = entries.map(({ name, startTime, duration, encodedBodySize, transferSize }) => ({
      name: new URL(name).pathname.split('/').pop() ?? '',
      start: timeOrigin + startTime,
      duration,
      bytes: encodedBodySize,
      transferred: transferSize,
    }));
    this.marks.push({ name: 'start', start: timeOrigin + this.started, duration: performance.now() - this.started });
    return { kind: reason ? 'cold' : 'snapshot', reason, marks: this.marks, assets };
  }
}

/**
 * A function that is told of each share of the whole as it is done, in percent of a start without
 * further packages.
 * @param {Progress} progress @param {boolean} hasExtra whether packages of init() come after that
 */
export function meter(progress, hasExtra) {
  const scale = hasExtra ? 1 - EXTRA / 100 : 1;
  let loaded = 0;
  const advance = (/** @type {BootProgress['stage']} */ stage, /** @type {number} */ share) => {
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
