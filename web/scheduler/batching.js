// @ts-check
// Batching: several loads of one complete source in a single worker call. 128 slices of a NIfTI take 0.77 of
// the time that they take one by one. The answer brings all of them,
// or the first when they take long; each load still settles on its own.
import { abortError, fromWire } from '../shared/errors.js';
import { FACTS } from '../shared/facts.js';

/** @typedef {import('./scheduler.js').Job} Job */
/** @typedef {import('../shared/messages.d.ts').LoadAnswer} LoadAnswer */
/** @typedef {import('./queue.js').Queue<Job>} Queue */

const MOST_BATCHED = 15;

/** Decides from what a worker told if images of a source are asked for together. */
export class Batching {
  /** `untried` until a load has told. @type {'untried' | 'ready' | 'single'} */
  #state = 'untried';
  #isOneFile;

  /** @param {string} source */
  constructor(source) {
    this.#isOneFile = FACTS.schemes.oneFile.includes(source.slice(0, source.indexOf(':')));
  }

  /** @param {boolean} isReady whether all images of the source are complete at its worker */
  learn(isReady) {
    this.#state = isReady ? 'ready' : 'single';
  }

  /** Its worker has let go of the source. */
  forget() {
    this.#state = 'untried';
  }

  /** True when the worker has told that it has all of the source. */
  get isReady() {
    return this.#state === 'ready';
  }

  /** The number of loads that may come along with one: of one file all images are there when the first is. */
  get most() {
    return this.#state === 'ready' || (this.#state === 'untried' && this.#isOneFile) ? MOST_BATCHED : 0;
  }

  /** Take those out of the queue that may come along with a job. @param {Queue} queue @param {Job} job @returns {Job[]} */
  take(queue, job) {
    const found = queue.like(job, this.most).filter(({ handling }) => handling !== 'alone' && handling !== 'suspect');
    for (const each of found) queue.remove(each);
    return found;
  }
}

/** The loads of one call. */
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

  /** Aborts when the last of them is not wanted any more. */
  get signal() {
    return this.others.length ? this.#controller.signal : this.leader.signal;
  }

  /** Say in the call which images come along with the leader's. @param {boolean} canOffload whether there are workers to help */
  payload(canOffload) {
    return this.others.length ? { batch: this.others.map(({ payload }) => payload.imageId), canOffload } : {};
  }

  /** @param {import('../shared/messages.d.ts').Report} detail */
  tell(detail) {
    for (const { onProgress } of this.jobs) onProgress?.(detail);
  }

  /**
   * Settle those that an answer brings.
   * @param {import('../shared/messages.d.ts').JobResult | undefined} answer
   * @returns {Job[]} the others, as far as they are wanted still
   */
  settle(answer) {
    const { batch = [], ...first } = /** @type {LoadAnswer} */ (answer ?? {});
    this.leader.resolve(this.others.length ? first : answer);
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
