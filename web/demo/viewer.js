// @ts-check
// A small viewer on a canvas: draws an Image of pyloader and shows the value under the pointer. Drag, or Shift and
// arrow keys, change window and level; a double-click resets them.
import { onDrag } from './controls.js';
import { addCorners, make } from './page.js';
import { moved, paintGrey, windowOf } from './windowing.js';

/** @typedef {import('../pyloader.d.ts').Image} Image */
/** @typedef {import('./windowing.js').Window} Window */

const DRAG_PIXELS = 256; // a drag this long changes the window by its own width
const KEY_STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-10, 0],
  ArrowRight: [10, 0],
  ArrowUp: [0, -10],
  ArrowDown: [0, 10],
});

export class Viewer {
  /** @type {Image | undefined} */
  image;
  /** @type {Window | undefined} */
  window;

  /**
   * @param {HTMLElement} stage contains the canvas
   * @param {{onWindow?: (window: Window) => void, describe?: (row: number, column: number) => string}} [options]
   *   `onWindow` is called with each window that the user sets; `describe` returns the text for a pixel
   */
  constructor(stage, { onWindow = () => {}, describe } = {}) {
    this.stage = stage;
    this.onWindow = onWindow;
    this.describe = describe ?? ((row, column) => `${column}, ${row}: ${this.valueAt(row, column)}`);
    this.canvas = make('canvas', { width: 1, height: 1, tabIndex: 0 });
    this.canvas.setAttribute('role', 'img');
    stage.append(this.canvas);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    this.corners = addCorners(stage);
    this.#listen();
    this.clear();
  }

  #listen() {
    onDrag(this.canvas, (dx, dy) => this.#adjust(dx, dy));
    this.canvas.addEventListener('dblclick', () => this.resetWindow());
    this.canvas.addEventListener('keydown', (event) => {
      const steps = event.shiftKey && KEY_STEPS[event.key];
      if (!steps) return;
      event.preventDefault();
      this.#adjust(...steps);
    });
    this.canvas.addEventListener('pointermove', (event) => this.#probe(event));
    this.canvas.addEventListener('pointerleave', () => (this.corners.bottomRight.textContent = ''));
  }

  /**
   * @param {Image} image
   * @param {{title?: string, keepWindow?: boolean}} [options] `keepWindow` for the next image of the same stack
   */
  show(image, { title = '', keepWindow = false } = {}) {
    this.image = image;
    if (!keepWindow || !this.window || image.color) this.window = image.color ? undefined : windowOf(image);
    this.canvas.width = image.columns;
    this.canvas.height = image.rows;
    // Pixels may not be square: rows and columns have their own spacing.
    const aspect = (image.columnPixelSpacing ?? 1) / (image.rowPixelSpacing ?? 1);
    this.stage.style.setProperty('--ratio', String((image.columns / image.rows) * aspect));
    this.canvas.setAttribute('aria-label', title || image.imageId);
    this.corners.topLeft.textContent = title;
    this.#draw();
  }

  /** Show nothing, so that a failed load does not look like the previous image. */
  clear() {
    this.image = this.window = undefined;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.canvas.setAttribute('aria-label', 'no image');
    for (const corner of Object.values(this.corners)) corner.textContent = '';
  }

  resetWindow() {
    if (!this.image || this.image.color) return;
    this.#choose(windowOf(this.image));
  }

  /** @param {Window} window */
  #choose(window) {
    this.setWindow(window);
    this.onWindow(window);
  }

  /** @param {Window} window */
  setWindow(window) {
    if (!this.image || this.image.color) return;
    this.window = window;
    this.#draw();
  }

  /** @param {number} dx pixels of a drag, which widen the window @param {number} dy pixels that move it up */
  #adjust(dx, dy) {
    if (!this.image || !this.window) return;
    this.#choose(moved(this.window, dx / DRAG_PIXELS, dy / DRAG_PIXELS, windowOf(this.image)));
  }

  #draw() {
    const image = /** @type {Image} */ (this.image);
    const drawn = this.context.createImageData(image.columns, image.rows);
    if (this.window) paintGrey(image, this.window, new Uint32Array(drawn.data.buffer));
    else drawn.data.set(image.getPixelData());
    this.context.putImageData(drawn, 0, 0);
    this.corners.bottomLeft.textContent = this.window
      ? `W ${short(this.window.width)}  C ${short(this.window.center)}`
      : 'Colour';
  }

  /** @param {PointerEvent | MouseEvent} event */
  #probe(event) {
    const place = this.pixelAt(event);
    this.corners.bottomRight.textContent = place ? this.describe(place.row, place.column) : '';
  }

  /** Return the pixel under the pointer, counted from 0. @param {PointerEvent | MouseEvent} event */
  pixelAt({ offsetX, offsetY }) {
    if (!this.image) return undefined;
    const { rows, columns } = this.image;
    const column = Math.floor((offsetX / this.canvas.clientWidth) * columns);
    const row = Math.floor((offsetY / this.canvas.clientHeight) * rows);
    return column >= 0 && row >= 0 && column < columns && row < rows ? { row, column } : undefined;
  }

  /** Return the text of a pixel's value. @param {number} row @param {number} column */
  valueAt(row, column) {
    const image = /** @type {Image} */ (this.image);
    const pixels = image.getPixelData();
    const first = (row * image.columns + column) * image.numberOfComponents;
    if (image.color) return Array.from(pixels.slice(first, first + 3)).join(' ');
    return short(pixels[first] * image.slope + image.intercept);
  }
}

/** @param {number} value */
export function short(value) {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
