// @ts-check
// A small viewer on a canvas: draws an Image of pyloader and shows the value under the pointer. A drag, or Shift and
// arrow keys, change window and level, or what the toolbar says; a double-click resets them.
import { Camera } from './camera.js';
import { onMove, onStep, stepsOf } from './controls.js';
import { addCorners, make } from './page.js';
import { modalityOf, moved, paintGrey, windowOf } from './windowing.js';

/** @typedef {import('../pyloader.d.ts').Image} Image */
/** @typedef {import('./windowing.js').Window} Window */
/** @typedef {'window' | 'pan' | 'slices'} Mode what a drag does */
/** @typedef {{readonly count: number, step: (delta: number) => void}} Slices */

const DRAG_PIXELS = 256; // a drag this long changes the window by its own width
const WHEEL_ZOOM = 0.002; // of the logarithm of the zoom, for each pixel of the wheel
const KEY_STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-10, 0],
  ArrowRight: [10, 0],
  ArrowUp: [0, -10],
  ArrowDown: [0, 10],
});

export class Viewer {
  /** @type {Image | undefined} */
  image;
  /** The stack that the image is of. @type {Slices | undefined} */
  slices;
  /**
   * The user's choice; before it, a finger goes through slices, and a mouse changes the window.
   * @type {Mode | undefined}
   */
  mode = undefined;
  isInverted = false;
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
    this.camera = new Camera(stage, this.canvas);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    this.corners = addCorners(stage);
    this.#listen();
    this.clear();
  }

  #listen() {
    const { canvas, camera } = this;
    onMove(canvas, {
      drag: (dx, dy, isTouch) => this.#drag(dx, dy, isTouch),
      pan: (dx, dy) => this.move(() => camera.moveBy(dx, dy)),
      zoom: (factor, x, y) => this.move(() => camera.zoomBy(factor, x, y)),
    });
    onStep(canvas, (delta) => this.slices?.count && this.slices.step(delta));
    this.stepByDrag = stepsOf((delta) => this.slices?.step(delta));
    canvas.addEventListener('wheel', (event) => {
      if (!event.ctrlKey) return; // a pinch on a trackpad sets it, too
      event.preventDefault();
      this.move(() => camera.zoomBy(Math.exp(-event.deltaY * WHEEL_ZOOM), event.clientX, event.clientY));
    });
    canvas.addEventListener('dblclick', () => this.reset());
    canvas.addEventListener('keydown', (event) => {
      const steps = event.shiftKey && KEY_STEPS[event.key];
      if (!steps) return;
      event.preventDefault();
      if (this.mode === 'pan') this.move(() => camera.moveBy(...steps));
      else this.#adjust(...steps);
    });
    canvas.addEventListener('pointermove', (event) => this.#probe(event));
    canvas.addEventListener('pointerleave', () => (this.corners.bottomRight.textContent = ''));
  }

  /** @param {number} dx @param {number} dy @param {boolean} isTouch */
  #drag(dx, dy, isTouch) {
    /** @type {Mode} */
    const mode = this.mode ?? (isTouch ? 'slices' : 'window');
    if (mode === 'pan') this.move((camera) => camera.moveBy(dx, dy));
    else if (mode === 'slices' && (this.slices?.count ?? 0) > 1) this.stepByDrag?.(dy);
    else this.#adjust(dx, dy);
  }

  /**
   * @param {Image} image
   * @param {{title?: string, keepWindow?: boolean}} [options] `keepWindow` for the next image of the same stack
   */
  show(image, { title = '', keepWindow = false } = {}) {
    this.image = image;
    if (!keepWindow) {
      this.camera.fit();
      this.isInverted = false;
    }
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
    this.camera.fit();
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.canvas.setAttribute('aria-label', 'no image');
    this.isInverted = false;
    for (const corner of Object.values(this.corners)) corner.textContent = '';
    this.#report();
  }

  /** Show the image as it was at first. */
  reset() {
    this.camera.fit();
    this.isInverted = false;
    if (!this.image) return;
    if (this.image.color) this.#report();
    else this.choose(windowOf(this.image));
  }

  /** Zoom or move the image, if there is one. @param {(camera: Camera) => void} change */
  move(change) {
    if (!this.image) return;
    change(this.camera);
    this.#report();
  }

  /** Show grey values the other way round. */
  invert() {
    if (!this.image || this.image.color) return;
    this.isInverted = !this.isInverted;
    this.#draw();
  }

  /** Set a window that the user wants. @param {Window} window */
  choose(window) {
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
    this.choose(moved(this.window, dx / DRAG_PIXELS, dy / DRAG_PIXELS, windowOf(this.image)));
  }

  #draw() {
    const image = /** @type {Image} */ (this.image);
    const drawn = this.context.createImageData(image.columns, image.rows);
    const shown = this.isInverted ? { ...image, invert: !image.invert } : image;
    if (this.window) paintGrey(shown, this.window, new Uint32Array(drawn.data.buffer));
    else drawn.data.set(image.getPixelData());
    this.context.putImageData(drawn, 0, 0);
    this.#report();
  }

  /** Write window and zoom, and tell the toolbar. */
  #report() {
    const { image, window, camera } = this;
    const words = window ? `W ${short(window.width)}  C ${short(window.center)}` : 'Colour';
    const zoom = camera.zoom === 1 ? '' : `\nZoom ${short(camera.scale)}`;
    this.corners.bottomLeft.textContent = image ? `${words}${zoom}` : '';
    this.canvas.dispatchEvent(new Event('viewchange'));
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
    return short(modalityOf(image)(pixels[first]));
  }
}

/** @param {number} value */
export function short(value) {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
