// @ts-check
// Zooms and moves a canvas on its stage, as a transform that the style sheet applies to it and to its overlays.

const CLOSEST = 40;
const FARTHEST = 1 / 4;

export class Camera {
  /** Size relative to the one that fits the stage. */
  zoom = 1;
  /** Distance of the picture's middle from that of the stage, in CSS pixels. */
  #x = 0;
  #y = 0;

  /** @param {HTMLElement} stage @param {HTMLCanvasElement} canvas fills the stage as far as its shape allows */
  constructor(stage, canvas) {
    this.stage = stage;
    this.canvas = canvas;
  }

  /** Screen pixels for each column of the image. */
  get scale() {
    return (this.zoom * this.canvas.clientWidth * devicePixelRatio) / this.canvas.width;
  }

  fit() {
    this.#set(1, 0, 0);
  }

  /** Show one column of the image in each column of the screen. */
  actualSize() {
    this.zoomBy(1 / this.scale);
  }

  /**
   * Zoom around a point of the browser's window, by default around the middle of the stage.
   * @param {number} factor @param {number} [clientX] @param {number} [clientY]
   */
  zoomBy(factor, clientX, clientY) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const [x, y] = clientX === undefined ? [0, 0] : [clientX - left - width / 2, (clientY ?? 0) - top - height / 2];
    const zoom = Math.min(Math.max(this.zoom * factor, FARTHEST), CLOSEST);
    const grown = zoom / this.zoom;
    this.#set(zoom, x - (x - this.#x) * grown, y - (y - this.#y) * grown);
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  moveBy(dx, dy) {
    this.#set(this.zoom, this.#x + dx, this.#y + dy);
  }

  /** @param {number} zoom @param {number} x @param {number} y */
  #set(zoom, x, y) {
    // Some of the picture stays on the stage, so that nobody loses it.
    const within = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(Math.max(value, -most), most);
    this.zoom = zoom;
    this.#x = within(x, (this.canvas.clientWidth * zoom) / 2);
    this.#y = within(y, (this.canvas.clientHeight * zoom) / 2);
    this.stage.style.setProperty('--zoom', String(zoom));
    this.stage.style.setProperty('--move', `${this.#x}px ${this.#y}px`);
  }
}
