// What is begun at once, and what waits for another turn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../web/page/turns.js';

/** Turns that a test gives, and a function that takes some and notes when they begin. */
function made() {
  const given = [];
  const turns = new Turns((turn) => given.push(turn));
  const begun = [];
  const take = async (...names) => Promise.all(names.map(async (name) => (await turns.take(), begun.push(name))));
  const next = async () => (given.shift()?.(), await new Promise(setImmediate), begun.splice(0));
  return { turns, take, next, begun, given };
}

const range = (count, first = 0) => Array.from({ length: count }, (_, index) => first + index);

test('few begin at once', async () => {
  const { take, next, begun, given } = made();
  await take(...range(40));
  assert.deepEqual(begun.splice(0), range(40));
  assert.deepEqual(await next(), []);
  assert.equal(given.length, 0, 'and no turn is asked for when nobody waits');
  await take('later');
  assert.deepEqual(begun, ['later']);
});

test('many begin in turns, in their order, and all of them', async () => {
  const { take, next, begun } = made();
  take(...range(100));
  await new Promise(setImmediate);
  assert.deepEqual(begun.splice(0), range(40));
  assert.deepEqual(await next(), range(40, 40));
  take('last');
  assert.deepEqual(await next(), [...range(20, 80), 'last']);
  assert.deepEqual([await next(), await next()], [[], []]);
});

test('who comes while a full turn is under way waits for the next', async () => {
  const { take, next, begun } = made();
  take(...range(80));
  await new Promise(setImmediate);
  begun.splice(0);
  assert.deepEqual(await next(), range(40, 40));
  take('late');
  await new Promise(setImmediate);
  assert.deepEqual(begun, []);
  assert.deepEqual(await next(), ['late']);
});

test('settling waits for the last one', async () => {
  const { turns, take, next } = made();
  assert.equal(turns.settle(), undefined);
  await take('one');
  assert.equal(turns.settle(), undefined);
  take(...range(60));
  let isSettled = false;
  turns.settle().then(() => (isSettled = true));
  await next();
  assert.equal(isSettled, false, 'they have begun, and may have to do some steps yet');
  await next();
  assert.equal(isSettled, true);
});
