// @ts-check
// Warns on the console about unknown options, once each, and suggests the most similar name.
import { DEFAULTS } from './settings.js';

/** Options of a load. A Python loader also gets any others. */
const LOAD = [
  'signal',
  'onProgress',
  'priority',
  'requestType',
  'timeout',
  'preScale',
  'useRGBA',
  'displayValues',
  'targetBuffer',
  'wadoURI',
];
/** Options that viewers pass to their own loaders. */
const OF_VIEWERS = [
  'addToBeginning',
  'additionalDetails',
  'allowFloatRendering',
  'decodeLevel',
  'ignoreCache',
  'imageIdIndex',
  'instance',
  'isPreScaled',
  'keepAspectRatio',
  'loader',
  'retrieveOptions',
  'retrieveType',
  'skipCreateImage',
  'streamingData',
  'transferPixelData',
  'transferSyntaxUID',
  'useNativeDataType',
  'volumeId',
];

/** Names of the options of each call. @type {Record<string, string[]>} */
export const NAMES = {
  init: ['assetsURL', ...Object.keys(DEFAULTS), ...Object.keys(DEFAULTS.limits).map((name) => `limits.${name}`)],
  load: LOAD,
  use: ['priority', 'schemes', 'displayValues', 'instances'],
  dicomweb: ['headers', 'wadoURI'],
  loadPython: ['url', 'source', 'name', 'packages'],
};
const KNOWN = new Set([...LOAD, ...OF_VIEWERS]);

/** Calls and options that were warned about. @type {Set<string>} */
const warned = new Set();

/**
 * Warn about options that a call does not have.
 * @param {'init' | 'use' | 'dicomweb' | 'loadPython'} call @param {object | null | undefined} options
 */
export function tellUnknown(call, options) {
  const byName = /** @type {Record<string, object | undefined>} */ (options);
  const within = (/** @type {string} */ name) => Object.keys(byName[name] ?? {}).map((inner) => `${name}.${inner}`);
  const given = Object.keys(options ?? {}).flatMap((name) =>
    call === 'init' && name === 'limits' ? within(name) : [name],
  );
  for (const name of given) if (!NAMES[call].includes(name)) warn(call, name, NAMES[call]);
}

/**
 * Warn about options that no load has. A loader of the page may have its own options, so for its loads only
 * names that resemble a known one cause a warning.
 * @param {string} call @param {object} options @param {boolean} isBuiltIn whether the scheme is one of pyloader's own
 */
export function tellUnknownOfLoad(call, options, isBuiltIn) {
  for (const name in options) if (!KNOWN.has(name) && (isBuiltIn || nearest(name, LOAD))) warn(call, name, LOAD);
}

/** @param {string} call @param {string} name @param {string[]} names */
function warn(call, name, names) {
  const key = `${call} ${name}`;
  if (warned.has(key)) return;
  warned.add(key);
  const meant = nearest(name, names);
  console.warn(
    `pyloader: ${call} has no option '${name}': ${meant ? `did you mean '${meant}'?` : `it has ${names.join(', ')}`}`,
  );
}

/**
 * Return the most similar name, if one is similar enough to be meant.
 * @param {string} name @param {string[]} names @returns {string | undefined}
 */
export function nearest(name, names) {
  const plain = (/** @type {string} */ text) =>
    text
      .replace(/^limits\./, '')
      .replace(/[-_]/g, '')
      .toLowerCase();
  const [best] = names
    .map((each) => ({ each, distance: distanceOf(plain(name), plain(each)) }))
    .sort((a, b) => a.distance - b.distance);
  return best.distance <= Math.max(1, Math.floor(name.length / 4)) ? best.each : undefined;
}

/** Return the Levenshtein distance of two strings. @param {string} one @param {string} other */
function distanceOf(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, wanted] of [...other].entries()) {
      next.push(Math.min(row[column] + (letter === wanted ? 0 : 1), row[column + 1] + 1, next[column] + 1));
    }
    row = next;
  }
  return row[other.length];
}
