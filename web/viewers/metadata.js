// @ts-check
// Makes the metadata modules that a viewer's providers return, with the viewer's names.
import { functionOf, scaled, tableFor, windowsOfVolume } from './voi.js';

/** @typedef {import('./cornerstone.js').Mode} Mode */
/** @typedef {import('../shared/messages.d.ts').WireModules} Modules of an image */
/** @typedef {keyof Modules} Name of a module */
/** @typedef {import('pyloader').ImagePixelModule} ImagePixelModule */
/** @typedef {import('pyloader').ImagePlaneModule} ImagePlaneModule */
/** @typedef {Partial<ImagePlaneModule> & {usingDefaultValues?: boolean}} TheirPlane plane of another provider */
/**
 * @typedef {{temporalPositionIndex?: number, numberOfTemporalPositions?: number, stackID?: string}} Dimensions of a
 *   frame: one value each, since they count frames
 */
/**
 * @template {Name} Each
 * @typedef {NonNullable<Modules[Each]> & {voiLUTSequence?: unknown[]}} TheirModule an own module, or another provider's
 */
/** @template {Name} Each @typedef {(module: Modules[Each], mode: Mode, modules: Modules) => unknown} Adapt */

/**
 * Return a module for a viewer's provider.
 * @param {Modules | undefined} modules of an image
 * @param {string} type
 * @param {Mode} mode
 * @param {() => unknown} [askOthers] asks the viewer's other providers for the module
 */
export function moduleFor(modules, type, mode, askOthers = () => undefined) {
  if (!modules) return undefined;
  if (type === 'instance' && mode === '3d') return instanceOf(modules);
  if (mode === '3d' && /^[A-Z]/.test(type)) return attributeOf(modules, type);
  return namedModule(modules, /** @type {Name} */ (type), mode, askOthers); // undefined for an unknown name
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
 * Complete a module with another provider's, since neither is complete.
 * @template Module @param {Module} own @param {NonNullable<Module>} theirs
 */
function withTheirs(own, theirs) {
  const plane = /** @type {ImagePlaneModule | undefined} */ (own); // other modules have none of the fields read
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
  // Return a module even without factors: else Cornerstone3D would compute uncertain ones.
  scalingModule: (module, mode, { generalSeriesModule }) =>
    mode === '3d' && generalSeriesModule?.modality === 'PT' ? (module ?? {}) : module && withDoseNames(module),
  ecgModule: (module) => module && { ...module, waveformData: { retrieveBulkData: async () => module.waveformData } },
};

/**
 * Checks whether a module has enough; otherwise the viewer gets another provider's, or defaults.
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
 * Look up a name from outside, which may also be one like `constructor`.
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
 * Complete a plane with another provider's fields, which override defaults, but not the image's own.
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
 * Return all attributes of a frame, by DICOM keyword; Cornerstone3D calls this an instance.
 * @param {Modules} modules @returns {Record<string, unknown>}
 */
function instanceOf(modules) {
  const entries = Object.values(modules).flatMap((module) =>
    module && typeof module === 'object' ? Object.entries(module) : [],
  );
  return Object.fromEntries(entries.map(([name, value]) => [keywordOf(name), value]));
}

/**
 * Return an attribute by its keyword. Cornerstone3D splits images at the same positions into volumes by some
 * attributes; frames with several dimensions have others in their place, or values without a DICOM name.
 * @param {Modules} modules @param {string} keyword @returns {unknown}
 */
function attributeOf(modules, keyword) {
  const dimensions = /** @type {Dimensions} */ (modules.frameContentModule ?? {});
  const { temporalPositionIndex, numberOfTemporalPositions = 1, stackID } = dimensions;
  if (keyword === 'EchoNumber') {
    // Cornerstone3D reads it if times alone do not distinguish images: number every time of every stack.
    const stack = stackID === undefined ? NaN : Number(stackID);
    return Number.isInteger(stack)
      ? (stack - 1) * numberOfTemporalPositions + (temporalPositionIndex ?? 1)
      : instanceOf(modules).EchoNumbers;
  }
  return instanceOf(modules)[keyword] ?? (keyword === 'TemporalPositionIdentifier' ? temporalPositionIndex : undefined);
}

/** Return the keyword of an attribute's name. @param {string} name such as `sopInstanceUID` */
function keywordOf(name) {
  const head = /^(sop|voi|suv|rt|tr)(?=[A-Z])/.exec(name)?.[0] ?? name[0];
  return head.toUpperCase() + name.slice(head.length);
}

/**
 * Add the attributes of a dose under the names that Cornerstone3D reads.
 * @param {import('pyloader').ScalingModule} module
 */
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
 * Return the VOI LUT module, with windows in the units of the viewer's values.
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
 * Describe a label map as grey: its pixels are segment numbers, even with a palette.
 * @param {ImagePixelModule} pixel @param {Modules} modules
 */
function withoutColors(pixel, { segmentModule }) {
  const isColored =
    pixel.photometricInterpretation === 'PALETTE COLOR' && segmentModule?.segmentationType === 'LABELMAP';
  return isColored ? { ...pixel, photometricInterpretation: 'MONOCHROME2' } : pixel;
}

/** Return true if values in modality units may have fractions. @param {Modules} modules */
function isFractional({ imagePixelModule, modalityLutModule = {} }) {
  const { rescaleSlope = 1, rescaleIntercept = 0 } = modalityLutModule;
  const { bitsAllocated = 0 } = imagePixelModule ?? {};
  return bitsAllocated >= 32 || !Number.isInteger(rescaleSlope) || !Number.isInteger(rescaleIntercept);
}

/**
 * Return a pixel module whose bits and sign can hold the modality units. Cornerstone3D chooses the dtype of a volume
 * by them, before it has a slice.
 * @param {ImagePixelModule} pixel
 * @param {Modules} modules
 */
function asDelivered(pixel, { modalityLutModule = {}, generalSeriesModule }) {
  const { rescaleSlope: slope = 1, rescaleIntercept: intercept = 0, lut } = modalityLutModule;
  const { bitsAllocated: bits, bitsStored = bits, pixelRepresentation: sign } = pixel;
  if (pixel.samplesPerPixel > 1 || bits > 16) return pixel;
  const isWhole = Number.isInteger(slope) && Number.isInteger(intercept);
  const isNegative = slope < 0 || intercept < 0;
  // It allows for fractions with 16 bits. An intercept moves no CT value beyond 16 bits, except padding.
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

/** Return the smallest and largest integer of a type. @param {number} bits @param {number | boolean} isSigned */
function reach(bits, isSigned) {
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

/**
 * Add defaults to a plane, since Cornerstone3D reads these fields without checking that they exist. The defaults are
 * for the viewer only, and marked, so that nothing is measured with them.
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
 * Derive a plane's cosines from its orientation, and its distances from its spacing: viewers read either form, and
 * another provider may have given only one.
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
 * Return the factors that Cornerstone3D's own loader scales by, for PET or an RT dose.
 * @param {Modules} modules @returns {import('pyloader').ScalingModule}
 */
export function factorsOf({ scalingModule }) {
  const { suvbw, suvlbm, suvbsa, doseGridScaling } = scalingModule ?? {};
  if (suvbw) return { suvbw, suvlbm, suvbsa };
  return doseGridScaling ? { doseGridScaling } : {};
}

/** Return a positive value, else undefined. @param {number | undefined} value */
export function positive(value) {
  return value !== undefined && value > 0 ? value : undefined;
}

/** @param {unknown} pair of lengths @returns {pair is [number, number]} */
function isSpacing(pair) {
  const lengths = /** @type {number[] | null | undefined} */ (pair);
  return lengths?.length === 2 && lengths.every((value) => Number.isFinite(value) && value > 0);
}

/**
 * Return height and width of the pixels of an image without a spacing in the patient: on the scanned film (PS3.3
 * C.8.6.1), else only their ratio (C.7.6.3.1.7), with the smaller one as 1.
 * @param {Modules} modules @returns {number[] | undefined} undefined if they are square
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
 * Fields of modules for display values: 8 bits, with no table or window left to apply.
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

/** Adapt a module to an image delivered in display values. @param {string} type @param {unknown} found */
export function asShown(type, found) {
  const module = /** @type {ImagePixelModule | undefined} */ (found); // or another module
  if (!module || (type === 'imagePixelModule' && module.samplesPerPixel > 1)) return module;
  const photometric = type === 'imagePixelModule' ? { photometricInterpretation: 'MONOCHROME2' } : {};
  return { ...module, ...ownOf(SHOWN, type), ...photometric };
}
