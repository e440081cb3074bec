// @ts-check
// Decides which origins get the page's secrets: its headers, its hooks and its cookies. Only the page's own
// origin and the origins that the page names get them.

/**
 * @typedef {{baseURL: string, origins: string[], headers: Record<string, string>, credentials: RequestCredentials,
 *   hooks: string[], services: Map<string, Record<string, string>>, granted: Map<string, Record<string, string>>}}
 *   Secrets `services` and `granted` are further headers, by base address; `hooks` the names of the page's hooks
 */

// Headers without information on the user: they may follow a redirect, and another origin need not allow them.
const OPEN_HEADERS = new Set(['accept', 'accept-language', 'content-language', 'range']);
const MOST_DECODINGS = 8;

/**
 * Return true if the page shares its secrets with an address.
 * @param {string} url absolute
 * @param {Pick<Secrets, 'baseURL' | 'origins'> & {services?: Map<string, unknown>}} secrets
 */
export function isNamed(url, { baseURL, origins, services }) {
  const { origin } = new URL(url);
  const hasOrigin = (/** @type {string} */ address) => new URL(address, baseURL).origin === origin;
  return origin !== 'null' && [baseURL, ...origins, ...(services?.keys() ?? [])].some(hasOrigin);
}

/**
 * Choose the secrets that are sent to an address on the page's behalf, and name those that are withheld.
 * @param {string} url absolute @param {Secrets} secrets
 * @returns {{headers: Record<string, string>, credentials: RequestCredentials, withheld: string[]}}
 */
export function secretsFor(url, secrets) {
  const { headers, credentials, hooks } = secrets;
  if (isNamed(url, secrets)) return { headers: merge(headers, headersBelow(url, secrets)), credentials, withheld: [] };
  const cookies = credentials === 'include';
  return {
    headers: {},
    credentials: cookies ? 'same-origin' : credentials,
    withheld: [...Object.keys(headers), ...(cookies ? ['cookies'] : []), ...hooks],
  };
}

/**
 * Return the headers that the page has given for services at an address.
 * @param {string} url absolute @param {Secrets} secrets
 */
function headersBelow(url, { services, granted, baseURL }) {
  const found = [...services, ...granted].filter(([base]) => isBelow(url, new URL(base, baseURL).href));
  return merge(...found.map(([, headers]) => headers));
}

/** Return true if an address equals that of a service, or is below it. @param {string} url @param {string} base */
function isBelow(url, base) {
  const [address, root] = [new URL(url), new URL(base)];
  if (address.origin !== root.origin || climbs(address.pathname)) return false;
  return address.pathname === root.pathname || address.pathname.startsWith(root.pathname.replace(/\/?$/, '/'));
}

/**
 * Return true if a server may read a segment of a path as `..`: some servers decode a path, even twice.
 * @param {string} path of a URL, which has no plain dot segments
 */
function climbs(path) {
  let [encoded, plain] = ['', path];
  for (let times = 0; encoded !== plain; times++) {
    if (times === MOST_DECODINGS) return true;
    [encoded, plain] = [plain, plain.replace(/%(2e|2f|5c|25)/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))];
  }
  return plain.split(/[/\\]/).some((step) => step === '..');
}

/**
 * Merge sets of headers: later ones win, and the case of names does not matter.
 * @param {(Record<string, string> | undefined)[]} sets @returns {Record<string, string>}
 */
export function merge(...sets) {
  /** @type {Map<string, [string, string]>} */
  const merged = new Map();
  for (const [name, value] of sets.flatMap((set) => Object.entries(set ?? {})))
    merged.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(merged.values());
}

/** Return the names of headers with information on the user. @param {Record<string, string>} headers */
export function secretNames(headers) {
  return Object.keys(headers).filter((name) => !OPEN_HEADERS.has(name.toLowerCase()));
}

/** Return the headers without information on the user. @param {Record<string, string>} headers */
export function openHeaders(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => OPEN_HEADERS.has(name.toLowerCase())));
}
