// @ts-check
// The worker that a source is at home in: it fetched and parsed it, and is asked for all its images.
import { Batching } from './batching.js';
import { Offload } from './offload.js';

/** @typedef {import('./worker_handle.js').WorkerHandle} WorkerHandle */

const REMEMBERED_SOURCES = 10_000;

export class Affinity {
  /** True when its home may have something of it. */
  isOpened = false;
  offload = new Offload();

  /** @param {WorkerHandle} home @param {string} source */
  constructor(home, source) {
    this.home = home;
    this.batching = new Batching(source);
  }

  /** @param {import('../shared/messages.d.ts').LoadAnswer | undefined} answer of a load at home */
  learn(answer) {
    this.batching.learn(Boolean(answer?.isReady));
    this.offload.learn(answer?.timing?.decodeMilliseconds ?? 0);
  }

  /** Forget what the workers had. */
  forget() {
    this.isOpened = false;
    this.batching.forget();
    this.offload.forget();
  }
}

/** The affinities of sources, those that were used last. */
export class Affinities {
  /** @type {Map<string, Affinity>} */
  #bySource = new Map();

  /** @param {string} source */
  get(source) {
    return this.#bySource.get(source);
  }

  /** The affinity of a source, now the one used last. @param {string} source @param {WorkerHandle} worker where it is at home when it has none */
  use(source, worker) {
    const affinity = this.#bySource.get(source) ?? new Affinity(worker, source);
    this.#bySource.delete(source);
    this.#bySource.set(source, affinity);
    if (this.#bySource.size > REMEMBERED_SOURCES) this.#bySource.delete(this.#bySource.keys().next().value ?? '');
    return affinity;
  }

  /** Have the workers that hold a source let go of it. @param {string} source */
  release(source) {
    const affinity = this.#bySource.get(source);
    for (const worker of affinity ? [affinity.home, ...affinity.offload.helpers] : [])
      worker.tell('release', { source });
    this.#bySource.delete(source);
  }

  /** Workers have let go of all sources. */
  forgetAll() {
    for (const affinity of this.#bySource.values()) affinity.forget();
  }

  /** A worker has gone. @param {WorkerHandle} worker */
  forgetWorker(worker) {
    for (const [source, { home }] of this.#bySource) if (home === worker) this.#bySource.delete(source);
  }
}
