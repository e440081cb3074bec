// @ts-check
// Options that nobody reads: told on the console, once each, with the name that was probably meant.
import { DEFAULTS } from './settings.js';

/** Of a load; the rest of them a loader in Python can see. */
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
/** Those that viewers pass with theirs, and their loaders know. */
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

/** The names of options by call. @type {Record<string, string[]>} */
export const NAMES = {
  init: ['assetsURL', ...Object.keys(DEFAULTS), ...Object.keys(DEFAULTS.limits).map((name) => `limits.${name}`)],
  load: LOAD,
  use: ['priority', 'schemes', 'displayValues', 'instances'],
  dicomweb: ['headers', 'wadoURI'],
  loadPython: ['url', 'source', 'name', 'packages'],
};
const QUIET = new Set([...LOAD, ...OF_VIEWERS]);

/** Options that the console was told of. @type {Set<string>} */
const told = new Set();

/**
 * Tell of options that a call does not have.
 * @param {'init' | 'use' | 'dicomweb' | 'loadPython'} call @param {object | null | undefined} options
 */
export function tellUnknown(call, options) {
  const byName = /** @type {Record<string, object | undefined>} */ (options);
  const within = (/** @type {string} */ name) => Object.keys(byName[name] ?? {}).map((inner) => `${name}.${inner}`);
  const given = Object.keys(options ?? {}).flatMap((name) =>
    call === 'init' && name === 'limits' ? within(name) : [name],
  );
  for (const name of given) if (!NAMES[call].includes(name)) tell(call, name, NAMES[call]);
}

/**
 * Tell of options that no load has. A loader of the page may have some of its own, so that of its
 * loads only those are told that are almost the name of another.
 * @param {string} call @param {object} options @param {boolean} isBuiltIn whether the scheme is one of pyloader's own
 */
export function tellUnknownOfLoad(call, options, isBuiltIn) {
  for (const name in options) if (!QUIET.has(name) && (isBuiltIn || nearest(name, LOAD))) tell(call, name, LOAD);
}

/** @param {string} call @param {string} name @param {string[]} names */
function tell(call, name, names) {
  const key = `${call} ${name}`;
  if (told.has(key)) return;
  told.add(key);
  const meant = nearest(name, names);
  console.warn(
    `pyloader: ${call} has no option '${name}': ${meant ? `did you mean '${meant}'?` : `it has ${names.join(', ')}`}`,
  );
}

/**
 * The name that was probably meant, if any is near.
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

/** Count the letters to change, add or leave out (Levenshtein). @param {string} one @param {string} other */
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
