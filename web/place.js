// @ts-check
// Where an interpreter runs: a worker, or this page.
/** @typedef {import('./slot.js').Place} Place */

const PROBE_MS = 5000;

/**
 * @param {string} assetsURL
 * @param {boolean} inWorker
 * @param {(words: string) => void} onError hears of errors that nobody caught, and why a worker's script did not run
 * @returns {Promise<Place>}
 */
export function createPlace(assetsURL, inWorker, onError) {
  const url = new URL('worker.mjs', assetsURL).href;
  return inWorker ? createWorker(url, onError) : createOnPage(url);
}

/** @param {string} url @param {(words: string) => void} onError @returns {Promise<Place>} */
async function createWorker(url, onError) {
  const worker = new Worker(...workerSource(url));
  // Of a script that did not run browsers say nothing.
  worker.addEventListener('error', async (event) => onError(event.message || (await reasonOf(url))));
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
  const { serve } = await import(/* @vite-ignore */ url).catch(async (error) => {
    throw new Error(`${url} cannot be imported: ${error.message}; ${await reasonOf(url)}`);
  });
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  return Object.assign(port1, { terminate: () => (port1.close(), port2.close()) });
}

/** Why a script cannot be run, as far as that can be found out. @param {string} url @returns {Promise<string>} */
async function reasonOf(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) }).catch(() => undefined);
  if (!answer) return `${url} cannot be fetched`;
  await answer.body?.cancel();
  const type = answer.headers.get('Content-Type') ?? '';
  if (!answer.ok) return `${url} answered with status ${answer.status}`;
  if (type.startsWith('text/html')) return `${url} is a web page, as some servers answer to every address`;
  if (!/javascript|ecmascript/.test(type)) return `${url} comes as '${type}', and browsers run text/javascript alone`;
  return `${url} may not be run here`;
}
