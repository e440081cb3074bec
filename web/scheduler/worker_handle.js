// @ts-check
// Handle of one interpreter: its place, its calls and jobs, and the check whether it is alive.
import { PyLoaderError, bootError } from '../shared/errors.js';
import { Rpc } from '../shared/rpc.js';
import { IdleTimeout } from '../shared/idle_timeout.js';

/** @typedef {import('../shared/rpc.js').Endpoint & {terminate(): void}} Place where an interpreter runs */
/** @typedef {import('./scheduler.js').Job} Job */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/messages.d.ts').PageCalls} PageCalls */
/** @typedef {import('../shared/messages.d.ts').BootOptions} BootOptions */
/** @typedef {import('../shared/messages.d.ts').BootProgress} BootProgress */
/** @typedef {import('../shared/rpc.js').Handlers<PageCalls>} Handlers */
/**
 * @typedef {Omit<Handlers, 'died' | 'packageprogress'>} HostHandlers the page's calls, without those handled here
 */
/**
 * @typedef {{createPlace: (onDeath: (words: string) => void) => Promise<Place>, handlers: HostHandlers,
 *   onBootProgress: (detail: BootProgress) => void,
 *   onPackageProgress?: (detail: import('../shared/messages.d.ts').Arrival) => void}} WorkerHandleHost
 */
/**
 * @template {keyof WorkerCalls} [Name=keyof WorkerCalls]
 * @typedef {{[Each in Name]: [Each, WorkerCalls[Each]['payload']]}[Name]} NamedCall name and payload of a call
 */
/**
 * @template {keyof WorkerCalls} Name
 * @typedef {import('../shared/rpc.js').CallOptions<WorkerCalls[Name]['detail']>} CallOptions
 */

/** Error of the calls that were lost when an interpreter died. */
export class WorkerDeath extends PyLoaderError {
  #isCertain;

  /** @param {string} words @param {boolean} isCertain true if it had a single call, which is then the cause */
  constructor(words, isCertain) {
    super({
      name: 'WorkerError',
      code: 'worker',
      stage: 'worker',
      message: `the worker that ran Python has died (${words}); a new one takes its place and repeats its other loads`,
    });
    this.#isCertain = isCertain;
  }

  get isCertain() {
    return this.#isCertain;
  }
}

const SIGN_OF_LIFE_MS = 10_000;
// Longest wait for a worker's first message: its script may come over a slow network.
const FIRST_WORD_MS = 60_000;

export class WorkerHandle {
  /** @type {Set<Job>} */
  running = new Set();
  /** Number of pending calls, including those of `running`. */
  calls = 0;
  /**
   * Only a `ready` worker gets jobs. A `leaving` one has been replaced and finishes its own jobs; a `doubtful`
   * one is being asked whether it still answers.
   * @type {'booting' | 'ready' | 'doubtful' | 'leaving' | 'ended'}
   */
  state = 'booting';
  /** @type {Promise<boolean> | undefined} */
  #checking;
  bootMilliseconds = 0;
  /** Report of its start. @type {import('../shared/messages.d.ts').BootReport | undefined} */
  bootReport;
  /**
   * Compiled modules and the snapshot, from which others can start.
   * @type {import('../shared/messages.d.ts').Shared | undefined}
   */
  parts;
  /** @type {Place | null} */
  place = null;
  /** Options of `boot`. @type {BootOptions | undefined} */
  bootOptions;
  /** @type {Rpc<WorkerCalls, PageCalls> | null} */
  #rpc = null;
  /** @type {Promise<void> | undefined} */
  booted;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  rest;

  /** @param {WorkerHandleHost} host @param {(error: PyLoaderError) => void} onDeath */
  constructor(host, onDeath) {
    this.host = host;
    this.onDeath = onDeath;
  }

  /**
   * @param {BootOptions} options
   * @param {Map<string, NamedCall>} replay calls to repeat once Python has started; more may be added meanwhile
   */
  async boot(options, replay) {
    const started = performance.now();
    this.bootOptions = options;
    const onSilence = () =>
      this.#failToStart(`its worker said nothing for ${FIRST_WORD_MS / 1000} s, as if its script were something else`);
    const watch = new IdleTimeout(FIRST_WORD_MS, { onSilence });
    try {
      await Promise.race([this.#begin(options, replay, watch), this.failedToStart]);
    } finally {
      watch.stop();
    }
    this.bootMilliseconds = performance.now() - started;
  }

  /** @param {BootOptions} options @param {Map<string, NamedCall>} replay @param {IdleTimeout} watch */
  async #begin(options, replay, watch) {
    const place = await this.host
      .createPlace((words) => this.checkAlive(words))
      .catch((error) => {
        throw bootError(error, options);
      });
    if (this.state !== 'booting') return place.terminate(); // the page ended it meanwhile
    this.place = place;
    /** @type {Handlers} */
    const handlers = {
      ...this.host.handlers,
      died: (words) => this.die(words),
      packageprogress: (arrival) => {
        for (const job of this.running) job.idle?.restart(); // any of them may wait for the package
        this.host.onPackageProgress?.(arrival);
      },
    };
    this.#rpc = new Rpc(place, handlers);
    const onProgress = (/** @type {BootProgress} */ detail) => {
      watch.stop();
      this.host.onBootProgress(detail);
    };
    const { report, parts } = await this.call('boot', options, { onProgress });
    watch.stop();
    [this.bootReport, this.parts] = [report, parts];
    for (const [name, payload] of replay.values()) await this.call(name, payload);
    if (this.state === 'booting') this.state = 'ready';
  }

  failedToStart = new Promise((_, reject) => {
    this.rejectStart = reject;
  });

  /** @param {string} words */
  #failToStart(words) {
    this.rejectStart?.(bootError(words, /** @type {BootOptions} */ (this.bootOptions)));
  }

  /**
   * Call a function of the interpreter.
   * @template {keyof WorkerCalls} Name
   * @param {Name} name @param {WorkerCalls[Name]['payload']} payload @param {CallOptions<Name>} [options]
   * @returns {Promise<WorkerCalls[Name]['result']>}
   */
  async call(name, payload, options) {
    this.calls++;
    try {
      return await this.#rpc?.call(name, payload, options);
    } finally {
      this.calls--;
    }
  }

  /**
   * Send a call whose result does not matter; a worker that just died need not get it.
   * @template {keyof WorkerCalls} Name @param {Name} name @param {WorkerCalls[Name]['payload']} payload
   */
  tell(name, payload) {
    this.#rpc?.call(name, payload).catch(() => {});
  }

  /**
   * Check whether Python still answers, after an uncaught error or a load that was silent for too long.
   * @param {string} words @returns {Promise<boolean>}
   */
  async checkAlive(words) {
    if (this.state === 'booting') this.#failToStart(words);
    if (!this.isRunning || !this.#rpc) return false;
    const checking = this.#checking ?? this.#ping(this.#rpc);
    this.#checking = checking;
    const isAlive = await checking;
    this.#checking = undefined;
    if (!isAlive) this.die(words);
    return isAlive;
  }

  /**
   * @param {Rpc<WorkerCalls, PageCalls>} rpc called directly: the ping must not count among the calls that may be the
   *   cause
   */
  async #ping(rpc) {
    const before = this.state;
    this.state = 'doubtful';
    const isAlive = await withDeadline(rpc.call('stats', undefined), SIGN_OF_LIFE_MS);
    if (this.state === 'doubtful') this.state = before;
    return isAlive;
  }

  /** Time that its interpreter took to start, in milliseconds. */
  get startMilliseconds() {
    return this.bootReport?.marks.find(({ name }) => name === 'interpreter')?.duration ?? 0;
  }

  /** True when it answers calls. */
  get isRunning() {
    return this.state === 'ready' || this.state === 'doubtful' || this.state === 'leaving';
  }

  /** Return its row of stats(). */
  stats() {
    const { running, bootMilliseconds, bootReport } = this;
    return { state: this.isRunning ? 'ready' : this.state, running: running.size, bootMilliseconds, boot: bootReport };
  }

  /** Number of loads in progress: those of `running`, and those batched with them. */
  get loads() {
    return [...this.running].reduce((sum, { batchSize = 1 }) => sum + batchSize, 0);
  }

  /** @param {string} words */
  die(words) {
    if (this.state === 'booting') return this.#failToStart(`Python has died (${words})`);
    if (!this.isRunning) return;
    const error = new WorkerDeath(words, Math.max(this.calls, this.loads) === 1);
    this.end(error);
    this.onDeath(error);
  }

  /** @param {Error} error */
  end(error) {
    this.state = 'ended';
    clearTimeout(this.rest);
    // This ends a worker; Python on the page cannot be ended, only disconnected.
    this.place?.terminate();
    this.#rpc?.close(error);
    this.failedToStart.catch(() => {});
    this.rejectStart?.(error);
  }
}

/**
 * @param {Promise<unknown>} promise @param {number} milliseconds
 * @returns {Promise<boolean>} resolves to true if the promise was fulfilled in time
 */
function withDeadline(promise, milliseconds) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  return Promise.race([
    promise.then(
      () => true,
      () => false,
    ),
    late,
  ]).finally(() => clearTimeout(timer));
}
