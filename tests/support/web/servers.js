// What the tests of the transport share: two HTTP servers, the page's own and one on another origin,
// and ways to ask them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createSend } from '../../../web/worker/fetch.js';

export const LARGE = new Uint8Array(
  Buffer.alloc(
    3 << 20,
    Uint8Array.from({ length: 251 }, (_, index) => index),
  ),
);
const PACKED = gzipSync(LARGE, { level: 1 });
export const BODY = new Uint8Array([0, 1, 2, 3, 254, 255]);
export const STEADY = new Uint8Array(10).map((_, index) => index);

/** Every request of either server, in order. */
export const seen = [];
const ROUTES = {
  '/body': (_, response) => response.setHeader('Content-Type', 'application/dicom').end(BODY),
  '/empty': (_, response) => response.end(),
  '/no-content': (_, response) => response.writeHead(204).end(),
  '/large': (_, response) => response.setHeader('Content-Length', LARGE.length).end(LARGE),
  '/unknown-length': (_, response) => (response.write(BODY), response.end(BODY)),
  '/gzip': (_, response) =>
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': PACKED.length }).end(PACKED),
  '/range': (request, response) => {
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range) ?? [];
    response.writeHead(206).end(BODY.subarray(Number(first), last ? Number(last) + 1 : undefined));
  },
  '/refused': (_, response) => response.writeHead(503, { 'Content-Type': 'text/plain', 'X-Reason': 'tea' }).end('busy'),
  '/refused-large': (_, response) => response.writeHead(500, { 'Content-Length': LARGE.length }).end(LARGE),
  '/cut-large': (_, response) => {
    response.setHeader('Content-Length', LARGE.length);
    response.write(LARGE.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 50));
  },
  '/cut-small': (_, response) => {
    response.setHeader('Content-Length', 1000);
    response.write(BODY, () => setTimeout(() => response.destroy(), 20));
  },
  // As CORS without a preflight looks to a page: nothing of the answer, though the server is there.
  '/closed': (request, response) => (request.method === 'HEAD' ? response.end() : request.socket.destroy()),
  '/never': () => {},
  '/stalls': (_, response) => void response.write(BODY),
  '/stalls-small': (_, response) => void response.setHeader('Content-Length', 1000).write(BODY),
  '/late-body': async (_, response) => {
    await sleep(100);
    response.flushHeaders();
    await sleep(100);
    response.end(BODY);
  },
  '/late': (_, response) => void setTimeout(() => response.end(BODY), 100),
  '/steady': (_, response) => drip(response, STEADY),
  '/steady-small': (_, response) => drip(response.setHeader('Content-Length', STEADY.length), STEADY),
  '/endless': (_, response) => {
    const timer = setInterval(() => response.write(LARGE.subarray(0, 1 << 16)), 5);
    response.on('close', () => clearInterval(timer));
  },
  // Redirects.
  '/moved': redirect(() => '/body'),
  '/loop': redirect(() => '/loop'),
  '/to-guarded': redirect(() => '/guarded'),
  '/to-to-guarded': redirect(() => '/to-guarded'),
  '/to-refused': redirect(() => '/refused'),
  '/to-personal': redirect(() => '/personal'),
  '/away': redirect(() => `${other}/body`),
  '/away-guarded': redirect(() => `${other}/guarded`),
  '/round': redirect(() => `${other}/back`),
  '/back': redirect(() => `${site}/guarded`),
  '/guarded': (request, response) => response.writeHead(isKnown(request) ? 200 : 401).end(BODY),
  '/personal': (request, response) => response.end(isKnown(request) ? 'yours' : 'of anybody'),
  // Goes on for ever for those it knows, and refuses others.
  '/labyrinth': (request, response) =>
    isKnown(request) ? redirect(() => '/labyrinth')(request, response) : response.writeHead(401).end(),
};

/** @param {() => string} to */
function redirect(to) {
  return (_, response) => response.writeHead(302, { Location: to() }).end();
}

function isKnown({ headers }) {
  return headers['x-token'] === 'secret';
}

/** Send a body a byte at a time. */
async function drip(response, bytes) {
  for (const [index] of bytes.entries()) {
    response.write(bytes.subarray(index, index + 1));
    await sleep(35);
  }
  response.end();
}

async function serve() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://host');
    seen.push(Object.assign(request, { site: `http://${request.headers.host}`, gone: once(response, 'close') }));
    if (ROUTES[pathname]) ROUTES[pathname](request, response);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const nodeFetch = globalThis.fetch;

/** Of a redirect that is not followed browsers show nothing, while Node shows all. */
export async function browserFetch(url, init) {
  const response = await nodeFetch(url, init);
  if (init?.redirect !== 'manual' || !response.headers.has('location')) return response;
  await response.body?.cancel();
  return { type: 'opaqueredirect', url: String(url), status: 0, ok: false, headers: new Headers(), body: null };
}

let servers;
export let site;
export let other;
before(async () => {
  globalThis.fetch = browserFetch;
  servers = await Promise.all([serve(), serve()]);
  [site, other] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);
});
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** Send a request; the rest is as `createSend` takes it, and the settings. */
export function send(
  request,
  {
    files = new Map(),
    hook,
    signal = new AbortController().signal,
    onProgress = () => {},
    begin,
    feed,
    ...changes
  } = {},
) {
  const settings = {
    baseURL: `${site}/page/index.html`,
    headers: {},
    credentials: 'same-origin',
    origins: [],
    linkedOrigins: 'without-secrets',
    hooks: hook ? ['beforeRequest'] : [],
    services: new Map(),
    granted: new Map(),
    beforeRequest: hook,
    ...changes,
  };
  const whole = typeof request === 'string' ? { url: request, headers: {} } : { headers: {}, ...request };
  return createSend(settings, files)(whole, signal, onProgress, begin, feed);
}

/** Send a request and list its progress. */
export async function reportsOf(url, options = {}) {
  const reports = [];
  const answer = await send(url, { ...options, onProgress: (...report) => reports.push(report) });
  return { answer, reports };
}

/** Send a request, feed what comes, and list what was called: the head, then the chunks. */
export async function fedFrom(request, { wants = true, more = () => true, ...options } = {}) {
  const heads = [];
  const chunks = [];
  const begin = (head) => (assert.deepEqual(chunks, [], 'before the body'), heads.push(head), wants);
  const feed = (chunk) => (chunks.push(Buffer.from(chunk)), more(chunks.length));
  const answer = await send(request, { ...options, begin, feed });
  return { answer, heads, chunks, bytes: Buffer.concat(chunks) };
}

/** List what the servers see of a request, as `site path`, with the headers that are asked for. */
export async function tripOf(request, options, ...names) {
  const from = seen.length;
  const answer = await send(request, options);
  const trip = seen.slice(from).map(({ site, url, headers }) => [site, url, ...names.map((name) => headers[name])]);
  return { answer, trip };
}

/** The failure of a request of which no server sees anything. */
export async function unsent(request, options) {
  const from = seen.length;
  const { error, kind } = await send(request, options);
  assert.deepEqual(seen.slice(from), []);
  assert.equal(kind, 'request');
  return error;
}

/** Of bytes, which are not shown: to find how megabytes differ takes seconds. */
export function equal(found, expected) {
  assert.equal(found.length, expected.length);
  assert.ok(Buffer.from(found).equals(Buffer.from(expected)), 'the bytes differ');
}
