// @ts-check
// How the files of dist/ are fetched. Of each the script that asks for it has the digest, and was
// verified itself by who loaded it: another file than the build made is an error, and never used.
import { MIXED } from './version.js';

/** @typedef {{assetsURL: string, assetURLs?: Record<string, string>}} Assets where the files of dist/ are: in a folder, or each where a bundler has put it */
/** @typedef {{url: string, sha256: string[]}} Asset a file, and the digests that it may have, in hexadecimal */

/**
 * A file of dist/, whose address holds its digest, so that no cache gives one of another build.
 * @param {Assets} assets @param {string} file its path in dist/ @param {string[]} sha256 @returns {Asset}
 */
export function assetWith({ assetsURL, assetURLs }, file, sha256) {
  const url = assetURLs?.[file] ?? `${assetsURL}${file}`;
  return { url: `${url}${url.includes('?') ? '&' : '?'}${sha256[0].slice(0, 12)}`, sha256 };
}

/** The digests of a file as the platform writes them. @param {Asset} asset */
export function integrityOf({ sha256 }) {
  return sha256.map((each) => `sha256-${base64(each)}`).join(' ');
}

/**
 * Fetch a file, of which the browser gives nothing before it has all and has verified it.
 * @param {Asset} asset @param {RequestInit} [options] @returns {Promise<Response>}
 */
export async function fetchAsset(asset, options) {
  const { url } = asset;
  const answer = await fetch(url, { integrity: integrityOf(asset), ...options }).catch((error) => {
    throw new Error(`${url} cannot be fetched, or is not the file that the build made (${error.message}): ${MIXED}`);
  });
  if (!answer.ok) throw new Error(`${url} answered with status ${answer.status}`);
  return answer;
}

/**
 * Fetch and use a file; when that fails, once more past the browser's cache, whose copy may be torn.
 * @template Value @param {Asset} asset @param {(answer: Response) => Promise<Value>} use @returns {Promise<Value>}
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

/** The SHA-256 of bytes, in hexadecimal; not to be had on an insecure origin. @param {BufferSource} bytes */
export async function sha256Of(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
