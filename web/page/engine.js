// @ts-check
// Runs Python for one page: keeps the settings of init(), starts and ends the workers, and calls them.
import { Scheduler } from '../scheduler/scheduler.js';
import { createPlace } from '../scheduler/place.js';
import { PyLoaderError, abortError, said } from '../shared/errors.js';
import { parseImageId } from '../shared/imageid.js';
import { checkOptions } from './arguments.js';
import { tellUnknown } from './options.js';
import { policyWarnings } from './policy.js';
import { percent } from './progress.js';
import { isOtherIdentity, refuseFixed, schedulerSettings, settingsWith } from './settings.js';

/** @typedef {import('./settings.js').Settings} Settings */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/messages.d.ts').PageCalls} PageCalls */
/** @typedef {import('../shared/messages.d.ts').JobName} JobName */
/**
 * @typedef {{signal?: AbortSignal, onProgress?: (report: import('../shared/messages.d.ts').Report) => void, priority?:
 *   number, requestType?: string, timeout?: number}} Options options of a call
 */
/** @template {JobName} Name @typedef {import('../shared/messages.d.ts').JobPayload<Name>} JobPayload */
/**
 * The client, as far as the engine needs it.
 * @typedef {object} EngineHost
 * @property {typeof createPlace} [createPlace] makes the place that an interpreter runs in; tests replace it
 * @property {(type: string, detail: unknown) => void} fire
 * @property {(next: Settings, before: Settings) => void} onSettings
 * @property {(scheduler: Scheduler) => void} onStart
 * @property {() => void} onRenewed called when there is a new `ready`
 * @property {() => unknown} stats
 * @property {(request: PageCalls['authorize']['payload'], scheduler: Scheduler) => Promise<boolean>} authorize
 * @property {(of: PageCalls['describe']['payload'], context: {signal: AbortSignal}) =>
 *   Promise<PageCalls['describe']['result']>} describe
 * @property {(output: import('./python_files.js').Output) => void} print
 * @property {(scheme: string) => string | undefined} fileOf the Python file that serves a scheme
 * @property {() => Promise<void> | undefined} settle waits for the other loads of the same burst to start
 */

export class Engine {
  /** Promise that settles with the start; a new attempt after a failure has a new promise. @type {Promise<void>} */
  ready = Promise.resolve();
  /** @type {() => void} */
  #resolveReady = () => {};
  /** @type {(error: unknown) => void} */
  #rejectReady = () => {};
  /** Number of the user's current identity. */
  #identities = 0;
  /** Error of the last init(), whose options were invalid; null after valid ones. @type {PyLoaderError | null} */
  #invalid = null;
  #hasFailed = false;
  #isStarting = false;
  /** @type {Promise<void> | null} */
  #booted = null;
  /** Name of the caller that started Python, for messages. */
  #starter = '';
  /** @type {Scheduler | null} */
  scheduler = null;
  /** Problems in how the page is served, one sentence each. @type {string[]} */
  warnings = [];

  /** @param {Settings} defaults @param {EngineHost} host */
  constructor(defaults, host) {
    this.defaults = defaults;
    this.settings = defaults;
    this.host = host;
    this.#renewReady();
  }

  // ------------------------------------------------------------------ starting and ending

  /**
   * Start Python, or apply changed options to it; options that are not given keep their values.
   * @param {Partial<Settings>} [options] @returns {Promise<void>}
   */
  configure(options) {
    try {
      const before = this.settings;
      const next = settingsWith(before, options, this.defaults);
      if (this.#booted) refuseFixed(before, next, this.#starter);
      tellUnknown('init', options);
      this.#invalid = null;
      const applied = this.#adopt(next);
      if (!this.#booted) return this.start('the page');
      return next === before ? this.#booted : Promise.all([this.#booted, applied]).then(() => {});
    } catch (error) {
      return this.#booted ? Promise.reject(error) : this.#rejectOptions(/** @type {PyLoaderError} */ (error));
    }
  }

  /**
   * Apply new settings.
   * @param {Settings} next @returns {Promise<unknown> | undefined} settles when the workers have them
   */
  #adopt(next) {
    const before = this.settings;
    if (next === before) return undefined;
    this.settings = next;
    const hasOtherHeaders = JSON.stringify(next.headers) !== JSON.stringify(before.headers);
    if (isOtherIdentity(before, next)) this.#identities++;
    this.host.onSettings(next, before);
    return this.scheduler?.configure(schedulerSettings(next, this.#identities), hasOtherHeaders);
  }

  /**
   * Reject init(), `ready` and all loads with the error of invalid options.
   * @param {PyLoaderError} error @returns {Promise<never>}
   */
  #rejectOptions(error) {
    if (this.#hasFailed) this.#renewReady();
    [this.#invalid, this.#hasFailed] = [error, true];
    this.#rejectReady(error);
    return Promise.reject(error);
  }

  /** Start Python unless it was started. @param {string} caller its name for messages @returns {Promise<void>} */
  start(caller) {
    if (this.#invalid) return Promise.reject(this.#invalid);
    if (this.#booted) return this.#booted;
    if (this.#hasFailed) this.#renewReady();
    this.#starter = caller;
    this.#isStarting = true;
    const scheduler = this.#makeScheduler();
    this.scheduler = scheduler;
    this.host.onStart(scheduler);
    this.#booted = scheduler.start().then(
      () => this.#onReady(scheduler),
      (error) => this.#onFailure(scheduler, error),
    );
    return this.#booted;
  }

  #makeScheduler() {
    const { settings, host } = this;
    /** @type {Scheduler} */
    const scheduler = new Scheduler(schedulerSettings(settings, this.#identities), {
      createPlace: (onDeath) => (host.createPlace ?? createPlace)(settings, settings.workers !== 0, onDeath),
      handlers: {
        // The hook may return nothing after it changed the request in place.
        beforeRequest: async (request) => (await this.settings.beforeRequest?.(request)) ?? request,
        authorize: (request) => host.authorize(request, scheduler),
        describe: (of, context) => scheduler.pauseFor(host.describe(of, context)),
        print: (output) => host.print(output),
      },
      loaderOf: host.fileOf,
      settle: host.settle,
      // Workers that are added later start silently.
      onBootProgress: (detail) => this.#isStarting && host.fire('bootprogress', detail),
      onPackageProgress: (arrival) => {
        host.fire('packageprogress', { ...arrival, percentComplete: percent(arrival.loaded, arrival.total) });
      },
    });
    return scheduler;
  }

  /** @param {Scheduler} scheduler */
  #onReady(scheduler) {
    this.#isStarting = false;
    this.#resolveReady();
    this.host.fire('ready', this.host.stats());
    if (this.settings.workers !== 0) this.#checkPolicies(scheduler);
  }

  /**
   * Let the next load try again: a missing file may exist by then.
   * @param {Scheduler} scheduler @param {PyLoaderError} error @returns {never}
   */
  #onFailure(scheduler, error) {
    if (this.scheduler === scheduler) {
      [this.scheduler, this.#booted, this.#hasFailed] = [null, null, true];
      // The next attempt starts without the packages.
      if (error.code === 'package') this.settings = { ...this.settings, packages: [] };
      this.#rejectReady(error);
    }
    scheduler.end(error);
    throw error;
  }

  /** Find problems of the page's policies for `stats().warnings`. @param {Scheduler} scheduler */
  async #checkPolicies(scheduler) {
    const ask = (/** @type {WorkerCalls['policies']['payload']} */ payload) => scheduler.direct('policies', payload);
    const found = await policyWarnings(this.settings, ask).catch(() => []); // fails if the page has ended the workers
    if (this.scheduler === scheduler) this.warnings = found;
  }

  /** End the workers and reset the settings; the next load or init starts Python again. */
  end() {
    this.scheduler?.end(abortError('pyloader: the load'));
    [this.scheduler, this.#booted, this.#invalid, this.settings, this.warnings] = [null, null, null, this.defaults, []];
    this.#renewReady();
  }

  #renewReady() {
    this.#hasFailed = false;
    this.ready = new Promise((resolve, reject) => {
      [this.#resolveReady, this.#rejectReady] = [resolve, reject];
    });
    this.ready.catch(() => {}); // each load rejects with the same error
    this.host.onRenewed();
  }

  // ------------------------------------------------------------------ calls

  /**
   * Run a job through the queue, on the worker of its source.
   * @template {JobName} Name
   * @param {string} caller the name of the page's call @param {Name} name @param {JobPayload<Name>} payload
   * @param {string} imageId @param {Options} options
   * @param {() => Promise<unknown>} [prepare] is awaited before the job is queued
   * @returns {Promise<WorkerCalls[Name]['result']>}
   */
  async run(caller, name, payload, imageId, options, prepare) {
    const { source } = parseImageId(imageId);
    checkOptions(options);
    await this.start(`${caller}(${said(imageId)})`);
    await prepare?.();
    if (!this.scheduler) throw abortError('pyloader: the load');
    const { signal, onProgress, priority, requestType, timeout } = options;
    return this.scheduler.run({ name, payload, source, signal, onProgress, priority, requestType, timeout });
  }

  /**
   * Call any worker, without the queue.
   * @template {'search' | 'series'} Name
   * @param {string} caller @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<WorkerCalls[Name]['result']>}
   */
  async direct(caller, name, payload, options) {
    checkOptions(options);
    return (await this.#started(caller, name)).direct(name, payload, options);
  }

  /**
   * Call all workers, including those that start later.
   * @template {keyof WorkerCalls} Name
   * @param {string} caller @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   * @param {string} key a later call with the same key replaces this one for workers that start later
   * @returns {Promise<WorkerCalls[Name]['result']>}
   */
  async broadcast(caller, name, payload, key) {
    return (await this.#started(caller, name)).workers.broadcast(name, payload, key);
  }

  /** @param {string} caller @param {string} name @returns {Promise<Scheduler>} */
  async #started(caller, name) {
    await this.start(caller);
    if (!this.scheduler) throw abortError(name);
    return this.scheduler;
  }
}
