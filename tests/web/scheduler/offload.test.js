// @ts-check
// Frames of one source whose home lends them to idle workers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PyLoaderError } from '../../../web/shared/errors.js';
import { gate, haveCores, pass, settle, started } from '../../support/web/workers.js';

/** @typedef {import('../../support/web/workers.js').FakeHandlers} FakeHandlers */
/** @typedef {import('../../support/web/workers.js').WorkerCalls} WorkerCalls */
/** @typedef {import('../../support/web/workers.js').SchedulerSettings} SchedulerSettings */
/** @typedef {import('../../support/web/workers.js').Gate} Gate */
/** @typedef {Gate & {payload: WorkerCalls['borrow']['payload'], signal: AbortSignal}} Borrowed */
/** @typedef {{lent: WorkerCalls['lend']['payload'][], borrowed: Borrowed[], released: string[]}} Seen */

/**
 * A worker that lends frames, and borrows others until a test settles them.
 * @param {Pick<FakeHandlers, 'lend'>} options
 */
function lender(options = {}) {
  /** @type {Seen} */
  const seen = { lent: [], borrowed: [], released: [] };
  /** @type {FakeHandlers} */
  const handlers = {
    lend: (payload, context) => {
      seen.lent.push(payload);
      if (options.lend) return options.lend(payload, context);
      return {
        token: 'one',
        header: payload.known === 'one' ? undefined : new Uint8Array(3),
        frame: new Uint8Array(5),
      };
    },
    borrow: (payload, { signal }) => {
      const borrowed = { ...gate(), payload, signal };
      seen.borrowed.push(borrowed);
      return borrowed.promise;
    },
    release: ({ source }) => void seen.released.push(source),
  };
  return { seen, handlers };
}

const CHEAP = { timing: { decodeMilliseconds: 1 } };
const DEAR = { timing: { decodeMilliseconds: 20 } };

/**
 * Two workers, and frames of one source, the first of which has been loaded at home.
 * @param {{settings?: Partial<SchedulerSettings>, home?: Pick<FakeHandlers, 'lend'>, cost?: object}} [changes]
 */
async function shared({ settings = {}, home = {}, cost = DEAR } = {}) {
  const sides = [lender(home), lender()];
  const pool = await started({ workers: 2, loadsPerWorker: 8, ...settings }, (index) => sides[index]?.handlers ?? {});
  const first = pool.run('x:a?frame=1');
  await settle();
  pool.workers[0].loads[0].open(cost);
  await first;
  const ask = (/** @type {number[]} */ ...frames) => frames.map((frame) => pool.run(`x:a?frame=${frame}`));
  return { ...pool, ask, home: pool.workers[0], lent: sides[0].seen, helper: sides[1].seen };
}

/** The frames that were lent, from 1. @param {{imageId: string}[]} payloads */
const framesOf = (payloads) => payloads.map((payload) => Number(payload.imageId.split('=')[1]));

test('an idle worker helps with frames that take long', async () => {
  const { ask, home, lent, helper } = await shared();
  const jobs = ask(2, 3, 4, 5);
  await settle();
  assert.deepEqual(home.names().slice(1), ['x:a?frame=2', 'x:a?frame=3']);
  assert.deepEqual(framesOf(lent.lent), [4, 5]);
  assert.deepEqual(framesOf(helper.borrowed.map(({ payload }) => payload)), [4, 5]);
  helper.borrowed[1].open('image 5');
  assert.equal(await jobs[3], 'image 5');
});

test('a helper has four at hand, its home two', async () => {
  const { ask, home, helper } = await shared();
  const jobs = ask(2, 3, 4, 5, 6, 7, 8, 9, 10);
  await settle();
  assert.deepEqual([home.loads.length - 1, helper.borrowed.length], [2, 4]);
  helper.borrowed[0].open('image');
  assert.equal(await jobs[2], 'image');
  await settle();
  assert.deepEqual([home.loads.length - 1, helper.borrowed.length], [2, 5]);
});

test('its home gets the payload of a load, and the frames that come next', async () => {
  const { run, lent, ask } = await shared({ settings: { loadsPerWorker: 3 } });
  ask(2, 3);
  run('x:a?frame=4', { requestType: 'prefetch', payload: { imageId: 'x:a?frame=4', options: { delivery: 1 } } });
  ask(5, 6, 7);
  await settle();
  const [{ known, ...first }] = lent.lent;
  assert.deepEqual(first, { imageId: 'x:a?frame=5', options: {}, urgency: [0, 0], upcoming: [5, 6, 3] });
  assert.equal(known, undefined);
});

test('a helper gets the header once, and the frame without a copy', async () => {
  const { ask, lent, helper } = await shared();
  const jobs = ask(2, 3, 4);
  await settle();
  assert.deepEqual(Object.keys(helper.borrowed[0].payload.loan), ['token', 'header', 'frame']);
  helper.borrowed[0].open('image');
  await jobs[2];
  ask(5, 6);
  await settle();
  assert.deepEqual(
    lent.lent.map(({ known }) => known),
    [undefined, 'one', 'one'],
  );
  assert.equal(helper.borrowed[1].payload.loan.header, undefined);
});

for (const [what, cost] of Object.entries({ 'a cheap frame': CHEAP, 'a frame of unknown cost': {} })) {
  test(`${what} stays at home`, async () => {
    const { ask, home, lent } = await shared({ cost });
    ask(2, 3, 4, 5);
    await settle();
    assert.equal(home.loads.length, 5);
    assert.deepEqual(lent.lent, []);
  });
}

test('the shortest time counts, since others include waiting', async () => {
  const { ask, home, lent } = await shared();
  ask(2);
  await settle();
  home.loads[1].open(CHEAP);
  await settle();
  ask(3, 4, 5);
  await settle();
  assert.deepEqual(lent.lent, []);
});

test('headers are not lent', async () => {
  const { run, lent, home } = await shared();
  for (const frame of [2, 3, 4, 5]) run(`x:a?frame=${frame}`, { name: 'metadata' });
  await settle();
  assert.equal(home.heard.filter(([name]) => name === 'metadata').length, 2);
  assert.deepEqual(lent.lent, []);
});

test('a worker with sources of its own helps last', async () => {
  const { run, ask, workers, lent } = await shared({ settings: { loadsPerWorker: 2 } });
  ask(2, 3, 4, 5);
  run('x:b', { priority: 9 });
  run('x:c', { priority: 9 });
  await settle();
  assert.deepEqual(workers[1].names(), ['x:b', 'x:c']);
  assert.deepEqual(lent.lent, []);
  workers[1].loads[0].open();
  await settle();
  assert.deepEqual(framesOf(lent.lent), [4]);
});

test('lent frames wait no longer than jobs that came after them', async () => {
  const { run, ask, workers, home } = await shared({ settings: { loadsPerWorker: 3 } });
  for (let name = 1; name <= 6; name++) run(`x:before${name}`);
  ask(2);
  for (let name = 1; name <= 3; name++) run(`x:behind${name}`);
  await settle();
  const names = () => workers.flatMap((worker) => worker.names());
  assert.ok(!names().includes('x:a?frame=2'), 'both have enough to do');
  home.loads[1].open({});
  await settle();
  assert.ok(names().includes('x:a?frame=2'), 'its home takes it, although it has other loads');
  assert.ok(!names().includes('x:behind1'));
});

test('with one worker all frames stay at home', async () => {
  const { handlers } = lender();
  const { workers, run } = await started({ workers: 1, loadsPerWorker: 4 }, () => handlers);
  const first = run('x:a?frame=1');
  await settle();
  workers[0].loads[0].open(DEAR);
  await first;
  for (const frame of [2, 3, 4, 5]) run(`x:a?frame=${frame}`);
  await settle();
  assert.equal(workers[0].loads.length, 5);
});

for (const [what, cost, count] of /** @type {const} */ ([
  ['dear', DEAR, 2],
  ['cheap', CHEAP, 1],
])) {
  test(`auto has ${count} workers for ${what} frames`, async (t) => {
    haveCores(t, 8);
    const { workers, run } = await started({ workers: 'auto', loadsPerWorker: 3 }, () => lender().handlers);
    const first = run('x:a?frame=1');
    await settle();
    workers[0].loads[0].open(cost);
    await first;
    for (const frame of [2, 3, 4, 5, 6, 7]) run(`x:a?frame=${frame}`);
    await settle();
    assert.equal(workers.length, count);
  });
}

// ------------------------------------------------------------------ what goes wrong

test('a frame that cannot be lent is loaded at home, and its source is lent no more', async () => {
  const { ask, home, lent } = await shared({ home: { lend: () => undefined } });
  const jobs = ask(2, 3, 4);
  await settle();
  home.loads[1].open('image 2');
  await settle();
  assert.deepEqual(home.names().slice(3), ['x:a?frame=4']);
  home.loads[3].open('image 4');
  assert.equal(await jobs[2], 'image 4');
  ask(5, 6, 7, 8);
  await settle();
  assert.deepEqual(framesOf(lent.lent), [4]);
});

test('a frame that could not be lent is loaded next at home', async () => {
  const lending = gate();
  const { run, ask, home } = await shared({ settings: { loadsPerWorker: 2 }, home: { lend: () => lending.promise } });
  ask(2, 3, 4);
  await settle();
  for (let name = 1; name <= 5; name++) run(`x:behind${name}`);
  await settle();
  lending.open(undefined);
  await settle();
  home.loads[1].open({});
  await settle();
  assert.equal(home.names().at(-1), 'x:a?frame=4');
});

test('a load that fails at the helper is done again at home, whose result counts', async () => {
  const { ask, home, lent, helper } = await shared();
  const jobs = ask(2, 3, 4);
  await settle();
  helper.borrowed[0].fail(new PyLoaderError({ code: 'format', message: 'the header is not here any more' }));
  home.loads[1].open(DEAR);
  await settle();
  assert.deepEqual(home.names().slice(3), ['x:a?frame=4']);
  home.loads[3].fail(new PyLoaderError({ code: 'decode', message: 'damaged' }));
  await assert.rejects(jobs[2], { code: 'decode', message: 'damaged' });
  ask(5, 6);
  await settle();
  assert.deepEqual(
    lent.lent.map(({ known }) => known),
    [undefined, undefined],
    'and the header goes again',
  );
});

test('a frame that its home cannot fetch fails at once', async () => {
  const lend = () => Promise.reject(new PyLoaderError({ code: 'http-status', message: '404' }));
  const { ask, home } = await shared({ home: { lend } });
  const [, , job] = ask(2, 3, 4);
  await assert.rejects(job, { code: 'http-status', message: '404' });
  assert.equal(home.loads.length, 3);
});

for (const stage of ['lend', 'borrow']) {
  test(`a cancel during ${stage} ends the load`, async () => {
    const never = new Promise(() => {});
    const { run, ask, home, helper } = await shared(stage === 'lend' ? { home: { lend: () => never } } : {});
    ask(2, 3);
    const controller = new AbortController();
    const job = run('x:a?frame=4', { signal: controller.signal });
    await settle();
    controller.abort();
    await assert.rejects(job, { name: 'AbortError' });
    await settle();
    assert.equal(helper.borrowed[0]?.signal.aborted, stage === 'lend' ? undefined : true);
    assert.equal(home.loads.length, 3, 'it is not asked for again');
  });
}

test('a helper that gives no sign of life is a timeout', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { ask, home } = await shared({ settings: { timeout: 1000 } });
  const jobs = ask(2, 3, 4);
  await settle();
  for (const load of home.loads) load.open(DEAR);
  await settle();
  await pass(t, 1000);
  await assert.rejects(jobs[2], { code: 'timeout', imageId: 'x:a?frame=4' });
});

test('after a helper died its loads are done at home, one after the other', async () => {
  const { ask, home, workers, helper } = await shared();
  const jobs = ask(2, 3, 4, 5);
  await settle();
  assert.equal(helper.borrowed.length, 2);
  workers[1].die();
  await settle();
  for (const load of home.loads.slice(1, 3)) load.open('image');
  for (const next of [3, 4]) {
    await settle();
    assert.equal(home.loads.length, next + 1);
    home.loads[next].open('image');
  }
  assert.deepEqual(await Promise.all(jobs), Array(4).fill('image'));
  assert.equal(workers.length, 3);
});

test('after the home died others do its loads, also of the frames that it was to lend', async () => {
  const { ask, workers } = await shared({ home: { lend: () => new Promise(() => {}) } });
  const jobs = ask(2, 3, 4);
  await settle();
  workers[0].die();
  for (let round = 0; round < 4; round++) {
    await settle();
    for (const worker of workers.slice(1)) for (const load of worker.loads) load.open('image');
  }
  assert.deepEqual(await Promise.all(jobs), ['image', 'image', 'image']);
});

// ------------------------------------------------------------------ letting go

test('release reaches home and helpers', async () => {
  const { pool, ask, lent, helper } = await shared();
  ask(2, 3, 4);
  await settle();
  pool.release('x:a');
  await settle();
  assert.deepEqual([lent.released, helper.released], [['x:a'], ['x:a']]);
});

test('after a purge helpers are given the header again', async () => {
  const { pool, ask, lent, helper, workers } = await shared();
  ask(2, 3, 4);
  await settle();
  helper.borrowed[0].open('image');
  await pool.purge();
  for (const worker of workers) assert.equal(worker.calls().at(-1), 'purge');
  ask(5);
  await settle();
  assert.deepEqual(
    lent.lent.map(({ known }) => known),
    [undefined, undefined],
  );
});
