// Buffers that are used again.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { Spares } from '../../../web/worker/read_body.js';
import { createSend } from '../../../web/worker/fetch.js';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

test('a buffer that was given back is taken again, the last one first', () => {
  const spares = new Spares();
  const [one, two] = [spares.take(100 * KIB), spares.take(100 * KIB)];
  assert.notEqual(one, two);
  spares.give(one);
  spares.give(two);
  assert.equal(spares.take(99 * KIB), two);
  assert.equal(spares.take(101 * KIB), one);
  assert.notEqual(spares.take(100 * KIB), one, "it is somebody's");
});

test('it is large enough, and not much larger', () => {
  const spares = new Spares();
  const buffer = spares.take(300 * KIB);
  spares.give(buffer);
  assert.notEqual(spares.take(321 * KIB), buffer);
  assert.notEqual(spares.take(128 * KIB), buffer);
  assert.equal(spares.take(129 * KIB), buffer);
  for (const length of [1, KIB, 64 * KIB, 64 * KIB + 1, MIB, 4 * MIB, 4 * MIB + 1, 9 * MIB])
    assert.ok(spares.take(length).byteLength >= length);
  assert.equal(spares.take(9 * MIB).byteLength, 9 * MIB, 'what is not kept is not rounded up');
});

test('neither small nor large ones are kept, nor more than 16 MB', () => {
  const spares = new Spares();
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

test('a body has nothing of those before it', async () => {
  const bodies = [300, 200, 299, 65, 300].map((size, index) => new Uint8Array(size * KIB + index).fill(index + 1));
  const server = createServer((request, response) => {
    const body = bodies[Number(request.url.slice(1))];
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const site = `http://127.0.0.1:${server.address().port}`;
  const send = createSend(
    {
      baseURL: site,
      headers: {},
      credentials: 'same-origin',
      origins: [],
      linkedOrigins: 'without-secrets',
      hooks: [],
      services: new Map(),
      granted: new Map(),
    },
    new Map(),
  );
  const buffers = new Set();
  for (const [index, expected] of bodies.entries()) {
    const answer = await send({ url: `${site}/${index}`, headers: {} }, new AbortController().signal, () => {});
    assert.deepEqual(answer.body, expected);
    buffers.add(answer.body.buffer.byteLength);
    send.reuse(answer);
  }
  // Those of one size are one: 300 KiB and what fits into it, and 65 KiB.
  assert.deepEqual(
    [...buffers].sort((a, b) => a - b),
    [128 * KIB, 320 * KIB],
  );
});

test('bodies that are here at the same time have buffers of their own', async () => {
  const server = createServer((request, response) => {
    const body = new Uint8Array(200 * KIB).fill(Number(request.url.slice(1)));
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const site = `http://127.0.0.1:${server.address().port}`;
  const send = createSend(
    {
      baseURL: site,
      headers: {},
      credentials: 'same-origin',
      origins: [],
      linkedOrigins: 'without-secrets',
      hooks: [],
      services: new Map(),
      granted: new Map(),
    },
    new Map(),
  );
  const ask = (number) => send({ url: `${site}/${number}`, headers: {} }, new AbortController().signal, () => {});
  const all = [];
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all([1, 2, 3, 4].map((number) => ask(4 * round + number)));
    for (const [index, { body }] of answers.entries()) assert.ok(body.every((byte) => byte === 4 * round + index + 1));
    all.push(...answers);
    for (const answer of answers) send.reuse(answer);
  }
});
