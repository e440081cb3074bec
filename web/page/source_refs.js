// @ts-check
// Counts the references to sources, and groups imageIds by source. One source has many imageIds: frames of a
// file, members of an archive, slices of a volume.
import { parseImageId } from '../shared/imageid.js';

/** Reference counts: the number of load objects that hold each source. At zero its parsed form is released. */
export class SourceRefs {
  /** @type {Map<string, number>} */
  #counts = new Map();

  /** @param {(source: string) => void} release */
  constructor(release) {
    this.release = release;
  }

  /** Add a reference to the source of an imageId. @param {string} imageId */
  hold(imageId) {
    const { source } = parseImageId(imageId);
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
  }

  /** Drop a reference to the source of an imageId. @param {string} imageId */
  letGo(imageId) {
    const { source } = parseImageId(imageId);
    const left = (this.#counts.get(source) ?? 0) - 1;
    if (left > 0) return this.#counts.set(source, left);
    this.#counts.delete(source);
    this.release(source);
  }

  clear() {
    this.#counts.clear();
  }
}

/** Group imageIds by source. @param {string[]} imageIds @returns {Map<string, string[]>} */
export function bySource(imageIds) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const imageId of imageIds) {
    const { source } = parseImageId(imageId);
    const group = groups.get(source);
    if (group) group.push(imageId);
    else groups.set(source, [imageId]);
  }
  return groups;
}
