// @ts-check
// Concurrent requests to one origin: a limited number at a time, the most urgent first.

/** Rank of the request type, and priority: lower is sooner. @typedef {[rank: number, priority: number]} Urgency */
/** @typedef {{urgency: Urgency, admit: () => void}} Ticket */

export class Gate {
  #inside = 0;
  /** The most urgent first. @type {Ticket[]} */
  #waiting = [];

  /** @param {() => number} limit returns the number of requests that may be inside */
  constructor(limit) {
    this.limit = limit;
  }

  /**
   * Wait for admission.
   * @param {Urgency} urgency @param {AbortSignal} signal
   * @returns {Promise<() => void>} a function that leaves; rejects when `signal` aborts
   */
  async enter(urgency, signal) {
    signal.throwIfAborted();
    if (this.#inside >= this.limit() || this.#waiting.length) await this.#wait(urgency, signal);
    else this.#inside++;
    return this.#leave;
  }

  /** Let in a request that is under way: it does not wait. @returns {() => void} a function that leaves */
  join() {
    this.#inside++;
    return this.#leave;
  }

  #leave = () => {
    this.#inside--;
    this.admit();
  };

  /** Admit requests that wait, as far as the limit allows. */
  admit() {
    while (this.#inside < this.limit() && this.#waiting.length) {
      this.#inside++;
      this.#waiting.shift()?.admit();
    }
  }

  /** @param {Urgency} urgency @param {AbortSignal} signal @returns {Promise<void>} */
  #wait(urgency, signal) {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(ticket), 1);
        reject(signal.reason);
      };
      const admit = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const ticket = { urgency, admit };
      const place = this.#waiting.findIndex((other) => compareUrgency(urgency, other.urgency) < 0);
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, ticket);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

/** Order by urgency, the most urgent first. @param {Urgency} one @param {Urgency} other */
export function compareUrgency([rank, priority], [otherRank, otherPriority]) {
  return rank - otherRank || priority - otherPriority;
}
