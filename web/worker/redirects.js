// @ts-check
// Requests along their redirects. Browsers take only Authorization away from one to another origin, and
// leave it on one that leads out of a service: so each address on the way is asked with what is meant for it.
import { isNamed, openHeaders, secretNames } from '../shared/secrets.js';

/**
 * @typedef {{url: string, headers: Record<string, string>, credentials: RequestCredentials, withheld: string[]}}
 *   Prepared as it is sent, and the names of what is kept back
 */
/**
 * @typedef {{url: string, status: number, headers: Record<string, string>, hasAuthorization?: boolean, withheld?:
 *   string[]}} Head of an answer; whether its request had an Authorization, and what was kept back from it
 */
/** @typedef {import('../shared/idle_timeout.js').IdleTimeout} IdleTimeout */
/** @typedef {import('./fetch.js').Request} Request */
/** @typedef {import('./fetch.js').Settings} Settings */
/**
 * @typedef {{settings: Settings, prepare: (asked: Request) => Promise<Prepared>, signal: AbortSignal, watch:
 *   IdleTimeout}} Way `prepare` makes a request as it is sent
 */

const MOST_REDIRECTS = 5;

/**
 * Fetch, and follow where that leads.
 * @param {Request} asked @param {Way} way @param {number} [redirects] so far
 * @returns {Promise<[Head, Response]>}
 */
export async function openHttp(asked, way, redirects = 0) {
  const { settings, prepare, signal, watch } = way;
  const { url, headers, credentials, withheld } = await prepare(asked);
  const priority = /** @type {RequestPriority} */ (asked.isUrgent === false ? 'low' : 'auto');
  const init = { headers, credentials, priority, signal };
  const isOpen = !secretNames(headers).length && credentials !== 'include';
  const response = await fetch(url, isOpen ? init : { ...init, redirect: 'manual' });
  watch.restart();
  if (response.type !== 'opaqueredirect') return [headOf(response, headers, withheld), response];
  const open = { ...init, headers: openHeaders(headers), credentials: withoutCookies(credentials) };
  const followed = await fetch(url, open);
  watch.restart();
  const isSame = new URL(followed.url).origin === new URL(url).origin;
  const mayKnow = isSame || (isNamed(url, settings) && isNamed(followed.url, settings));
  if (!mayKnow || redirects === MOST_REDIRECTS) {
    return [headOf(followed, open.headers, secretNames(headers)), followed];
  }
  await followed.body?.cancel();
  const further = isSame ? asked.headers : openHeaders(asked.headers);
  return openHttp({ ...asked, url: followed.url, headers: further }, way, redirects + 1);
}

/** Without cookies for another origin. @param {RequestCredentials} credentials @returns {RequestCredentials} */
export function withoutCookies(credentials) {
  return credentials === 'include' ? 'same-origin' : credentials;
}

/** @param {Response} response @param {Record<string, string>} sent @param {string[]} withheld @returns {Head} */
function headOf({ url, status, headers }, sent, withheld) {
  const hasAuthorization = Object.keys(sent).some((name) => name.toLowerCase() === 'authorization');
  const head = { url, status, headers: Object.fromEntries(headers), hasAuthorization };
  return withheld.length ? { ...head, withheld } : head;
}
