// Types of pyloader/browser/bridge.py as JavaScript calls it, and of the worker's functions that it calls.

import type { PackagesBridge, PyProxy } from '../boot/python.d.ts';
import type {
  BootOptions,
  Description,
  FoundSeries,
  Found,
  HomeTurn,
  ImageArrays,
  LoadPayload,
  Loan,
  PlainImage,
  Row,
  Timing,
  Turn,
  WireError,
  WireModules,
  WorkerCalls,
} from '../shared/messages.d.ts';
import type { Decoded } from './decode_image.js';
import type { createSend } from './fetch.js';

/** Outcome of a call of the bridge: Python's errors are values here. */
export type Outcome<Value> = Promise<
  (Value & Ended<undefined, undefined>) | Ended<WireError, undefined> | Ended<undefined, true>
>;
interface Ended<Failure, Cancelled> {
  error?: Failure;
  cancelled?: Cancelled;
}

/** A job without its imageId, which is a parameter of its own. */
export type Job = Pick<LoadPayload, 'options'> & Partial<Turn>;
/** Called with the progress of requests. */
export type Listener = (phase: string, url: string, loaded: number, total: number | undefined, attempt: number) => void;
export type FoundImage =
  | { image: PlainImage; modules: WireModules; timing: Timing; error?: undefined }
  | { error: WireError };
/** Images, and the arrays of each. */
export interface FoundImages {
  answers: FoundImage[];
  arrays: ImageArrays[];
  isReady?: boolean;
}

/** A load as it has ended, or one that waits, for which `finish` waits. */
export type LoadOutcome =
  | { answers: FoundImage[]; isReady?: boolean }
  | { error: WireError }
  | { cancelled: true }
  | { waits: true };
/** Loads, and beside each the arrays of its images. */
export interface FoundLoads {
  loads: LoadOutcome[];
  arrays: ImageArrays[][];
}

/** A lent frame, or nothing if it cannot be lent. */
export interface Lent {
  loan?: Loan | null;
}
/** ImageIds and paths of listed files. */
export type Files = [imageId: string, path: string][] | undefined;

export interface Bridge extends PackagesBridge {
  load(call: number, imageId: string, job: Job & HomeTurn, listener: Listener): Outcome<FoundLoads>;
  load_arrived(text: string, bodies: Uint8Array[], listeners: Listener[]): FoundLoads;
  finish(call: number): Outcome<FoundLoads>;
  lend(call: number, imageId: string, known: string | undefined, job: Job, listener: Listener): Outcome<Lent>;
  borrow(call: number, imageId: string, loan: Loan, job: Job, listener: Listener): Outcome<FoundLoads>;
  metadata(call: number, imageIds: string[], job: Job, listener: Listener): Outcome<{ found: WireModules[] }>;
  image_ids(call: number, source: string, job: Job, listener: Listener): Outcome<{ found: string[] }>;
  listing(call: number, source: string, files: Files, job: Job, listener: Listener): Outcome<{ found: FoundSeries[] }>;
  search(call: number, url: string, job: Job, listener: Listener): Outcome<{ found: Found[] }>;
  series(call: number, url: string, job: Partial<Job>, listener: Listener): Outcome<{ instances: Row[] }>;
  read_json(call: number, imageIds: string[], texts: string[]): Outcome<WorkerCalls['readJson']['result']>;
  define(call: number, name: string, source: string): Outcome<{ schemes: string[] }>;
  cancel(call: number): void;
  configure(settings: BootOptions, isOther: boolean): void;
  release(source: string): void;
  withdraw(name: string): void;
  purge(): void;
  stats(): { cacheBytes: number; running: number };
}
export interface BridgeModule extends PyProxy {
  Bridge(page: WorkerForPython, settings: BootOptions): Bridge;
}

/** Functions of the worker that Python calls; the worker passes most calls on to the page. */
export interface WorkerForPython {
  send: ReturnType<typeof createSend>;
  describe(source: string, asksAnew: boolean, signal: AbortSignal): Promise<Description>;
  /** Ask whether to try again after a 401; `sent` is in seconds since 1970. */
  authorize(url: string, sent: number): Promise<boolean>;
  install(requirement: string): Promise<WireError | void>;
  bringNow(name: string): void;
  /** Names that `bringNow` takes, by module. */
  deferred: Record<string, string>;
  decode(body: Uint8Array<ArrayBuffer>, mediaType: string, frameIndex: number): Promise<Decoded | { error: WireError }>;
  print(level: string, name: string, text: string): void;
}
