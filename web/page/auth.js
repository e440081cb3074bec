// @ts-check
// Renews the user's identity after a 401, once for all requests to an origin, and sends headers to one service
// only.
import { wrongCall } from './arguments.js';
import { pageURL } from './page_url.js';
import { plainHeaders } from './settings.js';

/** @typedef {import('../scheduler/scheduler.js').Scheduler} Scheduler */
/** @typedef {{url: string, origin: string, status: number}} Details */

export class Auth {
  /** The hook's last answers and their times, by origin. @type {Map<string, {at: number, answer: boolean}>} */
  #answers = new Map();
  /** Calls of the hook in progress, by origin. @type {Map<string, Promise<boolean>>} */
  #asking = new Map();
  /** Number of the page's current hook. */
  #generation = 0;

  /**
   * @param {() => ((details: Details) => unknown) | undefined} hook returns the page's current onUnauthorized
   * @param {(url: string) => boolean} isNamed whether an address may get the page's secrets
   */
  constructor(hook, isNamed) {
    this.hook = hook;
    this.isNamed = isNamed;
  }

  /** Forget all answers, also for requests in progress: the page has another hook. */
  forget() {
    this.#generation++;
    this.#answers.clear();
    this.#asking.clear();
  }

  /**
   * Ask the page to renew the user's identity, once for all requests to an origin that were sent before.
   * @param {{url: string, sent: number}} request `sent` in ms since 1970
   * @param {Scheduler} scheduler of the worker that sent it
   * @returns {Promise<boolean>} whether to try again
   */
  async renew({ url, sent }, scheduler) {
    const { href, origin } = new URL(url, pageURL());
    if (!this.isNamed(href)) return false;
    const last = this.#answers.get(origin);
    if (last && sent < last.at) return last.answer;
    const asked = this.#asking.get(origin) ?? this.#ask(href, origin, scheduler);
    this.#asking.set(origin, asked);
    return scheduler.pauseFor(asked.finally(() => this.#asking.get(origin) === asked && this.#asking.delete(origin)));
  }

  /** Call the hook. @param {string} url @param {string} origin @param {Scheduler} scheduler */
  async #ask(url, origin, scheduler) {
    /** @type {unknown} */
    let answer = false;
    const generation = this.#generation;
    const isStale = () => generation !== this.#generation;
    try {
      answer = await this.hook()?.({ url, origin, status: 401 });
      if (isStale()) return false; // perhaps the answer of another user
      // Only for this origin: no other server may get these headers.
      if (answer && typeof answer === 'object') await sendHeaders('granted', origin, answer, scheduler);
    } catch (error) {
      reportError(error); // an error of the page's code; the load fails with the status
      answer = false;
    }
    if (isStale()) return false;
    this.#answers.set(origin, { at: Date.now(), answer: Boolean(answer) });
    return Boolean(answer);
  }
}

/**
 * Make every current and future worker send headers with requests below an address.
 * @param {'service' | 'granted'} kind headers that were granted after a 401 override those of a service
 * @param {string} base @param {object} headers in any form that the page may use @param {Scheduler} scheduler
 */
export function sendHeaders(kind, base, headers, scheduler) {
  return scheduler.workers.announce(kind, { base, headers: plainHeaders(headers, wrongCall) }, `${kind} ${base}`);
}
