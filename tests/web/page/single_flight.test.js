// Work that several wait for: started once, cancelled by the last to leave.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleFlight, untilAborted } from '../../../web/page/single_flight.js';

/** Work that a test settles, and how often it was started. */
function work() {
  const seen = { starts: 0 };
  const promise = new Promise((resolve, reject) => Object.assign(seen, { resolve, reject }));
  seen.start = (signal, onProgress) => {
    Object.assign(seen, { starts: seen.starts + 1, signal, onProgress });
    return promise;
  };
  return seen;
}

const waiter = (signal = new AbortController().signal, listener = () => {}) => ({ signal, listener, what: 'the load' });

test('all who join while it runs share the work and hear its progress', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const heard = [];
  const one = flights.join(
    'key',
    shared.start,
    waiter(undefined, (report) => heard.push(['one', report])),
  );
  const two = flights.join(
    'key',
    shared.start,
    waiter(undefined, (report) => heard.push(['two', report])),
  );
  assert.equal(flights.size, 1);
  shared.onProgress(50);
  shared.resolve('image');
  assert.deepEqual(await Promise.all([one, two]), ['image', 'image']);
  assert.deepEqual(heard, [
    ['one', 50],
    ['two', 50],
  ]);
  assert.equal(shared.starts, 1);
  assert.equal(flights.size, 0);
});

test('another key is other work', async () => {
  const flights = new SingleFlight();
  const results = [1, 2].map((value) => flights.join(`key ${value}`, async () => value, waiter()));
  assert.deepEqual(await Promise.all(results), [1, 2]);
});

test('who comes after the end starts anew', async () => {
  const flights = new SingleFlight();
  let starts = 0;
  for (const expected of [1, 2]) assert.equal(await flights.join('key', async () => ++starts, waiter()), expected);
});

test('one who leaves is rejected at once, the others go on', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const controller = new AbortController();
  const one = flights.join('key', shared.start, waiter(controller.signal));
  const two = flights.join('key', shared.start, waiter());
  controller.abort();
  await assert.rejects(one, { name: 'AbortError', message: 'the load was cancelled' });
  assert.equal(shared.signal.aborted, false);
  shared.resolve('image');
  assert.equal(await two, 'image');
});

test('the last to leave cancels the work', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const controllers = [new AbortController(), new AbortController()];
  const waits = controllers.map(({ signal }) => flights.join('key', shared.start, waiter(signal)));
  controllers.forEach((controller) => controller.abort());
  await Promise.allSettled(waits);
  assert.equal(shared.signal.aborted, true);
  assert.equal(flights.size, 0);
});

test('a failure reaches all and is not kept', async () => {
  const flights = new SingleFlight();
  const shared = work();
  const waits = [1, 2].map(() => flights.join('key', shared.start, waiter()));
  shared.reject(new Error('no luck'));
  for (const wait of waits) await assert.rejects(wait, /no luck/);
  assert.equal(await flights.join('key', async () => 'now', waiter()), 'now');
});

test('what has ended does not hear of a late cancel', async () => {
  const controller = new AbortController();
  let heard = 0;
  assert.equal(await untilAborted(Promise.resolve(7), controller.signal, 'it', () => heard++), 7);
  await new Promise((resolve) => setTimeout(resolve));
  controller.abort();
  assert.equal(heard, 0);
});
