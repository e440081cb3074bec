// @ts-check
// Which worker: by source, so that a file is fetched and parsed once. Jobs wait here until a worker
// has room, in order of request type, priority and age, so that a cancelled one never started.
import { PyLoaderError, abortError } from './errors.js';
import { parseImageId } from './imageid.js';
import { Rpc } from './rpc.js';
import { Watch } from './watch.js';

/** @typedef {import('./rpc.js').Endpoint & {terminate(): void}} Place where an interpreter runs */
/** @typedef {{name: string, payload: any, source: string, requestType?: string, priority?: number, signal?: AbortSignal, onProgress?: (detail: any) => void, timeout?: number}} JobRequest */
/** @typedef {JobRequest & {resolve: (value: any) => void, reject: (error: any) => void, watch?: Watch}} Job */
/** @typedef {{workers: number | 'auto', loadsPerWorker: number, requestsPerOrigin: number, timeout: number, boot: any}} PoolSettings */
/** @typedef {{createPlace: (onDeath: (words: string) => void) => Promise<Place>, handlers: import('./rpc.js').Handlers, onBootProgress: (detail: any) => void, onPackageProgress?: (detail: any) => void, loaderOf?: (scheme: string) => string | undefined}} PoolHost */

const REQUEST_TYPES = ['interaction', 'thumbnail', 'prefetch', 'compute'];
const SIGN_OF_LIFE_MS = 10_000;
const REMEMBERED_SOURCES = 10_000;
const MOST_UPCOMING = 256;

/** One interpreter: its place, the calls it answers, the jobs it has. */
class Slot {
  /** @type {Set<Job>} */
  running = new Set();
  state = 'booting';
  bootMilliseconds = 0;
  /** @type {Place | null} */
  place = null;
  /** @type {Rpc | null} */
  rpc = null;
  /** @type {Promise<void> | undefined} */
  booted;

  /** @param {PoolHost} host @param {(error: PyLoaderError) => void} onDeath */
  constructor(host, onDeath) {
    this.host = host;
    this.onDeath = onDeath;
  }

  /** @param {any} options @param {Map<string, [string, any]>} replay read when Python is there, since it grows meanwhile */
  async boot(options, replay) {
    const started = performance.now();
    this.place = await this.host.createPlace((words) => this.checkAlive(words));
    const died = (/** @type {string} */ words) => this.die(words);
    const packageprogress = (/** @type {any} */ arrival) => {
      for (const job of this.running) job.watch?.restart(); // any of them may wait for the package
      this.host.onPackageProgress?.(arrival);
    };
    this.rpc = new Rpc(this.place, { ...this.host.handlers, died, packageprogress });
    await Promise.race([this.rpc.call('boot', options, { onProgress: this.host.onBootProgress }), this.failedToStart]);
    for (const [name, payload] of replay.values()) await this.rpc.call(name, payload);
    this.bootMilliseconds = performance.now() - started;
    this.state = 'ready';
  }

  failedToStart = new Promise((_, reject) => {
    this.rejectStart = reject;
  });

  /**
   * An uncaught error was seen, or a load was silent for too long: does Python still answer?
   * @param {string} words
   */
  async checkAlive(words) {
    if (this.state === 'booting') return this.rejectStart?.(bootError(words));
    if (this.state !== 'ready') return;
    const alive = await withDeadline(this.rpc?.call('stats'), SIGN_OF_LIFE_MS);
    if (!alive) this.die(words);
  }

  /** @param {string} words */
  die(words) {
    if (this.state !== 'ready') return;
    const error = new PyLoaderError({
      name: 'WorkerError', code: 'worker', stage: 'worker',
      message: `the worker that ran Python has died (${words}); its loads are lost, a new one takes its place`,
    });
    this.end(error);
    this.onDeath(error);
  }

  /** @param {Error} error */
  end(error) {
    this.state = 'ended';
    // A worker ends for good; Python on the page cannot be ended, only left alone.
    this.place?.terminate();
    this.rpc?.close(error);
    this.failedToStart.catch(() => {});
    this.rejectStart?.(error);
  }
}

export class Pool {
  /** @type {Slot[]} */
  #slots = [];
  /** @type {Job[]} */
  #queue = [];
  /** @type {Map<string, Slot>} */
  #routes = new Map();
  /** @type {Map<string, [string, any]>} what every new worker has to hear, by key */
  #replay = new Map();
  #deaths = 0;
  #ended = false;
  #isScheduled = false;
  #pauses = 0;

  /** @param {PoolSettings} settings @param {PoolHost} host */
  constructor(settings, host) {
    this.settings = settings;
    this.host = host;
    this.limit = workerLimit(settings.workers);
  }

  /** Boot the first worker, and the others too when their number was given. */
  async start() {
    const count = this.settings.workers === 'auto' ? 1 : this.limit;
    await Promise.all(Array.from({ length: count }, () => this.#grow()));
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
      insert(this.#queue, job);
      this.#schedule();
    });
  }

  /**
   * Bring a job forward that still waits here: somebody wants the same with more urgency.
   * @param {any} payload of the job @param {{requestType?: string, priority?: number}} urgency
   */
  hurry(payload, { requestType, priority }) {
    const job = this.#queue.find((waiting) => waiting.payload === payload);
    if (!job || !isMoreUrgent({ requestType, priority }, job)) return;
    this.#queue.splice(this.#queue.indexOf(job), 1);
    insert(this.#queue, Object.assign(job, { requestType, priority }));
  }

  /**
   * Call one worker now, past the queue: others may wait in theirs for what this brings.
   * @param {string} name @param {any} payload @param {{signal?: AbortSignal, onProgress?: (detail: any) => void}} [options]
   * @returns {Promise<any>}
   */
  async direct(name, payload, options) {
    await this.#someReady();
    const [slot] = this.#ready().sort((a, b) => a.running.size - b.running.size);
    return slot.rpc?.call(name, payload, options);
  }

  /**
   * Silence has its reason until a promise settles: the user is being asked, or metadata are fetched.
   * @template Value @param {Promise<Value>} promise @returns {Promise<Value>} the same
   */
  async pauseFor(promise) {
    this.#pauses++;
    try {
      return await promise;
    } finally {
      this.#pauses--;
    }
  }

  /**
   * Call every worker, also those to come, which hear the latest call of each `key`.
   * @param {string} name @param {any} payload @param {string} key @returns {Promise<any>} the first answer
   */
  async broadcast(name, payload, key) {
    await this.#someReady();
    const asked = this.#ready();
    const answers = await Promise.all(asked.map((slot) => slot.rpc?.call(name, payload)));
    // At the end of the list, where a worker that replays it just now still meets it.
    this.#replay.delete(key);
    this.#replay.set(key, [name, payload]);
    const late = this.#ready().filter((slot) => !asked.includes(slot));
    await Promise.all(late.map((slot) => slot.rpc?.call(name, payload)));
    return answers[0];
  }

  async #someReady() {
    if (this.#ready().length) return;
    const boots = this.#slots.map((slot) => slot.booted);
    await (boots.length ? Promise.any(boots).catch(({ errors }) => Promise.reject(errors[0])) : this.#grow());
  }

  #ready() {
    return this.#slots.filter((slot) => slot.state === 'ready');
  }

  /** @param {string} key */
  forgetReplay(key) {
    this.#replay.delete(key);
  }

  /**
   * Call every worker that is there now, and those to come before their first job.
   * @param {string} name @param {any} payload @param {string} key
   */
  announce(name, payload, key) {
    this.#replay.set(key, [name, payload]);
    return this.tell(name, payload).catch(() => {}); // a worker that just died need not hear it
  }

  /** Call every worker that is there now. @param {string} name @param {any} [payload] */
  tell(name, payload) {
    return Promise.all(this.#ready().map((slot) => slot.rpc?.call(name, payload)));
  }

  /** Let go of a source: the worker that holds its parsed file drops it. @param {string} source */
  release(source) {
    this.#routes.get(source)?.rpc?.call('release', { source }).catch(() => {});
    this.#routes.delete(source);
  }

  /** @param {Error} error */
  end(error) {
    this.#ended = true;
    for (const slot of this.#slots) slot.end(error);
    for (const job of this.#queue.splice(0)) job.reject(error);
    this.#slots = [];
  }

  stats() {
    return {
      workers: this.#slots.map(({ state, running, bootMilliseconds }) => ({ state, running: running.size, bootMilliseconds })),
      queued: this.#queue.length,
      deaths: this.#deaths,
    };
  }

  async #grow() {
    const slot = new Slot(this.host, (error) => this.#onDeath(slot, error));
    this.#slots.push(slot);
    try {
      slot.booted = slot.boot(this.settings.boot, this.#replay);
      await slot.booted;
      this.#share();
      this.#dispatch();
    } catch (error) {
      slot.end(/** @type {Error} */ (error));
      this.#remove(slot);
      // Others may be at work; the jobs fail only when nobody is left to do them.
      if (!this.#slots.length) for (const job of this.#queue.splice(0)) job.reject(error);
      throw error;
    }
  }

  /** @param {Slot} slot @param {PyLoaderError} error */
  #onDeath(slot, error) {
    this.#deaths++;
    this.#remove(slot);
    for (const job of slot.running) job.reject(aboutJob(error, job));
    if (!this.#ended) this.#grow().catch(() => {});
  }

  /** Each worker may have its part of the requests to one origin. */
  #share() {
    const ready = this.#ready();
    const requestsPerOrigin = Math.max(1, Math.floor(this.settings.requestsPerOrigin / ready.length));
    for (const slot of ready) slot.rpc?.call('share', { requestsPerOrigin }).catch(() => {});
  }

  /** @param {Slot} slot */
  #remove(slot) {
    this.#slots = this.#slots.filter((other) => other !== slot);
    this.#share();
    for (const [source, owner] of this.#routes) if (owner === slot) this.#routes.delete(source);
  }

  /** @param {Job} job */
  #leaveQueue(job) {
    const index = this.#queue.indexOf(job);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    job.reject(abortError('the load'));
  }

  /** Dispatch when all that is asked for at once is here, so that each job knows what comes next. */
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  #dispatch() {
    const jobs = this.#queue.splice(0);
    /** @type {Job[]} */
    const waiting = [];
    for (const [index, job] of jobs.entries()) {
      const slot = this.#choose(job.source);
      if (slot) this.#send(slot, job, upcoming(jobs, index));
      else waiting.push(job);
    }
    this.#queue = waiting;
    // Another worker helps only those whose source is not at home in one already.
    const homeless = waiting.some((job) => !this.#routes.has(job.source));
    const settled = this.#slots.every((slot) => slot.state === 'ready');
    if (homeless && settled && this.#slots.length < this.limit && !this.#ended) this.#grow().catch(() => {});
  }

  /** @param {string} source @returns {Slot | undefined} a worker that has room: the one that knows the source, else the least busy */
  #choose(source) {
    const known = this.#routes.get(source);
    const candidates = known ? [known] : this.#slots;
    const free = candidates.filter((slot) => slot.state === 'ready' && slot.running.size < this.settings.loadsPerWorker);
    return free.sort((a, b) => a.running.size - b.running.size)[0];
  }

  /** @param {Slot} slot @param {Job} job @param {number[]} next frames of the source */
  async #send(slot, job, next) {
    this.#remember(job.source, slot);
    slot.running.add(job);
    const watch = new Watch(job.timeout ?? this.settings.timeout, () => this.#onSilence(slot, job), () => this.#pauses > 0);
    job.watch = watch;
    const payload = { ...job.payload, urgency: [rank(job), job.priority ?? 0], upcoming: next };
    const onProgress = (/** @type {any} */ detail) => (watch.restart(), job.onProgress?.(detail));
    try {
      job.resolve(await slot.rpc?.call(job.name, payload, { signal: watch.join(job.signal), onProgress }));
    } catch (error) {
      job.reject(watch.silent ? this.#timeoutError(job) : error);
    } finally {
      watch.stop();
      slot.running.delete(job);
      this.#dispatch();
    }
  }

  /** @param {Slot} slot @param {Job} job */
  #onSilence(slot, job) {
    slot.checkAlive(`no sign of life; ${this.#loaderOf(job)} may keep Python busy for ever with '${job.payload?.imageId}'`);
  }

  /** @param {Job} job */
  #loaderOf({ payload }) {
    const scheme = payload?.imageId ? parseImageId(payload.imageId).scheme : '';
    const file = this.host.loaderOf?.(scheme);
    return `the loader of scheme '${scheme}'${file ? ` in ${file}` : ''}`;
  }

  /** @param {Job} job */
  #timeoutError(job) {
    const { imageId } = job.payload ?? {};
    return new PyLoaderError({
      name: 'TimeoutError', code: 'timeout', stage: 'loader', imageId,
      message: `'${imageId}' gave no sign of life for ${job.timeout ?? this.settings.timeout} ms; the server does not answer, or ${this.#loaderOf(job)} never returns. The option timeout sets the limit`,
    });
  }

  /** @param {string} source @param {Slot} slot */
  #remember(source, slot) {
    this.#routes.delete(source);
    this.#routes.set(source, slot);
    if (this.#routes.size > REMEMBERED_SOURCES) this.#routes.delete(this.#routes.keys().next().value ?? '');
  }
}

/** @param {Job[]} queue sorted @param {Job} job */
function insert(queue, job) {
  let index = queue.length;
  while (index > 0 && isMoreUrgent(job, queue[index - 1])) index--;
  queue.splice(index, 0, job);
}

/** @typedef {{requestType?: string, priority?: number}} Urgency */

/** @param {Urgency} a @param {Urgency} b */
export function isMoreUrgent(a, b) {
  return rank(a) - rank(b) < 0 || (rank(a) === rank(b) && (a.priority ?? 0) < (b.priority ?? 0));
}

/** @param {Urgency} job whose unknown or absent type means that somebody waits for it */
function rank({ requestType }) {
  return Math.max(0, REQUEST_TYPES.indexOf(requestType ?? 'interaction'));
}

/** Frames of its source that wait behind a job, from 0. @param {Job[]} jobs @param {number} index */
function upcoming(jobs, index) {
  const { name, source } = jobs[index];
  const next = jobs.slice(index + 1).filter((job) => job.source === source && job.name === name);
  return name === 'load' ? next.slice(0, MOST_UPCOMING).map((job) => parseImageId(job.payload.imageId).frameIndex) : [];
}

/** @param {number | 'auto'} workers */
function workerLimit(workers) {
  if (workers !== 'auto') return Math.max(1, workers);
  return Math.min(4, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1));
}

/** @param {Promise<any> | undefined} promise @param {number} milliseconds */
function withDeadline(promise, milliseconds) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  return Promise.race([Promise.resolve(promise).then(() => true, () => false), late]).finally(() => clearTimeout(timer));
}

/** @param {string} words */
function bootError(words) {
  return new PyLoaderError({
    name: 'BootError', code: 'boot', stage: 'boot',
    message: `the worker could not start (${words}). Is the whole of dist/ there, and may this page use workers from it (Content-Security-Policy worker-src; Access-Control-Allow-Origin when it is on another origin)?`,
  });
}

/** @param {PyLoaderError} error @param {Job} job */
function aboutJob(error, job) {
  return new PyLoaderError({ ...error, name: error.kind, message: error.message, imageId: job.payload?.imageId });
}
