// @ts-check
// What init() may be told: the defaults, and what of it the pool and its workers have to know.

/** @typedef {typeof DEFAULTS & {assetsURL: string}} Settings `assetsURL` is where the assets stand */

export const DEFAULTS = {
  workers: /** @type {number | 'auto'} */ ('auto'),
  packages: /** @type {string[]} */ ([]),
  packageIndexes: /** @type {string[]} */ ([]),
  headers: /** @type {Record<string, string>} */ ({}),
  beforeRequest: /** @type {((request: any) => any) | undefined} */ (undefined),
  onUnauthorized: /** @type {((details: {url: string, status: number}) => any) | undefined} */ (undefined),
  credentials: /** @type {RequestCredentials} */ ('same-origin'),
  timeout: 60_000,
  requestTimeout: 30_000,
  retries: 2,
  limits: { loadsPerWorker: 8, requestsPerOrigin: 8, sourceBytes: 256 * 2 ** 20, decodedBytes: 2 ** 30, heapBytes: 2 ** 30 },
  cacheBytes: 2 ** 30,
};

/** @param {Settings} settings @returns {import('./pool.js').PoolSettings} */
export function poolSettings(settings) {
  const { workers, limits, timeout, assetsURL, headers, credentials, beforeRequest, onUnauthorized, packages, packageIndexes, retries, requestTimeout } = settings;
  const { requestsPerOrigin } = limits;
  return {
    workers: workers === 0 ? 1 : workers,
    loadsPerWorker: limits.loadsPerWorker,
    requestsPerOrigin,
    heapBytes: workers === 0 ? Infinity : limits.heapBytes, // Python on the page cannot be replaced
    timeout,
    boot: {
      assetsURL, headers, credentials, packages, packageIndexes, retries, requestTimeout, requestsPerOrigin, baseURL: document.baseURI,
      hasHook: Boolean(beforeRequest), hasAuthorize: Boolean(onUnauthorized), cacheBytes: limits.sourceBytes, decodedBytes: limits.decodedBytes,
    },
  };
}
