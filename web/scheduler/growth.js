// @ts-check
// Growth: decides when another worker is worth its start, which takes the processor as long as dozens of small
// images. On two cores, 24 and 48 slices take 0.75 to 0.93 of the time without it; 100 and more take longer without it.

// Time that a load keeps a worker busy beside decoding: fetching, copying, handing over.
const OVERHEAD_MS = 5;
// Decode time assumed before one has been measured: that of an uncompressed slice of 512 x 512.
const DECODE_MS = 2;
// Share of the newest measurement in the average.
const SHARE = 1 / 4;
// Most by which one measurement counts as longer than the average: it may include waiting.
const LONGER = 3;
// The start of a worker slows the others down, and its first images run slowly: wait for this many times its length.
const STARTS = 2;

/**
 * @typedef {{cost: number, since: number}} Waiting `cost` of the jobs that wait for each worker, in milliseconds;
 *   `since` is the time of the oldest
 */

export class Growth {
  /** Average time for which a job keeps a worker busy, in milliseconds. */
  cost = DECODE_MS + OVERHEAD_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {number} milliseconds decode time of an image */
  learn(milliseconds) {
    this.cost += SHARE * (Math.min(milliseconds + OVERHEAD_MS, LONGER * this.cost) - this.cost);
  }

  /**
   * Return the cost of waiting jobs that is worth another worker.
   * @param {number} start length of its start, in milliseconds
   */
  limitOf(start) {
    return STARTS * start;
  }

  /**
   * Return true if waiting jobs are worth another worker: they cost more than its start, or one has waited as long.
   * @param {Waiting} waiting @param {number} limit see `limitOf`
   * @param {() => void} again called when the oldest job will have waited as long
   */
  isWorthwhile({ cost, since }, limit, again) {
    clearTimeout(this.#timer);
    if (!cost) return false;
    const left = since + limit - performance.now();
    if (cost > limit || left <= 0) return true;
    this.#timer = setTimeout(again, left);
    return false;
  }

  end() {
    clearTimeout(this.#timer);
  }
}
