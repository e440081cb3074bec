// @ts-check
// The set of workers: how many run, the calls that every one gets, and when one ends.
import { abortError } from '../shared/errors.js';
import { WorkerHandle } from './worker_handle.js';

/**
 * @typedef {{workers: number | 'auto', requestsPerOrigin: number, heapBytes: number, boot:
 *   import('../shared/messages.d.ts').BootOptions}} WorkersSettings `heapBytes`: an idle worker with more is replaced
 */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('./worker_handle.js').NamedCall} NamedCall */
/**
 * @typedef {{onReady: () => void, onLeave: (worker: WorkerHandle) => void, onNoWorkers: (error: Error) => void}}
 *   WorkersListener
 */

const REST_MS = 30_000;
// Longest start that counts: that of a page's first worker may include a download.
const LONGEST_START_MS = 500;

export class Workers {
  /** All workers, including those that are starting. @type {WorkerHandle[]} */
  all = [];
  deaths = 0;
  /** Shortest start of an interpreter so far, in milliseconds. */
  startMilliseconds = LONGEST_START_MS;
  /** Time at which the latest worker had started. */
  grown = 0;
  /** @type {Map<string, NamedCall>} calls that every new worker gets, by key */
  #replay = new Map();
  /** @type {import('../shared/messages.d.ts').Shared | undefined} */
  #parts;
  #ended = false;

  /**
   * @param {WorkersSettings} settings @param {import('./worker_handle.js').WorkerHandleHost} host
   * @param {WorkersListener} listener
   */
  constructor(settings, host, listener) {
    this.settings = settings;
    this.host = host;
    this.listener = listener;
    this.limit = workerLimit(settings.workers);
  }

  /** Boot the first worker, and the others too if their number was given. */
  async start() {
    const count = this.settings.workers === 'auto' ? 1 : this.limit;
    await this.grow(); // the others reuse the files that it fetched and compiled
    await Promise.all(Array.from({ length: count - 1 }, () => this.grow()));
  }

  /** Return the workers that answer calls. */
  running() {
    return this.all.filter((worker) => worker.isRunning);
  }

  /** True when another worker may be started, and none is starting. */
  get mayGrow() {
    return !this.#ended && this.all.length < this.limit && this.all.every((worker) => worker.isRunning);
  }

  /** True while a worker is starting. */
  get isStarting() {
    return this.all.some(({ state }) => state === 'booting');
  }

  async grow() {
    const worker = new WorkerHandle(this.host, () => this.#onDeath(worker));
    this.all.push(worker);
    try {
      worker.booted = worker.boot({ ...this.settings.boot, parts: this.#parts }, this.#replay);
      await worker.booted;
      this.#parts ??= worker.parts;
      this.startMilliseconds = Math.min(this.startMilliseconds, worker.startMilliseconds);
      this.grown = performance.now();
      this.#share();
      this.rest(worker);
      this.listener.onReady();
    } catch (error) {
      worker.end(/** @type {Error} */ (error));
      this.#remove(worker);
      // The jobs fail only when no other worker is left.
      if (!this.all.length) this.listener.onNoWorkers(/** @type {Error} */ (error));
      throw error;
    }
  }

  /** @returns {Promise<WorkerHandle>} the least busy worker, once one runs */
  async leastBusy() {
    await this.#someReady();
    const staying = this.running().filter(({ state }) => state !== 'leaving');
    const [worker] = staying.sort((a, b) => a.running.size - b.running.size);
    return worker;
  }

  async #someReady() {
    if (this.running().length) return;
    const boots = this.all.map((worker) => worker.booted);
    await (boots.length ? Promise.any(boots).catch(({ errors }) => Promise.reject(errors[0])) : this.grow());
  }

  // ------------------------------------------------------------------ calls to all workers

  /**
   * Call every worker; later ones get the latest call of each `key` when they start.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {string} key
   * @returns {Promise<WorkerCalls[Name]['result']>} the first worker's result
   */
  async broadcast(name, payload, key) {
    await this.#someReady();
    const called = this.running();
    const results = await Promise.all(called.map((worker) => worker.call(name, payload)));
    this.#remember(name, payload, key);
    const late = this.running().filter((worker) => !called.includes(worker));
    await Promise.all(late.map((worker) => worker.call(name, payload)));
    return results[0];
  }

  /**
   * Call every running worker, and later ones before their first job.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {string} key
   */
  announce(name, payload, key) {
    this.#remember(name, payload, key);
    return this.tell(name, payload).catch(() => {}); // a worker that just died need not get it
  }

  /**
   * Put a call at the end of the list, where a worker that is just replaying the list still reaches it.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {string} key
   */
  #remember(name, payload, key) {
    this.#replay.delete(key);
    this.#replay.set(key, /** @type {NamedCall} */ ([name, payload]));
  }

  /**
   * Apply other settings to every worker, running and later.
   * @param {WorkersSettings} settings
   * @param {boolean} forgetsGranted true to drop the headers granted after a 401: the page has given others
   */
  configure(settings, forgetsGranted) {
    this.settings = settings;
    if (forgetsGranted)
      for (const key of [...this.#replay.keys()]) if (key.startsWith('granted ')) this.#replay.delete(key);
    const { parts, packages, ...others } = settings.boot;
    const applied = this.announce('configure', { ...others, forgetsGranted }, 'configure');
    this.#share();
    return applied;
  }

  /**
   * Call every running worker.
   * @template {keyof WorkerCalls} Name @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   */
  tell(name, payload) {
    return Promise.all(this.running().map((worker) => worker.call(name, payload)));
  }

  /** @param {string} key */
  forgetReplay(key) {
    this.#replay.delete(key);
  }

  /** Divide the requests allowed per origin among the workers. */
  #share() {
    const running = this.running();
    const requestsPerOrigin = Math.max(1, Math.floor(this.settings.requestsPerOrigin / running.length));
    for (const worker of running) worker.tell('share', { requestsPerOrigin });
  }

  // ------------------------------------------------------------------ ending

  /**
   * Start the rest of a worker without jobs: a surplus one ends after a while, one grown too large is replaced.
   * @param {WorkerHandle} worker
   */
  rest(worker) {
    if (worker.state === 'leaving' && !worker.calls) return this.#dismiss(worker);
    clearTimeout(worker.rest);
    worker.rest = setTimeout(() => this.#endOrReplace(worker), REST_MS);
  }

  /** @param {WorkerHandle} worker */
  async #endOrReplace(worker) {
    if (!worker.isRunning || worker.running.size) return; // its next rest begins after its last job
    if (worker.calls) return this.rest(worker);
    const isOneTooMany = this.settings.workers === 'auto' && this.running().length > 1;
    if (isOneTooMany || worker.state === 'leaving') return this.#dismiss(worker);
    const { heapBytes } = await worker.call('stats', undefined).catch(() => ({ heapBytes: 0 })); // it just died
    if (heapBytes > this.settings.heapBytes) await this.#replace(worker);
  }

  /** @param {WorkerHandle} worker leaves once its replacement has started and its last jobs are done */
  async #replace(worker) {
    try {
      await this.grow();
    } catch {
      return; // a large worker is better than none
    }
    if (worker.state !== 'ready') return;
    worker.state = 'leaving';
    this.listener.onLeave(worker);
    if (!worker.running.size) this.rest(worker);
  }

  /** @param {WorkerHandle} worker */
  #dismiss(worker) {
    worker.end(abortError('a worker that was no longer needed'));
    this.#remove(worker);
  }

  /** @param {WorkerHandle} worker */
  #onDeath(worker) {
    this.deaths++;
    this.#remove(worker);
    if (!this.#ended) this.grow().catch(() => {});
  }

  /** @param {WorkerHandle} worker */
  #remove(worker) {
    this.all = this.all.filter((other) => other !== worker);
    this.#share();
    this.listener.onLeave(worker);
  }

  /** @param {Error} error */
  end(error) {
    this.#ended = true;
    for (const worker of this.all) worker.end(error);
    this.all = [];
  }
}

/** @param {number | 'auto'} workers */
function workerLimit(workers) {
  if (workers !== 'auto') return Math.max(1, workers);
  const cores = globalThis.navigator?.hardwareConcurrency ?? 2;
  // With many cores, leave one to the page; with two, use both, since the page has little to do during decoding.
  return Math.min(4, Math.max(cores - 1, Math.min(2, cores)));
}
