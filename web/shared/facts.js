// @ts-check
// Facts that JavaScript and Python share: schemes, limits and thresholds. pyloader/facts.json has them,
// pyloader/facts.py says what they are.

/**
 * @typedef {object} Facts
 * @property {{builtIn: string[], files: string[], local: string[], ofViewers: string[], oneFile: string[], countedFromZero: string[]}} schemes
 * @property {{decodedBytes: number, sourceBytes: number, requestsPerOrigin: number, retries: number, listedImages: number}} limits
 * @property {{worthMilliseconds: number}} offload
 */

/** @type {Facts} */
export const FACTS = PYLOADER_FACTS;
