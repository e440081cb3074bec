// @ts-check
// What the page knows of images on DICOMweb services before they are loaded: given by the page,
// held by its viewer, or fetched once for a series; and the face of such a service.
import { SingleFlight } from './single_flight.js';
import { FACTS } from '../shared/facts.js';
import { parseImageId } from '../shared/imageid.js';
import { wrongCall } from './arguments.js';
import { PyLoaderError, said, toWire } from '../shared/errors.js';

/** @typedef {import('../shared/messages.d.ts').PlainOptions} Options */
/** @typedef {import('../shared/messages.d.ts').Row} Row */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/**
 * @typedef {<Name extends 'search' | 'series'>(name: Name, payload: WorkerCalls[Name]['payload'], options?: {signal?:
 *   AbortSignal}) => Promise<WorkerCalls[Name]['result']>} Ask
 */
/** @typedef {Options & {signal?: AbortSignal}} SearchOptions */

// A few bytes may announce 2**31.
const MOST_IMAGES = FACTS.limits.listedImages;
const SERIES = /^wadors:(?<instance>(?<series>[^?#]*\/studies\/[^/]+\/series\/[^/]+)\/instances\/[^/?#]+)/;

/** The imageId's instance, without what the page has added to its address. @param {string} imageId */
function instanceOf(imageId) {
  return parseImageId(imageId).source.replace(/\?.*$/, '');
}

/** Metadata by instance. */
export class Descriptions {
  /** DICOM JSON. @type {Map<string, string>} */
  #given = new Map();
  #flights = new SingleFlight();
  /** Series of which the server has no metadata, by address. @type {Set<string>} */
  #without = new Set();
  /** Instances that the metadata of their series have been asked for in vain. @type {Set<string>} */
  #lacking = new Set();

  /** @param {Ask} ask @param {(imageId: string) => Options | undefined} lookUp what a viewer on the page knows, by DICOM keyword */
  constructor(ask, lookUp) {
    this.ask = ask;
    this.lookUp = lookUp;
  }

  /** @param {string} imageId @param {string} json a DICOM JSON data set */
  give(imageId, json) {
    this.#given.set(instanceOf(imageId), json);
  }

  clear() {
    this.#given.clear();
    this.beginAnew();
  }

  /** Ask servers again, and share no question that is under way: they may answer otherwise now. */
  beginAnew() {
    this.#without.clear();
    this.#lacking.clear();
    this.#flights = new SingleFlight();
  }

  /**
   * Answer a worker that has to know what it loads.
   * @param {{source: string, asksAnew: boolean}} of to ask anew is to ask for the metadata of the instance alone
   * @param {{signal: AbortSignal}} context
   * @returns {Promise<import('../shared/messages.d.ts').Description>} undefined when nobody knows
   */
  async describe({ source, asksAnew }, { signal }) {
    const name = instanceOf(source);
    const { instance, series } = SERIES.exec(name)?.groups ?? {};
    try {
      if (asksAnew) return instance ? await this.#alone(instance, { signal }) : undefined;
      const known = this.#known(name);
      if (known || !series || this.#without.has(series) || this.#lacking.has(name)) return known;
      await this.series(series, { signal });
      const found = this.#known(name);
      if (!found) this.#lacking.add(name); // asked for once; whether it comes later the worker finds by its own metadata
      return found;
    } catch (error) {
      return { error: toWire(error) };
    }
  }

  /** @param {string} name */
  #known(name) {
    const json = this.#given.get(name);
    if (json) return { json };
    const attributes = this.lookUp(`${name}/frames/1`);
    return attributes && { attributes };
  }

  /**
   * Fetch the metadata of one instance, once for all who ask meanwhile.
   * @param {string} url @param {{signal: AbortSignal}} options @returns {Promise<{json: string} | undefined>}
   */
  #alone(url, { signal }) {
    const end = url.slice(url.lastIndexOf('/instances/'));
    const start = async (/** @type {AbortSignal} */ signal) => {
      /** @type {Row[]} */
      const rows = await this.ask('series', { url }, { signal });
      const found = rows.find(({ instance }) => instance.endsWith(end));
      // The page's own metadata stay, though they are not enough.
      if (found && !this.#given.has(`wadors:${url}`)) this.#given.set(`wadors:${url}`, found.json);
      return found && { json: found.json };
    };
    return this.#flights.join(url, start, { signal, listener: () => {}, what: `the metadata of ${url}` });
  }

  /**
   * Fetch the metadata of a series, once for all who ask meanwhile.
   * @param {string} url @param {{signal?: AbortSignal}} options
   * @returns {Promise<Row[]>} none when the server has no metadata
   */
  series(url, { signal = new AbortController().signal } = {}) {
    const start = async (/** @type {AbortSignal} */ signal) => {
      /** @type {Row[]} */
      const rows = await this.ask('series', { url }, { signal });
      if (!rows.length) this.#without.add(url);
      for (const { instance, json } of rows) this.#given.set(`wadors:${instance}`, json);
      return rows;
    };
    return this.#flights.join(url, start, { signal, listener: () => {}, what: `the metadata of ${url}` });
  }
}

/**
 * The face of one service.
 * @param {string} base @param {Descriptions} descriptions
 */
export function serviceFor(base, descriptions) {
  /** @param {string} path @param {Options} [filters] @param {SearchOptions} [options] */
  const search = (path, filters = {}, { signal, ...parameters } = {}) =>
    descriptions.ask('search', { url: `${base}${path}`, options: given({ ...filters, ...parameters }) }, { signal });
  const below = (/** @type {string} */ kind, /** @type {string | undefined} */ uid) => (uid ? `/${kind}/${uid}` : '');
  return {
    base,
    /** @param {Options} filters @param {SearchOptions} options */
    searchStudies: (filters, options) => search('/studies', filters, options),
    searchSeries: (/** @type {string} */ study, /** @type {Options} */ filters, /** @type {SearchOptions} */ options) =>
      search(`${below('studies', study)}/series`, filters, options),
    /** @param {string} study @param {string} series @param {Options} filters @param {SearchOptions} options */
    searchInstances: (study, series, filters, options) =>
      study || !series
        ? search(`${below('studies', study)}${below('series', series)}/instances`, filters, options)
        : search('/instances', { ...filters, seriesInstanceUID: series }, options),
    imageIds: async (
      /** @type {string} */ study,
      /** @type {string} */ series,
      /** @type {{signal?: AbortSignal}} */ options,
    ) => {
      if (!isUid(study) || !isUid(series))
        throw wrongCall(
          `imageIds() of a DICOMweb service takes the UIDs of a study and of a series of it, not ${said(study)} and ${said(series)}`,
        );
      const rows = await descriptions.series(`${base}/studies/${study}/series/${series}`, options);
      if (!rows.length) throw noMetadata(`${base}/studies/${study}/series/${series}`);
      checkCount(rows);
      return rows.flatMap(({ instance, frames }) =>
        Array.from({ length: frames }, (_, index) => `wadors:${instance}/frames/${index + 1}`),
      );
    },
  };
}

/** @param {Row[]} rows @throws {PyLoaderError} with code `format` when they announce more than a list may have */
function checkCount(rows) {
  let left = MOST_IMAGES;
  for (const { instance, frames } of rows) {
    left -= frames;
    if (left >= 0) continue;
    throw new PyLoaderError({
      name: 'FormatError',
      code: 'format',
      stage: 'parse',
      url: instance,
      message: `the metadata of ${instance} announce ${frames} frames, and its series has more than the ${MOST_IMAGES} that are listed; they are damaged, or made to do harm`,
    });
  }
}

/** @param {unknown} uid */
function isUid(uid) {
  return typeof uid === 'string' && uid !== '';
}

/** Without what is not there: a form's empty field is no filter. @param {Options} options */
function given(options) {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null && value !== ''),
  );
}

/** @param {string} url */
function noMetadata(url) {
  return new PyLoaderError({
    name: 'FormatError',
    code: 'format',
    stage: 'parse',
    url,
    message: `${url} has no metadata, so its images are not known: the series does not exist, or its server has no such service`,
  });
}
