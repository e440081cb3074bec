// @ts-check
// Work that several wait for: started once, shared by those who join while it runs, cancelled when
// the last of them leaves. The page's twin of pyloader/cache.py's single flight.
import { abortError } from '../shared/errors.js';

/** @typedef {(report: import('../shared/messages.d.ts').Report) => void} Listener */
/** @typedef {{promise: Promise<unknown>, controller: AbortController, listeners: Set<Listener>}} Flight */

export class SingleFlight {
  /** @type {Map<string, Flight>} */
  #flights = new Map();

  get size() {
    return this.#flights.size;
  }

  /**
   * Wait for the work of `key`, started by `start` when nobody has.
   * @template Value
   * @param {string} key
   * @param {(signal: AbortSignal, onProgress: Listener) => Promise<Value>} start
   * @param {{signal: AbortSignal, listener: Listener, what: string}} waiter
   * @returns {Promise<Value>}
   */
  async join(key, start, { signal, listener, what }) {
    const flight = this.#flights.get(key) ?? this.#depart(key, start);
    flight.listeners.add(listener);
    try {
      const promise = /** @type {Promise<Value>} */ (flight.promise); // of one key all are alike
      return await untilAborted(promise, signal, what);
    } finally {
      flight.listeners.delete(listener);
      if (flight.listeners.size === 0) this.#land(key, flight);
    }
  }

  /**
   * @param {string} key @param {(signal: AbortSignal, onProgress: Listener) => Promise<unknown>} start
   * @returns {Flight}
   */
  #depart(key, start) {
    const controller = new AbortController();
    /** @type {Set<Listener>} */
    const listeners = new Set();
    const promise = start(controller.signal, (report) => {
      for (const listener of listeners) listener(report);
    });
    const flight = { promise, controller, listeners };
    this.#flights.set(key, flight);
    return flight;
  }

  /** @param {string} key @param {Flight} flight */
  #land(key, flight) {
    flight.controller.abort();
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/**
 * The outcome of a promise, or an AbortError as soon as `signal` aborts.
 * @template Value @param {Promise<Value>} promise @param {AbortSignal} signal @param {string} what
 * @param {() => void} [onAbort]
 * @returns {Promise<Value>}
 */
export function untilAborted(promise, signal, what, onAbort) {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      onAbort?.();
      reject(abortError(what));
    };
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    // Work that has ended must not hear of a late cancel, which viewers send for all they evict.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}
