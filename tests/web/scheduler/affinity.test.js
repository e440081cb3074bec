// @ts-check
// The worker that a source is at home in, facts about its images, and the workers that release it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Affinities, Affinity } from '../../../web/scheduler/affinity.js';
import { Batching } from '../../../web/scheduler/batching.js';
import { NotOffloaded, Offload } from '../../../web/scheduler/offload.js';
import { answer } from '../../support/web/page.js';

/** @typedef {import('../../../web/scheduler/worker_handle.js').WorkerHandle} WorkerHandle */
/** @typedef {WorkerHandle & {heard: [name: string, payload: unknown][]}} Worker */
/** @typedef {import('../../../web/shared/messages.d.ts').WorkerCalls} WorkerCalls */

const LOAD = { imageId: 'wadouri:a', options: {}, urgency: /** @type {[number, number]} */ ([0, 0]), upcoming: [] };
const LOAN = { token: 't', header: null, frame: new Uint8Array(1) };

/** A stand-in of a worker: what it was told, and what it answers by name. @param {Record<string, unknown>} answers */
function workerOf(answers = {}) {
  /** @type {Worker['heard']} */
  const heard = [];
  const worker = {
    heard,
    tell: (/** @type {string} */ name, /** @type {unknown} */ payload) => void heard.push([name, payload]),
    call: async (/** @type {string} */ name, /** @type {unknown} */ payload) => {
      heard.push([name, payload]);
      const found = answers[name];
      if (found instanceof Error) throw found;
      return typeof found === 'function' ? found(payload) : found;
    },
  };
  return /** @type {Worker} */ (/** @type {unknown} */ (worker));
}

test('a source stays where it was opened', () => {
  const affinities = new Affinities();
  const [one, two] = [workerOf(), workerOf()];
  const known = affinities.use('wadouri:a', one);
  assert.equal(known.home, one);
  assert.equal(affinities.use('wadouri:a', two), known);
  affinities.forgetWorker(two);
  assert.equal(affinities.get('wadouri:a'), known);
  affinities.forgetWorker(one);
  assert.equal(affinities.get('wadouri:a'), undefined);
});

test('the source that was used longest ago is forgotten first', () => {
  const affinities = new Affinities();
  const worker = workerOf();
  for (let index = 0; index < 10_000; index++) affinities.use(`wadouri:${index}`, worker);
  affinities.use('wadouri:0', worker);
  affinities.use('wadouri:new', worker);
  assert.equal(affinities.get('wadouri:1'), undefined);
  assert.ok(affinities.get('wadouri:0'));
});

test('home and helpers let go of a source', async () => {
  const affinities = new Affinities();
  const [home, helper, other] = [workerOf({ lend: LOAN }), workerOf({ borrow: 'image' }), workerOf()];
  const { offload } = affinities.use('wadouri:a', home);
  assert.equal(await offload.load(home, helper, LOAD, {}), 'image');
  affinities.use('wadouri:b', other);
  affinities.release('wadouri:a');
  affinities.release('wadouri:nothing');
  for (const worker of [home, helper]) assert.deepEqual(worker.heard.at(-1), ['release', { source: 'wadouri:a' }]);
  assert.deepEqual(other.heard, []);
});

// ------------------------------------------------------------------ batching

test('images of one file go together until a load tells otherwise', () => {
  for (const [source, most] of Object.entries({ 'wadouri:a': 15, 'nifti:a': 15, 'wadors:a': 0, 'custom1:a': 0 })) {
    const batching = new Batching(source);
    assert.equal(batching.most, most, source);
    batching.learn(true);
    assert.deepEqual([batching.most, batching.isReady], [15, true]);
    batching.learn(false);
    assert.deepEqual([batching.most, batching.isReady], [0, false]);
    batching.forget();
    assert.equal(batching.most, most);
  }
});

// ------------------------------------------------------------------ offloading

test('the fastest frame decides if frames are worth lending', () => {
  const offload = new Offload();
  assert.equal(offload.isWorthwhile, false);
  offload.learn(30);
  assert.equal(offload.isWorthwhile, true);
  offload.learn(1);
  assert.equal(offload.isWorthwhile, false, 'the long one may have waited');
  offload.learn(50);
  assert.equal(offload.isWorthwhile, false);
});

test('a home that lends nothing is not asked again', async () => {
  const offload = new Offload();
  offload.learn(30);
  await assert.rejects(offload.load(workerOf({ lend: undefined }), workerOf(), LOAD, {}), NotOffloaded);
  assert.equal(offload.isWorthwhile, false);
});

test('a header is named when the helper has it, and given again after a failure', async () => {
  const offload = new Offload();
  /** @type {unknown[]} */
  const known = [];
  const home = workerOf({
    lend: (/** @type {WorkerCalls['lend']['payload']} */ payload) => {
      known.push(payload.known);
      return LOAN;
    },
  });
  const answers = [
    () => 'image',
    () => Promise.reject(Object.assign(new Error('no header'), { code: 'format' })),
    () => 'image',
  ];
  const helper = workerOf({ borrow: () => answers.shift()?.() });
  assert.equal(await offload.load(home, helper, LOAD, {}), 'image');
  await assert.rejects(offload.load(home, helper, LOAD, {}), NotOffloaded);
  assert.equal(await offload.load(home, helper, LOAD, {}), 'image');
  assert.deepEqual(known, [undefined, 't', undefined]);
});

test('a cancel, and the death of a helper, are no refusal', async () => {
  const home = workerOf({ lend: LOAN });
  const death = Object.assign(new Error('died'), { code: 'worker' });
  await assert.rejects(
    new Offload().load(home, workerOf({ borrow: death }), LOAD, {}),
    (/** @type {unknown} */ error) => error === death,
  );
  const error = new DOMException('cancelled', 'AbortError');
  await assert.rejects(new Offload().load(home, workerOf({ borrow: error }), LOAD, { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
});

test('an affinity learns from a load at home, and forgets with the sources', () => {
  const affinity = new Affinity(workerOf(), 'wadors:a');
  affinity.isOpened = true;
  affinity.learn({ ...answer(), isReady: true, timing: { loadMilliseconds: 30, decodeMilliseconds: 20 } });
  assert.deepEqual([affinity.batching.isReady, affinity.offload.isWorthwhile], [true, true]);
  affinity.forget();
  assert.deepEqual(
    [affinity.isOpened, affinity.batching.most, affinity.offload.isWorthwhile],
    [false, 0, true],
    'but it remembers how long frames take',
  );
});
