// @ts-check
// Affinity: each source has a home worker, which fetched and parsed it and loads all its images.
import { Batching } from './batching.js';
import { Offload } from './offload.js';

/** @typedef {import('./worker_handle.js').WorkerHandle} WorkerHandle */

const REMEMBERED_SOURCES = 10_000;

export class Affinity {
  /** True once its home has been called for it, and may hold parts of it. */
  isOpened = false;
  offload = new Offload();

  /** @param {WorkerHandle} home @param {string} source */
  constructor(home, source) {
    this.home = home;
    this.batching = new Batching(source);
  }

  /** @param {import('../shared/messages.d.ts').LoadReply | undefined} reply to a load at home */
  learn(reply) {
    this.batching.learn(Boolean(reply?.isReady));
    this.offload.learn(reply?.timing?.decodeMilliseconds ?? 0);
  }

  /** Reset it: the workers have released the source. */
  forget() {
    this.isOpened = false;
    this.batching.forget();
    this.offload.forget();
  }
}

/** Affinities of the most recently used sources. */
export class Affinities {
  /** @type {Map<string, Affinity>} */
  #bySource = new Map();

  /** @param {string} source */
  get(source) {
    return this.#bySource.get(source);
  }

  /**
   * Return the affinity of a source, and mark it as most recently used.
   * @param {string} source @param {WorkerHandle} worker becomes the home of a source that has none
   */
  use(source, worker) {
    const affinity = this.#bySource.get(source) ?? new Affinity(worker, source);
    this.#bySource.delete(source);
    this.#bySource.set(source, affinity);
    if (this.#bySource.size > REMEMBERED_SOURCES) this.#bySource.delete(this.#bySource.keys().next().value ?? '');
    return affinity;
  }

  /** Release a source in the workers that hold it. @param {string} source */
  release(source) {
    const affinity = this.#bySource.get(source);
    for (const worker of affinity ? [affinity.home, ...affinity.offload.helpers] : [])
      worker.tell('release', { source });
    this.#bySource.delete(source);
  }

  /** Reset all affinities: the workers have released all sources. */
  forgetAll() {
    for (const affinity of this.#bySource.values()) affinity.forget();
  }

  /** Drop the affinities of a worker that has ended. @param {WorkerHandle} worker */
  forgetWorker(worker) {
    for (const [source, { home }] of this.#bySource) if (home === worker) this.#bySource.delete(source);
  }
}
