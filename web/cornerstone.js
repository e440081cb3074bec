// @ts-check
// The only file that knows a viewer: what was loaded as an image object of legacy cornerstone-core
// or of Cornerstone3D, metadata as their providers answer it, and `use`, which connects them.
import { countFramesFromOne } from './imageid.js';

/** @typedef {'legacy' | '3d' | 'none'} Mode */
/** @typedef {Record<string, any>} Options */

const FULL_RESOLUTION = 8; // ImageQualityStatus of Cornerstone3D; without it an image is never complete
const VOI_LUT_FUNCTIONS = new Set(['LINEAR', 'LINEAR_EXACT', 'SIGMOID']);
// The window that leaves 8-bit colour as it is, by each viewer's own formula.
const COLOR_WINDOW = { legacy: [127.5, 255], none: [127.5, 255], '3d': [128, 256] };

/**
 * How a viewer wants its pixels; the words of pyloader/pixels/delivery.py.
 * @param {Mode} mode
 * @param {Options} options of the load, in the viewer's words
 */
export function deliveryFor(mode, options) {
  const { preScale, targetBuffer, useRGBA } = options;
  const delivery = {
    rgba: mode === '3d' ? useRGBA === true : mode === 'legacy' || useRGBA !== false,
    rescale: mode === '3d' ? preScale?.enabled !== false : mode === 'none' && (preScale === true || preScale?.enabled === true),
    integers: mode === 'legacy',
    factor: scalingFactor(preScale?.scalingParameters),
    dtype: mode === 'legacy' ? undefined : targetBuffer?.type?.replace(/(Clamped)?Array/, '').toLowerCase(),
    rows: targetBuffer?.rows,
    columns: targetBuffer?.columns,
  };
  return Object.fromEntries(Object.entries(delivery).filter(([, value]) => value !== undefined && !Number.isNaN(value)));
}

/** @param {Options | undefined} parameters @returns {number | undefined} */
function scalingFactor(parameters) {
  const isPT = parameters?.modality === 'PT' && Number.isFinite(parameters.suvbw);
  if (isPT) return parameters?.suvbw;
  return parameters?.modality === 'RTDOSE' && Number.isFinite(parameters.DoseGridScaling) ? parameters.DoseGridScaling : undefined;
}

/**
 * An image object: plain, extensible, own fields only.
 * @param {any} loaded the worker's answer
 * @param {string} imageId as the viewer says it
 * @param {Mode} mode
 * @param {Options} options
 */
export function imageFor(loaded, imageId, mode, options) {
  const { pixels, exact, pixel, isRescaled, encoding } = loaded.image;
  const color = pixel.samplesPerPixel > 1;
  const lut = isRescaled ? {} : loaded.image.modalityLut;
  const plane = loaded.modules.imagePlaneModule ?? {};
  const { photometricInterpretation } = pixel;
  return {
    imageId,
    rows: pixel.rows,
    columns: pixel.columns,
    height: pixel.rows,
    width: pixel.columns,
    color,
    rgba: pixel.samplesPerPixel === 4,
    numberOfComponents: pixel.samplesPerPixel,
    photometricInterpretation,
    invert: photometricInterpretation === 'MONOCHROME1',
    minPixelValue: loaded.image.minimum,
    maxPixelValue: loaded.image.maximum,
    slope: lut.rescaleSlope ?? 1,
    intercept: lut.rescaleIntercept ?? 0,
    ...windowFor(loaded.image.voiLut, color, mode),
    rowPixelSpacing: plane.rowPixelSpacing,
    columnPixelSpacing: plane.columnPixelSpacing,
    sliceThickness: plane.sliceThickness,
    FrameOfReferenceUID: plane.frameOfReferenceUID,
    getPixelData: () => pixels,
    floatPixelData: exact,
    dataType: pixels.constructor.name,
    sizeInBytes: pixels.byteLength,
    imageFrame: { ...pixel, pixelData: pixels },
    preScale: preScaleFor(loaded, options),
    imageQualityStatus: FULL_RESOLUTION,
    transferSyntaxUID: encoding.transferSyntaxUID,
    lossyImageCompression: encoding.lossyImageCompression,
    warnings: loaded.image.warnings,
    loadTimeInMS: loaded.timing.loadMilliseconds,
    decodeTimeInMS: loaded.timing.decodeMilliseconds,
    totalTimeInMS: loaded.timing.totalMilliseconds,
  };
}

/** @param {any} voiLut @param {boolean} color @param {Mode} mode */
function windowFor(voiLut, color, mode) {
  if (color) return { windowCenter: COLOR_WINDOW[mode][0], windowWidth: COLOR_WINDOW[mode][1] };
  const { voiLUTFunction, windowCenter, windowWidth, luts } = voiLut;
  return {
    windowCenter: windowCenter?.[0],
    windowWidth: windowWidth?.[0],
    voiLUTFunction: VOI_LUT_FUNCTIONS.has(voiLUTFunction) ? voiLUTFunction : undefined,
    voiLUT: luts && tableFor(luts[0]),
  };
}

/** @param {any} lut */
function tableFor({ firstValueMapped, bitsPerEntry, entries, explanation }) {
  return { id: String(firstValueMapped), firstValueMapped, numBitsPerEntry: bitsPerEntry, lut: entries, explanation };
}

/** @param {any} loaded @param {Options} options */
function preScaleFor({ image, modules }, { preScale }) {
  if (!image.isRescaled) return { enabled: false, scaled: false };
  const { rescaleSlope = 1, rescaleIntercept = 0 } = image.modalityLut;
  const modality = modules.generalSeriesModule?.modality;
  const scalingParameters = { rescaleSlope, rescaleIntercept, modality, ...preScale?.scalingParameters };
  return { enabled: true, scaled: true, scalingParameters };
}

// ------------------------------------------------------------------ metadata

/**
 * One module as a viewer's provider answers it.
 * @param {Record<string, any> | undefined} modules of an image
 * @param {string} type
 * @param {Mode} mode
 */
export function moduleFor(modules, type, mode) {
  if (!modules) return undefined;
  const module = modules[type];
  const adapt = ADAPTED[type];
  return adapt ? adapt(module, mode, modules) : module;
}

/** @type {Record<string, (module: any, mode: Mode, modules: Record<string, any>) => any>} */
const ADAPTED = {
  imagePixelModule: (pixel, mode, { modalityLutModule }) => pixel && (mode === '3d' ? asDelivered(pixel, modalityLutModule) : pixel),
  imagePlaneModule: (plane, mode) => plane && (mode === '3d' ? withPlaneDefaults(plane) : plane),
  generalSeriesModule: (series, mode) => series ?? (mode === '3d' ? {} : undefined),
  patientModule: (patient) => patient && { ...patient, patientId: patient.patientID },
  multiframeModule: (module) => module && { ...module, NumberOfFrames: module.numberOfFrames },
  modalityLutModule: (module) => module && { ...module, modalityLUTSequence: module.lut && [tableFor(module.lut)] },
  voiLutModule: (module) => module && { ...module, voiLUTSequence: module.luts?.map(tableFor) },
};

/**
 * Cornerstone3D chooses the class of a volume by bits and sign before it has a slice, and what that
 * does not hold wraps around. Where modality units may not fit, other bits are told.
 * @param {any} pixel
 * @param {{rescaleSlope?: number, rescaleIntercept?: number, lut?: any}} [modalityLut]
 */
function asDelivered(pixel, { rescaleSlope: slope = 1, rescaleIntercept: intercept = 0, lut } = {}) {
  const { bitsAllocated: bits, bitsStored = bits, pixelRepresentation: sign } = pixel;
  if (pixel.samplesPerPixel > 1 || bits > 16) return pixel;
  const isWhole = Number.isInteger(slope) && Number.isInteger(intercept);
  const isNegative = slope < 0 || intercept < 0;
  // Of 16 bits it allows for fractions; an intercept alone moves but what is not tissue beyond them.
  if (bits === 16 && !lut && (slope === 1 || !isWhole)) return pixel;
  const stored = lut ? [0, 65535] : reach(bitsStored, sign);
  const [low, high] = stored.map((value) => value * slope + intercept).sort((a, b) => a - b);
  const holds = (/** @type {number[]} */ [least, most]) => isWhole && least <= low && high <= most;
  if (holds(bits === 8 ? reach(8, 0) : reach(16, sign || isNegative))) return pixel;
  const wider = Number(low < 0 || isNegative);
  return holds(reach(16, wider)) ? { ...pixel, bitsAllocated: 16, pixelRepresentation: wider } : { ...pixel, bitsAllocated: 32 };
}

/** The smallest and largest integer. @param {number} bits @param {any} isSigned */
function reach(bits, isSigned) {
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

/**
 * Cornerstone3D reads these fields without looking whether they are there. The defaults are the
 * viewer's, not the image's: they stand here and are marked, so that nothing is measured by them.
 * @param {any} plane
 */
function withPlaneDefaults(plane) {
  const known = plane.imagePositionPatient && plane.imageOrientationPatient && plane.pixelSpacing;
  return {
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    imagePositionPatient: [0, 0, 0],
    pixelSpacing: [1, 1],
    rowPixelSpacing: 1,
    columnPixelSpacing: 1,
    ...plane,
    usingDefaultValues: !known,
  };
}

/** Modules whose fields are DICOM attributes, by keyword but for the first letter. */
const ATTRIBUTE_MODULES = [
  'patientModule', 'patientStudyModule', 'generalStudyModule', 'generalSeriesModule', 'generalImageModule', 'sopCommonModule',
  'imagePlaneModule', 'imagePixelModule', 'cineModule', 'petSeriesModule', 'petImageModule',
];
const NEEDED = ['Rows', 'Columns', 'BitsAllocated', 'PhotometricInterpretation', 'PixelRepresentation'];

/**
 * What the viewer's other metadata providers know of an image, by DICOM keyword.
 * @param {any} metaData of the viewer @param {string} imageId
 * @returns {Options | undefined} undefined unless a frame can be decoded by it
 */
export function attributesFrom(metaData, imageId) {
  const get = (/** @type {string} */ type) => metaData.get(type, imageId);
  const instance = get('instance');
  if (instance && NEEDED.every((keyword) => instance[keyword] !== undefined)) return asPlain(instance);
  const pixel = get('imagePixelModule');
  if (!pixel || NEEDED.some((keyword) => pixel[keyword[0].toLowerCase() + keyword.slice(1)] === undefined)) return undefined;
  const [modality, voi, frames] = ['modalityLutModule', 'voiLutModule', 'multiframeModule'].map((type) => get(type) ?? {});
  const { modalityLUTSequence, ...rescale } = modality;
  const { voiLUTSequence, ...windows } = voi;
  return asPlain({
    ...Object.assign({}, ...ATTRIBUTE_MODULES.map(get)), ...rescale, ...windows,
    numberOfFrames: frames.NumberOfFrames,
    modalityLUTSequence: modalityLUTSequence?.map(lutItem),
    voiLUTSequence: voiLUTSequence?.map(lutItem),
  });
}

/** The item of a LUT Sequence, as DICOM has it. @param {any} lut */
function lutItem({ firstValueMapped, numBitsPerEntry, lut }) {
  return { LUTDescriptor: [lut.length % 65536, firstValueMapped, numBitsPerEntry], LUTData: Uint16Array.from(lut) };
}

/** Plain values, of what a provider may hold; typed arrays stay. @param {any} value @returns {any} */
function asPlain(value) {
  if (Array.isArray(value)) return value.map(asPlain);
  if (ArrayBuffer.isView(value)) return value;
  if (value === null || value instanceof ArrayBuffer || typeof value === 'function') return undefined;
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('_'));
  return Object.fromEntries(entries.map(([key, part]) => [key, asPlain(part)]).filter(([, part]) => part !== undefined));
}

// ------------------------------------------------------------------ connecting

/**
 * Which viewer a library object is.
 * @param {any} cornerstone
 * @returns {Mode}
 */
export function modeOf(cornerstone) {
  if (typeof cornerstone?.imageLoader?.registerImageLoader === 'function' && cornerstone.eventTarget) return '3d';
  if (typeof cornerstone?.registerImageLoader === 'function' && cornerstone.metaData) return 'legacy';
  return 'none';
}

/**
 * Whose load this is, when the page registered `imageLoader` by hand: Cornerstone3D always passes a
 * request type, and legacy cornerstone-core is a global that can be enabled on an element.
 * @param {Options | undefined} options
 * @returns {Mode}
 */
export function guessMode(options) {
  const legacy = typeof (/** @type {any} */ (globalThis).cornerstone?.enable) === 'function';
  if (legacy) return 'legacy';
  return options?.requestType ? '3d' : 'none';
}

/**
 * Register schemes, metadata and events with a viewer.
 * @param {any} cornerstone
 * @param {Mode} mode
 * @param {{load: (imageId: string, options: Options, mode: Mode, shownAs: string) => any, metaData: (type: string, imageId: string, mode: Mode) => any, events: EventTarget}} face
 * @param {{priority?: number}} options of the metadata provider
 * @returns {{registerScheme: (scheme: string) => void, attributesOf: (imageId: string) => Options | undefined, detach: () => void}}
 */
export function attach(cornerstone, mode, face, { priority = 100 } = {}) {
  let attached = true;
  // Legacy viewers count `frame=` from 0, Cornerstone3D and pyloader from 1.
  const translate = (/** @type {string} */ imageId) => (mode === 'legacy' ? countFramesFromOne(imageId) : imageId);
  const loader = (/** @type {string} */ imageId, /** @type {Options} */ options = {}) => {
    if (!attached) throw new Error(`pyloader was detached from this viewer; it no longer loads ${imageId}`);
    return face.load(translate(imageId), options, mode, imageId);
  };
  let isSilent = false; // while others are asked
  const provider = (/** @type {string} */ type, /** @type {any} */ imageId) =>
    typeof imageId === 'string' && !isSilent ? face.metaData(type, translate(imageId), mode) : undefined;
  const attributesOf = (/** @type {string} */ imageId) => {
    isSilent = true;
    try {
      return attributesFrom(cornerstone.metaData, imageId);
    } finally {
      isSilent = false;
    }
  };
  const register = mode === '3d' ? cornerstone.imageLoader.registerImageLoader : cornerstone.registerImageLoader;
  const stopEvents = forwardEvents(cornerstone, mode, face.events);
  cornerstone.metaData.addProvider(provider, priority);
  return {
    registerScheme: (scheme) => register(scheme, loader),
    attributesOf,
    detach: () => {
      attached = false;
      cornerstone.metaData.removeProvider(provider);
      stopEvents();
    },
  };
}

/** Fire the events that both generations of loaders have fired. @param {any} cornerstone @param {Mode} mode @param {EventTarget} events */
function forwardEvents(cornerstone, mode, events) {
  const target = mode === '3d' ? cornerstone.eventTarget : cornerstone.events;
  const forward = (/** @type {any} */ event) => cornerstone.triggerEvent(target, `cornerstone${event.type}`, event.detail);
  const types = ['imageloadstart', 'imageloadprogress', 'imageloadend'];
  for (const type of types) events.addEventListener(type, forward);
  return () => types.forEach((type) => events.removeEventListener(type, forward));
}
