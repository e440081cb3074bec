// @ts-check
// Time without a sign of life, on a clock that the tests move.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { IdleTimeout } from '../../../web/shared/idle_timeout.js';

/** @typedef {import('node:test').TestContext} TestContext */

/** @type {TestContext['mock']['timers']} */
let timers;
beforeEach((context) => {
  ({ timers } = /** @type {TestContext} */ (context).mock);
  timers.enable({ apis: ['setTimeout'] });
});

/** @param {number} milliseconds */
const pass = (milliseconds) => timers.tick(milliseconds);

/** An idle timeout, and how often it expired. @param {number} timeout */
function watchOf(timeout) {
  const heard = { silences: 0, paused: 0 };
  const onSilence = () => {
    heard.silences++;
  };
  const watch = new IdleTimeout(timeout, { onSilence, pausedTime: () => heard.paused });
  /** Let time pass that does not count. @param {number} milliseconds */
  const pause = (milliseconds) => {
    for (let begin = 0; begin < milliseconds; begin += 100) {
      heard.paused += 100;
      pass(100);
    }
  };
  return { heard, watch, pause };
}

test('silence is reported once, when the time is up', () => {
  const { heard, watch } = watchOf(1000);
  pass(999);
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  pass(1);
  assert.deepEqual([watch.silent, heard.silences], [true, 1]);
  pass(10_000);
  assert.equal(heard.silences, 1);
});

test('it works without a listener', () => {
  const watch = new IdleTimeout(1000);
  pass(1000);
  assert.equal(watch.silent, true);
});

test('a sign of life restarts the time', () => {
  const { heard, watch } = watchOf(1000);
  for (let signs = 0; signs < 5; signs++) {
    pass(999);
    watch.restart();
  }
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  pass(1000);
  assert.deepEqual([watch.silent, heard.silences], [true, 1]);
});

test('a stopped timeout expires only after a restart', () => {
  const { heard, watch } = watchOf(1000);
  pass(500);
  watch.stop();
  pass(10_000);
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  watch.restart();
  pass(999);
  assert.equal(watch.silent, false);
  pass(1);
  assert.equal(watch.silent, true);
});

for (const timeout of /** @type {number[]} */ ([0, -1, Infinity, NaN, undefined, null])) {
  test(`${timeout} is no limit`, () => {
    const { heard, watch } = watchOf(timeout);
    pass(2 ** 31);
    watch.restart();
    pass(2 ** 31);
    assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  });
}

test('a limit longer than timers can wait does not expire at once', (t) => {
  const waits = t.mock.method(globalThis, 'setTimeout', () => undefined).mock;
  for (const timeout of [2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) new IdleTimeout(timeout);
  assert.deepEqual(
    waits.calls.map(({ arguments: [, wait] }) => wait),
    [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1],
  );
});

test('a pause does not count, and a whole time follows it', () => {
  const { heard, watch, pause } = watchOf(1000);
  pause(5000);
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  pass(999);
  assert.equal(heard.silences, 0);
  pass(1);
  assert.deepEqual([watch.silent, heard.silences], [true, 1]);
});

test('only the pauses do not count, whenever they begin and end', () => {
  const { heard, pause } = watchOf(1000);
  pass(300);
  pause(2600);
  pass(200);
  pause(100);
  pass(400); // timers set meanwhile begin here
  pass(99);
  assert.equal(heard.silences, 0);
  pass(1);
  assert.equal(heard.silences, 1);
});

test('a timeout that is stopped while paused stays stopped', () => {
  const { heard, watch, pause } = watchOf(1000);
  pause(1500);
  watch.stop();
  pass(10_000);
  assert.equal(heard.silences, 0);
});

// ------------------------------------------------------------------ its signal

test('the signal aborts on silence, before the listener is called', () => {
  /** @type {boolean | undefined} */
  let wasAborted;
  const onSilence = () => {
    wasAborted = signal.aborted;
  };
  const watch = new IdleTimeout(1000, { onSilence });
  const signal = watch.join(undefined);
  pass(999);
  assert.equal(signal.aborted, false);
  pass(1);
  assert.deepEqual([signal.aborted, wasAborted], [true, true]);
});

test("the signal aborts with the caller's, without silence", () => {
  const { heard, watch } = watchOf(1000);
  const controller = new AbortController();
  const signal = watch.join(controller.signal);
  assert.equal(signal.aborted, false);
  controller.abort();
  assert.deepEqual([signal.aborted, watch.silent, heard.silences], [true, false, 0]);
});

test('an aborted caller gets an aborted signal', () => {
  const { watch } = watchOf(1000);
  assert.equal(watch.join(AbortSignal.abort()).aborted, true);
  assert.equal(watch.silent, false);
});

test("silence leaves the caller's signal alone", () => {
  const controller = new AbortController();
  const { watch } = watchOf(1000);
  watch.join(controller.signal);
  pass(1000);
  assert.equal(controller.signal.aborted, false);
});

test('joining after the silence gives an aborted signal', () => {
  const { watch } = watchOf(1000);
  pass(1000);
  assert.equal(watch.join(new AbortController().signal).aborted, true);
});

test('stop does not abort', () => {
  const { watch } = watchOf(1000);
  const signal = watch.join(new AbortController().signal);
  watch.stop();
  pass(10_000);
  assert.equal(signal.aborted, false);
});
