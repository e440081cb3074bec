// @ts-check
// Requests of the worker: the limit of a body.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LARGE, fedFrom, lastSeen, send, site } from '../../support/web/servers.js';

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
