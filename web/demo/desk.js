// @ts-check
// Shows one image or stack at a time: handles the choice, steps, failed loads and loads that come too late.
import { Stack } from './controls.js';
import { SampleList, boot, byId, fetchSamples, isAbort, reveal, setState, showError } from './page.js';

/** @typedef {import('./page.js').Sample} Sample */
/** @typedef {{image: any, frames: number}} Opened */
/**
 * @typedef {object} Viewing functions of a page that show images
 * @property {(imageId: string) => Promise<Opened>} open
 * @property {(image: any, sample: Sample, isFirst: boolean) => void} show
 * @property {(imageId: string, count: number) => string[]} frameIds
 * @property {() => void} [clear] removes the image of the previous choice
 */

export class Desk {
  /** @type {Sample | undefined} */
  #chosen;
  /** ImageIds of the shown stack. @type {string[]} */
  #imageIds = [];

  /** @param {Viewing} viewing */
  constructor(viewing) {
    this.viewing = viewing;
    this.stack = new Stack(byId('stack'), (index) => this.#showNext(index));
    this.list = new SampleList(byId('samples'), (sample) => this.choose(sample));
  }

  /** @param {string} [list] file name of the list @returns {Promise<Sample[]>} */
  async addSamples(list) {
    const samples = await fetchSamples(list);
    for (const sample of samples) this.list.add(sample);
    return samples;
  }

  /** True until something is chosen. */
  get isEmpty() {
    return !this.#chosen;
  }

  /** Add a sample to the list, and choose it. @param {Sample} sample */
  async add(sample) {
    this.list.add(sample);
    await this.choose(sample);
  }

  /**
   * Add the samples found in the user's files to the list, and choose the first one unless something else is chosen
   * meanwhile.
   * @param {() => Promise<Sample[]>} find
   */
  async addFound(find) {
    reveal(byId('stage'));
    const awaited = { title: '', description: '', origin: '', name: '', imageIds: [], start: 0 };
    this.#chosen = awaited;
    this.list.mark(awaited);
    this.stack.open(0, 0, '');
    await this.#attempt(awaited, async () => {
      await boot();
      if (awaited === this.#chosen) setState('loading');
      const samples = await find();
      for (const sample of samples) this.list.add(sample);
      if (awaited === this.#chosen) await this.choose(samples[0]);
    });
  }

  /** @param {Sample} sample */
  async choose(sample) {
    if (!this.isEmpty) reveal(byId('stage')); // not for the image that the page opens by itself
    this.#chosen = sample;
    this.#imageIds = sample.imageIds;
    this.list.mark(sample);
    this.stack.open(0, 0, '');
    await this.#attempt(sample, () => this.#showFirst(sample));
  }

  /** @param {Sample} sample */
  async #showFirst(sample) {
    const opened = await this.#open(sample, sample.imageIds[sample.start]);
    if (!opened) return;
    const { image, frames } = opened;
    const isMultiFrame = frames > 1 && sample.imageIds.length === 1;
    if (isMultiFrame) this.#imageIds = this.viewing.frameIds(sample.imageIds[0], frames);
    this.stack.open(this.#imageIds.length, sample.start, frames > 1 ? 'Frame' : 'Slice');
    this.viewing.show(image, sample, true);
  }

  /** @param {number} index */
  async #showNext(index) {
    const sample = /** @type {Sample} */ (this.#chosen);
    await this.#attempt(sample, async () => {
      const opened = await this.#open(sample, this.#imageIds[index]);
      if (opened) this.viewing.show(opened.image, sample, false);
    });
  }

  /**
   * @param {Sample} sample @param {string} imageId
   * @returns {Promise<Opened | undefined>} resolves to undefined if another sample was chosen meanwhile
   */
  async #open(sample, imageId) {
    await boot();
    if (sample !== this.#chosen) return undefined;
    setState('loading');
    const opened = await this.viewing.open(imageId);
    return sample === this.#chosen ? opened : undefined;
  }

  /** @param {Sample} sample @param {() => Promise<void>} work */
  async #attempt(sample, work) {
    try {
      await work();
    } catch (error) {
      if (sample !== this.#chosen || isAbort(error)) return;
      this.viewing.clear?.();
      this.list.fail(sample, error);
      showError(error);
    }
  }
}
