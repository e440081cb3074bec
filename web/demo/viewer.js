// @ts-check
// A small viewer on a canvas: draws an Image of pyloader, window and level by drag or Shift and
// arrow keys, double-click resets, and the value under the pointer.
import { onDrag } from './controls.js';
import { addCorners, make } from './page.js';
import { moved, paintGrey, windowOf } from './windowing.js';

/** @typedef {import('../pyloader.d.ts').Image} Image */
/** @typedef {import('./windowing.js').Window} Window */

const DRAG_PIXELS = 256; // a drag this long changes the window by its own width
const KEY_STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10],
});

export class Viewer {
  /** @type {Image | undefined} */
  image;
  /** @type {Window | undefined} */
  window;

  /** @param {HTMLElement} stage where the canvas goes */
  constructor(stage) {
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
   * @param {{title?: string, keepWindow?: boolean}} [options] `keepWindow` for the next image of one stack
   */
  show(image, { title = '', keepWindow = false } = {}) {
    this.image = image;
    if (!keepWindow || !this.window || image.color) this.window = image.color ? undefined : windowOf(image);
    this.canvas.width = image.columns;
    this.canvas.height = image.rows;
    // Pixels need not be square: rows and columns have a spacing each.
    const aspect = (image.columnPixelSpacing ?? 1) / (image.rowPixelSpacing ?? 1);
    this.canvas.style.setProperty('--ratio', String((image.columns / image.rows) * aspect));
    this.canvas.setAttribute('aria-label', title || image.imageId);
    this.corners.topLeft.textContent = title;
    this.#draw();
  }

  /** Show nothing: what failed to load must not look like what was there before. */
  clear() {
    this.image = this.window = undefined;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.canvas.setAttribute('aria-label', 'no image');
    for (const corner of Object.values(this.corners)) corner.textContent = '';
  }

  resetWindow() {
    if (!this.image || this.image.color) return;
    this.window = windowOf(this.image);
    this.#draw();
  }

  /** @param {number} dx wider @param {number} dy higher, both in pixels of a drag */
  #adjust(dx, dy) {
    if (!this.image || !this.window) return;
    this.window = moved(this.window, dx / DRAG_PIXELS, dy / DRAG_PIXELS, windowOf(this.image));
    this.#draw();
  }

  #draw() {
    const image = /** @type {Image} */ (this.image);
    const drawn = this.context.createImageData(image.columns, image.rows);
    if (this.window) paintGrey(image, this.window, new Uint32Array(drawn.data.buffer));
    else drawn.data.set(image.getPixelData());
    this.context.putImageData(drawn, 0, 0);
    this.corners.bottomLeft.textContent = this.window ? `W ${short(this.window.width)}  C ${short(this.window.center)}` : 'Colour';
  }

  /** @param {PointerEvent} event */
  #probe({ offsetX, offsetY }) {
    if (!this.image) return;
    const column = Math.floor((offsetX / this.canvas.clientWidth) * this.image.columns);
    const row = Math.floor((offsetY / this.canvas.clientHeight) * this.image.rows);
    const inside = column >= 0 && row >= 0 && column < this.image.columns && row < this.image.rows;
    this.corners.bottomRight.textContent = inside ? `${column}, ${row}: ${valueAt(this.image, row, column)}` : '';
  }
}

/** @param {Image} image @param {number} row @param {number} column */
function valueAt(image, row, column) {
  const pixels = image.getPixelData();
  const first = (row * image.columns + column) * image.numberOfComponents;
  if (image.color) return Array.from(pixels.slice(first, first + 3)).join(' ');
  return short(pixels[first] * image.slope + image.intercept);
}

/** @param {number} value */
export function short(value) {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
