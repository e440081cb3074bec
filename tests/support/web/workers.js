// Workers for tests of the pool: ports of a MessageChannel with an Rpc behind them, whose loads wait
// until a test lets them go.
import { afterEach } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Scheduler } from '../../../web/scheduler/scheduler.js';
import { Rpc } from '../../../web/shared/rpc.js';

const pools = [];
const ports = [];
afterEach(() => {
  pools.splice(0).forEach((pool) => pool.end(new Error('the test is over')));
  ports.splice(0).forEach((port) => port.close());
});

/** Wait until messages that are under way have come. */
export async function settle() {
  for (let turns = 0; turns < 20; turns++) await turn();
}

/** A promise and what settles it. */
export function gate() {
  let [open, fail] = [];
  const promise = new Promise((resolve, reject) => ([open, fail] = [resolve, reject]));
  return { promise, open, fail };
}

/** One worker: what it was called with, and its loads, which wait. */
class FakeWorker {
  loads = [];
  heard = [];
  /** Its part of the requests, as it was told. */
  shares = [];
  isTerminated = false;

  constructor(port, { boot, ...handlers }, onDeath) {
    this.onDeath = onDeath;
    const heard = (name) => (payload) => void this.heard.push([name, payload]);
    const start = boot ?? heard('boot');
    this.rpc = new Rpc(port, {
      boot: async (...call) => (await start(...call), { report: { kind: 'cold', marks: [] } }),
      define: (payload) => (heard('define')(payload), [payload.name]),
      provide: heard('provide'),
      release: heard('release'),
      purge: heard('purge'),
      configure: heard('configure'),
      service: heard('service'),
      withdraw: heard('withdraw'),
      stats: () => ({}),
      share: ({ requestsPerOrigin }) => void this.shares.push(requestsPerOrigin),
      metadata: (payload) => new Promise(() => heard('metadata')(payload)),
      load: (payload, { signal, progress }) => {
        const load = { ...gate(), payload, signal, progress };
        this.loads.push(load);
        return load.promise;
      },
      ...handlers,
    });
  }

  names() {
    return this.loads.map(({ payload }) => payload.imageId);
  }
}

/**
 * Places for interpreters, with a fake worker in each.
 * @param {(index: number) => object} script handlers of the worker that is made as the index-th
 */
export function placesOf(script = () => ({})) {
  const workers = [];
  const createPlace = async (onDeath) => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    const worker = new FakeWorker(port2, script(workers.length), onDeath);
    workers.push(worker);
    return Object.assign(port1, { terminate: () => (worker.isTerminated = true) });
  };
  return { workers, createPlace };
}

/**
 * A pool over fake workers.
 * @param {object} settings beside the defaults
 * @param {(index: number) => object} script see `placesOf`
 * @param {object} more of the host
 */
export function poolOf(settings = {}, script = () => ({}), more = {}) {
  const { workers, createPlace } = placesOf(script);
  const bootProgress = [];
  const host = {
    handlers: { beforeRequest: (request) => ({ ...request, isHooked: true }) },
    onBootProgress: (detail) => bootProgress.push(detail),
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
      boot: { assetsURL: '/', baseURL: 'https://host/' },
      ...settings,
    },
    host,
  );
  pools.push(pool);
  const run = (imageId, options = {}) => {
    const job = pool.run({ name: 'load', payload: { imageId }, source: imageId.split('?')[0], ...options });
    job.catch(() => {}); // a test that cares awaits it too
    return job;
  };
  return { pool, workers, run, bootProgress };
}

/** A pool whose workers have started. */
export async function started(settings, script) {
  const made = poolOf(settings, script);
  await made.pool.start();
  return made;
}

/** Let the machine have some cores, for one test. */
export function haveCores(t, hardwareConcurrency) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency }, configurable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, 'navigator', before) : delete globalThis.navigator));
}

/** Let mocked time pass, and messages come. */
export async function pass(t, milliseconds) {
  t.mock.timers.tick(milliseconds);
  await settle();
}
