// @ts-check
// Plays a stack: one image after the other, at a speed that the file may recommend. It never starts by itself.
import { pyloader } from './page.js';

const DEFAULT_SPEED = 10; // frames a second
const MOST = 60;

export class Cine {
  /** Frames a second. */
  speed = DEFAULT_SPEED;
  #timer = 0;

  /** @param {import('./controls.js').Stack} stack @param {() => void} onChange called when it starts or stops */
  constructor(stack, onChange) {
    this.stack = stack;
    this.onChange = onChange;
  }

  get isPlaying() {
    return this.#timer !== 0;
  }

  toggle() {
    if (this.isPlaying) this.stop();
    else if (this.stack.count > 1) this.#next();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.onChange();
  }

  #next() {
    if (document.documentElement.dataset.state === 'failed') return this.stop();
    // An image that is not here yet is waited for, not skipped.
    if (this.isPlaying && !this.stack.isLoading) this.stack.advance();
    const starts = !this.isPlaying;
    this.#timer = setTimeout(() => this.#next(), 1000 / this.speed);
    if (starts) this.onChange();
  }
}

/** Return the speed that a file recommends (PS3.3 C.7.6.5), in frames a second. @param {string} imageId */
export function speedOf(imageId) {
  const cine = pyloader.metaData('cineModule', imageId) ?? {};
  const { recommendedDisplayFrameRate, cineRate, frameTime, frameTimeVector } = cine;
  const steps = Array.isArray(frameTimeVector) ? frameTimeVector.slice(1) : [];
  const mean = steps.map(Number).reduce((sum, step) => sum + step, 0) / steps.length;
  const rates = [recommendedDisplayFrameRate, cineRate, 1000 / Number(frameTime), 1000 / mean].map(Number);
  const rate = rates.find((each) => Number.isFinite(each) && each > 0) ?? DEFAULT_SPEED;
  return Math.min(Math.max(Math.round(rate), 1), MOST);
}
