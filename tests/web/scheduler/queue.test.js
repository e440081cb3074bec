// @ts-check
// The order of waiting jobs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue, isMoreUrgent, orderOf } from '../../../web/scheduler/queue.js';

/** @typedef {import('../../../web/scheduler/queue.js').Waiting} Waiting */

/** @param {string} imageId @param {Partial<Waiting>} options @returns {Waiting} */
const job = (imageId, options = {}) => ({
  name: 'load',
  payload: { imageId, options: {} },
  source: imageId.split('?')[0],
  ...options,
});

/** A queue of jobs, added in this order. @param {Waiting[]} jobs */
function queueOf(...jobs) {
  /** @type {Queue<Waiting>} */
  const queue = new Queue();
  for (const each of jobs) queue.add(each);
  return queue;
}

/** @param {Queue<Waiting>} queue */
const order = (queue) => [...queue].map(({ payload }) => payload.imageId);

test('by type, priority and age', () => {
  const queue = queueOf(
    job('x:1', { requestType: 'prefetch' }),
    job('x:2', { priority: 3 }),
    job('x:3'),
    job('x:4', { priority: -Infinity }),
    job('x:5', { requestType: 'unknown' }),
    job('x:6', { priority: Infinity }),
    job('x:7', { requestType: 'thumbnail', priority: -9 }),
  );
  assert.deepEqual(order(queue), ['x:4', 'x:3', 'x:5', 'x:2', 'x:6', 'x:7', 'x:1']);
});

test('a priority that is not a number does not count', () => {
  const wrong = /** @type {any[]} */ ([undefined, NaN, 'high', null, '-1']);
  const queue = queueOf(...wrong.map((priority, index) => job(`x:${index + 1}`, { priority })));
  assert.deepEqual(order(queue), ['x:5', 'x:1', 'x:2', 'x:3', 'x:4']);
  assert.deepEqual(orderOf({ priority: NaN }), { rank: 0, priority: 0, age: 0 });
  assert.equal(isMoreUrgent({ priority: NaN }, {}), false);
});

test('the newest turn of an interaction goes first, in its order', () => {
  const scrolled = (/** @type {string} */ imageId, /** @type {number} */ burst) =>
    job(imageId, { requestType: 'interaction', burst });
  const queue = queueOf(
    job('x:1', { burst: 0 }),
    scrolled('x:2', 1),
    scrolled('x:3', 2),
    scrolled('x:4', 2),
    job('x:5', { requestType: 'prefetch', burst: 3 }),
    job('x:6', { requestType: 'prefetch', burst: 4 }),
    scrolled('x:7', 0),
  );
  assert.deepEqual(order(queue), ['x:3', 'x:4', 'x:2', 'x:1', 'x:7', 'x:5', 'x:6']);
  queue.remove(queue[Symbol.iterator]().next().value ?? job('x:0'));
  assert.deepEqual(order(queue).slice(0, 2), ['x:4', 'x:2']);
});

test('a job leaves once', () => {
  const [one, two] = [job('x:1'), job('x:2')];
  const queue = queueOf(one, two);
  assert.deepEqual([queue.remove(one), queue.remove(one), queue.length], [true, false, 1]);
  assert.deepEqual(order(queue), ['x:2']);
  assert.deepEqual(queue.clear(), [two]);
  assert.deepEqual([queue.length, order(queue)], [0, []]);
});

test('a job that is put back is the first of its urgency', () => {
  const [one, two, three] = [job('x:1'), job('x:2'), job('x:3', { priority: -1 })];
  const queue = queueOf(one, two, three);
  queue.remove(two);
  queue.putBack(two);
  assert.deepEqual([order(queue), queue.length], [['x:3', 'x:2', 'x:1'], 3]);
});

test('jobs may leave while the queue is iterated', () => {
  const jobs = [job('x:1', { priority: 1 }), job('x:2'), job('x:3', { priority: 2 })];
  const queue = queueOf(...jobs);
  /** @type {string[]} */
  const seen = [];
  for (const each of queue) {
    seen.push(each.payload.imageId);
    queue.remove(each);
  }
  assert.deepEqual([seen, queue.length], [['x:2', 'x:1', 'x:3'], 0]);
});

test('the upcoming frames of a source are listed in order, also with other jobs between them', () => {
  const jobs = [1, 2, 3, 4].map((frame) => job(`x:a?frame=${frame}`, { priority: -frame }));
  const queue = queueOf(...jobs, job('x:b?frame=9'), { ...job('x:a?frame=7'), name: 'metadata' });
  queue.remove(jobs[3]);
  assert.deepEqual(queue.upcoming(jobs[3]), [2, 1, 0]);
  assert.deepEqual(queue.upcoming(job('x:c?frame=1')), []);
});
