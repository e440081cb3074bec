// @ts-check
// Gives imageIds to the user's files, collects the files of a folder or a drop, and lists the images
// among them.
import { blobOf, isBlob, isList, wrongSource } from './arguments.js';
import { PyLoaderError, messageOf, said } from '../shared/errors.js';
import { fileNameOf, parseImageId } from '../shared/imageid.js';

/** @typedef {Blob | ArrayBuffer | ArrayBufferView} Content */
/** @typedef {Blob | Iterable<Blob> | ArrayLike<Blob> | DataTransfer} Given */
/** @typedef {{path: string, file: Blob}} PathedFile a file and its path in the folder or drop */
/** @typedef {import('pyloader').Series} Series */
/** @typedef {import('../shared/messages.d.ts').FoundSeries} FoundSeries */
/** @typedef {import('../shared/messages.d.ts').NamedFile} Named a file as workers get it */
/**
 * @typedef {Omit<import('../viewers/cornerstone.js').Options, 'onProgress'> & {onProgress?: (progress: {loaded: number,
 *   total?: number, percentComplete?: number}) => void}} Options of `imageIds` and `series`
 */
/**
 * @typedef {object} Host
 * @property {(name: string, file: Blob) => Promise<unknown>} provide sends a file to all workers
 * @property {(imageId: string, files: Named[] | undefined, options: Options) => Promise<FoundSeries[]>} list lists
 *   images by series
 */

export class Files {
  /** Number of the next file. Numbers are never reused, so that no cache confuses two files. */
  #number = 0;
  /** Random part of the names, so that no other page, library or copy of this script has the same names. */
  #page = randomHex();

  /** @param {Host} host */
  constructor(host) {
    this.host = host;
  }

  /** Add a file. @param {Content} content @returns {string} its imageId */
  add(content) {
    const file = blobOf(content);
    const imageId = this.#newName();
    this.host.provide(imageId, file).catch(() => {}); // loading the file reports the error
    return imageId;
  }

  #newName() {
    return `localfile:${this.#page}-${this.#number++}`;
  }

  /**
   * List the images of a source, or of files, by series. Workers read just the headers. Files without
   * images are not kept.
   * @param {string | Given} source @param {Options} options @returns {Promise<Series[]>}
   */
  async series(source, options) {
    if (typeof source === 'string') return toSeries(await this.host.list(source, undefined, options));
    // Called before any await: a drop is readable only during its event.
    const collected = await collect(source).catch(unreadable);
    if (!collected.length)
      throw wrongSource('imageIds() and series() were given no file: choose files, or a folder that is not empty');
    const files = collected.map(({ path, file }) => ({ name: this.#newName(), path, file }));
    const found = toSeries(await this.host.list(files[0].name, files, options));
    const used = new Set(
      found.flatMap(({ imageIds }) => imageIds.map((imageId) => fileNameOf(parseImageId(imageId).source))),
    );
    await Promise.all(
      files.filter(({ name }) => used.has(name)).map(({ name, file }) => this.host.provide(name, file)),
    );
    return found;
  }
}

/** Return eight random hexadecimal digits; `crypto.randomUUID` exists only in secure contexts. */
function randomHex() {
  return crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, '0');
}

/** @param {FoundSeries[]} found @returns {Series[]} */
function toSeries(found) {
  return found.map(({ attributes, imageIds, missing }) => ({ ...attributes, imageIds, missing }));
}

// ------------------------------------------------------------------ chosen and dropped files

/** Collect files with their paths. @param {Given} given @returns {Promise<PathedFile[]>} */
function collect(given) {
  if (isBlob(given)) return Promise.resolve([withPath(given)]);
  if (typeof DataTransfer !== 'undefined' && given instanceof DataTransfer) return collectDrop(given);
  const files = isList(given) ? Array.from(/** @type {ArrayLike<Blob>} */ (given)) : [given];
  if (!files.every(isBlob)) {
    throw wrongSource(
      'imageIds() and series() take an imageId, or files: File, Blob, an array or FileList of them, ' +
        `or the DataTransfer of a drop; not ${said(given)}`,
    );
  }
  return Promise.resolve(files.map(withPath));
}

/** @param {Blob} file @returns {PathedFile} */
function withPath(file) {
  return { file, path: file instanceof File ? file.webkitRelativePath || file.name : '' };
}

/**
 * Collect the files and folders of a drop, whose DataTransfer is empty after the event.
 * @param {DataTransfer} dropped @returns {Promise<PathedFile[]>}
 */
async function collectDrop(dropped) {
  const items = [...dropped.items].filter(({ kind }) => kind === 'file');
  const found = items.map((item) => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    return entry ? collectEntry(entry) : Promise.resolve(file ? [withPath(file)] : []);
  });
  return (await Promise.all(found)).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<PathedFile[]>} */
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
    // Browsers return up to a hundred entries at a time, and an empty array at the end.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    entries.push(...some);
  }
  return (await Promise.all(entries.map(collectEntry))).flat();
}

/** Throw for a drop that cannot be read. @param {unknown} error of the browser @returns {never} */
function unreadable(error) {
  throw new PyLoaderError({
    name: 'RequestError',
    code: 'request',
    stage: 'fetch',
    message:
      `the dropped files cannot be read: ${messageOf(error)}. ` +
      'They may have been moved or removed, or this page may not read them',
  });
}
