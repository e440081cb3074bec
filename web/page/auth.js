// @ts-check
// Who asks: what a server is told after it has answered 401, and headers of one service alone.
import { wrongCall } from './arguments.js';
import { pageURL } from './page_url.js';
import { plainHeaders } from './settings.js';

/** @typedef {import('../scheduler/scheduler.js').Scheduler} Scheduler */
/** @typedef {{url: string, origin: string, status: number}} Details */

export class Auth {
  /** The last answers of the page and when they came, by origin. @type {Map<string, {at: number, answer: boolean}>} */
  #answers = new Map();
  /** @type {Map<string, Promise<boolean>>} */
  #asking = new Map();
  /** Counts the hooks that the page has had. */
  #generation = 0;

  /**
   * @param {() => ((details: Details) => unknown) | undefined} hook the page's onUnauthorized as it is now
   * @param {(url: string) => boolean} isNamed whether an address may have what identifies the user
   */
  constructor(hook, isNamed) {
    this.hook = hook;
    this.isNamed = isNamed;
  }

  /** Ask anew, also for requests that are under way: the page has another hook. */
  forget() {
    this.#generation++;
    this.#answers.clear();
    this.#asking.clear();
  }

  /**
   * Have the page renew what identifies the user: once for all requests to an origin until then.
   * @param {{url: string, sent: number}} request the time is in ms since 1970 @param {Scheduler} pool whose request it is
   * @returns {Promise<boolean>} whether to try again
   */
  async renew({ url, sent }, pool) {
    const { href, origin } = new URL(url, pageURL());
    if (!this.isNamed(href)) return false;
    const last = this.#answers.get(origin);
    if (last && sent < last.at) return last.answer;
    const running = this.#asking.get(origin) ?? this.#ask(href, origin, pool);
    this.#asking.set(origin, running);
    return pool.pauseFor(running.finally(() => this.#asking.get(origin) === running && this.#asking.delete(origin)));
  }

  /** @param {string} url @param {string} origin @param {Scheduler} pool */
  async #ask(url, origin, pool) {
    /** @type {unknown} */
    let answer = false;
    const generation = this.#generation;
    const isFormer = () => generation !== this.#generation;
    try {
      answer = await this.hook()?.({ url, origin, status: 401 });
      if (isFormer()) return false; // the answer of another user, perhaps
      // For this origin alone: another server has no business with them.
      if (answer && typeof answer === 'object') await sendHeaders('granted', origin, answer, pool);
    } catch (error) {
      reportError(error); // the page's own; the load fails with the status
      answer = false;
    }
    if (isFormer()) return false;
    this.#answers.set(origin, { at: Date.now(), answer: Boolean(answer) });
    return Boolean(answer);
  }
}

/**
 * Have every worker, also those to come, send headers with requests below an address.
 * @param {'service' | 'granted'} kind what a server has granted counts for more than what a service was given
 * @param {string} base @param {object} headers as the page gives them @param {Scheduler} pool
 */
export function sendHeaders(kind, base, headers, pool) {
  return pool.workers.announce(kind, { base, headers: plainHeaders(headers, wrongCall) }, `${kind} ${base}`);
}
