// @ts-check
// Starts Pyodide with pyloader in it: from a snapshot of memory with all imports done or, without one, step by
// step. Reports the progress, and how long each step took.
import { fetchAnd } from '../shared/assets.js';
import { startPyodide } from './pyodide.js';
import { LOCK, assetOf } from './lock.js';
import { STANDARD_LIBRARY, BundledPackages, unpack } from './packages.js';
import { Artifacts } from './artifacts.js';

/** @typedef {import('../shared/assets.js').Assets} Assets */
/** @typedef {import('../shared/messages.d.ts').BootOptions} BootOptions */
/** @typedef {import('../shared/messages.d.ts').BootReport} BootReport */
/** @typedef {import('../shared/messages.d.ts').BootProgress} BootProgress */
/** @typedef {import('./python.d.ts').Pyodide} Pyodide */
/** @typedef {import('./python.d.ts').LoadPyodide} LoadPyodide */
/** @typedef {(detail: BootProgress) => void} Progress */
/** @typedef {(stage: BootProgress['stage'], share: number) => void} Advance see `meter` */
/** @typedef {BootReport['marks'][number]} Mark in milliseconds; `start` since 1970 */
/**
 * @typedef {{snapshot?: Promise<import('./snapshot.js').Snapshot>, standard?: ArrayBuffer}} Memory the snapshot or
 *   the standard library
 */
/** @typedef {(memory: Memory) => Promise<Pyodide>} Start */
/**
 * @typedef {{pyodide: Pyodide, bundled: BundledPackages, reason?: string, snapshot?: import('./snapshot.js').Snapshot}}
 *   Started
 */
/**
 * @typedef {{pyodide: Pyodide, bundled: BundledPackages, report: () => BootReport, shared:
 *   import('../shared/messages.d.ts').Shared}} Booted
 */

// Percent of the start that each stage takes, measured on two cores with an empty cache. Imports take the rest.
const SHARES = { runtime: 50, packages: 30 };
// Percent for the packages of init(), if there are any.
const EXTRA = 30;
// Bytes of packages that count for half of EXTRA.
const HALF_BYTES = 2 ** 20;
// Passed to Pyodide as the folder of its files, so that it fetches none of them itself.
const NOWHERE = 'https://pyodide.invalid/';
const SCRIPTS = ['pyodide.mjs', 'pyodide.asm.js'];

/**
 * Start Pyodide.
 * @param {BootOptions} options
 * @param {Advance} advance
 * @returns {Promise<Booted>} Pyodide, with pyloader imported or importable
 */
export async function bootPython({ assetsURL, assetURLs, parts: given }, advance) {
  const assets = { assetsURL, assetURLs };
  const timeline = new Timeline();
  const artifacts = new Artifacts(assets, given, timeline.measure);
  const [loadPyodide, program, libraries] = await Promise.all([
    scripts(assets),
    artifacts.program,
    artifacts.libraries,
  ]);
  advance('runtime', SHARES.runtime);
  /** @type {Start} */
  const start = (rest) => timeline.measure('interpreter', run(loadPyodide, program, { libraries, ...rest }));
  const { reason, snapshot, ...started } = await fromSnapshot(artifacts, assets, start).catch((error) =>
    fromFiles(assets, start, error.message),
  );
  advance('packages', SHARES.packages);
  // Mark these packages as loaded, so that no other package installs them again.
  for (const name of LOCK.starting) started.pyodide.loadedPackages[name] = 'default channel';
  return { ...started, report: () => timeline.report(reason), shared: await artifacts.share(snapshot) };
}

/** @param {Artifacts} artifacts @param {Assets} assets @param {Start} start @returns {Promise<Started>} */
async function fromSnapshot(artifacts, assets, start) {
  const pyodide = await start({ snapshot: artifacts.snapshot });
  return { pyodide, bundled: new BundledPackages(assets, LOCK.starting), snapshot: await artifacts.snapshot };
}

/**
 * @param {Assets} assets @param {Start} start @param {string} reason why the snapshot could not be used
 * @returns {Promise<Started>}
 */
async function fromFiles(assets, start, reason) {
  const bundled = new BundledPackages(assets);
  const [standard, ...wheels] = await Promise.all([
    fetchAnd(assetOf(assets, STANDARD_LIBRARY), (response) => response.arrayBuffer()),
    ...LOCK.starting.map((name) => bundled.fetch(name)),
  ]);
  const pyodide = await start({ standard });
  unpack(pyodide, wheels);
  return { pyodide, bundled, reason };
}

/**
 * Return Pyodide's loadPyodide. Browsers do not verify scripts that a worker imports: a worker's script that was
 * verified itself therefore includes Pyodide's two. A worker created from its own address was not verified either,
 * and whoever could change Pyodide's scripts could change this one: it imports them from beside itself, while the
 * rest is compiled, which saves a tenth of a start.
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
 * Run loadPyodide, with replacements for `fetch` and `instantiateStreaming` that return the files loaded before.
 * @param {LoadPyodide} loadPyodide @param {WebAssembly.Module} program
 * @param {import('./pyodide.js').Artifacts & Memory} artifacts
 */
async function run(loadPyodide, program, { standard, ...artifacts }) {
  const { fetch } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  const loaded = (/** @type {string} */ name) =>
    Promise.resolve(new Response(name === STANDARD_LIBRARY ? standard : undefined));
  globalThis.fetch = (input, init) =>
    String(input).startsWith(NOWHERE) ? loaded(String(input).slice(NOWHERE.length)) : fetch(input, init);
  // If this fails, Pyodide only warns, and its promise stays pending for ever.
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
    return await Promise.race([startPyodide(loadPyodide, options, artifacts), failed]);
  } finally {
    globalThis.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

/** Measures the steps of the start. */
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

  /** @param {string | undefined} reason why the snapshot could not be used @returns {BootReport} */
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
 * Make a function that reports finished stages. Its shares are percent of a start without packages of init().
 * @param {Progress} progress @param {boolean} hasExtra true if packages of init() follow
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
 * Make a `Report` of packages that reports the rest of the start. The total size is unknown: so each further byte
 * counts less, and the progress never reaches the end.
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
