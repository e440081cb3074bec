// @ts-check
// Requests ahead of Python: a worker begins the request that a load will make before Python asks for it. A small
// file comes whole, and goes to Python in a list with others (arrivals.js). Of anything else Python takes over the
// response as it is then, or the failure, in place of a request of its own.

/** @typedef {import('./redirects.js').Head} Head */
/** @typedef {Head & {body: Uint8Array<ArrayBuffer>}} WholeResponse */

/** One request ahead of Python. */
export class Ahead {
  /** True when a request of Python has taken it over. */
  isTaken = false;
  /** The response, or why there is none, if it did not come whole. @type {Promise<[Head, Response]> | undefined} */
  opened;
  /** The whole file; undefined when Python has to ask. @type {Promise<WholeResponse | undefined>} */
  whole;
  /** Progress for the request that has taken it over. @type {import('./read_body.js').OnProgress | undefined} */
  onProgress;
  #controller = new AbortController();

  /**
   * @param {AbortSignal} signal of the load
   * @param {(ahead: Ahead) => Promise<WholeResponse | undefined>} fetchWhole
   */
  constructor(signal, fetchWhole) {
    signal.addEventListener('abort', () => this.isTaken || this.abort(), { once: true });
    this.whole = fetchWhole(this);
  }

  get signal() {
    return this.#controller.signal;
  }

  abort() {
    this.#controller.abort();
  }

  /** @param {Promise<[Head, Response]>} opened @returns {Promise<[Head, Response]>} the same */
  open(opened) {
    opened.catch(() => {}); // Python gets the failure, if it asks
    this.opened = opened;
    return opened;
  }

  /**
   * Let a request of Python take it over.
   * @param {AbortSignal} signal of that request @param {import('./read_body.js').OnProgress} onProgress
   */
  take(signal, onProgress) {
    this.isTaken = true;
    this.onProgress = onProgress;
    if (signal.aborted) this.abort();
    signal.addEventListener('abort', () => this.abort(), { once: true });
  }
}
