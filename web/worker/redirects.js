// @ts-check
// Sends requests and follows their redirects. Browsers remove only Authorization from a redirect to another origin,
// and keep it on one that leads out of a service: so each address on the way gets only the headers meant for it.
import { isNamed, openHeaders, secretNames } from '../shared/secrets.js';

/**
 * @typedef {{url: string, headers: Record<string, string>, credentials: RequestCredentials, withheld: string[]}}
 *   Prepared a request as it is sent, and the names of the withheld secrets
 */
/**
 * @typedef {{url: string, status: number, headers: Record<string, string>, hasAuthorization?: boolean, withheld?:
 *   string[]}} Head of a response; `hasAuthorization`: its request had that header; `withheld`: secrets not sent with
 *   it
 */
/** @typedef {import('../shared/idle_timeout.js').IdleTimeout} IdleTimeout */
/** @typedef {import('./fetch.js').Request} Request */
/** @typedef {import('./fetch.js').Settings} Settings */
/**
 * @typedef {{settings: Settings, prepare: (wanted: Request) => Promise<Prepared>, signal: AbortSignal, watch:
 *   IdleTimeout}} Sending `prepare` returns a request as it is sent
 */

const MOST_REDIRECTS = 5;

/**
 * Send a request, and follow its redirects.
 * @param {Request} wanted @param {Sending} sending @param {number} [redirects] so far
 * @returns {Promise<[Head, Response]>}
 */
export async function openHttp(wanted, sending, redirects = 0) {
  const { settings, prepare, signal, watch } = sending;
  const { url, headers, credentials, withheld } = await prepare(wanted);
  const priority = /** @type {RequestPriority} */ (wanted.urgency?.[0] ? 'low' : 'auto');
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
  const further = isSame ? wanted.headers : openHeaders(wanted.headers);
  return openHttp({ ...wanted, url: followed.url, headers: further }, sending, redirects + 1);
}

/**
 * Return credentials without cookies for other origins.
 * @param {RequestCredentials} credentials @returns {RequestCredentials}
 */
export function withoutCookies(credentials) {
  return credentials === 'include' ? 'same-origin' : credentials;
}

/** @param {Response} response @param {Record<string, string>} sent @param {string[]} withheld @returns {Head} */
function headOf({ url, status, headers }, sent, withheld) {
  const hasAuthorization = Object.keys(sent).some((name) => name.toLowerCase() === 'authorization');
  const head = { url, status, headers: Object.fromEntries(headers), hasAuthorization };
  return withheld.length ? { ...head, withheld } : head;
}
