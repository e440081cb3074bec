// The public API of pyloader: the names of `globalThis.pyloader` (pyloader.js) and of pyloader.mjs.

/**
 * Further load options of the page's own loaders. Declare them to TypeScript with
 * `declare module 'pyloader' { interface LoaderOptions { threshold?: number } }`. A Python loader gets
 * plain values as `context.options`.
 */
export interface LoaderOptions {}

/**
 * Metadata modules of the page's own loaders. Declare them to TypeScript with
 * `declare module 'pyloader' { interface LoaderModules { dosePlanModule?: { planName?: string } } }`.
 */
export interface LoaderModules {}

/**
 * Options of `init`. All have defaults; if the page does not call `init()`, the first load does.
 * `undefined` leaves an option unchanged, `null` sets its default. For an unknown name the console shows
 * a warning that suggests the most similar option.
 */
export interface InitOptions {
  /**
   * Folder with worker.mjs and pyodide/. The default is the folder of the script itself, which is wrong for
   * a script that was bundled.
   */
  assetsURL?: string;
  /**
   * Number of workers; default `'auto'`: as many as the processor's cores allow, started on demand and ended
   * when idle. With 0, Python runs on the page itself.
   */
  workers?: number | 'auto';
  /**
   * Python packages to install at start, with their dependencies: names (`'pynrrd'`), names with versions
   * (`'pynrrd>=1.1'`, PEP 508), or URLs of wheels, relative to the page
   * (`'wheels/mine-1.0-py3-none-any.whl'`). Names are looked up in dist/pyodide/ first, then in
   * `packageIndexes`. Only pure Python wheels and wheels built for Pyodide work. Packages in dist/pyodide/
   * that a loader imports need not be listed. Like scripts, wheels are fetched without `headers` and
   * `beforeRequest`. If a package cannot be installed, `init` rejects with a `PyLoaderError` of code
   * `package`, and the next load works.
   */
  packages?: string[];
  /**
   * Package indexes (PEP 503, PEP 691) that Python packages may come from. The default `[]` fetches packages
   * only from the servers of the page and of dist/. Example: `['https://packages.example/simple']`. URLs of
   * wheels may then also be on these servers; an index itself may link to files elsewhere.
   */
  packageIndexes?: string[];
  /**
   * Headers of every request to the page's own origin and to the origins that `origins` and `dicomweb` name;
   * no other origin gets them. Headers given later replace all earlier ones.
   */
  headers?: Record<string, string> | Headers | null;
  /**
   * Called before every request to the page's own origin or a named one, including each retry and each
   * redirect. It may change the request, or return another.
   */
  beforeRequest?: ((request: OutgoingRequest) => OutgoingRequest | void | Promise<OutgoingRequest | void>) | null;
  /**
   * Called when the page's own origin, or a named one, responds with 401: once for all requests that get
   * this response. It may let the user sign in.
   * Headers that it returns are sent with every later request to that origin. `true` retries without new
   * headers (`beforeRequest` supplies the new token); anything else gives up.
   */
  onUnauthorized?:
    | ((details: { url: string; origin: string; status: number }) => UnauthorizedAnswer | Promise<UnauthorizedAnswer>)
    | null;
  /** `'include'` also sends cookies to the other named origins; default `'same-origin'`. */
  credentials?: RequestCredentials;
  /**
   * Other origins that may get the page's secrets: `headers`, whatever the hooks add, and cookies. Name them
   * by any of their addresses (`['https://pacs.example']`); only the origin of each address counts. The page's
   * own origin and those of `dicomweb(base)` are always named. Requests to any other origin carry no secrets.
   */
  origins?: (string | URL)[] | null;
  /**
   * Policy for an address on another origin that a server's response names, such as a BulkDataURI. By
   * default it is requested without any secret, even if its origin is named; `'refuse'` does not request it.
   */
  linkedOrigins?: 'without-secrets' | 'refuse' | null;
  /** Idle timeout of a load in milliseconds: the longest time without progress or a response; default 60 000. */
  timeout?: number;
  /**
   * Idle timeout of a request in milliseconds: the longest time without a byte before it is retried; default
   * 30 000, 0 for no limit.
   */
  requestTimeout?: number;
  /** Number of retries after no response, or after status 408, 429, 502, 503 or 504; default 2. */
  retries?: number;
  limits?: {
    /** Concurrent loads of one worker; default 8. */
    loadsPerWorker?: number;
    /** Concurrent requests to one origin, from all workers together; default 8. */
    requestsPerOrigin?: number;
    /** Bytes of parsed files that one worker caches; default 256 MiB. */
    sourceBytes?: number;
    /**
     * Most bytes of one decoded image or volume, and of one response body; default 1 GiB. Anything larger is
     * refused before it takes that memory.
     */
    decodedBytes?: number;
    /**
     * Most bytes of WebAssembly memory of an idle worker; default 1 GiB. An idle worker with more is replaced,
     * since such memory never shrinks.
     */
    heapBytes?: number;
  };
  /** Bytes of images that `loadAndCacheImage` caches; default 1 GiB. */
  cacheBytes?: number;
}

export type UnauthorizedAnswer = Record<string, string> | boolean | void;

export interface OutgoingRequest {
  url: string;
  /** Origin of `url` before the hook ran: check it before you add a token. */
  readonly origin: string;
  headers: Record<string, string>;
  credentials: RequestCredentials;
}

/**
 * Urgency of a load, the most urgent first. Of waiting loads with `interaction` the newest goes first, as when a user
 * scrolls. Loads without a type come right after them. All other loads of one type go in the order of their calls.
 */
export type RequestType = 'interaction' | 'thumbnail' | 'prefetch' | 'compute';

export interface LoadOptions extends LoaderOptions {
  /** Aborting it cancels the load. */
  signal?: AbortSignal;
  /** Called as bytes arrive; not for the body of an error response (404, 503). */
  onProgress?: (progress: LoadProgress) => void;
  /** Lower loads sooner, within a request type. */
  priority?: number;
  requestType?: RequestType;
  /** Idle timeout in milliseconds, instead of `init({timeout})`. */
  timeout?: number;
  /**
   * Apply the modality LUT: rescale slope and intercept, or its table, except a table that is not for
   * display. This is the default in Cornerstone3D. `scalingParameters: { modality: 'PT', suvbw }` (or
   * `'RTDOSE'`, `doseGridScaling`) also multiplies by that factor; Cornerstone3D gets SUV and dose by default.
   */
  preScale?: boolean | { enabled?: boolean; scalingParameters?: ScalingParameters };
  /** Deliver colour as RGBA (default without a viewer) or as RGB. */
  useRGBA?: boolean;
  /**
   * Deliver values from 0 to 255 as DICOM displays them: after the modality LUT, the VOI table or window, and
   * MONOCHROME1. For viewers that lack one of these steps. Such values are not measurements.
   */
  displayValues?: boolean;
  /**
   * Type and size of the pixel array. Without a viewer, the array has another type if a value would overflow.
   * With a viewer, or with an `arrayBuffer` to put the pixels into, such values are clamped to the range of
   * the type, and `warnings` says so.
   */
  targetBuffer?: {
    type?: PixelArrayName | 'Uint8ClampedArray';
    rows?: number;
    columns?: number;
    arrayBuffer?: ArrayBufferLike;
    offset?: number;
    length?: number;
  };
  /** WADO-URI service that replaces WADO-RS where that fails, for `wadors:` images; see `dicomweb`. */
  wadoURI?: string;
}

export interface LoadProgress {
  url: string;
  imageId: string;
  loaded: number;
  /** Absent when the server does not send it. */
  total?: number;
  percentComplete?: number;
  /** Number of this attempt, from 1. */
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

/** Factors for stored values, besides slope and intercept. */
export interface ScalingParameters {
  modality?: string;
  rescaleSlope?: number;
  rescaleIntercept?: number;
  /** Factor to SUV by body weight, in g/ml, for `modality: 'PT'`. */
  suvbw?: number;
  suvlbm?: number;
  suvbsa?: number;
  /** Factor to dose, for `modality: 'RTDOSE'`. */
  doseGridScaling?: number;
}

export interface LookupTable {
  /** Identifier of the table, for viewers that cache tables. */
  id: string;
  firstValueMapped: number;
  numBitsPerEntry: number;
  lut: Uint16Array;
  explanation?: string;
}

/**
 * A loaded image: a plain object with the fields that viewers read. Grey values are stored values unless
 * `preScale.scaled` is true.
 */
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
  /** Minimum of the pixels without padding; in legacy cornerstone-core of all pixels, since its tables end there. */
  minPixelValue: number;
  /** Maximum, of the same pixels. */
  maxPixelValue: number;
  /** First and last padding value, both included, if any pixel is padding (Pixel Padding Value). */
  paddingRange?: [number, number];
  /** Modality value = stored value * slope + intercept. */
  slope: number;
  intercept: number;
  /**
   * The first window, in modality units; absent when the image has none. Viewers then get a window from the
   * smallest to the largest value, without padding, which they do not know about.
   */
  windowCenter?: number;
  windowWidth?: number;
  /** All valid windows. */
  windows?: { center: number; width: number; explanation?: string }[];
  voiLUTFunction?: VOILUTFunction;
  /** The first VOI table. Legacy cornerstone-core applies it, Cornerstone3D does not: see `displayValues`. */
  voiLUT?: LookupTable;
  /** The modality LUT if it is a table, without a viewer; with a viewer, the pixels have its values. */
  modalityLUT?: LookupTable;
  /** Factors for rescaled values, if they are certain: to SUV (PET), to dose (RT dose). */
  scaling?: ScalingModule;
  /** ICC profile of the stored colours, which are not converted. */
  iccProfile?: Uint8Array;
  /**
   * Spacing between rows, in millimetres. A viewer stretches the picture by this and `columnPixelSpacing`. If
   * the image has no spacing, a viewer gets that of the scanned film (Nominal Scanned Pixel Spacing), or
   * else just the proportions of a pixel (Pixel Aspect Ratio).
   */
  rowPixelSpacing?: number;
  columnPixelSpacing?: number;
  sliceThickness?: number;
  FrameOfReferenceUID?: string;
  getPixelData(): PixelArray;
  /** The exact values, if they are not integers and the viewer needs integers. */
  floatPixelData?: PixelArray;
  dataType: PixelArrayName;
  sizeInBytes: number;
  /** Image Pixel module of the delivered pixels, together with them. */
  imageFrame: ImagePixelModule & { pixelData: PixelArray };
  preScale: { enabled: boolean; scaled: boolean; scalingParameters?: ScalingParameters };
  imageQualityStatus: number;
  transferSyntaxUID?: string;
  lossyImageCompression?: boolean;
  /** Description that a compressed frame's codestream gives of itself, which may contradict the file's header. */
  codestream?: {
    transferSyntaxUID: string;
    rows: number;
    columns: number;
    samplesPerPixel: number;
    bits?: number;
    isSigned?: boolean;
    photometricInterpretation: string;
  };
  /** Contradictions in the file and how they were resolved, one sentence each. */
  warnings: string[];
  loadTimeInMS: number;
  decodeTimeInMS: number;
  totalTimeInMS: number;
}

// ------------------------------------------------------------------ modules
// Attributes have their DICOM keyword in camelCase (PS3.6), and are absent if the image has none.
// Dates and times are strings as DICOM writes them (`20040119`); distances are in millimetres, angles in
// degrees. A single-valued attribute of DICOM is a list if the file has several values.

/** Interpretation of the delivered pixels: colour that was stored as YBR or with a palette is RGB. */
export type PhotometricInterpretation = 'MONOCHROME1' | 'MONOCHROME2' | 'RGB' | (string & {});
export type VOILUTFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
/** One string, or a list if the file has several values; null stands for an empty one. */
export type Text = string | (string | null)[];
/** One number, or a list if the file has several values; null stands for an empty one. */
export type Numeric = number | (number | null)[];

/** A lookup table as stored in the file (PS3.3 C.11.1.1, C.11.2.1.1). */
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

/** Image Pixel (PS3.3 C.7.6.3): the layout and meaning of the samples. */
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
  /** Height and width of a pixel, as a ratio. */
  pixelAspectRatio?: number[];
  smallestPixelValue?: number;
  largestPixelValue?: number;
  pixelPaddingValue?: number;
  pixelPaddingRangeLimit?: number;
}

/**
 * Image Plane (PS3.3 C.7.6.2), in patient coordinates: the axes point to the patient's left, back and head.
 */
export interface ImagePlaneModule {
  rows?: number;
  columns?: number;
  frameOfReferenceUID?: string;
  /** Centre of the first pixel. */
  imagePositionPatient?: number[];
  /** Cosines along a row, then along a column. */
  imageOrientationPatient?: number[];
  rowCosines?: number[];
  columnCosines?: number[];
  /** Spacing between rows (down), then between columns (across). */
  pixelSpacing?: number[];
  rowPixelSpacing?: number;
  columnPixelSpacing?: number;
  sliceThickness?: number;
  spacingBetweenSlices?: number;
  sliceLocation?: number;
  /** Pixel spacing at the detector of a projection. */
  imagerPixelSpacing?: number[];
  /** Pixel spacing of a scanned film. */
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
  /** Component groups of the name, in several scripts (PS3.5 6.2.1). */
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

/** Cine (PS3.3 C.7.6.5), with times in milliseconds. */
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
/** Functional groups of a frame (PS3.3 C.7.6.16), as DICOM JSON. */
export interface MultiframeModule {
  numberOfFrames: number;
  /** From 1. */
  frameNumber: number;
  perFrameFunctionalInformation?: Record<string, any>;
  sharedFunctionalInformation?: Record<string, any>;
}
/** Time, kind and dimension indices of one frame (PS3.3 C.7.6.16.2.2). */
export interface FrameContentModule {
  frameAcquisitionNumber?: Numeric;
  frameReferenceDateTime?: Text;
  frameAcquisitionDateTime?: Text;
  frameAcquisitionDuration?: Numeric;
  cardiacCyclePosition?: Text;
  respiratoryCyclePosition?: Text;
  dimensionIndexValues?: Numeric;
  /** Keyword of the attribute that each index counts; null for a private attribute. */
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
/** Factors for rescaled values, if they are certain: to SUV (PET), to dose (RT dose). */
export interface ScalingModule {
  /** Factor to SUV by body weight, in g/ml. */
  suvbw?: number;
  /** Factor to SUV by lean body mass (James), in g/ml. */
  suvlbm?: number;
  /** Factor to SUV by body surface (Du Bois), in cm2/ml. */
  suvbsa?: number;
  doseGridScaling?: number;
  doseUnits?: Text;
  doseType?: Text;
  doseSummationType?: Text;
}
/** Real World Value Mappings (PS3.3 C.7.6.16.2.11), each linear or a table. */
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

/** Spacing of a projection in the plane of the measured object, and how reliable it is. */
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
/** Geometry of a projection (PS3.3 C.8.7.5, C.8.19.6). */
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

/** Segment of a frame, and the meaning of its values (PS3.3 C.8.20). */
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
/** Position of a tile of a whole-slide image (PS3.3 C.8.12): rows and columns from 1, z in micrometres. */
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
/** Position of a frame in an ultrasound volume (PS3.3 C.8.24). */
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
/** Indices of a nuclear medicine frame (PS3.3 C.8.4.8), one for each vector that the frames increment. */
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
/** Geometry of the frame's own detector (PS3.3 C.8.4.11). */
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
    /** Column of the overlay's first pixel, from 1. */
    x: number;
    /** Row of the overlay's first pixel, from 1. */
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
  /** Overlays in bits of the pixels, which were not decoded. */
  embedded?: { group: number; overlayBitPosition: number }[];
}
/** Palettes as stored in the file; the pixels are already RGB. */
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
/** ICC profile; the colours are not converted with it. */
export interface IccProfileModule {
  iccProfile?: Uint8Array;
  colorSpace?: Text;
}
/** First multiplex group of the waveforms (PS3.3 C.10.9). */
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
  /** Stored samples of each channel. */
  waveformData?: PixelArray[];
}

/** Modules by name, of one frame. A module that the image does not have is absent. */
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

/** Fields that `metaData` adds to modules, under the names that viewers read. */
export interface ViewerFields {
  ecgModule: { waveformData: { retrieveBulkData(): Promise<PixelArray[] | undefined> } };
  /** Flag of Cornerstone3D, which reads all fields: true if some are defaults, so that nothing may be measured. */
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
/** A module as `metaData` returns it. */
export type Answer<Name extends ModuleName> = Name extends keyof ViewerFields
  ? Omit<NonNullable<Modules[Name]>, keyof ViewerFields[Name]> & ViewerFields[Name]
  : NonNullable<Modules[Name]>;

/** The load object of viewers. */
export interface LoadObject<Loaded = Image> {
  promise: Promise<Loaded>;
  /** Cancel the load; idempotent, and harmless after its end. */
  cancelFn(): void;
  cancel(): void;
  /** Release the parsed file, unless another image of it is still in use. */
  decache(): void;
}

/** Attributes to match, by DICOM keyword in any case: `{patientName: 'A*', studyDate: '20040101-20041231'}`. */
export type Filters = Record<string, string | number | string[]>;
export interface SearchOptions {
  limit?: number;
  offset?: number;
  signal?: AbortSignal;
  /** Other QIDO-RS parameters, such as `fuzzymatching` or `includefield`. */
  [parameter: string]: unknown;
}
/** Attributes as plain values by keyword in camelCase, such as `studyInstanceUID` or `modalitiesInStudy`. */
export type Found = Record<string, any>;

export interface DicomWeb {
  readonly base: string;
  searchStudies(filters?: Filters, options?: SearchOptions): Promise<Found[]>;
  /** Search the series of one study, or of all studies. */
  searchSeries(studyInstanceUID?: string, filters?: Filters, options?: SearchOptions): Promise<Found[]>;
  searchInstances(
    studyInstanceUID?: string,
    seriesInstanceUID?: string,
    filters?: Filters,
    options?: SearchOptions,
  ): Promise<Found[]>;
  /** List the images of a series, every frame, sorted by position. This also fetches their metadata. */
  imageIds(studyInstanceUID: string, seriesInstanceUID: string, options?: { signal?: AbortSignal }): Promise<string[]>;
}

/**
 * Files of the user: one file, several (from `<input type="file">`, also with `webkitdirectory`), or a drop
 * with its folders. Pass the DataTransfer of a drop during its event.
 */
export type Files = Blob | FileList | Iterable<Blob> | DataTransfer;

/** The images of one series. The other attributes are those of its first file, and absent if it has none. */
export interface Series {
  /** Every frame, in the order of the DICOMDIR, or else by position. */
  imageIds: string[];
  /** Files that a DICOMDIR names but that do not exist. */
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

/** Options of `imageIds` and `series`. Their progress counts the files that were read. */
export interface ListOptions extends LoaderOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { loaded: number; total?: number; percentComplete?: number }) => void;
  /** Lower loads sooner, within a request type. */
  priority?: number;
  requestType?: RequestType;
  /** Idle timeout in milliseconds, instead of `init({timeout})`. */
  timeout?: number;
}

/** An image loader in JavaScript, as viewers define it. */
export type ImageLoader = (
  imageId: string,
  options?: any,
) => { promise: Promise<any>; cancelFn?: () => void; decache?: () => void };

/** Stable error codes for programs: "Error codes" of the documentation has a table of them. */
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
/** Stage of a load in which it failed. */
export type ErrorStage = 'boot' | 'worker' | 'dispatch' | 'fetch' | 'parse' | 'decode' | 'loader';

/** Legacy cornerstone-core, as far as `use` needs it. */
export interface LegacyCornerstone {
  registerImageLoader(scheme: string, loader: any): unknown;
  readonly metaData: MetaDataProviders;
  readonly events: unknown;
}
/** @cornerstonejs/core, as far as `use` needs it. */
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

/** The error of every failed load. A cancelled load rejects with a DOMException named AbortError instead. */
export class PyLoaderError extends Error {
  /** Make an error. Secrets of addresses in its texts are replaced by `***`. */
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
  /** Python's name of the error, such as `FormatError`. */
  readonly kind: string;
  readonly code: ErrorCode;
  readonly stage: ErrorStage;
  readonly imageId?: string;
  readonly url?: string;
  readonly status?: number;
  /** Python's traceback, if a Python loader of the page failed. */
  readonly traceback?: string;
  /** The error itself: legacy viewers read `{error}` of a rejection. */
  readonly error: this;
}

/**
 * The `detail` of each event, by its name. As in errors, `***` replaces user, password, tokens and signatures
 * in `url` and `imageId`.
 */
export interface EventDetails {
  bootprogress: BootProgress;
  /** Progress of a file of a Python package, in bytes, from each worker that installs it. */
  packageprogress: { file: string; loaded: number; total?: number; percentComplete?: number };
  ready: Stats;
  imageloadstart: { url: string; imageId: string; attempt: number };
  imageloadprogress: LoadProgress;
  imageloadend: { url: string; imageId: string; attempt: number };
  /** A loaded image; from a JavaScript loader, whatever that returns. */
  imageloaded: { image: Image };
  /** A cancelled load fails with a DOMException named AbortError. */
  imageloadfailed: { imageId: string; error: PyLoaderError | DOMException | Error };
  /** A line that Python prints, and the `name` of the file that prints it. */
  print: { level: 'info' | 'warn' | 'error'; name: string; text: string };
}
export type EventName = keyof EventDetails;
export type EventListenerOf<Name extends EventName> =
  | ((event: CustomEvent<EventDetails[Name]>) => void)
  | { handleEvent(event: CustomEvent<EventDetails[Name]>): void };

/** The EventTarget of pyloader's events. */
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

/** Progress of the start: `loaded` of `total`, in percent. */
export interface BootProgress {
  /** `extra` is the stage that installs the `packages` of `init`, whose size is not known in advance. */
  stage: 'runtime' | 'packages' | 'extra' | 'ready';
  loaded: number;
  total: number;
  percentComplete: number;
}

/** Report on the start of a worker. Times are in milliseconds, `start` since 1970. */
export interface BootReport {
  /** `snapshot`: from a memory snapshot in which everything is already imported. `cold`: step by step. */
  kind: 'snapshot' | 'cold';
  /** Reason why the worker did not start from a snapshot. */
  reason?: string;
  marks: { name: string; start: number; duration: number }[];
  /** Fetched files: `bytes` of the body as it was sent, `transferred` over the network, which is 0 from a cache. */
  assets: { name: string; start: number; duration: number; bytes: number; transferred: number }[];
}

export interface Stats {
  /** Version of pyloader; see `version`. */
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
  /** Problems in how the page is served, each with its fix; checked some seconds after `ready`. */
  warnings: string[];
}

/**
 * Start Python, or change its options. When `init` was called before, by the page or by the first load, new
 * options take effect from now on in all workers, and the others keep their values. `workers`, `assetsURL`,
 * `packages` and `packageIndexes` cannot change between the start of Python and `terminate()`: a different
 * value rejects, and no option changes.
 *
 * After a change of `headers`, `credentials`, `origins` or `beforeRequest`, new loads share nothing with those
 * in progress. A request in progress that is then refused (401, 403) is sent again. Images and metadata
 * that were already loaded stay: call `purge()` when another user signs in.
 *
 * Rejects with code `boot` if an option is invalid or Python cannot start. All loads then reject too, until
 * `init` is called with other options, or the next load finds the missing files.
 */
export function init(options?: InitOptions): Promise<void>;
/** Version of this script, and of the Python package in the workers. */
export const version: string;
/** Promise that settles with the first `init`; rejects with the boot error. */
export let ready: Promise<void>;
/**
 * Load one image without caching it. Frames count from 1: `wadouri:https://host/us.dcm?frame=3`. The worker
 * keeps the parsed file for its other frames, up to `limits.sourceBytes`; `purge` releases it.
 */
export function loadImage(imageId: string, options?: LoadOptions): Promise<Image>;
/**
 * Load one image, or take it from `cache` if it was loaded with equivalent options. An image in the caller's
 * `targetBuffer` is not cached.
 */
export function loadAndCacheImage(imageId: string, options?: LoadOptions): Promise<Image>;
/** Read the metadata of an image without decoding it. From then on `metaData` returns its modules. */
export function loadMetadata(imageId: string, options?: LoadOptions): Promise<Modules>;
/**
 * List the imageIds of all images of a source: frames of a file, slices of a volume
 * (`nifti:/brain.nii.gz`, `nifti:/brain.nii.gz#x,t-0`), pages of a TIFF, images of a zip archive
 * (`wadouri:/study.zip`, whose files are `wadouri:/study.zip#member=a/b.dcm?frame=2`) and images that a
 * DICOMDIR names (`wadouri:/disc/DICOMDIR`). The source may also be files of the user: DICOM files, archives,
 * the folder of a disc, files of other formats. The images are those of `series`, one series after the other.
 */
export function imageIds(source: string | Files | null, options?: ListOptions): Promise<string[]>;
/**
 * List the images of a source, or of files, by series: in the order of the DICOMDIR if there is one, else by
 * patient, study date, series number and position. The workers read just the headers, from slices of the
 * files, and leave out what is not an image. A file that cannot be read is listed: loading it says why.
 *
 * Files of other formats are known by their content. Each is a series, with its name as `seriesDescription`; web
 * images are listed only if there is nothing else.
 */
export function series(source: string | Files | null, options?: ListOptions): Promise<Series[]>;
/**
 * Load an image as viewers' loaders do. Register it with a viewer by hand:
 * `cornerstone.registerImageLoader('custom1', pyloader.imageLoader)`.
 */
export function imageLoader<Loaded = Image, Options = LoadOptions>(
  imageId: string,
  options?: string extends keyof Options ? Options : LoadOptions,
): LoadObject<Loaded>;
/** Register a JavaScript loader for a scheme (`'custom1'`, without a colon), besides the Python loaders. */
export function registerImageLoader(scheme: string, loader: ImageLoader): void;
/** Register the loader for schemes that no other loader serves, or remove it; returns the previous one. */
export function registerUnknownImageLoader(loader: ImageLoader | undefined): ImageLoader | undefined;
/**
 * Run a Python file and return the schemes that it registered. A later file of the same `name` replaces these
 * schemes without restarting Python, and clears the cache.
 *
 * `packages` has the format of `init`'s (in a script tag: `data-packages`, separated by spaces or commas).
 * Packages of dist/pyodide/ that the file imports are installed automatically. `requests` and
 * `urllib.request` work as usual, through synchronous requests of the browser, which may block everything
 * in their worker. They bypass `headers`, `beforeRequest`, retries and cancelling, which `context.fetch`
 * supports. With `workers: 0` they block the page; and since browsers give a page only text there, a body
 * that begins with a byte order mark is an error.
 */
export function loadPython(options: {
  url?: string;
  source?: string;
  name?: string;
  packages?: string[];
}): Promise<string[]>;
/**
 * Connect a viewer, legacy cornerstone-core or @cornerstonejs/core: every scheme, or only `schemes`;
 * metadata (at `priority` among the viewer's providers, default 100); and events. Where pyloader would
 * return defaults (a plane without position or spacing, no series, no window), the page's own providers take
 * precedence, whatever their priority. `displayValues` sets that option of each load. `instances` passes
 * whole instances of `addMetadata` to Cornerstone3D's metadata package (its `addDicomWebInstance`), which
 * takes time.
 *
 * `dicomfile:` is left to the viewer, which uses it for its own local files. Name it in `schemes` to serve
 * `dicomfile:<random>-N` for `localfile:<random>-N` of `addFile`. Returns a function that disconnects the
 * viewer; its `schemes` lists the schemes that pyloader serves there, including those of later Python files.
 */
export function use(
  cornerstone: LegacyCornerstone | Cornerstone3D,
  options?: { priority?: number; schemes?: string[]; displayValues?: boolean; instances?: boolean },
): (() => void) & { readonly schemes: string[] };
/**
 * Return a metadata module of an image that was loaded, or whose metadata were added. It is synchronous, so it
 * can be registered as a viewer's provider: `metaData.addProvider(pyloader.metaData)`.
 */
export function metaData<Name extends string>(
  type: string extends Name ? Name : ModuleName,
  imageId: string,
): Name extends ModuleName ? Answer<Name> | undefined : any;
/** Read the headers of images, or take DICOM JSON by imageId, so that `metaData` knows images before they load. */
export function addMetadata(sources: string[] | Record<string, object>): Promise<void>;
/**
 * Return an object for a DICOMweb service, with its searches and its series as imageIds. This call also names
 * the service's origin: see `origins`. `headers` are sent only with requests below `base`, not with others to
 * that origin. `wadoURI` is the WADO-URI service that replaces WADO-RS where that fails, by default the
 * sibling `wado` of `base`.
 */
export function dicomweb(
  base: string | URL,
  options?: { headers?: Record<string, string>; wadoURI?: string },
): DicomWeb;
/**
 * Add one file and return its imageId, `localfile:<random>-N`, which is unique to this page and never reused.
 * For other formats than DICOM put the scheme before it: `nifti:${addFile(file)}`. Throws for anything but one
 * file, such as a FileList: `series(files)` takes several files.
 */
export function addFile(file: Blob | ArrayBuffer | ArrayBufferView): string;
/** Remove a file and everything that was cached of it. Later loads of it fail. */
export function removeFile(imageId: string): void;
/** Events of loads, of the start and of Python: see `EventDetails`. */
export const events: Events;
/** Cache of `loadAndCacheImage`; evicts the least recently used images when `maximumBytes` is reached. */
export const cache: {
  maximumBytes: number;
  readonly bytes: number;
  readonly size: number;
  get(imageId: string): Image | undefined;
  delete(imageId: string): boolean;
  clear(): void;
};
/** Return the state of the workers, the numbers of loads, and the size of the cache. */
export function stats(): Stats;
/** Clear cached images, metadata and parsed files; Python keeps running. */
export function purge(): Promise<unknown> | undefined;
/** End the workers, reset the options of `init`, and clear all caches; the next load starts Python again. */
export function terminate(): void;

export as namespace pyloader;
