// @ts-check
// Facts that JavaScript and Python share: schemes, limits and thresholds. pyloader/facts.json has the values,
// pyloader/facts.py describes them.

/**
 * @typedef {object} Facts
 * @property {{builtIn: string[], files: string[], local: string[], ofViewers: string[], oneFile: string[],
 *   countedFromZero: string[]}} schemes
 * @property {{decodedBytes: number, sourceBytes: number, wholeBytes: number, requestsPerOrigin: number,
 *   retries: number, listedImages: number}} limits
 * @property {{worthMilliseconds: number}} offload
 */

/** @type {Facts} */
export const FACTS = PYLOADER_FACTS;
