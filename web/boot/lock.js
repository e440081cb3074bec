// @ts-check
// The list of the files of dist/pyodide/ with their digests, which the build writes into the worker.
import { assetWith } from '../shared/assets.js';

/** @typedef {import('../shared/assets.js').Asset} Asset */
/** @typedef {import('../shared/assets.js').Assets} Assets */
/**
 * @typedef {{name: string, version: string, file_name: string, sha256: string, depends: string[], imports: string[]}}
 *   Row a package
 */
/**
 * @typedef {{file_name: string, path: string, starting: boolean}} LibraryRow a shared library; `path` is where Python
 *   looks for it, `starting` is true if Python starts with it
 */
/** @typedef {{unpacked: string, packed: string}} SnapshotRow digests of the snapshot, unpacked and as a gzip file */
/**
 * @typedef {{info: {python: string}, packages: Record<string, Row>, starting: string[], standard: string[], libraries:
 *   Record<string, LibraryRow>, digests: Record<string, string>, identity: string, snapshot: SnapshotRow}} Lock
 */

/** @type {Lock} pyodide-lock.json, with a digest of all that it lists (`identity`), and those of the snapshot */
export const LOCK = PYLOADER_LOCK;

/** Return the folder of Python's packages. @param {string} version of Python, such as `3.13.2` */
export function sitePackages(version = LOCK.info.python) {
  return `/lib/python${minorOf(version).join('.')}/site-packages`;
}

/** Return the path of Python's standard library. */
export function standardLibraryPath() {
  return `/lib/python${minorOf(LOCK.info.python).join('')}.zip`;
}

/** @param {string} version */
function minorOf(version) {
  return version.split('.').slice(0, 2);
}

/** @param {Assets} assets @param {string} file of dist/pyodide/, not a wheel @returns {Asset} */
export function assetOf(assets, file) {
  return assetWith(assets, `pyodide/${file}`, [LOCK.digests[file]]);
}

/** @param {Assets} assets @returns {Asset} the snapshot: a gzip file, or unpacked if the server sends it with brotli */
export function snapshotAsset(assets) {
  return assetWith(assets, 'pyodide/snapshot.bin', [LOCK.snapshot.unpacked, LOCK.snapshot.packed]);
}
