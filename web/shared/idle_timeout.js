// @ts-check
// Time without a sign of life.

const LONGEST_MS = 2 ** 31 - 1; // what setTimeout can wait; beyond it does not wait at all

export class IdleTimeout {
  silent = false;
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {number} timeout ms; 0 or Infinity for no limit
   * @param {object} [hooks]
   * @param {() => void} [hooks.onSilence]
   * @param {() => number} [hooks.pausedTime] ms so far that do not count
   * @param {() => Promise<boolean> | undefined} [hooks.ask] before it ends: whether it may, when that has to be found out
   */
  constructor(timeout, { onSilence = () => {}, pausedTime = () => 0, ask = () => undefined } = {}) {
    this.timeout = timeout;
    this.onSilence = onSilence;
    this.pausedTime = pausedTime;
    this.ask = ask;
    this.restart();
  }

  restart() {
    this.stop();
    if (Number.isFinite(this.timeout) && this.timeout > 0) this.#wait(this.timeout);
  }

  /** @param {number} milliseconds */
  #wait(milliseconds) {
    const before = this.pausedTime();
    this.#timer = setTimeout(
      () => {
        const paused = this.pausedTime() - before;
        if (paused < 1)
          this.#askAndEnd(); // less than timers tell apart
        else this.#wait(paused);
      },
      Math.min(milliseconds, LONGEST_MS),
    );
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #askAndEnd() {
    const timer = this.#timer;
    const asked = this.ask();
    if (!asked) return this.#end();
    // There may be a sign of life meanwhile.
    asked.then((mayEnd) => mayEnd && this.#timer === timer && this.#end());
  }

  #end() {
    this.silent = true;
    this.#controller.abort();
    this.onSilence();
  }

  /** A signal that aborts with the caller's, or on silence. @param {AbortSignal | undefined} signal */
  join(signal) {
    if (signal?.aborted) this.#controller.abort();
    signal?.addEventListener('abort', () => this.#controller.abort(), { once: true });
    return this.#controller.signal;
  }
}
