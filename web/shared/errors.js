// @ts-check
// The error of all failed loads, and its form in messages between page and worker.

import { redacted, withoutSecrets } from './redaction.js';
import { ADVICE } from './version.js';

/**
 * @typedef {{name?: string, code?: string, stage?: string, message: string, imageId?: string, url?: string, status?:
 *   number, traceback?: string}} WireError
 */

/**
 * Error of a failed load. `code` and `stage` are stable words for programs, in `ErrorCode` and `ErrorStage`.
 */
export class PyLoaderError extends Error {
  /** Copy the fields, with the secrets of addresses removed. @param {WireError} fields */
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
    /** Name of the error in Python, such as `FormatError`. */
    this.kind = name ?? 'PyLoaderError';
    this.code = code;
    this.stage = stage;
    this.imageId = imageId;
    this.url = url;
    this.status = status;
    /** Python traceback, if a user's own loader failed. */
    this.traceback = traceback;
  }

  /** The error itself: legacy viewers read `error` of a rejection. */
  get error() {
    return this;
  }
}

/**
 * Return the standard error of a cancelled load.
 * @param {string} what
 */
export function abortError(what) {
  return new DOMException(redacted(`${what} was cancelled`), 'AbortError');
}

/**
 * @typedef {{name?: string, message?: string} | null | undefined} Thrown properties read from any thrown value
 */

/** @param {unknown} error @returns {error is Error} */
export function isAbort(error) {
  return /** @type {Thrown} */ (error)?.name === 'AbortError';
}

/** Return the message of a thrown value, which may be anything. @param {unknown} error */
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

// ------------------------------------------------------------------ values in messages

/** Describe an argument of a call in a few words, for a message. @param {unknown} value */
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
    return 'an object'; // it refers to itself
  }
}

/** @param {string} text */
function shortened(text) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

// ------------------------------------------------------------------ errors of the start

const REFUSED_BY_POLICY = /unsafe-eval|blocked by CSP|Content Security Policy/i;
const NO_MEMORY = /out of memory|could not allocate|allocation failed/i;

/**
 * Return the error of a failed start, with advice.
 * @param {unknown} cause an error, or words
 * @param {{assetsURL: string, baseURL: string}} where `baseURL` is the address of the page
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
    return (
      'this page was opened as a file, from which browsers start no workers: ' +
      `serve the folder, for example with \`python -m http.server\` (${words})`
    );
  if (typeof WebAssembly === 'undefined')
    return `this browser has no WebAssembly, or it is switched off here (${words})`;
  if (REFUSED_BY_POLICY.test(words))
    return (
      "the page's Content-Security-Policy does not allow WebAssembly: " +
      `it needs script-src 'wasm-unsafe-eval' (${words})`
    );
  if (NO_MEMORY.test(words))
    return `there is too little memory left: close other pages, or set fewer workers (${words})`;
  return [
    `${words}.`,
    'Is dist/ complete, does its server send the files themselves, and may this page use workers from it',
    '(Content-Security-Policy worker-src and connect-src; Access-Control-Allow-Origin when it is on another origin)?',
    ADVICE,
  ].join(' ');
}
