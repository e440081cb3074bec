// @ts-check
// Buffers that are reused.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { BufferPool } from '../../../web/worker/read_body.js';
import { createSend } from '../../../web/worker/fetch.js';
import { originOf, requestOf, settingsOf } from '../../support/web/servers.js';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

test('a returned buffer is reused, the last one first', () => {
  const spares = new BufferPool();
  const [one, two] = [spares.take(100 * KIB), spares.take(100 * KIB)];
  assert.notEqual(one, two);
  spares.give(one);
  spares.give(two);
  assert.equal(spares.take(99 * KIB), two);
  assert.equal(spares.take(101 * KIB), one);
  assert.notEqual(spares.take(100 * KIB), one, 'it is in use');
});

test('a reused buffer is large enough, and not much larger', () => {
  const spares = new BufferPool();
  const buffer = spares.take(300 * KIB);
  spares.give(buffer);
  assert.notEqual(spares.take(321 * KIB), buffer);
  assert.notEqual(spares.take(128 * KIB), buffer);
  assert.equal(spares.take(129 * KIB), buffer);
  for (const length of [1, KIB, 64 * KIB, 64 * KIB + 1, MIB, 4 * MIB, 4 * MIB + 1, 9 * MIB])
    assert.ok(spares.take(length).byteLength >= length);
  assert.equal(spares.take(9 * MIB).byteLength, 9 * MIB, 'what is not kept is not rounded up');
});

test('small and large buffers are not kept, nor more than 16 MB', () => {
  const spares = new BufferPool();
  for (const length of [0, 100, 5 * MIB]) {
    const buffer = new ArrayBuffer(length);
    spares.give(buffer);
    assert.notEqual(spares.take(length), buffer);
  }
  const many = Array.from({ length: 10 }, () => new ArrayBuffer(3 * MIB));
  for (const buffer of many) spares.give(buffer);
  const kept = many.filter(() => many.includes(spares.take(3 * MIB)));
  assert.equal(kept.length, 5);
});

/** Serve bodies by number, and make a function that requests one. @param {(number: number) => Uint8Array} bodyOf */
async function serve(bodyOf) {
  const server = createServer((request, response) => {
    const body = bodyOf(Number(request.url?.slice(1)));
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const baseURL = originOf(server);
  const send = createSend(settingsOf({ baseURL }), new Map());
  const ask = async (/** @type {number} */ number) => {
    const answer = await send(requestOf(`${baseURL}/${number}`), new AbortController().signal, () => {});
    assert.ok('body' in answer);
    return answer;
  };
  return { ask, reuse: send.reuse };
}

test('a body contains nothing of those before it', async () => {
  const bodies = [300, 200, 299, 65, 300].map((size, index) => new Uint8Array(size * KIB + index).fill(index + 1));
  const { ask, reuse } = await serve((number) => bodies[number]);
  const buffers = new Set();
  for (const [index, expected] of bodies.entries()) {
    const answer = await ask(index);
    assert.deepEqual(answer.body, expected);
    buffers.add(answer.body.buffer.byteLength);
    reuse(answer);
  }
  // One buffer a size: 300 KiB and all that fits into it, and 65 KiB.
  assert.deepEqual(
    [...buffers].sort((a, b) => a - b),
    [128 * KIB, 320 * KIB],
  );
});

test('bodies that exist at the same time have buffers of their own', async () => {
  const { ask, reuse } = await serve((number) => new Uint8Array(200 * KIB).fill(number));
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all([1, 2, 3, 4].map((number) => ask(4 * round + number)));
    for (const [index, { body }] of answers.entries()) assert.ok(body.every((byte) => byte === 4 * round + index + 1));
    for (const answer of answers) reuse(answer);
  }
});
