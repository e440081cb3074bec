// @ts-check
// Chooses the worker of each job: by source, so that a file is fetched and parsed once. Jobs wait here until a
// worker has room, in order of request type, priority and age; a job cancelled meanwhile never starts.
// batching.js puts several loads into one call; offload.js lets other workers decode frames.
import { PyLoaderError, abortError, isAbort } from '../shared/errors.js';
import { IdleTimeout } from '../shared/idle_timeout.js';
import { addressOf, parseImageId } from '../shared/imageid.js';
import { Affinities } from './affinity.js';
import { Batch } from './batching.js';
import { Growth } from './growth.js';
import { NotOffloaded } from './offload.js';
import { Queue, isMoreUrgent, orderOf } from './queue.js';
import { Workers } from './workers.js';
import { WorkerDeath } from './worker_handle.js';

/** @typedef {import('./affinity.js').Affinity} Affinity */
/** @typedef {import('./offload.js').CallOptions} CallOptions */
/** @typedef {import('./worker_handle.js').WorkerHandle} WorkerHandle */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/messages.d.ts').Report} Report */
/** @typedef {import('../shared/messages.d.ts').JobName} JobName */
/** @typedef {import('../shared/messages.d.ts').JobResult} JobResult */
/**
 * @typedef {import('../shared/messages.d.ts').JobPayload & import('../shared/messages.d.ts').HomeTurn} Payload of a
 *   call
 */
/** @typedef {WorkerCalls['load']['payload']} LoadPayload */
/**
 * @template {JobName} [Name=JobName]
 * @typedef {{name: Name, payload: import('../shared/messages.d.ts').JobPayload<Name>, source: string, requestType?:
 *   string, priority?: number, signal?: AbortSignal, onProgress?: (detail: import('../shared/messages.d.ts').Report) =>
 *   void, timeout?: number}} JobRequest
 */
/**
 * The ways in which a job may be done, each narrower than those before: in any way; only by its source's worker,
 * after that did not lend the frame; in a call of its own, after its batch failed; in a worker that has
 * nothing else to do, after a worker died of it or of another load.
 * @typedef {'any' | 'home' | 'alone' | 'suspect'} Handling
 */
/**
 * @typedef {JobRequest & {resolve: (value: JobResult | undefined) => void, reject: (error: unknown) => void, handling:
 *   Handling, burst: number, since: number, idle?: IdleTimeout, frameIndex?: number, batchSize?: number}} Job
 */
/** @typedef {import('./workers.js').WorkersSettings & {loadsPerWorker: number, timeout: number}} SchedulerSettings */
/**
 * @typedef {import('./worker_handle.js').WorkerHandleHost & {loaderOf?: (scheme: string) => string | undefined,
 *   settle?:
 *   () => Promise<void> | undefined}} SchedulerHost `settle` waits for the other loads of the same burst to start
 */

// Limits for a source whose frames are offloaded or batched. A home with more loads would be late in passing the
// others on; a helper has the next frames waiting.
const LOADS_AT_HOME = 2;
const LOADS_OF_HELPER = 4;

export class Scheduler {
  /** @type {Queue<Job>} */
  #queue = new Queue();
  /** Jobs by payload. @type {WeakMap<object, Job>} */
  #jobs = new WeakMap();
  #affinities = new Affinities();
  #growth = new Growth();
  #isScheduled = false;
  #burst = 0;
  #pauses = new Pauses();

  /** @param {SchedulerSettings} settings @param {SchedulerHost} host */
  constructor(settings, host) {
    this.settings = settings;
    this.host = host;
    this.workers = new Workers(settings, host, {
      onReady: () => this.#dispatch(),
      onLeave: (worker) => this.#affinities.forgetWorker(worker),
      onNoWorkers: (error) => this.#rejectAll(error),
    });
  }

  start() {
    return this.workers.start();
  }

  /**
   * Apply other settings to all that starts from now on.
   * @param {SchedulerSettings} settings @param {boolean} forgetsGranted see `Workers.configure`
   */
  configure(settings, forgetsGranted) {
    this.settings = settings;
    const applied = this.workers.configure(settings, forgetsGranted);
    this.#dispatch();
    return applied;
  }

  /**
   * Run a job on the worker of its source.
   * @template {JobName} Name
   * @param {JobRequest<Name>} request
   * @returns {Promise<WorkerCalls[Name]['result']>}
   */
  run(request) {
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted) return reject(abortError('the load'));
      /** @type {Job} */
      const job = {
        ...request,
        resolve: /** @type {Job['resolve']} */ (resolve),
        reject,
        handling: 'any',
        burst: this.#burst,
        since: performance.now(),
      };
      request.signal?.addEventListener('abort', () => this.#leaveQueue(job), { once: true });
      this.#jobs.set(job.payload, job);
      this.#queue.add(job);
      this.#schedule();
    });
  }

  /**
   * Move a waiting job forward: the same was requested with more urgency.
   * @param {import('../shared/messages.d.ts').JobPayload} payload of the job
   * @param {import('./queue.js').Urgency} urgency
   */
  hurry(payload, { requestType, priority }) {
    const job = this.#jobs.get(payload);
    const urgency = { requestType, priority, burst: this.#burst };
    if (!job || !isMoreUrgent(urgency, job) || !this.#queue.remove(job)) return;
    this.#queue.add(Object.assign(job, urgency));
  }

  /**
   * Call one worker at once, past the queue: waiting jobs may need the result.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   * @param {import('./worker_handle.js').CallOptions<Name>} [options]
   * @returns {Promise<WorkerCalls[Name]['result']>}
   */
  async direct(name, payload, options) {
    const attempt = async () => (await this.workers.leastBusy()).call(name, payload, options);
    return attempt().catch((error) => (mayBlameOthers(error) ? attempt() : Promise.reject(error)));
  }

  /**
   * Pause idle timeouts until a promise settles (a sign-in prompt, a metadata fetch).
   * @template Value @param {Promise<Value>} promise @returns {Promise<Value>} the same
   */
  pauseFor(promise) {
    return this.#pauses.during(promise);
  }

  /** Release a source: the workers drop its parsed file. @param {string} source */
  release(source) {
    this.#affinities.release(source);
  }

  /** Release all sources. */
  async purge() {
    this.#affinities.forgetAll();
    await this.workers.tell('purge', undefined).catch((error) => {
      if (!isAbort(error) && error.code !== 'worker') throw error; // a worker that has ended keeps nothing
    });
  }

  /** @param {Error} error */
  end(error) {
    this.#growth.end();
    this.workers.end(error);
    this.#rejectAll(error);
  }

  stats() {
    return {
      workers: this.workers.all.map((worker) => worker.stats()),
      queued: this.#queue.length,
      deaths: this.workers.deaths,
    };
  }

  // ------------------------------------------------------------------ the choice of a worker

  /** @param {Job} job */
  #leaveQueue(job) {
    if (this.#queue.remove(job)) job.reject(abortError('the load'));
  }

  /** @param {Error} error */
  #rejectAll(error) {
    for (const job of this.#queue.clear()) job.reject(error);
  }

  /** Dispatch once all jobs of a burst are queued, so that each job knows the frames that follow. */
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const dispatch = () => {
      this.#isScheduled = false;
      this.#burst++;
      this.#dispatch();
    };
    queueMicrotask(() => {
      const settled = this.host.settle?.();
      if (settled) settled.then(dispatch);
      else dispatch();
    });
  }

  #dispatch() {
    for (const job of this.#queue) {
      if (!this.workers.all.some((worker) => this.#hasRoom(worker))) break;
      const isSuspect = job.handling === 'suspect';
      const worker = isSuspect ? this.#chooseEmpty(job.source) : this.#choose(job.source);
      if (worker) this.#start(worker, job);
      // Stop at a suspect without an empty worker: jobs behind it could keep all workers busy for ever.
      else if (isSuspect && !this.workers.isStarting) break;
    }
    this.#offload();
    if (this.workers.mayGrow && this.#wantsAnother()) this.workers.grow().catch(() => {});
  }

  /** Start jobs that wait for their home on helpers that have room. */
  #offload() {
    if (!this.#hasHelpers) return;
    for (const job of this.#queue) {
      const helpers = this.workers.all.filter((worker) => this.#hasRoom(worker, LOADS_OF_HELPER));
      if (!helpers.length) return;
      const home = this.#mayOffload(job) && this.#affinities.get(job.source)?.home;
      const helper = home && leastBusy(helpers.filter((worker) => worker !== home));
      if (helper) this.#start(helper, job);
    }
  }

  /** Return true if the jobs that wait are worth the start of another worker. */
  #wantsAnother() {
    const { all, startMilliseconds, grown } = this.workers;
    const limit = this.#growth.limitOf(startMilliseconds);
    const { cost, since } = this.#waitingUpTo(limit * all.length);
    // None waited for another worker while one started.
    const waiting = { cost: cost / all.length, since: Math.max(since, grown) };
    return this.#growth.isWorthwhile(waiting, limit, () => this.#dispatch());
  }

  /**
   * Sum up the jobs that another worker could do, up to a cost: those of sources without a home, and those that can be
   * offloaded.
   * @param {number} most @returns {import('./growth.js').Waiting}
   */
  #waitingUpTo(most) {
    let [cost, since] = [0, Infinity];
    for (const job of this.#queue) {
      const known = this.#affinities.get(job.source);
      if (known && !this.#mayOffload(job)) continue;
      cost += known?.offload.cost ?? this.#growth.cost;
      since = Math.min(since, job.since);
      if (cost > most) break;
    }
    return { cost, since };
  }

  /**
   * Choose a worker that has room: the home of the source, or the least busy one for a new source.
   * @param {string} source @returns {WorkerHandle | undefined}
   */
  #choose(source) {
    const known = this.#affinities.get(source);
    if (!known) return leastBusy(this.workers.all.filter((worker) => this.#hasRoom(worker)));
    // Loads of other sources do not count: a steady stream of them would keep this one waiting for ever.
    const isShared = this.#isOffloaded(known) || known.batching.most > 0;
    const isFull = isShared && runningOf(source, known.home) >= LOADS_AT_HOME;
    return !isFull && this.#hasRoom(known.home) ? known.home : undefined;
  }

  /**
   * Choose a worker without jobs, so that a suspect job that kills it takes no other job with it.
   * @param {string} source @returns {WorkerHandle | undefined}
   */
  #chooseEmpty(source) {
    const known = this.#affinities.get(source);
    return (known ? [known.home] : this.workers.all).find((worker) => this.#hasRoom(worker) && !worker.running.size);
  }

  /** @param {WorkerHandle} worker @param {number} [most] */
  #hasRoom({ state, running }, most = Infinity) {
    if (state !== 'ready' || running.size >= Math.min(most, this.settings.loadsPerWorker)) return false;
    return ![...running].some(({ handling }) => handling === 'suspect');
  }

  get #hasHelpers() {
    return this.workers.all.length > 1;
  }

  /** @param {Job} job */
  #mayOffload({ name, source, handling }) {
    return name === 'load' && handling === 'any' && Boolean(this.#affinities.get(source)?.offload.isWorthwhile);
  }

  /** Return true if other workers decode some frames of a source. @param {Affinity} affinity */
  #isOffloaded(affinity) {
    return affinity.offload.isWorthwhile && this.#hasHelpers;
  }

  // ------------------------------------------------------------------ running a job

  /** @param {WorkerHandle} worker @param {Job} job */
  async #start(worker, job) {
    this.#queue.remove(job);
    const affinity = this.#affinities.use(job.source, worker);
    const upcoming = affinity.batching.isReady ? [] : this.#queue.upcoming(job);
    const batch = new Batch(job, this.#mayBatch(job, worker, affinity) ? affinity.batching.take(this.#queue, job) : []);
    job.batchSize = batch.jobs.length;
    job.idle = this.#idleTimeoutOf(worker, job);
    worker.running.add(job);
    try {
      await this.#call(worker, batch, affinity, upcoming, job.idle);
    } catch (error) {
      this.#onFailure(worker, batch, error, job.idle);
    } finally {
      job.idle.stop();
      worker.running.delete(job);
      if (worker.isRunning && !worker.running.size) this.workers.rest(worker);
      this.#dispatch();
    }
  }

  /** @param {Job} job @param {WorkerHandle} worker @param {Affinity} affinity */
  #mayBatch({ name, handling }, worker, affinity) {
    const mayShareCall = handling === 'any' || handling === 'home';
    return name === 'load' && mayShareCall && worker === affinity.home && !this.#isOffloaded(affinity);
  }

  /** @param {WorkerHandle} worker @param {Job} job */
  #idleTimeoutOf(worker, job) {
    return new IdleTimeout(job.timeout ?? this.settings.timeout, {
      onSilence: () => this.#onSilence(worker, job),
      pausedTime: () => this.#pauses.time,
      ask: () => this.#isSilent(worker, job),
    });
  }

  /**
   * @param {WorkerHandle} worker @param {Batch} batch @param {Affinity} affinity @param {number[]} upcoming
   * @param {IdleTimeout} idle
   */
  async #call(worker, batch, affinity, upcoming, idle) {
    const onProgress = (/** @type {Report} */ detail) => {
      idle.restart();
      batch.tell(detail);
    };
    const options = { signal: idle.join(batch.signal), onProgress };
    const { leader } = batch;
    const { rank, priority } = orderOf(leader);
    /** @type {Payload} */
    const payload = { ...leader.payload, ...batch.payload(this.#hasHelpers), urgency: [rank, priority], upcoming };
    const { home, offload } = affinity;
    const reply = await (worker === home
      ? this.#callHome(leader, affinity, payload, options)
      : offload.load(home, worker, /** @type {LoadPayload} */ (payload), options));
    for (const other of batch.settle(reply).reverse()) this.#queue.putBack(other);
  }

  /** @param {Job} job @param {Affinity} affinity @param {Payload} payload @param {CallOptions} options */
  async #callHome({ name }, affinity, payload, options) {
    const ahead = affinity.isOpened || name !== 'load' ? undefined : this.#addressOf(payload.imageId);
    affinity.isOpened = true;
    const sent = ahead ? { ...payload, ahead } : payload;
    const reply = await affinity.home.call(name, sent, options);
    if (name === 'load') this.#learn(affinity, /** @type {WorkerCalls['load']['result'] | undefined} */ (reply));
    return reply;
  }

  /** @param {Affinity} affinity @param {WorkerCalls['load']['result'] | undefined} reply to a load at home */
  #learn(affinity, reply) {
    affinity.learn(reply);
    if (reply?.timing) this.#growth.learn(reply.timing.decodeMilliseconds);
  }

  /**
   * Return the address that a load fetches first, unless a loader of the page decides that.
   * @param {string} imageId
   */
  #addressOf(imageId) {
    return this.host.loaderOf?.(parseImageId(imageId).scheme) ? undefined : addressOf(imageId);
  }

  // ------------------------------------------------------------------ failures

  /** @param {WorkerHandle} worker @param {Batch} batch @param {unknown} error @param {IdleTimeout} idle */
  #onFailure(worker, { leader, others }, error, idle) {
    if (error instanceof NotOffloaded) this.#putBack(leader, 'home');
    else this.#fail(leader, error, idle);
    for (const other of [...others].reverse()) this.#retryAlone(other, error, worker, idle);
  }

  /**
   * Retry a job alone after the leader of its batch failed, unless the whole call timed out or the worker died.
   * @param {Job} job @param {unknown} error @param {WorkerHandle} worker @param {IdleTimeout} idle
   */
  #retryAlone(job, error, worker, idle) {
    if (idle.silent || !worker.isRunning) this.#fail(job, error, idle);
    else if (!job.signal?.aborted) this.#putBack(job, 'alone');
  }

  /**
   * Retry a job that was lost with its worker and may not be the cause: once, alone in a worker.
   * If that worker dies too, the job is the cause.
   * @param {Job} job @param {unknown} error @param {IdleTimeout} idle
   */
  #fail(job, error, idle) {
    if (idle.silent) job.reject(this.#timeoutError(job, idle));
    else if (job.handling === 'suspect' || !mayBlameOthers(error)) job.reject(withImageId(error, job));
    else if (!job.signal?.aborted) this.#putBack(job, 'suspect');
  }

  /** @param {Job} job @param {Handling} handling */
  #putBack(job, handling) {
    this.#queue.putBack(Object.assign(job, { handling }));
  }

  /** @param {WorkerHandle} worker @param {Job} job */
  #onSilence(worker, job) {
    if (worker.loads <= 1) this.#check(worker, job);
  }

  /**
   * Check the worker before a load times out beside others: any of them may have stopped it.
   * @param {WorkerHandle} worker @param {Job} job
   * @returns {Promise<boolean> | undefined} resolves to true if only the load itself is silent
   */
  #isSilent(worker, job) {
    return worker.loads > 1 ? this.#check(worker, job) : undefined;
  }

  /**
   * @param {WorkerHandle} worker @param {Job} job @returns {Promise<boolean>} resolves to true if Python still answers
   */
  async #check(worker, job) {
    const isAlive = await worker.checkAlive(
      `no sign of life; ${this.#loaderOf(job)} may keep Python busy for ever with '${job.payload?.imageId}'`,
    );
    this.#dispatch();
    return isAlive;
  }

  /** @param {Job} job */
  #loaderOf({ payload }) {
    const scheme = payload?.imageId ? parseImageId(payload.imageId).scheme : '';
    const file = this.host.loaderOf?.(scheme);
    return `the loader of scheme '${scheme}'${file ? ` in ${file}` : ''}`;
  }

  /** @param {Job} job @param {IdleTimeout} idle the timeout that expired */
  #timeoutError(job, { timeout }) {
    const { imageId } = job.payload ?? {};
    return new PyLoaderError({
      name: 'TimeoutError',
      code: 'timeout',
      stage: 'loader',
      imageId,
      message:
        `'${imageId}' gave no sign of life for ${timeout} ms; the server does not answer, ` +
        `or ${this.#loaderOf(job)} never returns. The option timeout sets the limit`,
    });
  }
}

/** Measures the time during which idle timeouts are paused. */
class Pauses {
  #count = 0;
  #since = 0;
  #past = 0;

  /** @template Value @param {Promise<Value>} promise @returns {Promise<Value>} the same */
  async during(promise) {
    if (!this.#count++) this.#since = performance.now();
    try {
      return await promise;
    } finally {
      if (!--this.#count) this.#past += performance.now() - this.#since;
    }
  }

  /** Total length of the pauses so far, in milliseconds. */
  get time() {
    return this.#past + (this.#count ? performance.now() - this.#since : 0);
  }
}

/** @param {WorkerHandle[]} workers @returns {WorkerHandle | undefined} */
function leastBusy([first, ...others]) {
  return others.reduce((best, worker) => (worker.running.size < best.running.size ? worker : best), first);
}

/** @param {string} source @param {WorkerHandle} worker */
function runningOf(source, { running }) {
  let count = 0;
  for (const job of running) if (job.source === source) count++;
  return count;
}

/** Return true for the death of a worker that had other calls too. @param {unknown} error */
function mayBlameOthers(error) {
  return error instanceof WorkerDeath && !error.isCertain;
}

/**
 * Return the error with the job's imageId if a worker died, else the error itself.
 * @param {unknown} cause @param {Job} job
 */
function withImageId(cause, job) {
  const error = /** @type {PyLoaderError} */ (cause);
  if (error.code !== 'worker') return cause;
  return new PyLoaderError({ ...error, name: error.kind, message: error.message, imageId: job.payload?.imageId });
}
