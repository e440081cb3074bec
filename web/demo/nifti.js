// @ts-check
// Builds the page around the code of nifti.html: volumes, three linked planes, time, facts.
import { Stack } from './controls.js';
import { renderWarnings, table } from './facts.js';
import { listenForFiles } from './files.js';
import {
  SampleList,
  boot,
  byId,
  fetchSamples,
  isAbort,
  pyloader,
  reveal,
  setState,
  showError,
  submitted,
} from './page.js';
import { Plane, pointWords } from './plane.js';
import { Toolbar } from './toolbar.js';
import { short } from './viewer.js';
import { windowOf } from './windowing.js';

/** @typedef {import('./page.js').Sample} Sample */
/** @typedef {import('./plane.js').Axis} Axis */
/** @typedef {Record<Axis, string[]>} Slices imageIds by direction */
/**
 * @typedef {object} Page the functions of the page's own script
 * @property {(source: string) => Promise<Slices[]>} list
 * @property {(imageId: string) => Promise<any>} open
 * @property {(file: File) => string} openFile
 */

const AXES = /** @type {Axis[]} */ (['z', 'y', 'x']);
const STAGES = { x: 'sagittal', y: 'coronal', z: 'axial' };

/** @param {Page} page */
export async function start(page) {
  const desk = new VolumeDesk(page);
  boot().catch(showError);
  listenForFiles((files) =>
    desk.add(page.openFile(files[0]), files[0].name, `${(files[0].size / 1024).toFixed(0)} KiB`),
  );
  byId('address').addEventListener(
    'submit',
    submitted(() => desk.openAddress(new FormData(byId('address')).get('url'))),
  );
  try {
    const samples = await fetchSamples('nifti.json');
    for (const sample of samples) desk.samples.add(sample);
    await desk.choose(samples.find(({ name }) => name === location.hash.slice(1)) ?? samples[0]);
  } catch (error) {
    showError(error);
  }
}

class VolumeDesk {
  /** The chosen sample. @type {Sample | undefined} */
  #chosen;
  /** Slices by timepoint. @type {Slices[]} */
  #timepoints = [];
  /** @type {import('./plane.js').Point} */
  #point = [0, 0, 0];

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.samples = new SampleList(byId('samples'), (sample) => this.choose(sample));
    this.time = new Stack(byId('stack'), (index) => this.#showTime(index));
    const listeners = {
      open: page.open,
      onPoint: (/** @type {import('./plane.js').Point} */ point) => void this.#go(point),
      onWindow: (/** @type {import('./windowing.js').Window} */ window) => {
        for (const { viewer } of this.planes) viewer.setWindow(window);
      },
      onError: (/** @type {any} */ error) => this.#fail(error),
    };
    this.planes = AXES.map((axis) => new Plane(axis, byId(STAGES[axis]), listeners));
    const view = /** @type {HTMLElement} */ (document.querySelector('.view'));
    new Toolbar(
      view,
      this.planes.map(({ viewer }) => viewer),
      this.time,
    );
  }

  /** @param {any} url */
  openAddress(url) {
    const absolute = new URL(String(url).trim(), document.baseURI).href;
    this.add(`nifti:${absolute}`, absolute.split('/').at(-1) ?? absolute, 'from its address');
  }

  /** @param {string} imageId @param {string} title @param {string} description */
  add(imageId, title, description) {
    const sample = { title, description, origin: 'read in this page', name: imageId, imageIds: [imageId], start: 0 };
    this.samples.add(sample);
    this.choose(sample);
  }

  /** @param {Sample} sample */
  async choose(sample) {
    if (this.#chosen) reveal(byId('stages'));
    this.#chosen = sample;
    this.samples.mark(sample);
    for (const plane of this.planes) plane.clear();
    this.time.open(0, 0, '');
    this.#showFacts();
    try {
      await boot();
      if (sample !== this.#chosen) return;
      setState('loading');
      const timepoints = await this.page.list(sample.imageIds[0]);
      if (sample === this.#chosen) await this.#open(sample, timepoints);
    } catch (error) {
      if (sample !== this.#chosen || isAbort(error)) return;
      this.samples.fail(sample, error);
      this.#fail(error);
    }
  }

  /** @param {Sample} sample @param {Slices[]} timepoints */
  async #open(sample, timepoints) {
    const [first] = timepoints;
    // The positions of all slices follow from the metadata of the first and the last one.
    await pyloader.addMetadata(AXES.flatMap((axis) => [first[axis][0], first[axis].at(-1) ?? '']));
    if (sample !== this.#chosen) return;
    this.#timepoints = timepoints;
    for (const plane of this.planes) plane.open(first[plane.axis]);
    const [axial] = this.planes;
    const { rows, columns } = /** @type {any} */ (pyloader.metaData('imagePixelModule', first.z[0]));
    const middle = { column: columns >> 1, row: rows >> 1, slice: first.z.length >> 1 };
    await this.#go(/** @type {import('./plane.js').Geometry} */ (axial.geometry).pointAt(middle));
    if (sample !== this.#chosen) return;
    this.#useOneWindow();
    this.time.open(timepoints.length, 0, 'Timepoint');
    this.#showFacts();
  }

  /** Give the three planes one window, so that equal values have equal grey levels. */
  #useOneWindow() {
    const images = this.planes.map(({ viewer }) => viewer.image).filter((image) => image && !image.color);
    if (images.length < this.planes.length) return;
    const low = Math.min(...images.map((image) => image?.minPixelValue ?? 0));
    const high = Math.max(...images.map((image) => image?.maxPixelValue ?? 0));
    const window = windowOf({ .../** @type {any} */ (images[0]), minPixelValue: low, maxPixelValue: high });
    for (const { viewer } of this.planes) viewer.setWindow(window);
  }

  /** @param {import('./plane.js').Point} point */
  async #go(point) {
    const sample = this.#chosen;
    this.#point = point;
    await Promise.all(this.planes.map((plane) => plane.go(point)));
    if (sample === this.#chosen && point === this.#point) this.#settle();
  }

  /** @param {number} index */
  async #showTime(index) {
    const sample = this.#chosen;
    await Promise.all(this.planes.map((plane) => plane.replace(this.#timepoints[index][plane.axis])));
    if (sample === this.#chosen) this.#settle();
  }

  /** Update the page once all planes show their slices. */
  #settle() {
    if (this.planes.some(({ viewer }) => !viewer.image)) return; // a plane has failed
    this.#showFacts();
    setState('shown');
  }

  /** @param {any} error */
  #fail(error) {
    for (const plane of this.planes) plane.clear();
    this.#showFacts();
    showError(error);
  }

  // ------------------------------------------------------------------ facts

  #showFacts() {
    const [axial] = this.planes;
    const { image } = axial.viewer;
    byId('position').replaceChildren(...(image ? [table(this.#position())] : []));
    byId('facts').replaceChildren(...(image ? [table(this.#facts(image))] : []));
    renderWarnings(byId('warnings'), [...new Set(this.planes.flatMap(({ viewer }) => viewer.image?.warnings ?? []))]);
  }

  #position() {
    const [axial] = this.planes;
    const { place, geometry, viewer } = axial;
    return {
      value: viewer.valueAt(place.row, place.column),
      position: geometry?.isKnown ? `${pointWords(this.#point)} mm` : 'not known',
      slices: this.planes.map((plane) => `${plane.axis}-${plane.place.slice}`).join('  '),
    };
  }

  /** @param {any} image */
  #facts(image) {
    const counts = ['x', 'y', 'z'].map((axis) => this.#timepoints[0][/** @type {Axis} */ (axis)].length);
    const spacings = ['x', 'y', 'z'].map(
      (axis) => this.planes.find((plane) => plane.axis === axis)?.geometry?.slice ?? [0, 0, 0],
    );
    return {
      source: this.#chosen?.name,
      voxels: counts.join(' × '),
      timepoints: this.#timepoints.length,
      spacing: [
        spacings.map((step) => short(Math.hypot(...step))).join(' × '),
        this.planes[0].geometry?.isKnown ? 'mm' : 'voxels',
      ].join(' '),
      datatype: image.color ? 'RGB' : image.dataType.replace('Array', ''),
      scaling:
        image.slope === 1 && image.intercept === 0 ? undefined : `× ${short(image.slope)} + ${short(image.intercept)}`,
    };
  }
}
