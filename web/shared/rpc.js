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
// Ids belong to the caller, so that both ends may call. `close` rejects all pending calls.
import { abortError, fromWire, toWire } from './errors.js';

/** @template Table @typedef {import('./messages.d.ts').Calls<Table>} Calls */
/** @template Table @typedef {import('./messages.d.ts').Message<Table>} Message */
/**
 * @typedef {{postMessage(message: unknown, transfer: Transferable[]): void, addEventListener(type: 'message', listener:
 *   (event: MessageEvent) => void): void, start?(): void}} Endpoint
 */
/**
 * @template [Detail=unknown]
 * @typedef {{signal: AbortSignal, progress: (detail: Detail) => void, note: (detail: Detail) => void}} CallContext
 *   `note` reports progress that can wait a little for another message
 */
/** @template Result @typedef {Result | Transfer<Result> | Promise<Result | Transfer<Result>>} Returned */
/**
 * @template {Calls<Table>} Table @template {keyof Table} Name
 * @typedef {(payload: Table[Name]['payload'], context: CallContext<Table[Name]['detail']>) =>
 *   Returned<Table[Name]['result']>} Handler
 */
/**
 * Functions that handle the calls of a table.
 * @template {Calls<Table>} Table @typedef {{[Name in keyof Table]: Handler<Table, Name>}} Handlers
 */
/**
 * @template Detail
 * @typedef {{signal?: AbortSignal, onProgress?: (detail: Detail) => void, transfer?: Transferable[]}} CallOptions
 */
/**
 * @typedef {{resolve: (value: unknown) => void, reject: (error: unknown) => void, onProgress?: (detail: never) =>
 *   void}} Pending
 */

// Longest time that a note waits for another message to travel with.
const NOTE_MS = 50;

/** A result whose buffers are moved, not copied. @template Value */
export class Transfer {
  /** @param {Value} value @param {Transferable[]} buffers */
  constructor(value, buffers) {
    this.value = value;
    this.buffers = buffers;
  }
}

/**
 * One end of a connection, typed by the tables of messages.d.ts.
 * @template {Calls<Made>} Made calls that the other end handles
 * @template {Calls<Own>} Own calls that this end handles
 */
export class Rpc {
  #endpoint;
  #handlers;
  #next = 1;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  /** Functions that send the notes of a call. @type {Set<() => void>} */
  #waiting = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Error | null} */
  #closed = null;

  /** @param {Endpoint} endpoint @param {Handlers<Own>} handlers */
  constructor(endpoint, handlers) {
    this.#endpoint = endpoint;
    this.#handlers = handlers;
    endpoint.addEventListener('message', (event) => this.#receive(event.data));
    endpoint.start?.();
  }

  /**
   * Call a function of the other end.
   * @template {keyof Made & string} Name
   * @param {Name} name
   * @param {Made[Name]['payload']} payload
   * @param {CallOptions<Made[Name]['detail']>} [options]
   * @returns {Promise<Made[Name]['result']>} rejects with a PyLoaderError, or an AbortError as soon as `signal` aborts
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
        resolve: (value) => {
          done();
          resolve(/** @type {Made[Name]['result']} */ (value));
        },
        reject: (error) => {
          done();
          reject(error);
        },
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
   * Reject all pending and later calls: the other end has ended.
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

  /** @param {Message<Own>} message */
  #receive(message) {
    const { id, kind } = message;
    const details = 'details' in message ? message.details : [];
    for (const detail of details) this.#pending.get(id)?.onProgress?.(/** @type {never} */ (detail));
    if (kind === 'call') this.#handle(message);
    else if (kind === 'cancel') this.#running.get(id)?.abort();
    else if (kind === 'done') this.#settle(id)?.resolve(message.result);
    else if (kind === 'failed') this.#settle(id)?.reject(fromWire(message.error));
  }

  /** @param {import('./messages.d.ts').CallMessage<Own>} message */
  async #handle({ id, name, payload }) {
    const controller = new AbortController();
    this.#running.set(id, controller);
    /** @type {unknown[]} */
    const details = [];
    const send = () => this.#endpoint.postMessage({ id, kind: 'progress', details: details.splice(0) }, []);
    const progress = (/** @type {unknown} */ detail) => {
      this.#waiting.delete(send);
      details.push(detail);
      send();
    };
    const note = (/** @type {unknown} */ detail) => {
      details.push(detail);
      this.#sendSoon(send);
    };
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
