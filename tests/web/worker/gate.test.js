// @ts-check
// The limit of concurrent requests to one origin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, compareUrgency } from '../../../web/worker/gate.js';

/** @typedef {import('../../../web/worker/gate.js').Urgency} Urgency */

/** @type {Urgency} */
const URGENT = [0, 0];
const never = () => new AbortController().signal;
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** A gate, and the names of those who have entered it, in order. @param {number} limit */
function gateOf(limit) {
  const settings = { limit };
  const gate = new Gate(() => settings.limit);
  /** @type {string[]} */
  const inside = [];
  /** @param {string} name @param {Urgency} urgency @param {AbortSignal} signal */
  const enter = async (name, urgency = URGENT, signal = never()) => {
    const leave = await gate.enter(urgency, signal);
    inside.push(name);
    return leave;
  };
  return { gate, settings, inside, enter };
}

test('so many are inside at a time', async () => {
  const { enter, inside } = gateOf(2);
  const [first, second, third, fourth] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
  await turn();
  assert.deepEqual(inside, ['a', 'b']);
  (await second)();
  await turn();
  assert.deepEqual(inside, ['a', 'b', 'c']);
  (await first)();
  (await third)();
  (await fourth)();
  await enter('e');
  assert.deepEqual(inside, ['a', 'b', 'c', 'd', 'e']);
});

test('those who wait enter by type, then priority, then age', async () => {
  const { enter, inside } = gateOf(1);
  const leave = await enter('first');
  /** @type {[name: string, urgency: Urgency][]} */
  const waiting = [
    ['prefetch', [2, -9]],
    ['late', [0, 5]],
    ['early', [0, -5]],
    ['thumbnail', [1, 0]],
    ['later', [0, 5]],
  ];
  for (const [name, urgency] of waiting) enter(name, urgency).then((done) => done());
  await turn();
  leave();
  await turn();
  assert.deepEqual(inside, ['first', 'early', 'late', 'later', 'thumbnail', 'prefetch']);
});

test('nobody enters before others who wait, also after the limit is raised', async () => {
  const { enter, inside, settings, gate } = gateOf(1);
  await enter('first');
  enter('second');
  settings.limit = 2;
  enter('third');
  await turn();
  assert.deepEqual(inside, ['first'], 'the gate learns of the limit when it admits');
  gate.admit();
  await turn();
  assert.deepEqual(inside, ['first', 'second']);
});

test('a raised limit admits as many more; a lowered one none until enough have left', async () => {
  const { enter, inside, settings, gate } = gateOf(1);
  const all = ['a', 'b', 'c', 'd'].map((name) => enter(name));
  settings.limit = 3;
  gate.admit();
  await turn();
  assert.deepEqual(inside, ['a', 'b', 'c']);
  settings.limit = 1;
  gate.admit();
  for (const entered of all.slice(0, 2)) (await entered)();
  await turn();
  assert.deepEqual(inside, ['a', 'b', 'c']);
  (await all[2])();
  await turn();
  assert.deepEqual(inside, ['a', 'b', 'c', 'd']);
});

test('an abort ends the wait with its reason, and the others keep their order', async () => {
  const { enter, inside } = gateOf(1);
  const leave = await enter('first');
  const controller = new AbortController();
  const leaving = enter('leaving', URGENT, controller.signal);
  for (const name of ['second', 'third']) enter(name).then((done) => done());
  const reason = new Error('no longer wanted');
  controller.abort(reason);
  await assert.rejects(leaving, reason);
  leave();
  await turn();
  assert.deepEqual(inside, ['first', 'second', 'third']);
});

test('a signal that is aborted already never enters', async () => {
  const { enter, inside } = gateOf(1);
  await assert.rejects(enter('late', URGENT, AbortSignal.abort()), { name: 'AbortError' });
  await enter('next');
  assert.deepEqual(inside, ['next']);
});

test('an abort after the admission gives no place back: the caller does, once', async () => {
  const { enter, inside } = gateOf(1);
  const leave = await enter('first');
  const controller = new AbortController();
  const admitted = enter('admitted', URGENT, controller.signal);
  enter('next');
  enter('last');
  leave();
  controller.abort();
  const leaveToo = await admitted;
  await turn();
  assert.deepEqual(inside, ['first', 'admitted']);
  leaveToo();
  await turn();
  assert.deepEqual(inside, ['first', 'admitted', 'next']);
});

test('a request that is under way counts without a wait', async () => {
  const { enter, inside, gate } = gateOf(1);
  const leave = await enter('first');
  const waiting = enter('second');
  const leaveToo = gate.join();
  leave();
  await turn();
  assert.deepEqual(inside, ['first']);
  leaveToo();
  await waiting;
});

test('urgency is compared by type, then priority', () => {
  /** @type {Urgency[]} */
  const all = [
    [1, 0],
    [0, 3],
    [2, -8],
    [0, -1],
  ];
  assert.deepEqual(all.sort(compareUrgency), [
    [0, -1],
    [0, 3],
    [1, 0],
    [2, -8],
  ]);
});
