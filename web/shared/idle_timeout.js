// @ts-check
// Idle timeout: ends a wait after a time without a sign of life.

const LONGEST_MS = 2 ** 31 - 1; // the limit of setTimeout, which does not wait at all beyond it

/** Aborts its signal when `restart` is not called for some time. */
export class IdleTimeout {
  silent = false;
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {number} timeout ms; 0 or Infinity for no limit
   * @param {object} [hooks]
   * @param {() => void} [hooks.onSilence]
   * @param {() => number} [hooks.pausedTime] returns the milliseconds so far that do not count
   * @param {() => Promise<boolean> | undefined} [hooks.ask] called before it ends; resolves to false to prevent that
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
          this.#askAndEnd(); // less than the resolution of timers
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
    // A sign of life that comes meanwhile sets another timer.
    asked.then((mayEnd) => mayEnd && this.#timer === timer && this.#end());
  }

  #end() {
    this.silent = true;
    this.#controller.abort();
    this.onSilence();
  }

  /** Return a signal that aborts with the caller's, or on silence. @param {AbortSignal | undefined} signal */
  join(signal) {
    if (signal?.aborted) this.#controller.abort();
    signal?.addEventListener('abort', () => this.#controller.abort(), { once: true });
    return this.#controller.signal;
  }
}
