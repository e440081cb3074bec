// @ts-check
// Python on this page: what init() was told, its start and its end, and the calls that its workers get.
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
 *   number, requestType?: string, timeout?: number}} Options of a call
 */
/** @template {JobName} Name @typedef {import('../shared/messages.d.ts').JobPayload<Name>} JobPayload */
/**
 * The client, as far as the engine needs it.
 * @typedef {object} EngineHost
 * @property {typeof createPlace} [createPlace] where an interpreter runs; tests have places of their own
 * @property {(type: string, detail: unknown) => void} fire
 * @property {(next: Settings, before: Settings) => void} onSettings
 * @property {(scheduler: Scheduler) => void} onStart
 * @property {() => void} onRenewed there is a new `ready`
 * @property {() => unknown} stats
 * @property {(request: PageCalls['authorize']['payload'], scheduler: Scheduler) => Promise<boolean>} authorize
 * @property {(of: PageCalls['describe']['payload'], context: {signal: AbortSignal}) =>
 *   Promise<PageCalls['describe']['result']>} describe
 * @property {(output: import('./python_files.js').Output) => void} print
 * @property {(scheme: string) => string | undefined} fileOf the Python file that serves a scheme
 * @property {() => Promise<void> | undefined} settle waits for what else is asked for at once
 */

export class Engine {
  /** Settles with the start; a new try after a failure has a new one. @type {Promise<void>} */
  ready = Promise.resolve();
  /** @type {() => void} */
  #resolveReady = () => {};
  /** @type {(error: unknown) => void} */
  #rejectReady = () => {};
  /** Counts what has identified the user so far. */
  #identities = 0;
  /** The error for which init() did not take what it was told, until it is told something better. @type {PyLoaderError | null} */
  #refusal = null;
  #hasFailed = false;
  #isStarting = false;
  /** @type {Promise<void> | null} */
  #booted = null;
  /** The caller of init(), for messages. */
  #starter = '';
  /** @type {Scheduler | null} */
  scheduler = null;
  /** Sentences on what is wrong with how the page is served. @type {string[]} */
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
   * Start Python, or have it go on with what is new; what is not told stays as it is.
   * @param {Partial<Settings>} [options] @returns {Promise<void>}
   */
  configure(options) {
    try {
      const before = this.settings;
      const next = settingsWith(before, options, this.defaults);
      if (this.#booted) refuseFixed(before, next, this.#starter);
      tellUnknown('init', options);
      this.#refusal = null;
      const heard = this.#adopt(next);
      if (!this.#booted) return this.start('the page');
      return next === before ? this.#booted : Promise.all([this.#booted, heard]).then(() => {});
    } catch (error) {
      return this.#booted ? Promise.reject(error) : this.#refuse(/** @type {PyLoaderError} */ (error));
    }
  }

  /** @param {Settings} next @returns {Promise<unknown> | undefined} settles when the workers have heard of it */
  #adopt(next) {
    const before = this.settings;
    if (next === before) return undefined;
    this.settings = next;
    const hasOtherHeaders = JSON.stringify(next.headers) !== JSON.stringify(before.headers);
    if (isOtherIdentity(before, next)) this.#identities++;
    this.host.onSettings(next, before);
    return this.scheduler?.configure(schedulerSettings(next, this.#identities), hasOtherHeaders);
  }

  /** Have all that waits for init() fail as it did. @param {PyLoaderError} error @returns {Promise<never>} */
  #refuse(error) {
    if (this.#hasFailed) this.#renewReady();
    [this.#refusal, this.#hasFailed] = [error, true];
    this.#rejectReady(error);
    return Promise.reject(error);
  }

  /** Start Python unless that was done. @param {string} caller as it is named in a message @returns {Promise<void>} */
  start(caller) {
    if (this.#refusal) return Promise.reject(this.#refusal);
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
        // The hook may have changed the request itself.
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
    if (this.settings.workers !== 0) this.#lookAtPolicies(scheduler);
  }

  /**
   * The next load may try again: a missing file may be there by then.
   * @param {Scheduler} scheduler @param {PyLoaderError} error @returns {never}
   */
  #onFailure(scheduler, error) {
    if (this.scheduler === scheduler) {
      [this.scheduler, this.#booted, this.#hasFailed] = [null, null, true];
      // Packages are not asked for again.
      if (error.code === 'package') this.settings = { ...this.settings, packages: [] };
      this.#rejectReady(error);
    }
    scheduler.end(error);
    throw error;
  }

  /** @param {Scheduler} scheduler */
  async #lookAtPolicies(scheduler) {
    const ask = (/** @type {WorkerCalls['policies']['payload']} */ payload) => scheduler.direct('policies', payload);
    const found = await policyWarnings(this.settings, ask).catch(() => []); // the page has ended it
    if (this.scheduler === scheduler) this.warnings = found;
  }

  /** End the workers; the next load or init starts anew, with the defaults. */
  end() {
    this.scheduler?.end(abortError('pyloader: the load'));
    [this.scheduler, this.#booted, this.#refusal, this.settings, this.warnings] = [null, null, null, this.defaults, []];
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
   * Have the worker of a source answer, in its turn.
   * @template {JobName} Name
   * @param {string} caller what the page calls @param {Name} name @param {JobPayload<Name>} payload
   * @param {string} imageId @param {Options} options
   * @param {() => Promise<unknown>} [prepare] what has to be there first
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
   * Have any worker answer, at once.
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
   * Have all workers answer, also those to come.
   * @template {keyof WorkerCalls} Name
   * @param {string} caller @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   * @param {string} key of the last such call, which it takes the place of
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
