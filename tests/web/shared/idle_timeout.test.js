// Time without a sign of life, which the tests let pass.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { IdleTimeout } from '../../../web/shared/idle_timeout.js';

let pass;
beforeEach((t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  pass = (milliseconds) => t.mock.timers.tick(milliseconds);
});

/** A watch, and how often it told of silence. */
function watchOf(timeout) {
  const heard = { silences: 0, paused: 0 };
  const watch = new IdleTimeout(timeout, { onSilence: () => heard.silences++, pausedTime: () => heard.paused });
  /** Let time pass in which silence has its reason. */
  const pause = (milliseconds) => {
    for (let begin = 0; begin < milliseconds; begin += 100) {
      heard.paused += 100;
      pass(100);
    }
  };
  return { heard, watch, pause };
}

test('silence is told once, when the time is up', () => {
  const { heard, watch } = watchOf(1000);
  pass(999);
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  pass(1);
  assert.deepEqual([watch.silent, heard.silences], [true, 1]);
  pass(10_000);
  assert.equal(heard.silences, 1);
});

test('nobody has to listen', () => {
  const watch = new IdleTimeout(1000);
  pass(1000);
  assert.equal(watch.silent, true);
});

test('a sign of life starts the time anew', () => {
  const { heard, watch } = watchOf(1000);
  for (let signs = 0; signs < 5; signs++) {
    pass(999);
    watch.restart();
  }
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  pass(1000);
  assert.deepEqual([watch.silent, heard.silences], [true, 1]);
});

test('after stop there is no silence, until it starts again', () => {
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

for (const timeout of [0, -1, Infinity, NaN, undefined, null]) {
  test(`${timeout} is no limit`, () => {
    const { heard, watch } = watchOf(timeout);
    pass(2 ** 31);
    watch.restart();
    pass(2 ** 31);
    assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  });
}

test('a limit beyond what timers can wait is not one at once', (t) => {
  const waits = t.mock.method(globalThis, 'setTimeout', () => undefined).mock;
  for (const timeout of [2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) new IdleTimeout(timeout);
  assert.deepEqual(
    waits.calls.map(({ arguments: [, wait] }) => wait),
    [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1],
  );
});

test('while it is paused silence has its reason; afterwards it has a whole time', () => {
  const { heard, watch, pause } = watchOf(1000);
  pause(5000);
  assert.deepEqual([watch.silent, heard.silences], [false, 0]);
  pass(999);
  assert.equal(heard.silences, 0);
  pass(1);
  assert.deepEqual([watch.silent, heard.silences], [true, 1]);
});

test('whenever a pause begins and ends, it alone does not count', () => {
  const { heard, pause } = watchOf(1000);
  pass(300);
  pause(2600);
  pass(200);
  pause(100);
  pass(400); // timers that are set meanwhile begin here
  pass(99);
  assert.equal(heard.silences, 0);
  pass(1);
  assert.equal(heard.silences, 1);
});

test('a watch that is stopped while paused stays stopped', () => {
  const { heard, watch, pause } = watchOf(1000);
  pause(1500);
  watch.stop();
  pass(10_000);
  assert.equal(heard.silences, 0);
});

// ------------------------------------------------------------------ its signal

test('the signal aborts on silence, and before it is told', () => {
  let wasAborted;
  const watch = new IdleTimeout(1000, { onSilence: () => (wasAborted = signal.aborted) });
  const signal = watch.join(undefined);
  pass(999);
  assert.equal(signal.aborted, false);
  pass(1);
  assert.deepEqual([signal.aborted, wasAborted], [true, true]);
});

test("the signal aborts with the caller's, which is no silence", () => {
  const { heard, watch } = watchOf(1000);
  const controller = new AbortController();
  const signal = watch.join(controller.signal);
  assert.equal(signal.aborted, false);
  controller.abort();
  assert.deepEqual([signal.aborted, watch.silent, heard.silences], [true, false, 0]);
});

test('the signal of a caller that has aborted is aborted', () => {
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

test('who joins after the silence finds it aborted', () => {
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
