// @ts-check
// Whether workers are held to the page's Content-Security-Policy. A worker that the network brings has
// that of its own response and no other: without one Python may connect to where the page may not.
import { isDirectlyRun } from '../scheduler/place.js';

/** @typedef {import('../shared/messages.d.ts').WorkerCalls['policies']} Policies */

const META = 'meta[http-equiv="content-security-policy" i]';
// While the first images come, they have what there is of the machine.
const LATER_MS = 3000;
const NOT_HELD =
  "this page has a Content-Security-Policy and worker.mjs is served without one, so that what Python fetches is not held to the page's connect-src: serve worker.mjs with the page's Content-Security-Policy header";

/**
 * Find what is wrong with the policies, when the machine has time for it. Workers ask for the
 * headers, since nothing is reported of one without a policy.
 * @param {import('../shared/assets.js').Assets} assets
 * @param {(payload: Policies['payload']) => Promise<Policies['result']>} ask asks a worker
 * @returns {Promise<string[]>}
 */
export async function policyWarnings(assets, ask) {
  await new Promise((resolve) => void setTimeout(resolve, LATER_MS));
  // Of a script of another origin the worker is a copy, which has the page's policy.
  if (!isDirectlyRun(assets)) return [];
  const hasMeta = document.querySelector(META) !== null;
  const [entry] = performance.getEntriesByType('navigation');
  const page = !hasMeta && entry && /^https?:/.test(entry.name) ? entry.name : undefined;
  const found = await ask({ page });
  return found.worker === false && (hasMeta || found.page) ? [NOT_HELD] : [];
}
