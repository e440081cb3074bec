// @ts-check
// Files that have arrived go to Python in lists; a stand-in takes the place of its bridge.
import '../../support/web/channels.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Arrivals, endOf } from '../../../web/worker/arrivals.js';
import { StartedInterpreter, ended, fileOf, foundOf, image } from '../../support/web/interpreter.js';

/** @typedef {import('../../../web/worker/arrivals.js').Arrival} Arrival */
/** @typedef {import('../../../web/worker/bridge.d.ts').Bridge} Bridge */
/** @typedef {import('../../../web/worker/bridge.d.ts').Listener} Listener */
/** @typedef {import('../../../web/worker/gate.js').Urgency} Urgency */
/** @typedef {import('../../support/web/interpreter.js').Row} Row */
/**
 * @typedef {{call: number, imageId: string, url: string, job: unknown, waited: number, head: unknown}} Told a row of
 *   the list that Python gets
 */

/** @param {string} name @param {Partial<Arrival> & {urgency?: Urgency}} changes @returns {Arrival} */
function arrivalOf(name, { urgency = [0, 0], ...changes } = {}) {
  return {
    imageId: `wadouri:/${name}`,
    url: `/${name}`,
    response: fileOf(`https://host/${name}`),
    job: { options: {}, urgency, upcoming: [] },
    waited: 7,
    listener: () => {},
    signal: new AbortController().signal,
    ...changes,
  };
}

/**
 * Arrivals of an interpreter whose bridge answers with `answer`.
 * @param {(list: Told[], bodies: Uint8Array[], listeners: Listener[]) => Row[]} answer @param {Partial<Bridge>} bridge
 */
function arrivalsOf(answer = (list) => list.map((_, index) => ended(image(index))), bridge = {}) {
  /** Names of the files of each list. @type {string[][]} */
  const lists = [];
  /** @type {Bridge['load_arrived']} */
  const load_arrived = (text, bodies, listeners) => {
    /** @type {Told[]} */
    const list = JSON.parse(text);
    assert.deepEqual([bodies.length, listeners.length], [list.length, list.length]);
    lists.push(list.map(({ url }) => url.slice(1)));
    return foundOf(...answer(list, bodies, listeners));
  };
  const interpreter = new StartedInterpreter({ load_arrived, ...bridge });
  const arrivals = new Arrivals(interpreter);
  /** @param {string} name @param {Parameters<typeof arrivalOf>[1]} [changes] */
  const add = (name, changes) => arrivals.add(arrivalOf(name, changes));
  return { add, arrivals, interpreter, lists };
}

/** The first pixel of the images of a load. @param {Awaited<ReturnType<Arrivals['add']>>} found */
const firstPixels = (found) => found?.arrays.map(({ pixels }) => pixels[0]);

test('files that arrive in one turn make one list, each load gets its own images', async () => {
  const { add, lists } = arrivalsOf(() => [ended(image(5), image(6)), ended(image(7))]);
  const found = await Promise.all([add('a'), add('b')]);
  assert.deepEqual(found.map(firstPixels), [[5, 6], [7]]);
  assert.deepEqual(
    found.map((each) => each?.answers.length),
    [2, 1],
  );
  assert.deepEqual(lists, [['a', 'b']]);
});

test('a file that arrives later makes a list of its own', async () => {
  const { add, lists } = arrivalsOf();
  await add('a');
  await add('b');
  assert.deepEqual(lists, [['a'], ['b']]);
});

test('Python gets what it needs to know, the bodies and the listeners', async () => {
  /** @type {unknown[]} */
  const given = [];
  const { arrivals, interpreter } = arrivalsOf((list, bodies, listeners) => {
    given.push(list[0], bodies[0], listeners[0]);
    return [ended(image(1))];
  });
  const arrival = arrivalOf('a', { urgency: [1, 5] });
  const calls = interpreter.newCall();
  await arrivals.add(arrival);
  const { imageId, url, job, response, listener } = arrival;
  const { body, ...head } = response;
  assert.deepEqual(given, [{ call: calls + 1, imageId, url, job, waited: 7, head }, body, listener]);
});

test('a list is sorted by urgency, then age', async () => {
  const { add, lists } = arrivalsOf();
  await Promise.all([
    add('prefetch', { urgency: [2, -1] }),
    add('late', { urgency: [0, 1] }),
    add('early', { urgency: [0, -1] }),
    add('later', { urgency: [0, 1] }),
  ]);
  assert.deepEqual(lists, [['early', 'late', 'later', 'prefetch']]);
});

test('each load of a sorted list gets its own image', async () => {
  const { add } = arrivalsOf((list) => list.map(({ url }) => ended(image(Number(url.slice(1))))));
  const found = await Promise.all([add('1', { urgency: [2, 0] }), add('2'), add('3', { urgency: [1, 0] })]);
  assert.deepEqual(found.map(firstPixels), [[1], [2], [3]]);
});

test('a load that is cancelled meanwhile rejects, and its file does not go to Python', async () => {
  const { add, lists } = arrivalsOf();
  const controller = new AbortController();
  const cancelled = add('a', { signal: controller.signal });
  const other = add('b');
  controller.abort();
  await assert.rejects(cancelled, { name: 'AbortError' });
  await other;
  assert.deepEqual(lists, [['b']]);
});

test('Python is not called when nobody wants a file any more', async () => {
  const { add, lists } = arrivalsOf();
  await assert.rejects(add('a', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await add('b');
  assert.deepEqual(lists, [['b']]);
});

test('a file of another identity does not go to Python', async () => {
  const { add, interpreter, lists } = arrivalsOf();
  const old = add('old');
  interpreter.settings.identity = 1;
  const current = add('current');
  assert.equal(await old, undefined);
  assert.ok(await current);
  assert.deepEqual(lists, [['current']]);
});

test('files that Python leaves out are handed to it again', async () => {
  const { add, lists, interpreter } = arrivalsOf(() => [ended(image(1))]);
  /** @type {string[]} */
  const order = [];
  await Promise.all(['a', 'b', 'c'].map((name) => add(name).then(() => order.push(name))));
  assert.deepEqual(lists, [['a', 'b', 'c'], ['b', 'c'], ['c']]);
  assert.deepEqual(order, ['a', 'b', 'c']);
  assert.deepEqual(
    interpreter.sent,
    ['a', 'b', 'c'].map((name) => ['reuse', `https://host/${name}`]),
    'each buffer is reused once, after Python has read it',
  );
});

test('a more urgent file goes before those that Python left out; another one behind them', async () => {
  /** @type {Promise<unknown>[]} */
  const late = [];
  const { add, lists } = arrivalsOf((list) => {
    if (!late.length) late.push(add('other', { urgency: [1, 0] }), add('urgent'));
    return [ended(image(list.length))];
  });
  await Promise.all(['a', 'b', 'c'].map((name) => add(name, { urgency: [1, 0] })));
  await Promise.all(late);
  assert.deepEqual(
    lists.map(([first]) => first),
    ['a', 'urgent', 'b', 'c', 'other'],
  );
});

test('a load that Python left out can be cancelled, and the identity may change', async () => {
  const { add, lists, interpreter } = arrivalsOf(() => [ended(image(1))]);
  const controller = new AbortController();
  const [first, cancelled] = [add('a'), add('b', { signal: controller.signal })];
  await first;
  const refused = assert.rejects(cancelled, { name: 'AbortError' });
  controller.abort();
  await refused;
  const [next, old] = [add('c'), add('d')];
  await next;
  interpreter.settings.identity = 1;
  assert.equal(await old, undefined);
  assert.deepEqual(lists, [
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('a load fails as Python says, and the others do not', async () => {
  /** @type {Row} */
  const failed = { load: { error: { name: 'FormatError', code: 'format', message: 'torn' } }, arrays: [] };
  const { add } = arrivalsOf(() => [failed, ended(image(1))]);
  const [torn, whole] = [add('a'), add('b')];
  await assert.rejects(torn, { kind: 'FormatError', code: 'format', message: 'torn' });
  assert.deepEqual(firstPixels(await whole), [1]);
});

test('a load that was cancelled in Python rejects with an AbortError', async () => {
  const { add } = arrivalsOf(() => [{ load: { cancelled: true }, arrays: [] }]);
  await assert.rejects(add('a'), { name: 'AbortError' });
});

/** @type {Row} */
const WAITS = { load: { waits: true }, arrays: [] };

test('the images of a load that waits come when it ends, those of others at once', async () => {
  /** @type {(row: Row) => void} */
  let end = () => assert.fail('not asked');
  /** @type {number[]} */
  const asked = [];
  /** @type {Bridge['finish']} */
  const finish = async (call) => {
    asked.push(call);
    return foundOf(await new Promise((resolve) => (end = resolve)));
  };
  const { add, interpreter } = arrivalsOf(() => [WAITS, ended(image(1))], { finish });
  const call = interpreter.newCall() + 1;
  let hasEnded = false;
  const late = add('a').finally(() => (hasEnded = true));
  await add('b');
  await sleep(5);
  assert.deepEqual([asked, hasEnded], [[call], false]);
  end(ended(image(3)));
  assert.deepEqual(firstPixels(await late), [3]);
});

test('a load that waits can be cancelled', async () => {
  /** @type {() => void} */
  let end = () => assert.fail('not asked');
  /** @type {number[]} */
  const cancelled = [];
  /** @type {Bridge['finish']} */
  const finish = () =>
    new Promise((resolve) => (end = () => resolve(foundOf({ load: { cancelled: true }, arrays: [] }))));
  /** @type {Bridge['cancel']} */
  const cancel = (call) => {
    cancelled.push(call);
    end();
  };
  const { add, interpreter } = arrivalsOf(() => [WAITS], { finish, cancel });
  const call = interpreter.newCall() + 1;
  const controller = new AbortController();
  const late = add('a', { signal: controller.signal });
  await sleep(5);
  assert.deepEqual(cancelled, []);
  controller.abort();
  await assert.rejects(late, { name: 'AbortError' });
  assert.deepEqual(cancelled, [call]);
});

test('a load that waits may fail, or its call', async () => {
  /** @type {(() => ReturnType<Bridge['finish']>)[]} */
  const ends = [
    async () => foundOf({ load: { error: { name: 'FormatError', message: 'torn' } }, arrays: [] }),
    async () => ({ error: { name: 'NetworkError', message: 'gone' } }),
    async () => Promise.reject(new Error('the bridge broke')),
  ];
  const finish = () => ends.shift()?.() ?? assert.fail('too often');
  const { add } = arrivalsOf((list) => list.map(() => WAITS), { finish });
  const [torn, gone, broken] = ['a', 'b', 'c'].map((name) => add(name));
  await Promise.all([
    assert.rejects(torn, { kind: 'FormatError', message: 'torn' }),
    assert.rejects(gone, { kind: 'NetworkError', message: 'gone' }),
    assert.rejects(broken, /the bridge broke/),
  ]);
});

test('a call that throws rejects all of its list, and later files go on', async () => {
  const failure = new Error('Python has died');
  let isFirst = true;
  const { add } = arrivalsOf((list) => {
    if (!isFirst) return list.map(() => ended(image(1)));
    isFirst = false;
    throw failure;
  });
  const [one, two] = [add('a'), add('b')];
  await Promise.all([assert.rejects(one, failure), assert.rejects(two, failure)]);
  assert.deepEqual(firstPixels(await add('c')), [1]);
});

test('the end of a load is its images with their arrays, or its error', () => {
  const { load, arrays } = ended(image(1));
  assert.deepEqual(endOf({ ...load, isReady: true }, arrays), { ...load, isReady: true, arrays });
  assert.throws(() => endOf({ error: { name: 'FormatError', message: 'torn' } }, []), { kind: 'FormatError' });
  assert.throws(() => endOf({ cancelled: true }, []), { name: 'AbortError' });
});
