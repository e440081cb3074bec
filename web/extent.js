// @ts-check
// From where to where the pixels of an image go. One look at each pixel, for which numpy needs one for
// each end, and five more where there is padding.

/** @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array} Pixels */
/** @typedef {[number, number]} Range both ends included */

const LARGEST = 2 ** 30; // beyond all integers of 16 bits

/**
 * The smallest and largest value that is not padding; NaN and infinities count for neither. When some
 * pixels are padding, `all` is the range of all of them; if all are, it stands for both.
 * @param {Pixels} pixels
 * @param {Range} [padding] from where to where values are padding (PS3.3 C.7.5.1.1.2)
 * @returns {{minimum: number, maximum: number, padding?: Range, all?: Range}}
 */
export function extentOf(pixels, padding) {
  if (!padding) return { ...named(rangeOf(pixels)), padding };
  const { range, isPadded } = rangeBeside(pixels, exactly(pixels, padding));
  if (!isPadded) return { ...named(range ?? [0, 0]), padding: undefined };
  // Mostly one value, which is seen without another look.
  const all = range && padding[0] === padding[1] && isSmall(pixels) ? union(range, padding) : rangeOf(pixels);
  return { ...named(range ?? all), padding, all };
}

/** @param {Range} one @param {Range} other @returns {Range} */
function union(one, other) {
  return [Math.min(one[0], other[0]), Math.max(one[1], other[1])];
}

/** @param {Range} range */
function named([minimum, maximum]) {
  return { minimum, maximum };
}

/** The ends as the pixels can have them. @param {Pixels} pixels @param {Range} ends @returns {Range} */
function exactly(pixels, [low, high]) {
  return pixels instanceof Float32Array ? [Math.fround(low), Math.fround(high)] : [low, high];
}

/** Whether engines can count with the values as small integers. @param {Pixels} pixels */
function isSmall(pixels) {
  return pixels.BYTES_PER_ELEMENT <= 2;
}

/** The range of all pixels. @param {Pixels} pixels @returns {Range} */
function rangeOf(pixels) {
  if (!isSmall(pixels)) return look(pixels, NaN, NaN).range ?? [0, 0];
  const count = pixels.length; // asking each time takes as long as the rest
  let low = pixels[0] | 0;
  let high = low;
  for (let index = 1; index < count; index++) {
    const value = pixels[index] | 0;
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  return [low, high];
}

/**
 * The range of what is not from `least` to `most`, if there is such, and whether some are.
 * @param {Pixels} pixels @param {Range} padding
 */
function rangeBeside(pixels, [least, most]) {
  return isSmall(pixels) ? lookAtSmall(pixels, small(Math.ceil(least)), small(Math.floor(most))) : look(pixels, least, most);
}

/** The nearest of integers that engines count with. @param {number} value */
function small(value) {
  return Math.max(-LARGEST, Math.min(LARGEST, value)) | 0;
}

/**
 * As `look`, of small integers.
 * @param {Pixels} pixels @param {number} least @param {number} most
 * @returns {{range: Range | undefined, isPadded: boolean}}
 */
function lookAtSmall(pixels, least, most) {
  const count = pixels.length;
  let low = LARGEST;
  let high = -LARGEST;
  let isPadded = false;
  for (let index = 0; index < count; index++) {
    const value = pixels[index] | 0;
    if (value >= least && value <= most) {
      isPadded = true;
    } else {
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  }
  return { range: low <= high ? [low, high] : undefined, isPadded };
}

/**
 * The range of the finite values that are not from `least` to `most`, and whether some are; nothing is
 * from NaN to NaN.
 * @param {Pixels} pixels @param {number} least @param {number} most
 * @returns {{range: Range | undefined, isPadded: boolean}}
 */
function look(pixels, least, most) {
  const count = pixels.length;
  let [low, high, isPadded] = [Infinity, -Infinity, false];
  for (let index = 0; index < count; index++) {
    const value = pixels[index];
    if (least <= value && value <= most) isPadded = true;
    else if (value - value === 0) {
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  }
  return { range: low <= high ? [low, high] : undefined, isPadded };
}
