// @ts-check
// Controls of an image: drag, wheel, keys, and the slider of a stack.

const NOTCH = 50; // pixels of wheel movement that count as one step; a mouse gives more, a trackpad less
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
 * Report how far the pointer moves while the main button is down.
 * @param {HTMLElement} element @param {(dx: number, dy: number) => void} move in CSS pixels
 */
export function onDrag(element, move) {
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    let [x, y] = [event.clientX, event.clientY];
    const follow = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      move(clientX - x, clientY - y);
      [x, y] = [clientX, clientY];
    };
    element.addEventListener('pointermove', follow);
    element.addEventListener('lostpointercapture', () => element.removeEventListener('pointermove', follow), {
      once: true,
    });
  });
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
    this.#write();
  }

  get count() {
    return this.#count;
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
