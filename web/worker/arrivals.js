// @ts-check
// Batching in a worker, for many sources: files that have arrived are handed to Python in lists. One call of Python
// makes the images of a list, without a step of the event loop or a task for each.
import { PyLoaderError, abortError } from '../shared/errors.js';
import { compareUrgency } from './gate.js';

/** @typedef {import('./interpreter.js').Interpreter} Interpreter */
/** @typedef {import('./ahead.js').WholeResponse} WholeResponse */
/** @typedef {import('./bridge.d.ts').FoundImages} FoundImages */
/** @typedef {import('./bridge.d.ts').LoadOutcome} LoadOutcome */
/** @typedef {import('../shared/messages.d.ts').Turn} Turn */
/**
 * @typedef {{imageId: string, url: string, response: WholeResponse, job: import('./bridge.d.ts').Job & Turn,
 *   waited: number, listener: import('./bridge.d.ts').Listener, signal: AbortSignal}} Arrival a load whose file has
 *   arrived; `waited` is the time that it has taken, in milliseconds
 */
/**
 * @typedef {Arrival & {call: number, identity: number, resolve: (found: FoundImages | undefined) => void,
 *   reject: (error: unknown) => void}} Waiting
 */

export class Arrivals {
  /** @type {Waiting[]} */
  #waiting = [];
  #isScheduled = false;
  // Its messages come in turn with those of the page, and without the delay of timers.
  #turns = new MessageChannel();

  /** @param {Interpreter} interpreter */
  constructor(interpreter) {
    this.interpreter = interpreter;
    this.#turns.port1.onmessage = () => this.#hand();
  }

  /**
   * Make the image of a load with others that arrive in the same turn.
   * @param {Arrival} arrival
   * @returns {Promise<FoundImages | undefined>} undefined when the user's identity has changed meanwhile: the file has
   *   to be fetched again
   */
  add(arrival) {
    const { settings } = this.interpreter.started;
    return new Promise((resolve, reject) => {
      const call = this.interpreter.newCall();
      this.#waiting.push({ ...arrival, call, identity: settings.identity, resolve, reject });
      this.#schedule();
    });
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#turns.port2.postMessage(undefined);
  }

  /** Hand to Python what is here, the most urgent first. It answers the first ones when they take long. */
  #hand() {
    this.#isScheduled = false;
    const list = this.#waiting.splice(0).filter((each) => this.#isWanted(each));
    if (!list.length) return;
    list.sort(({ job: one }, { job: other }) => compareUrgency(one.urgency, other.urgency));
    try {
      const { loads, arrays } = this.#load(list);
      for (const [index, load] of loads.entries()) this.#settle(list[index], load, arrays[index]);
      this.#waiting.unshift(...list.slice(loads.length));
    } catch (error) {
      for (const { reject } of list) reject(error);
    }
    if (this.#waiting.length) this.#schedule();
  }

  /** Settle a load that has ended meanwhile, or whose file is another user's. @param {Waiting} waiting */
  #isWanted({ signal, identity, resolve, reject }) {
    if (signal.aborted) reject(abortError('the load'));
    else if (identity !== this.interpreter.started.settings.identity) resolve(undefined);
    else return true;
    return false;
  }

  /** @param {Waiting[]} list */
  #load(list) {
    const { bridge, send } = this.interpreter.started;
    const told = list.map(({ call, imageId, url, job, waited, response: { url: address, status, headers } }) => {
      return { call, imageId, url, job, waited, head: { url: address, status, headers } };
    });
    const bodies = list.map(({ response }) => response.body);
    const found = bridge.load_arrived(
      JSON.stringify(told),
      bodies,
      list.map(({ listener }) => listener),
    );
    for (const { response } of list.slice(0, found.loads.length)) send.reuse(response);
    return found;
  }

  /** @param {Waiting} waiting @param {LoadOutcome} load @param {FoundImages['arrays']} arrays */
  #settle({ call, signal, resolve, reject }, load, arrays) {
    if ('waits' in load) {
      const late = this.interpreter.ask({ signal }, (bridge) => bridge.finish(call), call);
      late.then((found) => resolve(endOf(found.loads[0], found.arrays[0]))).catch(reject);
      return;
    }
    try {
      resolve(endOf(load, arrays));
    } catch (error) {
      reject(error);
    }
  }
}

/**
 * Return the images of a load that has ended.
 * @param {LoadOutcome} load @param {FoundImages['arrays']} arrays @returns {FoundImages}
 * @throws {PyLoaderError} that of Python; an AbortError when the load was cancelled
 */
export function endOf(load, arrays) {
  if ('error' in load) throw new PyLoaderError(load.error);
  if (!('answers' in load)) throw abortError('the load');
  return { ...load, arrays };
}
