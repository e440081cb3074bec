// @ts-check
// Loads from the call to the image: shared, brought forward, cancelled, told of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../../support/web/page.js';
import { gate, settle } from '../../support/web/workers.js';
import { Loads } from '../../../web/page/loads.js';
import { SourceRefs } from '../../../web/page/source_refs.js';

/** @typedef {import('../../../web/page/loads.js').Job} Job */
/** @typedef {import('../../../web/page/loads.js').JsLoader} JsLoader */
/** @typedef {import('../../../web/page/loads.js').Loaded} Loaded */
/** @typedef {import('../../../web/page/loads.js').Options} Options */
/** @typedef {import('../../../web/scheduler/queue.js').Urgency} Urgency */
/** @typedef {import('../../support/web/workers.js').Gate<Loaded> & {imageId: string, job: Job}} Call of Python */
/** @typedef {{promise: Promise<import('pyloader').Image>, cancelFn: () => void}} Start */
/** @typedef {(imageId: string, options: Options) => Partial<ReturnType<JsLoader>>} MaybeLoader */

/**
 * Loads over a stand-in of Python, which waits.
 * @param {{loaders?: Record<string, MaybeLoader>, wadoURI?: string}} settings
 */
function loadsOf({ loaders = {}, wadoURI } = {}) {
  /** @type {Call[]} */
  const asked = [];
  /** @type {[type: string, detail: unknown][]} */
  const fired = [];
  /** @type {[imageId: string, urgency: Urgency][]} */
  const hurried = [];
  /** @type {string[]} */
  const released = [];
  /** @type {string[]} */
  const described = [];
  const loads = new Loads({
    loaderOf: async (scheme) => /** @type {JsLoader | undefined} */ (loaders[scheme]),
    plainOptions: (_, { signal, onProgress, priority, requestType, timeout, ...options }) => ({
      ...options,
      ...(wadoURI && { wadoURI }),
    }),
    ask: (imageId, job) => {
      /** @type {Call} */
      const call = { ...gate(), imageId, job };
      asked.push(call);
      job.signal.addEventListener('abort', () => call.fail(new DOMException('cancelled', 'AbortError')));
      return call.promise;
    },
    hurry: (payload, urgency) => hurried.push([payload.imageId, urgency]),
    describe: (imageId) => described.push(imageId),
    fire: (type, detail) => fired.push([type, detail]),
    refs: new SourceRefs((source) => released.push(source)),
  });
  /** @param {string} imageId @param {Record<string, unknown>} options which may be wrong */
  const start = (imageId, options = {}) =>
    /** @type {Start} */ (loads.start(imageId, /** @type {Options} */ (options), 'none', imageId));
  return { loads, start, asked, fired, released, hurried, described };
}

test('those who want the same share one load; in another form it is another', async () => {
  const { start, asked } = loadsOf();
  const [one, two, other] = [start('wadouri:a'), start('wadouri:a'), start('wadouri:a', { preScale: true })];
  await settle();
  assert.deepEqual(
    asked.map(({ imageId }) => imageId),
    ['wadouri:a', 'wadouri:a'],
  );
  asked[0].open(answer());
  asked[1].open(answer());
  const [first, second] = await Promise.all([one.promise, two.promise, other.promise]);
  assert.equal(first.getPixelData(), second.getPixelData());
  assert.notEqual(first, second, 'each has an object of its own');
});

test('a cancel ends one, and the work with the last', async () => {
  const { start, asked, loads } = loadsOf();
  const [one, two] = [start('wadouri:a'), start('wadouri:a')];
  await settle();
  one.cancelFn();
  await assert.rejects(one.promise, { name: 'AbortError' });
  assert.equal(asked[0].job.signal.aborted, false);
  two.cancelFn();
  await assert.rejects(two.promise, { name: 'AbortError' });
  assert.equal(asked[0].job.signal.aborted, true);
  assert.deepEqual([loads.size, loads.counts], [0, { loaded: 0, failed: 0, cancelled: 2 }]);
});

test('a signal that has aborted asks for nothing', async () => {
  const { start, asked } = loadsOf();
  await assert.rejects(start('wadouri:a', { signal: AbortSignal.abort() }).promise, { name: 'AbortError' });
  assert.equal(asked.length, 0);
});

test('who wants it more brings it forward, once', async () => {
  const { start, hurried, asked } = loadsOf();
  start('wadouri:a', { requestType: 'prefetch' }).promise.catch(() => {});
  await settle();
  start('wadouri:a', { requestType: 'interaction' }).promise.catch(() => {});
  start('wadouri:a', { requestType: 'prefetch' }).promise.catch(() => {});
  await settle();
  assert.deepEqual(hurried, [['wadouri:a', { priority: undefined, requestType: 'interaction' }]]);
  assert.equal(asked.length, 1);
});

test('after another user has come, a load under way is not shared', async () => {
  const { loads, start, asked } = loadsOf();
  const one = start('wadouri:a');
  await settle();
  loads.beginAnew();
  const two = start('wadouri:a');
  await settle();
  assert.equal(asked.length, 2);
  for (const { open } of asked) open(answer());
  await Promise.all([one.promise, two.promise]);
});

test('progress reaches the page without secrets; a listener that fails harms nothing', async () => {
  const { start, asked, fired } = loadsOf();
  /** @type {unknown[]} */
  const heard = [];
  const loading = start('wadouri:https://u:p@host/a?token=x', {
    onProgress: (/** @type {unknown} */ detail) => {
      heard.push(detail);
      throw new Error('mine');
    },
  });
  await settle();
  asked[0].job.onProgress({ phase: 'start', url: 'https://host/a?token=x', loaded: 0, attempt: 1 });
  asked[0].job.onProgress({ phase: 'progress', url: 'https://host/a?token=x', loaded: 5, total: 10, attempt: 1 });
  asked[0].open(answer());
  await loading.promise;
  assert.deepEqual(heard, [
    {
      url: 'https://host/a?token=***',
      imageId: 'wadouri:https://***@host/a?token=***',
      attempt: 1,
      loaded: 5,
      total: 10,
      percentComplete: 50,
    },
  ]);
  assert.deepEqual(
    fired.map(([type]) => type),
    ['imageloadstart', 'imageloadprogress', 'imageloaded'],
  );
});

test('the last object that is decached lets go of the source', async () => {
  const { loads, asked, released } = loadsOf();
  const objects = [1, 2].map((frame) =>
    loads.object(`wadouri:a?frame=${frame}`, {}, 'none', `wadouri:a?frame=${frame}`),
  );
  await settle();
  for (const { open } of asked) open(answer());
  await Promise.all(objects.map(({ promise }) => promise));
  await settle();
  objects[0].decache();
  objects[0].decache();
  assert.deepEqual(released, []);
  objects[1].decache();
  assert.deepEqual(released, ['wadouri:a']);
});

test('an object that was decached before it came holds nothing', async () => {
  const { loads, asked, released } = loadsOf();
  const object = loads.object('wadouri:a', {}, 'none', 'wadouri:a');
  object.decache();
  await settle();
  asked[0].open(answer());
  await object.promise;
  await settle();
  object.decache();
  assert.deepEqual(released, []);
});

test('a loader of the page that returns no promise is named', async () => {
  const { start } = loadsOf({ loaders: { mine: () => ({}) } });
  await assert.rejects(start('mine:a').promise, {
    code: 'loader',
    message: /has to return \{ promise \} with a Promise, not undefined/,
  });
});

test('a cancel of a loader of the page calls its own', async () => {
  let cancelled = 0;
  const { start } = loadsOf({
    loaders: { mine: () => ({ promise: new Promise(() => {}), cancelFn: () => cancelled++ }) },
  });
  const { promise, cancelFn } = start('mine:a');
  await settle();
  cancelFn();
  await assert.rejects(promise, { name: 'AbortError' });
  assert.equal(cancelled, 1);
});

test('many at once are begun in turns, and Python hears of each', async () => {
  const { start, asked, loads } = loadsOf();
  const all = Array.from({ length: 100 }, (_, index) => start(`wadouri:${index}`));
  await settle();
  await loads.settle();
  await settle();
  assert.equal(asked.length, 100);
  for (const { open } of asked) open(answer());
  await Promise.all(all.map(({ promise }) => promise));
  assert.equal(loads.counts.loaded, 100);
});
