// @ts-check
// From where to where the pixels of an image go. One look at each pixel, for which numpy needs one for
// each end, and five more where there is padding.

/** @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array} Pixels */
/** @typedef {[number, number]} Range both ends included */

/** @typedef {(end: number, bias: number, least: number, most: number) => void} Look see extent.wat */
/** @typedef {{memory: WebAssembly.Memory, bytes: Look, words: Look}} Kernel */

// The parts of the memory of extent.wat, in bytes.
const VECTOR = 16;
const PLACE = 64;
const PORTION = 2 ** 16 - PLACE;

/** @type {Kernel | null | undefined} */
let kernel;

/**
 * The smallest and largest value that is not padding; NaN and infinities count for neither. When some
 * pixels are padding, `all` is the range of all of them; if all are, it stands for both.
 * @param {Pixels} pixels
 * @param {Range} [padding] from where to where values are padding (PS3.3 C.7.5.1.1.2)
 * @returns {{minimum: number, maximum: number, padding?: Range, all?: Range}}
 */
export function extentOf(pixels, padding) {
  if (!padding) return { ...named(rangeOf(pixels)), padding };
  const { range, isPadded } = lookAt(pixels, exactly(pixels, padding));
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

/** Tell whether they are integers of 8 or 16 bits. @param {Pixels} pixels */
function isSmall(pixels) {
  return pixels.BYTES_PER_ELEMENT <= 2;
}

/** The range of all pixels. @param {Pixels} pixels @returns {Range} */
function rangeOf(pixels) {
  return lookAt(pixels, [NaN, NaN]).range ?? [0, 0];
}

/**
 * The range of what is not from `least` to `most`, if there is such, and whether some are; nothing is
 * from NaN to NaN.
 * @param {Pixels} pixels @param {Range} ends
 * @returns {{range: Range | undefined, isPadded: boolean}}
 */
function lookAt(pixels, [least, most]) {
  if (!isSmall(pixels) || pixels.byteLength < VECTOR) return look(pixels, least, most);
  kernel ??= makeKernel();
  return kernel ? lookByVectors(kernel, pixels, least, most) : look(pixels, least, most);
}

/**
 * Have what looks at pixels compiled while the engine has nothing else to compile. WebKit does one after
 * the other, and when the first image is there Python's hot functions are in front: half a second.
 */
export function prepareExtent() {
  for (const Class of [Uint8Array, Uint16Array]) extentOf(new Class(VECTOR)); // vectors when they are called first
}

/** The functions of min_max.wat, null in an engine without vectors. */
function makeKernel() {
  const code = Uint8Array.from(atob(PYLOADER_MIN_MAX), (letter) => letter.charCodeAt(0));
  if (!WebAssembly.validate(code)) return null;
  return /** @type {Kernel} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(new WebAssembly.Module(code)).exports)
  );
}

/**
 * As `look`, of integers of 8 and 16 bits, in a tenth of its time.
 * @param {Kernel} vectors @param {Pixels} pixels @param {number} least @param {number} most
 */
function lookByVectors({ memory, bytes, words }, pixels, least, most) {
  const isBytes = pixels.BYTES_PER_ELEMENT === 1;
  const half = isBytes ? 2 ** 7 : 2 ** 15;
  const shift = pixels instanceof Int8Array || pixels instanceof Int16Array ? 0 : half;
  const [from, to] = [Math.max(Math.ceil(least) - shift, -half), Math.min(Math.floor(most) - shift, half - 1)];
  const within = from <= to ? [from, to] : [half - 1, -half]; // else nothing is
  const given = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const space = new Uint8Array(memory.buffer);
  const lanes = isBytes
    ? new Int8Array(memory.buffer, 0, 3 * VECTOR)
    : new Int16Array(memory.buffer, 0, (3 * VECTOR) / 2);
  let [low, high, isPadded] = [half, -half - 1, false];
  for (let begin = 0; begin < given.length; begin += PORTION) {
    const portion = given.subarray(begin, begin + PORTION);
    space.set(portion, PLACE);
    const rest = portion.length % VECTOR; // these with some that were seen before are a vector
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
 * As `lookAt`, of the finite values.
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
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { range: low <= high ? [low, high] : undefined, isPadded };
}
