// @ts-check
// Checks whether the page's Content-Security-Policy applies to workers. A worker with a network address has
// only the policy of its own response: without one, Python may connect to servers that the page may not.
import { isDirectlyRun } from '../scheduler/place.js';

/** @typedef {import('../shared/messages.d.ts').WorkerCalls['policies']} Policies */

const META = 'meta[http-equiv="content-security-policy" i]';
// Leaves the machine to the first images.
const LATER_MS = 3000;
const NOT_APPLIED =
  'this page has a Content-Security-Policy but worker.mjs is served without one, ' +
  "so the page's connect-src does not apply to requests of Python: " +
  "serve worker.mjs with the page's Content-Security-Policy header";

/**
 * Find problems of the policies, some seconds after the start. A worker looks at the headers, since browsers
 * report nothing about a worker without a policy.
 * @param {import('../shared/assets.js').Assets} assets
 * @param {(payload: Policies['payload']) => Promise<Policies['result']>} ask asks a worker
 * @returns {Promise<string[]>}
 */
export async function policyWarnings(assets, ask) {
  await new Promise((resolve) => void setTimeout(resolve, LATER_MS));
  // A script of another origin runs as a copy, which has the page's policy.
  if (!isDirectlyRun(assets)) return [];
  const hasMeta = document.querySelector(META) !== null;
  const [entry] = performance.getEntriesByType('navigation');
  const page = !hasMeta && entry && /^https?:/.test(entry.name) ? entry.name : undefined;
  const found = await ask({ page });
  return found.worker === false && (hasMeta || found.page) ? [NOT_APPLIED] : [];
}
