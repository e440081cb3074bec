// @ts-check
// Fetches the files of dist/. The script that requests a file has its digest, and was verified itself when it
// was loaded. A file that differs from the build's is an error, and never used.
import { MIXED } from './version.js';

/**
 * @typedef {{assetsURL: string, assetURLs?: Record<string, string>}} Assets addresses of the files of dist/: of their
 *   folder, or of each file where a bundler has put it
 */
/** @typedef {{url: string, sha256: string[]}} Asset a file, and the digests that it may have, in hexadecimal */

/**
 * Return a file of dist/. Its address includes its digest, so that no cache returns a file of another build.
 * @param {Assets} assets @param {string} file its path in dist/ @param {string[]} sha256 @returns {Asset}
 */
export function assetWith({ assetsURL, assetURLs }, file, sha256) {
  const url = assetURLs?.[file] ?? `${assetsURL}${file}`;
  return { url: `${url}${url.includes('?') ? '&' : '?'}${sha256[0].slice(0, 12)}`, sha256 };
}

/** Return the digests of a file in the format of Subresource Integrity. @param {Asset} asset */
export function integrityOf({ sha256 }) {
  return sha256.map((each) => `sha256-${base64(each)}`).join(' ');
}

/**
 * Fetch a file; the browser returns none of it before it has verified the whole.
 * @param {Asset} asset @param {RequestInit} [options] @returns {Promise<Response>}
 */
export async function fetchAsset(asset, options) {
  const { url } = asset;
  const response = await fetch(url, { integrity: integrityOf(asset), ...options }).catch((error) => {
    throw new Error(`${url} cannot be fetched, or is not the file that the build made (${error.message}): ${MIXED}`);
  });
  if (!response.ok) throw new Error(`${url} answered with status ${response.status}`);
  return response;
}

/**
 * Fetch and use a file; if that fails, try again without the browser's cache, whose copy may be damaged.
 * @template Value @param {Asset} asset @param {(response: Response) => Promise<Value>} use @returns {Promise<Value>}
 */
export async function fetchAnd(asset, use) {
  return fetchAsset(asset)
    .then(use)
    .catch(() => fetchAsset(asset, { cache: 'reload' }).then(use));
}

/** @param {string} hexadecimal */
function base64(hexadecimal) {
  const bytes = hexadecimal.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes));
}

/** Return the SHA-256 of bytes, in hexadecimal; insecure origins do not have it. @param {BufferSource} bytes */
export async function sha256Of(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
