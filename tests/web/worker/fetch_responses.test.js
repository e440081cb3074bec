// @ts-check
// Responses to the worker: progress, feeds, timeouts, and the errors of requests without a response.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BODY,
  LARGE,
  STEADY,
  equal,
  fedFrom,
  lastSeen,
  other,
  recordFetch,
  reportsOf,
  seen,
  send,
  site,
} from '../../support/web/servers.js';

/** @typedef {import('../../support/web/servers.js').Asked} Asked */
/** @typedef {import('../../support/web/servers.js').Options} Options */
/** @typedef {import('node:test').TestContext} TestContext */

// ------------------------------------------------------------------ progress

test('a small body is reported once, whole', async () => {
  const { reports } = await reportsOf('/body');
  assert.deepEqual(reports, [[6, 6]]);
});

test('an empty body arrives', async () => {
  const { answer, reports } = await reportsOf('/empty');
  assert.equal(answer.body.length, 0);
  assert.equal(reports.at(-1)?.[0], 0);
});

test('a large body is reported while it arrives, up to its length', async () => {
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
  assert.equal(reports.at(-1)?.[0], LARGE.length);
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

// ------------------------------------------------------------------ bodies that are fed

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

test('a body that is fed is reported too', async () => {
  const { reports } = await reportsOf('/large', { begin: () => true, feed: () => true });
  assert.deepEqual(reports.at(-1), [LARGE.length, LARGE.length]);
});

test('a small body is fed once, whole', async () => {
  const { answer, heads, chunks } = await fedFrom('/body');
  assert.deepEqual(chunks, [Buffer.from(BODY)]);
  assert.equal(heads.length, 1);
  assert.equal(answer.body.length, 0);
});

test('chunks are fed as they arrive, not at the end', async () => {
  /** @type {number[]} */
  const times = [];
  await fedFrom('/steady', { more: () => times.push(performance.now()) > 0 });
  const duration = times[times.length - 1] - times[0];
  assert.ok(duration > 100, `${duration} ms`);
});

for (const path of ['/unknown-length', '/gzip']) {
  test(`bodies of unknown length are fed: ${path}`, async () => {
    equal((await fedFrom(path)).bytes, path === '/gzip' ? LARGE : Buffer.concat([BODY, BODY]));
  });
}

test('a part is fed as a whole body is', async () => {
  const { heads, bytes } = await fedFrom({ url: '/range', headers: { Range: 'bytes=2-' } });
  assert.equal(heads[0].status, 206);
  equal(bytes, BODY.subarray(2));
});

for (const path of ['/empty', '/no-content']) {
  test(`a response without a body is not fed: ${path}`, async () => {
    const { heads, chunks, answer } = await fedFrom(path);
    assert.deepEqual([heads.length, chunks, answer.body.length], [1, [], 0]);
  });
}

for (const [path, length] of Object.entries({ '/refused': 4, '/refused-large': LARGE.length })) {
  test(`a refusal is not fed: ${path}`, async () => {
    const { answer, heads, chunks } = await fedFrom(path);
    assert.deepEqual([heads, chunks, answer.body.length], [[], [], length]);
  });
}

for (const [path, expected] of Object.entries({ '/body': BODY, '/large': LARGE })) {
  test(`a feed that declines gets the body at the end: ${path}`, async () => {
    const { answer, heads, chunks } = await fedFrom(path, { wants: false });
    assert.deepEqual([heads.length, chunks], [1, []]);
    equal(answer.body, expected);
  });
}

test('a feed that stops ends the request', async () => {
  const { answer, chunks } = await fedFrom('/endless', { more: (count) => count < 3 });
  assert.deepEqual([answer.status, answer.body.length, chunks.length], [200, 0, 3]);
  await lastSeen().gone;
});

test('a feed that stops at the end of a small body gets its response', async () => {
  const { answer, chunks } = await fedFrom('/body', { more: () => false });
  assert.deepEqual([answer.status, answer.body.length, chunks.length], [200, 0, 1]);
});

test('a cut connection ends a feed', async () => {
  const { answer, bytes } = await fedFrom('/cut-large');
  assert.equal(answer.kind, 'network');
  assert.ok(bytes.length > 0);
  equal(bytes, LARGE.subarray(0, bytes.length));
});

// ------------------------------------------------------------------ time without a byte

test('a request without a byte ends, also for the server', async () => {
  const answer = await send({ url: '/never', timeout: 100 });
  assert.deepEqual(answer, { error: 'could not fetch /never: no byte came for 100 ms', kind: 'network' });
  await lastSeen().gone;
});

for (const path of ['/stalls', '/stalls-small']) {
  test(`a body that stalls ends: ${path}`, async () => {
    const answer = await send({ url: path, timeout: 100 });
    assert.deepEqual(answer, { error: `could not fetch ${path}: no byte came for 100 ms`, kind: 'network' });
    await lastSeen().gone;
  });
}

test('a slow but steady body arrives, of known length or not', async () => {
  const answers = await Promise.all(['/steady', '/steady-small'].map((url) => send({ url, timeout: 200 })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    [STEADY, STEADY],
  );
});

test('the head of a response is a sign of life', async () => {
  equal((await send({ url: '/late-body', timeout: 150 })).body ?? [], BODY);
});

test('no timeout is no limit', async () => {
  const answers = await Promise.all([undefined, 0, Infinity].map((timeout) => send({ url: '/late', timeout })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    [BODY, BODY, BODY],
  );
});

test('the timeout ends with the response', async (t) => {
  const calls = recordFetch(t);
  await send({ url: '/body', timeout: 20 });
  await sleep(50);
  assert.equal(calls[0].init.signal?.aborted, false);
});

test('time in the hook does not count', async () => {
  const hook = async () => {
    await sleep(120);
  };
  assert.deepEqual((await send({ url: '/body', timeout: 60 }, { hook })).body, BODY);
  assert.match((await send({ url: '/never', timeout: 60 }, { hook })).error, /no byte came/, 'afterwards it does');
});

test('silence does not start a probe', async () => {
  const { error, probes } = await failureOf({ url: `${other}/never`, timeout: 60, isLast: true });
  assert.match(error, /no byte came for 60 ms$/);
  assert.deepEqual(probes, []);
});

// ------------------------------------------------------------------ no response

test('the error of a cut large body has the bytes that arrived', async () => {
  const { error, kind } = await send('/cut-large');
  const [, loaded, total] = /connection was cut after (\d+) of (\d+) bytes/.exec(error) ?? [];
  assert.ok(Number(loaded) > 0 && Number(loaded) <= 1 << 20);
  assert.equal(Number(total), LARGE.length);
  assert.match(error, /^could not fetch \/cut-large: /);
  assert.equal(kind, 'network');
});

test('the error of a cut small body has the bytes that arrived', async () => {
  const { error, kind } = await send('/cut-small');
  assert.match(error, /^could not fetch \/cut-small: the connection was cut after 6 of 1000 bytes/);
  assert.equal(kind, 'network');
});

test('a closed connection is no response', async () => {
  const { error, kind } = await send('/closed');
  assert.match(error, /^could not fetch \/closed: .*The server cannot be reached, or closed the connection$/);
  assert.equal(kind, 'network');
});

/**
 * Send a request that fails, and list the requests of its probe.
 * @param {Asked} request @param {Options} [options]
 */
async function failureOf(request, options) {
  const from = seen.length;
  const { error, kind } = await send(request, options);
  assert.equal(kind, 'network');
  return { error, probes: seen.slice(from).filter(({ method }) => method === 'HEAD') };
}

test('the last attempt at another origin probes its server', async () => {
  const { error, probes } = await failureOf({ url: `${other}/closed`, isLast: true });
  assert.match(error, /It is on another origin, which answers but does not .* read its responses \(CORS\)\. /);
  assert.ok(error.endsWith(`The server has to send: Access-Control-Allow-Origin: ${site}`), error);
  assert.equal(probes.length, 1);
});

test('an earlier attempt at another origin does not probe', async () => {
  for (const isLast of [false, undefined]) {
    const { error, probes } = await failureOf({ url: `${other}/closed`, isLast });
    assert.match(error, /It is on another origin$/);
    assert.deepEqual(probes, []);
  }
});

test('a missing server of another origin cannot be reached', async () => {
  const { error } = await failureOf({ url: 'http://127.0.0.1:1/', isLast: true });
  assert.match(error, /It is on another origin, and cannot be reached$/);
});

test('a request to the own origin does not probe', async () => {
  const { error, probes } = await failureOf({ url: '/closed', isLast: true });
  assert.doesNotMatch(error, /another origin|CORS/);
  assert.deepEqual(probes, []);
});

test('a cut connection does not probe', async () => {
  const { error, probes } = await failureOf({ url: `${other}/cut-large`, isLast: true });
  assert.doesNotMatch(error, /CORS/);
  assert.deepEqual(probes, []);
});

test('CORS: the error names credentials and every header that the server has to allow', async () => {
  /** @type {Map<string, Record<string, string>>} */
  const services = new Map([['/elsewhere', { 'X-Elsewhere': 'secret' }]]);
  services.set(`${other}/closed`, { 'X-Service': 'secret' });
  /** @type {Options} */
  const options = {
    credentials: 'include',
    headers: { Authorization: 'secret', Accept: '*/*' },
    services,
  };
  const { error, probes } = await failureOf(
    { url: `${other}/closed`, isLast: true, headers: { 'X-Token': 'secret', Range: 'bytes=0-1' } },
    options,
  );
  const [, needed = ''] = /The server has to send: (.*)$/.exec(error) ?? [];
  const [origin, credentials, headers] = needed.split('; ');
  assert.equal(origin, `Access-Control-Allow-Origin: ${site}`);
  assert.equal(credentials, 'Access-Control-Allow-Credentials: true');
  assert.match(headers, /^Access-Control-Allow-Headers: /);
  assert.deepEqual(headers.split(': ')[1].split(', ').sort(), ['authorization', 'x-service', 'x-token']);
  for (const name of ['authorization', 'x-token', 'x-service', 'cookie'])
    assert.equal(probes[0].headers[name], undefined);
});

test('an abort is thrown, not returned', async () => {
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

test('an abort ends a request that was sent', async () => {
  const from = seen.length;
  const controller = new AbortController();
  const sending = send('/never', { signal: controller.signal });
  while (seen.length === from) await sleep(5);
  controller.abort();
  await assert.rejects(sending, { name: 'AbortError' });
  await lastSeen().gone;
});

test('an abort ends a body that arrives', async () => {
  const controller = new AbortController();
  const feed = () => {
    controller.abort();
    return true;
  };
  await assert.rejects(send('/endless', { signal: controller.signal, begin: () => true, feed }));
  await lastSeen().gone;
});

// ------------------------------------------------------------------ bodies of another length than announced

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

test('a body is read in browsers without readers that fill a buffer', async (t) => {
  const body = Uint8Array.of(1, 2, 3);
  const start = (/** @type {ReadableStreamDefaultController} */ controller) => {
    controller.enqueue(body);
    controller.close();
  };
  const stream = new ReadableStream({ start }); // not of bytes
  t.mock.method(globalThis, 'fetch', async () => new Response(stream, { headers: { 'content-length': '3' } }));
  equal((await send('/body')).body, body);
});

// ------------------------------------------------------------------ the end of a body

/**
 * Respond with a whole body, but report its end only when the returned function is called.
 * @param {TestContext} t @param {string} type @param {Record<string, string>} headers
 */
function unended(t, type, headers = {}) {
  /** @type {ReadableByteStreamController[]} */
  const controllers = [];
  const start = (/** @type {ReadableByteStreamController} */ controller) => {
    controllers.push(controller);
    controller.enqueue(BODY.slice());
  };
  const init = { headers: { 'Content-Length': String(BODY.length), ...headers } };
  const response = new Response(new ReadableStream({ type: 'bytes', start }), init);
  Object.defineProperties(response, { type: { value: type }, url: { value: `${site}/body` } });
  t.mock.method(globalThis, 'fetch', async () => response);
  return () => {
    controllers[0].close();
    controllers[0].byobRequest?.respond(0);
  };
}

test('a body of the same origin ends at its length', async (t) => {
  unended(t, 'basic');
  assert.deepEqual((await send('/body')).body, BODY);
});

test('a body that is fed ends at its length too', async (t) => {
  unended(t, 'basic');
  assert.deepEqual((await fedFrom('/body')).bytes, Buffer.from(BODY));
});

/** @type {[what: string, type: string, headers: Record<string, string>][]} */
const UNCERTAIN = [
  ['another origin, which may hide that it is compressed', 'cors', {}],
  ['a compressed body', 'basic', { 'Content-Encoding': 'gzip' }],
];
for (const [what, type, headers] of UNCERTAIN) {
  test(`a request waits for the end of ${what}`, async (t) => {
    const end = unended(t, type, headers);
    const answer = send('/body');
    assert.equal(await Promise.race([answer, sleep(50, 'waits')]), 'waits');
    end();
    assert.deepEqual((await answer).body, BODY);
  });
}
