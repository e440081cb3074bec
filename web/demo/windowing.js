// @ts-check
// Converts stored values to grey levels: PS3.3 C.11.1 (modality), C.11.2.1.2 and C.11.2.1.3 (window).

/** @typedef {import('../pyloader.d.ts').Image} Image */
/** @typedef {{center: number, width: number, shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'}} Window in modality units */

const WHITE = 255;
const OPAQUE_GREY = 0x00010101; // multiplied by a level: the three colours of a little-endian RGBA pixel
const OPAQUE = 0xff000000;
const LARGEST_TABLE = 1 << 16;

/** Functions from a modality value to 0..1, clamped later. */
const SHAPES = {
  LINEAR: (/** @type {number} */ x, /** @type {Window} */ { center, width }) =>
    width > 1 ? (x - (center - 0.5)) / (width - 1) + 0.5 : Number(x > center - 0.5),
  LINEAR_EXACT: (/** @type {number} */ x, /** @type {Window} */ { center, width }) => (x - center) / width + 0.5,
  SIGMOID: (/** @type {number} */ x, /** @type {Window} */ { center, width }) =>
    1 / (1 + Math.exp((-4 * (x - center)) / width)),
};

/**
 * Return the image's own window, or one from its darkest to its brightest value.
 * @param {Image} image @returns {Window}
 */
export function windowOf({
  windowCenter,
  windowWidth,
  voiLUTFunction,
  minPixelValue,
  maxPixelValue,
  slope,
  intercept,
}) {
  if (windowCenter !== undefined && windowWidth !== undefined) {
    return { center: windowCenter, width: windowWidth, shape: voiLUTFunction ?? 'LINEAR' };
  }
  const [one, other] = [minPixelValue * slope + intercept, maxPixelValue * slope + intercept];
  return { center: (one + other) / 2, width: Math.abs(other - one) || 1, shape: 'LINEAR_EXACT' };
}

/**
 * Return a window moved by a drag.
 * @param {Window} window @param {number} wider @param {number} higher both as shares of the width of `own`
 * @param {Window} own window of the image
 * @returns {Window}
 */
export function moved(window, wider, higher, own) {
  // PS3.3 C.11.2.1.2.1: a LINEAR window is at least 1 wide; the others only more than 0.
  const narrowest = window.shape === 'LINEAR' ? 1 : own.width / 1000;
  return {
    ...window,
    width: Math.max(window.width + wider * own.width, narrowest),
    center: window.center + higher * own.width,
  };
}

/**
 * Paint a grey image as RGBA pixels.
 * @param {Image} image @param {Window} window @param {Uint32Array} rgba one element per pixel
 */
export function paintGrey(image, window, rgba) {
  const pixels = image.getPixelData();
  const span = image.maxPixelValue - image.minPixelValue + 1;
  const isFloat = pixels instanceof Float32Array || pixels instanceof Float64Array;
  if (isFloat || span > LARGEST_TABLE) paintDirectly(image, window, rgba);
  else paintByTable(image, window, rgba);
}

/** @param {Image} image @param {Window} window @param {Uint32Array} rgba */
function paintByTable(image, window, rgba) {
  const { minPixelValue, maxPixelValue } = image;
  const levels = Float64Array.from({ length: maxPixelValue - minPixelValue + 1 }, (_, index) => minPixelValue + index);
  const table = new Uint32Array(levels.length);
  paintValues(levels, image, window, table);
  const pixels = image.getPixelData();
  for (let index = 0; index < pixels.length; index++) rgba[index] = table[pixels[index] - minPixelValue];
}

/** @param {Image} image @param {Window} window @param {Uint32Array} rgba */
function paintDirectly(image, window, rgba) {
  paintValues(image.getPixelData(), image, window, rgba);
}

/** @param {ArrayLike<number>} values stored @param {Image} image @param {Window} window @param {Uint32Array} rgba */
function paintValues(values, { slope, intercept, invert }, window, rgba) {
  const level = SHAPES[window.shape];
  const clamped = new Uint8ClampedArray(1); // rounds and clamps; NaN becomes 0
  for (let index = 0; index < values.length; index++) {
    const share = level(values[index] * slope + intercept, window);
    clamped[0] = (invert ? 1 - share : share) * WHITE;
    rgba[index] = OPAQUE | (clamped[0] * OPAQUE_GREY);
  }
}
