// @ts-check
// Where an interpreter runs: a worker, or this page.
import { PyLoaderError } from './errors.js';

/** @typedef {import('./slot.js').Place} Place */

/**
 * @param {string} assetsURL
 * @param {boolean} inWorker
 * @param {(words: string) => void} onError hears of errors that nobody caught
 * @returns {Promise<Place>}
 */
export function createPlace(assetsURL, inWorker, onError) {
  const url = new URL('worker.mjs', assetsURL).href;
  return inWorker ? createWorker(url, onError) : createOnPage(url);
}

/** @param {string} url @param {(words: string) => void} onError @returns {Promise<Place>} */
async function createWorker(url, onError) {
  const worker = new Worker(...workerSource(url));
  worker.addEventListener('error', (event) => onError(event.message || `${url} cannot be loaded`));
  worker.addEventListener('messageerror', () => onError('a message could not be read'));
  return worker;
}

/**
 * A worker cannot be made of a script on another origin, but a script on this one may import it.
 * @param {string} url
 * @returns {[string, WorkerOptions]}
 */
function workerSource(url) {
  const here = new URL(url).origin === location.origin;
  const bootstrap = () => URL.createObjectURL(new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' }));
  return [here ? url : bootstrap(), { type: 'module', name: 'pyloader' }];
}

/** @param {string} url @returns {Promise<Place>} */
async function createOnPage(url) {
  const { serve } = await import(/* @vite-ignore */ url).catch((error) => {
    throw new PyLoaderError({ name: 'BootError', code: 'boot', stage: 'boot', url, message: `${url} cannot be imported: ${error.message}` });
  });
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  return Object.assign(port1, { terminate: () => (port1.close(), port2.close()) });
}
