// @ts-check
// Implements the calls of pyloader.js as methods of an object. Several clients can exist side by side.
import { attach, guessMode, modeOf } from '../viewers/cornerstone.js';
import { moduleFor } from '../viewers/metadata.js';
import { PyLoaderError, fromWire, said } from '../shared/errors.js';
import { FACTS } from '../shared/facts.js';
import { fileNameOf, parseImageId } from '../shared/imageid.js';
import { isNamed } from '../shared/secrets.js';
import { VERSION } from '../shared/version.js';
import {
  checkLoader,
  checkOptions,
  checkPython,
  checkSources,
  checkUnknownLoader,
  checkUse,
  dicomJson,
  serviceAddress,
  wrongCall,
} from './arguments.js';
import { Auth, sendHeaders } from './auth.js';
import { Descriptions, serviceFor } from './dicomweb.js';
import { Engine } from './engine.js';
import { Files } from './files.js';
import { ImageCache } from './image_cache.js';
import { Loads, forPython } from './loads.js';
import { tellUnknown, tellUnknownOfLoad } from './options.js';
import { pageURL } from './page_url.js';
import { percent, requestMeter, callListener } from './progress.js';
import { PythonFiles } from './python_files.js';
import { DEFAULTS, isOtherIdentity, plainHeaders } from './settings.js';
import { SourceRefs, bySource } from './source_refs.js';

const { builtIn: BUILT_IN_SCHEMES, files: FILE_SCHEMES, ofViewers: SCHEMES_OF_VIEWERS } = FACTS.schemes;

/** @typedef {import('../viewers/cornerstone.js').Mode} Mode */
/** @typedef {import('../viewers/cornerstone.js').Options} Options */
/** @typedef {import('./files.js').Options} ListOptions */
/** @typedef {import('../shared/messages.d.ts').WireModules} Modules */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/messages.d.ts').JobName} JobName */
/** @typedef {{sizeInBytes: number}} Sized an image, which the cache counts by its size */
/** @typedef {import('./loads.js').JsLoader} JsLoader */
/** @typedef {{headers?: Record<string, string>, wadoURI?: string}} Service options of a DICOMweb service */
/** @typedef {import('../viewers/cornerstone.js').Attached & {wantsInstances: boolean, mode: Mode}} Viewer connected */

// Data sets that one call of a worker reads: some 30 ms, which a load that comes meanwhile has to wait.
const JSON_IN_A_CALL = 32;

export class Client {
  /** Target of all events; see `EventDetails` of pyloader.d.ts. */
  events = new EventTarget();
  /** Images of loadAndCacheImage. @type {ImageCache<Sized>} */
  cache = new ImageCache(DEFAULTS.cacheBytes);
  /** @type {Map<string, JsLoader>} */
  #jsLoaders = new Map();
  /** @type {JsLoader | undefined} */
  #unknownLoader;
  /** Modules by imageId. @type {Map<string, Modules>} */
  #metadata = new Map();
  /** DICOMweb services by address. @type {Map<string, Service>} */
  #services = new Map();
  /** @type {Set<Viewer>} */
  #viewers = new Set();
  /** The kind of viewer that called imageLoader without `use`; metaData returns modules for it. @type {Mode} */
  #handMode = 'none';
  /** @type {Engine} */
  #engine;
  /** @type {Auth} */
  #auth;
  /** @type {Descriptions} */
  #descriptions;
  /** @type {SourceRefs} */
  #refs;
  /** @type {Loads} */
  #loads;
  /** @type {Files} */
  #files;
  /** Python files of loadPython and of script tags. @type {PythonFiles} */
  #python;

  /**
   * @param {import('../shared/assets.js').Assets} assets the addresses of the files of dist/
   * @param {{createPlace?: import('./engine.js').EngineHost['createPlace']}} [environment] for tests
   */
  constructor(assets, { createPlace } = {}) {
    this.#engine = new Engine(
      { ...DEFAULTS, ...assets },
      {
        createPlace,
        fire: (type, detail) => this.#fire(type, detail),
        onSettings: (next, before) => this.#onSettings(next, before),
        onStart: (scheduler) => this.#onStart(scheduler),
        onRenewed: () => this.onRenewed(),
        stats: () => this.stats(),
        authorize: (request, scheduler) => this.#auth.renew(request, scheduler),
        describe: (of, context) => this.#descriptions.describe(of, context),
        print: (output) => this.#python.print(output),
        fileOf: (scheme) => this.#python.fileOf(scheme),
        settle: () => this.#loads.settle(),
      },
    );
    const engine = this.#engine;
    this.#auth = new Auth(
      () => engine.settings.onUnauthorized,
      (url) => isNamed(url, { baseURL: pageURL(), origins: engine.settings.origins, services: this.#services }),
    );
    this.#descriptions = new Descriptions(
      (name, payload, options) => engine.direct(`a search of ${said(payload.url)}`, name, payload, options),
      (imageId) => this.#attributesOf(imageId),
    );
    this.#refs = new SourceRefs((source) => engine.scheduler?.release(source));
    this.#python = new PythonFiles({
      define: (file) => engine.broadcast(`loadPython(), for ${said(file.name)}`, 'define', file, `define ${file.name}`),
      onSchemes: (schemes) => this.#registerWithViewers(schemes),
      onReplaced: () => this.cache.clear(),
      onPrint: (output) => this.#fire('print', output),
    });
    this.#files = new Files({
      provide: (name, file) => engine.broadcast('addFile()', 'provide', { name, file }, name),
      list: (imageId, files, options) => this.#listSeries(imageId, files, options),
    });
    this.#loads = new Loads({
      loaderOf: (scheme) => this.#loaderOf(scheme),
      plainOptions: (imageId, options) => this.#plainOptions(imageId, options),
      ask: (imageId, job) => this.#run('loadImage', 'load', job.payload, imageId, job),
      hurry: (payload, urgency) => engine.scheduler?.hurry(payload, urgency),
      describe: (imageId, modules) => this.#metadata.set(imageId, modules),
      fire: (type, detail) => this.#fire(type, detail),
      refs: this.#refs,
    });
  }

  // ------------------------------------------------------------------ starting and ending

  /** Promise that settles with init; a new attempt after a failure has a new promise. */
  get ready() {
    return this.#engine.ready;
  }

  /** Called when there is a new `ready`. @type {() => void} */
  onRenewed = () => {};

  /** @param {Partial<import('./settings.js').Settings>} [options] @returns {Promise<void>} */
  init(options) {
    return this.#engine.configure(options);
  }

  /** @param {import('./settings.js').Settings} next @param {import('./settings.js').Settings} before */
  #onSettings(next, before) {
    if (next.cacheBytes !== before.cacheBytes) this.cache.maximumBytes = next.cacheBytes;
    if (next.onUnauthorized !== before.onUnauthorized) this.#auth.forget();
    if (!isOtherIdentity(before, next)) return;
    this.#loads.beginAnew();
    this.#descriptions.beginAnew();
  }

  /** @param {import('../scheduler/scheduler.js').Scheduler} scheduler */
  #onStart(scheduler) {
    this.#auth.forget();
    for (const [base, { headers }] of this.#services) sendHeaders('service', base, headers ?? {}, scheduler);
  }

  /** End the workers, reset the settings and clear all data; the next load or init starts again. */
  terminate() {
    this.#engine.end();
    this.cache.maximumBytes = DEFAULTS.cacheBytes;
    this.#python.forget();
    this.#services.clear();
    this.#clear();
  }

  /** Clear cached images, metadata and parsed files; the workers keep running. */
  purge() {
    this.#clear();
    return this.#engine.scheduler?.purge();
  }

  #clear() {
    for (const store of [this.cache, this.#metadata, this.#descriptions, this.#refs]) store.clear();
  }

  stats() {
    const { scheduler, settings, warnings } = this.#engine;
    return {
      version: VERSION,
      ...(scheduler?.stats() ?? { workers: [], queued: 0, deaths: 0 }),
      loading: this.#loads.size,
      ...this.#loads.counts,
      cache: { images: this.cache.size, bytes: this.cache.bytes, maximumBytes: this.cache.maximumBytes },
      assetsURL: settings.assetsURL,
      warnings,
    };
  }

  /** @param {string} type @param {unknown} detail */
  #fire(type, detail) {
    this.events.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // ------------------------------------------------------------------ loading

  /** @param {string} imageId @param {Options} [options] @returns {Promise<unknown>} */
  async loadImage(imageId, options) {
    return this.#loads.start(imageId, optionsOf('loadImage', imageId, options), 'none', imageId).promise;
  }

  /** @param {string} imageId @param {Options} [options] @returns {Promise<unknown>} */
  async loadAndCacheImage(imageId, options) {
    const wanted = optionsOf('loadAndCacheImage', imageId, options);
    const load = () => this.#loads.start(imageId, wanted, 'none', imageId).promise;
    // The caller's memory is not cached, since the caller may reuse it.
    if (typeof imageId !== 'string' || wanted.targetBuffer?.arrayBuffer) return load();
    const form = this.#loads.formOf(imageId, wanted, 'none');
    const cached = this.cache.get(imageId, form);
    if (cached) return cached;
    const image = await load();
    this.cache.set(imageId, /** @type {Sized} */ (image), form);
    return image;
  }

  /** Return a load object, as viewers expect it. @param {string} imageId @param {Options} [options] */
  imageLoader(imageId, options = {}) {
    const mode = this.#connectedMode ?? guessMode(options);
    if (mode === '3d') this.#handMode = '3d';
    return this.#loads.object(imageId, options, mode, imageId);
  }

  /** @param {string} imageId @param {Options} [options] @returns {Promise<Modules>} */
  async loadMetadata(imageId, options) {
    const [modules] = await this.#readMetadata([imageId], optionsOf('loadMetadata', imageId, options));
    return modules;
  }

  /** @param {string[]} imageIds of one source @param {Options} options @returns {Promise<Modules[]>} */
  async #readMetadata(imageIds, options) {
    const [imageId] = imageIds;
    const instance = [...this.#viewers].some(({ wantsInstances }) => wantsInstances);
    const payload = { imageId, imageIds, options: { ...this.#plainOptions(imageId, options), instance } };
    /** @type {Modules[]} */
    const found = await this.#run('loadMetadata', 'metadata', payload, imageId, metered(imageId, options));
    for (const [index, modules] of found.entries()) {
      const { instanceModule } = modules;
      if (instanceModule) this.#giveInstance(imageIds[index], JSON.parse(instanceModule.json));
      // The modules of a loaded image take precedence: they describe its delivered pixels, not those of the file.
      this.#metadata.set(imageIds[index], { ...modules, ...this.#metadata.get(imageIds[index]) });
    }
    return found;
  }

  /**
   * List the imageIds of all images of a source, or of files.
   * @param {string | import('./files.js').Given} source @param {ListOptions} [options] @returns {Promise<string[]>}
   */
  async imageIds(source, options) {
    return this.#listImageIds(source, optionsOf('imageIds', source, options));
  }

  /** @param {string | import('./files.js').Given} source @param {ListOptions} options @returns {Promise<string[]>} */
  async #listImageIds(source, options) {
    if (typeof source !== 'string')
      return (await this.#files.series(source, options)).flatMap(({ imageIds }) => imageIds);
    const payload = { imageId: source, options: this.#plainOptions(source, options) };
    return this.#run('imageIds', 'imageIds', payload, source, metered(source, options));
  }

  /**
   * List the images of a source, or of files, by series.
   * @param {string | import('./files.js').Given} source @param {ListOptions} [options]
   * @returns {Promise<import('./files.js').Series[]>}
   */
  async series(source, options) {
    const checked = optionsOf('series', source, options);
    const isDicom = typeof source !== 'string' || FILE_SCHEMES.includes(parseImageId(source).scheme);
    if (isDicom) return this.#files.series(source, checked);
    return [{ imageIds: await this.#listImageIds(source, checked), missing: [] }];
  }

  /** @param {string} imageId @param {import('./files.js').Named[] | undefined} files @param {ListOptions} options */
  #listSeries(imageId, files, options) {
    const payload = { imageId, files, options: forPython(options) };
    return this.#run('series', 'listing', payload, imageId, { ...options, onProgress: fileMeter(options.onProgress) });
  }

  /**
   * Run a job for an imageId; if it fails with a Python traceback, show that on the console.
   * @template {JobName} Name
   * @param {string} caller @param {Name} name @param {import('./engine.js').JobPayload<Name>} payload
   * @param {string} imageId
   * @param {import('./engine.js').Options} options @returns {Promise<WorkerCalls[Name]['result']>}
   */
  async #run(caller, name, payload, imageId, options) {
    const { scheme } = parseImageId(imageId);
    const prepare = () => this.#isPython(scheme);
    return this.#engine
      .run(caller, name, payload, imageId, options, prepare)
      .catch((error) => this.#python.fail(error, scheme));
  }

  // ------------------------------------------------------------------ loaders

  /** @param {string} scheme @param {JsLoader} loader */
  registerImageLoader(scheme, loader) {
    checkLoader(scheme, loader);
    this.#jsLoaders.set(scheme.toLowerCase(), loader);
    this.#registerWithViewers([scheme]);
  }

  /** @param {JsLoader | undefined} loader @returns {JsLoader | undefined} the previous one */
  registerUnknownImageLoader(loader) {
    checkUnknownLoader(loader);
    const previous = this.#unknownLoader;
    this.#unknownLoader = loader;
    return previous;
  }

  /**
   * @param {{url?: string, source?: string, name?: string, packages?: string[]}} options
   * @returns {Promise<string[]>} the schemes that the file registered
   */
  async loadPython(options) {
    checkPython(options);
    tellUnknown('loadPython', options);
    return this.#python.run(options);
  }

  /** Run the page's `<script type="text/python" data-pyloader>` tags once the document is parsed, if there is one. */
  runScriptTags() {
    if (globalThis.document) this.#python.runScriptTags();
  }

  /** Return the JavaScript loader of a scheme, undefined if Python serves it. @param {string} scheme */
  async #loaderOf(scheme) {
    return this.#jsLoaders.get(scheme) ?? ((await this.#isPython(scheme)) ? undefined : this.#unknownLoader);
  }

  /** Return true if Python serves a scheme, once the files of script tags have run. @param {string} scheme */
  async #isPython(scheme) {
    return BUILT_IN_SCHEMES.includes(scheme) || this.#python.serves(scheme);
  }

  /**
   * Return the options of a load that Python gets.
   * @param {string} imageId @param {import('./loads.js').AllOptions} options
   * @returns {import('./loads.js').PlainOptions}
   */
  #plainOptions(imageId, options) {
    const found = [...this.#services].filter(([base, { wadoURI }]) => wadoURI && imageId.startsWith(`wadors:${base}/`));
    const [nearest] = found.sort(([a], [b]) => b.length - a.length); // one service's address may be below another's
    return { ...forPython(options), ...(nearest && { wadoURI: nearest[1].wadoURI }) };
  }

  // ------------------------------------------------------------------ metadata and files

  /** @param {string} type @param {string} imageId */
  metaData(type, imageId) {
    return moduleFor(this.#metadata.get(imageId), type, this.#connectedMode ?? this.#handMode);
  }

  /** @param {string[] | Record<string, unknown>} sources imageIds whose headers to read, or DICOM JSON by imageId */
  async addMetadata(sources) {
    checkSources(sources);
    if (Array.isArray(sources)) {
      const bySources = [...bySource(sources).values()];
      await Promise.all(bySources.map((imageIds) => this.#readMetadata(imageIds, { requestType: 'prefetch' })));
      return;
    }
    const given = Object.entries(sources).map(([imageId, json]) => ({ imageId, ...dicomJson(imageId, json) }));
    for (const { imageId, text } of given)
      if (parseImageId(imageId).scheme === 'wadors') this.#descriptions.give(imageId, text);
    const lists = Array.from({ length: Math.ceil(given.length / JSON_IN_A_CALL) }, (_, index) =>
      given.slice(index * JSON_IN_A_CALL, (index + 1) * JSON_IN_A_CALL),
    );
    await Promise.all(lists.map((list) => this.#readJson(list)));
  }

  /**
   * Read DICOM JSON data sets in one call. Those that can be read are kept, also when others fail.
   * @param {{imageId: string, instance: unknown, text: string}[]} sources
   */
  async #readJson(sources) {
    const [{ imageId }] = sources;
    const given = { imageIds: sources.map((each) => each.imageId), texts: sources.map(({ text }) => text) };
    const { found } = await this.#run('addMetadata', 'readJson', { imageId, ...given }, imageId, {});
    const failures = found.flatMap((each, index) => {
      if ('error' in each) return [fromWire(each.error)];
      const { imageId, instance } = sources[index];
      this.#metadata.set(imageId, { ...this.#metadata.get(imageId), ...each.modules });
      this.#giveInstance(imageId, instance);
      return [];
    });
    if (failures.length) throw failures[0];
  }

  /** @param {import('./files.js').Content} file @returns {string} its imageId */
  addFile(file) {
    return this.#files.add(file);
  }

  /** @param {string} imageId */
  removeFile(imageId) {
    const name = fileNameOf(parseImageId(imageId).source);
    const isOfFile = (/** @type {string} */ key) => fileNameOf(parseImageId(key).source) === name;
    for (const store of [this.#metadata, this.cache]) {
      for (const key of [...store.keys()].filter(isOfFile)) store.delete(key);
    }
    this.#engine.scheduler?.workers.forgetReplay(name);
    this.#engine.scheduler?.workers.tell('withdraw', { name }).catch(() => {}); // a worker that just died keeps nothing
  }

  /**
   * Return an object for a DICOMweb service, and name its origin.
   * @param {string} base @param {Service} [options]
   */
  dicomweb(base, options) {
    const root = serviceAddress(base);
    const { headers, wadoURI } = options ?? {};
    const known = { wadoURI, headers: headers && plainHeaders(headers, wrongCall) };
    tellUnknown('dicomweb', options);
    this.#services.set(root, known);
    const { scheduler } = this.#engine;
    if (scheduler) sendHeaders('service', root, known.headers ?? {}, scheduler); // also names the origin
    return serviceFor(root, this.#descriptions);
  }

  // ------------------------------------------------------------------ viewers

  /**
   * @param {unknown} cornerstone the library
   * @param {{priority?: number, schemes?: string[], displayValues?: boolean, instances?: boolean}} [options]
   * @returns {(() => void) & {readonly schemes: string[]}}
   */
  use(cornerstone, options) {
    checkUse(options);
    tellUnknown('use', options);
    const { priority, schemes, displayValues, instances } = options ?? {};
    const mode = modeOf(cornerstone);
    if (mode === 'none') {
      throw new PyLoaderError({
        code: 'viewer',
        stage: 'dispatch',
        message:
          'use() takes the library object of cornerstone-core or @cornerstonejs/core; ' +
          'its argument has no registerImageLoader',
      });
    }
    const library = /** @type {import('../viewers/libraries.d.ts').Cornerstone} */ (cornerstone);
    const attached = attach(library, mode, this.#loaderForViewers(), { priority, displayValues });
    /** @type {string[]} */
    const taken = [];
    const registerScheme = (/** @type {string} */ scheme) => {
      if (schemes && !schemes.includes(scheme)) return;
      attached.registerScheme(scheme);
      if (!taken.includes(scheme)) taken.push(scheme);
    };
    const viewer = { ...attached, registerScheme, wantsInstances: Boolean(instances), mode };
    this.#viewers.add(viewer);
    const builtIn = schemes
      ? BUILT_IN_SCHEMES
      : BUILT_IN_SCHEMES.filter((scheme) => !SCHEMES_OF_VIEWERS.includes(scheme));
    for (const scheme of [...builtIn, ...this.#python.schemes, ...this.#jsLoaders.keys()]) registerScheme(scheme);
    const disconnect = () => {
      this.#viewers.delete(viewer);
      attached.detach();
    };
    return Object.assign(disconnect, { schemes: taken });
  }

  /**
   * Return the functions that a viewer's loader and provider call.
   * @returns {import('../viewers/cornerstone.js').Face}
   */
  #loaderForViewers() {
    return {
      load: (imageId, options, mode, shownAs) => this.#loads.object(imageId, options, mode, shownAs),
      events: this.events,
      metaData: (type, imageId, mode, askOthers) => moduleFor(this.#metadata.get(imageId), type, mode, askOthers),
    };
  }

  /** @returns {Mode | undefined} */
  get #connectedMode() {
    return [...this.#viewers].at(-1)?.mode;
  }

  /** @param {string[]} schemes */
  #registerWithViewers(schemes) {
    for (const viewer of this.#viewers) schemes.forEach(viewer.registerScheme);
  }

  /** Ask the viewers for an image's attributes, by DICOM keyword. @param {string} imageId */
  #attributesOf(imageId) {
    return [...this.#viewers].map((viewer) => viewer.attributesOf(imageId)).find(Boolean);
  }

  /**
   * Pass an instance to the viewers that compute from whole instances.
   * @param {string} imageId @param {unknown} json a DICOM JSON data set
   */
  #giveInstance(imageId, json) {
    for (const viewer of this.#viewers) if (viewer.wantsInstances) viewer.giveInstance(imageId, json);
  }
}

/**
 * Return the options of a load, and warn about unknown ones.
 * @template {object} Given @param {string} call @param {unknown} source @param {Given | undefined} options
 * @returns {Given}
 */
function optionsOf(call, source, options) {
  if (typeof options !== 'object' || options === null) return /** @type {Given} */ ({});
  const scheme = typeof source === 'string' ? source.slice(0, source.indexOf(':')).toLowerCase() : FILE_SCHEMES[0];
  tellUnknownOfLoad(call, options, BUILT_IN_SCHEMES.includes(scheme));
  return options;
}

/**
 * Return the options with an `onProgress` that takes reports and passes them to the page as load progress.
 * @param {string} imageId @param {Options | import('./files.js').Options} options
 */
function metered(imageId, options) {
  checkOptions(options);
  const listener = /** @type {((detail: import('pyloader').LoadProgress) => void) | undefined} */ (options.onProgress);
  return { ...options, onProgress: requestMeter(imageId, listener) };
}

/** Make a listener that passes the number of files read to the page. @param {ListOptions['onProgress']} onProgress */
function fileMeter(onProgress) {
  return (/** @type {import('./loads.js').Report} */ { url, loaded, total }) => {
    if (!url) callListener(onProgress, { loaded, total, percentComplete: percent(loaded, total) });
  };
}
