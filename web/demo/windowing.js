// @ts-check
// Converts stored values to grey levels: PS3.3 C.11.1 (modality), C.11.2.1 (window or table).

/** @typedef {import('../pyloader.d.ts').Image} Image */
/** @typedef {NonNullable<Image['voiLUT']>} Table */
/**
 * @typedef {'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID' | 'TABLE'} Shape
 * @typedef {{center: number, width: number, shape: Shape, table?: Table}} Window
 *   in modality units; a table is stretched over its window
 */

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
  TABLE: (/** @type {number} */ x, /** @type {Window} */ { center, width, table }) => {
    const { lut, numBitsPerEntry } = /** @type {Table} */ (table);
    return entryOf(lut, ((x - center) / width + 0.5) * (lut.length - 1)) / (2 ** numBitsPerEntry - 1);
  },
};

/** Return the entry nearest to an index, which may be outside. @param {Uint16Array} lut @param {number} index */
function entryOf(lut, index) {
  return lut[Math.min(Math.max(Math.round(index), 0), lut.length - 1)];
}

/**
 * Return the function from stored values to modality values.
 * @param {Image} image @returns {(stored: number) => number}
 */
export function modalityOf({ modalityLUT, slope, intercept }) {
  if (!modalityLUT) return (stored) => stored * slope + intercept;
  return (stored) => entryOf(modalityLUT.lut, stored - modalityLUT.firstValueMapped);
}

/** Return the image's own window or table, else its whole range. @param {Image} image @returns {Window} */
export function windowOf(image) {
  const { windowCenter, windowWidth, voiLUTFunction, voiLUT, windows } = image;
  if (voiLUT && !windows?.length) {
    const width = Math.max(voiLUT.lut.length - 1, 1);
    return { center: voiLUT.firstValueMapped + width / 2, width, shape: 'TABLE', table: voiLUT };
  }
  if (windowCenter === undefined || windowWidth === undefined) return fullWindowOf(image);
  return { center: windowCenter, width: windowWidth, shape: voiLUTFunction ?? 'LINEAR' };
}

/** Return a window from the darkest to the brightest value. @param {Image} image @returns {Window} */
export function fullWindowOf(image) {
  const [one, other] = [image.minPixelValue, image.maxPixelValue].map(modalityOf(image));
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
  if (isFloat || span > LARGEST_TABLE) paintValues(pixels, image, window, rgba);
  else paintByTable(image, window, rgba);
}

/** @param {Image} image @param {Window} window @param {Uint32Array} rgba */
function paintByTable(image, window, rgba) {
  const { minPixelValue, maxPixelValue } = image;
  const levels = Float64Array.from({ length: maxPixelValue - minPixelValue + 1 }, (_, index) => minPixelValue + index);
  const table = new Uint32Array(levels.length);
  paintValues(levels, image, window, table);
  const pixels = image.getPixelData();
  // Padding may be outside of the range; it stays see-through.
  for (let index = 0; index < pixels.length; index++) rgba[index] = table[pixels[index] - minPixelValue];
}

/** @param {ArrayLike<number>} values stored @param {Image} image @param {Window} window @param {Uint32Array} rgba */
function paintValues(values, image, window, rgba) {
  const level = SHAPES[window.shape];
  const modality = modalityOf(image);
  const clamped = new Uint8ClampedArray(1); // rounds and clamps; NaN becomes 0
  for (let index = 0; index < values.length; index++) {
    const share = level(modality(values[index]), window);
    clamped[0] = (image.invert ? 1 - share : share) * WHITE;
    rgba[index] = OPAQUE | (clamped[0] * OPAQUE_GREY);
  }
}
