// @ts-check
// Keeps the unpacked snapshot in Cache Storage for the user's next visit: to unpack it again takes a fifth of a start.
// All scripts of the origin can write there, so a cached file is used only if it has the digest in this script.
// Without Cache Storage, or if the file is another one, `file` resolves to undefined.
import { sha256Of } from '../shared/assets.js';

/** @typedef {import('../shared/assets.js').Asset} Asset */

const STORAGE = 'pyloader';
// Longest wait for the storage, which must not delay a start.
const PATIENCE_MS = 2000;
// Delay before the file is written: the first images should have the machine to themselves.
const LATER_MS = 3000;

export class SnapshotCache {
  /** @param {Asset} asset the packed file; its first digest is that of the unpacked one */
  constructor(asset) {
    this.asset = asset;
    const search = findKept(asset);
    /** Resolves to true if an earlier visit left a file, which is not verified yet. @type {Promise<boolean>} */
    this.isFound = inTime(search).then(Boolean);
    /** Resolves to that file if its digest is right. @type {Promise<ArrayBuffer | undefined>} */
    this.file = inTime(search.then((found) => readKept(found, asset)));
  }

  /**
   * Write the file after a while, if it is not cached yet, and delete those of other builds.
   * @param {ArrayBuffer} file
   */
  async keep(file) {
    if (!isSecureContext || (await this.file)) return; // by http, others could alter it, and there are no digests
    setTimeout(() => writeKept(this.asset.url, file).catch(() => {}), LATER_MS); // refused, or no room left
  }
}

/** @param {Asset} asset @returns {Promise<Response | undefined>} */
async function findKept({ url }) {
  if (!isSecureContext) return undefined;
  const storage = await caches.open(STORAGE);
  return storage.match(url);
}

/** @param {Response | undefined} found @param {Asset} asset @returns {Promise<ArrayBuffer | undefined>} */
async function readKept(found, { sha256 }) {
  const file = await found?.arrayBuffer();
  return file && (await sha256Of(file)) === sha256[0] ? file : undefined;
}

/**
 * Await a promise; return undefined if it fails or takes too long.
 * @template Value @param {Promise<Value>} work @returns {Promise<Value | undefined>}
 */
function inTime(work) {
  const late = new Promise((resolve) => void setTimeout(resolve, PATIENCE_MS));
  return Promise.race([work, late]).catch(() => undefined);
}

/** @param {string} url @param {ArrayBuffer} file */
async function writeKept(url, file) {
  const storage = await caches.open(STORAGE);
  const { pathname } = new URL(url);
  const others = (await storage.keys()).filter((request) => new URL(request.url).pathname === pathname);
  await Promise.all(others.map((request) => storage.delete(request)));
  await storage.put(url, new Response(file));
}
