// The calls between the page and a worker, in both directions, with payload, result and what is told
// meanwhile; and the messages of rpc.js that carry them. `tsc` holds both ends to it. Images, modules
// and errors are made by pyloader/wire.py, answers by pyloader/browser/bridge.py and reply.py.

import type {
  BootProgress,
  BootReport,
  Found,
  Image,
  ImagePixelModule,
  ModalityLutModule,
  Modules,
  OutgoingRequest,
  PixelArray,
  Series,
  VoiLutModule,
} from 'pyloader';
import type { Assets } from './assets.js';
import type { WireError } from './errors.js';

export type { BootProgress, BootReport, Found, ImagePixelModule, Modules, OutgoingRequest, WireError };

/** One call. `detail` is what its `onProgress` is told, `never` when that hears nothing. */
export interface Call {
  payload: unknown;
  result: unknown;
  detail: unknown;
}
/** A table of calls by name, such as the two here. */
export type Calls<Table> = { [Name in keyof Table]: Call };

// ------------------------------------------------------------------ what a worker is told

/** Tells a worker all that it starts from. */
export interface BootOptions extends Assets {
  /** The address of the page. */
  baseURL: string;
  /** Of the page's script: a worker of another build ends at once. */
  build: string;
  headers: Record<string, string>;
  credentials: RequestCredentials;
  origins: string[];
  linkedOrigins: 'without-secrets' | 'refuse';
  /** The names of the hooks that the page has. */
  hooks: string[];
  /** Counts who has asked so far. */
  identity: number;
  /** Of an earlier worker. */
  parts?: Shared;
  packages: string[];
  packageIndexes: string[];
  cacheBytes: number;
  decodedBytes: number;
  retries: number;
  requestTimeout: number;
  requestsPerOrigin: number;
}
/** Given by one worker to others, which start from it. */
export interface Shared {
  program: WebAssembly.Module;
  libraries: WebAssembly.Module[];
  snapshot?: Blob;
}
/** Told to workers when `init` was called again. */
export type Configuration = Omit<BootOptions, 'parts' | 'packages'> & {
  /** True when headers that servers were granted count no more. */
  forgetsGranted: boolean;
};

/** Options of a load that Python gets: plain values. */
export type PlainOptions = Record<string, unknown>;
/** Added to a job by the scheduler. */
export interface Turn {
  /** Rank of the request type, and priority: lower is sooner. */
  urgency: [rank: number, priority: number];
  /** Frames of the same source that wait behind it, from 0. */
  upcoming: number[];
}
export interface LoadPayload {
  imageId: string;
  options: PlainOptions;
}
/** Of a load at the home of its source. */
export interface HomeTurn extends Turn {
  /** The address that the load fetches first, when that is known. */
  ahead?: string;
  /** The imageIds of further images that may come along. */
  batch?: string[];
  /** True when there are workers to help. */
  canOffload?: boolean;
}
/** A file of the user, by the imageId that it has been given, and where it stood. */
export interface NamedFile {
  name: string;
  path: string;
  file: Blob;
}
/** A Python file of the page. */
export interface PythonFile {
  name: string;
  source: string;
  packages: string[];
  baseURL: string;
}
/** Headers for all that stands below an address. */
export interface HeadersBelow {
  base: string;
  headers: Record<string, string>;
}

// ------------------------------------------------------------------ what a worker answers

/** Progress of a request. */
export interface Report {
  /** `start`, `progress` or `end`. */
  phase: string;
  url: string;
  loaded: number;
  total?: number;
  attempt: number;
}
/** Progress of a file of a Python package, in bytes. */
export interface Arrival {
  file: string;
  loaded: number;
  total?: number;
}

/** An image as it leaves Python. */
export interface PlainImage {
  pixel: ImagePixelModule;
  modalityLut: ModalityLutModule;
  voiLut: VoiLutModule;
  encoding: Pick<Image, 'transferSyntaxUID' | 'lossyImageCompression' | 'codestream'>;
  isRescaled: boolean;
  warnings: string[];
  /** From where to where values are padding. */
  padding?: [number, number];
}
/** Its arrays; `exact` has the values before they were quantised. */
export interface ImageArrays {
  pixels: PixelArray;
  exact?: PixelArray;
}
/** From where to where its pixels go: without padding, and when there is such, with it. */
export interface Extent {
  minimum: number;
  maximum: number;
  padding?: [number, number];
  all?: [number, number];
}
/** An image as it comes to the page. */
export type ImageMessage = PlainImage & ImageArrays & Extent;
/** Modules of an image; `instanceModule` has the whole data set as DICOM JSON, where that was asked for. */
export type WireModules = Modules & { instanceModule?: { json: string } };
export interface Timing {
  loadMilliseconds: number;
  decodeMilliseconds: number;
  /** As the page has measured it. */
  totalMilliseconds?: number;
}
export interface Loaded {
  image: ImageMessage;
  modules: WireModules;
  timing: Timing;
}
/** Brought by a load: its image, and those that came along. */
export interface LoadAnswer extends Loaded {
  /** True when all images of the source are complete at the worker. */
  isReady?: boolean;
  batch?: (Loaded | { error: WireError })[];
}
/** A frame to be decoded elsewhere, and the header that decodes it, unless the other has that. */
export interface Loan {
  token: string;
  header?: Uint8Array<ArrayBuffer> | null;
  frame: Uint8Array<ArrayBuffer>;
}
/** The images of one series among files. */
export interface FoundSeries {
  attributes: Omit<Series, 'imageIds' | 'missing'>;
  imageIds: string[];
  missing: string[];
}
/** An instance of a series on a DICOMweb service, in order of position. */
export interface Row {
  instance: string;
  frames: number;
  /** DICOM JSON. */
  json: string;
}
/** Answers to `describe`: nothing when nobody knows. */
export type Description = { json: string } | { attributes: PlainOptions } | { error: WireError } | undefined;

// ------------------------------------------------------------------ the calls

/** The calls that a worker answers. */
export interface WorkerCalls {
  /** Start Python; the worker's first call. */
  boot: { payload: BootOptions; result: { report: BootReport; parts?: Shared }; detail: BootProgress };
  configure: { payload: Configuration; result: void; detail: never };
  load: { payload: LoadPayload & HomeTurn; result: LoadAnswer; detail: Report };
  /** Hand a frame to another worker; nothing when it has to be decoded where it is. */
  lend: { payload: LoadPayload & Turn & { known?: string }; result: Loan | null | undefined; detail: Report };
  borrow: { payload: LoadPayload & { loan: Loan }; result: LoadAnswer; detail: Report };
  metadata: { payload: LoadPayload & Turn & { imageIds: string[] }; result: WireModules[]; detail: Report };
  imageIds: { payload: LoadPayload & Turn; result: string[]; detail: Report };
  /** List the images of a source, or of files, by series. */
  listing: { payload: LoadPayload & Turn & { files?: NamedFile[] }; result: FoundSeries[]; detail: Report };
  search: { payload: { url: string; options: PlainOptions }; result: Found[]; detail: Report };
  /** Fetch the metadata of a series, or of one instance. */
  series: { payload: { url: string }; result: Row[]; detail: Report };
  /** Read the modules of a DICOM JSON data set. */
  readJson: {
    payload: { imageId: string; text: string; options?: undefined } & Turn;
    result: { modules: WireModules };
    detail: Report;
  };
  /** Run a Python file; brings the schemes that it registered. */
  define: { payload: PythonFile; result: string[]; detail: Report };
  /** Give a file of the user by name. */
  provide: { payload: { name: string; file: Blob }; result: void; detail: never };
  withdraw: { payload: { name: string }; result: void; detail: never };
  /** Send headers with requests to a DICOMweb service. */
  service: { payload: HeadersBelow; result: void; detail: never };
  /** Send headers that the page has given after a 401. */
  granted: { payload: HeadersBelow; result: void; detail: never };
  share: { payload: { requestsPerOrigin: number }; result: void; detail: never };
  policies: { payload: { page: string | undefined }; result: { worker?: boolean; page?: boolean }; detail: never };
  /** Let go of a source. */
  release: { payload: { source: string }; result: void; detail: never };
  /** Let go of all sources. */
  purge: { payload: undefined; result: void; detail: never };
  stats: { payload: undefined; result: WorkerStats; detail: never };
}
export interface WorkerStats {
  cacheBytes: number;
  running: number;
  heapBytes: number;
}

/** The calls that the page answers. */
export interface PageCalls {
  /** Have the page change a request. */
  beforeRequest: { payload: OutgoingRequest; result: OutgoingRequest; detail: never };
  /** Tell of a 401; `sent` is in milliseconds since 1970. Brings whether to try again. */
  authorize: { payload: { url: string; sent: number }; result: boolean; detail: never };
  /** Ask for what the page knows of an image; `asksAnew` for what its server says of it alone. */
  describe: { payload: { source: string; asksAnew: boolean }; result: Description; detail: never };
  print: { payload: { level: string; name: string; text: string }; result: void; detail: never };
  packageprogress: { payload: Arrival; result: void; detail: never };
  /** Tell why Python has ended. */
  died: { payload: string; result: void; detail: never };
}

/** Those that the scheduler puts in its queue. */
export type JobName = 'load' | 'metadata' | 'imageIds' | 'listing' | 'readJson';
/** The payload of a job before it has its turn. */
export type JobPayload<Name extends JobName = JobName> = {
  [Each in JobName]: Omit<WorkerCalls[Each]['payload'], keyof HomeTurn>;
}[Name];
export type JobResult<Name extends JobName = JobName> = WorkerCalls[Name]['result'];

// ------------------------------------------------------------------ the messages

/** From the caller. */
export interface CallMessage<Table> {
  id: number;
  kind: 'call';
  name: keyof Table & string;
  payload: unknown;
}
export interface CancelMessage {
  id: number;
  kind: 'cancel';
}
/** From the callee, any number of times. */
export interface ProgressMessage {
  id: number;
  kind: 'progress';
  details: unknown[];
}
/** From the callee: one of these ends a call. */
export interface DoneMessage {
  id: number;
  kind: 'done';
  result: unknown;
  details: unknown[];
}
export interface FailedMessage {
  id: number;
  kind: 'failed';
  error: WireError;
  details: unknown[];
}
/** Received by the end that answers the calls of `Table`. */
export type Message<Table> = CallMessage<Table> | CancelMessage | ProgressMessage | DoneMessage | FailedMessage;
