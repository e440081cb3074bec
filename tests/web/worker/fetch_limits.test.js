// @ts-check
// Requests of the worker: the limit of a body, and that of concurrent requests to one origin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSend } from '../../../web/worker/fetch.js';
import {
  BODY,
  LARGE,
  fedFrom,
  lastSeen,
  other,
  recordFetch,
  requestOf,
  seen,
  send,
  settingsOf,
  site,
} from '../../support/web/servers.js';

const MOST = 1 << 20;
/** @param {string} path */
const limited = (path, mostBytes = MOST) => ({ url: `${site}${path}`, mostBytes });

for (const path of ['/large', '/gzip', '/endless']) {
  test(`${path}: a body beyond the limit is refused, and its request ends`, async () => {
    const { error, kind, body } = await send(limited(path));
    assert.equal(kind, 'size');
    assert.match(
      error,
      new RegExp(`the response of ${site}${path} has \\d+ bytes or more, .* may have ${MOST}.*limits.decodedBytes`),
    );
    assert.equal(body, undefined);
    await lastSeen().gone;
  });

  test(`${path}: a body beyond the limit is fed up to it`, async () => {
    const { answer, bytes } = await fedFrom(limited(path));
    assert.equal(answer.kind, 'size');
    assert.ok(bytes.length <= MOST, 'nothing beyond it has come');
    await lastSeen().gone;
  });
}

test('no byte is read of a body whose length is beyond the limit', async () => {
  /** @type {unknown[]} */
  const progress = [];
  const { kind, error } = await send(limited('/large'), { onProgress: (...report) => progress.push(report) });
  assert.equal(kind, 'size');
  assert.match(error, new RegExp(`has ${LARGE.length} bytes`));
  assert.deepEqual(progress, []);
});

test('a feed that ends before the limit is not refused', async () => {
  const { answer, chunks } = await fedFrom(limited('/large'), { more: () => false });
  assert.deepEqual([answer.status, chunks.length], [200, 1]);
});

for (const path of ['/large', '/gzip']) {
  test(`${path}: a body may be as large as the limit`, async () => {
    const { body } = await send(limited(path, LARGE.length));
    assert.equal(body.length, LARGE.length);
  });
}

test('a refusal without end is still a refusal', async (t) => {
  const pull = t.mock.fn((/** @type {ReadableStreamDefaultController} */ controller) => {
    controller.enqueue(new Uint8Array(1 << 20));
  });
  const cancel = t.mock.fn();
  const body = new ReadableStream({ pull, cancel });
  t.mock.method(globalThis, 'fetch', async () => new Response(body, { status: 503 }));
  const { status, error } = await send(limited('/never'));
  assert.deepEqual([status, error, cancel.mock.callCount()], [503, undefined, 1]);
  assert.ok(pull.mock.callCount() < 10);
});

// ------------------------------------------------------------------ concurrent requests

/** @typedef {import('../../../web/worker/fetch.js').Settings} Settings */
/** @typedef {import('../../support/web/servers.js').Asked} Asked */

/**
 * Requests of Python that all begin at once, or later.
 * @param {Partial<Settings>} changes @param {Map<string, Blob>} [files]
 */
function requestsOf(changes, files = new Map()) {
  const settings = settingsOf(changes);
  const send = createSend(settings, files);
  /** @param {Asked} asked @param {AbortSignal} signal */
  const ask = (asked, signal = new AbortController().signal) => send(requestOf(asked), signal, () => {});
  return { ask, send, settings };
}
/** The paths that the servers have received since `from`. @param {number} from */
const paths = (from) => seen.slice(from).map(({ url }) => url);

test('so many requests to an origin are under way at a time, the most urgent first', async () => {
  const from = seen.length;
  const { ask } = requestsOf({ requestsPerOrigin: 2 });
  /** @type {Asked[]} */
  const asked = [
    '/late?1',
    '/late?2',
    { url: '/late?3', urgency: [2, 0] },
    { url: '/late?4', urgency: [0, 5] },
    { url: '/late?5', urgency: [0, -5] },
  ];
  const all = asked.map((each) => ask(each));
  await sleep(50);
  assert.deepEqual(paths(from), ['/late?1', '/late?2']);
  await Promise.all(all);
  assert.deepEqual(new Set(paths(from).slice(2, 4)), new Set(['/late?4', '/late?5']));
  assert.equal(paths(from)[4], '/late?3');
});

test('origins and local files do not wait for each other', async () => {
  const from = seen.length;
  const files = new Map([['localfile:0', new Blob([BODY])]]);
  const { ask } = requestsOf({ requestsPerOrigin: 1 }, files);
  const controller = new AbortController();
  const never = ask('/never', controller.signal);
  await Promise.all([ask(`${other}/body`), ask('localfile:0')]);
  const same = ask(`${site}/body`);
  await sleep(20);
  assert.deepEqual(paths(from).sort(), ['/body', '/never']);
  controller.abort();
  await assert.rejects(never);
  await same;
});

test('a request that fails, is cancelled or cannot be sent gives its place back', async () => {
  const { ask } = requestsOf({ requestsPerOrigin: 1 });
  await ask('/closed');
  await ask('/cut-small');
  await ask({ url: '/body', headers: { 'X-Bad': 'a\nb' } });
  await ask('http://');
  await assert.rejects(ask('/never', AbortSignal.timeout(30)));
  await assert.rejects(ask('/body', AbortSignal.abort()), { name: 'AbortError' });
  assert.ok('body' in (await ask('/body')));
});

test('a request that is cancelled while it waits is not sent', async () => {
  const from = seen.length;
  const { ask } = requestsOf({ requestsPerOrigin: 1 });
  const first = ask('/late?6');
  const controller = new AbortController();
  const cancelled = ask('/body?6', controller.signal);
  controller.abort();
  await assert.rejects(cancelled, { name: 'AbortError' });
  await first;
  await ask('/body?7');
  assert.deepEqual(paths(from), ['/late?6', '/body?7']);
});

test('the wait for its turn does not count as silence', async () => {
  const { ask } = requestsOf({ requestsPerOrigin: 1 });
  const all = ['/late?8', '/late?9', '/late?10'].map((url) => ask({ url, timeout: 250 }));
  for (const response of await Promise.all(all)) assert.ok('body' in response);
});

test('requests that wait go when the share of the worker grows', async (t) => {
  const calls = recordFetch(t, () => new Promise(() => {}));
  const { ask, send, settings } = requestsOf({ requestsPerOrigin: 1 });
  for (const url of ['/body?a', '/body?b', '/body?c', `${other}/body?d`, `${other}/body?e`]) ask(url);
  await sleep(5);
  assert.equal(calls.length, 2);
  settings.requestsPerOrigin = 2;
  send.share();
  await sleep(5);
  assert.equal(calls.length, 4);
});
