// @ts-check
// The files of dist/pyodide/: their list, which the build writes in, and how they are fetched.

/** @typedef {{name: string, version: string, file_name: string, sha256: string, depends: string[], imports: string[]}} Row a package */
/** @typedef {{file_name: string, path: string, starting: boolean}} LibraryRow a shared library, and where Python looks for it */
/** @typedef {{info: any, packages: Record<string, Row>, starting: string[], standard: string[], libraries: Record<string, LibraryRow>, digests: Record<string, string>, identity: string}} Lock */

/** @type {Lock} pyodide-lock.json, with the digest of all that it lists */
// @ts-ignore -- the build writes it in
export const LOCK = PYLOADER_LOCK;

/**
 * The address of a file. It holds the file's digest, so that no cache gives one of another build.
 * @param {string} indexURL of dist/pyodide/ @param {string} file
 */
export function addressOf(indexURL, file) {
  return `${indexURL}${file}?${(LOCK.digests[file] ?? LOCK.identity).slice(0, 12)}`;
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<Response>} */
export async function fetchAsset(url, options) {
  const answer = await fetch(url, options).catch((error) => {
    throw new Error(`${url} cannot be fetched, or is not the file that the build made (${error.message})`);
  });
  if (!answer.ok) throw new Error(`${url} answered with status ${answer.status}`);
  return answer;
}

/**
 * Fetch and use a file; when that fails, once more past the browser's cache, whose copy may be torn.
 * @template Value @param {string} url @param {(answer: Response) => Promise<Value>} use @returns {Promise<Value>}
 */
export async function fetchAnd(url, use) {
  return fetchAsset(url).then(use).catch(() => fetchAsset(url, { cache: 'reload' }).then(use));
}
