// @ts-check
// Runs loads from the call to the image, through a JavaScript loader or through Python. Equal loads share
// their work; each can be cancelled, and a more urgent one moves the shared work forward.
import { deliveryFor, imageFor } from '../viewers/cornerstone.js';
import { checkOptions, wrongLoader } from './arguments.js';
import { PyLoaderError, abortError, isAbort, said } from '../shared/errors.js';
import { SingleFlight, untilAborted } from './single_flight.js';
import { parseImageId } from '../shared/imageid.js';
import { isMoreUrgent } from '../scheduler/queue.js';
import { redacted, withoutSecrets } from '../shared/redaction.js';
import { progressOf, callListener } from './progress.js';
import { Turns } from './turns.js';

/** @typedef {import('../viewers/cornerstone.js').Mode} Mode */
/** @typedef {import('../viewers/cornerstone.js').Options} Options */
/** @typedef {import('../viewers/cornerstone.js').OnProgress} OnProgress */
/** @typedef {(imageId: string, options: Options) => {promise: Promise<unknown>, cancelFn?: () => void}} JsLoader */
/** @typedef {import('../shared/messages.d.ts').Report} Report */
/** @typedef {import('../shared/messages.d.ts').JobPayload<'load'>} Payload */
/** @typedef {import('../shared/messages.d.ts').Loaded} Loaded */
/** @typedef {import('../shared/messages.d.ts').PlainOptions} PlainOptions */
/**
 * @typedef {{payload: Payload, signal: AbortSignal, onProgress: (report: Report) => void, priority?: number,
 *   requestType?: string, timeout?: number}} Job
 */
/**
 * @typedef {object} LoadsHost
 * @property {(scheme: string) => Promise<JsLoader | undefined>} loaderOf the JavaScript loader of a scheme, if any
 * @property {(imageId: string, options: Options) => PlainOptions} plainOptions the options that Python gets
 * @property {(imageId: string, job: Job) => Promise<Loaded>} ask loads through Python
 * @property {(payload: Payload, urgency: import('../scheduler/queue.js').Urgency) => void} hurry raises the urgency of
 *   a queued job
 * @property {(imageId: string, modules: Loaded['modules']) => void} describe stores the modules of a loaded image
 * @property {(type: string, detail: unknown) => void} fire
 * @property {import('./source_refs.js').SourceRefs} refs
 */

export class Loads {
  #flights = new SingleFlight();
  #turns = new Turns();
  /** Number of the user's identity: loads of different identities share nothing. */
  #identity = 0;
  /** Jobs that were sent to the scheduler, by their key in `#flights`. @type {Map<string, Job>} */
  #running = new Map();
  counts = { loaded: 0, failed: 0, cancelled: 0 };

  /** @param {LoadsHost} host */
  constructor(host) {
    this.host = host;
  }

  /** Number of images that are loading. */
  get size() {
    return this.#flights.size;
  }

  /** Let later loads share nothing with those in progress: servers may respond to them differently. */
  beginAnew() {
    this.#identity++;
  }

  /** Wait for the other loads of the same burst to start. */
  settle() {
    return this.#turns.settle();
  }

  /**
   * Return a load object, as viewers expect it. The parsed source is released when its last image is decached.
   * @param {string} imageId @param {Options} options @param {Mode} mode @param {string} shownAs
   */
  object(imageId, options, mode, shownAs) {
    const { promise, cancelFn } = this.start(imageId, options, mode, shownAs);
    let state = 'loading';
    promise.then(
      () => {
        if (state === 'decached') return;
        state = 'held';
        this.host.refs.hold(imageId);
      },
      () => {},
    );
    const decache = () => {
      if (state === 'held') this.host.refs.letGo(imageId);
      state = 'decached';
    };
    return { promise, cancelFn, cancel: cancelFn, decache };
  }

  /**
   * Start a load.
   * @param {string} imageId frames counted from 1
   * @param {Options} options
   * @param {Mode} mode
   * @param {string} shownAs the viewer's imageId
   */
  start(imageId, options, mode, shownAs) {
    const controller = new AbortController();
    const { signal, error: invalid } = signalOf(options);
    const cancelFn = () => controller.abort();
    if (signal?.aborted) cancelFn();
    signal?.addEventListener('abort', cancelFn, { once: true });
    const promise = (
      invalid ? Promise.reject(invalid) : this.#load(imageId, options ?? {}, mode, shownAs, controller.signal)
    )
      .then((image) => {
        this.counts.loaded++;
        this.host.fire('imageloaded', { image });
        return image;
      })
      .catch((error) => {
        this.counts[isAbort(error) ? 'cancelled' : 'failed']++;
        if (error instanceof PyLoaderError && error.imageId === redacted(imageId)) error.imageId = redacted(shownAs);
        this.host.fire('imageloadfailed', { imageId: redacted(shownAs), error });
        throw error;
      })
      .finally(() => signal?.removeEventListener('abort', cancelFn));
    return { promise, cancelFn };
  }

  /**
   * Load through the JavaScript loader of the scheme, or through Python.
   * @param {string} imageId @param {Options} options @param {Mode} mode @param {string} shownAs
   * @param {AbortSignal} signal
   */
  async #load(imageId, options, mode, shownAs, signal) {
    const { scheme } = parseImageId(imageId);
    await this.#turns.take();
    if (signal.aborted) throw abortError(`loading '${imageId}'`);
    const loader = await this.host.loaderOf(scheme);
    if (loader) return runJsLoader(loader, shownAs, options, signal);
    const loaded = await this.#share(imageId, options, mode, shownAs, signal);
    return imageFor(loaded, shownAs, mode, options);
  }

  /**
   * Return the form of the image that the options request, as a string. Loads of the same form give equal images.
   * @param {string} imageId @param {Options} options @param {Mode} mode
   */
  formOf(imageId, options, mode) {
    return JSON.stringify(this.#optionsForPython(imageId, options, mode));
  }

  /** Return the options that Python gets. @param {string} imageId @param {Options} options @param {Mode} mode */
  #optionsForPython(imageId, options, mode) {
    return { ...this.host.plainOptions(imageId, options), delivery: deliveryFor(mode, options) };
  }

  /**
   * Load through Python; loads of the same image in the same form share their work.
   * @param {string} imageId @param {Options} options @param {Mode} mode @param {string} shownAs
   * @param {AbortSignal} signal
   */
  #share(imageId, options, mode, shownAs, signal) {
    const { priority, requestType, timeout } = options;
    const sent = this.#optionsForPython(imageId, options, mode);
    const key = `${this.#identity}\n${imageId}\n${JSON.stringify(sent)}`;
    const listener = (/** @type {Report} */ report) => this.#report(report, shownAs, options.onProgress);
    /** @param {AbortSignal} signal @param {(report: Report) => void} onProgress */
    const start = async (signal, onProgress) => {
      const started = performance.now();
      const job = { payload: { imageId, options: sent }, signal, onProgress, priority, requestType, timeout };
      this.#running.set(key, job);
      try {
        const loaded = await this.host.ask(imageId, job);
        loaded.timing.totalMilliseconds = performance.now() - started;
        this.host.describe(imageId, loaded.modules);
        return loaded;
      } finally {
        this.#running.delete(key);
      }
    };
    this.#hurry(this.#running.get(key), { priority, requestType });
    return this.#flights.join(key, start, { signal, listener, what: `loading '${imageId}'` });
  }

  /**
   * Raise the urgency of a running job if another load needs it sooner.
   * @param {Job | undefined} job @param {import('../scheduler/queue.js').Urgency} urgency
   */
  #hurry(job, urgency) {
    if (!job || !isMoreUrgent(urgency, job)) return;
    Object.assign(job, urgency);
    this.host.hurry(job.payload, urgency);
  }

  /** @param {Report} report @param {string} imageId @param {OnProgress | undefined} onProgress */
  #report(report, imageId, onProgress) {
    const { phase, url, attempt } = report;
    if (phase !== 'progress') return this.host.fire(`imageload${phase}`, withoutSecrets({ url, imageId, attempt }));
    const detail = progressOf(report, imageId);
    this.host.fire('imageloadprogress', detail);
    callListener(onProgress, detail);
  }
}

/**
 * Return the signal of a load, or the error of invalid options.
 * @param {Options} options @returns {{signal?: AbortSignal, error?: PyLoaderError}}
 */
function signalOf(options) {
  try {
    checkOptions(options);
    return { signal: options?.signal };
  } catch (error) {
    return { error: /** @type {PyLoaderError} */ (error) };
  }
}

/** @param {JsLoader} loader @param {string} imageId @param {Options} options @param {AbortSignal} signal */
async function runJsLoader(loader, imageId, options, signal) {
  const { promise, cancelFn } = loader(imageId, options) ?? {};
  if (typeof promise?.then !== 'function')
    throw wrongLoader(
      `the JavaScript loader of '${imageId}' has to return { promise } with a Promise, not ${said(promise)}`,
    );
  return untilAborted(promise, signal, `loading '${imageId}'`, cancelFn);
}

/** @typedef {Omit<Options, 'onProgress'> & {onProgress?: unknown}} AllOptions options of a load or of a list */

/**
 * Return the options that a Python loader gets: those with plain values.
 * @param {AllOptions} options @returns {PlainOptions}
 */
export function forPython({
  signal,
  onProgress,
  priority,
  requestType,
  timeout,
  targetBuffer,
  streamingData,
  retrieveOptions,
  ...options
}) {
  try {
    return JSON.parse(JSON.stringify(options));
  } catch {
    return {}; // cycles, or BigInt: a viewer's own objects, which loaders do not need
  }
}
