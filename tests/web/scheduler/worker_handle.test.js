// One interpreter as the page sees it: its states, whether it is alive, how its calls end.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { gate, placesOf, settle } from '../../support/web/workers.js';
import { WorkerDeath, WorkerHandle } from '../../../web/scheduler/worker_handle.js';

const OPTIONS = { assetsURL: '/', baseURL: 'https://host/' };

/** A handle of a fake worker; it is not booted. */
function handleOf(script, more = {}) {
  const { workers, createPlace } = placesOf(script);
  const deaths = [];
  const handle = new WorkerHandle({ createPlace, handlers: {}, onBootProgress: () => {}, ...more }, (error) =>
    deaths.push(error),
  );
  return { handle, workers, deaths };
}

/** One that is ready. */
async function ready(script) {
  const made = handleOf(script);
  await made.handle.boot(OPTIONS, new Map());
  return made;
}

test('it is booting, then ready, then ended', async () => {
  const { handle } = handleOf();
  assert.deepEqual([handle.state, handle.isRunning, handle.stats().state], ['booting', false, 'booting']);
  await handle.boot(OPTIONS, new Map());
  assert.deepEqual([handle.state, handle.isRunning], ['ready', true]);
  assert.equal(handle.stats().boot.kind, 'cold');
  handle.end(new Error('over'));
  assert.deepEqual([handle.state, handle.isRunning], ['ended', false]);
});

test('a new one hears what was said before, in order', async () => {
  const { handle, workers } = handleOf();
  await handle.boot(
    OPTIONS,
    new Map([
      ['a', ['provide', { name: 'a' }]],
      ['b', ['define', { name: 'b' }]],
    ]),
  );
  assert.deepEqual(
    workers[0].heard.map(([name]) => name),
    ['boot', 'provide', 'define'],
  );
});

test('one that is asked if it is alive is doubtful, and ready again when it answers', async () => {
  const asked = gate();
  const { handle, deaths } = await ready(() => ({ stats: () => asked.promise }));
  const [first, second] = [handle.checkAlive('silent'), handle.checkAlive('silent too')];
  await settle();
  assert.deepEqual([handle.state, handle.isRunning, handle.stats().state], ['doubtful', true, 'ready']);
  asked.open({});
  assert.deepEqual(await Promise.all([first, second]), [true, true]);
  assert.deepEqual([handle.state, deaths], ['ready', []]);
});

test('one that is leaving stays so when it was asked meanwhile', async () => {
  const { handle } = await ready();
  handle.state = 'leaving';
  assert.equal(await handle.checkAlive('silent'), true);
  assert.equal(handle.state, 'leaving');
});

test('one that does not answer dies once, for all who ask', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { handle, deaths } = await ready(() => ({ stats: () => new Promise(() => {}) }));
    const load = handle.call('load', { imageId: 'a' });
    const failed = assert.rejects(load, WorkerDeath);
    const asked = [handle.checkAlive('silent'), handle.checkAlive('silent')];
    mock.timers.tick(10_000);
    assert.deepEqual(await Promise.all(asked), [false, false]);
    await failed;
    assert.equal(deaths.length, 1);
    assert.match(deaths[0].message, /has died \(silent\)/);
  } finally {
    mock.timers.reset();
  }
});

test('the death is certain of the only call, and of no one among several', async () => {
  for (const [count, isCertain] of [
    [1, true],
    [2, false],
  ]) {
    const { handle, deaths } = await ready();
    const calls = Array.from({ length: count }, () => handle.call('load', { imageId: 'a' }));
    await settle();
    handle.die('a trap');
    await Promise.all(calls.map((call) => assert.rejects(call, { code: 'worker' })));
    assert.equal(deaths[0].isCertain, isCertain);
  }
});

test('one that has ended answers no question, and dies no more', async () => {
  const { handle, deaths } = await ready();
  handle.end(new Error('over'));
  assert.equal(await handle.checkAlive('silent'), false);
  handle.die('a trap');
  assert.deepEqual(deaths, []);
});

test('a worker that says nothing does not start', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { handle } = handleOf(() => ({ boot: () => new Promise(() => {}) }));
    const starting = handle.boot(OPTIONS, new Map());
    const failed = assert.rejects(starting, { code: 'boot', message: /said nothing for 60 s/ });
    await Promise.resolve();
    mock.timers.tick(60_000);
    await failed;
  } finally {
    mock.timers.reset();
  }
});

test('one that was ended while it started takes no place', async () => {
  const place = gate();
  let isTerminated = false;
  const { handle } = handleOf(undefined, { createPlace: () => place.promise });
  const starting = assert.rejects(handle.boot(OPTIONS, new Map()), { message: 'over' });
  handle.end(new Error('over'));
  place.open({ terminate: () => (isTerminated = true) });
  await starting;
  await settle();
  assert.equal(isTerminated, true);
});
