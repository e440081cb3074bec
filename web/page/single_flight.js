// @ts-check
// Single flight: work that is started once, shared by all callers that join while it runs, and cancelled when
// the last of them leaves. The same as the single flight of pyloader/cache.py.
import { abortError } from '../shared/errors.js';

/** @typedef {(report: import('../shared/messages.d.ts').Report) => void} Listener */
/**
 * @typedef {{promise: Promise<unknown>, controller: AbortController, listeners: Set<Listener>, isRunning: boolean}}
 *   Flight
 */

export class SingleFlight {
  /** @type {Map<string, Flight>} */
  #flights = new Map();

  get size() {
    return this.#flights.size;
  }

  /**
   * Wait for the work of `key`; start it with `start` if it is not running.
   * @template Value
   * @param {string} key
   * @param {(signal: AbortSignal, onProgress: Listener) => Promise<Value>} start
   * @param {{signal: AbortSignal, listener: Listener, what: string}} waiter
   * @returns {Promise<Value>}
   */
  async join(key, start, { signal, listener, what }) {
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.listeners.add(listener);
    try {
      const promise = /** @type {Promise<Value>} */ (flight.promise); // all work of one key has the same type
      return await untilAborted(promise, signal, what);
    } finally {
      flight.listeners.delete(listener);
      if (flight.listeners.size === 0) this.#end(key, flight);
    }
  }

  /**
   * @param {string} key @param {(signal: AbortSignal, onProgress: Listener) => Promise<unknown>} start
   * @returns {Flight}
   */
  #start(key, start) {
    const controller = new AbortController();
    /** @type {Set<Listener>} */
    const listeners = new Set();
    const promise = start(controller.signal, (report) => {
      for (const listener of listeners) listener(report);
    });
    const flight = { promise, controller, listeners, isRunning: true };
    const land = () => {
      flight.isRunning = false;
    };
    promise.then(land, land);
    this.#flights.set(key, flight);
    return flight;
  }

  /** @param {string} key @param {Flight} flight */
  #end(key, flight) {
    if (flight.isRunning) flight.controller.abort();
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/**
 * Wait for a promise, but reject with an AbortError as soon as `signal` aborts.
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
    // Finished work must not get a late cancel: viewers cancel every image that they evict.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}
