// @ts-check
// Loads of a complete source share a worker call; each still settles on its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PyLoaderError, toWire } from '../../../web/shared/errors.js';
import { settle, started } from '../../support/web/workers.js';

/** @typedef {import('../../support/web/workers.js').JobRequest} JobRequest */

const SLICE = { image: { pixels: new Int16Array(64) }, timing: {}, isReady: true };

/** The name of an image, or of an error. @param {unknown} found */
const nameOf = (found) => /** @type {{name: string}} */ (found).name;

/**
 * One worker that has all of a source, and loads of it under way: of ?frame=2 alone, of the others together.
 * @param {{answer?: object, frames?: number, options?: (index: number) => Partial<JobRequest>}} [changes]
 */
async function atHand({ answer = SLICE, frames = 6, options = () => ({}) } = {}) {
  const pool = await started({ workers: 1, loadsPerWorker: 8 }, () => ({}));
  const [worker] = pool.workers;
  const first = pool.run('x:a?frame=1');
  await settle();
  worker.loads[0].open(answer);
  await first;
  const jobs = Array.from({ length: frames }, (_, index) => pool.run(`x:a?frame=${index + 2}`, options(index)));
  const outcomes = jobs.map((job) => job.then(nameOf, nameOf));
  await settle();
  return { ...pool, worker, jobs, outcomes, calls: worker.loads.slice(1) };
}

/** An answer that brings an image of each name. @param {string} first @param {string[]} others */
const named = (first, ...others) => ({ ...SLICE, name: first, batch: others.map((name) => ({ ...SLICE, name })) });

test('one call asks for several, and brings each its own', async () => {
  const { calls, outcomes } = await atHand();
  assert.equal(calls.length, 1);
  assert.equal(calls[0].payload.imageId, 'x:a?frame=2');
  assert.deepEqual(
    calls[0].payload.batch,
    [3, 4, 5, 6, 7].map((frame) => `x:a?frame=${frame}`),
  );
  calls[0].open(named('two', 'three', 'four', 'five', 'six', 'seven'));
  assert.deepEqual(await Promise.all(outcomes), ['two', 'three', 'four', 'five', 'six', 'seven']);
});

test('loads of a source that is not complete go alone', async () => {
  const { calls } = await atHand({ answer: { ...SLICE, isReady: false }, frames: 3 });
  assert.deepEqual(
    calls.map(({ payload }) => payload.batch),
    [undefined, undefined, undefined],
  );
});

test('loads that the answer leaves out are asked for next, unless nobody wants them', async () => {
  const controller = new AbortController();
  const { run, worker, calls, outcomes } = await atHand({
    frames: 5,
    options: (index) => (index === 2 ? { signal: controller.signal } : {}),
  });
  for (let name = 1; name <= 9; name++) run(`x:behind${name}`);
  await settle();
  controller.abort();
  calls[0].open(named('two', 'three'));
  await settle();
  const again = worker.lastLoad;
  assert.deepEqual([again.payload.imageId, again.payload.batch], ['x:a?frame=5', ['x:a?frame=6']]);
  again.open(named('five', 'six'));
  assert.deepEqual(await Promise.all(outcomes), ['two', 'three', 'AbortError', 'five', 'six']);
});

test('images of one file share a call from the first on, and wait for its answer', async () => {
  const {
    workers: [worker],
    run,
  } = await started({ workers: 1, loadsPerWorker: 8 }, () => ({}));
  const ask = (/** @type {string} */ file) =>
    [1, 2, 3, 4].map((at) => run(`wadouri:/${file}?frame=${at}`).then(nameOf));
  const [small, large] = [ask('a'), ask('b')];
  await settle();
  assert.deepEqual(
    worker.loads.map(({ payload }) => [payload.batch?.length, payload.upcoming]),
    [
      [3, [1, 2, 3]],
      [3, [1, 2, 3]],
    ],
  );
  worker.loads[0].open(named('one', 'two', 'three', 'four'));
  assert.deepEqual(await Promise.all(small), ['one', 'two', 'three', 'four']);
  worker.loads[1].open({ ...SLICE, name: 'one', isReady: false });
  await settle();
  const again = worker.loads.slice(2);
  assert.deepEqual(
    again.map(({ payload }) => [payload.imageId, payload.batch]),
    [2, 3, 4].map((frame) => [`wadouri:/b?frame=${frame}`, undefined]),
  );
  for (const load of again) load.open({ ...SLICE, name: 'alone', isReady: false });
  assert.deepEqual(await Promise.all(large), ['one', 'alone', 'alone', 'alone']);
});

test('a load that somebody waits for does not wait for a prefetch', async () => {
  const { calls } = await atHand({ frames: 3, options: (index) => [{}, { requestType: 'prefetch' }, {}][index] });
  assert.deepEqual(
    calls.map(({ payload }) => [payload.imageId, payload.batch]),
    [
      ['x:a?frame=2', ['x:a?frame=4']],
      ['x:a?frame=3', undefined],
    ],
  );
});

test('a load in another form, or with another timeout, does not join', async () => {
  const { calls } = await atHand({ frames: 3, options: (index) => [{}, { timeout: 99_999 }, {}][index] });
  assert.deepEqual(
    calls.map(({ payload }) => [payload.imageId, payload.batch]),
    [
      ['x:a?frame=2', ['x:a?frame=4']],
      ['x:a?frame=3', undefined],
    ],
  );
});

test('one that fails fails alone', async () => {
  const { calls, outcomes } = await atHand({ frames: 3 });
  const error = toWire(
    new PyLoaderError({ name: 'ImageIdError', code: 'image-id', stage: 'dispatch', message: 'no such slice' }),
  );
  const { batch, ...first } = named('two', 'three', 'four');
  calls[0].open({ ...first, batch: [{ error }, batch[1]] });
  assert.deepEqual(await Promise.all(outcomes), ['two', 'PyLoaderError', 'four']);
});

test('when the first fails, the others are asked for again, one by one', async () => {
  const { worker, calls, outcomes } = await atHand({ frames: 3 });
  calls[0].fail(
    new PyLoaderError({ name: 'ImageIdError', code: 'image-id', stage: 'dispatch', message: 'no such slice' }),
  );
  await settle();
  const again = worker.loads.slice(2);
  assert.deepEqual(
    again.map(({ payload }) => [payload.imageId, payload.batch]),
    [
      ['x:a?frame=3', undefined],
      ['x:a?frame=4', undefined],
    ],
  );
  for (const [index, load] of again.entries()) load.open({ ...SLICE, name: `again ${index}` });
  assert.deepEqual(await Promise.all(outcomes), ['PyLoaderError', 'again 0', 'again 1']);
});

test('a cancelled load ends at once and the others go on; the last one ends the call', async () => {
  const controllers = [0, 1, 2].map(() => new AbortController());
  const { calls, outcomes } = await atHand({ frames: 3, options: (index) => ({ signal: controllers[index].signal }) });
  controllers[0].abort();
  controllers[2].abort();
  assert.deepEqual([await outcomes[0], await outcomes[2]], ['AbortError', 'AbortError']);
  assert.equal(calls[0].signal.aborted, false);
  controllers[1].abort();
  assert.equal(await outcomes[1], 'AbortError');
  await settle();
  assert.equal(calls[0].signal.aborted, true);
});

test('the end of all ends each of them', async () => {
  const ended = await atHand({ frames: 3 });
  ended.pool.end(new Error('over'));
  assert.deepEqual(await Promise.all(ended.outcomes), ['Error', 'Error', 'Error']);
});

test('silence ends each of them', async () => {
  const { outcomes } = await atHand({ frames: 3, options: () => ({ timeout: 30 }) });
  assert.deepEqual(await Promise.all(outcomes), ['PyLoaderError', 'PyLoaderError', 'PyLoaderError']);
});
