// @ts-check
// Checks the arguments of the page's calls, since an invalid one would fail later with another error, or not
// at all.
import { PyLoaderError, messageOf, said } from '../shared/errors.js';
import { pageURL } from './page_url.js';

/**
 * Return true if a value is of a class, by its name: in another frame of the page, classes of the same names are
 * different objects.
 * @param {unknown} value @param {string[]} kinds
 */
function isOf(value, ...kinds) {
  return kinds.includes(Object.prototype.toString.call(value).slice(8, -1));
}

/** @param {unknown} value @returns {value is Blob} */
export function isBlob(value) {
  return isOf(value, 'Blob', 'File');
}

/** Return the content of one file as a Blob. @param {unknown} content @returns {Blob} */
export function blobOf(content) {
  if (isBlob(content)) return content;
  if (!isOf(content, 'ArrayBuffer', 'SharedArrayBuffer') && !ArrayBuffer.isView(content)) {
    const many = typeof content === 'object' && content !== null && 'length' in content;
    const advice = many ? ': addFile(files[0]) for one of them, series(files) or imageIds(files) for all' : '';
    throw wrongSource(`addFile() takes one File, Blob, ArrayBuffer or typed array, not ${said(content)}${advice}`);
  }
  try {
    return new Blob([/** @type {BlobPart} */ (content)]);
  } catch {
    // A Blob refuses shared memory.
    return new Blob([copyOf(/** @type {ArrayBufferLike | ArrayBufferView} */ (content))]);
  }
}

/** @param {ArrayBufferLike | ArrayBufferView} content */
function copyOf(content) {
  const [buffer, offset, length] = ArrayBuffer.isView(content)
    ? [content.buffer, content.byteOffset, content.byteLength]
    : [content, 0, content.byteLength];
  return new Uint8Array(new Uint8Array(buffer, offset, length));
}

/**
 * Return true for several values, such as an array, FileList or Set, and false for one.
 * @param {unknown} value @returns {value is Iterable<unknown> | ArrayLike<unknown>}
 */
export function isList(value) {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.iterator in value || Number.isInteger(/** @type {{length?: unknown}} */ (value).length);
}

/**
 * @typedef {{signal?: Partial<AbortSignal> & {signal?: unknown}, onProgress?: unknown} | null | undefined} Unchecked
 *   options that may be anything
 */

/** @param {unknown} options of a load, a list or a search */
export function checkOptions(options) {
  const { signal, onProgress } = /** @type {Unchecked} */ (options) ?? {};
  const isSignal = typeof signal?.addEventListener === 'function' && 'aborted' in signal;
  if (signal && !isSignal) {
    const advice = signal.signal ? ': give controller.signal' : '';
    throw wrongCall(`the option signal has to be an AbortSignal, not ${said(signal)}${advice}`);
  }
  if (onProgress && typeof onProgress !== 'function')
    throw wrongCall(`the option onProgress has to be a function, not ${said(onProgress)}`);
}

/** @param {unknown} scheme @param {unknown} loader */
export function checkLoader(scheme, loader) {
  if (typeof scheme !== 'string' || !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme)) {
    throw wrongLoader(
      `registerImageLoader() takes a scheme, such as 'custom1', without its colon, not ${said(scheme)}`,
    );
  }
  if (typeof loader !== 'function')
    throw wrongLoader(
      `registerImageLoader('${scheme}', loader) takes a function that returns { promise }, not ${said(loader)}`,
    );
}

/** @param {unknown} loader undefined to remove the previous one */
export function checkUnknownLoader(loader) {
  if (loader && typeof loader !== 'function')
    throw wrongLoader(`registerUnknownImageLoader() takes a function that returns { promise }, not ${said(loader)}`);
}

/** @param {unknown} options of loadPython */
export function checkPython(options) {
  const wrong = (/** @type {string} */ words) => wrongLoader(`loadPython() takes { url } or { source }, ${words}`);
  if (typeof options !== 'object' || options === null)
    throw wrong(`not ${said(options)}${typeof options === 'string' ? `: loadPython({ url: ${said(options)} })` : ''}`);
  const { url, source, name, packages } = /** @type {Record<string, unknown>} */ (options);
  const isGiven = (/** @type {unknown} */ value) => value !== undefined && value !== null;
  if (!isGiven(url) && !isGiven(source)) throw wrong('and has neither');
  if (isGiven(source) && typeof source !== 'string')
    throw wrong(`where source is Python code as a text, not ${said(source)}`);
  if (!isGiven(source) && !(url && URL.canParse(/** @type {string} */ (url), pageURL()))) {
    throw wrong(`where url is an address, not ${said(url)}`);
  }
  if (isGiven(name) && typeof name !== 'string') throw wrong(`where name is a text, not ${said(name)}`);
  const isTexts = Array.isArray(packages) && packages.every((each) => typeof each === 'string');
  if (isGiven(packages) && !isTexts) throw wrong(`where packages is a list of texts, not ${said(packages)}`);
}

/** @param {unknown} sources of addMetadata */
export function checkSources(sources) {
  const isPlain =
    typeof sources === 'object' &&
    sources !== null &&
    !isList(sources) &&
    !isBlob(sources) &&
    !(sources instanceof Map);
  if (!Array.isArray(sources) && !isPlain) {
    const advice = typeof sources === 'string' ? ': addMetadata([imageId])' : '';
    throw wrongSource(
      `addMetadata() takes a list of imageIds, or DICOM JSON by imageId, not ${said(sources)}${advice}`,
    );
  }
}

/**
 * Return a DICOM JSON data set, or the first of a list, with its text.
 * @param {string} imageId @param {unknown} json
 */
export function dicomJson(imageId, json) {
  const instance = Array.isArray(json) ? json[0] : json;
  const wrong = (/** @type {string} */ words) =>
    wrongSource(
      `addMetadata() was given ${words} for '${imageId}', expected a DICOM JSON data set (PS3.18 F), ` +
        "such as { '00280010': { vr: 'US', Value: [512] } }",
    );
  if (typeof instance !== 'object' || instance === null || Array.isArray(instance)) throw wrong(said(json));
  try {
    return { instance, text: JSON.stringify(instance) };
  } catch (error) {
    throw wrong(`an object that is not JSON (${messageOf(error)})`);
  }
}

/** Return the address of a DICOMweb service without trailing slashes. @param {unknown} base @returns {string} */
export function serviceAddress(base) {
  const root = (base instanceof URL ? base.href : String(base ?? '')).replace(/\/+$/, '');
  if (root && (typeof base === 'string' || base instanceof URL) && URL.canParse(root, pageURL())) return root;
  throw wrongCall(`${said(base)} is no address of a DICOMweb service; expected one such as 'https://host/dicom-web'`);
}

/** @param {unknown} options of use */
export function checkUse(options) {
  const { schemes } = /** @type {{schemes?: unknown} | null | undefined} */ (options) ?? {};
  if (schemes && !(Array.isArray(schemes) && schemes.every((each) => typeof each === 'string'))) {
    throw new PyLoaderError({
      code: 'viewer',
      stage: 'dispatch',
      message: `the option schemes of use() has to be a list of texts, not ${said(schemes)}`,
    });
  }
}

// ------------------------------------------------------------------ errors

/** @param {string} message */
export function wrongSource(message) {
  return new PyLoaderError({ name: 'ImageIdError', code: 'image-id', stage: 'dispatch', message });
}

/** @param {string} message */
export function wrongCall(message) {
  return new PyLoaderError({ name: 'RequestError', code: 'request', stage: 'dispatch', message });
}

/** @param {string} message */
export function wrongLoader(message) {
  return new PyLoaderError({ name: 'CustomLoaderError', code: 'loader', stage: 'loader', message });
}
