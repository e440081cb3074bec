// @ts-check
// What is asked for all at once is begun in turns of the browser's event loop, so that the page can
// answer its user between them, however much it is.

const AT_ONCE = 40;

export class Turns {
  #left = AT_ONCE;
  /** @type {(() => void)[]} */
  #waiting = [];
  /** @type {(() => void)[]} */
  #listeners = [];

  /** @param {(turn: () => void) => void} later calls in another turn; a timer would not do, in the background they are slow */
  constructor(later = byMessage()) {
    this.later = later;
  }

  /** Wait for a turn: not at all when few are asked for. @returns {Promise<void> | undefined} */
  take() {
    if (this.#left === AT_ONCE) this.later(() => this.#next());
    if (this.#left > 0) return void this.#left--;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Wait until all have begun; not at all when they have. @returns {Promise<void> | undefined} */
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
  /** @type {{unref?: () => void}} */ (port1).unref?.(); // of Node, which a channel would keep from ending
  return (turn) => {
    turns.push(turn);
    port2.postMessage(null);
  };
}
