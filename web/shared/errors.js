// @ts-check
// The one shape in which loads fail, and how errors cross between page and worker.

import { redacted, withoutSecrets } from './redaction.js';
import { ADVICE } from './version.js';

/** @typedef {{name?: string, code?: string, stage?: string, message: string, imageId?: string, url?: string, status?: number, traceback?: string}} WireError */

/**
 * A failed load. `code` and `stage` are stable words for programs: the table is in the README.
 */
export class PyLoaderError extends Error {
  /** Addresses stand in it without their secrets. @param {WireError} fields */
  constructor(fields) {
    const {
      message,
      name,
      code = 'internal',
      stage = 'loader',
      imageId,
      url,
      status,
      traceback,
    } = withoutSecrets(fields);
    super(message);
    this.name = 'PyLoaderError';
    /** Python's name of it, such as `FormatError`. */
    this.kind = name ?? 'PyLoaderError';
    this.code = code;
    this.stage = stage;
    this.imageId = imageId;
    this.url = url;
    this.status = status;
    /** Python's traceback, when a user's own loader failed. */
    this.traceback = traceback;
  }

  /** Legacy viewers read `{error}` of a rejection. */
  get error() {
    return this;
  }
}

/**
 * The standard error of a cancelled load.
 * @param {string} what
 */
export function abortError(what) {
  return new DOMException(redacted(`${what} was cancelled`), 'AbortError');
}

/**
 * @typedef {{name?: string, message?: string} | null | undefined} Thrown what is looked at of anything that was thrown
 */

/** @param {unknown} error @returns {error is Error} */
export function isAbort(error) {
  return /** @type {Thrown} */ (error)?.name === 'AbortError';
}

/** The words of what was thrown, which may be anything. @param {unknown} error */
export function messageOf(error) {
  return String(/** @type {Thrown} */ (error)?.message ?? error);
}

/**
 * @param {unknown} error
 * @returns {WireError}
 */
export function toWire(error) {
  if (error instanceof PyLoaderError) return { ...error, name: error.kind, message: error.message };
  if (isAbort(error)) return { name: 'AbortError', message: error.message };
  return { name: /** @type {Thrown} */ (error)?.name, message: redacted(messageOf(error)) };
}

/**
 * @param {WireError} fields
 * @returns {Error}
 */
export function fromWire(fields) {
  if (fields.name === 'AbortError') return new DOMException(fields.message, 'AbortError');
  return new PyLoaderError(fields);
}

// ------------------------------------------------------------------ what was given

/** A value that a call was given, in a few words for a message. @param {unknown} value */
export function said(value) {
  if (typeof value === 'string') return `'${shortened(value)}'`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return kind === 'Object' || kind === 'Array'
    ? shortened(asText(value))
    : `${/^([AEIOU]|HTML)/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** @param {object} value */
function asText(value) {
  try {
    return JSON.stringify(value) ?? 'an object';
  } catch {
    return 'an object'; // that refers to itself
  }
}

/** @param {string} text */
function shortened(text) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

// ------------------------------------------------------------------ a start that failed

const REFUSED_BY_POLICY = /unsafe-eval|blocked by CSP|Content Security Policy/i;
const NO_MEMORY = /out of memory|could not allocate|allocation failed/i;

/**
 * The error of a start that failed, with what to do.
 * @param {unknown} cause an error, or words @param {{assetsURL: string, baseURL: string}} where `baseURL` is the page's
 */
export function bootError(cause, { assetsURL, baseURL }) {
  if (cause instanceof PyLoaderError || isAbort(cause)) return cause;
  const words = messageOf(cause).replace(/(?<!\.)\.+$/, '');
  return new PyLoaderError({
    name: 'BootError',
    code: 'boot',
    stage: 'boot',
    url: assetsURL,
    message: `Python could not start from ${assetsURL}: ${adviceFor(words, baseURL)}`,
  });
}

/** @param {string} words @param {string} baseURL */
function adviceFor(words, baseURL) {
  if (baseURL.startsWith('file:'))
    return `this page was opened as a file, from which browsers start no workers: serve the folder, such as \`python -m http.server\` (${words})`;
  if (typeof WebAssembly === 'undefined')
    return `this browser has no WebAssembly, or it is switched off here (${words})`;
  if (REFUSED_BY_POLICY.test(words))
    return `the page's Content-Security-Policy does not allow WebAssembly: it needs script-src 'wasm-unsafe-eval' (${words})`;
  if (NO_MEMORY.test(words))
    return `there is too little memory left: close other pages, or ask for fewer workers (${words})`;
  return [
    `${words}.`,
    'Is the whole of dist/ there, does its server answer with the files themselves, and may this page use workers from it',
    '(Content-Security-Policy worker-src and connect-src; Access-Control-Allow-Origin when it is on another origin)?',
    ADVICE,
  ].join(' ');
}
