// Loads of a source whose images are all at hand travel together; each still ends by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PyLoaderError, toWire } from '../../../web/shared/errors.js';
import { settle, started } from '../../support/web/workers.js';

const SLICE = { image: { pixels: new Int16Array(64) }, timing: {}, isReady: true };

/** One worker that has a source at hand, and loads of it under way: of ?frame=2 alone, of the others together. */
async function atHand({ answer = SLICE, frames = 6, options = () => ({}) } = {}) {
  const pool = await started({ workers: 1, loadsPerWorker: 8 }, () => ({}));
  const [worker] = pool.workers;
  const first = pool.run('x:a?frame=1');
  await settle();
  worker.loads[0].open(answer);
  await first;
  const jobs = Array.from({ length: frames }, (_, index) => pool.run(`x:a?frame=${index + 2}`, options(index)));
  const outcomes = jobs.map((job) =>
    job.then(
      (image) => image.name,
      (error) => error.name,
    ),
  );
  await settle();
  return { ...pool, worker, jobs, outcomes, calls: worker.loads.slice(1) };
}

const named = (...names) => ({ ...SLICE, name: names[0], batch: names.slice(1).map((name) => ({ ...SLICE, name })) });

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

test('loads of a source that is not at hand go alone', async () => {
  const { calls } = await atHand({ answer: { ...SLICE, isReady: false }, frames: 3 });
  assert.deepEqual(
    calls.map(({ payload }) => payload.batch),
    [undefined, undefined, undefined],
  );
});

test('those that the answer does not bring are the next that are asked for, unless nobody wants them', async () => {
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
  const again = worker.loads.at(-1);
  assert.deepEqual([again.payload.imageId, again.payload.batch], ['x:a?frame=5', ['x:a?frame=6']]);
  again.open(named('five', 'six'));
  assert.deepEqual(await Promise.all(outcomes), ['two', 'three', 'AbortError', 'five', 'six']);
});

test('images of one file travel together from the first on, and wait for its word', async () => {
  const {
    workers: [worker],
    run,
  } = await started({ workers: 1, loadsPerWorker: 8 }, () => ({}));
  const ask = (file, count) =>
    Array.from({ length: count }, (_, index) => run(`wadouri:/${file}?frame=${index + 1}`).then((image) => image.name));
  const [small, large] = [ask('a', 4), ask('b', 4)];
  await settle();
  assert.deepEqual(
    worker.loads.map(({ payload }) => [payload.batch.length, payload.upcoming]),
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

test('who waits does not wait for what is fetched ahead of need', async () => {
  const { calls } = await atHand({ frames: 3, options: (index) => [{}, { requestType: 'prefetch' }, {}][index] });
  assert.deepEqual(
    calls.map(({ payload }) => [payload.imageId, payload.batch]),
    [
      ['x:a?frame=2', ['x:a?frame=4']],
      ['x:a?frame=3', undefined],
    ],
  );
});

test('who wants another form, or has another limit of time, does not come along', async () => {
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
  const answer = named('two', 'three', 'four');
  answer.batch[0] = { error };
  calls[0].open(answer);
  assert.deepEqual(await Promise.all(outcomes), ['two', 'PyLoaderError', 'four']);
});

test('when the first fails the others are asked for again, one by one', async () => {
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

test('one that is cancelled ends at once, the others go on; the last one ends the call', async () => {
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
