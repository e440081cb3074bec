// @ts-check
// Loads that begin at once, and loads that wait for another turn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../web/page/turns.js';

/** Turns that a test gives, and a function that takes some and notes when they begin. */
function made() {
  /** @type {(() => void)[]} */
  const given = [];
  const turns = new Turns((turn) => void given.push(turn));
  /** @type {(string | number)[]} */
  const begun = [];
  const begin = async (/** @type {string | number} */ name) => {
    await turns.take();
    begun.push(name);
  };
  const take = (/** @type {(string | number)[]} */ ...names) => Promise.all(names.map(begin));
  const next = async () => {
    given.shift()?.();
    await settle();
    return begun.splice(0);
  };
  return { turns, take, next, begun, given };
}

const range = (/** @type {number} */ count, first = 0) => Array.from({ length: count }, (_, index) => first + index);
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a few loads begin at once', async () => {
  const { take, next, begun, given } = made();
  await take(...range(40));
  assert.deepEqual(begun.splice(0), range(40));
  assert.deepEqual(await next(), []);
  assert.equal(given.length, 0, 'and no turn is asked for when nobody waits');
  await take('later');
  assert.deepEqual(begun, ['later']);
});

test('many loads begin in turns, in their order, and all of them', async () => {
  const { take, next, begun } = made();
  take(...range(100));
  await settle();
  assert.deepEqual(begun.splice(0), range(40));
  assert.deepEqual(await next(), range(40, 40));
  take('last');
  assert.deepEqual(await next(), [...range(20, 80), 'last']);
  assert.deepEqual([await next(), await next()], [[], []]);
});

test('a load that comes during a full turn waits for the next', async () => {
  const { take, next, begun } = made();
  take(...range(80));
  await settle();
  begun.splice(0);
  assert.deepEqual(await next(), range(40, 40));
  take('late');
  await settle();
  assert.deepEqual(begun, []);
  assert.deepEqual(await next(), ['late']);
});

test('settling waits for the last one', async () => {
  const { turns, take, next } = made();
  assert.equal(turns.settle(), undefined);
  await take('one');
  assert.equal(turns.settle(), undefined);
  take(...range(60));
  let settled = 0;
  turns.settle()?.then(() => settled++);
  await next();
  assert.equal(settled, 0, 'all have begun, and may have more steps to do');
  await next();
  assert.equal(settled, 1);
});
