// @ts-check
// The public API: the methods of one `Client` as functions. The build makes two files of it: pyloader.js, a
// classic script that sets globalThis.pyloader, and pyloader.mjs. pyloader.d.ts has types and documentation.
import { Client } from './page/client.js';
import { assetsBeside } from './page/asset_urls.js';
import { PyLoaderError } from './shared/errors.js';
import { VERSION } from './shared/version.js';

export { PyLoaderError };
/** Version of this script, and of the Python package in its workers. */
export const version = VERSION;

/** @typedef {import('./page/client.js').Options} Options */
/** @typedef {import('./page/client.js').ListOptions} ListOptions */
/** @typedef {import('./page/loads.js').JsLoader} JsLoader */
/** @typedef {import('./page/files.js').Given} Given */

// The classic build replaces import.meta.url by document.currentScript.src, which exists only while the script runs.
const client = new Client(assetsBeside(import.meta.url));

export const { events, cache } = client;
/** Promise that settles with init; a new attempt after a failure has a new promise. @type {Promise<void>} */
export let ready = client.ready;
client.onRenewed = () => {
  ready = client.ready;
};

/** @param {Parameters<Client['init']>[0]} [options] */
export function init(options) {
  return client.init(options);
}

export function terminate() {
  client.terminate();
}

export function purge() {
  return client.purge();
}

export function stats() {
  return client.stats();
}

/** @param {string} imageId @param {Options} [options] */
export function loadImage(imageId, options) {
  return client.loadImage(imageId, options);
}

/** @param {string} imageId @param {Options} [options] */
export function loadAndCacheImage(imageId, options) {
  return client.loadAndCacheImage(imageId, options);
}

/** @param {string} imageId @param {Options} [options] */
export function loadMetadata(imageId, options) {
  return client.loadMetadata(imageId, options);
}

/** @param {string | Given} source @param {ListOptions} [options] */
export function imageIds(source, options) {
  return client.imageIds(source, options);
}

/** @param {string | Given} source @param {ListOptions} [options] */
export function series(source, options) {
  return client.series(source, options);
}

/** @param {string} imageId @param {Options} [options] */
export function imageLoader(imageId, options) {
  return client.imageLoader(imageId, options);
}

/** @param {string} scheme @param {JsLoader} loader */
export function registerImageLoader(scheme, loader) {
  client.registerImageLoader(scheme, loader);
}

/** @param {JsLoader} loader */
export function registerUnknownImageLoader(loader) {
  return client.registerUnknownImageLoader(loader);
}

/** @param {Parameters<Client['loadPython']>[0]} options */
export function loadPython(options) {
  return client.loadPython(options);
}

/** @param {string} type @param {string} imageId */
export function metaData(type, imageId) {
  return client.metaData(type, imageId);
}

/** @param {string[] | Record<string, unknown>} sources */
export function addMetadata(sources) {
  return client.addMetadata(sources);
}

/** @param {import('./page/files.js').Content} file */
export function addFile(file) {
  return client.addFile(file);
}

/** @param {string} imageId */
export function removeFile(imageId) {
  client.removeFile(imageId);
}

/** @param {string} base @param {import('./page/client.js').Service} [options] */
export function dicomweb(base, options) {
  return client.dicomweb(base, options);
}

/** @param {unknown} cornerstone @param {Parameters<Client['use']>[1]} [options] */
export function use(cornerstone, options) {
  return client.use(cornerstone, options);
}

client.runScriptTags();
