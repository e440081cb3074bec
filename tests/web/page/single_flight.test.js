// @ts-check
// Work that several callers wait for: started once, cancelled by the last to leave.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleFlight, untilAborted } from '../../../web/page/single_flight.js';
import { gate } from '../../support/web/workers.js';

/** @typedef {import('../../../web/page/single_flight.js').Listener} Listener */

const REPORT = { phase: 'progress', url: '/a', loaded: 50, attempt: 1 };

/** Work that a test settles, and its starts. */
function work() {
  /** @type {{signal: AbortSignal, onProgress: Listener}[]} */
  const starts = [];
  const { promise, open, fail } = gate();
  const start = (/** @type {AbortSignal} */ signal, /** @type {Listener} */ onProgress) => {
    starts.push({ signal, onProgress });
    return promise;
  };
  return { starts, start, open, fail };
}

/** @param {AbortSignal} [signal] @param {Listener} [listener] */
const waiter = (signal = new AbortController().signal, listener = () => {}) => ({ signal, listener, what: 'the load' });

test('all callers that join while it runs share the work and hear its progress', async () => {
  const flights = new SingleFlight();
  const shared = work();
  /** @type {unknown[]} */
  const heard = [];
  const [one, two] = ['one', 'two'].map((name) =>
    flights.join(
      'key',
      shared.start,
      waiter(undefined, (report) => heard.push([name, report])),
    ),
  );
  assert.equal(flights.size, 1);
  shared.starts[0].onProgress(REPORT);
  shared.open('image');
  assert.deepEqual(await Promise.all([one, two]), ['image', 'image']);
  assert.deepEqual(heard, [
    ['one', REPORT],
    ['two', REPORT],
  ]);
  assert.equal(shared.starts.length, 1);
  assert.equal(flights.size, 0);
});

test('another key is other work', async () => {
  const flights = new SingleFlight();
  const results = [1, 2].map((value) => flights.join(`key ${value}`, async () => value, waiter()));
  assert.deepEqual(await Promise.all(results), [1, 2]);
});

test('a caller after the end starts anew', async () => {
  const flights = new SingleFlight();
  let starts = 0;
  for (const expected of [1, 2]) assert.equal(await flights.join('key', async () => ++starts, waiter()), expected);
});

test('a caller that leaves is rejected at once, the others go on', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const controller = new AbortController();
  const one = flights.join('key', shared.start, waiter(controller.signal));
  const two = flights.join('key', shared.start, waiter());
  controller.abort();
  await assert.rejects(one, { name: 'AbortError', message: 'the load was cancelled' });
  assert.equal(shared.starts[0].signal.aborted, false);
  shared.open('image');
  assert.equal(await two, 'image');
});

test('the last to leave cancels the work', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const controllers = [new AbortController(), new AbortController()];
  const waits = controllers.map(({ signal }) => flights.join('key', shared.start, waiter(signal)));
  for (const controller of controllers) controller.abort();
  await Promise.allSettled(waits);
  assert.equal(shared.starts[0].signal.aborted, true);
  assert.equal(flights.size, 0);
});

test('a failure reaches all and is not kept', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const waits = [1, 2].map(() => flights.join('key', shared.start, waiter()));
  shared.fail(new Error('no luck'));
  for (const wait of waits) await assert.rejects(wait, /no luck/);
  assert.equal(await flights.join('key', async () => 'now', waiter()), 'now');
});

test('ended work does not hear of a late cancel', async () => {
  const controller = new AbortController();
  let heard = 0;
  assert.equal(await untilAborted(Promise.resolve(7), controller.signal, 'it', () => heard++), 7);
  await new Promise((resolve) => setTimeout(resolve));
  controller.abort();
  assert.equal(heard, 0);
});
