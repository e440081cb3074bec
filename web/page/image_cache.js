// @ts-check
// The LRU cache of loadAndCacheImage: one image for each imageId, up to a number of bytes.

/** @template {{sizeInBytes: number}} Value */
export class ImageCache {
  /**
   * Entries, the least recently used first: a Map keeps the order of insertion.
   * @type {Map<string, {image: Value, form: string}>}
   */
  #entries = new Map();
  #bytes = 0;

  /** @param {number} maximumBytes */
  constructor(maximumBytes) {
    this.maximumBytes = maximumBytes;
  }

  get bytes() {
    return this.#bytes;
  }

  get size() {
    return this.#entries.size;
  }

  keys() {
    return this.#entries.keys();
  }

  /** @param {string} imageId @param {string} [form] that the image must have; any form by default */
  get(imageId, form) {
    const entry = this.#entries.get(imageId);
    if (!entry || (form !== undefined && form !== entry.form)) return undefined;
    this.#entries.delete(imageId);
    this.#entries.set(imageId, entry);
    return entry.image;
  }

  /** @param {string} imageId @param {Value} image @param {string} [form] */
  set(imageId, image, form = '') {
    this.delete(imageId);
    this.#entries.set(imageId, { image, form });
    this.#bytes += image.sizeInBytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.maximumBytes) break;
      this.delete(oldest);
    }
  }

  /** @param {string} imageId */
  delete(imageId) {
    const entry = this.#entries.get(imageId);
    if (entry) this.#bytes -= entry.image.sizeInBytes;
    return this.#entries.delete(imageId);
  }

  clear() {
    this.#entries.clear();
    this.#bytes = 0;
  }
}
