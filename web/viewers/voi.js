// @ts-check
// Makes the windows and VOI tables (PS3.3 C.11.2) that a viewer shows grey with, for its own formula.

/** @typedef {import('./cornerstone.js').Mode} Mode */
/** @typedef {import('../shared/messages.d.ts').ImageMessage} ImageMessage */
/** @typedef {import('pyloader').LookupTable} LookupTable */
/**
 * @typedef {Pick<import('pyloader').VoiLutModule, 'windowCenter' | 'windowWidth' | 'windowCenterWidthExplanation'> &
 *   {voiLUTFunction?: string}} Windows of a module
 */

const VOI_LUT_FUNCTIONS = new Set(['LINEAR', 'LINEAR_EXACT', 'SIGMOID']);
const NARROWEST = 0.01; // added to the width of a threshold so that it can be drawn

/**
 * Return the smallest and largest value, without padding. A legacy viewer needs the range with padding: its tables
 * end there, and a color map throws for values beyond.
 * @param {Pick<ImageMessage, 'minimum' | 'maximum' | 'all'>} image @param {Mode} mode
 */
export function rangeFor({ minimum, maximum, all }, mode) {
  return mode === 'legacy' && all ? all : [minimum, maximum];
}

/**
 * Choose the window and the table of a grey image: all valid windows, of which the first is shown, and the first table.
 * @param {ImageMessage} image of the worker's reply @param {Mode} mode
 */
export function windowFor(image, mode) {
  const { voiLut, isRescaled, modalityLut } = image;
  /** @type {import('pyloader').ModalityLutModule} */
  const { rescaleSlope = 1, rescaleIntercept = 0 } = isRescaled ? {} : modalityLut;
  const isFractional = hasFractions(image.exact ?? image.pixels, rescaleSlope, rescaleIntercept);
  const { voiLUTFunction, windows } = windowsFor(voiLut, isFractional, mode);
  /** @param {number[]} ends in pixel values @returns {number[]} in modality units */
  const inUnits = (ends) => ends.map((end) => end * rescaleSlope + rescaleIntercept).sort((a, b) => a - b);
  const table = voiLut.luts && tableFor(voiLut.luts[0]);
  // Always give a window, although viewers can find one: Cornerstone3D without WebGL draws nothing without one.
  const isMissing = mode !== 'none' && !windows.length;
  return {
    voiLUTFunction: windows.length ? voiLUTFunction : undefined,
    windowCenter: windows[0]?.center,
    windowWidth: windows[0]?.width,
    ...(isMissing && automaticWindow(inUnits([image.minimum, image.maximum]), mode)),
    windows,
    voiLUT:
      mode === 'legacy'
        ? legacyTable(table, windows[0], voiLUTFunction, inUnits(rangeFor(image, mode)), rescaleSlope)
        : table,
  };
}

/**
 * Return true if values in modality units may have fractions.
 * @param {unknown} pixels @param {number} slope @param {number} intercept
 */
export function hasFractions(pixels, slope, intercept) {
  const isOfFloats = pixels instanceof Float32Array || pixels instanceof Float64Array;
  return isOfFloats || !Number.isInteger(slope) || !Number.isInteger(intercept);
}

/**
 * Return the windows in a form that a viewer can draw, and their function; see `windowsOf`.
 * @param {Windows} voiLut @param {boolean} isFractional @param {Mode} mode
 */
export function windowsFor(voiLut, isFractional, mode) {
  const { voiLUTFunction, windows } = windowsOf(voiLut, isFractional);
  return { voiLUTFunction, windows: mode === '3d' ? drawable(windows, voiLUTFunction) : windows };
}

/** @param {Windows} voiLut @returns {string | undefined} */
export function functionOf({ voiLUTFunction }) {
  const name = voiLUTFunction?.trim().toUpperCase();
  return name !== undefined && VOI_LUT_FUNCTIONS.has(name) ? name : undefined;
}

/** @typedef {{center: number, width: number, explanation?: string}} Window */

/**
 * Return the valid windows (PS3.3 C.11.2.1.2) and their function. LINEAR is meant for whole numbers, with a width of at
 * least 1. If values have fractions and a window is narrower, return all windows as LINEAR_EXACT defines them.
 * @param {Windows} voiLut @param {boolean} isFractional
 * @returns {{voiLUTFunction: string | undefined, windows: Window[]}}
 */
function windowsOf(voiLut, isFractional) {
  const { windowCenter = [], windowWidth = [], windowCenterWidthExplanation = [] } = voiLut;
  const voiLUTFunction = functionOf(voiLut);
  const windows = windowCenter
    .map((center, index) => ({ center, width: windowWidth[index], explanation: windowCenterWidthExplanation[index] }))
    .filter(({ width }) => width > 0);
  if ((voiLUTFunction ?? 'LINEAR') !== 'LINEAR') return { voiLUTFunction, windows };
  const isNarrow = (/** @type {Window} */ { width }) => width < 1;
  if (!isFractional || !windows.some(isNarrow)) {
    return { voiLUTFunction, windows: windows.filter((window) => !isNarrow(window)) };
  }
  const byEnds = (/** @type {Window} */ window) =>
    isNarrow(window) ? window : { ...window, center: window.center - 0.5, width: window.width - 1 };
  return { voiLUTFunction: 'LINEAR_EXACT', windows: drawable(windows).map(byEnds) };
}

/**
 * Return the windows of a volume. Cornerstone3D applies them as LINEAR, even if the module has another function. So if
 * half a unit matters, convert windows of LINEAR_EXACT to LINEAR.
 * @param {Windows} voiLut @param {boolean} isFractional
 */
export function windowsOfVolume(voiLut, isFractional) {
  const { voiLUTFunction, windows } = windowsOf(voiLut, isFractional);
  const isFine = isFractional || windows.some(({ width }) => width <= 1);
  if (voiLUTFunction !== 'LINEAR_EXACT' || !isFine)
    return { voiLUTFunction, windows: drawable(windows, voiLUTFunction) };
  return {
    voiLUTFunction: 'LINEAR',
    windows: windows.map((window) => ({ ...window, center: window.center + 0.5, width: window.width + 1 })),
  };
}

/**
 * Return windows that Cornerstone3D can draw: it gives a threshold (LINEAR of width 1) an empty range.
 * @template {{center: number, width: number}} Window
 * @param {Window[]} windows @param {string | undefined} voiLUTFunction
 */
function drawable(windows, voiLUTFunction = 'LINEAR') {
  const isThreshold = (/** @type {number} */ width) => width === 1 && voiLUTFunction === 'LINEAR';
  return windows.map((window) =>
    isThreshold(window.width) ? { ...window, center: window.center + NARROWEST / 2, width: 1 + NARROWEST } : window,
  );
}

/**
 * Return the window from the smallest to the largest value, for each viewer's own formula. A viewer's own window would
 * include padding, and Cornerstone3D has none without WebGL. An image of a single value is dark.
 * @param {number[]} ends @param {Mode} mode
 */
function automaticWindow([low, high], mode) {
  const width = high > low ? high - low : 0.01;
  return mode === '3d'
    ? { windowCenter: low + (width + 1) / 2, windowWidth: width + 1 }
    : { windowCenter: low + width / 2, windowWidth: width };
}

/** @param {import('pyloader').LookupTableItem} lut @returns {LookupTable} */
export function tableFor({ firstValueMapped, bitsPerEntry, entries, explanation }) {
  return { id: String(firstValueMapped), firstValueMapped, numBitsPerEntry: bitsPerEntry, lut: entries, explanation };
}

/**
 * Make a VOI table that cornerstone-core shows correctly. It takes the number of bits from the largest entry, so that
 * has to have 16 bits: if it does not, add such an entry beyond all pixels. It has no SIGMOID: make a table of that
 * too.
 * @param {LookupTable | undefined} table @param {{center: number, width: number} | undefined} window
 * @param {string | undefined} voiLUTFunction
 * @param {number[]} range of the pixels, in modality units @param {number} slope
 */
function legacyTable(table, window, voiLUTFunction, [low, high], slope) {
  const least = table ? table.firstValueMapped : Math.floor(low);
  const beyond = Math.ceil(high) + 2 - least; // number of entries up to one beyond all pixels
  if (table) {
    const full = Math.max(
      2 ** table.numBitsPerEntry - 1,
      table.lut.reduce((a, b) => Math.max(a, b), 0),
    );
    const { length } = table.lut;
    return {
      ...table,
      numBitsPerEntry: 16,
      lut: sixteenBits(length, Math.max(length, beyond), (index) => table.lut[index] / full),
    };
  }
  const isFine = Number.isInteger(slope) || (window?.width ?? 0) >= 256; // the viewer rounds to whole units
  if (voiLUTFunction !== 'SIGMOID' || !window || !isFine || beyond > 2 ** 17) return undefined;
  const level = (/** @type {number} */ index) =>
    1 / (1 + Math.exp((-4 * (least + index - window.center)) / window.width));
  return {
    id: `SIGMOID ${window.center} ${window.width}`,
    firstValueMapped: least,
    numBitsPerEntry: 16,
    lut: sixteenBits(beyond, beyond, level),
  };
}

/**
 * Make entries of 16 bits; the largest uses all 16.
 * @param {number} count of the levels @param {number} length with an entry beyond all pixels
 * @param {(index: number) => number} level from 0 to 1
 */
function sixteenBits(count, length, level) {
  const entries = Uint16Array.from({ length: count }, (_, index) => Math.round(level(index) * 65535));
  if (entries.some((entry) => entry >= 32768)) return entries;
  const longer = new Uint16Array(length).fill(entries[count - 1]);
  longer.set(entries);
  longer[length - 1] = 65535;
  return longer;
}

/**
 * Scale a window of LINEAR by a factor.
 * @template {{center: number, width: number}} Window @param {Window} window @param {number} factor @returns {Window}
 */
export function scaled(window, factor) {
  return factor === 1
    ? window
    : { ...window, center: (window.center - 0.5) * factor + 0.5, width: (window.width - 1) * factor + 1 };
}
