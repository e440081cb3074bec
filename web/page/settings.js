// @ts-check
// The options of init(): their defaults, their checks, those that cannot change once Python has started, and
// the settings that the scheduler and its workers get.
import { PyLoaderError, said } from '../shared/errors.js';
import { FACTS } from '../shared/facts.js';
import { pageURL } from './page_url.js';
import { BUILD } from '../shared/version.js';

/** @typedef {typeof DEFAULTS & import('../shared/assets.js').Assets} Settings */
/** @typedef {{limits?: Given | null, [option: string]: unknown}} Given options of the page */
/** @typedef {(details: {url: string, origin: string, status: number}) => unknown} OnUnauthorized */
/** @typedef {[string, (value: unknown) => boolean]} Rule the valid values of an option, in words and as a check */

export const DEFAULTS = {
  workers: /** @type {number | 'auto'} */ ('auto'),
  packages: /** @type {string[]} */ ([]),
  packageIndexes: /** @type {string[]} */ ([]),
  headers: /** @type {Record<string, string>} */ ({}),
  beforeRequest: /** @type {NonNullable<import('pyloader').InitOptions['beforeRequest']> | undefined} */ (undefined),
  onUnauthorized: /** @type {OnUnauthorized | undefined} */ (undefined),
  credentials: /** @type {RequestCredentials} */ ('same-origin'),
  origins: /** @type {string[]} */ ([]),
  linkedOrigins: /** @type {'without-secrets' | 'refuse'} */ ('without-secrets'),
  timeout: 60_000,
  requestTimeout: 30_000,
  retries: FACTS.limits.retries,
  limits: {
    loadsPerWorker: 8,
    requestsPerOrigin: FACTS.limits.requestsPerOrigin,
    sourceBytes: FACTS.limits.sourceBytes,
    decodedBytes: FACTS.limits.decodedBytes,
    heapBytes: 2 ** 30,
  },
  cacheBytes: 2 ** 30,
};

/** Settings that cannot change once Python has started. @type {(keyof Settings)[]} */
const FIXED = ['workers', 'assetsURL', 'packages', 'packageIndexes'];
/** Settings that identify the user: after a change, servers may respond differently. @type {(keyof Settings)[]} */
const IDENTITY = ['headers', 'credentials', 'origins', 'beforeRequest'];

/** @returns {value is number} */
const isWhole = (/** @type {unknown} */ value) => Number.isInteger(value) || value === Infinity;
const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && Number(value) >= 0;
const oneOf =
  (/** @type {unknown[]} */ ...words) =>
  (/** @type {unknown} */ value) =>
    words.includes(value);
/** @type {Rule} */
const COUNT = ['a whole number from 1 on', (value) => isWhole(value) && value >= 1];
/** @type {Rule} */
const BYTES = ['a number of bytes', isAmount];
/** @type {Rule} */
const MILLISECONDS = ['milliseconds, 0 for no limit', isAmount];
/** @type {Rule} */
const FUNCTION = ['a function', (value) => typeof value === 'function'];
/** @type {Rule} */
const TEXTS = ['a list of texts', (value) => Array.isArray(value) && value.every((each) => typeof each === 'string')];
/** @type {Rule} */
const OBJECT = ['an object', (value) => typeof value === 'object' && !Array.isArray(value)];

/** @type {Record<string, Rule>} */
const RULES = {
  assetsURL: [
    'an address, absolute or relative to the page',
    (value) => (typeof value === 'string' || value instanceof URL) && URL.canParse(value, pageURL()),
  ],
  workers: ["'auto' or a whole number from 0 on", (value) => value === 'auto' || isCount(value)],
  packages: TEXTS,
  packageIndexes: TEXTS,
  headers: OBJECT,
  beforeRequest: FUNCTION,
  onUnauthorized: FUNCTION,
  credentials: ["'omit', 'same-origin' or 'include'", oneOf('omit', 'same-origin', 'include')],
  origins: [
    "a list of addresses, such as ['https://pacs.example']",
    (value) => Array.isArray(value) && value.every(isHttp),
  ],
  linkedOrigins: ["'without-secrets' or 'refuse'", oneOf('without-secrets', 'refuse')],
  timeout: MILLISECONDS,
  requestTimeout: MILLISECONDS,
  retries: ['a whole number from 0 on', isCount],
  limits: OBJECT,
  'limits.loadsPerWorker': COUNT,
  'limits.requestsPerOrigin': COUNT,
  'limits.sourceBytes': BYTES,
  'limits.decodedBytes': BYTES,
  'limits.heapBytes': BYTES,
  cacheBytes: BYTES,
};

/** @param {unknown} value */
function isHttp(value) {
  const isAddress = (typeof value === 'string' || value instanceof URL) && URL.canParse(value, pageURL());
  return isAddress && /^https?:$/.test(new URL(value, pageURL()).protocol);
}

/** @param {unknown} value */
function isAmount(value) {
  return typeof value === 'number' && value >= 0;
}

/**
 * Return the settings with the options of init() applied: undefined keeps a setting, null resets it.
 * @param {Settings} current @param {unknown} options @param {Settings} defaults
 * @returns {Settings}
 * @throws {PyLoaderError} with code `boot`
 */
export function settingsWith(current, options, defaults) {
  if (options === undefined || options === null) return current;
  if (!OBJECT[1](options)) throw refused(`init() takes an object of options, not ${said(options)}`);
  const { limits, ...others } = /** @type {Given} */ (options);
  const next = { ...current, ...checked(others, defaults, '') };
  if (limits !== undefined) {
    check('limits', limits ?? {});
    next.limits = {
      ...(limits ? current.limits : defaults.limits),
      ...checked(limits ?? {}, defaults.limits, 'limits.'),
    };
  }
  next.headers = plainHeaders(next.headers, refused);
  next.origins = next.origins.map((address) => new URL(address, pageURL()).origin);
  next.assetsURL = new URL(next.assetsURL, pageURL()).href.replace(/\/?$/, '/');
  next.assetURLs = next.assetsURL === defaults.assetsURL ? defaults.assetURLs : undefined;
  return next;
}

/**
 * Return the known options, after a check of each.
 * @param {Given} given @param {Given} defaults @param {string} prefix
 */
function checked(given, defaults, prefix) {
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(RULES, prefix + name) || value === undefined) continue;
    if (value !== null) check(prefix + name, value);
    found[name] = value ?? defaults[name];
  }
  return found;
}

/** @param {string} name @param {unknown} value */
function check(name, value) {
  const [words, isValid] = RULES[name];
  if (!isValid(value)) throw refused(`the option ${name} of init() has to be ${words}, not ${said(value)}`);
}

/**
 * Return headers as plain strings by name, without those that have no value.
 * @param {unknown} headers @param {(message: string) => PyLoaderError} refuse
 * @returns {Record<string, string>}
 * @throws {PyLoaderError} of `refuse`
 */
export function plainHeaders(headers, refuse) {
  if (!OBJECT[1](headers) || headers === null)
    throw refuse(`headers have to be an object of texts by name, or Headers, not ${said(headers)}`);
  // `instanceof Headers` fails for an object of another frame.
  const given = isIterable(headers) ? Object.fromEntries(headers) : /** @type {Given} */ (headers);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const [name, value] = entries.find(([, value]) => !['string', 'number', 'boolean'].includes(typeof value)) ?? [];
  if (name) throw refuse(`the header ${name} has to be a text, not ${said(value)}`);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** @param {unknown} headers @returns {headers is Iterable<[string, unknown]>} */
function isIterable(headers) {
  return typeof (/** @type {Partial<Iterable<unknown>>} */ (headers)[Symbol.iterator]) === 'function';
}

/**
 * Refuse changes of fixed settings; giving the same value again is fine.
 * @param {Settings} current @param {Settings} next @param {string} caller that called init() first
 * @throws {PyLoaderError} with code `boot`
 */
export function refuseFixed(current, next, caller) {
  const changed = changesIn(FIXED, current, next);
  if (!changed.length) return;
  const values = changed.map((name) => `${name} is ${said(current[name])}, not ${said(next[name])}`).join(', ');
  throw refused(
    `init() was called by ${caller} already, and ${changed.join(' and ')} cannot be changed any more (${values}): ` +
      'call init first, or terminate() before it',
  );
}

/** Return true if the settings identify the user differently. @param {Settings} current @param {Settings} next */
export function isOtherIdentity(current, next) {
  return changesIn(IDENTITY, current, next).length > 0;
}

/** @param {(keyof Settings)[]} names @param {Settings} current @param {Settings} next */
function changesIn(names, current, next) {
  /** @param {unknown} one @param {unknown} other */
  const isSame = (one, other) =>
    one === other || (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(other));
  return names.filter((name) => !isSame(current[name], next[name]));
}

/** @param {string} message */
function refused(message) {
  return new PyLoaderError({ name: 'BootError', code: 'boot', stage: 'boot', message });
}

/**
 * Return the settings of the scheduler and its workers.
 * @param {Settings} settings
 * @param {number} identity number of the user's identity
 * @returns {import('../scheduler/scheduler.js').SchedulerSettings}
 */
export function schedulerSettings(settings, identity) {
  const {
    workers,
    limits,
    timeout,
    assetsURL,
    assetURLs,
    headers,
    credentials,
    origins,
    linkedOrigins,
    beforeRequest,
    onUnauthorized,
    packages,
    packageIndexes,
    retries,
    requestTimeout,
  } = settings;
  const { requestsPerOrigin } = limits;
  return {
    workers: workers === 0 ? 1 : workers,
    loadsPerWorker: limits.loadsPerWorker,
    requestsPerOrigin,
    heapBytes: workers === 0 ? Infinity : limits.heapBytes, // an interpreter on the page cannot be replaced
    timeout,
    boot: {
      assetsURL,
      assetURLs,
      headers,
      credentials,
      origins,
      linkedOrigins,
      packages,
      packageIndexes,
      retries,
      requestsPerOrigin,
      identity,
      baseURL: pageURL(),
      build: BUILD,
      requestTimeout: Number.isFinite(requestTimeout) ? requestTimeout : 0,
      hooks: Object.keys({ ...(beforeRequest && { beforeRequest }), ...(onUnauthorized && { onUnauthorized }) }),
      cacheBytes: limits.sourceBytes,
      decodedBytes: limits.decodedBytes,
    },
  };
}
