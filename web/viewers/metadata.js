// @ts-check
// Metadata as the providers of a viewer answer them: the modules of an image in its words.
import { functionOf, scaled, tableFor, windowsOfVolume } from './voi.js';

/** @typedef {import('./cornerstone.js').Mode} Mode */
/** @typedef {import('../shared/messages.d.ts').WireModules} Modules of an image */
/** @typedef {keyof Modules} Name of a module */
/** @typedef {import('pyloader').ImagePixelModule} ImagePixelModule */
/** @typedef {import('pyloader').ImagePlaneModule} ImagePlaneModule */
/** @typedef {Partial<ImagePlaneModule> & {usingDefaultValues?: boolean}} TheirPlane what others know of a plane */
/**
 * @typedef {{temporalPositionIndex?: number, numberOfTemporalPositions?: number, stackID?: string}} Dimensions of a
 *   frame: one value each, since they count frames
 */
/**
 * @template {Name} Each
 * @typedef {NonNullable<Modules[Each]> & {voiLUTSequence?: unknown[]}} TheirModule one's own, or that of others
 */
/** @template {Name} Each @typedef {(module: Modules[Each], mode: Mode, modules: Modules) => unknown} Adapt */

/**
 * One module as a viewer's provider answers it.
 * @param {Modules | undefined} modules of an image
 * @param {string} type
 * @param {Mode} mode
 * @param {() => unknown} [askOthers] what the viewer's other providers know of the module
 */
export function moduleFor(modules, type, mode, askOthers = () => undefined) {
  if (!modules) return undefined;
  if (type === 'instance' && mode === '3d') return instanceOf(modules);
  if (mode === '3d' && /^[A-Z]/.test(type)) return attributeOf(modules, type);
  return namedModule(modules, /** @type {Name} */ (type), mode, askOthers); // or none, which has none of it
}

/**
 * @template {Name} Each @param {Modules} modules @param {Each} type @param {Mode} mode @param {() => unknown} askOthers
 */
function namedModule(modules, type, mode, askOthers) {
  const own = ownOf(modules, type);
  const theirs = isKnown(type, own) ? undefined : /** @type {Modules[Each]} */ (askOthers());
  if (theirs && type !== 'imagePlaneModule' && isKnown(type, theirs)) return theirs;
  const module = theirs ? withTheirs(own, theirs) : own;
  const adapt = /** @type {Adapt<Each> | undefined} */ (ownOf(ADAPTED, type));
  return adapt ? adapt(module, mode, modules) : module;
}

/**
 * Complete a module of which neither is known enough.
 * @template Module @param {Module} own @param {NonNullable<Module>} theirs
 */
function withTheirs(own, theirs) {
  const plane = /** @type {ImagePlaneModule | undefined} */ (own); // or another module, of which nothing is looked at
  return /** @type {Module} */ (completed(plane, /** @type {TheirPlane} */ (theirs)));
}

/** @type {{[Each in Name]?: Adapt<Each>}} */
const ADAPTED = {
  imagePixelModule: (pixel, mode, modules) =>
    pixel && (mode === '3d' ? asDelivered(withoutColors(pixel, modules), modules) : pixel),
  imagePlaneModule: (plane, mode, modules) =>
    plane && (mode === '3d' ? withPlaneDefaults(plane, proportionsOf(modules)) : agreeing(plane)),
  generalSeriesModule: (series, mode) => series ?? (mode === '3d' ? {} : undefined),
  patientModule: (patient) => patient && { ...patient, patientId: patient.patientID },
  multiframeModule: (module) =>
    module && {
      ...module,
      NumberOfFrames: module.numberOfFrames,
      PerFrameFunctionalInformation: module.perFrameFunctionalInformation,
      SharedFunctionalInformation: module.sharedFunctionalInformation,
    },
  modalityLutModule: (module) => module && { ...module, modalityLUTSequence: module.lut && [tableFor(module.lut)] },
  voiLutModule: (module, mode, modules) => module && voiModule(module, mode, modules),
  // A module without factors is an answer too: Cornerstone3D would compute them where they are not certain.
  scalingModule: (module, mode, { generalSeriesModule }) =>
    mode === '3d' && generalSeriesModule?.modality === 'PT' ? (module ?? {}) : module && withDoseNames(module),
  ecgModule: (module) => module && { ...module, waveformData: { retrieveBulkData: async () => module.waveformData } },
};

/**
 * Modules in whose place a viewer is given defaults, unless this is known.
 * @type {{[Each in Name]?: (module: TheirModule<Each>) => unknown}}
 */
const KNOWN = {
  imagePlaneModule: ({ imagePositionPatient, imageOrientationPatient, pixelSpacing }) =>
    imagePositionPatient && imageOrientationPatient && isSpacing(pixelSpacing),
  generalSeriesModule: (series) => Object.keys(series).length,
  voiLutModule: ({ windowCenter, luts, voiLUTSequence }) =>
    [windowCenter ?? [], luts ?? voiLUTSequence ?? []].flat().length,
};

/**
 * Look up a name from outside, which may be `constructor` too.
 * @template {object} Table @template {keyof Table} Each
 * @param {Table} table @param {Each} name @returns {Table[Each] | undefined}
 */
function ownOf(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** @template {Name} Each @param {Each} type @param {Modules[Each] | undefined} module */
function isKnown(type, module) {
  const knows = /** @type {((module: unknown) => unknown) | undefined} */ (ownOf(KNOWN, type));
  return !knows || Boolean(module && knows(module));
}

/**
 * A plane with what others know of it: that counts more than defaults, and less than the image's own.
 * @param {ImagePlaneModule | undefined} plane @param {TheirPlane} theirs
 */
function completed(plane, theirs) {
  const { usingDefaultValues, ...known } = theirs;
  if (usingDefaultValues) return plane;
  /** @type {ImagePlaneModule} */
  const { pixelSpacing, rowPixelSpacing, columnPixelSpacing, ...others } = plane ?? {};
  return { ...known, ...others, ...(isSpacing(pixelSpacing) && { pixelSpacing }) };
}

/**
 * All that is known of a frame, by DICOM keyword, as Cornerstone3D names an instance.
 * @param {Modules} modules @returns {Record<string, unknown>}
 */
function instanceOf(modules) {
  const entries = Object.values(modules).flatMap((module) =>
    module && typeof module === 'object' ? Object.entries(module) : [],
  );
  return Object.fromEntries(entries.map(([name, value]) => [keywordOf(name), value]));
}

/**
 * One attribute by its keyword. By some Cornerstone3D splits images of the same places into volumes; of
 * these, frames of several dimensions have others, or no name of DICOM.
 * @param {Modules} modules @param {string} keyword @returns {unknown}
 */
function attributeOf(modules, keyword) {
  const dimensions = /** @type {Dimensions} */ (modules.frameContentModule ?? {});
  const { temporalPositionIndex, numberOfTemporalPositions = 1, stackID } = dimensions;
  if (keyword === 'EchoNumber') {
    // It asks for it when times alone do not tell images apart: every time of every stack has a number.
    const stack = stackID === undefined ? NaN : Number(stackID);
    return Number.isInteger(stack)
      ? (stack - 1) * numberOfTemporalPositions + (temporalPositionIndex ?? 1)
      : instanceOf(modules).EchoNumbers;
  }
  return instanceOf(modules)[keyword] ?? (keyword === 'TemporalPositionIdentifier' ? temporalPositionIndex : undefined);
}

/** An attribute's name with the capitals of its keyword. @param {string} name such as `sopInstanceUID` */
function keywordOf(name) {
  const head = /^(sop|voi|suv|rt|tr)(?=[A-Z])/.exec(name)?.[0] ?? name[0];
  return head.toUpperCase() + name.slice(head.length);
}

/** A dose's attributes under the names that Cornerstone3D reads. @param {import('pyloader').ScalingModule} module */
function withDoseNames(module) {
  const { doseGridScaling, doseSummationType, doseType, doseUnits } = module;
  if (doseGridScaling === undefined) return module;
  return {
    ...module,
    DoseGridScaling: doseGridScaling,
    DoseSummation: doseSummationType,
    DoseType: doseType,
    DoseUnit: doseUnits,
  };
}

/**
 * Windows as the viewer's values have them.
 * @param {import('pyloader').VoiLutModule} module @param {Mode} mode @param {Modules} modules
 */
function voiModule(module, mode, modules) {
  const found = { ...module, voiLUTFunction: functionOf(module), voiLUTSequence: module.luts?.map(tableFor) };
  if (mode !== '3d') return found;
  const { suvbw, doseGridScaling } = factorsOf(modules);
  const { voiLUTFunction, windows: stored } = windowsOfVolume(module, isFractional(modules));
  const windows = stored.map((window) => scaled(window, suvbw ?? doseGridScaling ?? 1));
  return {
    ...found,
    voiLUTFunction,
    windowCenter: windows.length ? windows.map(({ center }) => center) : undefined,
    windowWidth: windows.length ? windows.map(({ width }) => width) : undefined,
    windowCenterWidthExplanation: module.windowCenterWidthExplanation && windows.map(({ explanation }) => explanation),
  };
}

/**
 * The pixels of a label map are segment numbers, whatever its palette.
 * @param {ImagePixelModule} pixel @param {Modules} modules
 */
function withoutColors(pixel, { segmentModule }) {
  const isColored =
    pixel.photometricInterpretation === 'PALETTE COLOR' && segmentModule?.segmentationType === 'LABELMAP';
  return isColored ? { ...pixel, photometricInterpretation: 'MONOCHROME2' } : pixel;
}

/** Tell whether values in modality units may be others than whole numbers. @param {Modules} modules */
function isFractional({ imagePixelModule, modalityLutModule = {} }) {
  const { rescaleSlope = 1, rescaleIntercept = 0 } = modalityLutModule;
  const { bitsAllocated = 0 } = imagePixelModule ?? {};
  return bitsAllocated >= 32 || !Number.isInteger(rescaleSlope) || !Number.isInteger(rescaleIntercept);
}

/**
 * Cornerstone3D chooses the class of a volume by bits and sign before it has a slice. Where modality
 * units may not fit, other bits are told.
 * @param {ImagePixelModule} pixel
 * @param {Modules} modules
 */
function asDelivered(pixel, { modalityLutModule = {}, generalSeriesModule }) {
  const { rescaleSlope: slope = 1, rescaleIntercept: intercept = 0, lut } = modalityLutModule;
  const { bitsAllocated: bits, bitsStored = bits, pixelRepresentation: sign } = pixel;
  if (pixel.samplesPerPixel > 1 || bits > 16) return pixel;
  const isWhole = Number.isInteger(slope) && Number.isInteger(intercept);
  const isNegative = slope < 0 || intercept < 0;
  // Of 16 bits it allows for fractions; no CT number but padding leaves them by an intercept.
  const isHounsfield = slope === 1 && generalSeriesModule?.modality === 'CT';
  if (bits === 16 && !lut && (isHounsfield || !isWhole)) return pixel;
  const stored = lut ? [0, 65535] : reach(bitsStored, sign);
  const [low, high] = stored.map((value) => value * slope + intercept).sort((a, b) => a - b);
  const holds = (/** @type {number[]} */ [least, most]) => isWhole && least <= low && high <= most;
  if (holds(bits === 8 ? reach(8, 0) : reach(16, sign || isNegative))) return pixel;
  const wider = Number(low < 0 || isNegative);
  return holds(reach(16, wider))
    ? { ...pixel, bitsAllocated: 16, pixelRepresentation: wider }
    : { ...pixel, bitsAllocated: 32 };
}

/** The smallest and largest integer. @param {number} bits @param {number | boolean} isSigned */
function reach(bits, isSigned) {
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

/**
 * Cornerstone3D reads these fields without looking whether they are there. The defaults are the
 * viewer's, not the image's: they stand here and are marked, so that nothing is measured by them.
 * @param {ImagePlaneModule} plane @param {number[]} proportions of a pixel without a spacing
 */
function withPlaneDefaults(plane, [row, column] = [1, 1]) {
  const known = agreeing(plane);
  const pixelSpacing = isSpacing(known.pixelSpacing) ? known.pixelSpacing : [row, column];
  return {
    ...agreeing({
      imageOrientationPatient: [1, 0, 0, 0, 1, 0],
      imagePositionPatient: [0, 0, 0],
      ...known,
      pixelSpacing,
    }),
    usingDefaultValues: !isKnown('imagePlaneModule', known),
  };
}

/**
 * A plane whose cosines are those of its orientation, and whose distances are those of its spacing:
 * viewers read either, and others may have told one alone.
 * @param {ImagePlaneModule} plane @returns {ImagePlaneModule}
 */
function agreeing(plane) {
  /** @type {ImagePlaneModule} */
  const known = Object.fromEntries(Object.entries(plane).filter(([, value]) => value !== undefined && value !== null));
  const { imageOrientationPatient: cosines, pixelSpacing } = known;
  return {
    ...known,
    ...(cosines?.length === 6 && { rowCosines: [...cosines.slice(0, 3)], columnCosines: [...cosines.slice(3)] }),
    ...(isSpacing(pixelSpacing) && { rowPixelSpacing: pixelSpacing[0], columnPixelSpacing: pixelSpacing[1] }),
  };
}

/**
 * Factors that Cornerstone3D's own loader scales by, of a PET or an RT dose.
 * @param {Modules} modules @returns {import('pyloader').ScalingModule}
 */
export function factorsOf({ scalingModule }) {
  const { suvbw, suvlbm, suvbsa, doseGridScaling } = scalingModule ?? {};
  if (suvbw) return { suvbw, suvlbm, suvbsa };
  return doseGridScaling ? { doseGridScaling } : {};
}

/** Return a value that can be a length. @param {number | undefined} value */
export function positive(value) {
  return value !== undefined && value > 0 ? value : undefined;
}

/** @param {unknown} pair of lengths @returns {pair is [number, number]} */
function isSpacing(pair) {
  const lengths = /** @type {number[] | null | undefined} */ (pair);
  return lengths?.length === 2 && lengths.every((value) => Number.isFinite(value) && value > 0);
}

/**
 * Return height and width of the pixels of an image that has no spacing in the patient: on the film that was
 * scanned (PS3.3 C.8.6.1), else in proportion alone (C.7.6.3.1.7), the smaller as 1.
 * @param {Modules} modules @returns {number[] | undefined} undefined when they are square
 */
export function proportionsOf({ imagePlaneModule: plane = {}, imagePixelModule: pixel }) {
  if (isSpacing(plane.pixelSpacing) || isSpacing(plane.imagerPixelSpacing)) return undefined;
  if (isSpacing(plane.nominalScannedPixelSpacing)) return plane.nominalScannedPixelSpacing;
  const ratio = pixel?.pixelAspectRatio;
  if (!isSpacing(ratio) || ratio[0] === ratio[1]) return undefined;
  const unit = Math.min(...ratio);
  return ratio.map((/** @type {number} */ size) => size / unit);
}

/**
 * Modules of values as they are shown: 8 bits, nothing left to apply.
 * @type {Record<string, Record<string, unknown>>}
 */
const SHOWN = {
  imagePixelModule: { bitsAllocated: 8, bitsStored: 8, highBit: 7, pixelRepresentation: 0 },
  modalityLutModule: {
    rescaleSlope: 1,
    rescaleIntercept: 0,
    rescaleType: undefined,
    lut: undefined,
    modalityLUTSequence: undefined,
  },
  voiLutModule: {
    windowCenter: [128],
    windowWidth: [256],
    windowCenterWidthExplanation: undefined,
    voiLUTFunction: undefined,
    luts: undefined,
    voiLUTSequence: undefined,
  },
};

/** A module of an image that is delivered as it is shown. @param {string} type @param {unknown} answer */
export function asShown(type, answer) {
  const module = /** @type {ImagePixelModule | undefined} */ (answer); // or another one
  if (!module || (type === 'imagePixelModule' && module.samplesPerPixel > 1)) return module;
  const photometric = type === 'imagePixelModule' ? { photometricInterpretation: 'MONOCHROME2' } : {};
  return { ...module, ...ownOf(SHOWN, type), ...photometric };
}
