// @ts-check
// Two HTTP servers for tests of the worker's requests, the page's own and one on another origin, and
// helpers that send requests to them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { FACTS } from '../../../web/shared/facts.js';
import { createSend } from '../../../web/worker/fetch.js';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {(request: IncomingMessage, response: ServerResponse) => unknown} Route */
/** @typedef {import('../../../web/worker/fetch.js').Request} PythonRequest */
/** @typedef {string | {url: string} & Partial<PythonRequest>} Asked a request, or its address alone */
/** @typedef {import('../../../web/worker/fetch.js').Settings} Settings */
/** @typedef {import('../../../web/worker/fetch.js').Head} Head */
/**
 * A response, or the failure of a request: a test reads the fields of the one that it expects.
 * @typedef {Head & {body: Uint8Array<ArrayBuffer>, error: string, kind: string}} Answer
 */
/** @typedef {import('../../../web/worker/fetch.js').HookedRequest} HookedRequest */
/** @typedef {(request: HookedRequest) => Promise<Partial<HookedRequest> | null | void>} Hook of the page */
/**
 * Changes of the default settings, and the arguments of `createSend` and its function.
 * @typedef {Partial<Settings> & {
 *   files?: Map<string, Blob>,
 *   hook?: Hook,
 *   signal?: AbortSignal,
 *   onProgress?: import('../../../web/worker/fetch.js').OnProgress,
 *   begin?: (head: Head) => boolean,
 *   feed?: (chunk: Uint8Array) => boolean,
 * }} Options
 */

export const LARGE = new Uint8Array(
  Buffer.alloc(
    3 << 20,
    Uint8Array.from({ length: 251 }, (_, index) => index),
  ),
);
/** More than a worker fetches whole before Python asks for it. */
export const HUGE = new Uint8Array(FACTS.limits.wholeBytes + 1);
const PACKED = gzipSync(LARGE, { level: 1 });
export const BODY = new Uint8Array([0, 1, 2, 3, 254, 255]);
export const STEADY = new Uint8Array(10).map((_, index) => index);

/**
 * The requests that both servers have received, in order; `gone` resolves when their connection closes.
 * @type {(IncomingMessage & {site: string, gone: Promise<unknown>})[]}
 */
export const seen = [];

/** The last request that a server has received. */
export function lastSeen() {
  return seen[seen.length - 1];
}

/** @type {Record<string, Route>} */
const ROUTES = {
  '/body': (_, response) => response.setHeader('Content-Type', 'application/dicom').end(BODY),
  '/empty': (_, response) => response.end(),
  '/no-content': (_, response) => response.writeHead(204).end(),
  '/large': (_, response) => response.setHeader('Content-Length', LARGE.length).end(LARGE),
  '/huge': (_, response) => response.setHeader('Content-Length', HUGE.length).end(HUGE),
  '/unknown-length': (_, response) => {
    response.write(BODY);
    response.end(BODY);
  },
  '/gzip': (_, response) =>
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': PACKED.length }).end(PACKED),
  '/range': (request, response) => {
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
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
  // A server without CORS, as a page sees it: it is there, but its responses are hidden.
  '/closed': (request, response) => (request.method === 'HEAD' ? response.end() : request.socket.destroy()),
  '/never': () => {},
  '/stalls': (_, response) => response.write(BODY),
  '/stalls-small': (_, response) => response.setHeader('Content-Length', 1000).write(BODY),
  '/late-body': async (_, response) => {
    await sleep(100);
    response.flushHeaders();
    await sleep(100);
    response.end(BODY);
  },
  '/late': (_, response) => setTimeout(() => response.end(BODY), 100),
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
  // Redirects for ever with the secret, and refuses without.
  '/labyrinth': (request, response) =>
    isKnown(request) ? redirect(() => '/labyrinth')(request, response) : response.writeHead(401).end(),
};

/** @param {() => string} to @returns {Route} */
function redirect(to) {
  return (_, response) => response.writeHead(302, { Location: to() }).end();
}

/** @param {IncomingMessage} request */
function isKnown({ headers }) {
  return headers['x-token'] === 'secret';
}

/** Send a body byte by byte. @param {ServerResponse} response @param {Uint8Array} bytes */
async function drip(response, bytes) {
  for (const [index] of bytes.entries()) {
    response.write(bytes.subarray(index, index + 1));
    await sleep(35);
  }
  response.end();
}

/** The origin of a server. @param {import('node:http').Server} server */
export function originOf(server) {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}

async function serve() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://host');
    seen.push(Object.assign(request, { site: `http://${request.headers.host}`, gone: once(response, 'close') }));
    const route = ROUTES[pathname] ?? (() => response.writeHead(404).end());
    route(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const nodeFetch = globalThis.fetch;

/**
 * Fetch as browsers do, which hide the response of a redirect that is not followed.
 * @param {string | URL | Request} url @param {RequestInit} [init] @returns {Promise<Response>}
 */
export async function browserFetch(url, init) {
  const response = await nodeFetch(url, init);
  if (init?.redirect !== 'manual' || !response.headers.has('location')) return response;
  await response.body?.cancel();
  const hidden = { type: 'opaqueredirect', url: String(url), status: 0, ok: false, headers: new Headers(), body: null };
  return /** @type {Response} */ (hidden);
}

/**
 * Replace `fetch` for one test, and list its calls.
 * @param {import('node:test').TestContext} t @param {typeof browserFetch} respond
 */
export function recordFetch(t, respond = async () => new Response('')) {
  /** @type {{url: string, init: RequestInit}[]} */
  const calls = [];
  t.mock.method(globalThis, 'fetch', async (/** @type {string} */ url, /** @type {RequestInit} */ init = {}) => {
    calls.push({ url, init });
    return respond(url, init);
  });
  return calls;
}

/** @type {import('node:http').Server[]} */
let servers;
/** The origin of the page. @type {string} */
export let site;
/** Another origin. @type {string} */
export let other;
before(async () => {
  globalThis.fetch = browserFetch;
  servers = await Promise.all([serve(), serve()]);
  [site, other] = servers.map(originOf);
});
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** The settings of a page on the first server. @param {Partial<Settings>} changes @returns {Settings} */
export function settingsOf(changes = {}) {
  return {
    baseURL: `${site}/page/index.html`,
    headers: {},
    credentials: 'same-origin',
    origins: [],
    linkedOrigins: 'without-secrets',
    hooks: [],
    services: new Map(),
    granted: new Map(),
    requestTimeout: 0,
    requestsPerOrigin: 8,
    decodedBytes: 2 ** 30,
    ...changes,
  };
}

/** A request with all its fields. @param {Asked} asked @returns {PythonRequest} */
export function requestOf(asked) {
  return { headers: {}, ...(typeof asked === 'string' ? { url: asked } : asked) };
}

/** Send a request. @param {Asked} asked @param {Options} options */
export async function send(
  asked,
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
  const beforeRequest = /** @type {Settings['beforeRequest']} */ (hook);
  const settings = settingsOf({ hooks: hook ? ['beforeRequest'] : [], beforeRequest, ...changes });
  const answer = await createSend(settings, files)(requestOf(asked), signal, onProgress, begin, feed);
  return /** @type {Answer} */ (answer);
}

/** Send a request and list its progress. @param {Asked} asked @param {Options} options */
export async function reportsOf(asked, options = {}) {
  /** @type {[loaded: number, total: number | undefined][]} */
  const reports = [];
  const answer = await send(asked, { ...options, onProgress: (...report) => reports.push(report) });
  return { answer, reports };
}

/**
 * Send a request, feed its body, and list the calls: the head, then the chunks.
 * @param {Asked} asked
 * @param {Options & {wants?: boolean, more?: (count: number) => boolean}} options `more` gets the count of chunks
 */
export async function fedFrom(asked, { wants = true, more = () => true, ...options } = {}) {
  /** @type {Head[]} */
  const heads = [];
  /** @type {Buffer[]} */
  const chunks = [];
  /** @type {Options['begin']} */
  const begin = (head) => {
    assert.deepEqual(chunks, [], 'before the body');
    heads.push(head);
    return wants;
  };
  /** @type {Options['feed']} */
  const feed = (chunk) => {
    chunks.push(Buffer.from(chunk));
    return more(chunks.length);
  };
  const answer = await send(asked, { ...options, begin, feed });
  return { answer, heads, chunks, bytes: Buffer.concat(chunks) };
}

/**
 * Send a request, and list the requests that the servers receive: origin, path, and the named headers.
 * @param {Asked} asked @param {Options} options @param {string[]} names
 */
export async function tripOf(asked, options, ...names) {
  const from = seen.length;
  const answer = await send(asked, options);
  const trip = seen.slice(from).map(({ site, url, headers }) => [site, url, ...names.map((name) => headers[name])]);
  return { answer, trip };
}

/** Send a request that no server receives, and return its error. @param {Asked} asked @param {Options} [options] */
export async function unsent(asked, options) {
  const from = seen.length;
  const { error, kind } = await send(asked, options);
  assert.deepEqual(seen.slice(from), []);
  assert.equal(kind, 'request');
  return error;
}

/**
 * Compare bytes without showing how they differ, which takes seconds for megabytes.
 * @param {Uint8Array} found @param {Uint8Array} expected
 */
export function equal(found, expected) {
  assert.equal(found.length, expected.length);
  assert.ok(Buffer.from(found).equals(Buffer.from(expected)), 'the bytes differ');
}
