// @ts-check
// Spreads many loads that start at once over turns of the browser's event loop, so that the page can respond
// to its user between them.

const AT_ONCE = 40;

export class Turns {
  #left = AT_ONCE;
  /** @type {(() => void)[]} */
  #waiting = [];
  /** @type {(() => void)[]} */
  #listeners = [];

  /**
   * @param {(turn: () => void) => void} later calls back in another turn, without a timer: browsers slow the timers of
   *   background pages
   */
  constructor(later = byMessage()) {
    this.later = later;
  }

  /** Wait for a turn; undefined if there is no need to wait. @returns {Promise<void> | undefined} */
  take() {
    if (this.#left === AT_ONCE) this.later(() => this.#next());
    if (this.#left > 0) return void this.#left--;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Wait until nobody waits for a turn any more; undefined if nobody does. @returns {Promise<void> | undefined} */
  settle() {
    return this.#waiting.length ? new Promise((resolve) => this.#listeners.push(resolve)) : undefined;
  }

  #next() {
    const begun = this.#waiting.splice(0, AT_ONCE);
    this.#left = AT_ONCE - begun.length;
    if (begun.length) this.later(() => this.#next());
    for (const begin of begun.length ? begun : this.#listeners.splice(0)) begin();
  }
}

/** @returns {(turn: () => void) => void} */
function byMessage() {
  const { port1, port2 } = new MessageChannel();
  /** @type {(() => void)[]} */
  const turns = [];
  port1.onmessage = () => turns.shift()?.();
  /** @type {{unref?: () => void}} */ (port1).unref?.(); // in Node an open channel would keep the process running
  return (turn) => {
    turns.push(turn);
    port2.postMessage(null);
  };
}
