// @ts-check
// One interpreter as the page sees it: its states, its signs of life, and the ends of its calls.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { BOOT, PAGE, emptyPlace, gate, placesOf, settle } from '../../support/web/workers.js';
import { WorkerDeath, WorkerHandle } from '../../../web/scheduler/worker_handle.js';

/** @typedef {import('../../support/web/workers.js').Script} Script */
/** @typedef {import('../../support/web/workers.js').NamedCall} NamedCall */
/** @typedef {import('../../support/web/workers.js').Gate<import('../../support/web/workers.js').Place>} PlaceGate */

const LOAD = { imageId: 'a', options: {}, urgency: /** @type {[number, number]} */ ([0, 0]), upcoming: [] };

/**
 * A handle of a fake worker; it is not booted.
 * @param {Script} [script] @param {Partial<import('../../../web/scheduler/worker_handle.js').WorkerHandleHost>} more
 */
function handleOf(script, more = {}) {
  const { workers, createPlace } = placesOf(script);
  /** @type {Error[]} */
  const deaths = [];
  const host = { createPlace, handlers: PAGE, onBootProgress: () => {}, ...more };
  const handle = new WorkerHandle(host, (error) => deaths.push(error));
  return { handle, workers, deaths };
}

/** One that is ready. @param {Script} [script] */
async function ready(script) {
  const made = handleOf(script);
  await made.handle.boot(BOOT, new Map());
  return made;
}

test('it is booting, then ready, then ended', async () => {
  const { handle } = handleOf();
  assert.deepEqual([handle.state, handle.isRunning, handle.stats().state], ['booting', false, 'booting']);
  await handle.boot(BOOT, new Map());
  assert.deepEqual([handle.state, handle.isRunning], ['ready', true]);
  assert.equal(handle.stats().boot?.kind, 'cold');
  handle.end(new Error('over'));
  assert.deepEqual([handle.state, handle.isRunning], ['ended', false]);
});

test('a new worker hears all earlier calls, in order', async () => {
  const { handle, workers } = handleOf();
  /** @type {Map<string, NamedCall>} */
  const replay = new Map();
  replay.set('a', ['withdraw', { name: 'a' }]).set('b', ['service', { base: 'b', headers: {} }]);
  await handle.boot(BOOT, replay);
  assert.deepEqual(workers[0].calls(), ['boot', 'withdraw', 'service']);
});

test('a worker is doubtful while it is asked for a sign of life, and ready when it answers', async () => {
  const asked = gate();
  const { handle, deaths } = await ready(() => ({ stats: () => asked.promise }));
  const [first, second] = [handle.checkAlive('silent'), handle.checkAlive('silent too')];
  await settle();
  assert.deepEqual([handle.state, handle.isRunning, handle.stats().state], ['doubtful', true, 'ready']);
  asked.open({});
  assert.deepEqual(await Promise.all([first, second]), [true, true]);
  assert.deepEqual([handle.state, deaths], ['ready', []]);
});

test('a leaving worker still leaves after it was asked for a sign of life', async () => {
  const { handle } = await ready();
  handle.state = 'leaving';
  assert.equal(await handle.checkAlive('silent'), true);
  assert.equal(handle.state, 'leaving');
});

test('a worker that does not answer dies once, for all who ask', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { handle, deaths } = await ready(() => ({ stats: () => new Promise(() => {}) }));
    const load = handle.call('load', LOAD);
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
  for (const count of [1, 2]) {
    const { handle, deaths } = await ready();
    const calls = Array.from({ length: count }, () => handle.call('load', LOAD));
    await settle();
    handle.die('a trap');
    await Promise.all(calls.map((call) => assert.rejects(call, { code: 'worker' })));
    assert.equal(/** @type {WorkerDeath} */ (deaths[0]).isCertain, count === 1);
  }
});

test('an ended worker answers no question, and cannot die', async () => {
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
    const starting = handle.boot(BOOT, new Map());
    const failed = assert.rejects(starting, { code: 'boot', message: /said nothing for 60 s/ });
    await Promise.resolve();
    mock.timers.tick(60_000);
    await failed;
  } finally {
    mock.timers.reset();
  }
});

test('a worker that was ended while it started takes no place', async () => {
  const place = /** @type {PlaceGate} */ (gate());
  let terminated = 0;
  const { handle } = handleOf(undefined, { createPlace: () => place.promise });
  const starting = assert.rejects(handle.boot(BOOT, new Map()), { message: 'over' });
  handle.end(new Error('over'));
  place.open(emptyPlace(() => terminated++));
  await starting;
  await settle();
  assert.equal(terminated, 1);
});
