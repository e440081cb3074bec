// The worker's half of the browser transport: a body has no more than it may have.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LARGE, fedFrom, seen, send, site } from '../../support/web/servers.js';

const MOST = 1 << 20;
const limited = (path, mostBytes = MOST) => ({ url: `${site}${path}`, mostBytes });

for (const path of ['/large', '/gzip', '/endless']) {
  test(`${path}: a body that is larger than it may be is refused, and its request ends`, async () => {
    const { error, kind, body } = await send(limited(path));
    assert.equal(kind, 'size');
    assert.match(
      error,
      new RegExp(`the answer of ${site}${path} has \\d+ bytes or more, .* may have ${MOST}.*limits.decodedBytes`),
    );
    assert.equal(body, undefined);
    await seen.at(-1).gone;
  });

  test(`${path}: what is fed ends with it too`, async () => {
    const { answer, bytes } = await fedFrom(limited(path));
    assert.equal(answer.kind, 'size');
    assert.ok(bytes.length <= MOST, 'nothing beyond it has come');
    await seen.at(-1).gone;
  });
}

test('of an announced body that is too large no byte is read', async () => {
  const progress = [];
  const { kind, error } = await send(limited('/large'), { onProgress: (...report) => progress.push(report) });
  assert.equal(kind, 'size');
  assert.match(error, new RegExp(`has ${LARGE.length} bytes`));
  assert.deepEqual(progress, []);
});

test('who has enough before the limit is not refused, whatever was announced', async () => {
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
  const chunk = new Uint8Array(1 << 20);
  let [given, isCancelled] = [0, false];
  const endless = () =>
    new ReadableStream({
      pull: (controller) => (given++, controller.enqueue(chunk)),
      cancel: () => void (isCancelled = true),
    });
  t.mock.method(globalThis, 'fetch', async () => new Response(endless(), { status: 503 }));
  const { status, error } = await send(limited('/never'));
  assert.deepEqual([status, error, isCancelled], [503, undefined, true]);
  assert.ok(given < 10);
});
