// @ts-check
// Fake workers for tests of the scheduler: ports of a MessageChannel with an Rpc behind them, whose loads
// wait until a test settles them.
import { afterEach } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Scheduler } from '../../../web/scheduler/scheduler.js';
import { Rpc } from '../../../web/shared/rpc.js';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('../../../web/scheduler/scheduler.js').SchedulerSettings} SchedulerSettings */
/** @typedef {import('../../../web/scheduler/scheduler.js').SchedulerHost} SchedulerHost */
/** @typedef {import('../../../web/scheduler/scheduler.js').JobRequest} JobRequest */
/** @typedef {import('../../../web/scheduler/worker_handle.js').Place} Place */
/** @typedef {import('../../../web/scheduler/worker_handle.js').NamedCall} NamedCall */
/** @typedef {import('../../../web/shared/messages.d.ts').BootOptions} BootOptions */
/** @typedef {import('../../../web/shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../../../web/shared/messages.d.ts').PageCalls} PageCalls */
/** @typedef {import('../../../web/shared/rpc.js').CallContext} CallContext */
/**
 * A promise and the functions that settle it.
 * @template [Value=unknown]
 * @typedef {{promise: Promise<Value>, open: (value?: Value) => void, fail: (error: unknown) => void}} Gate
 */
/** @typedef {WorkerCalls['load']['payload']} LoadPayload */
/** @typedef {Gate & {payload: LoadPayload, signal: AbortSignal, progress: (detail: unknown) => void}} FakeLoad */
/**
 * Some of a worker's functions. What they answer, and what they tell meanwhile, is as the test makes it.
 * @typedef {{[Name in keyof WorkerCalls]?: (payload: WorkerCalls[Name]['payload'], context: CallContext) => unknown}}
 *   FakeHandlers
 */
/** @typedef {(index: number) => FakeHandlers} Script the functions of the worker that is made as the index-th */

/** Options of a worker's start. @type {BootOptions} */
export const BOOT = {
  assetsURL: '/',
  baseURL: 'https://host/',
  build: '',
  headers: {},
  credentials: 'same-origin',
  origins: [],
  linkedOrigins: 'without-secrets',
  hooks: [],
  identity: 0,
  packages: [],
  packageIndexes: [],
  cacheBytes: 0,
  decodedBytes: 0,
  retries: 0,
  requestTimeout: 0,
  requestsPerOrigin: 8,
};

/** @type {Scheduler[]} */
const pools = [];
/** @type {MessagePort[]} */
const ports = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.end(new Error('the test is over'));
  for (const port of ports.splice(0)) port.close();
});

/** Wait until messages that are under way have come. */
export async function settle() {
  for (let turns = 0; turns < 20; turns++) await turn();
}

/** @template [Value=unknown] @returns {Gate<Value>} */
export function gate() {
  /** @type {Gate<Value>['open']} */
  let open = () => {};
  /** @type {Gate<Value>['fail']} */
  let fail = () => {};
  /** @type {Promise<Value>} */
  const promise = new Promise((resolve, reject) => {
    open = (value) => resolve(/** @type {Value} */ (value));
    fail = reject;
  });
  return { promise, open, fail };
}

/** One worker: what it was called with, and its loads, which wait. */
class FakeWorker {
  /** @type {FakeLoad[]} */
  loads = [];
  /** @type {NamedCall[]} */
  heard = [];
  /** Its part of the requests, as it was told. @type {number[]} */
  shares = [];
  isTerminated = false;

  /** @param {MessagePort} port @param {FakeHandlers} script @param {(words: string) => void} onDeath */
  constructor(port, { boot, ...others }, onDeath) {
    this.onDeath = onDeath;
    const hear = (/** @type {keyof WorkerCalls} */ name) => (/** @type {unknown} */ payload) => {
      this.heard.push(/** @type {NamedCall} */ ([name, payload]));
    };
    const start = boot ?? hear('boot');
    /** @type {FakeHandlers} */
    const handlers = {
      boot: async (options, context) => {
        const marks = await start(options, context); // those of its report, if a test gives some
        return { report: { kind: 'cold', marks: marks ?? [] } };
      },
      define: (file) => {
        hear('define')(file);
        return [file.name];
      },
      provide: hear('provide'),
      release: hear('release'),
      purge: hear('purge'),
      configure: hear('configure'),
      service: hear('service'),
      withdraw: hear('withdraw'),
      stats: () => ({}),
      share: ({ requestsPerOrigin }) => void this.shares.push(requestsPerOrigin),
      metadata: (payload) => new Promise(() => hear('metadata')(payload)),
      load: (payload, { signal, progress }) => {
        const load = { ...gate(), payload, signal, progress };
        this.loads.push(load);
        return load.promise;
      },
      ...others,
    };
    /** @type {Rpc<PageCalls, WorkerCalls>} */
    this.rpc = new Rpc(port, /** @type {import('../../../web/shared/rpc.js').Handlers<WorkerCalls>} */ (handlers));
  }

  /** List the imageIds of its loads. */
  names() {
    return this.loads.map(({ payload }) => payload.imageId);
  }

  /** The load that came last. */
  get lastLoad() {
    return this.loads[this.loads.length - 1];
  }

  /** List the names of the calls that it heard. */
  calls() {
    return this.heard.map(([name]) => name);
  }

  /** List the payloads of the calls of one name. @template {keyof WorkerCalls} Name @param {Name} name */
  payloads(name) {
    const found = this.heard.filter(([other]) => other === name);
    return found.map(([, payload]) => /** @type {WorkerCalls[Name]['payload']} */ (payload));
  }

  /** Have it tell the page that Python has ended. @param {string} [words] */
  die(words = 'trap') {
    this.rpc.call('died', words).catch(() => {});
  }
}

/** Places for interpreters, with a fake worker in each. @param {Script} script */
export function placesOf(script = () => ({})) {
  /** @type {FakeWorker[]} */
  const workers = [];
  /** @param {(words: string) => void} onDeath @returns {Promise<Place>} */
  const createPlace = async (onDeath) => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    const worker = new FakeWorker(port2, script(workers.length), onDeath);
    workers.push(worker);
    const terminate = () => {
      worker.isTerminated = true;
    };
    return Object.assign(port1, { terminate });
  };
  return { workers, createPlace };
}

/** A Python file of the page. @param {string} name @returns {WorkerCalls['define']['payload']} */
export function pythonFile(name) {
  return { name, source: '', packages: [], baseURL: BOOT.baseURL };
}

/** A place that nothing comes from. @param {() => void} terminate @returns {Place} */
export function emptyPlace(terminate) {
  return { postMessage() {}, addEventListener() {}, terminate };
}

/** Handlers of the calls of workers, for a page without hooks. @type {SchedulerHost['handlers']} */
export const PAGE = {
  beforeRequest: (request) => request,
  authorize: () => false,
  describe: () => undefined,
  print() {},
};

/**
 * A pool over fake workers.
 * @param {Partial<SchedulerSettings>} settings beside the defaults
 * @param {Script} script see `placesOf`
 * @param {Partial<SchedulerHost>} more of the host
 */
export function poolOf(settings = {}, script = () => ({}), more = {}) {
  const { workers, createPlace } = placesOf(script);
  /** @type {unknown[]} */
  const bootProgress = [];
  const host = {
    handlers: PAGE,
    onBootProgress: (/** @type {unknown} */ detail) => void bootProgress.push(detail),
    ...more,
    createPlace,
  };
  const pool = new Scheduler(
    {
      workers: 1,
      loadsPerWorker: 2,
      requestsPerOrigin: 8,
      timeout: 0,
      heapBytes: Infinity,
      boot: BOOT,
      ...settings,
    },
    host,
  );
  pools.push(pool);
  /** @param {string} imageId @param {Partial<JobRequest>} options @returns {Promise<unknown>} as its worker answers */
  const run = (imageId, options = {}) => {
    const job = pool.run(
      /** @type {JobRequest} */ ({
        name: 'load',
        payload: { imageId, options: {} },
        source: imageId.split('?')[0],
        ...options,
      }),
    );
    job.catch(() => {}); // a test that cares awaits it too
    return job;
  };
  return { pool, workers, run, bootProgress };
}

/** A pool whose workers have started. @param {Partial<SchedulerSettings>} [settings] @param {Script} [script] */
export async function started(settings, script) {
  const made = poolOf(settings, script);
  await made.pool.start();
  return made;
}

/** Let the machine have some cores, for one test. @param {TestContext} t @param {number} hardwareConcurrency */
export function haveCores(t, hardwareConcurrency) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency }, configurable: true });
  t.after(() => {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  });
}

/** Let mocked time pass, and messages come. @param {TestContext} t @param {number} milliseconds */
export async function pass(t, milliseconds) {
  t.mock.timers.tick(milliseconds);
  await settle();
}

/** Tell how a job has failed so far: the error, or undefined. @param {Promise<unknown>} job */
export function failureOf(job) {
  /** @type {import('../../../web/shared/errors.js').PyLoaderError | undefined} */
  let failure;
  job.catch((error) => {
    failure = error;
  });
  return () => failure;
}
