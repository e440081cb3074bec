// @ts-check
// Runs Python in a module worker, or on the page itself for `workers: 0` (then over a MessagePort).
// handlers.js passes the page's calls to pyloader.browser.bridge.
import { Rpc } from '../shared/rpc.js';
import { handlersOf } from './handlers.js';
import { Interpreter } from './interpreter.js';

/** @typedef {import('../shared/rpc.js').Endpoint} Endpoint */

/**
 * Handle the page's calls.
 * @param {Endpoint} endpoint
 */
export function serve(endpoint) {
  const interpreter = new Interpreter(() => page);
  /** @type {import('./interpreter.js').Page} */
  const page = new Rpc(endpoint, handlersOf(interpreter));
}

if (typeof WorkerGlobalScope !== 'undefined' && globalThis instanceof WorkerGlobalScope) {
  serve(/** @type {Endpoint} */ (/** @type {unknown} */ (globalThis)));
}
