// Loads of a source whose images are all at hand travel together; each still ends by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PyLoaderError, toWire } from '../../web/errors.js';
import { settle, started } from './workers.js';

const SLICE = { image: { pixels: new Int16Array(64) }, timing: {}, isAtHand: true };

/** One worker that has a source at hand, and loads of it under way: of ?frame=2 alone, of the others together. */
async function atHand({ answer = SLICE, frames = 6, options = () => ({}) } = {}) {
  const pool = await started({ workers: 1, loadsPerWorker: 8 }, () => ({}));
  const [worker] = pool.workers;
  const first = pool.run('x:a?frame=1');
  await settle();
  worker.loads[0].open(answer);
  await first;
  const jobs = Array.from({ length: frames }, (_, index) => pool.run(`x:a?frame=${index + 2}`, options(index)));
  const outcomes = jobs.map((job) => job.then((image) => image.name, (error) => error.name));
  await settle();
  return { ...pool, worker, jobs, outcomes, calls: worker.loads.slice(1) };
}

const named = (...names) => ({ ...SLICE, name: names[0], companions: names.slice(1).map((name) => ({ ...SLICE, name })) });

test('one call asks for several, and brings each its own', async () => {
  const { calls, outcomes } = await atHand();
  assert.equal(calls.length, 1);
  assert.equal(calls[0].payload.imageId, 'x:a?frame=2');
  assert.deepEqual(calls[0].payload.companions, [3, 4, 5, 6, 7].map((frame) => `x:a?frame=${frame}`));
  calls[0].open(named('two', 'three', 'four', 'five', 'six', 'seven'));
  assert.deepEqual(await Promise.all(outcomes), ['two', 'three', 'four', 'five', 'six', 'seven']);
});

test('loads of a source that is not at hand, or that is large, go alone', async () => {
  const slow = await atHand({ answer: { ...SLICE, isAtHand: false }, frames: 3 });
  const large = await atHand({ answer: { ...SLICE, image: { pixels: new Uint8Array(3 << 20) } }, frames: 3 });
  assert.deepEqual(slow.calls.map(({ payload }) => payload.companions), [undefined, undefined, undefined]);
  assert.deepEqual(large.calls.map(({ payload }) => payload.companions?.length), [1, undefined]);
});

test('who wants another form, or has another limit of time, does not come along', async () => {
  const { calls } = await atHand({ frames: 3, options: (index) => [{}, { timeout: 99_999 }, {}][index] });
  assert.deepEqual(calls.map(({ payload }) => [payload.imageId, payload.companions]), [
    ['x:a?frame=2', ['x:a?frame=4']], ['x:a?frame=3', undefined],
  ]);
});

test('one that fails fails alone', async () => {
  const { calls, outcomes } = await atHand({ frames: 3 });
  const error = toWire(new PyLoaderError({ name: 'ImageIdError', code: 'image-id', stage: 'dispatch', message: 'no such slice' }));
  const answer = named('two', 'three', 'four');
  answer.companions[0] = { error };
  calls[0].open(answer);
  assert.deepEqual(await Promise.all(outcomes), ['two', 'PyLoaderError', 'four']);
});

test('when the first fails the others are asked for again, one by one', async () => {
  const { worker, calls, outcomes } = await atHand({ frames: 3 });
  calls[0].fail(new PyLoaderError({ name: 'ImageIdError', code: 'image-id', stage: 'dispatch', message: 'no such slice' }));
  await settle();
  const again = worker.loads.slice(2);
  assert.deepEqual(again.map(({ payload }) => [payload.imageId, payload.companions]), [['x:a?frame=3', undefined], ['x:a?frame=4', undefined]]);
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

test('the death of the worker, and the end of all, end each of them', async () => {
  const dead = await atHand({ frames: 3 });
  dead.worker.rpc.call('died', 'a trap').catch(() => {});
  assert.deepEqual(await Promise.all(dead.outcomes), ['PyLoaderError', 'PyLoaderError', 'PyLoaderError']);
  const ended = await atHand({ frames: 3 });
  ended.pool.end(new Error('over'));
  assert.deepEqual(await Promise.all(ended.outcomes), ['Error', 'Error', 'Error']);
});

test('silence ends each of them', async () => {
  const { outcomes } = await atHand({ frames: 3, options: () => ({ timeout: 30 }) });
  assert.deepEqual(await Promise.all(outcomes), ['PyLoaderError', 'PyLoaderError', 'PyLoaderError']);
});
