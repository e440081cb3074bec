// @ts-check
// The page's hook is called after a 401, once for all requests, and again when the page has given another one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Auth } from '../../../web/page/auth.js';
import { havePage } from '../../support/web/page.js';
import { gate } from '../../support/web/workers.js';

/** @typedef {import('../../../web/page/auth.js').Details} Details */
/** @typedef {import('../../../web/scheduler/scheduler.js').Scheduler} Scheduler */

havePage('https://host/');
/** A pool that notes its calls to workers. @param {unknown[][]} told */
const poolOf = (told = []) => {
  const pauseFor = (/** @type {Promise<unknown>} */ promise) => promise;
  const workers = { announce: async (/** @type {unknown[]} */ ...call) => void told.push(call) };
  return /** @type {Scheduler & {told: unknown[][]}} */ (/** @type {unknown} */ ({ told, pauseFor, workers }));
};
const named = () => true;
const refused = (sent = Date.now()) => ({ url: 'https://pacs/a', sent });

test('without a hook nothing can be renewed', async () => {
  assert.equal(await new Auth(() => undefined, named).renew(refused(), poolOf()), false);
});

test('the hook is the one that the page has now', async () => {
  let hook = () => false;
  const identity = new Auth(() => hook, named);
  assert.equal(await identity.renew(refused(), poolOf()), false);
  hook = () => true;
  identity.forget();
  assert.equal(await identity.renew(refused(0), poolOf()), true, 'also for requests that were sent before');
});

test('a new hook is asked while the former one still asks', async () => {
  const former = gate();
  /** @type {() => unknown} */
  let hook = () => former.promise;
  const identity = new Auth(() => hook, named);
  const first = identity.renew(refused(), poolOf());
  hook = () => true;
  identity.forget();
  assert.equal(await identity.renew(refused(), poolOf()), true);
  former.open(false);
  assert.equal(await first, false);
  assert.equal(await identity.renew(refused(Date.now() + 1000), poolOf()), true);
});

test('headers that the hook gives are for the origin that asked', async () => {
  const pool = poolOf();
  assert.equal(
    await new Auth(() => () => ({ Authorization: 'a', 'X-None': undefined }), named).renew(refused(), pool),
    true,
  );
  assert.deepEqual(pool.told, [
    ['granted', { base: 'https://pacs', headers: { Authorization: 'a' } }, 'granted https://pacs'],
  ]);
});

test("headers that cannot be sent are the page's own mistake: the load fails with the status", async (t) => {
  const report = t.mock.method(globalThis, 'reportError', () => {});
  assert.equal(await new Auth(() => () => ({ Authorization: {} }), named).renew(refused(), poolOf()), false);
  assert.match(report.mock.calls[0].arguments[0].message, /the header Authorization has to be a text/);
});

test('an origin that is not named is told nothing, and the page is not asked', async () => {
  const pool = poolOf();
  /** @type {Details[]} */
  const asked = [];
  const hook = (/** @type {Details} */ details) => {
    asked.push(details);
    return { Authorization: 'a' };
  };
  const identity = new Auth(
    () => hook,
    (url) => url.startsWith('https://pacs/'),
  );
  assert.equal(await identity.renew({ url: 'https://elsewhere/a', sent: Date.now() }, pool), false);
  assert.deepEqual([asked, pool.told], [[], []]);
  assert.equal(await identity.renew(refused(), pool), true);
  assert.deepEqual(asked, [{ url: 'https://pacs/a', origin: 'https://pacs', status: 401 }]);
});

test('the answer of a replaced hook reaches nobody', async () => {
  const [former, pool] = [gate(), poolOf()];
  /** @type {() => unknown} */
  let hook = () => former.promise;
  const identity = new Auth(() => hook, named);
  const first = identity.renew(refused(), pool);
  hook = () => false;
  identity.forget();
  former.open({ Authorization: 'of the former user' });
  assert.equal(await first, false);
  assert.deepEqual(pool.told, []);
  assert.equal(await identity.renew(refused(0), pool), false, 'the new hook is asked');
});
