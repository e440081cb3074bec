// @ts-check
// The one shape in which loads fail, and how errors cross between page and worker.

/** @typedef {{name?: string, code?: string, stage?: string, message: string, imageId?: string, url?: string, status?: number, traceback?: string}} WireError */

/**
 * A failed load. `code` and `stage` are stable words for programs: the table is in the README.
 */
export class PyLoaderError extends Error {
  /** @param {WireError} fields */
  constructor({ message, name, code = 'internal', stage = 'loader', imageId, url, status, traceback }) {
    super(message);
    this.name = 'PyLoaderError';
    /** What Python calls it, such as `FormatError`. */
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
  return new DOMException(`${what} was cancelled`, 'AbortError');
}

/** @param {any} error */
export function isAbort(error) {
  return error?.name === 'AbortError';
}

/**
 * @param {any} error
 * @returns {WireError}
 */
export function toWire(error) {
  if (error instanceof PyLoaderError) return { ...error, name: error.kind, message: error.message };
  if (isAbort(error)) return { name: 'AbortError', message: error.message };
  return { name: error?.name, message: String(error?.message ?? error) };
}

/**
 * @param {WireError} fields
 * @returns {Error}
 */
export function fromWire(fields) {
  if (fields.name === 'AbortError') return new DOMException(fields.message, 'AbortError');
  return new PyLoaderError(fields);
}
