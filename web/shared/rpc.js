// @ts-check
// Calls in both directions over any endpoint (a Worker, the worker's own scope, a MessagePort),
// with progress, cancel and transfer. The whole protocol:
//
//   caller                                   callee
//     {id, kind: 'call', name, payload}  ->
//     {id, kind: 'cancel'}               ->
//                                        <-  {id, kind: 'progress', details}         any number
//                                        <-  {id, kind: 'done', result, details}     exactly one of these,
//                                        <-  {id, kind: 'failed', error, details}    unless the worker dies
//
// Ids belong to the caller, so that both ends may call. `close` rejects what is still waiting.
import { abortError, fromWire, toWire } from './errors.js';

/** @typedef {{postMessage(message: any, transfer: Transferable[]): void, addEventListener(type: 'message', listener: (event: any) => void): void, start?(): void}} Endpoint */
/** @typedef {{signal: AbortSignal, progress: (detail: any) => void, note: (detail: any) => void}} CallContext `note` is progress that can wait a little for another message */
/** @typedef {Record<string, (payload: any, context: CallContext) => any>} Handlers */
/** @typedef {{resolve: (value: any) => void, reject: (error: any) => void, onProgress?: (detail: any) => void}} Pending */

// How long a note waits for a message to go with.
const NOTE_MS = 50;

/** A result whose buffers are moved, not copied. */
export class Transfer {
  /** @param {any} value @param {Transferable[]} buffers */
  constructor(value, buffers) {
    this.value = value;
    this.buffers = buffers;
  }
}

export class Rpc {
  #endpoint;
  #handlers;
  #next = 1;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  /** What sends the notes of a call. @type {Set<() => void>} */
  #waiting = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Error | null} */
  #closed = null;

  /** @param {Endpoint} endpoint @param {Handlers} handlers */
  constructor(endpoint, handlers) {
    this.#endpoint = endpoint;
    this.#handlers = handlers;
    endpoint.addEventListener('message', (event) => this.#receive(event.data));
    endpoint.start?.();
  }

  /**
   * Call a function of the other end.
   * @param {string} name
   * @param {any} [payload]
   * @param {{signal?: AbortSignal, onProgress?: (detail: any) => void, transfer?: Transferable[]}} [options]
   * @returns {Promise<any>} rejects with a PyLoaderError, or an AbortError as soon as `signal` aborts
   */
  call(name, payload, { signal, onProgress, transfer = [] } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(abortError(name));
      const id = this.#next++;
      const abort = () => {
        this.#endpoint.postMessage({ id, kind: 'cancel' }, []);
        this.#settle(id)?.reject(abortError(name));
      };
      const done = () => signal?.removeEventListener('abort', abort);
      this.#pending.set(id, {
        resolve: (value) => (done(), resolve(value)),
        reject: (error) => (done(), reject(error)),
        onProgress,
      });
      signal?.addEventListener('abort', abort);
      try {
        this.#endpoint.postMessage({ id, kind: 'call', name, payload }, transfer);
      } catch (error) {
        this.#settle(id)?.reject(error); // something in the payload cannot be cloned
      }
    });
  }

  /**
   * Reject everything that waits and every later call: the other end is gone.
   * @param {Error} error
   */
  close(error) {
    this.#closed = error;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
  }

  /** @param {number} id */
  #settle(id) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** @param {any} message */
  #receive(message) {
    const { id, kind, details = [] } = message;
    for (const detail of details) this.#pending.get(id)?.onProgress?.(detail);
    if (kind === 'call') this.#answer(message);
    else if (kind === 'cancel') this.#running.get(id)?.abort();
    else if (kind === 'done') this.#settle(id)?.resolve(message.result);
    else if (kind === 'failed') this.#settle(id)?.reject(fromWire(message.error));
  }

  /** @param {{id: number, name: string, payload: any}} message */
  async #answer({ id, name, payload }) {
    const controller = new AbortController();
    this.#running.set(id, controller);
    /** @type {any[]} */
    const details = [];
    const send = () => this.#endpoint.postMessage({ id, kind: 'progress', details: details.splice(0) }, []);
    const progress = (/** @type {any} */ detail) => (this.#waiting.delete(send), details.push(detail), send());
    const note = (/** @type {any} */ detail) => (details.push(detail), this.#sendSoon(send));
    try {
      const result = await this.#handlers[name](payload, { signal: controller.signal, progress, note });
      const { value, buffers } = result instanceof Transfer ? result : new Transfer(result, []);
      this.#endpoint.postMessage({ id, kind: 'done', result: value, details }, buffers);
    } catch (error) {
      this.#endpoint.postMessage({ id, kind: 'failed', error: toWire(error), details }, []);
    } finally {
      this.#running.delete(id);
      this.#waiting.delete(send);
    }
  }

  /** @param {() => void} send */
  #sendSoon(send) {
    this.#waiting.add(send);
    this.#timer ??= setTimeout(() => this.#sendNotes(), NOTE_MS);
  }

  #sendNotes() {
    this.#timer = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const send of waiting) send();
  }
}
