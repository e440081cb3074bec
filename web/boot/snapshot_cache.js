// @ts-check
// The snapshot unpacked, kept in Cache Storage for the visitor's next visit: to unpack it again takes a
// fifth of a start. All scripts of the origin can write there, so that what it gives counts only
// with the digest that stands in this script. Where the storage is not to be had, or what it gives is
// another file, there is none.
import { sha256Of } from '../shared/assets.js';

/** @typedef {import('../shared/assets.js').Asset} Asset */

const STORAGE = 'pyloader';
// A storage that does not answer must not hold a start up.
const PATIENCE_MS = 2000;
// While the first images come, they have what there is of the machine.
const LATER_MS = 3000;

export class SnapshotCache {
  /** @param {Asset} asset the packed file, whose first digest is that of what it holds */
  constructor(asset) {
    this.asset = asset;
    const answer = findKept(asset);
    /** True when an earlier visit left a file, which may yet be another one. @type {Promise<boolean>} */
    this.isFound = inTime(answer).then(Boolean);
    /** That file, if it is this one. @type {Promise<ArrayBuffer | undefined>} */
    this.file = inTime(answer.then((found) => readKept(found, asset)));
  }

  /** Keep the file, if it is not, in place of those of other builds; not before the machine has time. @param {ArrayBuffer} file */
  async keep(file) {
    if (!isSecureContext || (await this.file)) return; // who is between could have written it, and there is no digest
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

/** Nothing, when it fails or takes too long. @template Value @param {Promise<Value>} work @returns {Promise<Value | undefined>} */
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
