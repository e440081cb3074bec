// The public face of pyloader: the names of `globalThis.pyloader` (pyloader.js) and of pyloader.mjs.

/**
 * Options that a page's own loaders take beside `LoadOptions`, for TypeScript to know:
 * `declare module 'pyloader' { interface LoaderOptions { threshold?: number } }`. Plain values reach a
 * Python loader as `context.options`.
 */
export interface LoaderOptions {}

/**
 * Modules of a page's own loaders, for TypeScript to know:
 * `declare module 'pyloader' { interface LoaderModules { dosePlanModule?: { planName?: string } } }`.
 */
export interface LoaderModules {}

/**
 * Options of `init`. All have defaults; the first load calls `init()` when the page did not. `undefined`
 * is as if an option was not given, null is its default. A name that is none of these is told on the
 * console, with the one that was probably meant.
 */
export interface InitOptions {
  /** The folder of worker.mjs and pyodide/; by default that of the script itself, which after bundling it is not. */
  assetsURL?: string;
  /**
   * Number of workers, `'auto'` (as many as the cores bear, started when needed, ended when idle), or 0: Python
   * runs on the page.
   */
  workers?: number | 'auto';
  /**
   * Python packages to install at start, with what they need: names (`'pynrrd'`), names with versions
   * (`'pynrrd>=1.1'`, PEP 508), or URLs of wheels, relative to the page (`'wheels/mine-1.0-py3-none-any.whl'`).
   * Names are looked for in dist/pyodide/ first, then in `packageIndexes`. What runs are wheels of pure
   * Python, and those built for Pyodide. What a loader imports and dist/pyodide/ has needs no mention.
   * Wheels are fetched without `headers` and `beforeRequest`, as scripts are. What cannot be had is a
   * `PyLoaderError` with code `package`, and the next load works.
   */
  packages?: string[];
  /**
   * Package indexes (PEP 503, PEP 691) that Python packages may come from; default `[]`: nothing is fetched
   * but from the servers of the page and of dist/. Example: `['https://packages.example/simple']`. Wheels may then
   * be named by URLs on these servers too; an index itself may refer to files elsewhere.
   */
  packageIndexes?: string[];
  /**
   * Sent with every request to the page's own origin and to those that `origins` and `dicomweb` name, and
   * to no other. Given again, they take the place of all before.
   */
  headers?: Record<string, string> | Headers | null;
  /**
   * Called before every request to the page's own origin or one that is named, also before each retry
   * and for each address that a redirect leads to; may change it, or return another.
   */
  beforeRequest?: ((request: OutgoingRequest) => OutgoingRequest | void | Promise<OutgoingRequest | void>) | null;
  /**
   * Called when an origin that is the page's own, or named, answers with 401, once for all requests
   * that it answers so: may let the user sign in.
   * Headers that it returns are sent with every request to that origin from then on, `true` tries
   * again as it is (`beforeRequest` gives the new token), anything else gives up.
   */
  onUnauthorized?:
    | ((details: { url: string; origin: string; status: number }) => UnauthorizedAnswer | Promise<UnauthorizedAnswer>)
    | null;
  /** `'include'` sends cookies also to other origins that are named; default `'same-origin'`. */
  credentials?: RequestCredentials;
  /**
   * Origins that may have the secrets of the page: `headers`, the hooks and cookies. They are named by
   * addresses (`['https://pacs.example']`), of which the origin counts. The page's own and those of
   * `dicomweb(base)` are named already; a request to another goes without.
   */
  origins?: (string | URL)[] | null;
  /**
   * Treatment of an address of another origin that the answer of a server names, such as a
   * BulkDataURI: it is asked without any secret, though its origin be named (default), or refused.
   */
  linkedOrigins?: 'without-secrets' | 'refuse' | null;
  /** Milliseconds that a load may be without a sign of life (progress, an answer); default 60 000. */
  timeout?: number;
  /** Milliseconds that a request may be without a byte before it is tried again; default 30 000, 0 for no limit. */
  requestTimeout?: number;
  /** Number of further attempts after no answer, or 408, 429, 502, 503, 504; default 2. */
  retries?: number;
  limits?: {
    /** Loads that one worker has under way; default 8. */
    loadsPerWorker?: number;
    /** Requests that are under way to one origin, of all workers together; default 8. */
    requestsPerOrigin?: number;
    /** Bytes of parsed files that one worker keeps; default 256 MiB. */
    sourceBytes?: number;
    /**
     * Bytes that one image or volume may take when it is decoded, and that one answer of a server may have;
     * more is refused before it is taken; default 1 GiB.
     */
    decodedBytes?: number;
    /** Bytes of memory that a worker may keep; one that rests with more is replaced, since it gives none back; default 1 GiB. */
    heapBytes?: number;
  };
  /** Bytes of images that `loadAndCacheImage` keeps; default 1 GiB. */
  cacheBytes?: number;
}

export type UnauthorizedAnswer = Record<string, string> | boolean | void;

export interface OutgoingRequest {
  url: string;
  /** Of `url`, as it was before the hook: to look at before a token is added. */
  readonly origin: string;
  headers: Record<string, string>;
  credentials: RequestCredentials;
}

export type RequestType = 'interaction' | 'thumbnail' | 'prefetch' | 'compute';

export interface LoadOptions extends LoaderOptions {
  /** Aborting it cancels the load. */
  signal?: AbortSignal;
  /** The body of an error (404, 503) is no progress. */
  onProgress?: (progress: LoadProgress) => void;
  /** Lower is sooner, within a request type. */
  priority?: number;
  requestType?: RequestType;
  /** Milliseconds, in place of `init({timeout})`. */
  timeout?: number;
  /**
   * Apply the modality LUT (rescale slope and intercept, or its table unless it is not for display);
   * the default in Cornerstone3D. `scalingParameters: { modality: 'PT', suvbw }` (or `'RTDOSE'`,
   * `doseGridScaling`) multiplies too; Cornerstone3D gets SUV and dose without being asked.
   */
  preScale?: boolean | { enabled?: boolean; scalingParameters?: ScalingParameters };
  /** Colour as RGBA (default with no viewer) or as RGB. */
  useRGBA?: boolean;
  /**
   * Values of 0 to 255 as DICOM shows them: after modality LUT, VOI table or window, and MONOCHROME1.
   * For viewers that cannot do one of these; the values are no measurements then.
   */
  displayValues?: boolean;
  /**
   * The numeric class and size wanted. Without a viewer, another class comes where a value would
   * overflow; with one, or with an `arrayBuffer` to put the pixels into, such values take the nearer
   * end of the class and `warnings` tell.
   */
  targetBuffer?: {
    type?: PixelArrayName | 'Uint8ClampedArray';
    rows?: number;
    columns?: number;
    arrayBuffer?: ArrayBufferLike;
    offset?: number;
    length?: number;
  };
  /** For `wadors:` images: the service that stands in where WADO-RS fails; see `dicomweb`. */
  wadoURI?: string;
}

export interface LoadProgress {
  url: string;
  imageId: string;
  loaded: number;
  /** Unknown when the server does not tell. */
  total?: number;
  percentComplete?: number;
  /** Of this request, from 1. */
  attempt: number;
}

export type PixelArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;
export type PixelArrayName =
  | 'Uint8Array'
  | 'Int8Array'
  | 'Uint16Array'
  | 'Int16Array'
  | 'Uint32Array'
  | 'Int32Array'
  | 'Float32Array'
  | 'Float64Array';

/** Factors of stored values, beside slope and intercept. */
export interface ScalingParameters {
  modality?: string;
  rescaleSlope?: number;
  rescaleIntercept?: number;
  /** To SUV by body weight, in g/ml, for `modality: 'PT'`. */
  suvbw?: number;
  suvlbm?: number;
  suvbsa?: number;
  /** To dose, for `modality: 'RTDOSE'`. */
  doseGridScaling?: number;
}

export interface LookupTable {
  /** Of the table, for viewers that keep one. */
  id: string;
  firstValueMapped: number;
  numBitsPerEntry: number;
  lut: Uint16Array;
  explanation?: string;
}

/** A loaded image: a plain object with the fields that viewers read. Grey values are stored values unless `preScale.scaled`. */
export interface Image {
  imageId: string;
  rows: number;
  columns: number;
  height: number;
  width: number;
  color: boolean;
  rgba: boolean;
  numberOfComponents: 1 | 3 | 4;
  photometricInterpretation: PhotometricInterpretation;
  invert: boolean;
  /** Of the pixels that are not padding; in legacy cornerstone-core, whose tables end there, of all. */
  minPixelValue: number;
  maxPixelValue: number;
  /** From where to where pixels are padding, both included, when some are (Pixel Padding Value). */
  paddingRange?: [number, number];
  /** Modality value = stored value * slope + intercept. */
  slope: number;
  intercept: number;
  /**
   * The first window, in modality units; absent when the image has none. Viewers then get one from the
   * smallest to the largest value that is not padding, of which they know nothing.
   */
  windowCenter?: number;
  windowWidth?: number;
  /** All windows that can be ones. */
  windows?: { center: number; width: number; explanation?: string }[];
  voiLUTFunction?: VOILUTFunction;
  /** The first VOI table. Legacy cornerstone-core draws it, Cornerstone3D does not: see `displayValues`. */
  voiLUT?: LookupTable;
  /** A modality LUT that stands as a table, with no viewer; viewers get its values. */
  modalityLUT?: LookupTable;
  /** Factors of rescaled values, where they are certain: to SUV (PET), to dose (RT dose). */
  scaling?: ScalingModule;
  /** Of the colours as they were stored; they are not converted. */
  iccProfile?: Uint8Array;
  /**
   * Millimetres. For a viewer, which stretches the picture by them, those of the film that was scanned
   * (Nominal Scanned Pixel Spacing), else the proportions of a pixel alone (Pixel Aspect Ratio), where
   * the image has no spacing.
   */
  rowPixelSpacing?: number;
  columnPixelSpacing?: number;
  sliceThickness?: number;
  FrameOfReferenceUID?: string;
  getPixelData(): PixelArray;
  /** The exact values, when a viewer needs integers and these are not. */
  floatPixelData?: PixelArray;
  dataType: PixelArrayName;
  sizeInBytes: number;
  /** The Image Pixel module of the pixels as they are now, with them. */
  imageFrame: ImagePixelModule & { pixelData: PixelArray };
  preScale: { enabled: boolean; scaled: boolean; scalingParameters?: ScalingParameters };
  imageQualityStatus: number;
  transferSyntaxUID?: string;
  lossyImageCompression?: boolean;
  /** A compressed frame's own description, whatever the header of its file says. */
  codestream?: {
    transferSyntaxUID: string;
    rows: number;
    columns: number;
    samplesPerPixel: number;
    bits?: number;
    isSigned?: boolean;
    photometricInterpretation: string;
  };
  /** Contradictions in the file that were met and decided, each in a sentence. */
  warnings: string[];
  loadTimeInMS: number;
  decodeTimeInMS: number;
  totalTimeInMS: number;
}

// ------------------------------------------------------------------ modules
// Attributes have the keyword of DICOM in camelCase (PS3.6), and are absent where the image has none.
// Dates are texts as DICOM writes them (`20040119`), times too, distances millimetres, angles degrees.
// What DICOM says once and a file says several times is a list.

/** As the pixels are now: colour that was stored as YBR or by a palette is RGB. */
export type PhotometricInterpretation = 'MONOCHROME1' | 'MONOCHROME2' | 'RGB' | (string & {});
export type VOILUTFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
/** One text, or several where a file has several: null stands for one that is empty. */
export type Text = string | (string | null)[];
/** One number, or several where a file has several: null stands for one that is empty. */
export type Numeric = number | (number | null)[];

/** A lookup table as the file has it (PS3.3 C.11.1.1, C.11.2.1.1). */
export interface LookupTableItem {
  firstValueMapped: number;
  bitsPerEntry: number;
  entries: Uint16Array;
  explanation?: string;
}
/** A code and its meaning (PS3.3 8.8). */
export interface Code {
  codeValue?: string;
  codingSchemeDesignator?: string;
  codeMeaning?: string;
}

/** Image Pixel (PS3.3 C.7.6.3): what the samples mean. */
export interface ImagePixelModule {
  rows: number;
  columns: number;
  samplesPerPixel: number;
  photometricInterpretation: PhotometricInterpretation;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  /** 0 unsigned, 1 signed. */
  pixelRepresentation: number;
  planarConfiguration?: number;
  /** Height to width of a pixel. */
  pixelAspectRatio?: number[];
  smallestPixelValue?: number;
  largestPixelValue?: number;
  pixelPaddingValue?: number;
  pixelPaddingRangeLimit?: number;
}

/** Image Plane (PS3.3 C.7.6.2), in the patient's coordinates (to the left, to the back, to the head). */
export interface ImagePlaneModule {
  rows?: number;
  columns?: number;
  frameOfReferenceUID?: string;
  /** The centre of the first pixel. */
  imagePositionPatient?: number[];
  /** Cosines along a row, then along a column. */
  imageOrientationPatient?: number[];
  rowCosines?: number[];
  columnCosines?: number[];
  /** Between rows (down), then between columns (across). */
  pixelSpacing?: number[];
  rowPixelSpacing?: number;
  columnPixelSpacing?: number;
  sliceThickness?: number;
  spacingBetweenSlices?: number;
  sliceLocation?: number;
  /** At the detector of a projection. */
  imagerPixelSpacing?: number[];
  /** Of a film that was scanned. */
  nominalScannedPixelSpacing?: number[];
}

/** Modality LUT (PS3.3 C.11.1): stored values to modality units, such as HU. */
export interface ModalityLutModule {
  rescaleSlope?: number;
  rescaleIntercept?: number;
  rescaleType?: string;
  lut?: LookupTableItem;
}

/** VOI LUT (PS3.3 C.11.2): windows and tables, in modality units. */
export interface VoiLutModule {
  windowCenter?: number[];
  windowWidth?: number[];
  windowCenterWidthExplanation?: string[];
  voiLUTFunction?: VOILUTFunction;
  luts?: LookupTableItem[];
}

export interface PatientModule {
  patientID?: Text;
  patientName?: Text;
  /** The groups of a name in other scripts (PS3.5 6.2.1). */
  patientNameGroups?: { alphabetic?: string; ideographic?: string; phonetic?: string };
  patientBirthDate?: Text;
  patientBirthTime?: Text;
  patientSex?: Text;
}
export interface PatientStudyModule {
  patientAge?: Text;
  /** In metres. */
  patientSize?: Numeric;
  patientSex?: Text;
  /** In kilograms. */
  patientWeight?: Numeric;
}
export interface GeneralStudyModule {
  studyInstanceUID?: Text;
  studyDescription?: Text;
  studyDate?: Text;
  studyTime?: Text;
  accessionNumber?: Text;
  studyID?: Text;
  referringPhysicianName?: Text;
}
export interface GeneralSeriesModule {
  modality?: Text;
  seriesInstanceUID?: Text;
  seriesNumber?: Numeric;
  seriesDescription?: Text;
  seriesDate?: Text;
  seriesTime?: Text;
  studyInstanceUID?: Text;
  acquisitionDate?: Text;
  acquisitionTime?: Text;
  bodyPartExamined?: Text;
  laterality?: Text;
  imageLaterality?: Text;
  viewPosition?: Text;
  patientPosition?: Text;
  protocolName?: Text;
}
export interface GeneralImageModule {
  sopInstanceUID?: Text;
  sopClassUID?: Text;
  instanceNumber?: Numeric;
  acquisitionNumber?: Numeric;
  imageType?: Text;
  patientOrientation?: Text;
  lossyImageCompression?: Text;
  lossyImageCompressionRatio?: Numeric;
  lossyImageCompressionMethod?: Text;
  instanceCreationDate?: Text;
  instanceCreationTime?: Text;
  contentDate?: Text;
  contentTime?: Text;
  burnedInAnnotation?: Text;
  derivationDescription?: Text;
  imageComments?: Text;
  frameOfReferenceUID?: Text;
  numberOfFrames?: Numeric;
  pixelSpacing?: Numeric;
  presentationLUTShape?: Text;
}
export interface GeneralEquipmentModule {
  manufacturer?: Text;
  institutionName?: Text;
  stationName?: Text;
  manufacturerModelName?: Text;
  deviceSerialNumber?: Text;
  softwareVersions?: Text;
}
export interface ClinicalTrialModule {
  clinicalTrialSponsorName?: Text;
  clinicalTrialSiteID?: Text;
  clinicalTrialSiteName?: Text;
  clinicalTrialSubjectID?: Text;
}
export interface FrameOfReferenceModule {
  frameOfReferenceUID?: Text;
  positionReferenceIndicator?: Text;
}
export interface SopCommonModule {
  sopClassUID?: Text;
  sopInstanceUID?: Text;
}
export interface TransferSyntax {
  transferSyntaxUID: string;
}

/** Cine (PS3.3 C.7.6.5); times in milliseconds. */
export interface CineModule {
  frameTime?: Numeric;
  frameTimeVector?: Numeric;
  cineRate?: Numeric;
  recommendedDisplayFrameRate?: Numeric;
  startTrim?: Numeric;
  stopTrim?: Numeric;
  frameDelay?: Numeric;
  effectiveDuration?: Numeric;
  actualFrameDuration?: Numeric;
  preferredPlaybackSequencing?: Numeric;
  numberOfFrames?: Numeric;
}
/** The functional groups of a frame (PS3.3 C.7.6.16), as DICOM JSON has them. */
export interface MultiframeModule {
  numberOfFrames: number;
  /** From 1. */
  frameNumber: number;
  perFrameFunctionalInformation?: Record<string, any>;
  sharedFunctionalInformation?: Record<string, any>;
}
/** Of one frame: when, of which kind, and its place in each dimension (PS3.3 C.7.6.16.2.2). */
export interface FrameContentModule {
  frameAcquisitionNumber?: Numeric;
  frameReferenceDateTime?: Text;
  frameAcquisitionDateTime?: Text;
  frameAcquisitionDuration?: Numeric;
  cardiacCyclePosition?: Text;
  respiratoryCyclePosition?: Text;
  dimensionIndexValues?: Numeric;
  /** The keyword that each index is of; null of a private one. */
  dimensionIndexPointers?: (string | null)[];
  temporalPositionIndex?: Numeric;
  temporalPositionTimeOffset?: Numeric;
  numberOfTemporalPositions?: Numeric;
  stackID?: Text;
  inStackPositionNumber?: Numeric;
  frameComments?: Text;
  frameLabel?: Text | Numeric;
  frameType?: Text;
  frameLaterality?: Text;
  pixelPresentation?: Text;
  volumetricProperties?: Text;
  volumeBasedCalculationTechnique?: Text;
  complexImageComponent?: Text;
  acquisitionContrast?: Text;
  nominalCardiacTriggerDelayTime?: Numeric;
  effectiveEchoTime?: Numeric;
  diffusionBValue?: Numeric;
  diffusionDirectionality?: Text;
  pageNumber?: Text | Numeric;
  framePrimaryAngle?: Text | Numeric;
  frameSecondaryAngle?: Text | Numeric;
  displayWindowLabel?: Text | Numeric;
}

export interface PetSeriesModule {
  correctedImage?: Text;
  units?: Text;
  decayCorrection?: Text;
  suvType?: Text;
}
export interface PetImageModule {
  frameReferenceTime?: Numeric;
  actualFrameDuration?: Numeric;
  decayFactor?: Numeric;
}
export interface PetIsotopeModule {
  radiopharmaceuticalInfo?: {
    radiopharmaceutical?: Text;
    radiopharmaceuticalStartTime?: Text;
    radiopharmaceuticalStopTime?: Text;
    radiopharmaceuticalStartDateTime?: Text;
    radiopharmaceuticalStopDateTime?: Text;
    radionuclideTotalDose?: Numeric;
    radionuclideHalfLife?: Numeric;
    radionuclidePositronFraction?: Numeric;
  };
}
/** Factors of rescaled values, where they are certain: to SUV (PET), to dose (RT dose). */
export interface ScalingModule {
  /** In g/ml. */
  suvbw?: number;
  /** By lean body mass (James), in g/ml. */
  suvlbm?: number;
  /** By body surface (Du Bois), in cm2/ml. */
  suvbsa?: number;
  doseGridScaling?: number;
  doseUnits?: Text;
  doseType?: Text;
  doseSummationType?: Text;
}
/** Real World Value Mappings (PS3.3 C.7.6.16.2.11): a line or a table each. */
export interface RealWorldValueMappingModule {
  realWorldValueMappingSequence?: {
    realWorldValueFirstValueMapped?: Numeric;
    realWorldValueLastValueMapped?: Numeric;
    doubleFloatRealWorldValueFirstValueMapped?: Numeric;
    doubleFloatRealWorldValueLastValueMapped?: Numeric;
    realWorldValueSlope?: Numeric;
    realWorldValueIntercept?: Numeric;
    lutExplanation?: Text;
    lutLabel?: Text;
    realWorldValueLUTData?: Float64Array;
    measurementUnits?: Code;
  }[];
}

/** The spacing of a projection in the plane of what is measured, and what it is worth. */
export interface CalibratedPixelSpacing {
  rowPixelSpacing?: number;
  columnPixelSpacing?: number;
  type?: 'Calibrated' | 'ERMF' | 'Proj' | 'Unknown' | (string & {});
}
/** Calibrated regions of an ultrasound image (PS3.3 C.8.5.5). */
export interface UltrasoundRegions {
  sequenceOfUltrasoundRegions?: {
    regionSpatialFormat?: Numeric;
    regionDataType?: Numeric;
    regionFlags?: Numeric;
    regionLocationMinX0?: Numeric;
    regionLocationMinY0?: Numeric;
    regionLocationMaxX1?: Numeric;
    regionLocationMaxY1?: Numeric;
    referencePixelX0?: Numeric;
    referencePixelY0?: Numeric;
    physicalUnitsXDirection?: Numeric;
    physicalUnitsYDirection?: Numeric;
    referencePixelPhysicalValueX?: Numeric;
    referencePixelPhysicalValueY?: Numeric;
    physicalDeltaX?: Numeric;
    physicalDeltaY?: Numeric;
    transducerFrequency?: Numeric;
  }[];
}
/** Of a projection (PS3.3 C.8.7.5, C.8.19.6). */
export interface XrayGeometryModule {
  distanceSourceToDetector?: Numeric;
  distanceSourceToPatient?: Numeric;
  distanceSourceToEntrance?: Numeric;
  distanceSourceToIsocenter?: Numeric;
  estimatedRadiographicMagnificationFactor?: Numeric;
  imagerPixelSpacing?: Numeric;
  pixelSpacingCalibrationType?: Text;
  pixelSpacingCalibrationDescription?: Text;
  positionerMotion?: Text;
  tableMotion?: Text;
  pixelIntensityRelationship?: Text;
  pixelIntensityRelationshipSign?: Numeric;
  positionerIsocenterPrimaryAngle?: Numeric;
  positionerIsocenterSecondaryAngle?: Numeric;
  positionerIsocenterDetectorRotationAngle?: Numeric;
  tableXPositionToIsocenter?: Numeric;
  tableYPositionToIsocenter?: Numeric;
  tableZPositionToIsocenter?: Numeric;
  tableHorizontalRotationAngle?: Numeric;
  tableHeadTiltAngle?: Numeric;
  tableCradleTiltAngle?: Numeric;
  positionerPrimaryAngle?: Numeric;
  positionerSecondaryAngle?: Numeric;
  positionerPrimaryAngleIncrement?: Numeric;
  positionerSecondaryAngleIncrement?: Numeric;
  distanceObjectToTableTop?: Numeric;
  objectPixelSpacingInCenterOfBeam?: Numeric;
  tableHeight?: Numeric;
  beamAngle?: Numeric;
}

/** The segment of a frame, and what its values mean (PS3.3 C.8.20). */
export interface SegmentModule {
  segmentationType?: Text;
  segmentationFractionalType?: Text;
  maximumFractionalValue?: Numeric;
  segmentsOverlap?: Text;
  segmentNumber?: Numeric;
  segmentLabel?: Text;
  segmentDescription?: Text;
  segmentAlgorithmType?: Text;
  segmentAlgorithmName?: Text;
  trackingID?: Text;
  trackingUID?: Text;
  recommendedDisplayCIELabValue?: Numeric;
  recommendedDisplayGrayscaleValue?: Numeric;
  segmentedPropertyCategory?: Code;
  segmentedPropertyType?: Code;
  sourceImages?: { referencedSOPClassUID?: Text; referencedSOPInstanceUID?: Text; referencedFrameNumber?: Numeric }[];
}
/** The place of a tile of a whole-slide image (PS3.3 C.8.12): rows and columns from 1, z in micrometres. */
export interface SlidePlaneModule {
  totalPixelMatrixRows?: Numeric;
  totalPixelMatrixColumns?: Numeric;
  totalPixelMatrixFocalPlanes?: Numeric;
  dimensionOrganizationType?: Text;
  imageOrientationSlide?: Numeric;
  imagedVolumeWidth?: Numeric;
  imagedVolumeHeight?: Numeric;
  imagedVolumeDepth?: Numeric;
  rowPositionInTotalImagePixelMatrix?: Numeric;
  columnPositionInTotalImagePixelMatrix?: Numeric;
  xOffsetInSlideCoordinateSystem?: Numeric;
  yOffsetInSlideCoordinateSystem?: Numeric;
  zOffsetInSlideCoordinateSystem?: Numeric;
  opticalPathIdentifier?: Text;
  opticalPathDescription?: Text;
}
/** The place of a frame in an ultrasound volume (PS3.3 C.8.24). */
export interface VolumePlaneModule {
  imagePositionVolume?: Numeric;
  imageOrientationVolume?: Numeric;
  dataType?: Text;
  volumeFrameOfReferenceUID?: Text;
  tableFrameOfReferenceUID?: Text;
  ultrasoundAcquisitionGeometry?: Text;
  apexPosition?: Numeric;
  volumeToTransducerMappingMatrix?: Numeric;
  volumeToTableMappingMatrix?: Numeric;
}
/** The numbers of a frame of nuclear medicine (PS3.3 C.8.4.8), by the vectors that it increments. */
export interface NmFrameModule {
  angularViewNumber?: number;
  detectorNumber?: number;
  energyWindowNumber?: number;
  phaseNumber?: number;
  rrIntervalNumber?: number;
  rotationNumber?: number;
  sliceNumber?: number;
  timeSliceNumber?: number;
  timeSlotNumber?: number;
  frameIncrementPointer?: string[];
}
/** Of the frame's own detector (PS3.3 C.8.4.11). */
export interface NmMultiframeGeometryModule {
  modality?: Text;
  imageType?: (string | null)[];
  imageSubType?: string;
  imageOrientationPatient?: number[];
  imagePositionPatient?: number[];
  sliceThickness?: number;
  spacingBetweenSlices?: number;
  pixelSpacing?: number[];
  numberOfFrames?: number;
  isNMReconstructable?: boolean;
  collimatorGridName?: Text;
  collimatorType?: Text;
  startAngle?: Numeric;
  radialPosition?: Numeric;
  zoomFactor?: Numeric;
}

/** Overlay planes of a frame (PS3.3 C.9.2). */
export interface OverlayPlaneModule {
  overlays?: {
    rows: number;
    columns: number;
    /** Of the first pixel of the overlay, from 1: its column. */
    x: number;
    /** Its row. */
    y: number;
    /** 0 or 1 for each pixel. */
    pixelData: Uint8Array;
    type?: Text;
    subtype?: Text;
    label?: Text;
    description?: Text;
    roiArea?: Numeric;
    roiMean?: Numeric;
    roiStandardDeviation?: Numeric;
  }[];
  /** Those in bits of pixels that were not decoded. */
  embedded?: { group: number; overlayBitPosition: number }[];
}
/** Palettes as the file has them; the pixels are RGB already. */
export interface PaletteColorLookupTableModule {
  redPaletteColorLookupTableDescriptor?: number[];
  greenPaletteColorLookupTableDescriptor?: number[];
  bluePaletteColorLookupTableDescriptor?: number[];
  alphaPaletteColorLookupTableDescriptor?: number[];
  redPaletteColorLookupTableData?: Uint16Array;
  greenPaletteColorLookupTableData?: Uint16Array;
  bluePaletteColorLookupTableData?: Uint16Array;
  alphaPaletteColorLookupTableData?: Uint16Array;
  segmentedRedPaletteColorLookupTableData?: Uint16Array;
  segmentedGreenPaletteColorLookupTableData?: Uint16Array;
  segmentedBluePaletteColorLookupTableData?: Uint16Array;
  segmentedAlphaPaletteColorLookupTableData?: Uint16Array;
  paletteColorLookupTableUID?: Text;
}
/** Colours are not converted by it. */
export interface IccProfileModule {
  iccProfile?: Uint8Array;
  colorSpace?: Text;
}
/** The first multiplex group of waveforms (PS3.3 C.10.9). */
export interface EcgModule {
  numberOfWaveformChannels?: Numeric;
  numberOfWaveformSamples?: Numeric;
  samplingFrequency?: Numeric;
  waveformBitsAllocated?: Numeric;
  waveformSampleInterpretation?: Text;
  multiplexGroupLabel?: Text;
  multiplexGroupTimeOffset?: Numeric;
  numberOfMultiplexGroups?: number;
  channelDefinitionSequence?: {
    channelLabel?: Text;
    channelSensitivity?: Numeric;
    channelSensitivityCorrectionFactor?: Numeric;
    channelBaseline?: Numeric;
    waveformBitsStored?: Numeric;
    filterLowFrequency?: Numeric;
    filterHighFrequency?: Numeric;
    notchFilterFrequency?: Numeric;
    channelSourceSequence?: Code;
    channelSensitivityUnits?: Code;
  }[];
  /** The stored samples of each channel. */
  waveformData?: PixelArray[];
}

/** Modules by name; each frame has its own. What an image does not have is absent. */
export interface Modules extends LoaderModules {
  calibratedPixelSpacing?: CalibratedPixelSpacing;
  calibrationModule?: UltrasoundRegions;
  cineModule?: CineModule;
  clinicalTrialModule?: ClinicalTrialModule;
  ecgModule?: EcgModule;
  frameContentModule?: FrameContentModule;
  frameOfReferenceModule?: FrameOfReferenceModule;
  generalEquipmentModule?: GeneralEquipmentModule;
  generalImageModule?: GeneralImageModule;
  generalSeriesModule?: GeneralSeriesModule;
  generalStudyModule?: GeneralStudyModule;
  iccProfileModule?: IccProfileModule;
  imagePixelModule?: ImagePixelModule;
  imagePlaneModule?: ImagePlaneModule;
  modalityLutModule?: ModalityLutModule;
  multiframeModule?: MultiframeModule;
  nmFrameModule?: NmFrameModule;
  nmMultiframeGeometryModule?: NmMultiframeGeometryModule;
  overlayPlaneModule?: OverlayPlaneModule;
  paletteColorLookupTableModule?: PaletteColorLookupTableModule;
  patientModule?: PatientModule;
  patientStudyModule?: PatientStudyModule;
  petImageModule?: PetImageModule;
  petIsotopeModule?: PetIsotopeModule;
  petSeriesModule?: PetSeriesModule;
  realWorldValueMappingModule?: RealWorldValueMappingModule;
  scalingModule?: ScalingModule;
  segmentModule?: SegmentModule;
  slidePlaneModule?: SlidePlaneModule;
  sopCommonModule?: SopCommonModule;
  transferSyntax?: TransferSyntax;
  ultrasoundEnhancedRegionModule?: UltrasoundRegions;
  voiLutModule?: VoiLutModule;
  volumePlaneModule?: VolumePlaneModule;
  xrayGeometryModule?: XrayGeometryModule;
}
export type ModuleName = keyof Modules;

/** Additions of `metaData` to modules, under the names that viewers read. */
export interface ViewerFields {
  ecgModule: { waveformData: { retrieveBulkData(): Promise<PixelArray[] | undefined> } };
  /** Of Cornerstone3D, which reads all fields: true when some are defaults, and nothing is to be measured by them. */
  imagePlaneModule: { usingDefaultValues?: boolean };
  modalityLutModule: { modalityLUTSequence?: LookupTable[] };
  multiframeModule: {
    NumberOfFrames: number;
    PerFrameFunctionalInformation?: Record<string, any>;
    SharedFunctionalInformation?: Record<string, any>;
  };
  patientModule: { patientId?: Text };
  scalingModule: { DoseGridScaling?: number; DoseSummation?: Text; DoseType?: Text; DoseUnit?: Text };
  voiLutModule: { voiLUTSequence?: LookupTable[] };
}
/** A module as `metaData` answers it. */
export type Answer<Name extends ModuleName> = Name extends keyof ViewerFields
  ? Omit<NonNullable<Modules[Name]>, keyof ViewerFields[Name]> & ViewerFields[Name]
  : NonNullable<Modules[Name]>;

/** The load object of viewers. */
export interface LoadObject<Loaded = Image> {
  promise: Promise<Loaded>;
  /** Cancels; idempotent, harmless after the end. */
  cancelFn(): void;
  cancel(): void;
  /** Lets go of the parsed file when no other image of it is held. */
  decache(): void;
}

/** Attributes to match, by DICOM keyword in any case: `{patientName: 'A*', studyDate: '20040101-20041231'}`. */
export type Filters = Record<string, string | number | string[]>;
export interface SearchOptions {
  limit?: number;
  offset?: number;
  signal?: AbortSignal;
  /** Further parameters of QIDO-RS, such as `fuzzymatching` or `includefield`. */
  [parameter: string]: unknown;
}
/** Attributes as plain values by keyword in camelCase, such as `studyInstanceUID` or `modalitiesInStudy`. */
export type Found = Record<string, any>;

export interface DicomWeb {
  readonly base: string;
  searchStudies(filters?: Filters, options?: SearchOptions): Promise<Found[]>;
  /** Of one study, or of all. */
  searchSeries(studyInstanceUID?: string, filters?: Filters, options?: SearchOptions): Promise<Found[]>;
  searchInstances(
    studyInstanceUID?: string,
    seriesInstanceUID?: string,
    filters?: Filters,
    options?: SearchOptions,
  ): Promise<Found[]>;
  /** The images of a series, sorted by position, every frame; their metadata are fetched on the way. */
  imageIds(studyInstanceUID: string, seriesInstanceUID: string, options?: { signal?: AbortSignal }): Promise<string[]>;
}

/**
 * Files of the user: one, several (of `<input type="file">`, also with `webkitdirectory`), or what
 * was dropped, with its folders. A drop's DataTransfer has to be given within the event.
 */
export type Files = Blob | FileList | Iterable<Blob> | DataTransfer;

/** The images of one series; what the first of its files says of patient, study and series is absent where it says nothing. */
export interface Series {
  /** Every frame, in order: that of the DICOMDIR, else by position. */
  imageIds: string[];
  /** Files that a DICOMDIR names and that are not there. */
  missing: string[];
  patientName?: string;
  patientID?: string;
  studyInstanceUID?: string;
  /** As DICOM writes it: `20040119`. */
  studyDate?: string;
  studyTime?: string;
  studyDescription?: string;
  seriesInstanceUID?: string;
  seriesNumber?: number;
  seriesDescription?: string;
  modality?: string;
}

/** Beside `onProgress` of a load: files that have been looked at. */
export interface ListOptions extends LoaderOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { loaded: number; total?: number; percentComplete?: number }) => void;
  /** Lower is sooner, within a request type. */
  priority?: number;
  requestType?: RequestType;
  /** Milliseconds, in place of `init({timeout})`. */
  timeout?: number;
}

/** A loader in JavaScript, of any viewer. */
export type ImageLoader = (
  imageId: string,
  options?: any,
) => { promise: Promise<any>; cancelFn?: () => void; decache?: () => void };

/** Stable words for programs: the README has a table of them. */
export type ErrorCode =
  | 'boot'
  | 'decode'
  | 'format'
  | 'http-status'
  | 'image-id'
  | 'internal'
  | 'loader'
  | 'network'
  | 'package'
  | 'request'
  | 'timeout'
  | 'unknown-scheme'
  | 'unsupported'
  | 'viewer'
  | 'worker';
/** The part of a load that failed. */
export type ErrorStage = 'boot' | 'worker' | 'dispatch' | 'fetch' | 'parse' | 'decode' | 'loader';

/** Legacy cornerstone-core, as `use` takes it. */
export interface LegacyCornerstone {
  registerImageLoader(scheme: string, loader: any): unknown;
  readonly metaData: MetaDataProviders;
  readonly events: unknown;
}
/** @cornerstonejs/core, as `use` takes it. */
export interface Cornerstone3D {
  readonly imageLoader: { registerImageLoader(scheme: string, loader: any): unknown };
  readonly metaData: MetaDataProviders;
  readonly eventTarget: unknown;
}
export interface MetaDataProviders {
  addProvider(provider: any, priority?: number): unknown;
  removeProvider(provider: any): unknown;
  get: (type: string, ...queries: any[]) => any;
}

/** The error of every failed load; a cancelled one rejects with a DOMException named AbortError. */
export class PyLoaderError extends Error {
  /** The secrets of an address in it are replaced by `***`. */
  constructor(fields: {
    message: string;
    /** The `kind`. */
    name?: string;
    code?: ErrorCode;
    stage?: ErrorStage;
    imageId?: string;
    url?: string;
    status?: number;
    traceback?: string;
  });
  readonly name: 'PyLoaderError';
  /** Python's name of it, such as `FormatError`. */
  readonly kind: string;
  readonly code: ErrorCode;
  readonly stage: ErrorStage;
  readonly imageId?: string;
  readonly url?: string;
  readonly status?: number;
  /** Python's traceback, when a page's own Python loader failed. */
  readonly traceback?: string;
  /** Itself: legacy viewers read `{error}` of a rejection. */
  readonly error: this;
}

/**
 * The `detail` of each event, by its name. `url` and `imageId` have `***` in place of the user,
 * password, tokens and signatures of an address, as errors have.
 */
export interface EventDetails {
  bootprogress: BootProgress;
  /** A file of a Python package, in bytes, from each worker that installs it. */
  packageprogress: { file: string; loaded: number; total?: number; percentComplete?: number };
  ready: Stats;
  imageloadstart: { url: string; imageId: string; attempt: number };
  imageloadprogress: LoadProgress;
  imageloadend: { url: string; imageId: string; attempt: number };
  /** Of a loader in JavaScript, what that one loads. */
  imageloaded: { image: Image };
  /** A cancelled load fails with a DOMException named AbortError. */
  imageloadfailed: { imageId: string; error: PyLoaderError | DOMException | Error };
  /** A line that Python prints, and the `name` of the file that does. */
  print: { level: 'info' | 'warn' | 'error'; name: string; text: string };
}
export type EventName = keyof EventDetails;
export type EventListenerOf<Name extends EventName> =
  | ((event: CustomEvent<EventDetails[Name]>) => void)
  | { handleEvent(event: CustomEvent<EventDetails[Name]>): void };

/** An EventTarget of the page's events. */
export interface Events extends EventTarget {
  addEventListener<Name extends EventName>(
    type: Name,
    listener: EventListenerOf<Name> | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Name extends EventName>(
    type: Name,
    listener: EventListenerOf<Name> | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** Progress of the start, in percent as `loaded` of `total`. */
export interface BootProgress {
  /** `extra` is the stage of `packages`, whose size is not known before. */
  stage: 'runtime' | 'packages' | 'extra' | 'ready';
  loaded: number;
  total: number;
  percentComplete: number;
}

/** The start of a worker; times in milliseconds, `start` since 1970. */
export interface BootReport {
  /** From a snapshot of memory, in which everything is imported already, or step by step. */
  kind: 'snapshot' | 'cold';
  /** The reason for no snapshot. */
  reason?: string;
  marks: { name: string; start: number; duration: number }[];
  /** Files that it fetched: `bytes` as they came, `transferred` over the network, 0 from a cache. */
  assets: { name: string; start: number; duration: number; bytes: number; transferred: number }[];
}

export interface Stats {
  /** Of pyloader; see `version`. */
  version: string;
  workers: { state: 'booting' | 'ready' | 'ended'; running: number; bootMilliseconds: number; boot?: BootReport }[];
  queued: number;
  deaths: number;
  loading: number;
  loaded: number;
  failed: number;
  cancelled: number;
  cache: { images: number; bytes: number; maximumBytes: number };
  assetsURL: string;
  /** Faults in how the page is served, each with what to do; looked for some seconds after `ready`. */
  warnings: string[];
}

/**
 * Start Python, or have it go on with what is new. Called again, also by a page whose first load has
 * called it, options take effect from then on, in all workers; those that are not given stay as they
 * are. `workers`, `assetsURL`, `packages` and `packageIndexes` cannot change once Python has started,
 * until `terminate()`: another value rejects, and then nothing has changed.
 *
 * Loads that begin after other `headers`, `credentials` or another `beforeRequest` were given share
 * nothing with those under way. Of these, a request that is then refused (401, 403) is sent again. What
 * was loaded already stays: when another user signs in, call `purge()`.
 *
 * Rejects with code `boot` when an option cannot be what it is, or Python cannot start; so do all
 * loads then, until `init` is called in another way, or the next load finds what was missing.
 */
export function init(options?: InitOptions): Promise<void>;
/** The version of this script, and of the Python package in the workers. */
export const version: string;
/** Settles with the first `init`; rejects with the boot error. */
export let ready: Promise<void>;
/**
 * Load one image, not cached. Frames count from 1: `wadouri:https://host/us.dcm?frame=3`. The parsed
 * file stays in its worker for its other frames, up to `limits.sourceBytes`; `purge` lets go of it.
 */
export function loadImage(imageId: string, options?: LoadOptions): Promise<Image>;
/** Load one image, or take it from `cache`, if it is there as the options want it. One in the caller's `targetBuffer` is not kept. */
export function loadAndCacheImage(imageId: string, options?: LoadOptions): Promise<Image>;
/** Read what describes an image, without decoding it; `metaData` answers from then on. */
export function loadMetadata(imageId: string, options?: LoadOptions): Promise<Modules>;
/**
 * The imageIds of all images of a source: frames of a file, slices of a volume
 * (`nifti:/brain.nii.gz`, `nifti:/brain.nii.gz#x,t-0`), pages of a TIFF, images of a zip archive
 * (`wadouri:/study.zip`, whose files are `wadouri:/study.zip#member=a/b.dcm?frame=2`) and those that
 * a DICOMDIR names (`wadouri:/disc/DICOMDIR`). Or of files of the user: DICOM files, archives, the
 * folder of a disc. The images of `series`, one after the other.
 */
export function imageIds(source: string | Files | null, options?: ListOptions): Promise<string[]>;
/**
 * The images of a source, or of files, by series, in the order of the DICOMDIR if there is one,
 * else by patient, study date, series number and position. Headers are read by the workers, from slices
 * of the files; what is no image is left out. A DICOM file that cannot be read is in the list: its
 * load says why.
 */
export function series(source: string | Files | null, options?: ListOptions): Promise<Series[]>;
/** The loader to register with a viewer by hand: `cornerstone.registerImageLoader('custom1', pyloader.imageLoader)`. */
export function imageLoader<Loaded = Image, Options = LoadOptions>(
  imageId: string,
  options?: string extends keyof Options ? Options : LoadOptions,
): LoadObject<Loaded>;
/** Register a JavaScript loader for a scheme (`'custom1'`, without a colon), beside the Python ones. */
export function registerImageLoader(scheme: string, loader: ImageLoader): void;
/** Register the loader for schemes that nobody serves, or none; returns the one before. */
export function registerUnknownImageLoader(loader: ImageLoader | undefined): ImageLoader | undefined;
/**
 * Run a Python file and return the schemes that it registered. The same `name` again takes their
 * place, without starting Python anew, and forgets what was cached.
 *
 * `packages` are as those of `init` (in a script tag: `data-packages`, separated by spaces or commas).
 * Packages of dist/pyodide/ that the file imports are installed by themselves. `requests` and
 * `urllib.request` work as usual: they ask the browser and wait, which may hold up all that their
 * worker does; they go past `headers`, `beforeRequest`, retries and cancelling, which `context.fetch` has.
 * With `workers: 0` they hold up the page, and where browsers give it only text, a body that begins
 * with a byte order mark is an error.
 */
export function loadPython(options: {
  url?: string;
  source?: string;
  name?: string;
  packages?: string[];
}): Promise<string[]>;
/**
 * Connect a viewer, legacy cornerstone-core or @cornerstonejs/core: every scheme, or `schemes` alone,
 * metadata (at `priority` among the viewer's providers, default 100) and events. Where pyloader would
 * answer with defaults (a plane without place or spacing, no series, no window), what the page's own
 * providers know counts more, whatever their priority. `displayValues` is
 * that of each load; `instances` gives whole instances of `addMetadata` to Cornerstone3D's
 * metadata package (its `addDicomWebInstance`), which takes time.
 *
 * `dicomfile:` is left to the viewer, whose local files have such imageIds; name it in `schemes` to serve
 * `dicomfile:<random>-N` for `localfile:<random>-N` of `addFile`. Returns a function that disconnects, with the list of the
 * `schemes` that pyloader has taken over, those of later Python files too.
 */
export function use(
  cornerstone: LegacyCornerstone | Cornerstone3D,
  options?: { priority?: number; schemes?: string[]; displayValues?: boolean; instances?: boolean },
): (() => void) & { readonly schemes: string[] };
/**
 * A module of an image that is loaded, or whose metadata were added; synchronous, as viewers' providers
 * are. It is one: `metaData.addProvider(pyloader.metaData)`.
 */
export function metaData<Name extends string>(
  type: string extends Name ? Name : ModuleName,
  imageId: string,
): Name extends ModuleName ? Answer<Name> | undefined : any;
/** Read the headers of images, or take DICOM JSON by imageId, so that `metaData` answers before they are loaded. */
export function addMetadata(sources: string[] | Record<string, object>): Promise<void>;
/**
 * A DICOMweb service: its searches, and its series as imageIds.
 * Its origin is named by it: see `origins`. `headers` are sent with requests below `base`, and nowhere else
 * on that origin; `wadoURI` is the service that stands in where
 * WADO-RS fails, by default the sibling `wado` of `base`.
 */
export function dicomweb(
  base: string | URL,
  options?: { headers?: Record<string, string>; wadoURI?: string },
): DicomWeb;
/**
 * Give one file to load; returns its imageId, `localfile:<random>-N`, which no other page has and which is never used
 * again. Of other formats the scheme precedes it: `nifti:${addFile(file)}`. Anything else than a file, such as a
 * FileList, throws: `series(files)` takes many.
 */
export function addFile(file: Blob | ArrayBuffer | ArrayBufferView): string;
/** Let go of a file, and of all that was made of it: further loads of it are refused. */
export function removeFile(imageId: string): void;
/** Everything that happens, to listen to: see `EventDetails`. */
export const events: Events;
/** The images of `loadAndCacheImage`: least recently used go first when `maximumBytes` is reached. */
export const cache: {
  maximumBytes: number;
  readonly bytes: number;
  readonly size: number;
  get(imageId: string): Image | undefined;
  delete(imageId: string): boolean;
  clear(): void;
};
export function stats(): Stats;
/** Forget cached images, metadata and parsed files; Python stays. */
export function purge(): Promise<unknown> | undefined;
/** End the workers; the next load starts anew. */
export function terminate(): void;

export as namespace pyloader;
