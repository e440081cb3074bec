// @ts-check
// Where a source is at home: the worker that fetched and parsed it, and those that help to decode its
// frames, which are lent to them as they are, encoded.

/** @typedef {import('./worker_handle.js').Slot} Slot */
/** @typedef {{signal?: AbortSignal, onProgress?: (detail: any) => void}} CallOptions */

/** What handing a frame over costs both workers, about; a frame that takes less is decoded at home. */
const WORTH_MS = 4;
const MOST_COMPANIONS = 15;
// One file with all its images, which are at hand when the first of them is.
const OF_ONE_FILE = new Set(['dicomfile', 'dicomweb', 'localfile', 'nifti', 'wadouri']);

/** Its home will not lend a frame, or the helper could not decode it: its home has to. */
export class NotLent extends Error {}

export class Route {
  /** Milliseconds that a frame takes to decode, the least that was seen: more may be waiting. */
  #cost = 0;
  #isLent = true;
  /** Whether its home may have something of it. */
  isKnown = false;
  /** Whether all images of the source are at hand at home; undefined until it has said so. @type {boolean | undefined} */
  isAtHand;
  #isOfOneFile;
  /** The header that each helper has been given last, by the name that its home gave it. @type {Map<Slot, string>} */
  #tokens = new Map();

  /** @param {Slot} home @param {string} source */
  constructor(home, source) {
    this.home = home;
    this.#isOfOneFile = OF_ONE_FILE.has(source.slice(0, source.indexOf(':')));
  }

  /** How many loads may come along with one. */
  get companions() {
    return (this.isAtHand ?? this.#isOfOneFile) ? MOST_COMPANIONS : 0;
  }

  /** Whether others should help. */
  get isShared() {
    return this.#isLent && this.#cost >= WORTH_MS;
  }

  /** @param {any} answer of a load at home */
  learn(answer) {
    const spent = answer?.timing?.decodeMilliseconds ?? 0;
    this.isAtHand = Boolean(answer?.isAtHand);
    this.#cost = this.#cost ? Math.min(this.#cost, spent) : spent;
  }

  /** What the workers have is gone. */
  forget() {
    this.isKnown = false;
    this.isAtHand = undefined;
    this.#tokens.clear();
  }

  /** The parsed file is not needed any more. @param {string} source */
  release(source) {
    for (const slot of [this.home, ...this.#tokens.keys()]) slot.tell('release', { source });
  }

  /**
   * Load a frame with a helper.
   * @param {Slot} helper @param {any} payload of a load @param {CallOptions} options @returns {Promise<any>} what a load gives
   * @throws {NotLent}
   */
  async lend(helper, payload, options) {
    const loan = await this.home.call('lend', { ...payload, known: this.#tokens.get(helper) }, options);
    if (!loan) {
      this.#isLent = false;
      throw new NotLent();
    }
    this.#tokens.set(helper, loan.token);
    const { imageId, options: asked } = payload;
    const transfer = [loan.frame, loan.header].flatMap((bytes) => bytes?.buffer ?? []);
    return helper.call('borrow', { imageId, options: asked, loan }, { ...options, transfer }).catch((error) => this.#refuse(error, helper, options));
  }

  /** What fails elsewhere is done again at home, whose word counts. @param {any} error @param {Slot} helper @param {CallOptions} options @returns {never} */
  #refuse(error, helper, { signal }) {
    this.#tokens.delete(helper);
    if (signal?.aborted || error.code === 'worker') throw error;
    throw new NotLent(error.message);
  }
}
