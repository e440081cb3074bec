// @ts-check
// A client over fake workers: what the page calls, what workers hear of it, and that two do not meet.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { answer, haveNoPage, havePage, legacyViewer } from '../../support/web/page.js';
import { placesOf, settle } from '../../support/web/workers.js';
import { Client } from '../../../web/page/client.js';
import { PyLoaderError } from '../../../web/shared/errors.js';

/** @typedef {import('pyloader').Image} Image */
/** @typedef {import('../../support/web/workers.js').Script} Script */
/** @typedef {import('../../support/web/workers.js').CallContext} CallContext */
/** @typedef {ReturnType<typeof placesOf>['workers'][number]} Worker */
/** @typedef {import('../../../web/page/client.js').Options} Options */

const ASSETS = { assetsURL: 'https://page.example/lib/' };
/** @type {Client[]} */
const clients = [];

beforeEach(() => havePage());
afterEach(() => {
  for (const client of clients.splice(0)) client.terminate();
  haveNoPage();
});

/** A client, its workers, and all that it fires. @param {Script} [script] */
function clientOf(script) {
  const { workers, createPlace } = placesOf(script);
  const client = new Client(ASSETS, { createPlace: (_assets, _inWorker, onError) => createPlace(onError) });
  clients.push(client);
  /** @type {[type: string, detail: {imageId?: string}][]} */
  const fired = [];
  for (const type of ['bootprogress', 'ready', 'imageloadstart', 'imageloaded', 'imageloadfailed', 'print']) {
    client.events.addEventListener(type, (event) => {
      fired.push([type, /** @type {CustomEvent<{imageId?: string}>} */ (event).detail]);
    });
  }
  return { client, workers, fired, types: () => fired.map(([type]) => type) };
}

/** A client that has one worker. @param {Script} [script] */
async function started(script) {
  const made = clientOf(script);
  await made.client.init({ workers: 1 });
  return { ...made, worker: made.workers[0] };
}

/**
 * Settle a load of a worker, the last one by default.
 * @param {Worker} worker @param {number} index @param {Parameters<typeof answer>[0]} changes
 */
async function open(worker, index = worker.loads.length - 1, changes = {}) {
  worker.loads[index].open(answer(changes));
  await settle();
}

/** Wait for an image. @param {Promise<unknown>} loading */
async function imageOf(loading) {
  return /** @type {Image} */ (await loading);
}

/** Options of a wrong kind. @param {unknown} options */
const wrong = (options) => /** @type {Options} */ (options);

// ------------------------------------------------------------------ loading

test('a load starts Python, and is an image', async () => {
  const { client, workers, types } = clientOf();
  const loading = client.loadImage('wadouri:https://host/a.dcm?frame=2');
  await settle();
  const [{ payload }] = workers[0].loads;
  assert.deepEqual([payload.imageId, payload.urgency], ['wadouri:https://host/a.dcm?frame=2', [0, 0]]);
  await open(workers[0]);
  const image = await imageOf(loading);
  assert.deepEqual([image.imageId, image.rows, image.columns], ['wadouri:https://host/a.dcm?frame=2', 1, 2]);
  assert.deepEqual([...image.getPixelData()], [-5, 7]);
  assert.deepEqual(client.metaData('generalSeriesModule', image.imageId), { modality: 'CT' });
  assert.equal(client.stats().loaded, 1);
  assert.deepEqual(
    types().filter((type) => type !== 'bootprogress'),
    ['ready', 'imageloaded'],
  );
});

test('an image that was cached is the same, in the same form alone', async () => {
  const { client, worker } = await started();
  const first = client.loadAndCacheImage('wadouri:a');
  await settle();
  await open(worker);
  const image = await first;
  assert.equal(await client.loadAndCacheImage('wadouri:a'), image);
  assert.equal(worker.loads.length, 1);
  const other = client.loadAndCacheImage('wadouri:a', { preScale: { enabled: true } });
  await settle();
  await open(worker);
  assert.notEqual(await other, image);
  await client.purge();
  assert.deepEqual([client.cache.size, client.metaData('generalSeriesModule', 'wadouri:a')], [0, undefined]);
});

test('what fails says which image, and is told', async () => {
  const { client, worker, fired } = await started();
  const loading = client.loadImage('wadouri:a');
  await settle();
  worker.loads[0].fail(new PyLoaderError({ code: 'format', message: 'no DICOM', imageId: 'wadouri:a' }));
  await assert.rejects(loading, { code: 'format', imageId: 'wadouri:a' });
  assert.deepEqual(fired[fired.length - 1][1].imageId, 'wadouri:a');
  assert.equal(client.stats().failed, 1);
});

test('options of a wrong kind fail the load, and no worker hears of it', async () => {
  const { client, worker } = await started();
  await assert.rejects(client.loadImage('wadouri:a', wrong({ signal: {} })), {
    code: 'request',
    message: /signal has to be an AbortSignal/,
  });
  await assert.rejects(client.loadMetadata('wadouri:a', wrong({ onProgress: 3 })), { code: 'request' });
  assert.equal(worker.loads.length, 0);
});

test('a loader of the page serves its scheme, and the unknown one what nobody serves', async () => {
  const { client, workers } = clientOf();
  client.registerImageLoader('custom1', (imageId) => ({ promise: Promise.resolve({ imageId, sizeInBytes: 1 }) }));
  assert.equal((await imageOf(client.loadImage('custom1:x'))).imageId, 'custom1:x');
  const unknown = (/** @type {string} */ imageId) => ({
    promise: Promise.resolve({ imageId: `?${imageId}`, sizeInBytes: 1 }),
  });
  assert.equal(client.registerUnknownImageLoader(unknown), undefined);
  assert.equal((await imageOf(client.loadImage('other:x'))).imageId, '?other:x');
  assert.equal(client.registerUnknownImageLoader(undefined), unknown);
  assert.equal(workers.length, 0, 'Python was not needed');
});

test('DICOM JSON is read in lists, and each data set succeeds or fails on its own', async () => {
  /** @type {string[][]} */
  const calls = [];
  const { client } = await started(() => ({
    readJson: ({ imageIds, texts }) => {
      calls.push(imageIds);
      return {
        found: texts.map((text) =>
          text.includes('FF')
            ? { error: { name: 'FormatError', code: 'format', message: 'no rows' } }
            : { modules: { patientModule: { patientName: text } } },
        ),
      };
    },
  }));
  const imageIds = Array.from({ length: 70 }, (_, index) => `wadouri:${index}`);
  const instances = imageIds.map((_, index) => ({
    '00100010': { vr: 'PN', Value: [index === 40 ? 'FF' : `${index}`] },
  }));
  const sources = Object.fromEntries(imageIds.map((imageId, index) => [imageId, instances[index]]));
  await assert.rejects(client.addMetadata(sources), { code: 'format', message: 'no rows' });
  assert.deepEqual([calls.map(({ length }) => length), calls.flat()], [[32, 32, 6], imageIds]);
  await settle(); // the lists after the one with the failure
  for (const [index, imageId] of imageIds.entries()) {
    const found = /** @type {{patientName?: string} | undefined} */ (client.metaData('patientModule', imageId));
    assert.equal(found?.patientName, index === 40 ? undefined : JSON.stringify(instances[index]));
  }
});

test('what is no DICOM JSON is refused before any of the call is read', async () => {
  const { client, worker } = await started();
  await assert.rejects(client.addMetadata({ 'wadouri:a': {}, 'wadouri:b': 42 }), { code: 'image-id' });
  assert.deepEqual(
    worker.heard.filter(([name]) => name === 'readJson'),
    [],
  );
  await client.addMetadata({});
});

test('progress of metadata and of a list is told as that of a load, without secrets', async () => {
  const report = { phase: 'progress', url: 'https://host/a?token=x', loaded: 5, total: 10, attempt: 1 };
  /**
   * @template Payload @param {(payload: Payload) => unknown} found
   * @returns {(payload: Payload, context: CallContext) => Promise<unknown>}
   */
  const tells =
    (found) =>
    async (payload, { progress }) => {
      progress({ ...report, phase: 'start' });
      progress(report);
      return found(payload);
    };
  const { client } = await started(() => ({
    metadata: tells(({ imageIds }) => imageIds.map(() => ({}))),
    imageIds: tells(({ imageId }) => [imageId]),
  }));
  for (const ask of [
    (/** @type {Options} */ options) => client.loadMetadata('wadouri:https://host/a?token=x', options),
    (/** @type {Options} */ options) => client.imageIds('wadouri:https://host/a?token=x', options),
  ]) {
    /** @type {unknown[]} */
    const heard = [];
    await ask({ onProgress: (detail) => heard.push(detail) });
    assert.deepEqual(heard, [
      {
        url: 'https://host/a?token=***',
        imageId: 'wadouri:https://host/a?token=***',
        attempt: 1,
        loaded: 5,
        total: 10,
        percentComplete: 50,
      },
    ]);
  }
});

// ------------------------------------------------------------------ starting and ending

test('a start that failed rejects what waits for it, and the next load starts anew', async () => {
  const { client, workers } = clientOf((index) =>
    index ? {} : { boot: () => Promise.reject(new PyLoaderError({ code: 'boot', message: 'no wheel' })) },
  );
  let renewed = 0;
  client.onRenewed = () => renewed++;
  const { ready } = client;
  await assert.rejects(client.init({ workers: 1 }), { code: 'boot', message: /no wheel/ });
  await assert.rejects(ready, { code: 'boot' });
  const loading = client.loadImage('wadouri:a');
  await settle();
  assert.notEqual(client.ready, ready);
  assert.equal(renewed, 1);
  await open(workers[1]);
  assert.equal((await imageOf(loading)).rows, 1);
  await client.ready;
});

test('init refuses what is no option of it, until it is told something better', async () => {
  const { client, workers } = clientOf();
  await assert.rejects(client.init({ workers: -1 }), {
    code: 'boot',
    message: /the option workers of init\(\) has to be/,
  });
  await assert.rejects(client.loadImage('wadouri:a'), { code: 'boot', message: /workers/ });
  assert.equal(workers.length, 0);
  await client.init({ workers: 1 });
  await assert.rejects(client.init({ workers: 2 }), {
    message: /was called by the page already, and workers cannot be changed/,
  });
});

test('other settings reach the workers, and another user shares no load', async () => {
  const { client, worker } = await started();
  const one = client.loadImage('wadouri:a');
  await settle();
  await client.init({ headers: { Authorization: 'b' } });
  const two = client.loadImage('wadouri:a');
  await settle();
  assert.equal(worker.loads.length, 2);
  const [told] = worker.payloads('configure');
  assert.deepEqual([told.headers, told.identity, told.forgetsGranted], [{ Authorization: 'b' }, 1, true]);
  await open(worker, 0);
  await open(worker, 1);
  await Promise.all([one, two]);
});

test('terminate ends the workers, and all begins again with the defaults', async () => {
  const { client, workers } = await started();
  await client.init({ headers: { a: 'b' } });
  const loading = client.loadImage('wadouri:a');
  await settle();
  client.terminate();
  await assert.rejects(loading, { name: 'AbortError' });
  assert.equal(workers[0].isTerminated, true);
  const again = client.loadImage('wadouri:a');
  await settle();
  assert.equal(workers.length, 2);
  await open(workers[1]);
  await again;
});

test('a purge that the end of the workers overtakes is no error', async () => {
  const { client } = await started(() => ({ purge: () => new Promise(() => {}) }));
  const purged = client.purge();
  client.terminate();
  await purged;
});

// ------------------------------------------------------------------ files, services, viewers

test('a file is provided to workers, and withdrawn', async () => {
  const { client, worker } = await started();
  const imageId = client.addFile(new Uint8Array([1, 2]));
  await settle();
  const [{ name, file }] = worker.payloads('provide');
  assert.deepEqual([name, file.size], [imageId, 2]);
  const loading = client.loadAndCacheImage(imageId);
  await settle();
  await open(worker);
  await loading;
  client.removeFile(imageId);
  await settle();
  assert.deepEqual([client.cache.size, client.metaData('generalSeriesModule', imageId)], [0, undefined]);
  assert.deepEqual(
    worker.heard.filter(([name]) => name === 'withdraw'),
    [['withdraw', { name: imageId }]],
  );
});

test('headers of a service are told to workers that start later', async () => {
  const { client, workers } = clientOf();
  client.dicomweb('https://pacs.example/web/', { headers: { Authorization: 'a' }, wadoURI: '/wado' });
  const loading = client.loadImage('wadors:https://pacs.example/web/studies/1/series/2/instances/3/frames/1');
  await settle();
  assert.deepEqual(workers[0].payloads('service')[0], {
    base: 'https://pacs.example/web',
    headers: { Authorization: 'a' },
  });
  assert.equal(workers[0].loads[0].payload.options.wadoURI, '/wado');
  await open(workers[0]);
  await loading;
});

test('a viewer gets schemes as they come, and none when it was disconnected', async () => {
  const { client, worker } = await started();
  const viewer = legacyViewer();
  const disconnect = client.use(viewer);
  assert.ok('wadouri' in viewer.loaders && !('dicomfile' in viewer.loaders));
  client.registerImageLoader('custom1', () => ({ promise: Promise.resolve({}) }));
  assert.ok('custom1' in viewer.loaders);
  await client.loadPython({ source: '1', name: 'mine' });
  assert.ok('mine' in viewer.loaders, 'the fake registers a scheme of the name of the file');
  const { promise } = viewer.loaders.wadouri('wadouri:a?frame=0');
  await settle();
  assert.equal(worker.loads[0].payload.imageId, 'wadouri:a?frame=1', 'legacy viewers count from 0');
  await open(worker);
  assert.equal((await imageOf(promise)).imageId, 'wadouri:a?frame=0');
  disconnect();
  assert.throws(() => viewer.loaders.wadouri('wadouri:a'), /was detached/);
  assert.equal(viewer.metaData.provider, undefined);
});

// ------------------------------------------------------------------ several, and without a page

test('two clients on one page do not disturb each other', async () => {
  const one = await started();
  const two = await started();
  one.client.registerImageLoader('custom1', () => ({ promise: Promise.resolve({ own: 1 }) }));
  const loadings = [one, two].map(({ client }) => client.loadAndCacheImage('wadouri:a'));
  await settle();
  assert.deepEqual(
    [one, two].map(({ worker }) => worker.loads.length),
    [1, 1],
  );
  await open(one.worker, 0, { modules: { generalSeriesModule: { modality: 'MR' } } });
  await open(two.worker, 0);
  const [first, second] = await Promise.all(loadings);
  assert.notEqual(first, second);
  assert.deepEqual(
    [one, two].map(({ client }) => client.metaData('generalSeriesModule', 'wadouri:a')),
    [{ modality: 'MR' }, { modality: 'CT' }],
  );
  const custom = two.client.loadImage('custom1:x');
  await settle();
  assert.equal(two.worker.loads.length, 2, 'a scheme of the other client is unknown here');
  await open(two.worker);
  await custom;
  assert.notEqual(one.client.addFile(new Uint8Array(1)), two.client.addFile(new Uint8Array(1)));
  one.client.terminate();
  assert.deepEqual([one.worker.isTerminated, two.worker.isTerminated], [true, false]);
  assert.equal(two.client.cache.size, 1);
  const more = two.client.loadImage('wadouri:b');
  await settle();
  await open(two.worker);
  assert.equal((await imageOf(more)).rows, 1);
  assert.equal(two.fired.filter(([type]) => type === 'imageloaded').length, 3);
});

test('making one touches no page; starting it says that it needs one', async () => {
  haveNoPage();
  const { client, workers } = clientOf();
  client.runScriptTags();
  client.registerImageLoader('custom1', () => ({ promise: Promise.resolve({}) }));
  client.purge();
  assert.equal(client.stats().queued, 0);
  await assert.rejects(client.init(), {
    code: 'boot',
    message: /works in a page of a browser, but was called in a worker, in Node, or on a server/,
  });
  assert.equal(workers.length, 0);
});
