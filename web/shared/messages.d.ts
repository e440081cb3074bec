// Types of the calls between the page and a worker, in both directions, with payload, result and progress; and of
// the messages of rpc.js that carry them. `tsc` checks both ends against them. pyloader/wire.py makes images,
// modules and errors; pyloader/browser/bridge.py and reply.py make the replies.

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

/** One call. `detail` is the argument of `onProgress`, `never` if that is not called. */
export interface Call {
  payload: unknown;
  result: unknown;
  detail: unknown;
}
/** A table of calls by name, such as `WorkerCalls` and `PageCalls`. */
export type Calls<Table> = { [Name in keyof Table]: Call };

// ------------------------------------------------------------------ payloads of calls to a worker

/** Options of a worker's start. */
export interface BootOptions extends Assets {
  /** Address of the page. */
  baseURL: string;
  /** Build of the page's script: a worker of another build ends at once. */
  build: string;
  headers: Record<string, string>;
  credentials: RequestCredentials;
  origins: string[];
  linkedOrigins: 'without-secrets' | 'refuse';
  /** Names of the hooks that the page has. */
  hooks: string[];
  /** Number of the user's current identity. */
  identity: number;
  /** Compiled modules and the snapshot of an earlier worker. */
  parts?: Shared;
  packages: string[];
  packageIndexes: string[];
  cacheBytes: number;
  decodedBytes: number;
  retries: number;
  requestTimeout: number;
  requestsPerOrigin: number;
}
/** Passed from one worker to others, which start from it. */
export interface Shared {
  program: WebAssembly.Module;
  libraries: WebAssembly.Module[];
  snapshot?: Blob;
}
/** Settings for running workers after `init` was called again. */
export type Configuration = Omit<BootOptions, 'parts' | 'packages'> & {
  /** True to drop the headers granted after a 401. */
  forgetsGranted: boolean;
};

/** Options of a load for Python: plain values. */
export type PlainOptions = Record<string, unknown>;
/** Added to a job by the scheduler. */
export interface Turn {
  /** Rank of the request type, and priority: lower runs sooner. */
  urgency: [rank: number, priority: number];
  /** Frames of the same source that wait behind it, counted from 0. */
  upcoming: number[];
}
export interface LoadPayload {
  imageId: string;
  options: PlainOptions;
}
/** Added to a load at the home of its source. */
export interface HomeTurn extends Turn {
  /** Address that the load fetches first, if known. */
  ahead?: string;
  /** ImageIds of further images for the same reply. */
  batch?: string[];
  /** True when other workers could help. */
  canOffload?: boolean;
}
/** A file of the user, with its imageId, and the path where it was. */
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
/** Headers for all addresses below a base. */
export interface HeadersBelow {
  base: string;
  headers: Record<string, string>;
}

// ------------------------------------------------------------------ results of calls to a worker

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
  /** First and last value of the padding range. */
  padding?: [number, number];
}
/** Arrays of an image; `exact` has the values before they were quantised. */
export interface ImageArrays {
  pixels: PixelArray;
  exact?: PixelArray;
}
/** Range of the pixel values: without padding and, if there is padding, also with it (`all`). */
export interface Extent {
  minimum: number;
  maximum: number;
  padding?: [number, number];
  all?: [number, number];
}
/** An image as it reaches the page. */
export type ImageMessage = PlainImage & ImageArrays & Extent;
/** Modules of an image; `instanceModule` has the whole data set as DICOM JSON, if requested. */
export type WireModules = Modules & { instanceModule?: { json: string } };
export interface Timing {
  loadMilliseconds: number;
  decodeMilliseconds: number;
  /** Measured by the page. */
  totalMilliseconds?: number;
}
export interface Loaded {
  image: ImageMessage;
  modules: WireModules;
  timing: Timing;
}
/** Reply to a load: its image, and those of its batch. */
export interface LoadReply extends Loaded {
  /** True when all images of the source are complete at the worker. */
  isReady?: boolean;
  batch?: (Loaded | { error: WireError })[];
}
/** A frame to be decoded by another worker, and the header that decodes it, unless that worker has it. */
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
/** Result of `describe`: undefined if the page does not know the image. */
export type Description = { json: string } | { attributes: PlainOptions } | { error: WireError } | undefined;

// ------------------------------------------------------------------ the calls

/** The calls that a worker handles. */
export interface WorkerCalls {
  /** Start Python; the worker's first call. */
  boot: { payload: BootOptions; result: { report: BootReport; parts?: Shared }; detail: BootProgress };
  configure: { payload: Configuration; result: void; detail: never };
  load: { payload: LoadPayload & HomeTurn; result: LoadReply; detail: Report };
  /** Lend a frame to another worker; null or undefined if it has to be decoded here. */
  lend: { payload: LoadPayload & Turn & { known?: string }; result: Loan | null | undefined; detail: Report };
  borrow: { payload: LoadPayload & { loan: Loan }; result: LoadReply; detail: Report };
  metadata: { payload: LoadPayload & Turn & { imageIds: string[] }; result: WireModules[]; detail: Report };
  imageIds: { payload: LoadPayload & Turn; result: string[]; detail: Report };
  /** List the images of a source, or of files, by series. */
  listing: { payload: LoadPayload & Turn & { files?: NamedFile[] }; result: FoundSeries[]; detail: Report };
  search: { payload: { url: string; options: PlainOptions }; result: Found[]; detail: Report };
  /** Fetch the metadata of a series, or of one instance. */
  series: { payload: { url: string }; result: Row[]; detail: Report };
  /** Read the modules of DICOM JSON data sets; `imageId` is the first of `imageIds`. */
  readJson: {
    payload: { imageId: string; imageIds: string[]; texts: string[]; options?: undefined } & Turn;
    result: { found: ({ modules: WireModules } | { error: WireError })[] };
    detail: Report;
  };
  /** Run a Python file; resolves to the schemes that it registered. */
  define: { payload: PythonFile; result: string[]; detail: Report };
  /** Add a file of the user by name. */
  provide: { payload: { name: string; file: Blob }; result: void; detail: never };
  withdraw: { payload: { name: string }; result: void; detail: never };
  /** Send headers with requests to a DICOMweb service. */
  service: { payload: HeadersBelow; result: void; detail: never };
  /** Send headers granted after a 401. */
  granted: { payload: HeadersBelow; result: void; detail: never };
  share: { payload: { requestsPerOrigin: number }; result: void; detail: never };
  policies: { payload: { page: string | undefined }; result: { worker?: boolean; page?: boolean }; detail: never };
  /** Release a source. */
  release: { payload: { source: string }; result: void; detail: never };
  /** Release all sources. */
  purge: { payload: undefined; result: void; detail: never };
  stats: { payload: undefined; result: WorkerStats; detail: never };
}
export interface WorkerStats {
  cacheBytes: number;
  running: number;
  heapBytes: number;
}

/** The calls that the page handles. */
export interface PageCalls {
  /** Let the page change a request. */
  beforeRequest: { payload: OutgoingRequest; result: OutgoingRequest; detail: never };
  /** Report a 401; `sent` is in milliseconds since 1970. Resolves to true to try again. */
  authorize: { payload: { url: string; sent: number }; result: boolean; detail: never };
  /** Request the description of an image that the page has; `asksAnew` fetches it from the server again. */
  describe: { payload: { source: string; asksAnew: boolean }; result: Description; detail: never };
  print: { payload: { level: string; name: string; text: string }; result: void; detail: never };
  packageprogress: { payload: Arrival; result: void; detail: never };
  /** Report why Python has ended. */
  died: { payload: string; result: void; detail: never };
}

/** Calls that the scheduler puts in its queue. */
export type JobName = 'load' | 'metadata' | 'imageIds' | 'listing' | 'readJson';
/** Payload of a job before the scheduler adds its `Turn`. */
export type JobPayload<Name extends JobName = JobName> = {
  [Each in JobName]: Omit<WorkerCalls[Each]['payload'], keyof HomeTurn>;
}[Name];
export type JobResult<Name extends JobName = JobName> = WorkerCalls[Name]['result'];

// ------------------------------------------------------------------ the messages

/** Sent by the caller. */
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
/** Sent by the callee, any number of times. */
export interface ProgressMessage {
  id: number;
  kind: 'progress';
  details: unknown[];
}
/** Sent by the callee: this or a `FailedMessage` ends a call. */
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
/** Received by the end that handles the calls of `Table`. */
export type Message<Table> = CallMessage<Table> | CancelMessage | ProgressMessage | DoneMessage | FailedMessage;
