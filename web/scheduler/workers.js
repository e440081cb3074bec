// @ts-check
// The workers that there are: how many, what each of them has to hear, and when one ends.
import { abortError } from '../shared/errors.js';
import { WorkerHandle } from './worker_handle.js';

/**
 * @typedef {{workers: number | 'auto', requestsPerOrigin: number, heapBytes: number, boot:
 *   import('../shared/messages.d.ts').BootOptions}} WorkersSettings `heapBytes`: a worker that rests with more is
 *   replaced
 */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('./worker_handle.js').Told} Told */
/** @typedef {{onReady: () => void, onGone: (worker: WorkerHandle) => void, onNobody: (error: Error) => void}} WorkersListener */

const REST_MS = 30_000;

export class Workers {
  /** Also those that are starting. @type {WorkerHandle[]} */
  all = [];
  deaths = 0;
  /** @type {Map<string, Told>} what every new worker has to hear, by key */
  #replay = new Map();
  /** @type {import('../shared/messages.d.ts').Shared | undefined} */
  #parts;
  #ended = false;

  /** @param {WorkersSettings} settings @param {import('./worker_handle.js').WorkerHandleHost} host @param {WorkersListener} listener */
  constructor(settings, host, listener) {
    this.settings = settings;
    this.host = host;
    this.listener = listener;
    this.limit = workerLimit(settings.workers);
  }

  /** Boot the first worker, and the others too when their number was given. */
  async start() {
    const count = this.settings.workers === 'auto' ? 1 : this.limit;
    await this.grow(); // what it has fetched and compiled is there for the others
    await Promise.all(Array.from({ length: count - 1 }, () => this.grow()));
  }

  /** Those that answer. */
  running() {
    return this.all.filter((worker) => worker.isRunning);
  }

  /** True when another one may be started, and none is starting. */
  get mayGrow() {
    return !this.#ended && this.all.length < this.limit && this.all.every((worker) => worker.isRunning);
  }

  /** True while another one is starting. */
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
      this.#share();
      this.rest(worker);
      this.listener.onReady();
    } catch (error) {
      worker.end(/** @type {Error} */ (error));
      this.#remove(worker);
      // Others may be at work; the jobs fail only when nobody is left to do them.
      if (!this.all.length) this.listener.onNobody(/** @type {Error} */ (error));
      throw error;
    }
  }

  /** @returns {Promise<WorkerHandle>} the least busy one, when there is one */
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

  // ------------------------------------------------------------------ what they hear

  /**
   * Call every worker, also those to come, which hear the latest call of each `key`.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {string} key
   * @returns {Promise<WorkerCalls[Name]['result']>} the first answer
   */
  async broadcast(name, payload, key) {
    await this.#someReady();
    const asked = this.running();
    const answers = await Promise.all(asked.map((worker) => worker.call(name, payload)));
    this.#remember(name, payload, key);
    const late = this.running().filter((worker) => !asked.includes(worker));
    await Promise.all(late.map((worker) => worker.call(name, payload)));
    return answers[0];
  }

  /**
   * Call every worker that is there now, and those to come before their first job.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {string} key
   */
  announce(name, payload, key) {
    this.#remember(name, payload, key);
    return this.tell(name, payload).catch(() => {}); // a worker that just died need not hear it
  }

  /**
   * Put a call at the end of the list, where a worker that replays it just now still meets it.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {string} key
   */
  #remember(name, payload, key) {
    this.#replay.delete(key);
    this.#replay.set(key, /** @type {Told} */ ([name, payload]));
  }

  /**
   * Have every worker, also those to come, go on with other settings.
   * @param {WorkersSettings} settings
   * @param {boolean} forgetsGranted whether headers that servers were granted count no more: the page has given others
   */
  configure(settings, forgetsGranted) {
    this.settings = settings;
    if (forgetsGranted)
      for (const key of [...this.#replay.keys()]) if (key.startsWith('granted ')) this.#replay.delete(key);
    const { parts, packages, ...told } = settings.boot;
    const heard = this.announce('configure', { ...told, forgetsGranted }, 'configure');
    this.#share();
    return heard;
  }

  /**
   * Call every worker that is there now.
   * @template {keyof WorkerCalls} Name @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   */
  tell(name, payload) {
    return Promise.all(this.running().map((worker) => worker.call(name, payload)));
  }

  /** @param {string} key */
  forgetReplay(key) {
    this.#replay.delete(key);
  }

  /** Each worker may have its part of the requests to one origin. */
  #share() {
    const running = this.running();
    const requestsPerOrigin = Math.max(1, Math.floor(this.settings.requestsPerOrigin / running.length));
    for (const worker of running) worker.tell('share', { requestsPerOrigin });
  }

  // ------------------------------------------------------------------ ending

  /** A worker has no job: one too many ends after a while, one that has grown too large is replaced. @param {WorkerHandle} worker */
  rest(worker) {
    if (worker.state === 'leaving' && !worker.calls) return this.#dismiss(worker);
    clearTimeout(worker.rest);
    worker.rest = setTimeout(() => this.#look(worker), REST_MS);
  }

  /** @param {WorkerHandle} worker */
  async #look(worker) {
    if (!worker.isRunning || worker.running.size) return; // it rests anew after its last job
    if (worker.calls) return this.rest(worker);
    const isOneTooMany = this.settings.workers === 'auto' && this.running().length > 1;
    if (isOneTooMany || worker.state === 'leaving') return this.#dismiss(worker);
    const { heapBytes } = await worker.call('stats', undefined).catch(() => ({ heapBytes: 0 })); // it died just now
    if (heapBytes > this.settings.heapBytes) await this.#replace(worker);
  }

  /** @param {WorkerHandle} worker that goes when another is there, and when it has done what came meanwhile */
  async #replace(worker) {
    try {
      await this.grow();
    } catch {
      return; // a large worker is better than none
    }
    if (worker.state !== 'ready') return;
    worker.state = 'leaving';
    this.listener.onGone(worker);
    if (!worker.running.size) this.rest(worker);
  }

  /** @param {WorkerHandle} worker */
  #dismiss(worker) {
    worker.end(abortError('a worker that was not needed any more'));
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
    this.listener.onGone(worker);
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
  // The page has little to do while images are decoded; with many cores it keeps one.
  return Math.min(4, Math.max(cores - 1, Math.min(2, cores)));
}
