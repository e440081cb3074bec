// @ts-check
// Finds the smallest and largest pixel value of an image. It reads each pixel once; numpy needs one pass for each
// of the two, and five more if there is padding.

/**
 * @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array}
 *   Pixels
 */
/** @typedef {[number, number]} Range first and last value */

/** @typedef {(end: number, bias: number, least: number, most: number) => void} Scan see min_max.wat */
/** @typedef {{memory: WebAssembly.Memory, bytes: Scan, words: Scan}} Kernel */

// Layout of the memory of min_max.wat, in bytes.
const VECTOR = 16;
const PLACE = 64;
const PORTION = 2 ** 16 - PLACE;

/** @type {Kernel | null | undefined} */
let kernel;

/**
 * Find the smallest and largest value that is not padding, without NaN and infinities. If some pixels are padding,
 * `all` is the range of all pixels; if all are, that range serves for both.
 * @param {Pixels} pixels
 * @param {Range} [padding] first and last value of the padding range (PS3.3 C.7.5.1.1.2)
 * @returns {{minimum: number, maximum: number, padding?: Range, all?: Range}}
 */
export function extentOf(pixels, padding) {
  if (!padding) return { ...named(rangeOf(pixels)), padding };
  const { range, isPadded } = scan(pixels, exactly(pixels, padding));
  if (!isPadded) return { ...named(range ?? [0, 0]), padding: undefined };
  // Padding is mostly a single value, which needs no second scan.
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

/** Round the ends of a range to the pixels' type. @param {Pixels} pixels @param {Range} ends @returns {Range} */
function exactly(pixels, [low, high]) {
  return pixels instanceof Float32Array ? [Math.fround(low), Math.fround(high)] : [low, high];
}

/** Return true for integers of 8 or 16 bits. @param {Pixels} pixels */
function isSmall(pixels) {
  return pixels.BYTES_PER_ELEMENT <= 2;
}

/** Return the range of all pixels. @param {Pixels} pixels @returns {Range} */
function rangeOf(pixels) {
  return scan(pixels, [NaN, NaN]).range ?? [0, 0];
}

/**
 * Find the range of the values outside `least` to `most`, if there are any, and whether others are inside.
 * No value is inside NaN to NaN.
 * @param {Pixels} pixels @param {Range} ends
 * @returns {{range: Range | undefined, isPadded: boolean}}
 */
function scan(pixels, [least, most]) {
  if (!isSmall(pixels) || pixels.byteLength < VECTOR) return scanOneByOne(pixels, least, most);
  kernel ??= makeKernel();
  return kernel ? scanVectors(kernel, pixels, least, most) : scanOneByOne(pixels, least, most);
}

/**
 * Compile the scan of pixels while the engine has nothing else to compile. WebKit compiles one function after the
 * other; once the first image has arrived, Python's hot functions come first, which takes half a second.
 */
export function prepareExtent() {
  for (const Class of [Uint8Array, Uint16Array]) extentOf(new Class(VECTOR)); // the first calls compile the vectors
}

/** Return the functions of min_max.wat, null in an engine without vectors. */
function makeKernel() {
  const code = Uint8Array.from(atob(PYLOADER_MIN_MAX), (letter) => letter.charCodeAt(0));
  if (!WebAssembly.validate(code)) return null;
  return /** @type {Kernel} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(new WebAssembly.Module(code)).exports)
  );
}

/**
 * Scan integers of 8 or 16 bits, in a tenth of the time of `scanOneByOne`.
 * @param {Kernel} vectors @param {Pixels} pixels @param {number} least @param {number} most
 */
function scanVectors({ memory, bytes, words }, pixels, least, most) {
  const isBytes = pixels.BYTES_PER_ELEMENT === 1;
  const half = isBytes ? 2 ** 7 : 2 ** 15;
  const shift = pixels instanceof Int8Array || pixels instanceof Int16Array ? 0 : half;
  const [from, to] = [Math.max(Math.ceil(least) - shift, -half), Math.min(Math.floor(most) - shift, half - 1)];
  const within = from <= to ? [from, to] : [half - 1, -half]; // an empty range
  const given = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const space = new Uint8Array(memory.buffer);
  const lanes = isBytes
    ? new Int8Array(memory.buffer, 0, 3 * VECTOR)
    : new Int16Array(memory.buffer, 0, (3 * VECTOR) / 2);
  let [low, high, isPadded] = [half, -half - 1, false];
  for (let begin = 0; begin < given.length; begin += PORTION) {
    const portion = given.subarray(begin, begin + PORTION);
    space.set(portion, PLACE);
    const rest = portion.length % VECTOR; // a last vector has these, and bytes before them once more
    if (rest) space.set(given.subarray(-VECTOR), PLACE + portion.length - rest);
    (isBytes ? bytes : words)(PLACE + portion.length + (rest && VECTOR - rest), shift, within[0], within[1]);
    const count = lanes.length / 3;
    for (let lane = 0; lane < count; lane++) {
      low = Math.min(low, lanes[lane]);
      high = Math.max(high, lanes[count + lane]);
      isPadded ||= lanes[2 * count + lane] !== 0;
    }
  }
  return { range: /** @type {Range | undefined} */ (low <= high ? [low + shift, high + shift] : undefined), isPadded };
}

/**
 * Scan the finite values, as `scan` does.
 * @param {Pixels} pixels @param {number} least @param {number} most
 * @returns {{range: Range | undefined, isPadded: boolean}}
 */
function scanOneByOne(pixels, least, most) {
  const count = pixels.length;
  let [low, high, isPadded] = [Infinity, -Infinity, false];
  for (let index = 0; index < count; index++) {
    const value = pixels[index];
    if (least <= value && value <= most) isPadded = true;
    else if (value - value === 0) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { range: low <= high ? [low, high] : undefined, isPadded };
}
