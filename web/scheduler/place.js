// @ts-check
// Where an interpreter runs: a worker, or this page. The page's script has the digest of the worker's,
// which stands for all that Python starts from. A browser verifies it wherever the script is not the
// worker's own address: there it takes no digest.
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
 * @param {(words: string) => void} onError hears of errors that nobody caught, and why a worker's script did not run
 * @returns {Promise<Place>}
 */
export async function createPlace(assets, inWorker, onError) {
  const isDirect = inWorker && isDirectlyRun(assets);
  const asset = workerAsset(assets, isDirect ? 'worker.mjs' : 'whole-worker.mjs');
  return inWorker ? createWorker(asset, isDirect, onError) : createOnPage(asset, areData(assets));
}

/** The worker's script, or the one that has all other scripts in it too. @param {Assets} assets @param {string} name */
function workerAsset(assets, name) {
  return assetWith(assets, name, [PYLOADER_WORKERS[name]]);
}

/** Tell whether a bundler has scripts as data, since it would change them as scripts. @param {Assets} assets */
function areData({ assetURLs }) {
  return assetURLs !== undefined && !assetURLs['worker.mjs'];
}

/** Tell whether a worker can be made of the address of its script itself. @param {Assets} assets */
export function isDirectlyRun(assets) {
  if (areData(assets)) return false;
  const { origin, protocol } = new URL(workerAsset(assets, 'worker.mjs').url);
  return protocol === 'file:' || origin === self.origin; // of a sandboxed frame 'null', as no address has
}

/** @param {Asset} asset @param {boolean} isDirect whether the worker is made of its address @param {(words: string) => void} onError @returns {Promise<Place>} */
async function createWorker(asset, isDirect, onError) {
  const worker = workerOf(isDirect ? asset.url : await copyOf(asset));
  const reason = async () =>
    isDirect
      ? reasonOf(asset.url)
      : `a copy of ${asset.url} may not be run here: the page's Content-Security-Policy needs worker-src ${self.origin === 'null' ? 'data:' : 'blob:'}`;
  // Of a script that did not run browsers say nothing.
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
      `this page runs only what a policy of Trusted Types has passed, and allows none to pyloader: its Content-Security-Policy needs \`trusted-types pyloader\`, or 'allow-duplicates' beside it when pyloader.js is on the page twice (${messageOf(error)})`,
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

/** Those that were made, by the address of the script. @type {Map<string, string>} */
const copies = new Map();

/** The address of a copy of a script, verified: of one of another origin, or of data, no worker can be made. @param {Asset} asset */
async function copyOf(asset) {
  const known = copies.get(asset.url);
  if (known) return known;
  const answer = await fetchAsset(asset).catch(async (error) => {
    if (self.origin === 'null')
      throw refused(
        `this frame is sandboxed and of no origin: the server of dist/ has to send Access-Control-Allow-Origin: *, or the frame's sandbox to have allow-same-origin (${error.message})`,
      );
    throw new Error(`${error.message}; ${await reasonOf(asset.url)}`);
  });
  const script = await answer.text();
  // A frame without an origin cannot make a module of a Blob: it is of no origin either, but another one.
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
 * Fetch a script into the page's map of modules, from where import() takes it: itself it takes no digest.
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
        reject(new Error(`it did not come, or is not the file that the build made: ${MIXED}`)),
      );
      document.head.append(link);
    })
  ).finally(() => link.remove());
}

/** Find out why a script cannot be run. @param {string} address @returns {Promise<string>} */
async function reasonOf(address) {
  const [url] = address.split('?'); // the digest says nothing to who reads it
  const answer = await fetch(address, { signal: AbortSignal.timeout(PROBE_MS) }).catch(() => undefined);
  if (!answer) return `${url} cannot be fetched`;
  await answer.body?.cancel();
  const type = answer.headers.get('Content-Type') ?? '';
  if (!answer.ok) return `${url} answered with status ${answer.status}`;
  if (type.startsWith('text/html')) return `${url} is a web page, as some servers answer to every address`;
  if (!/javascript|ecmascript/.test(type)) return `${url} comes as '${type}', and browsers run text/javascript alone`;
  return `${url} may not be run here, or is of another build than pyloader.js`;
}
