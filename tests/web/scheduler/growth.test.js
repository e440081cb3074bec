// @ts-check
// When another worker starts: when what waits costs more than its start, or has waited as long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { haveCores, pass, poolOf, settle } from '../../support/web/workers.js';

/** @typedef {import('node:test').TestContext} TestContext */

const START_MS = 300;
const STARTS = 2;
const LIMIT_MS = STARTS * START_MS;
const MARKS = [{ name: 'interpreter', start: 0, duration: START_MS }];

/**
 * A scheduler whose interpreters take a while to start, and the loads that it has answered.
 * @param {TestContext} t @param {unknown} [marks] of each start @param {number} [loadsPerWorker]
 */
async function begun(t, marks = MARKS, loadsPerWorker = 1) {
  haveCores(t, 8);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 5000;
  t.mock.method(performance, 'now', () => now);
  const made = poolOf({ workers: 'auto', loadsPerWorker }, () => ({ boot: () => marks }));
  await made.pool.start();
  const wait = async (/** @type {number} */ milliseconds) => {
    now += milliseconds;
    await pass(t, milliseconds);
  };
  /**
   * Load images of so many milliseconds, one after the other.
   * @type {(cost: number, count?: number) => Promise<void>}
   */
  const load = async (cost, count = 40) => {
    for (let each = 0; each < count; each++) {
      const loading = made.run(`x:done-${cost}-${each}`);
      await settle();
      made.workers[0].lastLoad.open({ timing: { loadMilliseconds: 0, decodeMilliseconds: cost } });
      await loading;
    }
  };
  const ask = async (/** @type {number} */ count) => {
    for (let each = 0; each < count; each++) made.run(`x:${each}`);
    await settle();
  };
  return { ...made, wait, load, ask };
}

for (const [cost, waiting, count] of [
  [10, 38, 1],
  [10, 42, 2],
  [100, 5, 1],
  [100, 8, 2],
]) {
  test(`${waiting} loads of ${cost} ms that wait: ${count} workers`, async (t) => {
    const { workers, load, ask } = await begun(t);
    await load(cost);
    await ask(waiting + 1); // one runs
    assert.equal(workers.length, count);
  });
}

test('before anything is measured, ninety loads are worth another worker, and eighty are not', async (t) => {
  const { workers, ask } = await begun(t);
  await ask(81);
  assert.equal(workers.length, 1);
  await ask(10);
  assert.equal(workers.length, 2);
});

test('one long load, which may have waited, hardly counts', async (t) => {
  const { workers, load, ask } = await begun(t);
  await load(2);
  await load(60_000, 1);
  await ask(50);
  assert.equal(workers.length, 1);
});

test('a load that has waited as long as the starts of two workers gets another', async (t) => {
  const { workers, ask, wait } = await begun(t);
  await ask(2);
  await wait(LIMIT_MS - 1);
  assert.equal(workers.length, 1);
  await wait(1);
  await settle();
  assert.equal(workers.length, 2);
  assert.deepEqual(workers[1].names(), ['x:1']);
});

test('a load that ends before it has waited so long does not', async (t) => {
  const { workers, ask, wait } = await begun(t);
  await ask(2);
  await wait(LIMIT_MS - 1);
  workers[0].lastLoad.open();
  await settle();
  workers[0].lastLoad.open();
  await settle();
  await wait(LIMIT_MS);
  assert.equal(workers.length, 1);
});

test('what waited for the first worker has not waited for a second', async (t) => {
  haveCores(t, 8);
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pool, workers, run } = poolOf({ workers: 'auto', loadsPerWorker: 1 }, () => ({ boot: () => MARKS }));
  for (const name of ['x:a', 'x:b']) run(name);
  now = 5000;
  await pool.start();
  await settle();
  assert.equal(workers.length, 1);
});

test('a start that waits for a slow download counts as one of a second', async (t) => {
  const { workers, ask, wait } = await begun(t, [{ name: 'interpreter', start: 0, duration: 60_000 }]);
  await ask(2);
  await wait(STARTS * 500);
  await settle();
  assert.equal(workers.length, 2);
});
