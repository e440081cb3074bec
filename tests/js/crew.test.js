// How many workers there are: when one is started, when one ends, when one takes another's place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gate, haveCores, pass, settle, started } from './workers.js';

const REST_MS = 30_000;

/** Workers that were started because there was much to do, and have done it. */
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

/** Let so much time pass that all who may end do, one after the other. */
async function restLong(t) {
  for (let round = 0; round < 4; round++) await pass(t, REST_MS);
}

const states = ({ pool }) => pool.stats().workers.map(({ state }) => state);
const ended = ({ workers }) => workers.map(({ isTerminated }) => isTerminated);

test('auto starts another when as much waits as one can have at once', async (t) => {
  haveCores(t, 8);
  const { workers, run } = await started({ workers: 'auto', loadsPerWorker: 4 });
  for (let source = 0; source < 7; source++) run(`x:${source}`);
  await settle();
  assert.equal(workers.length, 1);
  run('x:7');
  await settle();
  assert.equal(workers.length, 2);
});

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

test('what an ended worker had at home is loaded by another, and it may be started anew', async (t) => {
  const made = await idle(t);
  await restLong(t);
  const left = ended(made).indexOf(false);
  const jobs = ['x:a', 'x:b', 'x:c'].map((source) => made.run(source));
  await settle();
  assert.equal(made.workers[left].loads.length, 2);
  assert.equal(made.workers.length, 4);
  for (const worker of made.workers.slice(left)) worker.loads.at(-1).open('image');
  await settle();
  made.workers.at(-1).loads.at(-1).open('image');
  made.workers[left].loads.at(-1).open('image');
  assert.deepEqual(await Promise.all(jobs), ['image', 'image', 'image']);
});

test('a worker that has something to do, of whatever kind, stays', async (t) => {
  const made = await idle(t, {}, () => ({ series: () => new Promise(() => {}) }));
  made.run('x:a');
  made.pool.direct('series', {}).catch(() => {});
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

const heap = (...sizes) => (index) => ({ stats: () => ({ heapBytes: sizes[index] ?? 10 }) });

/** One worker, idle, with a heap of 1,000 bytes, where 999 are enough. */
async function large(t, script = heap(1000), settings = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const made = await started({ heapBytes: 999, ...settings }, script);
  await made.pool.crew.broadcast('provide', { name: 'localfile:0' }, 'localfile:0');
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
  assert.deepEqual(made.workers[1].heard.map(([name]) => name), ['boot', 'provide'], 'and has heard the same');
  const job = made.run('x:a');
  await settle();
  made.workers[1].loads[0].open('image');
  assert.equal(await job, 'image');
  await restLong(t);
  assert.equal(made.workers.length, 2, 'the new one is small');
});

test('one that is as large as it may be stays', async (t) => {
  const made = await large(t, heap(999));
  await restLong(t);
  assert.equal(made.workers.length, 1);
});

test('until the other is there it goes on, and ends what it has begun', async (t) => {
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

test('when no other can be started it stays', async (t) => {
  const made = await large(t, (index) => ({ ...heap(1000)(index), boot: () => { if (index) throw new Error('no memory'); } }));
  await pass(t, REST_MS);
  assert.deepEqual(ended(made), [false, true]);
  const job = made.run('x:a');
  await settle();
  made.workers[0].loads[1].open('image');
  assert.equal(await job, 'image');
});

test('one that dies while its heap is asked for is not replaced twice', async (t) => {
  const made = await large(t, (index) => (index ? {} : { stats: () => new Promise(() => {}) }));
  await pass(t, REST_MS);
  made.workers[0].rpc.call('died', 'trap').catch(() => {});
  await settle();
  assert.deepEqual([made.workers.length, states(made)], [2, ['ready']]);
});
