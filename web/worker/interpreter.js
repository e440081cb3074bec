// @ts-check
// State of a worker: Python once it has started, and the settings, files and headers that the page has sent.
import { bootPython, extraMeter } from '../boot/boot.js';
import { Packages } from '../boot/packages.js';
import { PyLoaderError, abortError, messageOf, toWire } from '../shared/errors.js';
import { BUILD, MIXED } from '../shared/version.js';
import { decodeImage } from './decode_image.js';
import { createSend } from './fetch.js';
import { prepareExtent } from './min_max.js';

/** @typedef {import('./bridge.d.ts').Bridge} Bridge */
/** @typedef {import('../shared/messages.d.ts').BootOptions} BootOptions */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/rpc.js').Rpc<import('../shared/messages.d.ts').PageCalls, WorkerCalls>} Page */
/**
 * @typedef {BootOptions & import('./fetch.js').Settings} Settings the current options of init(), and the settings of
 *   requests
 */
/** @typedef {(detail: import('../shared/messages.d.ts').BootProgress) => void} Progress */
/** @template Value @typedef {import('./bridge.d.ts').Outcome<Value>} Outcome */
/**
 * @typedef {{pyodide: import('../boot/python.d.ts').Pyodide, settings: Settings, packages: Packages, send:
 *   ReturnType<typeof createSend>, bridge: Bridge}} Started
 */

export class Interpreter {
  /** Files of the user, by name. @type {Map<string, Blob>} */
  files = new Map();
  /** Headers of the page's DICOMweb services, by address. @type {Map<string, Record<string, string>>} */
  services = new Map();
  /** Headers granted after a 401, by address. @type {Map<string, Record<string, string>>} */
  granted = new Map();
  /** @type {Started | undefined} */
  #started;
  #calls = 0;

  /** @param {() => Page} page returns the connection to the page */
  constructor(page) {
    this.page = page;
  }

  /** Everything that exists once Python has started. @returns {Started} */
  get started() {
    if (!this.#started) throw new Error('Python has not started');
    return this.#started;
  }

  /** Python's bridge, undefined before Python has started. @returns {Bridge | undefined} */
  get bridge() {
    return this.#started?.bridge;
  }

  /** @param {BootOptions} options @param {Progress} progress @param {import('../boot/boot.js').Advance} advance */
  async start(options, progress, advance) {
    if (options.build !== BUILD) throw new Error(ofOtherBuild(options.build));
    prepareExtent();
    const { pyodide, bundled, report: reportBoot, shared } = await bootPython(options, advance);
    const settings = this.settingsOf(options);
    // This is also the sign of life of loads that wait for a package.
    const report = (/** @type {import('../boot/packages.js').Arrival} */ arrival) => {
      this.page()
        .call('packageprogress', arrival)
        .catch(() => {}); // the page has ended the worker
    };
    const packages = new Packages(pyodide, bundled, settings, report);
    // After a trap in WebAssembly, calls may still seem to work, but on a broken heap: end the interpreter.
    pyodide._api.on_fatal = (error) => void this.page().call('died', messageOf(error));
    const module = /** @type {import('./bridge.d.ts').BridgeModule} */ (pyodide.pyimport('pyloader.browser.bridge'));
    const send = createSend(settings, this.files);
    const bridge = module.Bridge(
      this.#forPython(() => bridge, packages, send),
      settings,
    );
    module.destroy();
    this.#started = { pyodide, settings, packages, send, bridge };
    await installFirst(packages, bridge, options.packages, progress, report);
    progress({ stage: 'ready', loaded: 100, total: 100, percentComplete: 100 });
    return { report: reportBoot(), parts: options.parts ? undefined : shared };
  }

  /** @param {BootOptions} options @returns {Settings} */
  settingsOf(options) {
    const { services, granted } = this;
    /** @type {import('./fetch.js').Hook} */
    const ask = (request) => this.page().call('beforeRequest', request);
    return { ...options, services, granted, beforeRequest: options.hooks.includes('beforeRequest') ? ask : undefined };
  }

  /**
   * Make the functions of the worker that Python calls.
   * @param {() => Bridge} bridge @param {Packages} packages @param {Started['send']} send
   * @returns {import('./bridge.d.ts').WorkerForPython}
   */
  #forPython(bridge, packages, send) {
    return {
      send,
      describe: (source, asksAnew, signal) =>
        this.page()
          .call('describe', { source, asksAnew }, { signal })
          .catch((error) => ({ error: toWire(error) })),
      authorize: (url, sent) => this.page().call('authorize', { url, sent: sent * 1000 }),
      install: (requirement) => packages.install(bridge(), [requirement]).catch(toWire),
      bringNow: (name) => packages.bringNow(name),
      deferred: packages.deferred(),
      decode: decodeImage,
      print: (level, name, text) => {
        this.page()
          .call('print', { level, name, text })
          .catch(() => {}); // the page has ended the worker
      },
    };
  }

  /** Return the number of a new call of the bridge. */
  newCall() {
    return ++this.#calls;
  }

  /**
   * Call a function of the bridge, and cancel it when the signal aborts.
   * @template Value @param {{signal: AbortSignal}} context
   * @param {(bridge: Bridge, id: number) => Outcome<Value>} start @param {number} [id] of the call
   */
  async ask({ signal }, start, id = this.newCall()) {
    const { bridge } = this.started;
    const cancel = () => bridge.cancel(id);
    signal.addEventListener('abort', cancel);
    try {
      const outcome = await start(bridge, id);
      if (outcome.error) throw new PyLoaderError(outcome.error);
      if (outcome.cancelled) throw abortError('the load');
      return /** @type {Value} */ (outcome);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}

/** @param {string} other build of the page's script */
function ofOtherBuild(other) {
  return `worker.mjs is of pyloader ${BUILD}, and the page's script of ${other}: ${MIXED}`;
}

/**
 * Install the packages of init().
 * @param {Packages} packages @param {Bridge} bridge @param {string[]} wanted @param {Progress} progress
 * @param {import('../boot/packages.js').Report} report
 */
async function installFirst(packages, bridge, wanted, progress, report) {
  const advance = extraMeter(progress);
  const reportBoth = (/** @type {import('../boot/packages.js').Arrival} */ arrival) => {
    advance(arrival);
    report(arrival);
  };
  try {
    await packages.install(bridge, wanted, { report: reportBoth });
  } catch (error) {
    throw new PyLoaderError({ ...toWire(error), stage: 'boot' });
  }
}
