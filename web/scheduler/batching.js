// @ts-check
// Batching: several loads of one complete source in a single worker call. 128 slices of a NIfTI take 0.77 of
// the time that they take one by one. The reply holds all of them, or the first few when they take long; the
// rest goes back to the queue. Each load still settles on its own.
import { abortError, fromWire } from '../shared/errors.js';
import { FACTS } from '../shared/facts.js';

/** @typedef {import('./scheduler.js').Job} Job */
/** @typedef {import('../shared/messages.d.ts').LoadReply} LoadReply */
/** @typedef {import('./queue.js').Queue<Job>} Queue */

const MOST_BATCHED = 15;

/** Decides from a worker's replies whether to batch the loads of a source. */
export class Batching {
  /** State of the source at its worker; `untried` until the first reply. @type {'untried' | 'ready' | 'single'} */
  #state = 'untried';
  #isOneFile;

  /** @param {string} source */
  constructor(source) {
    this.#isOneFile = FACTS.schemes.oneFile.includes(source.slice(0, source.indexOf(':')));
  }

  /** @param {boolean} isReady true when all images of the source are complete at its worker */
  learn(isReady) {
    this.#state = isReady ? 'ready' : 'single';
  }

  /** Reset it: the worker has released the source. */
  forget() {
    this.#state = 'untried';
  }

  /** True when the worker has all of the source. */
  get isReady() {
    return this.#state === 'ready';
  }

  /** Number of loads that may join another one. The images of a single file are all ready when the first is. */
  get most() {
    return this.#state === 'ready' || (this.#state === 'untried' && this.#isOneFile) ? MOST_BATCHED : 0;
  }

  /** Take the loads that may join a job out of the queue. @param {Queue} queue @param {Job} job @returns {Job[]} */
  take(queue, job) {
    const found = queue.like(job, this.most).filter(({ handling }) => handling !== 'alone' && handling !== 'suspect');
    for (const each of found) queue.remove(each);
    return found;
  }
}

/** Loads that share one worker call. */
export class Batch {
  #controller = new AbortController();
  #left;

  /** @param {Job} leader @param {Job[]} others loads of the same source, in the same form */
  constructor(leader, others) {
    this.leader = leader;
    this.others = others;
    this.jobs = [leader, ...others];
    this.#left = this.jobs.length;
    if (!others.length) return;
    for (const job of this.jobs) job.signal?.addEventListener('abort', () => this.#leave(job), { once: true });
  }

  /** Signal that aborts once all of its loads are cancelled. */
  get signal() {
    return this.others.length ? this.#controller.signal : this.leader.signal;
  }

  /**
   * Return the fields that name the other images in the leader's call.
   * @param {boolean} canOffload true when other workers could help
   */
  payload(canOffload) {
    return this.others.length ? { batch: this.others.map(({ payload }) => payload.imageId), canOffload } : {};
  }

  /** @param {import('../shared/messages.d.ts').Report} detail */
  tell(detail) {
    for (const { onProgress } of this.jobs) onProgress?.(detail);
  }

  /**
   * Settle the loads that a reply answers.
   * @param {import('../shared/messages.d.ts').JobResult | undefined} reply
   * @returns {Job[]} the loads that it does not answer, without cancelled ones
   */
  settle(reply) {
    const { batch = [], ...first } = /** @type {LoadReply} */ (reply ?? {});
    this.leader.resolve(this.others.length ? first : reply);
    for (const [index, found] of batch.entries()) {
      if ('error' in found) this.others[index].reject(fromWire(found.error));
      else this.others[index].resolve(found);
    }
    return this.others.slice(batch.length).filter(({ signal }) => !signal?.aborted);
  }

  /** @param {Job} job */
  #leave(job) {
    job.reject(abortError('the load'));
    if (--this.#left === 0) this.#controller.abort();
  }
}
