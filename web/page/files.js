// @ts-check
// Files of the user: the imageIds that they get, those that a folder or a drop holds, and what
// images are among them.
import { blobOf, isBlob, isList, wrongSource } from './arguments.js';
import { PyLoaderError, messageOf, said } from '../shared/errors.js';
import { parseImageId } from '../shared/imageid.js';

/** @typedef {Blob | ArrayBuffer | ArrayBufferView} Content */
/** @typedef {Blob | Iterable<Blob> | ArrayLike<Blob> | DataTransfer} Given */
/** @typedef {{path: string, file: Blob}} Placed a file and where it stands */
/** @typedef {import('pyloader').Series} Series */
/** @typedef {import('../shared/messages.d.ts').FoundSeries} FoundSeries */
/** @typedef {import('../shared/messages.d.ts').NamedFile} Named as a worker is given it */
/**
 * @typedef {Omit<import('../viewers/cornerstone.js').Options, 'onProgress'> & {onProgress?: (progress: {loaded: number,
 *   total?: number, percentComplete?: number}) => void}} Options of a list
 */
/**
 * @typedef {object} Host
 * @property {(name: string, file: Blob) => Promise<unknown>} provide to all workers
 * @property {(imageId: string, files: Named[] | undefined, options: Options) => Promise<FoundSeries[]>} list
 */

export class Files {
  /** Never used again, so that no cache takes one file for another. */
  #number = 0;
  /** Random, so that no other page, library or copy of this script has the same names. */
  #page = randomHex();

  /** @param {Host} host */
  constructor(host) {
    this.host = host;
  }

  /** @param {Content} content @returns {string} its imageId */
  add(content) {
    const file = blobOf(content);
    const imageId = this.#name();
    this.host.provide(imageId, file).catch(() => {}); // the load of it tells
    return imageId;
  }

  #name() {
    return `localfile:${this.#page}-${this.#number++}`;
  }

  /**
   * The images of a source, or of files, by series. Workers read the headers alone; files without
   * images are let go of.
   * @param {string | Given} source @param {Options} options @returns {Promise<Series[]>}
   */
  async series(source, options) {
    if (typeof source === 'string') return flatten(await this.host.list(source, undefined, options));
    const placed = await collect(source).catch(unreadable); // begun before anything is awaited: a drop is over soon
    if (!placed.length)
      throw wrongSource('there is no file among what was given: choose files, or a folder that is not empty');
    const files = placed.map(({ path, file }) => ({ name: this.#name(), path, file }));
    const found = flatten(await this.host.list(files[0].name, files, options));
    const used = new Set(found.flatMap(({ imageIds }) => imageIds.map((imageId) => parseImageId(imageId).source)));
    await Promise.all(
      files.filter(({ name }) => used.has(name)).map(({ name, file }) => this.host.provide(name, file)),
    );
    return found;
  }
}

/** Eight digits; `crypto.randomUUID` exists in secure contexts alone. */
function randomHex() {
  return crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, '0');
}

/** @param {FoundSeries[]} found @returns {Series[]} */
function flatten(found) {
  return found.map(({ attributes, imageIds, missing }) => ({ ...attributes, imageIds, missing }));
}

// ------------------------------------------------------------------ what was chosen or dropped

/** @param {Given} given @returns {Promise<Placed[]>} */
function collect(given) {
  if (isBlob(given)) return Promise.resolve([place(given)]);
  if (typeof DataTransfer !== 'undefined' && given instanceof DataTransfer) return collectDrop(given);
  const files = isList(given) ? Array.from(/** @type {ArrayLike<Blob>} */ (given)) : [given];
  if (!files.every(isBlob)) {
    throw wrongSource(
      `imageIds() and series() take an imageId, or files: File, Blob, an array or FileList of them, or the DataTransfer of a drop; not ${said(given)}`,
    );
  }
  return Promise.resolve(files.map(place));
}

/** @param {Blob} file @returns {Placed} */
function place(file) {
  return { file, path: file instanceof File ? file.webkitRelativePath || file.name : '' };
}

/** Files and folders of a drop; after the event it gives them no more. @param {DataTransfer} dropped @returns {Promise<Placed[]>} */
async function collectDrop(dropped) {
  const items = [...dropped.items].filter(({ kind }) => kind === 'file');
  const found = items.map((item) => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    return entry ? collectEntry(entry) : Promise.resolve(file ? [place(file)] : []);
  });
  return (await Promise.all(found)).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<Placed[]>} */
async function collectEntry(entry) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((resolve, reject) =>
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject),
    );
    return [{ file, path: entry.fullPath.replace(/^\//, '') }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    // Browsers give a hundred at a time, and none at the end.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    entries.push(...some);
  }
  return (await Promise.all(entries.map(collectEntry))).flat();
}

/** @param {unknown} error of the browser @returns {never} */
function unreadable(error) {
  throw new PyLoaderError({
    name: 'RequestError',
    code: 'request',
    stage: 'fetch',
    message:
      `what was dropped cannot be read: ${messageOf(error)}. ` +
      'It may have been moved or removed, or this page may not read it',
  });
}
