// @ts-check
// The worker of each job, the order of jobs, and jobs that fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PyLoaderError } from '../../../web/shared/errors.js';
import { PAGE, failureOf, gate, haveCores, pass } from '../../support/web/workers.js';
import { poolOf, pythonFile, settle, started } from '../../support/web/workers.js';

/** @typedef {import('../../support/web/workers.js').Script} Script */
/** @typedef {import('../../support/web/workers.js').JobRequest} JobRequest */
/** @typedef {import('../../../web/scheduler/queue.js').Urgency} Urgency */
/** @typedef {Awaited<ReturnType<typeof started>>['workers']} Workers */

const SERIES = { url: '/s' };
const MINE = pythonFile('mine');

/** All but the first worker fail to start. @param {number} index @returns {ReturnType<Script>} */
const onlyFirstStarts = (index) => ({ boot: () => (index ? Promise.reject(new Error('no memory')) : undefined) });
/** Of three workers the last never starts. @param {number} index @returns {ReturnType<Script>} */
const thirdHangs = (index) => ({ boot: () => (index === 2 ? new Promise(() => {}) : undefined) });

// ------------------------------------------------------------------ starting

test('a given number of workers boots at once', async () => {
  const { pool, workers } = await started({ workers: 3 });
  assert.equal(workers.length, 3);
  assert.deepEqual(workers[2].calls(), ['boot']);
  assert.equal(workers[2].payloads('boot')[0].assetsURL, '/');
  assert.deepEqual(
    pool.stats().workers.map(({ state }) => state),
    ['ready', 'ready', 'ready'],
  );
  assert.ok(pool.stats().workers.every(({ bootMilliseconds }) => bootMilliseconds > 0));
});

test('auto boots one, and another when all are busy', async (t) => {
  haveCores(t, 8);
  const { workers, run } = await started({ workers: 'auto', loadsPerWorker: 1 });
  assert.equal(workers.length, 1);
  run('x:a');
  await settle();
  assert.equal(workers.length, 1);
  run('x:b');
  await settle();
  assert.deepEqual(
    workers.map((worker) => worker.names()),
    [['x:a'], ['x:b']],
  );
});

for (const [cores, limit] of [
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [64, 4],
]) {
  test(`auto makes at most ${limit} of ${cores} cores`, async (t) => {
    haveCores(t, cores);
    const { workers, run } = await started({ workers: 'auto', loadsPerWorker: 1 });
    for (let source = 0; source < 10; source++) {
      run(`x:${source}`);
      await settle();
    }
    assert.equal(workers.length, limit);
  });
}

test('progress of booting reaches the host', async () => {
  const { bootProgress } = await started({}, () => ({ boot: (_, { progress }) => progress({ loaded: 50 }) }));
  assert.deepEqual(bootProgress, [{ loaded: 50 }]);
});

test('workers may call the page', async () => {
  const request = { url: 'a', origin: '', headers: {}, credentials: /** @type {const} */ ('omit') };
  const handlers = { ...PAGE, beforeRequest: () => ({ ...request, url: 'hooked' }) };
  const { pool, workers } = poolOf({}, undefined, { handlers });
  await pool.start();
  assert.deepEqual(await workers[0].rpc.call('beforeRequest', request), { ...request, url: 'hooked' });
});

test('jobs that come before Python is there wait for it', async () => {
  const boot = gate();
  const { pool, workers, run } = poolOf({}, () => ({ boot: () => boot.promise }));
  pool.start();
  run('x:a');
  await settle();
  assert.deepEqual([workers[0].loads.length, pool.stats().queued], [0, 1]);
  boot.open();
  await settle();
  assert.deepEqual([workers[0].loads.length, pool.stats().queued], [1, 0]);
});

test('a boot that fails rejects start and the queue', async () => {
  const boot = gate();
  const { pool, workers, run } = poolOf({}, () => ({ boot: () => boot.promise }));
  const starting = pool.start();
  const job = run('x:a');
  await settle();
  boot.fail(new PyLoaderError({ code: 'boot', message: 'no wheel' }));
  await assert.rejects(starting, { code: 'boot', message: 'no wheel' });
  await assert.rejects(job, { code: 'boot', message: 'no wheel' });
  assert.equal(workers[0].isTerminated, true);
  assert.deepEqual(pool.stats(), { workers: [], queued: 0, deaths: 0 });
});

test('a worker that cannot be loaded says why', async () => {
  const { pool, workers } = poolOf({}, () => ({ boot: () => new Promise(() => {}) }));
  const starting = pool.start();
  await settle();
  workers[0].onDeath('worker.mjs cannot be loaded');
  await assert.rejects(starting, {
    code: 'boot',
    kind: 'BootError',
    message: /^Python could not start from \/: worker\.mjs cannot be loaded\. .*worker-src.*init\(\{ assetsURL \}\)/,
  });
  await assert.rejects(starting, { message: /assetsURL \}\)\. See docs\/apps\.md in the package$/ });
});

test('a boot that fails beside workers at work leaves the jobs to them', async () => {
  const boots = [gate(), gate()];
  const { pool, workers, run } = poolOf({ workers: 2, loadsPerWorker: 1 }, (index) => ({
    boot: () => boots[index].promise,
  }));
  const starting = pool.start();
  boots[0].open();
  await settle();
  const jobs = [run('x:a'), run('x:b')];
  boots[1].fail(new Error('no memory'));
  await assert.rejects(starting, { message: 'no memory' });
  assert.equal(pool.stats().queued, 1);
  await settle();
  for (const index of [0, 1]) {
    workers[0].loads[index].open('image');
    assert.equal(await jobs[index], 'image');
    await settle();
  }
});

test('after a failed boot the next job tries again', async () => {
  const { pool, workers, run } = poolOf({}, (index) => ({
    boot: () => {
      if (index === 0) throw new Error('no wheel');
    },
  }));
  await assert.rejects(pool.start(), { message: 'no wheel' });
  const job = run('x:a');
  await settle();
  workers[1].loads[0].open('image');
  assert.equal(await job, 'image');
});

// ------------------------------------------------------------------ routing

test('a job is answered by its worker', async () => {
  const { workers, run } = await started();
  const job = run('x:a?frame=2');
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a?frame=2']);
  workers[0].loads[0].open({ rows: 3 });
  assert.deepEqual(await job, { rows: 3 });
});

test('a job fails as its worker says', async () => {
  const { workers, run } = await started();
  const job = run('x:a');
  await settle();
  workers[0].loads[0].fail(new PyLoaderError({ code: 'format', message: 'not DICOM' }));
  await assert.rejects(job, { code: 'format', message: 'not DICOM' });
});

test('frames of one source go to one worker', async () => {
  const { workers, run } = await started({ workers: 2, loadsPerWorker: 4 });
  for (const frame of [1, 2, 3]) run(`x:a?frame=${frame}`);
  await settle();
  assert.deepEqual(workers.map(({ loads }) => loads.length).sort(), [0, 3]);
});

test('a source waits for its worker though another is idle', async () => {
  const { pool, workers, run } = await started({ workers: 2, loadsPerWorker: 1 });
  run('x:a?frame=1');
  run('x:a?frame=2');
  await settle();
  assert.deepEqual([workers[0].names(), workers[1].names()], [['x:a?frame=1'], []]);
  assert.equal(pool.stats().queued, 1);
  workers[0].loads[0].open();
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a?frame=1', 'x:a?frame=2']);
});

test('a source is known also when nothing of it runs', async () => {
  const { workers, run } = await started({ workers: 2 });
  const first = run('x:a?frame=1');
  await settle();
  workers[0].loads[0].open();
  await first;
  run('x:b');
  await settle();
  run('x:a?frame=2');
  await settle();
  assert.deepEqual(
    workers.map((worker) => worker.names().filter((name) => name.startsWith('x:a'))),
    [['x:a?frame=1', 'x:a?frame=2'], []],
  );
});

test('new sources go to the least busy worker', async () => {
  const { workers, run } = await started({ workers: 2, loadsPerWorker: 4 });
  for (const source of ['x:a', 'x:b', 'x:c', 'x:d']) run(source);
  await settle();
  assert.deepEqual(
    workers.map((worker) => worker.names()),
    [
      ['x:a', 'x:c'],
      ['x:b', 'x:d'],
    ],
  );
});

test('a worker has no more loads than its limit', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 2 });
  for (const source of ['x:a', 'x:b', 'x:c']) run(source);
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a', 'x:b']);
  assert.deepEqual([pool.stats().queued, pool.stats().workers[0].running], [1, 2]);
  workers[0].loads[1].fail(new Error('broken'));
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a', 'x:b', 'x:c']);
});

test('release tells the worker of the source, and forgets its home', async () => {
  const { pool, workers, run } = await started({ workers: 2 });
  const job = run('x:a');
  await settle();
  workers[0].loads[0].open();
  await job;
  pool.release('x:a');
  pool.release('x:nothing');
  await settle();
  assert.deepEqual(workers[0].heard.slice(1), [['release', { source: 'x:a' }]]);
  assert.deepEqual(workers[1].heard.slice(1), []);
  run('x:b');
  await settle();
  run('x:a'); // no longer bound to the first worker, which is busy now
  await settle();
  assert.deepEqual(workers[1].names(), ['x:a']);
});

// ------------------------------------------------------------------ order

test('jobs go by request type, then priority, then age', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 });
  run('x:running');
  await settle();
  run('x:compute', { requestType: 'compute', priority: -100 });
  run('x:prefetch', { requestType: 'prefetch' });
  run('x:thumbnail', { requestType: 'thumbnail' });
  run('x:low', { requestType: 'interaction', priority: 5 });
  run('x:first', { requestType: 'interaction' });
  run('x:second', { priority: 0 });
  run('x:third', { requestType: 'nobody knows' });
  run('x:urgent', { priority: -1 });
  for (let index = 0; index < 9; index++) {
    await settle();
    workers[0].loads[index].open();
  }
  const expected = ['running', 'urgent', 'first', 'second', 'third', 'low', 'thumbnail', 'prefetch', 'compute'];
  assert.deepEqual(
    workers[0].names(),
    expected.map((name) => `x:${name}`),
  );
});

test('jobs that are asked for at once are ordered before any of them goes', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 });
  run('x:ahead', { requestType: 'prefetch' });
  run('x:wanted');
  assert.equal(pool.stats().queued, 2, 'until the page has asked for all');
  await Promise.resolve();
  assert.deepEqual([pool.stats().queued, pool.stats().workers[0].running], [1, 1]);
  await settle();
  assert.deepEqual(workers[0].names(), ['x:wanted']);
});

test('no job goes while the page asks for more', async () => {
  const asking = /** @type {import('../../support/web/workers.js').Gate<void>} */ (gate());
  const { pool, workers, run } = poolOf({ loadsPerWorker: 1 }, undefined, { settle: () => asking.promise });
  await pool.start();
  run('x:a?frame=1', { requestType: 'prefetch' });
  await settle();
  run('x:a?frame=2');
  await settle();
  assert.equal(pool.stats().queued, 2);
  asking.open();
  await settle();
  assert.deepEqual([workers[0].names(), upcomingOf(workers[0])], [['x:a?frame=2'], [[0]]]);
});

test('later jobs do not wait for earlier ones', async () => {
  const { workers, run } = await started();
  run('x:a');
  await settle();
  run('x:b');
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a', 'x:b']);
});

for (const [options, urgency] of /** @type {[Urgency, number[]][]} */ ([
  [{}, [0, 0]],
  [{ requestType: 'interaction', priority: -3 }, [0, -3]],
  [{ requestType: 'thumbnail' }, [1, 0]],
  [{ requestType: 'prefetch', priority: 5 }, [2, 5]],
  [{ requestType: 'compute' }, [3, 0]],
  [{ requestType: 'nobody knows', priority: 2 }, [0, 2]],
])) {
  test(`a worker is told the urgency of ${JSON.stringify(options)}`, async () => {
    const { workers, run } = await started();
    run('x:a', options);
    await settle();
    assert.deepEqual(workers[0].loads[0].payload, { imageId: 'x:a', options: {}, urgency, upcoming: [] });
  });
}

// ------------------------------------------------------------------ upcoming frames

/** List the upcoming frames that each load of a worker was told. @param {Workers[number]} worker */
const upcomingOf = (worker) => worker.loads.map(({ payload }) => payload.upcoming);

test('a load is told the frames of its source that wait behind it, from 0, in their order', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 });
  run('x:a?frame=3');
  run('x:a?frame=9', { requestType: 'prefetch' });
  run('x:b?frame=4');
  run('x:a?frame=5');
  run('x:a?frame=1', { priority: 1 });
  await settle();
  assert.deepEqual(upcomingOf(workers[0]), [[4, 0, 8]]);
  workers[0].loads[0].open();
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a?frame=3', 'x:b?frame=4']);
  assert.deepEqual(upcomingOf(workers[0])[1], []);
  workers[0].loads[1].open();
  await settle();
  assert.deepEqual([workers[0].names()[2], upcomingOf(workers[0])[2]], ['x:a?frame=5', [0, 8]]);
});

test('frames that go at the same time are told too', async () => {
  const { workers, run } = await started({ loadsPerWorker: 3 });
  for (const frame of [1, 2, 3]) run(`x:a?frame=${frame}`);
  await settle();
  assert.deepEqual(upcomingOf(workers[0]), [[1, 2], [2], []]);
});

test('a whole instance is frame 0', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 });
  run('x:a?frame=2');
  run('x:a');
  await settle();
  assert.deepEqual(upcomingOf(workers[0]), [[0]]);
});

test('cancelled loads are not upcoming', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 });
  const controller = new AbortController();
  run('x:a?frame=1');
  run('x:a?frame=2', { signal: controller.signal });
  run('x:a?frame=3');
  controller.abort();
  await settle();
  assert.deepEqual(upcomingOf(workers[0]), [[2]]);
});

test('of many upcoming frames the first 256 are told', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 });
  for (let frame = 1; frame <= 300; frame++) run(`x:a?frame=${frame}`);
  await settle();
  assert.deepEqual(upcomingOf(workers[0]), [Array.from({ length: 256 }, (_, index) => index + 1)]);
});

test('the first load of a source begins with its request, if that is known', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 9 });
  pool.host.loaderOf = (scheme) => (scheme === 'dicomweb' ? 'own.py' : undefined);
  for (const imageId of ['wadouri:/a', 'wadouri:/b?frame=2', 'dicomweb:/c', 'x:/d']) run(imageId);
  run('wadouri:/e', { name: 'metadata' });
  await settle();
  run('wadouri:/a', { payload: { imageId: 'wadouri:/a', options: {} } });
  run('wadouri:/e');
  await settle();
  const aheads = () => workers[0].loads.map(({ payload }) => payload.ahead);
  assert.deepEqual(aheads(), ['/a', undefined, undefined, undefined, undefined, undefined]);
  for (const load of workers[0].loads) load.open({});
  await pool.purge();
  run('wadouri:/a');
  await settle();
  assert.equal(aheads().at(-1), '/a', 'the worker has lost the source');
});

test('a source may hold an invalid frame', async () => {
  const { workers, run } = await started({}, () => ({}));
  const job = run('wadouri:/a?frame=1&frame=0', { source: 'wadouri:/a?frame=0' });
  await settle();
  workers[0].loads[0].open('image');
  assert.equal(await job, 'image');
});

test('metadata jobs have no upcoming frames, and are none for loads', async () => {
  const { workers, run } = await started({ loadsPerWorker: 2 });
  run('x:a?frame=1', { name: 'metadata' });
  run('x:a?frame=2');
  run('x:a?frame=3', { name: 'metadata' });
  run('x:a?frame=4');
  await settle();
  const expected = { imageId: 'x:a?frame=1', options: {}, urgency: [0, 0], upcoming: [] };
  assert.deepEqual(workers[0].heard.at(-1), ['metadata', expected]);
  assert.deepEqual(upcomingOf(workers[0]), [[3]]);
});

test('frames of DICOMweb are told as well', async () => {
  const { run, workers } = await started({ loadsPerWorker: 1 });
  const source = 'wadors:/dw/studies/1/series/2/instances/3';
  for (const frame of [1, 7]) run(`${source}/frames/${frame}`, { source });
  await settle();
  assert.deepEqual(upcomingOf(workers[0]), [[6]]);
});

// ------------------------------------------------------------------ hurry

/**
 * A pool with one load under way and others that wait, in this order; `hurry` by imageId.
 * @param {[imageId: string, options: Partial<JobRequest>][]} waits
 */
async function waiting(...waits) {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 });
  run('x:running');
  await settle();
  const payloads = Object.fromEntries(waits.map(([imageId]) => [imageId, { imageId, options: {} }]));
  for (const [imageId, options] of waits) run(imageId, { payload: payloads[imageId], ...options });
  const hurry = (/** @type {string} */ imageId, /** @type {Urgency} */ urgency) =>
    pool.hurry(payloads[imageId], urgency);
  /** The order in which they go. */
  async function order() {
    for (let index = 0; index <= waits.length; index++) {
      await settle();
      workers[0].loads[index].open();
    }
    return workers[0].names().slice(1);
  }
  return { pool, workers, hurry, order };
}

/** @type {Parameters<typeof waiting>} */
const QUEUE = [
  ['x:1', {}],
  ['x:2', {}],
  ['x:3', { requestType: 'thumbnail' }],
  ['x:4', { requestType: 'prefetch' }],
  ['x:5', { requestType: 'prefetch' }],
];

for (const [what, imageId, urgency, expected] of /** @type {[string, string, Urgency, string][]} */ ([
  ['a viewer that waits for it moves it before older ones', 'x:5', { requestType: 'interaction' }, '5 1 2 3 4'],
  ['it goes behind jobs of the same urgency', 'x:5', { requestType: 'thumbnail' }, '1 2 3 5 4'],
  ['no type is an interaction', 'x:4', {}, '1 2 4 3 5'],
  ['a better priority moves it forward', 'x:2', { priority: -1 }, '2 1 3 4 5'],
  ['a better priority within its type', 'x:5', { requestType: 'prefetch', priority: -1 }, '1 2 3 5 4'],
  ['a better type counts more than a worse priority', 'x:5', { requestType: 'thumbnail', priority: 9 }, '1 2 3 5 4'],
  ['the same leaves it where it is', 'x:4', { requestType: 'prefetch' }, '1 2 3 4 5'],
  ['the same leaves the oldest first', 'x:1', {}, '1 2 3 4 5'],
  ['a worse type does not move it back', 'x:1', { requestType: 'prefetch' }, '1 2 3 4 5'],
  ['a worse type counts more than a better priority', 'x:1', { requestType: 'prefetch', priority: -9 }, '1 2 3 4 5'],
  ['a worse priority does not move it back', 'x:1', { priority: 1 }, '1 2 3 4 5'],
])) {
  test(`hurry: ${what}`, async () => {
    const { hurry, order } = await waiting(...QUEUE);
    hurry(imageId, urgency);
    assert.equal((await order()).join(' ').replaceAll('x:', ''), expected);
  });
}

test('of the loads that a viewer waits for, those of the newest turn go first', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 });
  run('x:running');
  await settle();
  const scrolled = { requestType: 'interaction' };
  const older = { imageId: 'x:1', options: {} };
  for (const turn of [['x:1', 'x:2'], ['x:3'], ['x:4', 'x:5']]) {
    for (const imageId of turn) run(imageId, { ...scrolled, ...(imageId === 'x:1' && { payload: older }) });
    run(`${turn[0]}p`, { requestType: 'prefetch' });
    await settle();
  }
  pool.hurry(older, scrolled); // the user has scrolled back
  for (let index = 0; index < 9; index++) {
    workers[0].loads[index].open();
    await settle();
  }
  const order = workers[0].names().slice(1).join(' ').replaceAll('x:', '');
  assert.equal(order, '1 4 5 3 2 1p 3p 4p');
});

test('hurry: a later, less urgent request does not move it back', async () => {
  const { hurry, order } = await waiting(...QUEUE);
  hurry('x:5', { priority: -1 });
  hurry('x:5', { requestType: 'compute' });
  assert.equal((await order())[0], 'x:5');
});

test('hurry: its worker is told the new urgency', async () => {
  const { workers, hurry, order } = await waiting(...QUEUE);
  hurry('x:5', { requestType: 'thumbnail', priority: -2 });
  await order();
  const load = workers[0].loads.find(({ payload }) => payload.imageId === 'x:5');
  assert.deepEqual(load?.payload.urgency, [1, -2]);
});

test('hurry: a job that runs already, or never was here, changes nothing', async () => {
  const { pool, hurry, order } = await waiting(...QUEUE);
  pool.hurry(/** @type {any} */ (undefined), {});
  pool.hurry({ imageId: 'x:5', options: {} }, { priority: -1 });
  assert.equal(pool.stats().queued, 5);
  assert.deepEqual(await order(), ['x:1', 'x:2', 'x:3', 'x:4', 'x:5']);
  hurry('x:1', { priority: -1 });
  assert.equal(pool.stats().queued, 0);
});

test('hurry: a job that was moved can still be cancelled', async () => {
  const controller = new AbortController();
  const { pool, workers, hurry } = await waiting(
    ['x:1', {}],
    ['x:2', { requestType: 'prefetch', signal: controller.signal }],
  );
  hurry('x:2', { priority: -1 });
  controller.abort();
  assert.equal(pool.stats().queued, 1);
  workers[0].loads[0].open();
  await settle();
  assert.deepEqual(workers[0].names(), ['x:running', 'x:1']);
});

// ------------------------------------------------------------------ past the queue

test('a direct call does not wait for the queue', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 }, () => ({ series: ({ url }) => [url] }));
  run('x:a');
  run('x:b');
  await settle();
  assert.deepEqual(await pool.direct('series', SERIES), ['/s']);
  assert.deepEqual(workers[0].names(), ['x:a']);
  assert.deepEqual(pool.stats().workers[0].running, 1, 'and takes no place in it');
});

test('a direct call goes to the least busy worker', async () => {
  const { pool, run } = await started({ workers: 2, loadsPerWorker: 4 }, (index) => ({ series: () => index }));
  run('x:a');
  await settle();
  assert.equal(await pool.direct('series', SERIES), 1);
  run('x:b');
  run('x:b?frame=2');
  await settle();
  assert.equal(await pool.direct('series', SERIES), 0);
});

test('a direct call waits for a worker, and starts one when there is none', async () => {
  const boot = gate();
  const { pool, workers } = poolOf({}, () => ({ boot: () => boot.promise, series: () => 'rows' }));
  const asked = pool.direct('series', SERIES);
  await settle();
  assert.deepEqual([workers.length, pool.stats().workers[0].state], [1, 'booting']);
  boot.open();
  assert.equal(await asked, 'rows');
});

test('a direct call waits for a worker that starts, not for all', async () => {
  const { pool, workers } = poolOf({ workers: 2 }, (index) => ({
    boot: () => (index ? new Promise(() => {}) : undefined),
    series: () => index,
  }));
  pool.start().catch(() => {});
  assert.equal(await pool.direct('series', SERIES), 0);
  assert.equal(workers.length, 2, 'and starts no further one');
});

test('a direct call fails with the boot', async () => {
  const { pool } = poolOf({}, () => ({ boot: () => Promise.reject(new Error('no wasm')) }));
  const starting = assert.rejects(pool.start(), /no wasm/);
  await assert.rejects(pool.direct('series', SERIES), /no wasm/);
  await starting;
});

test('a direct call can be cancelled and tells its progress', async () => {
  /** @type {AbortSignal[]} */
  const signals = [];
  const { pool } = await started({}, () => ({
    series: (_, { signal, progress }) => {
      progress(7);
      signals.push(signal);
      return new Promise(() => {});
    },
  }));
  const controller = new AbortController();
  /** @type {unknown[]} */
  const heard = [];
  const onProgress = (/** @type {unknown} */ detail) => heard.push(detail);
  const asked = pool.direct('series', SERIES, { signal: controller.signal, onProgress });
  asked.catch(() => {});
  await settle();
  assert.deepEqual(heard, [7]);
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  await settle();
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  );
});

test('a direct call fails as its worker says, and with its death', async () => {
  const { pool, workers } = await started({}, () => ({
    series: ({ url }) =>
      url ? Promise.reject(new PyLoaderError({ code: 'format', message: 'not JSON' })) : new Promise(() => {}),
  }));
  await assert.rejects(pool.direct('series', SERIES), { code: 'format', message: 'not JSON' });
  const lost = assert.rejects(pool.direct('series', { url: '' }), { code: 'worker' });
  await settle();
  workers[0].die();
  await lost;
});

// ------------------------------------------------------------------ requests

/** List the share that each worker was told last. @param {Workers} workers */
const sharesOf = (workers) => workers.map(({ shares }) => shares.at(-1));

for (const [count, requestsPerOrigin, each] of [
  [1, 8, 8],
  [2, 8, 4],
  [3, 8, 2],
  [3, 2, 1],
  [2, 1, 1],
]) {
  test(`of ${requestsPerOrigin} requests each of ${count} workers may have ${each}`, async () => {
    const { workers } = await started({ workers: count, requestsPerOrigin });
    await settle();
    assert.deepEqual(sharesOf(workers), Array(count).fill(each));
  });
}

test('a new worker takes its share from the others', async (t) => {
  haveCores(t, 8);
  const { workers, run } = await started({ workers: 'auto', loadsPerWorker: 1 });
  await settle();
  assert.deepEqual(workers[0].shares, [8]);
  run('x:a');
  run('x:b');
  await settle();
  assert.deepEqual(
    workers.map(({ shares }) => shares),
    [[8, 4], [4]],
  );
});

test('a worker that dies leaves its share to the others, until another comes', async () => {
  const boot = gate();
  const { workers } = await started({ workers: 2 }, (index) => ({
    boot: () => (index === 2 ? boot.promise : undefined),
  }));
  await settle();
  await kill(workers[0]);
  assert.deepEqual(sharesOf(workers), [4, 8, undefined]);
  boot.open();
  await settle();
  assert.deepEqual(sharesOf(workers), [4, 4, 4]);
});

test('a worker that is still starting has no share', async () => {
  const boot = gate();
  const { pool, workers } = poolOf({ workers: 2 }, (index) => ({ boot: () => (index ? boot.promise : undefined) }));
  const starting = pool.start();
  await settle();
  assert.deepEqual(sharesOf(workers), [8, undefined]);
  boot.open();
  await starting;
  await settle();
  assert.deepEqual(sharesOf(workers), [4, 4]);
});

test('a worker that could not start has no share', async () => {
  const { pool, workers } = poolOf({ workers: 2 }, onlyFirstStarts);
  await assert.rejects(pool.start(), { message: 'no memory' });
  await settle();
  assert.deepEqual(sharesOf(workers), [8, undefined]);
});

// ------------------------------------------------------------------ cancel

test('a job that is cancelled in the queue never starts', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 });
  run('x:a');
  const controller = new AbortController();
  const cancelled = run('x:b', { signal: controller.signal });
  controller.abort();
  await assert.rejects(cancelled, { name: 'AbortError' });
  assert.equal(pool.stats().queued, 0);
  await settle();
  workers[0].loads[0].open();
  await settle();
  assert.deepEqual(workers[0].names(), ['x:a']);
});

test('a job whose signal has aborted is not taken', async () => {
  const { workers, run } = await started();
  await assert.rejects(run('x:a', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await settle();
  assert.deepEqual(workers[0].loads, []);
});

test('a job that is cancelled while it runs frees its place', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 });
  const controller = new AbortController();
  const cancelled = run('x:a', { signal: controller.signal });
  run('x:b');
  await settle();
  controller.abort();
  await assert.rejects(cancelled, { name: 'AbortError' });
  await settle();
  assert.equal(workers[0].loads[0].signal.aborted, true);
  assert.deepEqual(workers[0].names(), ['x:a', 'x:b']);
});

// ------------------------------------------------------------------ death

/** Have a worker die, and its jobs go on. @param {Workers[number]} worker @param {string} [words] */
async function kill(worker, words) {
  worker.die(words);
  await settle();
}

test('the only job of a worker that dies is to blame, and another worker boots', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 1 });
  const [guilty, waiting] = [run('x:a'), run('x:b')];
  await settle();
  const failed = assert.rejects(guilty, {
    kind: 'WorkerError',
    code: 'worker',
    stage: 'worker',
    imageId: 'x:a',
    message: /has died \(unreachable executed\); a new one takes its place/,
  });
  await kill(workers[0], 'unreachable executed');
  await failed;
  assert.equal(workers[0].isTerminated, true);
  assert.deepEqual([workers.length, pool.stats().deaths], [2, 1]);
  assert.deepEqual(workers[1].names(), ['x:b']);
  workers[1].loads[0].open('image');
  assert.equal(await waiting, 'image');
});

test('of several jobs each is loaded again by the next worker, once, and alone', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 8 });
  const jobs = ['x:a', 'x:b', 'x:c'].map((source) => run(source));
  await settle();
  assert.equal(workers[0].loads.length, 3);
  await kill(workers[0]);
  const later = run('x:d');
  for (let round = 0; round < 3; round++) {
    await settle();
    assert.equal(workers[1].loads.length, round + 1, 'one at a time');
    workers[1].loads[round].open(`image of ${workers[1].names()[round]}`);
  }
  assert.deepEqual(await Promise.all(jobs), ['image of x:a', 'image of x:b', 'image of x:c']);
  await settle();
  workers[1].loads[3].open('later');
  assert.equal(await later, 'later');
  assert.deepEqual([pool.stats().deaths, workers[1].names().sort()], [1, ['x:a', 'x:b', 'x:c', 'x:d']]);
});

test('the job that kills the next worker too is to blame, and the others are loaded', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 8 });
  const jobs = Object.fromEntries(['x:a', 'x:bad', 'x:c'].map((source) => [source, run(source)]));
  await settle();
  const failed = assert.rejects(jobs['x:bad'], { code: 'worker', imageId: 'x:bad' });
  await kill(workers[0]);
  for (let next = 1, done = 0; done < 3; done++) {
    const load = workers[next].lastLoad;
    if (load.payload.imageId === 'x:bad') await kill(workers[next++]);
    else load.open('image');
    await settle();
  }
  await failed;
  assert.deepEqual(await Promise.all([jobs['x:a'], jobs['x:c']]), ['image', 'image']);
  assert.deepEqual([pool.stats().deaths, pool.stats().queued, workers.length], [2, 0, 3]);
});

test('no load is tried without end, though each next worker dies', async () => {
  const { pool, workers, run } = await started({ loadsPerWorker: 8 });
  const jobs = ['x:a', 'x:b', 'x:c'].map((source) => run(source));
  const outcomes = Promise.allSettled(jobs);
  await settle();
  for (let next = 0; next < 4; next++) await kill(workers[next]);
  assert.deepEqual(
    (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code),
    ['worker', 'worker', 'worker'],
  );
  assert.equal(pool.stats().deaths, 4);
});

test('a job that was cancelled meanwhile is not loaded again', async () => {
  const { workers, run } = await started({ loadsPerWorker: 8 });
  const controller = new AbortController();
  const [left] = [run('x:a', { signal: controller.signal }), run('x:b'), run('x:c')];
  await settle();
  workers[0].die();
  controller.abort();
  await assert.rejects(left, { name: 'AbortError' });
  await settle();
  assert.equal(workers[1].names().includes('x:a'), false);
});

test('batched loads are loaded again one by one', async () => {
  const { workers, run } = await started({ loadsPerWorker: 8 });
  const jobs = [1, 2, 3].map((frame) => run(`wadouri:/a.dcm?frame=${frame}`));
  await settle();
  assert.equal(workers[0].loads[0].payload.batch?.length, 2);
  await kill(workers[0]);
  for (let round = 0; round < 3; round++) {
    await settle();
    assert.equal(workers[1].loads[round].payload.batch, undefined);
    workers[1].loads[round].open({ image: round });
  }
  assert.equal((await Promise.all(jobs)).length, 3);
});

test('a load beside a direct call is not to blame alone', async () => {
  const { pool, workers, run } = await started({}, (index) => ({
    series: () => (index ? 'metadata' : new Promise(() => {})),
  }));
  const job = run('x:a');
  const asked = pool.direct('series', SERIES);
  await settle();
  await kill(workers[0]);
  workers[1].loads[0].open('image');
  assert.deepEqual([await job, await asked], ['image', 'metadata']);
});

test('a suspect waits until a worker has nothing to do, and later jobs wait for the suspect', async () => {
  const { workers, run } = await started({ workers: 2, loadsPerWorker: 2 }, (index) => ({
    boot: () => (index > 1 ? Promise.reject(new Error('no memory')) : undefined),
  }));
  const jobs = ['x:a', 'x:b', 'x:c', 'x:d'].map((source) => run(source));
  await settle();
  const [lost, busy] = workers[0].names().includes('x:a') ? [workers[0], workers[1]] : [workers[1], workers[0]];
  await kill(lost);
  const later = run('x:e');
  await settle();
  assert.equal(busy.loads.length, 2, 'it has others to do');
  for (const load of busy.loads.slice(0, 2)) load.open('image');
  for (let next = 2; next < 5; next++) {
    await settle();
    busy.loads[next].open('image');
  }
  assert.deepEqual(await Promise.all([...jobs, later]), Array(5).fill('image'));
});

test('after a death its sources go to others', async () => {
  const { workers, run } = await started({ workers: 2 }, thirdHangs);
  run('x:a');
  await settle();
  await kill(workers[0]);
  run('x:a');
  await settle();
  assert.deepEqual(workers[1].names(), ['x:a']);
});

test('the death of one worker leaves the jobs of others alone', async () => {
  const { workers, run } = await started({ workers: 2 });
  const [lost, kept] = [run('x:a'), run('x:b')];
  await settle();
  workers[0].die();
  await assert.rejects(lost, { code: 'worker' });
  workers[1].loads[0].open('image');
  assert.equal(await kept, 'image');
});

test('an uncaught error ends a worker only when Python no longer answers', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] }); // the deadline of the answer would hold node up
  let isAlive = true;
  const { pool, workers, run } = await started({}, () => ({
    stats: () => (isAlive ? {} : Promise.reject(new Error('trap'))),
  }));
  const job = run('x:a');
  await settle();
  workers[0].onDeath('script error');
  await settle();
  assert.equal(pool.stats().deaths, 0);
  isAlive = false;
  workers[0].onDeath('script error');
  await assert.rejects(job, { code: 'worker', message: /script error/ });
  assert.equal(pool.stats().deaths, 1);
});

test('a worker that does not come back fails the queue', async () => {
  const { workers, run } = await started({ loadsPerWorker: 1 }, onlyFirstStarts);
  run('x:a');
  const waiting = run('x:b');
  await settle();
  workers[0].die();
  await assert.rejects(waiting, { message: 'no memory' });
});

// ------------------------------------------------------------------ broadcasts

test('a broadcast reaches every worker and tells the first answer', async () => {
  const { pool, workers } = await started({ workers: 2 });
  assert.deepEqual(await pool.workers.broadcast('define', MINE, 'define mine'), ['mine']);
  for (const worker of workers) assert.deepEqual(worker.heard.at(-1), ['define', MINE]);
});

test('late workers hear earlier broadcasts, the latest of each key', async () => {
  const { pool, workers } = await started();
  await pool.workers.broadcast('define', pythonFile('old'), 'define mine');
  await pool.workers.broadcast('withdraw', { name: 'localfile:0' }, 'localfile:0');
  await pool.workers.broadcast('withdraw', { name: 'localfile:1' }, 'localfile:1');
  await pool.workers.broadcast('define', pythonFile('new'), 'define mine');
  pool.workers.forgetReplay('localfile:0');
  await kill(workers[0]);
  assert.deepEqual(workers[1].heard.slice(1), [
    ['withdraw', { name: 'localfile:1' }],
    ['define', pythonFile('new')],
  ]);
});

test('a late worker hears everything before its first job', async () => {
  const replay = gate();
  const { pool, workers, run } = await started({}, (index) => ({ define: () => (index ? replay.promise : ['mine']) }));
  await pool.workers.broadcast('define', MINE, 'define mine');
  await kill(workers[0]);
  run('mine:a');
  await settle();
  assert.equal(workers[1].loads.length, 0);
  replay.open();
  await settle();
  assert.deepEqual(workers[1].names(), ['mine:a']);
});

test('a worker that becomes ready during a broadcast hears it too', async () => {
  const [boot, answer] = [gate(), gate()];
  const { pool, workers } = poolOf({ workers: 2 }, (index) =>
    index ? { boot: () => boot.promise } : { define: () => answer.promise },
  );
  const starting = pool.start();
  await settle();
  const sending = pool.workers.broadcast('define', MINE, 'define mine');
  await settle();
  boot.open();
  await starting;
  answer.open(['mine']);
  assert.deepEqual(await sending, ['mine']);
  assert.deepEqual(workers[1].heard, [['define', MINE]], 'once');
});

test('a broadcast that fails on a worker is not replayed', async () => {
  const { pool, workers } = await started({}, (index) =>
    index ? {} : { define: () => Promise.reject(new Error('SyntaxError')) },
  );
  await assert.rejects(pool.workers.broadcast('define', MINE, 'define mine'), { message: 'SyntaxError' });
  await kill(workers[0]);
  assert.deepEqual(workers[1].calls(), ['boot']);
});

test('tell reaches the workers that are there, and no later ones', async () => {
  const { pool, workers } = await started({ workers: 2 });
  await pool.workers.tell('withdraw', { name: 'x' });
  assert.deepEqual(
    workers.map((worker) => worker.calls().at(-1)),
    ['withdraw', 'withdraw'],
  );
  await kill(workers[0]);
  assert.deepEqual(workers[2].calls(), ['boot']);
});

// ------------------------------------------------------------------ timeout

test('a load without a sign of life is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, workers, run } = await started({ timeout: 1000 });
  const job = run('x:a');
  const failure = failureOf(job);
  await settle();
  await pass(t, 999);
  assert.equal(failure(), undefined);
  await pass(t, 1);
  await assert.rejects(job, {
    message: /'x:a' gave no sign of life for 1000 ms; .* scheme 'x' never returns/,
    kind: 'TimeoutError',
    code: 'timeout',
    imageId: 'x:a',
  });
  assert.equal(workers[0].loads[0].signal.aborted, true, 'its work is cancelled');
  assert.equal(pool.stats().deaths, 0, 'Python answers, so the worker stays');
});

test('progress starts the time anew', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { workers, run } = await started({ timeout: 1000 });
  /** @type {unknown[]} */
  const heard = [];
  const job = run('x:a', { onProgress: (detail) => void heard.push(detail) });
  await settle();
  for (const loaded of [1, 2, 3]) {
    await pass(t, 900);
    workers[0].loads[0].progress({ loaded });
    await settle();
  }
  await pass(t, 900);
  workers[0].loads[0].open('image');
  assert.equal(await job, 'image');
  assert.deepEqual(heard, [{ loaded: 1 }, { loaded: 2 }, { loaded: 3 }]);
});

test('a package that arrives is a sign of life of all that may wait for it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { workers, run } = await started({ timeout: 1000 });
  const jobs = [run('x:a'), run('x:b')];
  await settle();
  for (const loaded of [1, 2]) {
    await pass(t, 900);
    await workers[0].rpc.call('packageprogress', { file: 'a.whl', loaded });
  }
  await pass(t, 900);
  for (const load of workers[0].loads) load.open('image');
  assert.deepEqual(await Promise.all(jobs), ['image', 'image']);
});

test('the timeout of a job overrides that of the pool', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { run } = await started({ timeout: 1000 });
  const [short, unlimited] = [run('x:a', { timeout: 10 }), run('x:b', { timeout: 0 })];
  const failure = failureOf(unlimited);
  await settle();
  await pass(t, 10);
  await assert.rejects(short, { code: 'timeout', message: /for 10 ms/ });
  await pass(t, 100_000);
  assert.equal(failure(), undefined);
});

test('time in the queue does not count', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { workers, run } = await started({ timeout: 1000, loadsPerWorker: 1 });
  const [first, second] = [run('x:a', { timeout: 0 }), run('x:b')];
  await settle();
  await pass(t, 5000);
  workers[0].loads[0].open();
  await first;
  await settle();
  workers[0].loads[1].open('image');
  assert.equal(await second, 'image');
});

test('silence of a worker that no longer answers is its death', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, workers, run } = await started({ timeout: 1000 }, () => ({ stats: () => new Promise(() => {}) }));
  const silent = run('x:a');
  await settle();
  await pass(t, 1000);
  await assert.rejects(silent, { code: 'timeout' });
  assert.equal(pool.stats().deaths, 0);
  await pass(t, 10_000);
  assert.deepEqual([pool.stats().deaths, workers.length], [1, 2]);
});

test('when one job keeps Python busy, other silent ones are loaded again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, workers, run } = await started({ timeout: 1000, loadsPerWorker: 8 }, () => ({
    stats: () => new Promise(() => {}),
  }));
  const jobs = Object.fromEntries(['x:a', 'x:bad', 'x:c'].map((source) => [source, run(source)]));
  const failed = assert.rejects(jobs['x:bad'], { code: 'timeout', imageId: 'x:bad' });
  await settle();
  await pass(t, 1000);
  await pass(t, 10_000);
  assert.deepEqual([pool.stats().deaths, workers.length], [1, 2]);
  for (let next = 1, done = 0; done < 3; done++) {
    const load = workers[next].lastLoad;
    if (load.payload.imageId !== 'x:bad') load.open('image');
    else {
      await pass(t, 1000);
      await pass(t, 10_000);
      next++;
    }
    await settle();
  }
  await failed;
  assert.deepEqual(await Promise.all([jobs['x:a'], jobs['x:c']]), ['image', 'image']);
  assert.equal(pool.stats().deaths, 2);
});

test('idle timeouts pause while the user is asked', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const wait = async (/** @type {number} */ milliseconds) => {
    now += milliseconds;
    await pass(t, milliseconds);
  };
  const { pool, run } = await started({ timeout: 1000 });
  const failure = failureOf(run('x:a'));
  await settle();
  const [first, second] = [gate(), gate()];
  pool.pauseFor(first.promise);
  pool.pauseFor(second.promise).catch(() => {});
  for (let tenths = 0; tenths < 50; tenths++) await wait(100);
  first.open();
  await settle();
  for (let tenths = 0; tenths < 59; tenths++) await wait(100);
  assert.equal(failure(), undefined, 'while one of them is left');
  second.fail(new Error('the user went away'));
  await settle();
  await wait(100);
  await wait(899);
  assert.equal(failure(), undefined, 'then it has a whole timeout');
  await wait(1);
  assert.equal(failure()?.code, 'timeout');
});

test('short pauses do not keep a silent load', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, run } = await started({ timeout: 1000 });
  const failure = failureOf(run('x:a'));
  await settle();
  for (let tenths = 0; tenths < 12 && !failure(); tenths++) {
    await pool.pauseFor(Promise.resolve());
    await pass(t, 100);
  }
  assert.equal(failure()?.code, 'timeout');
});

// ------------------------------------------------------------------ ending

test('end rejects all jobs, and ends the workers', async () => {
  const { pool, workers, run } = await started({ workers: 2, loadsPerWorker: 1 });
  const jobs = ['x:a', 'x:b', 'x:c'].map((source) => run(source));
  await settle();
  pool.end(new Error('terminated'));
  for (const job of jobs) await assert.rejects(job, { message: 'terminated' });
  assert.deepEqual(
    workers.map(({ isTerminated }) => isTerminated),
    [true, true],
  );
  assert.deepEqual(pool.stats().workers, []);
  await settle();
  assert.equal(workers.length, 2, 'nobody takes their place');
});

test('end while a worker boots rejects start', async () => {
  const { pool, workers } = poolOf({}, () => ({ boot: () => new Promise(() => {}) }));
  const starting = pool.start();
  await settle();
  pool.end(new Error('terminated'));
  await assert.rejects(starting, { message: 'terminated' });
  assert.equal(workers[0].isTerminated, true);
});

test('a broadcast waits for a worker when none is ready', async () => {
  const boot = gate();
  const { pool } = poolOf({}, () => ({ boot: () => boot.promise }));
  const starting = pool.start();
  const sending = pool.workers.broadcast('define', MINE, 'define mine');
  boot.open();
  await starting;
  assert.deepEqual(await sending, ['mine']);
});

test('a broadcast fails with the boot when nobody starts', async () => {
  const { pool } = poolOf({}, () => ({ boot: () => Promise.reject(new Error('no wasm')) }));
  const starting = assert.rejects(pool.start(), /no wasm/);
  await assert.rejects(pool.workers.broadcast('define', MINE, 'define mine'), /no wasm/);
  await starting;
});
