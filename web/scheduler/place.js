// @ts-check
// Creates the place where an interpreter runs: a worker, or this page. The page's script has the digest of the
// worker's script, which covers all files that Python starts from. The browser verifies it, except for a worker
// created from the script's own address, which takes no digest.
import { assetWith, fetchAsset, integrityOf } from '../shared/assets.js';
import { PyLoaderError, messageOf } from '../shared/errors.js';
import { MIXED } from '../shared/version.js';
import { trustedWorker } from '../shared/trusted_types.js';

/** @typedef {import('./worker_handle.js').Place} Place */
/** @typedef {import('../shared/assets.js').Asset} Asset */
/** @typedef {import('../shared/assets.js').Assets} Assets */

const PROBE_MS = 5000;
const NAMED = { type: /** @type {const} */ ('module'), name: 'pyloader' };

/**
 * @param {Assets} assets
 * @param {boolean} inWorker
 * @param {(words: string) => void} onError called with uncaught errors, and with the reason why a script did not run
 * @returns {Promise<Place>}
 */
export async function createPlace(assets, inWorker, onError) {
  const isDirect = inWorker && isDirectlyRun(assets);
  const asset = workerAsset(assets, isDirect ? 'worker.mjs' : 'whole-worker.mjs');
  return inWorker ? createWorker(asset, isDirect, onError) : createOnPage(asset, areData(assets));
}

/**
 * Return the worker's script, or the one that includes all other scripts too.
 * @param {Assets} assets @param {string} name
 */
function workerAsset(assets, name) {
  return assetWith(assets, name, [PYLOADER_WORKERS[name]]);
}

/** Return true if a bundler serves the scripts as data, since it would change scripts. @param {Assets} assets */
function areData({ assetURLs }) {
  return assetURLs !== undefined && !assetURLs['worker.mjs'];
}

/** Return true if a worker can be created from its script's own address. @param {Assets} assets */
export function isDirectlyRun(assets) {
  if (areData(assets)) return false;
  const { origin, protocol } = new URL(workerAsset(assets, 'worker.mjs').url);
  return protocol === 'file:' || origin === self.origin; // a sandboxed frame has the origin 'null', which no URL has
}

/**
 * @param {Asset} asset @param {boolean} isDirect true to create the worker from the script's own address
 * @param {(words: string) => void} onError @returns {Promise<Place>}
 */
async function createWorker(asset, isDirect, onError) {
  const worker = workerOf(isDirect ? asset.url : await copyOf(asset));
  const reason = async () =>
    isDirect
      ? reasonOf(asset.url)
      : `a copy of ${asset.url} may not be run here: ` +
        `the page's Content-Security-Policy needs worker-src ${self.origin === 'null' ? 'data:' : 'blob:'}`;
  // Browsers give no message for a script that did not run.
  worker.addEventListener('error', async (event) => onError(event.message || (await reason())));
  worker.addEventListener('messageerror', () => onError('a message could not be read'));
  return worker;
}

/** @param {string} url */
function workerOf(url) {
  try {
    return new Worker(trustedWorker(url), NAMED);
  } catch (error) {
    if (!/trusted/i.test(messageOf(error))) throw error;
    throw refused(
      'this page runs only scripts that a Trusted Types policy has passed, and allows pyloader no policy: ' +
        'its Content-Security-Policy needs `trusted-types pyloader`, ' +
        `or also 'allow-duplicates' when pyloader.js is on the page twice (${messageOf(error)})`,
    );
  }
}

/** @param {string} message */
function refused(message) {
  return new PyLoaderError({
    name: 'BootError',
    code: 'boot',
    stage: 'boot',
    message: `Python could not start: ${message}`,
  });
}

/** Addresses of copies made so far, by the address of the script. @type {Map<string, string>} */
const copies = new Map();

/**
 * Return the address of a verified copy of a script: no worker can be created from data or another origin.
 * @param {Asset} asset
 */
async function copyOf(asset) {
  const known = copies.get(asset.url);
  if (known) return known;
  const response = await fetchAsset(asset).catch(async (error) => {
    if (self.origin === 'null')
      throw refused(
        'this frame is sandboxed and has no origin: the server of dist/ has to send Access-Control-Allow-Origin: *, ' +
          `or the frame's sandbox needs allow-same-origin (${error.message})`,
      );
    throw new Error(`${error.message}; ${await reasonOf(asset.url)}`);
  });
  const script = await response.text();
  // A frame with an opaque origin cannot run a module from a Blob: its URL has another opaque origin.
  const copy =
    self.origin === 'null'
      ? `data:text/javascript;charset=utf-8,${encodeURIComponent(script)}`
      : URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  copies.set(asset.url, copy);
  return copy;
}

/** @param {Asset} asset @param {boolean} isData @returns {Promise<Place>} */
async function createOnPage(asset, isData) {
  const url = isData ? await copyOf(asset) : asset.url;
  const { serve } = await (isData ? Promise.resolve() : preload(asset))
    .then(() => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ url))
    .catch(async (error) => {
      const reason = isData
        ? "the page's Content-Security-Policy needs script-src blob: for a copy of it"
        : await reasonOf(url);
      throw new Error(`${asset.url} cannot be imported: ${error.message}; ${reason}`);
    });
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  const terminate = () => {
    port1.close();
    port2.close();
  };
  return Object.assign(port1, { terminate });
}

/**
 * Fetch a script into the page's module map, where import() finds it; import() itself takes no digest.
 * @param {Asset} asset @returns {Promise<void>}
 */
function preload(asset) {
  const link = document.createElement('link');
  Object.assign(link, {
    rel: 'modulepreload',
    integrity: integrityOf(asset),
    crossOrigin: 'anonymous',
    href: asset.url,
  });
  return /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      link.addEventListener('load', () => resolve(undefined));
      link.addEventListener('error', () =>
        reject(new Error(`it cannot be fetched, or is not the file that the build made: ${MIXED}`)),
      );
      document.head.append(link);
    })
  ).finally(() => link.remove());
}

/** Find out why a script cannot be run. @param {string} address @returns {Promise<string>} */
async function reasonOf(address) {
  const [url] = address.split('?'); // without the digest, which is of no use to a reader
  const response = await fetch(address, { signal: AbortSignal.timeout(PROBE_MS) }).catch(() => undefined);
  if (!response) return `${url} cannot be fetched`;
  await response.body?.cancel();
  const type = response.headers.get('Content-Type') ?? '';
  if (!response.ok) return `${url} answered with status ${response.status}`;
  if (type.startsWith('text/html')) return `${url} is a web page, which some servers send for every address`;
  if (!/javascript|ecmascript/.test(type)) return `${url} comes as '${type}', but browsers run only text/javascript`;
  return `${url} may not be run here, or is of another build than pyloader.js`;
}
