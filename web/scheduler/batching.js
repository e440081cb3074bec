// @ts-check
// Loads that travel together: of a source whose images are all at hand in its worker, one call asks
// for several, and its answer brings them, or the first of them when they take long. Each still ends
// by itself.
import { abortError, fromWire } from '../shared/errors.js';

/** @typedef {import('./scheduler.js').Job} Job */

export class Company {
  #controller = new AbortController();
  #left;

  /** @param {Job} leader @param {Job[]} companions loads of the same source, in the same form */
  constructor(leader, companions) {
    this.leader = leader;
    this.companions = companions;
    this.jobs = [leader, ...companions];
    this.#left = this.jobs.length;
    if (companions.length) for (const job of this.jobs) job.signal?.addEventListener('abort', () => this.#leave(job), { once: true });
  }

  /** Aborts when the last of them is not wanted any more. */
  get signal() {
    return this.companions.length ? this.#controller.signal : this.leader.signal;
  }

  /** @param {any} detail */
  tell(detail) {
    for (const { onProgress } of this.jobs) onProgress?.(detail);
  }

  /** @param {any} answer of the call @returns {Job[]} those that it has not brought, and that are wanted still */
  arrive(answer) {
    const { companions = [], ...first } = answer ?? {};
    this.leader.resolve(this.companions.length ? first : answer);
    for (const [index, { error, ...found }] of companions.entries()) {
      if (error) this.companions[index].reject(fromWire(error));
      else this.companions[index].resolve(found);
    }
    return this.companions.slice(companions.length).filter(({ signal }) => !signal?.aborted);
  }

  /** @param {Job} job */
  #leave(job) {
    job.reject(abortError('the load'));
    if (--this.#left === 0) this.#controller.abort();
  }
}
