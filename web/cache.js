// @ts-check
// The byte-bounded LRU of loadAndCacheImage: images by imageId, the ones used last are kept.

/** @template {{sizeInBytes: number}} Value */
export class ImageCache {
  /** @type {Map<string, Value>} a Map keeps insertion order: the first key was used longest ago */
  #images = new Map();
  #bytes = 0;

  /** @param {number} maximumBytes */
  constructor(maximumBytes) {
    this.maximumBytes = maximumBytes;
  }

  get bytes() {
    return this.#bytes;
  }

  get size() {
    return this.#images.size;
  }

  /** @param {string} imageId */
  get(imageId) {
    const image = this.#images.get(imageId);
    if (image) {
      this.#images.delete(imageId);
      this.#images.set(imageId, image);
    }
    return image;
  }

  /** @param {string} imageId @param {Value} image */
  set(imageId, image) {
    this.delete(imageId);
    this.#images.set(imageId, image);
    this.#bytes += image.sizeInBytes;
    for (const oldest of this.#images.keys()) {
      if (this.#bytes <= this.maximumBytes) break;
      this.delete(oldest);
    }
  }

  /** @param {string} imageId */
  delete(imageId) {
    const image = this.#images.get(imageId);
    if (image) this.#bytes -= image.sizeInBytes;
    return this.#images.delete(imageId);
  }

  clear() {
    this.#images.clear();
    this.#bytes = 0;
  }
}
