// @ts-check
// The number of workers: one starts, one ends, one takes another's place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyPlace, gate, haveCores, pass, poolOf, pythonFile, settle, started } from '../../support/web/workers.js';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('../../support/web/workers.js').Script} Script */
/** @typedef {import('../../support/web/workers.js').SchedulerSettings} SchedulerSettings */
/** @typedef {import('../../support/web/workers.js').Gate<import('../../support/web/workers.js').Place>} PlaceGate */
/** @typedef {Awaited<ReturnType<typeof started>>} Made */

const REST_MS = 30_000;

/**
 * Workers that were started because there was much to do, and have done it.
 * @param {TestContext} t @param {Partial<SchedulerSettings>} [settings] @param {Script} [script]
 */
async function idle(t, settings, script) {
  haveCores(t, 8);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const made = await started({ workers: 'auto', loadsPerWorker: 1, ...settings }, script);
  for (const source of ['x:a', 'x:b', 'x:c']) {
    made.run(source);
    await settle();
  }
  for (const worker of made.workers) worker.loads[0].open();
  await settle();
  return made;
}

/** Let so much time pass that all workers that may end do, one after the other. @param {TestContext} t */
async function restLong(t) {
  for (let round = 0; round < 4; round++) await pass(t, REST_MS);
}

/** @param {Pick<Made, 'pool'>} made */
const states = ({ pool }) => pool.stats().workers.map(({ state }) => state);
/** @param {Pick<Made, 'workers'>} made */
const ended = ({ workers }) => workers.map(({ isTerminated }) => isTerminated);

test('of idle workers one is left after a while', async (t) => {
  const made = await idle(t);
  assert.equal(made.workers.length, 3);
  await pass(t, REST_MS - 1);
  assert.deepEqual(states(made), ['ready', 'ready', 'ready']);
  await restLong(t);
  assert.deepEqual(states(made), ['ready']);
  assert.equal(ended(made).filter(Boolean).length, 2);
  assert.equal(made.pool.stats().deaths, 0);
});

test('another worker loads the sources of an ended one, and a new one may start', async (t) => {
  const made = await idle(t);
  await restLong(t);
  const left = ended(made).indexOf(false);
  const jobs = ['x:a', 'x:b', 'x:c'].map((source) => made.run(source));
  await settle();
  assert.equal(made.workers[left].loads.length, 2);
  assert.equal(made.workers.length, 4);
  for (const worker of made.workers.slice(left)) worker.lastLoad.open('image');
  await settle();
  made.workers[3].lastLoad.open('image');
  made.workers[left].lastLoad.open('image');
  assert.deepEqual(await Promise.all(jobs), ['image', 'image', 'image']);
});

test('a worker that has anything to do stays', async (t) => {
  const made = await idle(t, {}, () => ({ series: () => new Promise(() => {}) }));
  made.run('x:a');
  made.pool.direct('series', { url: '/s' }).catch(() => {});
  await settle();
  await restLong(t);
  assert.equal(ended(made).filter(Boolean).length, 1, 'the third has no load, and a question to answer');
});

test('a given number of workers stays', async (t) => {
  const made = await idle(t, { workers: 3 });
  await restLong(t);
  assert.deepEqual(states(made), ['ready', 'ready', 'ready']);
});

// ------------------------------------------------------------------ a large heap

/** The first worker has a heap of so many bytes, others have 10. @param {number} bytes @returns {Script} */
const heap = (bytes) => (index) => ({ stats: () => ({ heapBytes: index ? 10 : bytes }) });

/** One worker, idle, with a heap of 1,000 bytes, where 999 are enough. @param {TestContext} t @param {Script} script */
async function large(t, script = heap(1000)) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const made = await started({ heapBytes: 999 }, script);
  await made.pool.workers.broadcast('provide', { name: 'localfile:0', file: new Blob() }, 'localfile:0');
  const first = made.run('x:a');
  await settle();
  made.workers[0].loads[0].open();
  await first;
  return made;
}

test('a worker that rests with a large heap is replaced', async (t) => {
  const made = await large(t);
  await pass(t, REST_MS);
  assert.deepEqual([states(made), ended(made)], [['ready'], [true, false]]);
  assert.deepEqual(made.workers[1].calls(), ['boot', 'provide'], 'and has heard the same');
  const job = made.run('x:a');
  await settle();
  made.workers[1].loads[0].open('image');
  assert.equal(await job, 'image');
  await restLong(t);
  assert.equal(made.workers.length, 2, 'the new one is small');
});

test('a worker with the largest heap allowed stays', async (t) => {
  const made = await large(t, heap(999));
  await restLong(t);
  assert.equal(made.workers.length, 1);
});

test('a large worker goes on until the other is there, and ends its loads', async (t) => {
  const boot = gate();
  const made = await large(t, (index) => ({ ...heap(1000)(index), ...(index ? { boot: () => boot.promise } : {}) }));
  await pass(t, REST_MS);
  const begun = made.run('x:a');
  await settle();
  assert.equal(made.workers[0].loads.length, 2);
  boot.open();
  await settle();
  const next = made.run('x:a');
  await settle();
  assert.deepEqual([made.workers[0].loads.length, made.workers[1].names()], [2, ['x:a']]);
  assert.deepEqual(ended(made), [false, false]);
  made.workers[0].loads[1].open('old');
  assert.equal(await begun, 'old');
  await settle();
  assert.deepEqual(ended(made), [true, false]);
  made.workers[1].loads[0].open('new');
  assert.equal(await next, 'new');
  assert.equal(made.pool.stats().deaths, 0);
});

test('a large worker stays when no other can start', async (t) => {
  const made = await large(t, (index) => ({
    ...heap(1000)(index),
    boot: () => {
      if (index) throw new Error('no memory');
    },
  }));
  await pass(t, REST_MS);
  assert.deepEqual(ended(made), [false, true]);
  const job = made.run('x:a');
  await settle();
  made.workers[0].loads[1].open('image');
  assert.equal(await job, 'image');
});

test('a worker that dies while its heap is asked for is not replaced twice', async (t) => {
  const made = await large(t, (index) => (index ? {} : { stats: () => new Promise(() => {}) }));
  await pass(t, REST_MS);
  made.workers[0].die();
  await settle();
  assert.deepEqual([made.workers.length, states(made)], [2, ['ready']]);
});

// ------------------------------------------------------------------ other settings

/** A worker that hears of other settings. @param {number} index @param {unknown[]} heard */
const listening = (index, heard = []) =>
  /** @type {ReturnType<Script>} */ ({
    configure: (told) => void heard.push([index, told.headers.A, told.forgetsGranted]),
  });
/** @param {Made['pool']} pool @param {string} A a header */
const withHeaders = ({ settings }, A) => ({ ...settings, boot: { ...settings.boot, headers: { A } } });

test('other settings reach the workers that are there, and those to come', async (t) => {
  haveCores(t, 8);
  /** @type {unknown[]} */
  const heard = [];
  const { pool, workers, run } = await started({ workers: 'auto', loadsPerWorker: 1 }, (index) =>
    listening(index, heard),
  );
  await pool.configure(withHeaders(pool, 'new'), false);
  assert.deepEqual(heard, [[0, 'new', false]]);
  run('x:a');
  run('x:b');
  await settle();
  assert.equal(workers.length, 2);
  assert.equal(workers[1].payloads('boot')[0].headers.A, 'new', 'from its start');
});

test('other settings reach the worker that takes the place of one that died', async () => {
  const { pool, workers } = await started({}, listening);
  await pool.configure(withHeaders(pool, 'new'), false);
  workers[0].die();
  await settle();
  assert.equal(workers[1].payloads('boot')[0].headers.A, 'new');
  assert.deepEqual(states({ pool }), ['ready']);
});

test('a worker that is starting meanwhile hears of them before its first job', async () => {
  const [boot, replay] = [gate(), gate()];
  /** @type {unknown[]} */
  const heard = [];
  const { pool, workers, run } = poolOf({}, (index) => ({
    ...listening(index, heard),
    boot: () => boot.promise,
    service: () => replay.promise,
  }));
  pool.start();
  await settle();
  pool.workers.announce('service', { base: '/a', headers: {} }, 'service /a');
  await pool.configure(withHeaders(pool, 'first'), false);
  run('x:a');
  boot.open();
  await settle();
  await pool.configure(withHeaders(pool, 'second'), false); // it hears of the service just now
  replay.open();
  await settle();
  assert.deepEqual(heard.at(-1), [0, 'second', false]);
  assert.deepEqual(workers[0].names(), ['x:a']);
});

test('headers that were granted are forgotten when the page gives other headers', async () => {
  /** @type {unknown[]} */
  const granted = [];
  const { pool, workers } = await started({}, (index) => ({
    ...listening(index),
    granted: ({ base }) => void granted.push([index, base]),
  }));
  await pool.workers.announce('granted', { base: 'https://a', headers: {} }, 'granted https://a');
  await pool.configure(withHeaders(pool, 'x'), false);
  workers[0].die();
  await settle();
  assert.deepEqual(granted, [
    [0, 'https://a'],
    [1, 'https://a'],
  ]);
  await pool.configure(withHeaders(pool, 'y'), true);
  workers[1].die();
  await settle();
  assert.equal(granted.length, 2);
});

test('another number of requests is shared anew', async () => {
  const { pool, workers } = await started({ workers: 2 }, listening);
  await pool.configure({ ...pool.settings, requestsPerOrigin: 20 }, false);
  await settle();
  assert.deepEqual(
    workers.map(({ shares }) => shares.at(-1)),
    [10, 10],
  );
});

test('with more loads per worker, waiting ones begin', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 }, listening);
  for (const source of ['x:a', 'x:b', 'x:c']) run(source);
  await settle();
  assert.equal(workers[0].loads.length, 1);
  pool.configure({ ...pool.settings, loadsPerWorker: 2 }, false);
  await settle();
  assert.equal(workers[0].loads.length, 2);
});

test('later loads have the other timeout, and their errors name it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, run } = await started({ timeout: 1000, loadsPerWorker: 1 }, listening);
  const [first, second] = [run('x:a'), run('x:b')];
  await settle();
  pool.configure({ ...pool.settings, timeout: 5000 }, false);
  await pass(t, 1000);
  await assert.rejects(first, { code: 'timeout', message: /for 1000 ms/ });
  await pass(t, 4999);
  await pass(t, 1);
  await assert.rejects(second, { code: 'timeout', message: /for 5000 ms/ });
});

// ------------------------------------------------------------------ a start that fails

test('a worker that says nothing does not start', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, workers } = poolOf({}, () => ({ boot: () => new Promise(() => {}) }));
  const starting = pool.start();
  starting.catch(() => {});
  await settle();
  await pass(t, 60_000);
  await assert.rejects(starting, { code: 'boot', message: /its worker said nothing for 60 s/ });
  assert.equal(workers[0].isTerminated, true);
});

test('a worker that has sent a first message may take its time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const boot = gate();
  const { pool } = poolOf({}, () => ({
    boot: (_, { progress }) => {
      progress({ loaded: 0 });
      return boot.promise;
    },
  }));
  const starting = pool.start();
  await settle();
  await pass(t, 600_000);
  boot.open();
  await starting;
});

test('a worker that dies during the replay of earlier calls does not start', async () => {
  const { pool, workers } = poolOf({}, (index) => ({ define: () => (index ? new Promise(() => {}) : []) }));
  await pool.start();
  await pool.workers.broadcast('define', pythonFile('a.py'), 'a.py');
  const growing = pool.workers.grow();
  growing.catch(() => {});
  await settle();
  workers[1].die();
  await assert.rejects(growing, { code: 'boot', message: /Python has died \(trap\)/ });
  assert.deepEqual(states({ pool }), ['ready']);
});

test('a place that cannot be made is a failed start', async () => {
  const { pool } = poolOf();
  pool.host.createPlace = async () => {
    throw new DOMException('not from here', 'SecurityError');
  };
  await assert.rejects(pool.start(), { name: 'PyLoaderError', code: 'boot', message: /not from here/ });
});

test('a place that is made after the end is terminated', async () => {
  const made = /** @type {PlaceGate} */ (gate());
  const { pool } = poolOf();
  let terminated = 0;
  pool.host.createPlace = () => made.promise;
  const starting = pool.start();
  pool.end(new Error('over'));
  made.open(emptyPlace(() => terminated++));
  await assert.rejects(starting, { message: 'over' });
  await settle();
  assert.equal(terminated, 1);
});
