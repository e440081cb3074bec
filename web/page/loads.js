// @ts-check
// Loads from the call to the image: through a loader in JavaScript or through Python, shared by those
// who want the same, brought forward, cancelled, told of.
import { deliveryFor, imageFor } from '../viewers/cornerstone.js';
import { checkOptions, wrongLoader } from './arguments.js';
import { PyLoaderError, abortError, isAbort, said } from '../shared/errors.js';
import { SingleFlight, untilAborted } from './single_flight.js';
import { parseImageId } from '../shared/imageid.js';
import { isMoreUrgent } from '../scheduler/queue.js';
import { redacted, withoutSecrets } from '../shared/redaction.js';
import { progressOf, tellPage } from './progress.js';
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
 * @property {(scheme: string) => Promise<JsLoader | undefined>} loaderOf what serves a scheme, when it is not Python
 * @property {(imageId: string, options: Options) => PlainOptions} plainOptions what of them Python gets
 * @property {(imageId: string, job: Job) => Promise<Loaded>} ask loads by Python
 * @property {(payload: Payload, urgency: import('../scheduler/queue.js').Urgency) => void} hurry
 * @property {(imageId: string, modules: Loaded['modules']) => void} describe told of what describes a loaded image
 * @property {(type: string, detail: unknown) => void} fire
 * @property {import('./source_refs.js').SourceRefs} refs
 */

export class Loads {
  #flights = new SingleFlight();
  #turns = new Turns();
  /** Counts who has asked: those who ask now do not share with those before. */
  #identity = 0;
  /** Jobs that were sent to Python, by flight. @type {Map<string, Job>} */
  #underWay = new Map();
  counts = { loaded: 0, failed: 0, cancelled: 0 };

  /** @param {LoadsHost} host */
  constructor(host) {
    this.host = host;
  }

  /** The number of images under way. */
  get size() {
    return this.#flights.size;
  }

  /** Share no load that is under way with those to come: servers may answer them otherwise. */
  beginAnew() {
    this.#identity++;
  }

  /** Wait for what else is asked for at once. */
  settle() {
    return this.#turns.settle();
  }

  /**
   * A load as viewers want it: what it parsed is let go of with the last image of it that is decached.
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
   * @param {string} shownAs the imageId as the viewer says it
   */
  start(imageId, options, mode, shownAs) {
    const controller = new AbortController();
    const { signal, wrong } = signalOf(options);
    const cancelFn = () => controller.abort();
    if (signal?.aborted) cancelFn();
    signal?.addEventListener('abort', cancelFn, { once: true });
    const promise = (
      wrong ? Promise.reject(wrong) : this.#choose(imageId, options ?? {}, mode, shownAs, controller.signal)
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

  /** @param {string} imageId @param {Options} options @param {Mode} mode @param {string} shownAs @param {AbortSignal} signal */
  async #choose(imageId, options, mode, shownAs, signal) {
    const { scheme } = parseImageId(imageId);
    await this.#turns.take();
    if (signal.aborted) throw abortError(`loading '${imageId}'`);
    const loader = await this.host.loaderOf(scheme);
    if (loader) return runJsLoader(loader, shownAs, options, signal);
    const loaded = await this.#share(imageId, options, mode, shownAs, signal);
    return imageFor(loaded, shownAs, mode, options);
  }

  /** The form of an image that options ask for: loads of one form give the same image. @param {string} imageId @param {Options} options @param {Mode} mode */
  formOf(imageId, options, mode) {
    return JSON.stringify(this.#sent(imageId, options, mode));
  }

  /** The options that Python gets. @param {string} imageId @param {Options} options @param {Mode} mode */
  #sent(imageId, options, mode) {
    return { ...this.host.plainOptions(imageId, options), delivery: deliveryFor(mode, options) };
  }

  /**
   * Load through Python; loads of one image in one form share their work.
   * @param {string} imageId @param {Options} options @param {Mode} mode @param {string} shownAs @param {AbortSignal} signal
   */
  #share(imageId, options, mode, shownAs, signal) {
    const { priority, requestType, timeout } = options;
    const sent = this.#sent(imageId, options, mode);
    const key = `${this.#identity}\n${imageId}\n${JSON.stringify(sent)}`;
    const listener = (/** @type {Report} */ report) => this.#report(report, shownAs, options.onProgress);
    /** @param {AbortSignal} signal @param {(report: Report) => void} onProgress */
    const start = async (signal, onProgress) => {
      const started = performance.now();
      const job = { payload: { imageId, options: sent }, signal, onProgress, priority, requestType, timeout };
      this.#underWay.set(key, job);
      try {
        const loaded = await this.host.ask(imageId, job);
        loaded.timing.totalMilliseconds = performance.now() - started;
        this.host.describe(imageId, loaded.modules);
        return loaded;
      } finally {
        this.#underWay.delete(key);
      }
    };
    this.#hurry(this.#underWay.get(key), { priority, requestType });
    return this.#flights.join(key, start, { signal, listener, what: `loading '${imageId}'` });
  }

  /** Somebody wants with more urgency what is under way. @param {Job | undefined} job @param {import('../scheduler/queue.js').Urgency} urgency */
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
    tellPage(onProgress, detail);
  }
}

/** The signal of a load, or what is wrong with its options. @param {Options} options @returns {{signal?: AbortSignal, wrong?: PyLoaderError}} */
function signalOf(options) {
  try {
    checkOptions(options);
    return { signal: options?.signal };
  } catch (wrong) {
    return { wrong: /** @type {PyLoaderError} */ (wrong) };
  }
}

/** @param {JsLoader} loader @param {string} imageId @param {Options} options @param {AbortSignal} signal */
async function runJsLoader(loader, imageId, options, signal) {
  const { promise, cancelFn } = loader(imageId, options) ?? {};
  if (typeof promise?.then !== 'function')
    throw wrongLoader(`the JavaScript loader of '${imageId}' has to return { promise }, not ${said(promise)} in it`);
  return untilAborted(promise, signal, `loading '${imageId}'`, cancelFn);
}

/** @typedef {Omit<Options, 'onProgress'> & {onProgress?: unknown}} AllOptions of a load or of a list */

/**
 * Take those of the page's options that a Python loader can see: plain values.
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
    return {}; // cycles, or BigInt: a viewer's own objects, nothing for a loader
  }
}
