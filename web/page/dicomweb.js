// @ts-check
// Knows the metadata of images on DICOMweb services before they are loaded: given by the page, held by its
// viewer, or fetched once for each series. Also makes the object that `dicomweb()` returns for a service.
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

// A few bytes of metadata may announce 2**31 frames.
const MOST_IMAGES = FACTS.limits.listedImages;
const SERIES = /^wadors:(?<instance>(?<series>[^?#]*\/studies\/[^/]+\/series\/[^/]+)\/instances\/[^/?#]+)/;

/** Return the instance of an imageId, without the query of its address. @param {string} imageId */
function instanceOf(imageId) {
  return parseImageId(imageId).source.replace(/\?.*$/, '');
}

/** The metadata of instances. */
export class Descriptions {
  /** DICOM JSON by instance. @type {Map<string, string>} */
  #given = new Map();
  #flights = new SingleFlight();
  /** Addresses of series that the server has no metadata for. @type {Set<string>} */
  #emptySeries = new Set();
  /** Instances that the metadata of their series do not contain. @type {Set<string>} */
  #unknownInstances = new Set();

  /**
   * @param {Ask} ask
   * @param {(imageId: string) => Options | undefined} lookUp returns attributes that a viewer on the page has, by DICOM
   *   keyword
   */
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

  /** Ask servers again, and share no request in progress: they may respond differently now. */
  beginAnew() {
    this.#emptySeries.clear();
    this.#unknownInstances.clear();
    this.#flights = new SingleFlight();
  }

  /**
   * Find the metadata of an image for the worker that loads it.
   * @param {{source: string, asksAnew: boolean}} of `asksAnew` to fetch the metadata of this instance, whatever is
   *   known
   * @param {{signal: AbortSignal}} context
   * @returns {Promise<import('../shared/messages.d.ts').Description>} undefined if there are none
   */
  async describe({ source, asksAnew }, { signal }) {
    const name = instanceOf(source);
    const { instance, series } = SERIES.exec(name)?.groups ?? {};
    try {
      if (asksAnew) return instance ? await this.#fetchInstance(instance, { signal }) : undefined;
      const known = this.#metadataOf(name);
      if (known || !series || this.#emptySeries.has(series) || this.#unknownInstances.has(name)) return known;
      await this.series(series, { signal });
      const found = this.#metadataOf(name);
      // Not asked for again: the worker then fetches the instance's own metadata.
      if (!found) this.#unknownInstances.add(name);
      return found;
    } catch (error) {
      return { error: toWire(error) };
    }
  }

  /** @param {string} name */
  #metadataOf(name) {
    const json = this.#given.get(name);
    if (json) return { json };
    const attributes = this.lookUp(`${name}/frames/1`);
    return attributes && { attributes };
  }

  /**
   * Fetch the metadata of one instance, with single flight.
   * @param {string} url @param {{signal: AbortSignal}} options @returns {Promise<{json: string} | undefined>}
   */
  #fetchInstance(url, { signal }) {
    const end = url.slice(url.lastIndexOf('/instances/'));
    const start = async (/** @type {AbortSignal} */ signal) => {
      /** @type {Row[]} */
      const rows = await this.ask('series', { url }, { signal });
      const found = rows.find(({ instance }) => instance.endsWith(end));
      // Metadata that the page has given are never replaced, even if they are incomplete.
      if (found && !this.#given.has(`wadors:${url}`)) this.#given.set(`wadors:${url}`, found.json);
      return found && { json: found.json };
    };
    return this.#flights.join(url, start, { signal, listener: () => {}, what: `the metadata of ${url}` });
  }

  /**
   * Fetch the metadata of a series, with single flight.
   * @param {string} url @param {{signal?: AbortSignal}} options
   * @returns {Promise<Row[]>} empty if the server has no metadata
   */
  series(url, { signal = new AbortController().signal } = {}) {
    const start = async (/** @type {AbortSignal} */ signal) => {
      /** @type {Row[]} */
      const rows = await this.ask('series', { url }, { signal });
      if (!rows.length) this.#emptySeries.add(url);
      for (const { instance, json } of rows) this.#given.set(`wadors:${instance}`, json);
      return rows;
    };
    return this.#flights.join(url, start, { signal, listener: () => {}, what: `the metadata of ${url}` });
  }
}

/**
 * Make the object for one service.
 * @param {string} base @param {Descriptions} descriptions
 */
export function serviceFor(base, descriptions) {
  /** @param {string} path @param {Options} [filters] @param {SearchOptions} [options] */
  const search = (path, filters = {}, { signal, ...parameters } = {}) =>
    descriptions.ask('search', { url: `${base}${path}`, options: present({ ...filters, ...parameters }) }, { signal });
  const below = (/** @type {string} */ kind, /** @type {string | undefined} */ uid) => (uid ? `/${kind}/${uid}` : '');
  return {
    base,
    /** @param {Options} [filters] @param {SearchOptions} [options] */
    searchStudies: (filters, options) => search('/studies', filters, options),
    /** @param {string} [study] @param {Options} [filters] @param {SearchOptions} [options] */
    searchSeries: (study, filters, options) => search(`${below('studies', study)}/series`, filters, options),
    /** @param {string} [study] @param {string} [series] @param {Options} [filters] @param {SearchOptions} [options] */
    searchInstances: (study, series, filters, options) =>
      study || !series
        ? search(`${below('studies', study)}${below('series', series)}/instances`, filters, options)
        : search('/instances', { ...filters, seriesInstanceUID: series }, options),
    /** @param {string} study @param {string} series @param {{signal?: AbortSignal}} [options] */
    imageIds: async (study, series, options) => {
      if (!isUid(study) || !isUid(series))
        throw wrongCall(
          'imageIds() of a DICOMweb service takes the UIDs of a study and of a series in that study, ' +
            `not ${said(study)} and ${said(series)}`,
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

/**
 * Check that the instances announce no more frames than a list may have.
 * @param {Row[]} rows @throws {PyLoaderError} with code `format`
 */
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
      message:
        `the metadata of ${instance} announce ${frames} frames, and its series has more than the ${MOST_IMAGES} ` +
        'images that a list may have; the metadata are damaged, or made to do harm',
    });
  }
}

/** @param {unknown} uid */
function isUid(uid) {
  return typeof uid === 'string' && uid !== '';
}

/** Return the options that have a value: a form's empty field is no filter. @param {Options} options */
function present(options) {
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
    message:
      `${url} has no metadata, so its images are unknown: the series does not exist, ` +
      'or its server does not offer the metadata of series',
  });
}
