// @ts-check
// Which worker: by source, so that a file is fetched and parsed once. Jobs wait here until a worker
// has room, in order of request type, priority and age, so that a cancelled one never started.
// Frames that take long to decode are lent to workers that have nothing else to do.
import { Company } from './batching.js';
import { Crew } from './workers.js';
import { PyLoaderError, abortError } from '../shared/errors.js';
import { addressOf, parseImageId } from '../shared/imageid.js';
import { Queue, isMoreUrgent, urgencyOf } from './queue.js';
import { NotLent, Route } from './affinity.js';
import { WorkerDeath } from './worker_handle.js';
import { Watch } from '../shared/idle_timeout.js';

/** @typedef {import('./worker_handle.js').Slot} Slot */
/** @typedef {{name: string, payload: any, source: string, requestType?: string, priority?: number, signal?: AbortSignal, onProgress?: (detail: any) => void, timeout?: number}} JobRequest */
/** @typedef {JobRequest & {resolve: (value: any) => void, reject: (error: any) => void, watch?: Watch, frameIndex?: number, staysHome?: boolean, goesAlone?: boolean, together?: number, isSuspect?: boolean}} Job `together`: with how many it travels; `isSuspect`: its worker died, of it or of another load */
/** @typedef {import('./workers.js').CrewSettings & {loadsPerWorker: number, timeout: number}} PoolSettings */
/** @typedef {import('./worker_handle.js').SlotHost & {loaderOf?: (scheme: string) => string | undefined, settle?: () => Promise<void> | undefined}} PoolHost `settle` waits for what else is asked for at once */

const REMEMBERED_SOURCES = 10_000;
// Of a source whose frames are lent, or travel together: a home with more of them to do would be late in
// handing the others over, and a helper has the next ones at hand.
const LOADS_AT_HOME = 2;
const LOADS_OF_HELPER = 4;

export class Pool {
  /** @type {Queue<Job>} */
  #queue = new Queue();
  /** The jobs by their payloads. @type {WeakMap<object, Job>} */
  #jobs = new WeakMap();
  /** @type {Map<string, Route>} */
  #routes = new Map();
  #isScheduled = false;
  #pauses = 0;
  #pausedSince = 0;
  #paused = 0;

  /** @param {PoolSettings} settings @param {PoolHost} host */
  constructor(settings, host) {
    this.settings = settings;
    this.host = host;
    this.crew = new Crew(settings, host, {
      onReady: () => this.#dispatch(),
      onGone: (slot) => this.#forget(slot),
      onNobody: (error) => this.#rejectAll(error),
    });
  }

  start() {
    return this.crew.start();
  }

  /**
   * Take other settings for what starts from now on.
   * @param {PoolSettings} settings @param {boolean} forgetsGranted see `Crew.configure`
   */
  configure(settings, forgetsGranted) {
    this.settings = settings;
    const heard = this.crew.configure(settings, forgetsGranted);
    this.#dispatch();
    return heard;
  }

  /**
   * Run a job on the worker of its source.
   * @param {JobRequest} request
   * @returns {Promise<any>}
   */
  run(request) {
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted) return reject(abortError('the load'));
      /** @type {Job} */
      const job = { ...request, resolve, reject };
      request.signal?.addEventListener('abort', () => this.#leaveQueue(job), { once: true });
      this.#jobs.set(job.payload, job);
      this.#queue.add(job);
      this.#schedule();
    });
  }

  /**
   * Bring a job forward that still waits here: somebody wants the same with more urgency.
   * @param {any} payload of the job @param {import('./queue.js').Urgency} urgency
   */
  hurry(payload, { requestType, priority }) {
    const job = this.#jobs.get(payload);
    if (!job || !isMoreUrgent({ requestType, priority }, job) || !this.#queue.remove(job)) return;
    this.#queue.add(Object.assign(job, { requestType, priority }));
  }

  /**
   * Call one worker now, past the queue: others may wait in theirs for what this brings.
   * @param {string} name @param {any} payload @param {{signal?: AbortSignal, onProgress?: (detail: any) => void}} [options]
   * @returns {Promise<any>}
   */
  async direct(name, payload, options) {
    const ask = async () => (await this.crew.leastBusy()).call(name, payload, options);
    return ask().catch((error) => (isOfOthers(error) ? ask() : Promise.reject(error)));
  }

  /**
   * Silence has its reason until a promise settles: the user is being asked, or metadata are fetched.
   * @template Value @param {Promise<Value>} promise @returns {Promise<Value>} the same
   */
  async pauseFor(promise) {
    if (!this.#pauses++) this.#pausedSince = performance.now();
    try {
      return await promise;
    } finally {
      if (!--this.#pauses) this.#paused += performance.now() - this.#pausedSince;
    }
  }

  /** How long silence had its reason so far, in ms. */
  #pausedTime() {
    return this.#paused + (this.#pauses ? performance.now() - this.#pausedSince : 0);
  }

  /** Let go of a source: the workers that hold its parsed file drop it. @param {string} source */
  release(source) {
    this.#routes.get(source)?.release(source);
    this.#routes.delete(source);
  }

  /** Let go of all sources. */
  purge() {
    for (const route of this.#routes.values()) route.forget();
    return this.crew.tell('purge');
  }

  /** @param {Error} error */
  end(error) {
    this.crew.end(error);
    this.#rejectAll(error);
  }

  stats() {
    return {
      workers: this.crew.slots.map(({ state, running, bootMilliseconds, bootReport }) => ({ state, running: running.size, bootMilliseconds, boot: bootReport })),
      queued: this.#queue.length,
      deaths: this.crew.deaths,
    };
  }

  // ------------------------------------------------------------------ which job goes where

  /** @param {Job} job */
  #leaveQueue(job) {
    if (this.#queue.remove(job)) job.reject(abortError('the load'));
  }

  /** @param {Error} error */
  #rejectAll(error) {
    for (const job of this.#queue.clear()) job.reject(error);
  }

  /** @param {Slot} slot */
  #forget(slot) {
    for (const [source, { home }] of this.#routes) if (home === slot) this.#routes.delete(source);
  }

  /** Dispatch when all that is asked for at once is here, so that each job knows what comes next. */
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const dispatch = () => {
      this.#isScheduled = false;
      this.#dispatch();
    };
    queueMicrotask(() => {
      const asking = this.host.settle?.();
      if (asking) asking.then(dispatch);
      else dispatch();
    });
  }

  #dispatch() {
    for (const job of this.#queue) {
      if (!this.crew.slots.some((slot) => this.#hasRoom(slot))) break;
      const slot = job.isSuspect ? this.#chooseEmpty(job.source) : this.#choose(job.source);
      if (slot) this.#start(slot, job);
      // Else those that come behind it would keep all workers busy for ever.
      else if (job.isSuspect && !this.crew.isStarting) break;
    }
    this.#lend();
    if (this.crew.mayGrow && this.#wantsAnother()) this.crew.grow().catch(() => {});
  }

  /** Give what waits for its home to those who have no work of their own. */
  #lend() {
    if (this.crew.slots.length < 2) return;
    for (const job of this.#queue) {
      const helpers = this.crew.slots.filter((slot) => this.#hasRoom(slot, LOADS_OF_HELPER));
      if (!helpers.length) return;
      const home = this.#isShared(job) && this.#routes.get(job.source)?.home;
      const helper = home && leastBusy(helpers.filter((slot) => slot !== home));
      if (helper) this.#start(helper, job);
    }
  }

  /** Another worker helps those whose source is at home in none, or shared; it costs as much as many of them. */
  #wantsAnother() {
    let missing = this.crew.slots.length ? this.settings.loadsPerWorker : 1;
    for (const job of this.#queue) {
      if ((!this.#routes.has(job.source) || this.#isShared(job)) && --missing === 0) return true;
    }
    return false;
  }

  /** @param {string} source @returns {Slot | undefined} a worker that has room: the one that knows the source, else the least busy */
  #choose(source) {
    const known = this.#routes.get(source);
    if (!known) return leastBusy(this.crew.slots.filter((slot) => this.#hasRoom(slot)));
    // Loads of other sources do not count: while more of them come, this one would wait for ever.
    const isFull = (this.#isHelped(known) || known.companions) && runningOf(source, known.home) >= LOADS_AT_HOME;
    return !isFull && this.#hasRoom(known.home) ? known.home : undefined;
  }

  /** @param {string} source @returns {Slot | undefined} a worker that has nothing to do, in which a suspect takes none with it */
  #chooseEmpty(source) {
    const known = this.#routes.get(source);
    return (known ? [known.home] : this.crew.slots).find((slot) => this.#hasRoom(slot) && !slot.running.size);
  }

  /** @param {Slot} slot @param {number} [most] */
  #hasRoom({ state, isLeaving, isDoubtful, running }, most = Infinity) {
    if (state !== 'ready' || isLeaving || isDoubtful || running.size >= Math.min(most, this.settings.loadsPerWorker)) return false;
    return ![...running].some(({ isSuspect }) => isSuspect);
  }

  /** @param {Job} job */
  #isShared({ name, source, staysHome }) {
    return name === 'load' && !staysHome && Boolean(this.#routes.get(source)?.isShared);
  }

  /** Whether others decode some of its frames. @param {Route} route */
  #isHelped(route) {
    return route.isShared && this.crew.slots.length > 1;
  }

  /** The route of a source, now the one used last. @param {string} source @param {Slot} slot where it is at home when it has none */
  #routeOf(source, slot) {
    const route = this.#routes.get(source) ?? new Route(slot, source);
    this.#routes.delete(source);
    this.#routes.set(source, route);
    if (this.#routes.size > REMEMBERED_SOURCES) this.#routes.delete(this.#routes.keys().next().value ?? '');
    return route;
  }

  // ------------------------------------------------------------------ a job at work

  /** @param {Slot} slot @param {Job} job */
  async #start(slot, job) {
    this.#queue.remove(job);
    const route = this.#routeOf(job.source, slot);
    const upcoming = route.isAtHand ? [] : this.#queue.upcoming(job);
    const company = new Company(job, slot === route.home ? this.#companions(job, route) : []);
    slot.running.add(job);
    job.together = company.jobs.length;
    const watch = new Watch(job.timeout ?? this.settings.timeout, () => this.#onSilence(slot, job), () => this.#pausedTime(), () => this.#isSilent(slot, job));
    job.watch = watch;
    const onProgress = (/** @type {any} */ detail) => (watch.restart(), company.tell(detail));
    try {
      const left = company.arrive(await this.#ask(slot, company, route, upcoming, { signal: watch.join(company.signal), onProgress }));
      for (const other of left.reverse()) this.#queue.putBack(other);
    } catch (/** @type {any} */ error) {
      if (error instanceof NotLent) this.#queue.putBack(Object.assign(job, { staysHome: true }));
      else this.#fail(job, error, watch);
      for (const other of company.companions.reverse()) this.#sendOn(other, error, slot, watch);
    } finally {
      watch.stop();
      slot.running.delete(job);
      if (slot.state === 'ready' && !slot.running.size) this.crew.rest(slot);
      this.#dispatch();
    }
  }

  /** Take those out of the queue that may come along with a job. @param {Job} job @param {Route} route */
  #companions(job, route) {
    const mayCome = job.name === 'load' && !job.goesAlone && !this.#isHelped(route);
    const found = mayCome ? this.#queue.like(job, route.companions).filter(({ goesAlone }) => !goesAlone) : [];
    for (const each of found) this.#queue.remove(each);
    return found;
  }

  /** Who came along with a load that failed goes on alone, unless all is lost. @param {Job} job @param {any} error @param {Slot} slot @param {Watch} watch */
  #sendOn(job, error, slot, watch) {
    if (watch.silent || slot.state !== 'ready') this.#fail(job, error, watch);
    else if (!job.signal?.aborted) this.#queue.putBack(Object.assign(job, { goesAlone: true }));
  }

  /**
   * Who was lost with its worker, and may have nothing to do with that, is tried once more, alone: who
   * kills a worker then is to blame.
   * @param {Job} job @param {any} error @param {Watch} watch
   */
  #fail(job, error, watch) {
    if (watch.silent) job.reject(this.#timeoutError(job, watch));
    else if (job.isSuspect || !isOfOthers(error)) job.reject(aboutJob(error, job));
    else if (!job.signal?.aborted) this.#queue.putBack(Object.assign(job, { isSuspect: true, goesAlone: true, staysHome: true }));
  }

  /** @param {Slot} slot @param {Company} company @param {Route} route @param {number[]} upcoming @param {import('./affinity.js').CallOptions} options */
  async #ask(slot, { leader: job, companions }, route, upcoming, options) {
    const { rank, priority } = urgencyOf(job);
    const further = companions.length ? { companions: companions.map((each) => each.payload.imageId), hasHelpers: this.crew.slots.length > 1 } : {};
    const payload = { ...job.payload, ...further, urgency: [rank, priority], upcoming };
    if (slot !== route.home) return route.lend(slot, payload, options);
    const ahead = route.isKnown || job.name !== 'load' ? undefined : this.#addressOf(payload.imageId);
    route.isKnown = true;
    const answer = await slot.call(job.name, ahead ? { ...payload, ahead } : payload, options);
    if (job.name === 'load') route.learn(answer);
    return answer;
  }

  /** What the load of an imageId fetches first, unless a loader of the page decides that. @param {string} imageId */
  #addressOf(imageId) {
    return this.host.loaderOf?.(parseImageId(imageId).scheme) ? undefined : addressOf(imageId);
  }

  /** @param {Slot} slot @param {Job} job */
  #onSilence(slot, job) {
    if (slot.loads <= 1) this.#check(slot, job);
  }

  /**
   * Of several loads one may have killed the worker, and not the one that is silent first.
   * @param {Slot} slot @param {Job} job @returns {Promise<boolean> | undefined} whether the load itself is silent
   */
  #isSilent(slot, job) {
    return slot.loads > 1 ? this.#check(slot, job) : undefined;
  }

  /** @param {Slot} slot @param {Job} job @returns {Promise<boolean>} whether Python still answers */
  async #check(slot, job) {
    const isAlive = await slot.checkAlive(`no sign of life; ${this.#loaderOf(job)} may keep Python busy for ever with '${job.payload?.imageId}'`);
    this.#dispatch();
    return isAlive;
  }

  /** @param {Job} job */
  #loaderOf({ payload }) {
    const scheme = payload?.imageId ? parseImageId(payload.imageId).scheme : '';
    const file = this.host.loaderOf?.(scheme);
    return `the loader of scheme '${scheme}'${file ? ` in ${file}` : ''}`;
  }

  /** @param {Job} job @param {Watch} watch that waited for it */
  #timeoutError(job, { timeout }) {
    const { imageId } = job.payload ?? {};
    return new PyLoaderError({
      name: 'TimeoutError', code: 'timeout', stage: 'loader', imageId,
      message: `'${imageId}' gave no sign of life for ${timeout} ms; the server does not answer, or ${this.#loaderOf(job)} never returns. The option timeout sets the limit`,
    });
  }
}

/** @param {Slot[]} slots @returns {Slot | undefined} */
function leastBusy([first, ...others]) {
  return others.reduce((best, slot) => (slot.running.size < best.running.size ? slot : best), first);
}

/** @param {string} source @param {Slot} slot */
function runningOf(source, { running }) {
  let count = 0;
  for (const job of running) if (job.source === source) count++;
  return count;
}

/** Whether it is the death of a worker that had other calls too. @param {any} error */
function isOfOthers(error) {
  return error instanceof WorkerDeath && !error.isCertain;
}

/** The death of a worker is told with the image that was lost. @param {any} error @param {Job} job */
function aboutJob(error, job) {
  if (error.code !== 'worker') return error;
  return new PyLoaderError({ ...error, name: error.kind, message: error.message, imageId: job.payload?.imageId });
}
