// @ts-check
// The adapter for viewers, with voi.js and metadata.js: makes image objects for legacy cornerstone-core and for
// Cornerstone3D, and connects them (`use`).
import { PyLoaderError } from '../shared/errors.js';
import { countFramesFromOne } from '../shared/imageid.js';
import { asShown, factorsOf, moduleFor, positive, proportionsOf } from './metadata.js';
import { hasFractions, rangeFor, tableFor, windowFor, windowsFor } from './voi.js';

export { moduleFor };

/** @typedef {'legacy' | '3d' | 'none'} Mode */
/** @typedef {import('pyloader').PixelArray} PixelArray */
/**
 * @typedef {new (memory: ArrayBufferLike, offset: number, length: number) => PixelArray} NewPixels their constructor
 */
/** @typedef {import('./libraries.d.ts').Cornerstone} Cornerstone */
/** @typedef {import('./libraries.d.ts').Cornerstone3D} Cornerstone3D */
/** @typedef {import('./libraries.d.ts').LegacyCornerstone} LegacyCornerstone */
/** @typedef {import('./libraries.d.ts').ForeignModule} ForeignModule */
/** @typedef {(progress: Partial<import('pyloader').LoadProgress>) => void} OnProgress */
/**
 * @typedef {Omit<import('pyloader').LoadOptions, 'onProgress'> & {onProgress?: OnProgress, [option: string]: unknown}}
 *   Options of a load, including those for a loader of the page
 */
/** @typedef {import('../shared/messages.d.ts').Loaded} Loaded */
/** @typedef {{promise: Promise<unknown>, cancelFn: () => void, cancel: () => void, decache: () => void}} Loading */
/**
 * The functions that a viewer's loader and provider call.
 * @typedef {object} Face
 * @property {(imageId: string, options: Options, mode: Mode, shownAs: string) => Loading} load
 * @property {(type: string, imageId: string, mode: Mode, askOthers: () => unknown) => unknown} metaData
 * @property {EventTarget} events
 */
/**
 * A connected viewer. `attributesOf` returns attributes that it has of an image, by DICOM keyword.
 * @typedef {object} Attached
 * @property {(scheme: string) => void} registerScheme
 * @property {(imageId: string) => Record<string, unknown> | undefined} attributesOf
 * @property {(imageId: string, json: unknown) => void} giveInstance
 * @property {() => void} detach
 */

const FULL_RESOLUTION = 8; // ImageQualityStatus of Cornerstone3D; without it an image is never complete
// Window that leaves 8-bit color unchanged, by each viewer's own formula.
const COLOR_WINDOW = { legacy: [127.5, 255], none: [127.5, 255], '3d': [128, 256] };

/**
 * Translate the form in which a viewer wants its pixels to the options of pyloader/pixels/output/delivery.py.
 * @param {Mode} mode
 * @param {Options} options of the load, as the viewer names them
 */
export function deliveryFor(mode, options) {
  const { preScale, targetBuffer, useRGBA, displayValues } = options;
  const dtype = dtypeWanted(mode, targetBuffer);
  const delivery = {
    rgba: mode === '3d' ? useRGBA === true : mode === 'legacy' || useRGBA !== false,
    rescale: isRescaleWanted(mode, preScale),
    integers: mode === 'legacy',
    // Cornerstone3D's own loader scales to SUV and to dose without being asked.
    factor: scalingFactor(scalingOf(preScale)) ?? (mode === '3d' ? 'own' : undefined),
    dtype,
    // A volume's memory has this dtype: in Cornerstone3D, values outside its range wrap around.
    limit: dtype && (mode === '3d' || targetBuffer?.arrayBuffer) ? true : undefined,
    darken: mode === 'none' ? undefined : true,
    display: displayValues === true ? true : undefined,
    rows: targetBuffer?.rows,
    columns: targetBuffer?.columns,
  };
  return Object.fromEntries(
    Object.entries(delivery).filter(([, value]) => value !== undefined && !Number.isNaN(value)),
  );
}

/**
 * Return true if pixels are to be rescaled: Cornerstone3D rescales by default, others only on request.
 * @param {Mode} mode @param {Options['preScale']} preScale
 */
function isRescaleWanted(mode, preScale) {
  const enabled = typeof preScale === 'boolean' ? preScale : preScale?.enabled;
  return mode === '3d' ? enabled !== false : enabled === true;
}

/**
 * Return the wanted dtype, by its name in numpy; legacy viewers draw only integers of at most 16 bits.
 * @param {Mode} mode @param {Options['targetBuffer']} targetBuffer
 */
function dtypeWanted(mode, targetBuffer) {
  const name = targetBuffer?.type?.replace(/(Clamped)?Array/, '').toLowerCase();
  return mode === 'legacy' && !/^u?int(8|16)$/.test(String(name)) ? undefined : name;
}

/** @param {Options['preScale']} preScale */
function scalingOf(preScale) {
  return typeof preScale === 'object' ? preScale?.scalingParameters : undefined;
}

/**
 * @typedef {Pick<import('pyloader').Image, 'windows' | 'color' | 'voiLUT' | 'floatPixelData' | 'getPixelData' | 'slope'
 *   | 'intercept'>} Shown fields of an image that its window depends on
 */
/**
 * @typedef {{windowCenter?: number | number[], windowWidth?: number | number[], voiLUTFunction?: string}} TheirWindow
 *   windows in the VOI LUT module of another provider
 */
/** @typedef {import('pyloader').ScalingParameters & {DoseGridScaling?: number}} ScalingParameters */

/** @param {ScalingParameters | undefined} parameters @returns {number | undefined} */
function scalingFactor(parameters) {
  const { modality, suvbw, doseGridScaling, DoseGridScaling } = parameters ?? {};
  const factor = { PT: suvbw, RTDOSE: doseGridScaling ?? DoseGridScaling }[/** @type {'PT'} */ (modality)];
  return Number.isFinite(factor) ? factor : undefined;
}

/**
 * Make an image object: plain, extensible, with own fields only.
 * @param {Loaded} loaded the worker's reply
 * @param {string} imageId as the viewer writes it
 * @param {Mode} mode
 * @param {Options} options
 */
export function imageFor(loaded, imageId, mode, options) {
  const { exact, pixel, isRescaled, encoding, padding } = loaded.image;
  const pixels = placed(loaded.image.pixels, options.targetBuffer, imageId);
  const color = pixel.samplesPerPixel > 1;
  /** @type {import('pyloader').ModalityLutModule} */
  const lut = isRescaled ? {} : loaded.image.modalityLut;
  /** @type {import('pyloader').ImagePlaneModule} */
  const plane = loaded.modules.imagePlaneModule ?? {};
  // Viewers stretch the image by these. Legacy tools measure by the plane module, if there is one.
  const proportions = mode === 'none' ? undefined : proportionsOf(loaded.modules);
  const [rowPixelSpacing, columnPixelSpacing] =
    proportions ?? [plane.rowPixelSpacing, plane.columnPixelSpacing].map(positive);
  const { photometricInterpretation } = pixel;
  const [minPixelValue, maxPixelValue] = rangeFor(loaded.image, mode);
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
    minPixelValue,
    maxPixelValue,
    slope: lut.rescaleSlope ?? 1,
    intercept: lut.rescaleIntercept ?? 0,
    paddingRange: padding,
    ...(color ? colorWindow(mode) : windowFor(loaded.image, mode)),
    modalityLUT: mode === 'none' && lut.lut ? tableFor(lut.lut) : undefined,
    rowPixelSpacing,
    columnPixelSpacing,
    sliceThickness: plane.sliceThickness,
    FrameOfReferenceUID: plane.frameOfReferenceUID,
    getPixelData: () => pixels,
    floatPixelData: exact,
    dataType: pixels.constructor.name,
    sizeInBytes: pixels.byteLength,
    imageFrame: { ...pixel, pixelData: pixels },
    preScale: preScaleFor(loaded, mode, options),
    scaling: loaded.modules.scalingModule,
    iccProfile: loaded.modules.iccProfileModule?.iccProfile,
    imageQualityStatus: FULL_RESOLUTION,
    transferSyntaxUID: encoding.transferSyntaxUID,
    lossyImageCompression: encoding.lossyImageCompression,
    codestream: encoding.codestream,
    warnings: loaded.image.warnings,
    loadTimeInMS: loaded.timing.loadMilliseconds,
    decodeTimeInMS: loaded.timing.decodeMilliseconds,
    totalTimeInMS: loaded.timing.totalMilliseconds,
  };
}

/**
 * Return the pixels, copied to the caller's memory if there is any.
 * @param {PixelArray} pixels @param {Options['targetBuffer']} targetBuffer @param {string} imageId
 * @returns {PixelArray}
 */
function placed(pixels, targetBuffer, imageId) {
  const { arrayBuffer, offset = 0, length = pixels.length } = targetBuffer ?? {};
  if (!arrayBuffer) return pixels;
  if (
    length !== pixels.length ||
    offset % pixels.BYTES_PER_ELEMENT ||
    offset + pixels.byteLength > arrayBuffer.byteLength
  ) {
    throw new PyLoaderError({
      code: 'viewer',
      stage: 'dispatch',
      imageId,
      message:
        `targetBuffer has ${arrayBuffer.byteLength} bytes and asks for ${length} values from byte ${offset}; ` +
        `the image has ${pixels.length} values of ${pixels.BYTES_PER_ELEMENT} bytes (${pixels.constructor.name})`,
    });
  }
  const Class = /** @type {NewPixels} */ (pixels.constructor);
  const target = new Class(arrayBuffer, offset, length);
  target.set(pixels);
  return target;
}

/** @param {Mode} mode */
function colorWindow(mode) {
  return { windowCenter: COLOR_WINDOW[mode][0], windowWidth: COLOR_WINDOW[mode][1] };
}

/** @param {Loaded} loaded @param {Mode} mode @param {Options} options */
function preScaleFor({ image, modules }, mode, { preScale, displayValues }) {
  // Cornerstone3D shows PET images marked as scaled from 0 to 5.
  if (!image.isRescaled || displayValues) return { enabled: false, scaled: false };
  const { rescaleSlope = 1, rescaleIntercept = 0 } = image.modalityLut;
  const modality = modules.generalSeriesModule?.modality;
  const own = mode === '3d' ? factorsOf(modules) : {};
  const given = Object.entries(scalingOf(preScale) ?? {}).filter(([, value]) => value !== undefined);
  const found = { rescaleSlope, rescaleIntercept, modality, ...own, ...Object.fromEntries(given) };
  // Without WebGL, Cornerstone3D takes floats for integers if the slope is whole, but not if there is no slope.
  const isMisread = mode === '3d' && image.pixels instanceof Float32Array && Number.isInteger(rescaleSlope);
  return { enabled: true, scaled: true, scalingParameters: isMisread ? { ...found, rescaleSlope: undefined } : found };
}

// ------------------------------------------------------------------ metadata of the viewer

/** Modules whose fields are DICOM keywords with a small first letter. */
const ATTRIBUTE_MODULES = [
  'patientModule',
  'patientStudyModule',
  'generalStudyModule',
  'generalSeriesModule',
  'generalImageModule',
  'sopCommonModule',
  'imagePlaneModule',
  'imagePixelModule',
  'cineModule',
  'petSeriesModule',
  'petImageModule',
];
/** Modules taken from other providers first: calibrations by the user, and instances that the viewer computes with. */
const THEIRS = new Set(['calibratedPixelSpacing', 'instance']);
const NEEDED = ['Rows', 'Columns', 'BitsAllocated', 'PhotometricInterpretation', 'PixelRepresentation'];

/**
 * Ask the viewer's other metadata providers for an image's attributes, by DICOM keyword.
 * @param {import('./libraries.d.ts').MetaData} metaData of the viewer @param {string} imageId
 * @returns {Record<string, unknown> | undefined} undefined if they are not enough to decode a frame
 */
export function attributesFrom(metaData, imageId) {
  const get = (/** @type {string} */ type) => /** @type {ForeignModule | undefined} */ (metaData.get(type, imageId));
  const instance = get('instance');
  if (instance && NEEDED.every((keyword) => instance[keyword] !== undefined)) return asPlain(instance);
  const pixel = get('imagePixelModule');
  if (!pixel || NEEDED.some((keyword) => pixel[keyword[0].toLowerCase() + keyword.slice(1)] === undefined))
    return undefined;
  const [modality, voi, frames] = ['modalityLutModule', 'voiLutModule', 'multiframeModule'].map(
    (type) => get(type) ?? {},
  );
  const { modalityLUTSequence, ...rescale } = modality;
  const { voiLUTSequence, ...windows } = voi;
  return asPlain({
    ...Object.assign({}, ...ATTRIBUTE_MODULES.map(get)),
    ...rescale,
    ...windows,
    numberOfFrames: frames.NumberOfFrames,
    modalityLUTSequence: modalityLUTSequence?.map(lutItem),
    voiLUTSequence: voiLUTSequence?.map(lutItem),
  });
}

/** Return a table as an item of a DICOM LUT Sequence. @param {import('./libraries.d.ts').ViewerTable} lut */
function lutItem({ firstValueMapped, numBitsPerEntry, lut }) {
  return { LUTDescriptor: [lut.length % 65536, firstValueMapped, numBitsPerEntry], LUTData: Uint16Array.from(lut) };
}

/**
 * Reduce a provider's value to plain values that can be cloned; keep typed arrays.
 * @template Value @param {Value} value @returns {Value}
 */
function asPlain(value) {
  return /** @type {Value} */ (plainOf(value));
}

/** @param {unknown} value @returns {unknown} */
function plainOf(value) {
  if (Array.isArray(value)) return value.map(plainOf);
  if (ArrayBuffer.isView(value)) return value;
  if (value === null || value instanceof ArrayBuffer || typeof value === 'function') return undefined;
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('_'));
  const plain = entries.map(([key, part]) => [key, plainOf(part)]);
  return Object.fromEntries(plain.filter(([, part]) => part !== undefined));
}

// ------------------------------------------------------------------ connection

/**
 * Return the kind of viewer that a library object belongs to.
 * @param {unknown} cornerstone
 * @returns {Mode}
 */
export function modeOf(cornerstone) {
  const library = /** @type {Partial<LegacyCornerstone & Cornerstone3D> | null | undefined} */ (cornerstone);
  if (typeof library?.imageLoader?.registerImageLoader === 'function' && library.eventTarget) return '3d';
  if (typeof library?.registerImageLoader === 'function' && library.metaData) return 'legacy';
  return 'none';
}

/**
 * Guess the kind of viewer of a load, if the page registered `imageLoader` by hand. Cornerstone3D always passes a
 * request type; legacy cornerstone-core is a global with a function `enable`.
 * @param {Options | undefined} options
 * @returns {Mode}
 */
export function guessMode(options) {
  const { cornerstone } = /** @type {{cornerstone?: {enable?: unknown}}} */ (/** @type {unknown} */ (globalThis));
  if (typeof cornerstone?.enable === 'function') return 'legacy';
  return options?.requestType ? '3d' : 'none';
}

/**
 * Register schemes, metadata and events with a viewer.
 * @param {Cornerstone} cornerstone
 * @param {Mode} mode
 * @param {Face} face
 * @param {{priority?: number, displayValues?: boolean}} options of the metadata provider, and of each load
 * @returns {Attached}
 */
export function attach(cornerstone, mode, face, { priority = 100, displayValues } = {}) {
  let attached = true;
  // Legacy viewers count `frame=` from 0, Cornerstone3D and pyloader from 1.
  const translate = (/** @type {string} */ imageId) => (mode === 'legacy' ? countFramesFromOne(imageId) : imageId);
  const loader = (/** @type {string} */ imageId, /** @type {Options} */ options = {}) => {
    if (!attached) throw new Error(`pyloader was detached from this viewer; it no longer loads ${imageId}`);
    const wanted = displayValues ? { displayValues, ...options } : options;
    const loading = face.load(translate(imageId), wanted, mode, imageId);
    if (wanted.displayValues) return loading;
    const promise = loading.promise.then((image) => withWindowOf(() => othersOf('voiLutModule', imageId), image, mode));
    promise.catch(() => {}); // no unhandled rejection if the viewer does not use the promise
    return { ...loading, promise };
  };
  let isSilent = false; // true while other providers are asked
  /**
   * Ask the page's other providers; report their errors without failing.
   * @template Value @param {() => Value} ask @returns {Value | undefined}
   */
  const silently = (ask) => {
    isSilent = true;
    try {
      return ask();
    } catch (error) {
      reportError(error);
      return undefined;
    } finally {
      isSilent = false;
    }
  };
  const othersOf = (/** @type {string} */ type, /** @type {string} */ imageId) =>
    silently(() => cornerstone.metaData.get(type, imageId));
  const provider = (/** @type {string} */ type, /** @type {unknown} */ imageId) => {
    if (typeof imageId !== 'string' || isSilent) return undefined;
    const askOthers = () => othersOf(type, imageId);
    const module =
      (THEIRS.has(type) ? askOthers() : undefined) ?? face.metaData(type, translate(imageId), mode, askOthers);
    return displayValues ? asShown(type, module) : module;
  };
  const attributesOf = (/** @type {string} */ imageId) => silently(() => attributesFrom(cornerstone.metaData, imageId));
  const register =
    mode === '3d'
      ? /** @type {Cornerstone3D} */ (cornerstone).imageLoader.registerImageLoader
      : /** @type {LegacyCornerstone} */ (cornerstone).registerImageLoader;
  const stopEvents = forwardEvents(cornerstone, mode, face.events);
  cornerstone.metaData.addProvider(provider, priority);
  return {
    registerScheme: (scheme) => register(scheme, loader),
    attributesOf,
    // This is what addDicomWebInstance does, which the core does not export.
    giveInstance: (imageId, dicomwebJson) =>
      void cornerstone.metaData.getMetaData?.('naturalizedAdd', imageId, { dicomwebJson }),
    detach: () => {
      attached = false;
      cornerstone.metaData.removeProvider(provider);
      stopEvents();
    },
  };
}

/**
 * Give an image without its own window the page's window, in place of the one from its smallest to its largest value.
 * @param {() => unknown} askOthers for the VOI LUT module @param {unknown} loaded @param {Mode} mode
 */
function withWindowOf(askOthers, loaded, mode) {
  const image = /** @type {Shown} */ (loaded); // or any value that a loader in JavaScript made
  const isAutomatic = image?.windows?.length === 0 && !image.color && !image.voiLUT;
  const { windowCenter, windowWidth, voiLUTFunction } = /** @type {TheirWindow} */ ((isAutomatic && askOthers()) || {});
  if (windowCenter === undefined || windowWidth === undefined) return image;
  const isFractional = hasFractions(image.floatPixelData ?? image.getPixelData(), image.slope, image.intercept);
  const found = windowsFor(
    { windowCenter: [windowCenter].flat(), windowWidth: [windowWidth].flat(), voiLUTFunction },
    isFractional,
    mode,
  );
  const [window] = found.windows;
  return window
    ? Object.assign(image, {
        windowCenter: window.center,
        windowWidth: window.width,
        voiLUTFunction: found.voiLUTFunction,
      })
    : image;
}

/**
 * Fire the events that the loaders of both viewers fire.
 * @param {Cornerstone} cornerstone @param {Mode} mode @param {EventTarget} events
 */
function forwardEvents(cornerstone, mode, events) {
  const target =
    mode === '3d'
      ? /** @type {Cornerstone3D} */ (cornerstone).eventTarget
      : /** @type {LegacyCornerstone} */ (cornerstone).events;
  const forward = (/** @type {Event} */ event) => {
    const { type, detail } = /** @type {CustomEvent} */ (event);
    return cornerstone.triggerEvent(target, `cornerstone${type}`, detail);
  };
  const types = ['imageloadstart', 'imageloadprogress', 'imageloadend'];
  for (const type of types) events.addEventListener(type, forward);
  return () => {
    for (const type of types) events.removeEventListener(type, forward);
  };
}
