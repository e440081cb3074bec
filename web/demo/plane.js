// @ts-check
// Shows one direction of a volume: its slices on a canvas, their position in the patient, the crosshair.
import { make, pyloader } from './page.js';
import { Viewer } from './viewer.js';

/** @typedef {[number, number, number]} Point in the patient (LPS), in mm; in voxels if the geometry is unknown */
/** @typedef {{column: number, row: number, slice: number}} Place in a plane, from 0 */
/** @typedef {'x' | 'y' | 'z'} Axis perpendicular to the slices */

export const TITLES = { x: 'Sagittal', y: 'Coronal', z: 'Axial' };
/** Letters at the ends of the patient's axes, towards lower and higher values. */
const LETTERS = ['RL', 'AP', 'IS'];
// Voxel axes of columns, rows and slices, for a volume without geometry.
const VOXEL_AXES = { x: [1, 2, 0], y: [0, 2, 1], z: [0, 1, 2] };
const CLICK_PIXELS = 4; // a pointer that moves more than this drags

const add = (/** @type {Point} */ a, /** @type {Point} */ b, factor = 1) =>
  /** @type {Point} */ (a.map((value, axis) => value + factor * b[axis]));
const dot = (/** @type {Point} */ a, /** @type {Point} */ b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (/** @type {Point} */ a, /** @type {Point} */ b) =>
  /** @type {Point} */ ([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]);
const times = (/** @type {Point} */ a, /** @type {number} */ factor) =>
  /** @type {Point} */ (a.map((value) => value * factor));

/** Position of the pixels of a stack of slices, from the metadata of its first and last one. */
export class Geometry {
  /** @param {Axis} axis @param {string[]} imageIds of all slices; the metadata must have been loaded */
  constructor(axis, imageIds) {
    const first = /** @type {Record<string, any>} */ (pyloader.metaData('imagePlaneModule', imageIds[0]));
    this.isKnown = first.imagePositionPatient !== undefined;
    if (this.isKnown) this.#read(first, imageIds);
    else
      [this.column, this.row, this.slice] = VOXEL_AXES[axis].map(
        (along) => /** @type {Point} */ ([0, 1, 2].map((each) => Number(each === along))),
      );
  }

  /** Centre of the first slice's first pixel. @type {Point} */
  origin = [0, 0, 0];
  /** Step from one column to the next. @type {Point} */
  column = [1, 0, 0];
  /** Step from one row to the next. @type {Point} */
  row = [0, 1, 0];
  /** Step from one slice to the next. @type {Point} */
  slice = [0, 0, 1];

  /** @param {Record<string, any>} first @param {string[]} imageIds */
  #read(first, imageIds) {
    this.origin = first.imagePositionPatient;
    this.column = times(first.rowCosines, first.columnPixelSpacing);
    this.row = times(first.columnCosines, first.rowPixelSpacing);
    const last = /** @type {Record<string, any>} */ (
      pyloader.metaData('imagePlaneModule', imageIds[imageIds.length - 1])
    );
    this.slice =
      imageIds.length > 1
        ? times(add(last.imagePositionPatient, this.origin, -1), 1 / (imageIds.length - 1))
        : times(cross(first.rowCosines, first.columnCosines), first.sliceThickness);
  }

  /** @param {Place} place @returns {Point} */
  pointAt({ column, row, slice }) {
    return add(add(add(this.origin, this.column, column), this.row, row), this.slice, slice);
  }

  /** Return the nearest place (Cramer's rule). @param {Point} point @returns {Place} */
  placeOf(point) {
    const away = add(point, this.origin, -1);
    const { column, row, slice } = this;
    const size = dot(column, cross(row, slice));
    return {
      column: Math.round(dot(away, cross(row, slice)) / size),
      row: Math.round(dot(column, cross(away, slice)) / size),
      slice: Math.round(dot(column, cross(row, away)) / size),
    };
  }

  /** Letters for the left, right, top and bottom edge. */
  get letters() {
    if (!this.isKnown) return ['', '', '', ''];
    return [letter(this.column, -1), letter(this.column, 1), letter(this.row, -1), letter(this.row, 1)];
  }
}

/** Return the letter of the patient's side nearest to a direction. @param {Point} direction @param {1 | -1} sign */
function letter(direction, sign) {
  const axis = [0, 1, 2].reduce(
    (best, each) => (Math.abs(direction[each]) > Math.abs(direction[best]) ? each : best),
    0,
  );
  return LETTERS[axis][Number(direction[axis] * sign > 0)];
}

/** Describe a point: distances to the left or right, back or front, head or feet. @param {Point} point */
export function pointWords(point) {
  return point.map((value, axis) => `${LETTERS[axis][Number(value >= 0)]} ${Math.abs(value).toFixed(1)}`).join('  ');
}

/**
 * @typedef {object} Listeners
 * @property {(point: Point) => void} onPoint called when the user has chosen a point
 * @property {(window: import('./windowing.js').Window) => void} onWindow
 * @property {(error: any) => void} onError
 * @property {(imageId: string) => Promise<any>} open
 */

export class Plane {
  /** @type {string[]} */
  imageIds = [];
  /** @type {Geometry | undefined} */
  geometry;
  /** @type {Place} */
  place = { column: 0, row: 0, slice: 0 };
  #wanted = '';
  /** @type {Promise<void> | undefined} */
  #following;

  /** @param {Axis} axis @param {HTMLElement} stage @param {Listeners} listeners */
  constructor(axis, stage, listeners) {
    this.axis = axis;
    this.listeners = listeners;
    /** @type {Viewer} */
    this.viewer = new Viewer(stage, {
      onWindow: listeners.onWindow,
      describe: (row, column) => this.#describe(row, column),
    });
    this.across = make('i', { className: 'across' });
    this.down = make('i', { className: 'down' });
    this.cross = make('div', { className: 'cross', hidden: true }, this.across, this.down);
    this.edges = ['left', 'right', 'top', 'bottom'].map((edge) => make('span', { className: `edge ${edge}` }));
    stage.append(this.cross, ...this.edges);
    this.#listen(this.viewer.canvas);
  }

  /** @param {HTMLCanvasElement} canvas */
  #listen(canvas) {
    /** @type {PointerEvent | undefined} */
    let pressed;
    canvas.addEventListener('pointerdown', (event) => (pressed = event));
    canvas.addEventListener('click', (event) => {
      const moved = pressed ? Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) : 0;
      const pixel = moved <= CLICK_PIXELS ? this.viewer.pixelAt(event) : undefined;
      if (pixel) this.#choose({ ...this.place, ...pixel });
    });
    this.viewer.slices = this;
  }

  /** Number of slices. */
  get count() {
    return this.imageIds.length;
  }

  /** @param {number} delta */
  step(delta) {
    this.#choose({ ...this.place, slice: this.place.slice + delta });
  }

  /** @param {Place} place */
  #choose(place) {
    if (!this.geometry) return;
    const slice = Math.min(Math.max(place.slice, 0), this.imageIds.length - 1);
    this.listeners.onPoint(this.geometry.pointAt({ ...place, slice }));
  }

  /** @param {number} row @param {number} column */
  #describe(row, column) {
    const value = this.viewer.valueAt(row, column);
    const point = this.geometry?.pointAt({ column, row, slice: this.place.slice });
    return point && this.geometry?.isKnown ? `${value}\n${pointWords(point)} mm` : value;
  }

  /** @param {string[]} imageIds of all slices; the metadata must have been loaded */
  open(imageIds) {
    this.imageIds = imageIds;
    this.geometry = new Geometry(this.axis, imageIds);
    for (const [index, text] of this.geometry.letters.entries()) this.edges[index].textContent = text;
  }

  /** @param {string[]} imageIds the same slices at another time */
  replace(imageIds) {
    this.imageIds = imageIds;
    return this.#follow();
  }

  clear() {
    this.geometry = undefined;
    this.#wanted = '';
    this.viewer.clear();
    this.cross.hidden = true;
    for (const edge of this.edges) edge.textContent = '';
  }

  /** Show the slice that contains a point, and mark the point. @param {Point} point */
  go(point) {
    const geometry = /** @type {Geometry} */ (this.geometry);
    this.place = geometry.placeOf(point);
    return this.#follow();
  }

  /** Load the wanted slice; while one loads, only the latest choice is kept. */
  #follow() {
    this.#wanted = this.imageIds[this.place.slice];
    this.#draw();
    this.#following ??= this.#load().finally(() => (this.#following = undefined));
    return this.#following;
  }

  async #load() {
    let shown = '';
    while (this.#wanted && this.#wanted !== shown) {
      shown = this.#wanted;
      try {
        const image = await this.listeners.open(shown);
        if (this.geometry && this.imageIds.includes(shown)) this.#show(image);
      } catch (error) {
        this.listeners.onError(error);
        return;
      }
    }
  }

  /** @param {any} image */
  #show(image) {
    this.viewer.show(image, { title: TITLES[this.axis], keepWindow: true });
    this.#draw();
  }

  #draw() {
    const { image, corners } = this.viewer;
    const { column, row, slice } = this.place;
    corners.topRight.textContent = `${slice + 1} / ${this.imageIds.length}`;
    this.cross.hidden = !image;
    if (!image) return;
    this.down.style.left = `${(100 * (column + 0.5)) / image.columns}%`;
    this.across.style.top = `${(100 * (row + 0.5)) / image.rows}%`;
  }
}
