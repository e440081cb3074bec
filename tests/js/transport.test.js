// The worker's half of the browser transport, against a real HTTP server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createSend } from '../../web/transport.js';

const LARGE = new Uint8Array(3 << 20).map((_, index) => index % 251);
const BODY = new Uint8Array([0, 1, 2, 3, 254, 255]);

const seen = [];
const ROUTES = {
  '/body': (_, response) => response.setHeader('Content-Type', 'application/dicom').end(BODY),
  '/empty': (_, response) => response.end(),
  '/large': (_, response) => response.setHeader('Content-Length', LARGE.length).end(LARGE),
  '/unknown-length': (_, response) => (response.write(BODY), response.end(BODY)),
  '/gzip': (_, response) => {
    const packed = gzipSync(LARGE);
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': packed.length }).end(packed);
  },
  '/range': (request, response) => {
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range);
    response.writeHead(206).end(BODY.subarray(Number(first), Number(last) + 1));
  },
  '/moved': (_, response) => response.writeHead(302, { Location: '/body' }).end(),
  '/refused': (_, response) => response.writeHead(503, { 'Content-Type': 'text/plain', 'X-Reason': 'tea' }).end('busy'),
  '/cut-large': (_, response) => {
    response.setHeader('Content-Length', LARGE.length);
    response.write(LARGE.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 50));
  },
  '/cut-small': (_, response) => {
    response.setHeader('Content-Length', 1000);
    response.write(BODY, () => setTimeout(() => response.destroy(), 20));
  },
  '/closed': (request) => request.socket.destroy(),
  '/never': () => {},
};

let server;
let site;
before(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    ROUTES[request.url]?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  site = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** Send a request; the rest is as `createSend` takes it. */
function send(request, { headers = {}, files = new Map(), hook = null, signal = new AbortController().signal, onProgress = () => {} } = {}) {
  const settings = { baseURL: `${site}/page/index.html`, headers, credentials: 'same-origin' };
  const whole = typeof request === 'string' ? { url: request, headers: {} } : { headers: {}, ...request };
  return createSend(settings, files, hook)(whole, signal, onProgress);
}

/** Send a request and list its progress. */
async function reportsOf(url, options = {}) {
  const reports = [];
  const answer = await send(url, { ...options, onProgress: (...report) => reports.push(report) });
  return { answer, reports };
}

// ------------------------------------------------------------------ requests and answers

test('an answer has address, status, headers in lower case, and body', async () => {
  const { url, status, headers, body } = await send(`${site}/body`);
  assert.deepEqual([url, status, headers['content-type']], [`${site}/body`, 200, 'application/dicom']);
  assert.deepEqual(body, BODY);
});

test('addresses are relative to the page', async () => {
  assert.deepEqual((await send('../body')).body, BODY);
  assert.deepEqual((await send('/body')).body, BODY);
});

test('a redirect tells where it led', async () => {
  assert.equal((await send('/moved')).url, `${site}/body`);
});

test('a refusal is an answer', async () => {
  const { status, headers, body } = await send('/refused');
  assert.deepEqual([status, headers['x-reason'], new TextDecoder().decode(body)], [503, 'tea', 'busy']);
});

test('headers of the page and of the request are sent, the latter first', async () => {
  await send({ url: '/body', headers: { 'X-Both': 'request', 'X-Own': '1' } }, { headers: { 'X-Both': 'page', 'X-Page': '2' } });
  const { headers } = seen.at(-1);
  assert.deepEqual([headers['x-both'], headers['x-own'], headers['x-page']], ['request', '1', '2']);
});

test('a byte range ends before its second number', async () => {
  const { status, body } = await send({ url: '/range', byteRange: [2, 5] });
  assert.equal(seen.at(-1).headers.range, 'bytes=2-4');
  assert.deepEqual([status, body], [206, BODY.subarray(2, 5)]);
});

test('no byte range is no header', async () => {
  await send('/body');
  assert.equal('range' in seen.at(-1).headers, false);
});

// ------------------------------------------------------------------ the page's hook

test('the hook sees the request as it would be sent', async () => {
  let request;
  await send({ url: '/range', byteRange: [0, 1] }, { headers: { 'X-Page': '2' }, hook: async (given) => void (request = given) });
  assert.deepEqual(request, {
    url: `${site}/range`,
    headers: { 'X-Page': '2', Range: 'bytes=0-0' },
    credentials: 'same-origin',
  });
});

test('the hook may change any part', async () => {
  const hook = async ({ url, headers }) => ({ url: url.replace('/elsewhere', '/body'), headers: { ...headers, Authorization: 'Bearer abc' } });
  assert.deepEqual((await send('/elsewhere', { hook })).body, BODY);
  assert.equal(seen.at(-1).headers.authorization, 'Bearer abc');
});

test('a hook that returns nothing changes nothing', async () => {
  assert.deepEqual((await send('/body', { hook: async () => undefined })).body, BODY);
});

test('a hook that fails is no answer', async () => {
  const hook = async () => { throw new Error('no token'); };
  const { error } = await send('/body', { hook });
  assert.equal(error, 'could not fetch /body: beforeRequest of the page failed: no token');
});

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
  assert.deepEqual(Buffer.from(answer.body), Buffer.from(LARGE));
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
  assert.deepEqual(Buffer.from(answer.body), Buffer.from(LARGE));
  assert.ok(reports.every(([, total]) => total === undefined));
  assert.equal(reports.at(-1)[0], LARGE.length);
});

// ------------------------------------------------------------------ no answer

test('a large body that is cut off tells how far it came', async () => {
  const { error } = await send('/cut-large');
  const [, loaded, total] = /connection was cut after (\d+) of (\d+) bytes/.exec(error);
  assert.ok(Number(loaded) > 0 && Number(loaded) <= 1 << 20);
  assert.equal(Number(total), LARGE.length);
  assert.match(error, /^could not fetch \/cut-large: /);
});

test('a small body that is cut off is no answer', async () => {
  assert.match((await send('/cut-small')).error, /^could not fetch \/cut-small: .*The server cannot be reached, or closed/);
});

test('a connection that is closed is no answer', async () => {
  const { error } = await send('/closed');
  assert.match(error, /^could not fetch \/closed: /);
  assert.doesNotMatch(error, /another origin/);
});

test('on another origin CORS may be why', async () => {
  const { error } = await send(`http://localhost:${server.address().port}/closed`);
  assert.match(error, /It is on another origin: .*Access-Control-Allow-Origin/);
});

test('an address that is none is no answer', async () => {
  assert.match((await send('http://[')).error, /^could not fetch http:\/\/\[: /);
});

test('an abort is thrown, not told', async () => {
  const controller = new AbortController();
  const sending = send('/never', { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(sending, { name: 'AbortError' });
});

test('an abort ends the request on its way', async () => {
  const controller = new AbortController();
  const sending = send('/never', { signal: controller.signal });
  while (seen.at(-1)?.url !== '/never' || seen.at(-1).destroyed) await new Promise((resolve) => setTimeout(resolve, 5));
  const closed = once(seen.at(-1).socket, 'close');
  controller.abort();
  await assert.rejects(sending, { name: 'AbortError' });
  await closed;
});

// ------------------------------------------------------------------ local files

const files = new Map([
  ['dicomfile:0', new Blob([BODY], { type: 'application/dicom' })],
  ['dicomfile:1', new File([BODY], 'ct.dcm')],
]);

test('a local file answers by its name', async () => {
  const { answer, reports } = await reportsOf('dicomfile:0', { files });
  assert.deepEqual(answer, { url: 'dicomfile:0', status: 200, headers: { 'content-type': 'application/dicom' }, body: BODY });
  assert.deepEqual(reports, [[6, 6]]);
});

test('a File tells what it is called', async () => {
  assert.equal((await send('dicomfile:1', { files })).url, 'ct.dcm');
});

test('a part of a local file', async () => {
  const { status, body } = await send({ url: 'dicomfile:0', byteRange: [2, 5] }, { files });
  assert.deepEqual([status, body], [206, BODY.subarray(2, 5)]);
});

test('local files are not asked of the server, nor shown to the hook', async () => {
  const count = seen.length;
  const hook = async () => { throw new Error('asked'); };
  assert.deepEqual((await send('dicomfile:0', { files, hook })).body, BODY);
  assert.equal(seen.length, count);
});

test('a local file that is not there says how it would be', async () => {
  const { error } = await send('dicomfile:7', { files });
  assert.equal(error, 'dicomfile:7 is not here: addFile() gives the name, removeFile() ends it');
});
