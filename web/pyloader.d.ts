// The public face of pyloader: the names of `globalThis.pyloader` (pyloader.js) and of pyloader.mjs.

/**
 * Options of `init`. All have defaults; the first load calls `init()` when the page did not. `undefined`
 * is as if an option was not given, null is its default. A name that is none of these is told on the
 * console, with the one that was probably meant.
 */
export interface InitOptions {
  /** Where worker.mjs and pyodide/ are; by default beside the script itself, which after bundling they are not. */
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
  onUnauthorized?: ((details: { url: string; origin: string; status: number }) => UnauthorizedAnswer | Promise<UnauthorizedAnswer>) | null;
  /** `'include'` sends cookies also to other origins that are named; default `'same-origin'`. */
  credentials?: RequestCredentials;
  /**
   * Origins that may have the secrets of the page: `headers`, the hooks and cookies. They are named by
   * addresses (`['https://pacs.example']`), of which the origin counts. The page's own and those of
   * `dicomweb(base)` are named already; a request to another goes without.
   */
  origins?: (string | URL)[] | null;
  /**
   * What becomes of an address of another origin that the answer of a server names, such as a
   * BulkDataURI: it is asked without any secret, though its origin be named (default), or refused.
   */
  linkedOrigins?: 'without-secrets' | 'refuse' | null;
  /** Milliseconds that a load may be without a sign of life (progress, an answer); default 60 000. */
  timeout?: number;
  /** Milliseconds that a request may be without a byte before it is tried again; default 30 000, 0 for no limit. */
  requestTimeout?: number;
  /** How often a request is tried again after no answer, or 408, 429, 502, 503, 504; default 2. */
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

export interface LoadOptions {
  /** Aborting it cancels the load. */
  signal?: AbortSignal;
  /** The body of an error (404, 503) is no progress. */
  onProgress?: (progress: LoadProgress) => void;
  /** Lower is sooner, within a request type. */
  priority?: number;
  requestType?: 'interaction' | 'thumbnail' | 'prefetch' | 'compute';
  /** Milliseconds, in place of `init({timeout})`. */
  timeout?: number;
  /**
   * Apply the modality LUT (rescale slope and intercept, or its table unless it is not for display);
   * the default in Cornerstone3D. `scalingParameters: { modality: 'PT', suvbw }` (or `'RTDOSE'`,
   * `doseGridScaling`) multiplies too; Cornerstone3D gets SUV and dose without being asked.
   */
  preScale?: boolean | { enabled?: boolean; scalingParameters?: Record<string, unknown> };
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
  targetBuffer?: { type?: string; rows?: number; columns?: number; arrayBuffer?: ArrayBufferLike; offset?: number; length?: number };
  /** Further plain values reach a Python loader as `context.options`. */
  [option: string]: unknown;
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

export type PixelArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

export interface LookupTable {
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
  photometricInterpretation: string;
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
  voiLUTFunction?: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
  /** The first VOI table. Legacy cornerstone-core draws it, Cornerstone3D does not: see `displayValues`. */
  voiLUT?: LookupTable;
  /** A modality LUT that stands as a table, with no viewer; viewers get its values. */
  modalityLUT?: LookupTable;
  /** What rescaled values are multiplied by, where that is certain: to SUV (PET), to dose (RT dose). */
  scaling?: { suvbw?: number; suvlbm?: number; suvbsa?: number; doseGridScaling?: number; doseUnits?: string };
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
  dataType: string;
  sizeInBytes: number;
  imageFrame: Record<string, unknown>;
  preScale: { enabled: boolean; scaled: boolean; scalingParameters?: Record<string, unknown> };
  imageQualityStatus: number;
  transferSyntaxUID?: string;
  lossyImageCompression?: boolean;
  /** What a compressed frame says of itself, whatever the header of its file says. */
  codestream?: { transferSyntaxUID: string; rows: number; columns: number; samplesPerPixel: number; bits?: number; isSigned?: boolean; photometricInterpretation: string };
  /** Contradictions in the file that were met and decided, each in a sentence. */
  warnings: string[];
  loadTimeInMS: number;
  decodeTimeInMS: number;
  totalTimeInMS: number;
  [field: string]: unknown;
}

/**
 * Modules by name, such as `imagePlaneModule`, each a plain object of attributes; what the image does
 * not have is absent. Each frame has its own: beside those that viewers know, `frameContentModule`
 * (type, time, dimensions), `realWorldValueMappingModule`, `segmentModule` (which segment, and what
 * the values mean: `segmentationType`, `maximumFractionalValue`), `slidePlaneModule` (the place of a
 * tile), `nmFrameModule`, `xrayGeometryModule`, `volumePlaneModule`.
 * `patientModule.patientNameGroups` has a name's `alphabetic`, `ideographic` and `phonetic` groups.
 */
export type Modules = Record<string, Record<string, any>>;

/** What viewers get for one load. */
export interface LoadObject {
  promise: Promise<Image>;
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
  searchInstances(studyInstanceUID?: string, seriesInstanceUID?: string, filters?: Filters, options?: SearchOptions): Promise<Found[]>;
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
export interface ListOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { loaded: number; total: number; percentComplete: number }) => void;
  [option: string]: unknown;
}

export type ImageLoader = (imageId: string, options?: LoadOptions) => { promise: Promise<any>; cancelFn?: () => void; decache?: () => void };

/** How every failed load rejects; a cancelled one rejects with a DOMException named AbortError. */
export class PyLoaderError extends Error {
  readonly name: 'PyLoaderError';
  /** What Python calls it, such as `FormatError`. */
  readonly kind: string;
  /** `boot`, `package`, `worker`, `timeout`, `image-id`, `unknown-scheme`, `network`, `request`, `http-status`, `format`, `unsupported`, `decode`, `loader`, `viewer` or `internal`. */
  readonly code: string;
  /** `boot`, `worker`, `dispatch`, `fetch`, `parse`, `decode` or `loader`. */
  readonly stage: string;
  readonly imageId?: string;
  readonly url?: string;
  readonly status?: number;
  /** Python's traceback, when a page's own Python loader failed. */
  readonly traceback?: string;
  readonly error: this;
}

/** How a worker started; times in milliseconds, `start` since 1970. */
export interface BootReport {
  /** From a snapshot of memory, in which everything is imported already, or step by step. */
  kind: 'snapshot' | 'cold';
  /** Why not from a snapshot. */
  reason?: string;
  marks: { name: string; start: number; duration: number }[];
  /** What it fetched: `bytes` as they came, `transferred` over the network, 0 from a cache. */
  assets: { name: string; start: number; duration: number; bytes: number; transferred: number }[];
}

export interface Stats {
  /** Of pyloader; see `version`. */
  version: string;
  workers: { state: string; running: number; bootMilliseconds: number; boot?: BootReport }[];
  queued: number;
  deaths: number;
  loading: number;
  loaded: number;
  failed: number;
  cancelled: number;
  cache: { images: number; bytes: number; maximumBytes: number };
  assetsURL: string;
  /** What is wrong with how the page is served, each with what to do; looked at some seconds after `ready`. */
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
export function imageIds(source: string | Files, options?: ListOptions): Promise<string[]>;
/**
 * The images of a source, or of files, by series, in the order of the DICOMDIR if there is one,
 * else by patient, study date, series number and position. Headers are read by the workers, from slices
 * of the files; what is no image is left out. A DICOM file that cannot be read is in the list: its
 * load says why.
 */
export function series(source: string | Files, options?: ListOptions): Promise<Series[]>;
/** The loader to register with a viewer by hand: `cornerstone.registerImageLoader('custom1', pyloader.imageLoader)`. */
export function imageLoader(imageId: string, options?: LoadOptions): LoadObject;
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
export function loadPython(options: { url?: string; source?: string; name?: string; packages?: string[] }): Promise<string[]>;
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
  cornerstone: object,
  options?: { priority?: number; schemes?: string[]; displayValues?: boolean; instances?: boolean },
): (() => void) & { readonly schemes: string[] };
/** A module of an image that is loaded, or whose metadata were added; synchronous, as viewers' providers are. */
export function metaData(type: string, imageId: string): Record<string, any> | undefined;
/** Read the headers of images, or take DICOM JSON by imageId, so that `metaData` answers before they are loaded. */
export function addMetadata(sources: string[] | Record<string, object>): Promise<void>;
/**
 * A DICOMweb service: its searches, and its series as imageIds.
 * Its origin is named by it: see `origins`. `headers` are sent with requests below `base`, and nowhere else
 * on that origin; `wadoURI` is the service that stands in where
 * WADO-RS fails, by default the sibling `wado` of `base`.
 */
export function dicomweb(base: string | URL, options?: { headers?: Record<string, string>; wadoURI?: string }): DicomWeb;
/**
 * Give one file to load; returns its imageId, `localfile:<random>-N`, which no other page has and which is never used
 * again. Of other formats the scheme precedes it: `nifti:${addFile(file)}`. Anything else than a file, such as a
 * FileList, throws: `series(files)` takes many.
 */
export function addFile(file: Blob | ArrayBuffer | ArrayBufferView): string;
/** Let go of a file, and of all that was made of it: further loads of it are refused. */
export function removeFile(imageId: string): void;
/**
 * Fires, each with `detail`: bootprogress (`{stage, loaded, total, percentComplete}`; `extra` is the stage
 * of `packages`, whose size is not known before), packageprogress (`{file, loaded, total?, percentComplete?}`
 * for each file of a Python package, in bytes, from each worker that installs it), ready, imageloadstart,
 * imageloadprogress, imageloadend, imageloaded, imageloadfailed, print (what Python prints:
 * `{level, name, text}`). Their `url` and `imageId` have `***` in place of the user, password, tokens
 * and signatures of an address, as errors have.
 */
export const events: EventTarget;
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
