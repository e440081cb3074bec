// @ts-check
// Controls of an image: drag, wheel, keys, and the slider of a stack.

const NOTCH = 50; // pixels of wheel movement that count as one step; a mouse gives more, a trackpad less
const PIXELS_PER_STEP = 12; // of a drag
const KEYS = /** @type {Record<string, number>} */ ({
  ArrowUp: -1,
  ArrowLeft: -1,
  ArrowDown: 1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
});

/**
 * @typedef {object} Moves what the pointers do, in CSS pixels
 * @property {(dx: number, dy: number, isTouch: boolean) => unknown} drag with the main button, or one finger
 * @property {(dx: number, dy: number) => void} [pan] with another button, or two fingers
 * @property {(factor: number, x: number, y: number) => void} [zoom] with two fingers, around their middle in the window
 */

/** Report moves of pointers that are down. @param {HTMLElement} element @param {Moves} moves */
export function onMove(element, { drag, pan, zoom }) {
  /** @type {Map<number, {x: number, y: number, isMain: boolean}>} */
  const down = new Map();
  let hadTwo = false; // the last finger of a pinch must not drag
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 && !pan) return;
    element.setPointerCapture(event.pointerId);
    down.set(event.pointerId, { x: event.clientX, y: event.clientY, isMain: event.button === 0 });
    hadTwo = down.size > 1;
  });
  element.addEventListener('pointermove', (event) => {
    const pointer = down.get(event.pointerId);
    if (!pointer) return;
    const before = shapeOf([...down.values()]);
    const [dx, dy] = [event.clientX - pointer.x, event.clientY - pointer.y];
    Object.assign(pointer, { x: event.clientX, y: event.clientY });
    const after = shapeOf([...down.values()]);
    if (down.size > 1) {
      pan?.(after.x - before.x, after.y - before.y);
      if (before.spread && after.spread) zoom?.(after.spread / before.spread, after.x, after.y);
    } else if (!pointer.isMain) pan?.(dx, dy);
    else if (!hadTwo) drag(dx, dy, event.pointerType === 'touch');
  });
  element.addEventListener('lostpointercapture', ({ pointerId }) => down.delete(pointerId));
  if (pan) element.addEventListener('contextmenu', (event) => event.preventDefault());
}

/** Return the middle of two pointers and their distance. @param {{x: number, y: number}[]} pointers */
function shapeOf([a, b = a]) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) };
}

/**
 * Return a function that turns a drag into steps: one for each so many pixels.
 * @param {(delta: number) => void} step
 */
export function stepsOf(step) {
  let rest = 0;
  return (/** @type {number} */ distance) => {
    rest += distance;
    const steps = Math.trunc(rest / PIXELS_PER_STEP);
    if (steps) step(steps);
    rest -= steps * PIXELS_PER_STEP;
  };
}

/**
 * Report steps by a finger that moves up or down.
 * @param {HTMLElement} element @param {(delta: number) => void} step
 */
export function onTouchStep(element, step) {
  const steps = stepsOf(step);
  onMove(element, { drag: (_, dy, isTouch) => isTouch && steps(dy) });
}

/**
 * Report steps by wheel and arrow keys.
 * @param {HTMLElement} element @param {(delta: number) => void} step
 */
export function onStep(element, step) {
  let rest = 0;
  element.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey) return; // zooms
      event.preventDefault();
      rest += event.deltaMode ? Math.sign(event.deltaY) * NOTCH : event.deltaY;
      if (Math.abs(rest) < NOTCH) return;
      step(Math.sign(rest));
      rest = 0;
    },
    { passive: false },
  );
  element.addEventListener('keydown', (event) => {
    if (!(event.key in KEYS) || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    step(KEYS[event.key]);
  });
}

/**
 * Slices or frames with a slider, one shown at a time. While one loads, only the latest choice is
 * kept, so that a fast wheel does not queue loads.
 */
export class Stack {
  #count = 0;
  #wanted = 0;
  #shown = -1;
  #opened = 0;
  #noun = 'Image';
  /** @type {number | undefined} number of the stack that is loading */
  #following;

  /**
   * @param {HTMLElement} box contains an `<input type="range">` and an `<output>`
   * @param {(index: number) => Promise<void>} show settles when the image is on the screen; never rejects
   */
  constructor(box, show) {
    this.box = box;
    this.show = show;
    this.slider = /** @type {HTMLInputElement} */ (box.querySelector('input'));
    this.output = /** @type {HTMLOutputElement} */ (box.querySelector('output'));
    this.slider.addEventListener('input', () => this.go(Number(this.slider.value) - 1));
  }

  /**
   * @param {number} count @param {number} shown index of the image on the screen
   * @param {string} noun name of an image, such as `Slice`
   */
  open(count, shown, noun) {
    this.#opened++;
    [this.#count, this.#wanted, this.#shown, this.#noun] = [count, shown, shown, noun];
    this.slider.max = String(count);
    this.box.hidden = count < 2;
    this.box.dispatchEvent(new Event('stackopen'));
    this.#write();
  }

  get count() {
    return this.#count;
  }

  /** Number of the stack; another one is opened for each choice. */
  get opened() {
    return this.#opened;
  }

  /** True while an image loads that was asked for. */
  get isLoading() {
    return this.#following === this.#opened;
  }

  /** Go to the next image, after the last one to the first. */
  advance() {
    this.go((this.#wanted + 1) % this.#count);
  }

  /** Current position in words, such as `Slice 3 of 40`. */
  get text() {
    return this.#count > 1 ? `${this.#noun} ${this.#wanted + 1} of ${this.#count}` : '';
  }

  /** @param {number} delta */
  step(delta) {
    this.go(this.#wanted + delta);
  }

  /** @param {number} index */
  go(index) {
    this.#wanted = Math.min(Math.max(index, 0), this.#count - 1);
    this.#write();
    this.#follow();
  }

  async #follow() {
    const opened = this.#opened;
    if (this.#following === opened) return;
    this.#following = opened;
    while (opened === this.#opened && this.#shown !== this.#wanted) {
      const index = this.#wanted;
      await this.show(index);
      if (opened === this.#opened) this.#shown = index;
    }
    if (this.#following === opened) this.#following = undefined;
  }

  #write() {
    this.slider.value = String(this.#wanted + 1);
    this.output.textContent = this.text;
    this.slider.setAttribute('aria-valuetext', this.text);
  }
}
