// @ts-check
// The public face. Built twice: pyloader.js, a classic script that sets globalThis.pyloader, and
// pyloader.mjs. Its types and documentation are in pyloader.d.ts.
import { checkLoader, checkOptions, checkPython, checkSources, checkUnknownLoader, checkUse, dicomJson, serviceAddress, wrongCall } from './page/arguments.js';
import { ImageCache } from './page/image_cache.js';
import { attach, guessMode, modeOf, moduleFor } from './viewers/cornerstone.js';
import { Descriptions, serviceFor } from './page/dicomweb.js';
import { PyLoaderError, abortError, said } from './shared/errors.js';
import { Files } from './page/files.js';
import { Identity, sendHeaders } from './page/auth.js';
import { fileNameOf, parseImageId } from './shared/imageid.js';
import { Loads, forPython, percent, tellPage } from './page/loads.js';
import { pageURL } from './page/page_url.js';
import { createPlace } from './scheduler/place.js';
import { policyWarnings } from './page/policy.js';
import { Pool } from './scheduler/scheduler.js';
import { PythonFiles } from './page/python_files.js';
import { tellUnknown, tellUnknownOfLoad } from './page/options.js';
import { DEFAULTS, isOtherIdentity, plainHeaders, poolSettings, refuseFixed, settingsWith } from './page/settings.js';
import { isNamed } from './shared/secrets.js';
import { VERSION } from './shared/version.js';
import { Holders, bySource } from './page/source_refs.js';

export { PyLoaderError };
/** Of this script, and of the Python package in its workers. */
export const version = VERSION;

/** @typedef {import('./viewers/cornerstone.js').Mode} Mode */
/** @typedef {Record<string, any>} Options */
/** @typedef {(imageId: string, options: Options) => {promise: Promise<any>, cancelFn?: () => void}} JsLoader */

// Address of this script, beside which its files are, unless a bundler has put each elsewhere. The classic
// build puts document.currentScript.src here, which only exists while the script runs first.
const scriptURL = import.meta.url;
const pageBase = globalThis.document?.baseURI;
// @ts-ignore -- the build writes the list in
const assetURLs = URL.canParse('.', scriptURL) ? absolute(PYLOADER_ASSET_URLS?.()) : undefined;
// A script without an address of its own, such as one written into the page, has them beside the page.
const base = assetURLs?.['whole-worker.mjs'] ?? (URL.canParse('.', scriptURL) ? scriptURL : pageBase);
const assetsURL = URL.canParse('.', base) ? new URL('.', base).href : '';

/** Addresses by file, which some bundlers give without an origin. @param {Record<string, string> | undefined} urls */
function absolute(urls) {
  return urls && Object.fromEntries(Object.entries(urls).map(([file, url]) => [file, new URL(url, pageBase ?? scriptURL).href]));
}

const BUILT_IN_SCHEMES = [
  'dicomfile', 'dicomweb', 'http', 'https', 'localfile', 'metaimage', 'nifti', 'nrrd', 'numpy', 'wadors', 'wadouri', 'web', 'zarr',
];
/** Those whose sources may hold many files. */
const FILE_SCHEMES = ['dicomfile', 'dicomweb', 'localfile', 'wadouri'];
/** Those that viewers have files of their own under; `use` registers them when its `schemes` name them. */
const SCHEMES_OF_VIEWERS = ['dicomfile'];

/** Everything that happens: bootprogress, packageprogress, ready, imageloadstart, imageloadprogress, imageloadend, imageloaded, imageloadfailed, print. */
export const events = new EventTarget();
/** Images of loadAndCacheImage. */
export const cache = new ImageCache(DEFAULTS.cacheBytes);

/** @type {(value?: any) => void} */
let resolveReady;
/** @type {(error: any) => void} */
let rejectReady;
/** Settles with init; a new try after a failure has a new one. @type {Promise<void>} */
export let ready;
let bootFailed = false;
resetReady();

/** @type {import('./page/settings.js').Settings} */
const defaults = { ...DEFAULTS, assetsURL, assetURLs };
let settings = defaults;
/** How often what identifies the user has changed. */
let identities = 0;
/** Why init() did not take what it was told, until it is told something better. @type {PyLoaderError | null} */
let refusal = null;
/** @type {Pool | null} */
let pool = null;
/** @type {Promise<void> | null} */
let booted = null;
/** What has called init(). */
let starter = '';
/** What is wrong with how the page is served. @type {string[]} */
let warnings = [];
const identity = new Identity(
  () => settings.onUnauthorized,
  (url) => isNamed(url, { baseURL: pageURL(), origins: settings.origins, services }),
);
/** @type {Map<string, JsLoader>} */
const jsLoaders = new Map();
/** @type {JsLoader | undefined} */
let unknownLoader;
/** @type {Map<string, Record<string, any>>} */
const metadata = new Map();
const descriptions = new Descriptions(
  async (name, payload, options) => (checkOptions(options), await start(`a search of ${said(payload.url)}`), pool ? pool.direct(name, payload, options) : Promise.reject(abortError(name))),
  (imageId) => [...hosts].map((host) => host.attributesOf(imageId)).find(Boolean),
);
/** What the page has said of its DICOMweb services, by address. @type {Map<string, {headers?: Record<string, string>, wadoURI?: string}>} */
const services = new Map();
const holders = new Holders((source) => pool?.release(source));
/** @type {Set<{registerScheme: (scheme: string) => void, attributesOf: (imageId: string) => Options | undefined, giveInstance: (imageId: string, json: any) => void, wantsInstances: boolean, mode: Mode}>} */
const hosts = new Set();
const loads = new Loads({
  loaderOf: async (scheme) => jsLoaders.get(scheme) ?? ((await isPython(scheme)) ? undefined : unknownLoader),
  plainOptions: (imageId, options) => ({ ...forPython(options), ...serviceOptions(imageId) }),
  ask: (imageId, job) => callWorker('load', job.payload, imageId, job),
  hurry: (payload, urgency) => pool?.hurry(payload, urgency),
  describe: (imageId, modules) => metadata.set(imageId, modules),
  fire,
  holders,
});
const files = new Files({
  provide: async (name, file) => (await start('addFile()'), pool?.crew.broadcast('provide', { name, file }, name)),
  list: (imageId, files, options) => callWorker('listing', { imageId, files, options: forPython(options) }, imageId, { ...options, onProgress: fileMeter(options.onProgress) }),
});
/** What loadPython and script tags bring, beside the built-in schemes. @type {PythonFiles} */
const python = new PythonFiles({
  define: async (file) => (await start(`loadPython(), for ${said(file.name)}`), pool ? pool.crew.broadcast('define', file, `define ${file.name}`) : Promise.reject(abortError(file.name))),
  onSchemes: (schemes) => schemes.forEach((scheme) => hosts.forEach((host) => host.registerScheme(scheme))),
  onReplaced: () => cache.clear(),
  onPrint: (output) => fire('print', output),
});

// ------------------------------------------------------------------ starting and ending

/**
 * Start Python, or have it go on with what is new; what is not told stays as it is.
 * @param {Partial<import('./page/settings.js').Settings>} [options] @returns {Promise<void>}
 */
export function init(options) {
  try {
    const before = settings;
    const next = settingsWith(before, options, defaults);
    if (booted) refuseFixed(before, next, starter);
    tellUnknown('init', options);
    refusal = null;
    const heard = adopt(next);
    if (!booted) return start('the page');
    return next === before ? booted : Promise.all([booted, heard]).then(() => {});
  } catch (error) {
    return booted ? Promise.reject(error) : refuse(/** @type {PyLoaderError} */ (error));
  }
}

/** Go on with other settings. @param {import('./page/settings.js').Settings} next @returns {Promise<any> | undefined} settles when the workers have heard of it */
function adopt(next) {
  const before = settings;
  if (next === before) return undefined;
  settings = next;
  if (next.cacheBytes !== before.cacheBytes) cache.maximumBytes = next.cacheBytes;
  const hasOtherHeaders = JSON.stringify(next.headers) !== JSON.stringify(before.headers);
  if (isOtherIdentity(before, next)) {
    identities++;
    loads.beginAnew();
    descriptions.beginAnew();
  }
  if (next.onUnauthorized !== before.onUnauthorized) identity.forget();
  return pool?.configure(poolSettings(next, identities), hasOtherHeaders);
}

/** Have all that waits for init() fail as it did. @param {PyLoaderError} error @returns {Promise<never>} */
function refuse(error) {
  if (bootFailed) resetReady();
  [refusal, bootFailed] = [error, true];
  rejectReady(error);
  return Promise.reject(error);
}

/** Start Python unless that was done. @param {string} caller as it is named in a message @returns {Promise<void>} */
function start(caller) {
  if (refusal) return Promise.reject(refusal);
  if (booted) return booted;
  if (bootFailed) resetReady();
  starter = caller;
  identity.forget();
  const started = new Pool(poolSettings(settings, identities), {
    createPlace: (onDeath) => createPlace(settings, settings.workers !== 0, onDeath),
    handlers: {
      beforeRequest: async (request) => (await settings.beforeRequest?.(request)) ?? request, // which it may have changed
      authorize: (request) => identity.renew(request, started),
      describe: (of, context) => started.pauseFor(descriptions.describe(of, context)),
      print: (output) => python.print(output),
    },
    loaderOf: (scheme) => python.fileOf(scheme),
    settle: () => loads.settle(),
    onBootProgress: (detail) => isStarting && fire('bootprogress', detail),
    onPackageProgress: (arrival) => fire('packageprogress', { ...arrival, percentComplete: percent(arrival.loaded, arrival.total) }),
  });
  pool = started;
  for (const [base, { headers }] of services) sendHeaders('service', base, headers ?? {}, started);
  let isStarting = true; // workers that are added later start silently
  booted = started.start().then(
    () => {
      isStarting = false;
      resolveReady();
      fire('ready', stats());
      if (settings.workers !== 0) lookAtPolicies(started);
    },
    (error) => {
      // The next load may try again: a missing file may be there by then. Packages are not asked for again.
      if (pool === started) {
        [pool, booted, bootFailed] = [null, null, true];
        if (error.code === 'package') settings = { ...settings, packages: [] };
        rejectReady(error);
      }
      started.end(error);
      throw error;
    },
  );
  return booted;
}

/** @param {Pool} started */
async function lookAtPolicies(started) {
  const found = await policyWarnings(settings, (name, payload) => started.direct(name, payload)).catch(() => []); // the page has ended it
  if (pool === started) warnings = found;
}

/** End the workers and forget everything; the next load or init starts anew. */
export function terminate() {
  pool?.end(abortError('pyloader: the load'));
  [pool, booted, refusal, settings, warnings] = [null, null, null, defaults, []];
  cache.maximumBytes = defaults.cacheBytes;
  python.forget();
  holders.clear();
  cache.clear();
  metadata.clear();
  descriptions.clear();
  services.clear();
  resetReady();
}

/** Forget cached images, metadata and parsed files; the workers stay. */
export function purge() {
  cache.clear();
  metadata.clear();
  descriptions.clear();
  holders.clear();
  return pool?.purge();
}

export function stats() {
  return {
    version,
    ...(pool?.stats() ?? { workers: [], queued: 0, deaths: 0 }),
    loading: loads.size,
    ...loads.counts,
    cache: { images: cache.size, bytes: cache.bytes, maximumBytes: cache.maximumBytes },
    assetsURL: settings.assetsURL,
    warnings,
  };
}

function resetReady() {
  bootFailed = false;
  ready = new Promise((resolve, reject) => {
    [resolveReady, rejectReady] = [resolve, reject];
  });
  ready.catch(() => {}); // each load rejects with the same error
}

// ------------------------------------------------------------------ loading

/** @param {string} imageId @param {Options} [options] @returns {Promise<any>} */
export async function loadImage(imageId, options) {
  return loads.start(imageId, optionsOf('loadImage', imageId, options), 'none', imageId).promise;
}

/** @param {string} imageId @param {Options} [options] @returns {Promise<any>} */
export async function loadAndCacheImage(imageId, options) {
  const wanted = optionsOf('loadAndCacheImage', imageId, options);
  const load = () => loads.start(imageId, wanted, 'none', imageId).promise;
  // Memory of the caller is not kept: it may be used again.
  if (typeof imageId !== 'string' || wanted.targetBuffer?.arrayBuffer) return load();
  const form = loads.formOf(imageId, wanted, 'none');
  const cached = cache.get(imageId, form);
  if (cached) return cached;
  const image = await load();
  cache.set(imageId, image, form);
  return image;
}

/** @param {string} imageId @param {Options} [options] @returns {Promise<Record<string, any>>} */
export async function loadMetadata(imageId, options) {
  const [modules] = await readMetadata([imageId], optionsOf('loadMetadata', imageId, options));
  return modules;
}

/** @param {string[]} imageIds of one source @param {Options} options @returns {Promise<Record<string, any>[]>} */
async function readMetadata(imageIds, options) {
  const [imageId] = imageIds;
  const instance = [...hosts].some(({ wantsInstances }) => wantsInstances);
  const payload = { imageId, imageIds, options: { ...forPython(options), ...serviceOptions(imageId), instance } };
  const found = /** @type {Record<string, any>[]} */ (await callWorker('metadata', payload, imageId, options));
  for (const [index, { instanceModule }] of found.entries()) if (instanceModule) giveInstance(imageIds[index], JSON.parse(instanceModule.json));
  // Those of a loaded image describe its pixels as they are now, not as the file has them.
  for (const [index, modules] of found.entries()) metadata.set(imageIds[index], { ...modules, ...metadata.get(imageIds[index]) });
  return found;
}

/** The imageIds of all images of a source, or of files. @param {string | import('./page/files.js').Given} source @param {Options} [options] @returns {Promise<string[]>} */
export async function imageIds(source, options) {
  return listed(source, optionsOf('imageIds', source, options));
}

/** @param {string | import('./page/files.js').Given} source @param {Options} options @returns {Promise<string[]>} */
async function listed(source, options) {
  if (typeof source !== 'string') return (await files.series(source, options)).flatMap(({ imageIds }) => imageIds);
  return callWorker('imageIds', { imageId: source, options: { ...forPython(options), ...serviceOptions(source) } }, source, options);
}

/** The images of a source, or of files, by series. @param {string | import('./page/files.js').Given} source @param {Options} [options] @returns {Promise<import('./page/files.js').Series[]>} */
export async function series(source, options) {
  const asked = optionsOf('series', source, options);
  const isDicom = typeof source !== 'string' || FILE_SCHEMES.includes(parseImageId(source).scheme);
  return isDicom ? files.series(source, asked) : [{ imageIds: await listed(source, asked), missing: [] }];
}

/** The options of a load, of which those that nobody reads are told. @param {string} call @param {any} source @param {any} options @returns {Options} */
function optionsOf(call, source, options) {
  if (typeof options !== 'object' || options === null) return {};
  const scheme = typeof source === 'string' ? source.slice(0, source.indexOf(':')).toLowerCase() : FILE_SCHEMES[0];
  tellUnknownOfLoad(call, options, BUILT_IN_SCHEMES.includes(scheme));
  return options;
}

/** The load object of viewers. @param {string} imageId @param {Options} [options] */
export function imageLoader(imageId, options = {}) {
  const mode = attachedMode() ?? guessMode(options);
  if (mode === '3d') handMode = '3d';
  return loads.object(imageId, options, mode, imageId);
}

/** The viewer that called imageLoader without `use`; metaData answers in its way. @type {Mode} */
let handMode = 'none';

/** @returns {Mode | undefined} */
function attachedMode() {
  return [...hosts].at(-1)?.mode;
}

/** @param {string} scheme */
async function isPython(scheme) {
  return BUILT_IN_SCHEMES.includes(scheme) || python.serves(scheme);
}

/** How the page calls what workers are asked. @type {Record<string, string>} */
const CALLS = { load: 'loadImage', metadata: 'loadMetadata', imageIds: 'imageIds', listing: 'series', readJson: 'addMetadata' };

/** @param {string} name @param {any} payload @param {string} imageId @param {Options} options */
async function callWorker(name, payload, imageId, options) {
  const { source, scheme } = parseImageId(imageId);
  checkOptions(options);
  await start(`${CALLS[name]}(${said(imageId)})`);
  await isPython(scheme);
  if (!pool) throw abortError('pyloader: the load');
  const { signal, onProgress, priority, requestType, timeout } = options;
  return pool.run({ name, payload, source, signal, onProgress, priority, requestType, timeout }).catch((error) => python.fail(error, scheme));
}

/** What the page has said of the DICOMweb service of an image. @param {string} imageId */
function serviceOptions(imageId) {
  const found = [...services].filter(([base, { wadoURI }]) => wadoURI && imageId.startsWith(`wadors:${base}/`));
  const [nearest] = found.sort(([a], [b]) => b.length - a.length); // one service may be below another
  return nearest ? { wadoURI: nearest[1].wadoURI } : {};
}

/** Tells how many files have been looked at. @param {((detail: any) => void) | undefined} onProgress */
function fileMeter(onProgress) {
  return (/** @type {any} */ { url, loaded, total }) => {
    if (!url) tellPage(onProgress, { loaded, total, percentComplete: percent(loaded, total) });
  };
}

// ------------------------------------------------------------------ loaders

/** @param {string} scheme @param {JsLoader} loader */
export function registerImageLoader(scheme, loader) {
  checkLoader(scheme, loader);
  jsLoaders.set(scheme.toLowerCase(), loader);
  for (const host of hosts) host.registerScheme(scheme);
}

/** @param {JsLoader} loader @returns {JsLoader | undefined} the one it takes the place of */
export function registerUnknownImageLoader(loader) {
  checkUnknownLoader(loader);
  const previous = unknownLoader;
  unknownLoader = loader;
  return previous;
}

/** @param {{url?: string, source?: string, name?: string, packages?: string[]}} options @returns {Promise<string[]>} */
export async function loadPython(options) {
  checkPython(options);
  tellUnknown('loadPython', options);
  return python.run(options);
}

// ------------------------------------------------------------------ metadata and files

/** @param {string} type @param {string} imageId */
export function metaData(type, imageId) {
  return moduleFor(metadata.get(imageId), type, attachedMode() ?? handMode);
}

/** @param {string[] | Record<string, any>} sources imageIds to read headers of, or DICOM JSON by imageId */
export async function addMetadata(sources) {
  checkSources(sources);
  const read = Array.isArray(sources)
    ? [...bySource(sources).values()].map((imageIds) => readMetadata(imageIds, { requestType: 'prefetch' }))
    : Object.entries(sources).map(([imageId, json]) => readJson(imageId, json));
  await Promise.all(read);
}

/** @param {string} imageId @param {any} json a DICOM JSON data set, or a list of one */
async function readJson(imageId, json) {
  const { instance, text } = dicomJson(imageId, json);
  if (parseImageId(imageId).scheme === 'wadors') descriptions.give(imageId, text);
  const { modules } = await callWorker('readJson', { imageId, text }, imageId, {});
  metadata.set(imageId, { ...metadata.get(imageId), ...modules });
  giveInstance(imageId, instance);
}

/** Viewers that compute from whole instances get one. @param {string} imageId @param {any} json a DICOM JSON data set */
function giveInstance(imageId, json) {
  for (const host of hosts) if (host.wantsInstances) host.giveInstance(imageId, json);
}

/** @param {import('./page/files.js').Content} file @returns {string} its imageId */
export function addFile(file) {
  return files.add(file);
}

/** @param {string} imageId */
export function removeFile(imageId) {
  const name = fileNameOf(parseImageId(imageId).source);
  const isOfFile = (/** @type {string} */ key) => fileNameOf(parseImageId(key).source) === name;
  for (const key of [...metadata.keys()].filter(isOfFile)) metadata.delete(key);
  for (const key of [...cache.keys()].filter(isOfFile)) cache.delete(key);
  pool?.crew.forgetReplay(name);
  pool?.crew.tell('withdraw', { name }).catch(() => {}); // a worker that just died holds nothing
}

/**
 * A DICOMweb service.
 * @param {string} base @param {{headers?: Record<string, string>, wadoURI?: string}} [options]
 */
export function dicomweb(base, options) {
  const root = serviceAddress(base);
  const { headers, wadoURI } = options ?? {};
  const known = { wadoURI, headers: headers && plainHeaders(headers, wrongCall) };
  tellUnknown('dicomweb', options);
  services.set(root, known);
  if (pool) sendHeaders('service', root, known.headers ?? {}, pool); // its origin is named
  return serviceFor(root, descriptions);
}

// ------------------------------------------------------------------ viewers

/** @param {any} cornerstone @param {{priority?: number, schemes?: string[], displayValues?: boolean, instances?: boolean}} [options] @returns {(() => void) & {readonly schemes: string[]}} */
export function use(cornerstone, options) {
  checkUse(options);
  tellUnknown('use', options);
  const { priority, schemes, displayValues, instances } = options ?? {};
  const mode = modeOf(cornerstone);
  if (mode === 'none') {
    throw new PyLoaderError({ code: 'viewer', stage: 'dispatch', message: 'use() takes the cornerstone-core or @cornerstonejs/core library object; what it was given has no registerImageLoader' });
  }
  const face = {
    load: loads.object.bind(loads),
    events,
    metaData: (/** @type {string} */ type, /** @type {string} */ imageId, /** @type {Mode} */ hostMode, /** @type {() => any} */ askOthers) => moduleFor(metadata.get(imageId), type, hostMode, askOthers),
  };
  const { registerScheme, attributesOf, giveInstance, detach } = attach(cornerstone, mode, face, { priority, displayValues });
  /** @type {string[]} */
  const taken = [];
  const host = {
    registerScheme: (/** @type {string} */ scheme) => {
      if (schemes && !schemes.includes(scheme)) return;
      registerScheme(scheme);
      if (!taken.includes(scheme)) taken.push(scheme);
    },
    attributesOf,
    giveInstance,
    wantsInstances: Boolean(instances),
    mode,
  };
  hosts.add(host);
  const builtIn = schemes ? BUILT_IN_SCHEMES : BUILT_IN_SCHEMES.filter((scheme) => !SCHEMES_OF_VIEWERS.includes(scheme));
  for (const scheme of [...builtIn, ...python.schemes, ...jsLoaders.keys()]) host.registerScheme(scheme);
  const disconnect = () => {
    hosts.delete(host);
    detach();
  };
  return Object.assign(disconnect, { schemes: taken });
}

/** @param {string} type @param {any} detail */
function fire(type, detail) {
  events.dispatchEvent(new CustomEvent(type, { detail }));
}

const runScriptTags = () => python.runScriptTags();
if (globalThis.document?.readyState === 'loading') document.addEventListener('DOMContentLoaded', runScriptTags);
else if (globalThis.document) runScriptTags();
