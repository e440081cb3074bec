// The worker's half of the browser transport: what comes back, how, and what is said when nothing does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BODY, LARGE, STEADY, equal, fedFrom, other, reportsOf, seen, send, site } from '../../support/web/servers.js';

// ------------------------------------------------------------------ progress

test('a small body is reported once, whole', async () => {
  const { reports } = await reportsOf('/body');
  assert.deepEqual(reports, [[6, 6]]);
});

test('an empty body arrives', async () => {
  const { answer, reports } = await reportsOf('/empty');
  assert.equal(answer.body.length, 0);
  assert.equal(reports.at(-1)[0], 0);
});

test('a large body is reported on its way, up to its length', async () => {
  const { answer, reports } = await reportsOf('/large');
  equal(answer.body, LARGE);
  assert.ok(reports.length > 1);
  assert.deepEqual(reports.at(-1), [LARGE.length, LARGE.length]);
  for (const [index, [loaded, total]] of reports.entries()) {
    assert.equal(total, LARGE.length);
    assert.ok(index === 0 || loaded >= reports[index - 1][0]);
  }
});

test('a body of unknown length has no total', async () => {
  const { answer, reports } = await reportsOf('/unknown-length');
  assert.equal(answer.body.length, 2 * BODY.length);
  assert.deepEqual(reports.at(-1), [2 * BODY.length, undefined]);
});

test('a compressed body has no total, since its length counts other bytes', async () => {
  const { answer, reports } = await reportsOf('/gzip');
  equal(answer.body, LARGE);
  assert.ok(reports.every(([, total]) => total === undefined));
  assert.equal(reports.at(-1)[0], LARGE.length);
});

for (const path of ['/refused', '/refused-large', '/nowhere']) {
  test(`the body of an error is no progress: ${path}`, async () => {
    const { answer, reports } = await reportsOf(path);
    assert.ok(answer.status >= 400);
    assert.deepEqual(reports, []);
    const fed = await reportsOf(path, { begin: () => true, feed: () => true });
    assert.deepEqual(fed.reports, []);
  });
}

// ------------------------------------------------------------------ fed as it arrives

test('a large body is fed in order and in pieces', async () => {
  const { answer, heads, chunks, bytes } = await fedFrom('/large');
  assert.ok(chunks.length > 1);
  equal(bytes, LARGE);
  assert.equal(heads.length, 1);
  const { url, status, headers } = heads[0];
  assert.deepEqual([url, status, headers['content-length']], [`${site}/large`, 200, String(LARGE.length)]);
  assert.equal(answer.body.length, 0); // first: to compare megabytes takes seconds
  assert.deepEqual(answer, { ...heads[0], body: new Uint8Array(0) });
});

test('what is fed is reported too', async () => {
  const { reports } = await reportsOf('/large', { begin: () => true, feed: () => true });
  assert.deepEqual(reports.at(-1), [LARGE.length, LARGE.length]);
});

test('a small body is fed once, whole', async () => {
  const { answer, heads, chunks } = await fedFrom('/body');
  assert.deepEqual(chunks, [Buffer.from(BODY)]);
  assert.equal(heads.length, 1);
  assert.equal(answer.body.length, 0);
});

test('pieces are fed as they come, not at the end', async () => {
  const times = [];
  await fedFrom('/steady', { more: () => times.push(performance.now()) });
  assert.ok(times.at(-1) - times[0] > 100, `${times.at(-1) - times[0]} ms`);
});

for (const path of ['/unknown-length', '/gzip']) {
  test(`bodies of unknown length are fed: ${path}`, async () => {
    equal((await fedFrom(path)).bytes, path === '/gzip' ? LARGE : Buffer.concat([BODY, BODY]));
  });
}

test('a part is fed as the whole is', async () => {
  const { heads, bytes } = await fedFrom({ url: '/range', headers: { Range: 'bytes=2-' } });
  assert.equal(heads[0].status, 206);
  equal(bytes, BODY.subarray(2));
});

for (const path of ['/empty', '/no-content']) {
  test(`of ${path} there is nothing to feed`, async () => {
    const { heads, chunks, answer } = await fedFrom(path);
    assert.deepEqual([heads.length, chunks, answer.body.length], [1, [], 0]);
  });
}

for (const [path, length] of [
  ['/refused', 4],
  ['/refused-large', LARGE.length],
]) {
  test(`a refusal is not fed: ${path}`, async () => {
    const { answer, heads, chunks } = await fedFrom(path);
    assert.deepEqual([heads, chunks, answer.body.length], [[], [], length]);
  });
}

for (const [path, expected] of [
  ['/body', BODY],
  ['/large', LARGE],
]) {
  test(`who does not want to be fed has the body after all: ${path}`, async () => {
    const { answer, heads, chunks } = await fedFrom(path, { wants: false });
    assert.deepEqual([heads.length, chunks], [1, []]);
    equal(answer.body, expected);
  });
}

test('who has enough ends the request', async () => {
  const { answer, chunks } = await fedFrom('/endless', { more: (count) => count < 3 });
  assert.deepEqual([answer.status, answer.body.length, chunks.length], [200, 0, 3]);
  await seen.at(-1).gone;
});

test('who has enough with a small body has an answer like any', async () => {
  const { answer, chunks } = await fedFrom('/body', { more: () => false });
  assert.deepEqual([answer.status, answer.body.length, chunks.length], [200, 0, 1]);
});

test('what was fed before the connection was cut was fed', async () => {
  const { answer, bytes } = await fedFrom('/cut-large');
  assert.equal(answer.kind, 'network');
  assert.ok(bytes.length > 0);
  equal(bytes, LARGE.subarray(0, bytes.length));
});

// ------------------------------------------------------------------ time without a byte

test('a request without a byte ends, and the server sees it', async () => {
  const answer = await send({ url: '/never', timeout: 100 });
  assert.deepEqual(answer, { error: 'could not fetch /never: no byte came for 100 ms', kind: 'network' });
  await seen.at(-1).gone;
});

for (const path of ['/stalls', '/stalls-small']) {
  test(`a body that stalls ends: ${path}`, async () => {
    const answer = await send({ url: path, timeout: 100 });
    assert.deepEqual(answer, { error: `could not fetch ${path}: no byte came for 100 ms`, kind: 'network' });
    await seen.at(-1).gone;
  });
}

test('a slow but steady body arrives, of known length or not', async () => {
  const answers = await Promise.all(['/steady', '/steady-small'].map((url) => send({ url, timeout: 200 })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    [STEADY, STEADY],
  );
});

test('the head of an answer is a sign of life', async () => {
  equal((await send({ url: '/late-body', timeout: 150 })).body ?? [], BODY);
});

test('no timeout is no limit', async () => {
  const answers = await Promise.all([undefined, 0, Infinity].map((timeout) => send({ url: '/late', timeout })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    [BODY, BODY, BODY],
  );
});

test('after an answer nobody watches any more', async (t) => {
  const signals = [];
  t.mock.method(globalThis, 'fetch', async (_, { signal }) => (signals.push(signal), new Response('')));
  await send({ url: '/body', timeout: 20 });
  await sleep(50);
  assert.equal(signals[0].aborted, false);
});

test('time in the hook does not count', async () => {
  const hook = () => sleep(120);
  assert.deepEqual((await send({ url: '/body', timeout: 60 }, { hook })).body, BODY);
  assert.match((await send({ url: '/never', timeout: 60 }, { hook })).error, /no byte came/, 'afterwards it does');
});

test('silence is not taken for a server that says nothing to this page', async () => {
  const { error, probes } = await failureOf({ url: `${other}/never`, timeout: 60, isLast: true });
  assert.match(error, /no byte came for 60 ms$/);
  assert.deepEqual(probes, []);
});

// ------------------------------------------------------------------ no answer

test('a large body that is cut off tells how far it came', async () => {
  const { error, kind } = await send('/cut-large');
  const [, loaded, total] = /connection was cut after (\d+) of (\d+) bytes/.exec(error);
  assert.ok(Number(loaded) > 0 && Number(loaded) <= 1 << 20);
  assert.equal(Number(total), LARGE.length);
  assert.match(error, /^could not fetch \/cut-large: /);
  assert.equal(kind, 'network');
});

test('a small body that is cut off tells how far it came', async () => {
  const { error, kind } = await send('/cut-small');
  assert.match(error, /^could not fetch \/cut-small: the connection was cut after 6 of 1000 bytes/);
  assert.equal(kind, 'network');
});

test('a connection that is closed is no answer', async () => {
  const { error, kind } = await send('/closed');
  assert.match(error, /^could not fetch \/closed: .*The server cannot be reached, or closed the connection$/);
  assert.equal(kind, 'network');
});

/** The failure of a request, and the requests of the probe. */
async function failureOf(request, options) {
  const from = seen.length;
  const { error, kind } = await send(request, options);
  assert.equal(kind, 'network');
  return { error, probes: seen.slice(from).filter(({ method }) => method === 'HEAD') };
}

test('the last attempt at another origin finds out whether its server is there', async () => {
  const { error, probes } = await failureOf({ url: `${other}/closed`, isLast: true });
  assert.match(error, /It is on another origin, which answers but does not let this page read its answers \(CORS\)\. /);
  assert.ok(error.endsWith(`The server has to send: Access-Control-Allow-Origin: ${site}`), error);
  assert.equal(probes.length, 1);
});

test('an earlier attempt at another origin does not', async () => {
  for (const isLast of [false, undefined]) {
    const { error, probes } = await failureOf({ url: `${other}/closed`, isLast });
    assert.match(error, /It is on another origin$/);
    assert.deepEqual(probes, []);
  }
});

test('a server of another origin that is not there cannot be reached', async () => {
  const { error } = await failureOf({ url: 'http://127.0.0.1:1/', isLast: true });
  assert.match(error, /It is on another origin, and cannot be reached$/);
});

test('on its own origin nothing is probed', async () => {
  const { error, probes } = await failureOf({ url: '/closed', isLast: true });
  assert.doesNotMatch(error, /another origin|CORS/);
  assert.deepEqual(probes, []);
});

test('a connection that is cut is no matter of CORS', async () => {
  const { error, probes } = await failureOf({ url: `${other}/cut-large`, isLast: true });
  assert.doesNotMatch(error, /CORS/);
  assert.deepEqual(probes, []);
});

test('CORS: the server is told of credentials, and of every header that needs its leave', async () => {
  const options = {
    credentials: 'include',
    headers: { Authorization: 'secret', Accept: '*/*' },
    services: new Map([
      [`${other}/closed`, { 'X-Service': 'secret' }],
      ['/elsewhere', { 'X-Elsewhere': 'secret' }],
    ]),
  };
  const { error, probes } = await failureOf(
    { url: `${other}/closed`, isLast: true, headers: { 'X-Token': 'secret', Range: 'bytes=0-1' } },
    options,
  );
  const [, sent] = /The server has to send: (.*)$/.exec(error);
  const [origin, credentials, headers] = sent.split('; ');
  assert.equal(origin, `Access-Control-Allow-Origin: ${site}`);
  assert.equal(credentials, 'Access-Control-Allow-Credentials: true');
  assert.match(headers, /^Access-Control-Allow-Headers: /);
  assert.deepEqual(headers.split(': ')[1].split(', ').sort(), ['authorization', 'x-service', 'x-token']);
  for (const name of ['authorization', 'x-token', 'x-service', 'cookie'])
    assert.equal(probes[0].headers[name], undefined);
});

test('an abort is thrown, not told', async () => {
  const controller = new AbortController();
  const sending = send('/never', { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(sending, { name: 'AbortError' });
});

test('a request that is aborted before it begins is not sent', async () => {
  const from = seen.length;
  await assert.rejects(send('/body', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(seen.length, from);
});

test('an abort ends the request on its way', async () => {
  const from = seen.length;
  const controller = new AbortController();
  const sending = send('/never', { signal: controller.signal });
  while (seen.length === from) await sleep(5);
  controller.abort();
  await assert.rejects(sending, { name: 'AbortError' });
  await seen.at(-1).gone;
});

test('an abort ends a body on its way', async () => {
  const controller = new AbortController();
  const feed = () => (controller.abort(), true);
  await assert.rejects(send('/endless', { signal: controller.signal, begin: () => true, feed }));
  await seen.at(-1).gone;
});

// ------------------------------------------------------------------ bodies that are not as announced

for (const [what, announced] of [
  ['more', '5'],
  ['fewer', '5000'],
]) {
  test(`a body of ${what} bytes than announced is read whole`, async (t) => {
    const body = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
    t.mock.method(globalThis, 'fetch', async () => new Response(body, { headers: { 'content-length': announced } }));
    equal((await send('/body')).body, body);
  });
}

test('a body is read where the browser has no reader that fills a buffer', async (t) => {
  const body = Uint8Array.of(1, 2, 3);
  const stream = new ReadableStream({ start: (controller) => (controller.enqueue(body), controller.close()) }); // not of bytes
  t.mock.method(globalThis, 'fetch', async () => new Response(stream, { headers: { 'content-length': '3' } }));
  equal((await send('/body')).body, body);
});

// ------------------------------------------------------------------ where it ends

/** An answer as large as it says, of which the end is told only when `end` is called. */
function unended(t, type, headers = {}) {
  let controller;
  const stream = new ReadableStream({ type: 'bytes', start: (its) => void (controller = its).enqueue(BODY.slice()) });
  const response = new Response(stream, { headers: { 'Content-Length': BODY.length, ...headers } });
  Object.defineProperties(response, { type: { value: type }, url: { value: `${site}/body` } });
  t.mock.method(globalThis, 'fetch', async () => response);
  return () => (controller.close(), controller.byobRequest?.respond(0));
}

test('a body of the same origin has ended with its length', async (t) => {
  unended(t, 'basic');
  assert.deepEqual((await send('/body')).body, BODY);
});

test('fed or not', async (t) => {
  unended(t, 'basic');
  assert.deepEqual((await fedFrom('/body')).bytes, Buffer.from(BODY));
});

for (const [what, type, headers] of [
  ['another origin, which may hide that it is compressed,', 'cors', {}],
  ['a compressed body', 'basic', { 'Content-Encoding': 'gzip' }],
]) {
  test(`the end of ${what} is waited for`, async (t) => {
    const end = unended(t, type, headers);
    const answer = send('/body');
    assert.equal(await Promise.race([answer, sleep(50, 'waits')]), 'waits');
    end();
    assert.deepEqual((await answer).body, BODY);
  });
}
