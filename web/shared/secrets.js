// @ts-check
// Which origins have the page's secrets: its headers, its hooks and its cookies. The page's own
// origin has them, those that the page names, and no other.

/** @typedef {{baseURL: string, origins: string[], headers: Record<string, string>, credentials: RequestCredentials, hooks: string[], services: Map<string, Record<string, string>>, granted: Map<string, Record<string, string>>}} Secrets `services` and `granted` are further headers by what an address begins with; `hooks` the names of those that the page has */

// Headers that say nothing of the user: they may follow a redirect, and need no leave of another origin.
const OPEN_HEADERS = new Set(['accept', 'accept-language', 'content-language', 'range']);
const MOST_DECODINGS = 8;

/**
 * Tell whether the page lets an address have its secrets.
 * @param {string} url absolute
 * @param {Pick<Secrets, 'baseURL' | 'origins'> & {services?: Map<string, unknown>}} secrets
 */
export function isNamed(url, { baseURL, origins, services }) {
  const { origin } = new URL(url);
  const isIts = (/** @type {string} */ address) => new URL(address, baseURL).origin === origin;
  return origin !== 'null' && [baseURL, ...origins, ...(services?.keys() ?? [])].some(isIts);
}

/**
 * Choose what is sent to an address on the page's behalf, and what is kept back from it.
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

/** The headers that services have been given for an address. @param {string} url absolute @param {Secrets} secrets */
function headersBelow(url, { services, granted, baseURL }) {
  const found = [...services, ...granted].filter(([base]) => isBelow(url, new URL(base, baseURL).href));
  return merge(...found.map(([, headers]) => headers));
}

/** Tell whether an address is that of a service, or stands below it. @param {string} url @param {string} base */
function isBelow(url, base) {
  const [asked, root] = [new URL(url), new URL(base)];
  if (asked.origin !== root.origin || climbs(asked.pathname)) return false;
  return asked.pathname === root.pathname || asked.pathname.startsWith(root.pathname.replace(/\/?$/, '/'));
}

/** Tell whether a server may take a step of a path for one upwards: some undo the encoding, even twice. @param {string} path as a URL has it, so without plain dots */
function climbs(path) {
  let [encoded, plain] = ['', path];
  for (let times = 0; encoded !== plain; times++) {
    if (times === MOST_DECODINGS) return true;
    [encoded, plain] = [plain, plain.replace(/%(2e|2f|5c|25)/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))];
  }
  return plain.split(/[/\\]/).some((step) => step === '..');
}

/** Headers as one set: the later win, whatever the case of their names. @param {(Record<string, string> | undefined)[]} sets @returns {Record<string, string>} */
export function merge(...sets) {
  /** @type {Map<string, [string, string]>} */
  const merged = new Map();
  for (const [name, value] of sets.flatMap((set) => Object.entries(set ?? {})))
    merged.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(merged.values());
}

/** The names of headers that say something of the user. @param {Record<string, string>} headers */
export function secretNames(headers) {
  return Object.keys(headers).filter((name) => !OPEN_HEADERS.has(name.toLowerCase()));
}

/** The headers that say nothing of the user. @param {Record<string, string>} headers */
export function openHeaders(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => OPEN_HEADERS.has(name.toLowerCase())));
}
