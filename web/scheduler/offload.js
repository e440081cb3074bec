// @ts-check
// Offloading: the worker that has a source lends an encoded frame to another, which decodes it. With two
// workers, 24 frames of JPEG 2000 take 0.69 of the time that they take without.
import { FACTS } from '../shared/facts.js';

/** @typedef {import('./worker_handle.js').WorkerHandle} WorkerHandle */
/** @typedef {import('../shared/messages.d.ts').Report} Report */
/** @typedef {{signal?: AbortSignal, onProgress?: (detail: Report) => void}} CallOptions */

/** Handing a frame over costs both workers about this; a frame that takes less is decoded at home. */
const WORTH_MS = FACTS.offload.worthMilliseconds;

/** Its home will not lend a frame, or the helper could not decode it: its home has to. */
export class NotLent extends Error {}

/** Decides from a source's frames so far if others should decode some. */
export class Offload {
  /** Milliseconds that a frame takes to decode, the least that was seen: more may be waiting. */
  #cost = 0;
  /** @type {'open' | 'refused'} */
  #state = 'open';
  /** The header that each helper has been given last, by the name that its home gave it. @type {Map<WorkerHandle, string>} */
  #tokens = new Map();

  /** @param {number} milliseconds that decoding took */
  learn(milliseconds) {
    this.#cost = this.#cost ? Math.min(this.#cost, milliseconds) : milliseconds;
  }

  /** True when others should help. */
  get isWorth() {
    return this.#state === 'open' && this.#cost >= WORTH_MS;
  }

  /** The workers that have its header. */
  get helpers() {
    return [...this.#tokens.keys()];
  }

  /** Workers have let go of all sources. */
  forget() {
    this.#tokens.clear();
  }

  /**
   * Load a frame with a helper.
   * @param {WorkerHandle} home @param {WorkerHandle} helper
   * @param {import('../shared/messages.d.ts').LoadPayload & import('../shared/messages.d.ts').Turn} payload of a load
   * @param {CallOptions} options
   * @returns {Promise<import('../shared/messages.d.ts').LoadAnswer | undefined>} what a load gives
   * @throws {NotLent}
   */
  async load(home, helper, payload, options) {
    const loan = await home.call('lend', { ...payload, known: this.#tokens.get(helper) }, options);
    if (!loan) {
      this.#state = 'refused';
      throw new NotLent();
    }
    this.#tokens.set(helper, loan.token);
    const { imageId, options: asked } = payload;
    const transfer = [loan.frame, loan.header].flatMap((bytes) => bytes?.buffer ?? []);
    const borrow = helper.call('borrow', { imageId, options: asked, loan }, { ...options, transfer });
    return borrow.catch((error) => this.#refuse(error, helper, options));
  }

  /**
   * Have done again at home, whose word counts, what failed elsewhere.
   * @param {import('../shared/errors.js').PyLoaderError} error @param {WorkerHandle} helper
   * @param {CallOptions} options @returns {never}
   */
  #refuse(error, helper, { signal }) {
    this.#tokens.delete(helper);
    if (signal?.aborted || error.code === 'worker') throw error;
    throw new NotLent(error.message);
  }
}
