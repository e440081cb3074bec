// @ts-check
// The calls to a worker, with a stand-in for the bridge to Python.
import '../../support/web/channels.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rpc } from '../../../web/shared/rpc.js';
import { handlersOf } from '../../../web/worker/handlers.js';
import { Interpreter } from '../../../web/worker/interpreter.js';
import { StartedInterpreter, ended, fileOf, foundOf, image } from '../../support/web/interpreter.js';

/** @typedef {import('../../../web/worker/bridge.d.ts').Bridge} Bridge */
/** @typedef {import('../../../web/worker/bridge.d.ts').FoundImage} FoundImage */
/** @typedef {import('../../../web/worker/interpreter.js').Page} Page */
/** @typedef {import('../../../web/shared/messages.d.ts').Configuration} Configuration */
/** @typedef {import('../../../web/shared/messages.d.ts').ImageArrays} ImageArrays */
/** @typedef {import('../../../web/shared/messages.d.ts').Loan} Loan */
/** @typedef {import('../../../web/shared/messages.d.ts').PageCalls} PageCalls */
/** @typedef {import('../../../web/shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../../../web/shared/rpc.js').Handlers<PageCalls>} PageHandlers */

/** Fields of a load that no test looks at. @type {{options: {}, urgency: [number, number], upcoming: number[]}} */
const JOB = { options: {}, urgency: [0, 0], upcoming: [] };

/** Connect a page to a started interpreter. @param {Partial<Bridge>} bridge @param {Partial<PageHandlers>} page */
function pair(bridge, page = {}) {
  const { port1, port2 } = new MessageChannel();
  const interpreter = new StartedInterpreter(bridge, () => worker);
  /** @type {Page} */
  const worker = new Rpc(port2, handlersOf(interpreter));
  /** @type {Rpc<WorkerCalls, PageCalls>} */
  const rpc = new Rpc(port1, /** @type {PageHandlers} */ (page));
  return { rpc, interpreter };
}

test('a load moves the pixels of its image and of its batch, and has their extent', async () => {
  const first = image(1, 2);
  /** @type {[FoundImage, ImageArrays]} */
  const torn = [{ error: { name: 'FormatError', message: 'torn' } }, /** @type {ImageArrays} */ ({})]; // no arrays
  const { load, arrays } = ended(first, image(3), torn);
  const { rpc } = pair({ load: async () => foundOf({ load: { ...load, isReady: true }, arrays }) });
  const { isReady, batch = [], ...loaded } = await rpc.call('load', { imageId: 'x:1', ...JOB });
  assert.deepEqual([isReady, loaded.image.minimum, loaded.image.maximum], [true, 1, 2]);
  assert.deepEqual(
    batch.map((each) => ('error' in each ? each.error.message : [...each.image.pixels])),
    [[3], 'torn'],
  );
  assert.equal(first[1].pixels.byteLength, 0, 'moved');
});

test('a load reports the progress and the end of requests', async () => {
  /** @type {Bridge['load']} */
  const load = async (_id, _imageId, _job, listener) => {
    listener('progress', 'u', 1, 2, 1);
    listener('end', 'u', 2, 2, 1);
    return foundOf(ended(image(1)));
  };
  const { rpc } = pair({ load });
  /** @type {[phase: string, loaded: number][]} */
  const told = [];
  await rpc.call('load', { imageId: 'x:1', ...JOB }, { onProgress: ({ phase, loaded }) => told.push([phase, loaded]) });
  assert.deepEqual(told, [
    ['progress', 1],
    ['end', 2],
  ]);
});

// ------------------------------------------------------------------ files that the worker fetches ahead of Python

const URL_AHEAD = 'https://host/a';
const AHEAD = { imageId: 'wadouri:https://host/a', ahead: URL_AHEAD, ...JOB };
/** @typedef {Parameters<import('../../../web/worker/fetch.js').Tell>} Told */

/**
 * The `begin` of a stand-in, which tells of the progress and resolves to a file.
 * @param {Promise<import('../../../web/worker/ahead.js').WholeResponse | undefined>} whole
 * @param {Told[]} reports @param {() => void} end
 * @returns {StartedInterpreter['begin']}
 */
function beginOf(whole, reports = [], end = () => {}) {
  return (_url, _urgency, _signal, tell) => {
    for (const report of reports) tell(...report);
    return { whole, end };
  };
}

test('a load without an address begins nothing', async () => {
  const { rpc, interpreter } = pair({ load: async () => foundOf(ended(image(1))) });
  await rpc.call('load', { imageId: 'x:1', ...JOB });
  assert.deepEqual(interpreter.sent, []);
});

test('a file that comes whole goes to Python with its load, and its pixels are moved', async () => {
  const found = image(1, 2);
  /** @type {{imageId: string, url: string, job: unknown, waited: number}[]} */
  const told = [];
  /** @type {Bridge['load_arrived']} */
  const load_arrived = (text, bodies) => {
    told.push(...JSON.parse(text));
    assert.deepEqual(bodies, [new Uint8Array([1, 2])]);
    return foundOf(ended(found, image(3)));
  };
  const { rpc, interpreter } = pair({ load_arrived });
  const ends = /** @type {string[]} */ ([]);
  interpreter.begin = beginOf(Promise.resolve(fileOf(URL_AHEAD)), [], () => ends.push('end'));
  const { batch = [], ...loaded } = await rpc.call('load', { ...AHEAD, urgency: [1, 5] });
  assert.deepEqual([loaded.image.minimum, loaded.image.maximum, batch.length], [1, 2, 1]);
  assert.equal(found[1].pixels.byteLength, 0, 'moved');
  assert.deepEqual(interpreter.sent, [
    ['begin', URL_AHEAD, [1, 5]],
    ['reuse', URL_AHEAD],
  ]);
  const [{ imageId, url, job, waited }] = told;
  assert.deepEqual([imageId, url, job], [AHEAD.imageId, URL_AHEAD, { ...JOB, urgency: [1, 5] }]);
  assert.ok(waited >= 0 && waited < 1000);
  assert.deepEqual(ends, ['end']);
});

test('Python gets the time that a load has waited for its file', async () => {
  /** @type {number[]} */
  const times = [];
  /** @type {Bridge['load_arrived']} */
  const load_arrived = (text) => {
    times.push(JSON.parse(text)[0].waited);
    return foundOf(ended(image(1)));
  };
  const { rpc, interpreter } = pair({ load_arrived });
  interpreter.begin = beginOf(new Promise((resolve) => setTimeout(resolve, 60, fileOf(URL_AHEAD))));
  await rpc.call('load', AHEAD);
  assert.ok(times[0] > 50, String(times));
});

/** @type {[what: string, begin: StartedInterpreter['begin']][]} */
const NOT_WHOLE = [
  ['does not come whole', beginOf(Promise.resolve(undefined))],
  ['is under way already', () => undefined],
];
for (const [what, begin] of NOT_WHOLE) {
  test(`Python asks for a file that ${what}`, async () => {
    /** @type {unknown[]} */
    const asked = [];
    /** @type {Bridge['load']} */
    const load = async (_call, imageId, job) => {
      asked.push(imageId, job);
      return foundOf(ended(image(7)));
    };
    const { rpc, interpreter } = pair({ load });
    interpreter.begin = begin;
    assert.equal((await rpc.call('load', AHEAD)).image.minimum, 7);
    assert.deepEqual(asked, [AHEAD.imageId, JOB]);
  });
}

test('a request ahead ends with its load, also when that fails', async () => {
  const ends = /** @type {string[]} */ ([]);
  /** @type {Bridge['load']} */
  const load = async () => {
    assert.deepEqual(ends, [], 'not before');
    return { error: { name: 'FormatError', message: 'torn' } };
  };
  const { rpc, interpreter } = pair({ load });
  interpreter.begin = beginOf(Promise.resolve(undefined), [], () => ends.push('end'));
  await assert.rejects(rpc.call('load', AHEAD), { kind: 'FormatError' });
  assert.deepEqual(ends, ['end']);
});

test('a file of another identity is fetched again by Python', async () => {
  const { rpc, interpreter } = pair({ load: async () => foundOf(ended(image(7))) });
  const { resolve, promise } = deferred();
  interpreter.begin = beginOf(promise);
  const loaded = rpc.call('load', AHEAD);
  while (!interpreter.sent.length) await turn();
  resolve(fileOf(URL_AHEAD));
  await Promise.resolve().then(() => Promise.resolve()); // it is waiting for the next list
  interpreter.settings.identity = 1;
  assert.equal((await loaded).image.minimum, 7);
});

test('a load that is cancelled while its file comes ends, and Python is not called', async () => {
  const ends = /** @type {string[]} */ ([]);
  const { rpc, interpreter } = pair({});
  interpreter.begin = (_url, _urgency, signal) => {
    const whole = new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
    return { whole, end: () => ends.push('end') };
  };
  const controller = new AbortController();
  const loaded = rpc.call('load', AHEAD, { signal: controller.signal });
  while (!interpreter.sent.length) await turn();
  controller.abort();
  await assert.rejects(loaded, { name: 'AbortError' });
  while (!ends.length) await turn();
});

test('the start of the request that Python takes over is told once, those of later attempts too', async () => {
  /** @type {Bridge['load']} */
  const load = async (_call, _imageId, _job, listener) => {
    listener('start', URL_AHEAD, 0, undefined, 1);
    listener('end', URL_AHEAD, 0, undefined, 1);
    listener('start', 'https://host/b', 0, undefined, 1);
    listener('start', URL_AHEAD, 0, undefined, 2);
    return foundOf(ended(image(1)));
  };
  const { rpc, interpreter } = pair({ load });
  interpreter.begin = beginOf(Promise.resolve(undefined), [['start', 0]]);
  /** @type {unknown[]} */
  const told = [];
  await rpc.call('load', AHEAD, { onProgress: ({ phase, url, attempt }) => told.push([phase, url, attempt]) });
  assert.deepEqual(told, [
    ['start', URL_AHEAD, 1],
    ['end', URL_AHEAD, 1],
    ['start', 'https://host/b', 1],
    ['start', URL_AHEAD, 2],
  ]);
});

test('a file that comes whole is told to the page as a request of Python is', async () => {
  const { rpc, interpreter } = pair({ load_arrived: () => foundOf(ended(image(1))) });
  /** @type {Told[]} */
  const reports = [
    ['start', 0],
    ['progress', 1, 2],
    ['progress', 2, 2],
    ['end', 0],
  ];
  interpreter.begin = beginOf(Promise.resolve(fileOf(URL_AHEAD)), reports);
  /** @type {unknown[]} */
  const told = [];
  await rpc.call('load', AHEAD, { onProgress: (report) => told.push(report) });
  assert.deepEqual(
    told,
    reports.map(([phase, loaded, total]) => ({ phase, url: URL_AHEAD, loaded, total, attempt: 1 })),
  );
});

test('the share of a worker reaches its requests', async () => {
  const { rpc, interpreter } = pair({});
  await rpc.call('share', { requestsPerOrigin: 3 });
  assert.deepEqual([interpreter.settings.requestsPerOrigin, interpreter.sent], [3, ['share']]);
});

const turn = () => new Promise((resolve) => setTimeout(resolve));

function deferred() {
  /** @type {(file: import('../../../web/worker/ahead.js').WholeResponse) => void} */
  let resolve = () => {};
  /** @type {Promise<import('../../../web/worker/ahead.js').WholeResponse>} */
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

// ------------------------------------------------------------------ other calls

test('errors of Python reject, and a call can be cancelled', async () => {
  /** @type {Map<number, () => void>} */
  const stops = new Map();
  /** @type {Bridge['load']} */
  const load = async (id, imageId) =>
    imageId === 'x:bad'
      ? { error: { name: 'FormatError', code: 'format', stage: 'parse', message: 'bad' } }
      : new Promise((resolve) => stops.set(id, () => resolve({ cancelled: true })));
  /** @type {number[]} */
  const cancelled = [];
  /** @type {Bridge['cancel']} */
  const cancel = (id) => {
    cancelled.push(id);
    stops.get(id)?.();
  };
  const { rpc } = pair({ load, cancel });
  await assert.rejects(rpc.call('load', { imageId: 'x:bad', ...JOB }), {
    kind: 'FormatError',
    code: 'format',
  });
  const controller = new AbortController();
  const slow = rpc.call('load', { imageId: 'x:slow', ...JOB }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(slow, { name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(cancelled, [2]);
});

test('a frame is lent, unless it cannot be', async () => {
  /** @type {(Loan | undefined)[]} */
  const loans = [{ token: 't', frame: new Uint8Array(4) }, undefined];
  const { rpc } = pair({ lend: async () => ({ loan: loans.shift() }) });
  assert.equal((await rpc.call('lend', { imageId: 'x:1', ...JOB }))?.frame.length, 4);
  assert.equal(await rpc.call('lend', { imageId: 'x:1', ...JOB }), undefined);
});

test('a borrowed frame is an image, or its error', async () => {
  const failed = { load: { error: { name: 'FormatError', message: 'torn' } }, arrays: [] };
  const rows = [ended(image(1, 2)), failed];
  const { rpc } = pair({ borrow: async () => foundOf(rows.shift() ?? assert.fail('too often')) });
  const payload = { imageId: 'x:1', ...JOB, loan: { token: 't', frame: new Uint8Array(4) } };
  assert.deepEqual([...(await rpc.call('borrow', payload)).image.pixels], [1, 2]);
  await assert.rejects(rpc.call('borrow', payload), { kind: 'FormatError', message: 'torn' });
});

test('files exist while they are listed, and until they are withdrawn', async () => {
  /** @type {unknown[]} */
  const seen = [];
  /** @type {Bridge['listing']} */
  const listing = async (_id, _source, named) => {
    seen.push(named, [...interpreter.files.keys()]);
    return { found: [] };
  };
  const { rpc, interpreter } = pair({ listing, withdraw: (name) => seen.push(name) });
  await rpc.call('listing', {
    imageId: 'l:0',
    files: [{ name: 'l:0', path: 'a/b', file: new Blob(['x']) }],
    ...JOB,
  });
  assert.deepEqual(seen, [[['l:0', 'a/b']], ['l:0']]);
  assert.equal(interpreter.files.size, 0);
  await rpc.call('provide', { name: 'l:1', file: new Blob(['x']) });
  assert.equal(interpreter.files.size, 1);
  await rpc.call('withdraw', { name: 'l:1' });
  assert.deepEqual([interpreter.files.size, seen.at(-1)], [0, 'l:1']);
});

test('new settings replace the old ones, and call the hook of the page', async () => {
  /** @type {boolean[]} */
  const configured = [];
  /** @type {Bridge['configure']} */
  const configure = (_settings, isOther) => void configured.push(isOther);
  const { rpc, interpreter } = pair({ configure }, { beforeRequest: (request) => ({ ...request, url: 'changed' }) });
  await rpc.call('granted', { base: 'https://host', headers: {} });
  const changes = { identity: 1, hooks: ['beforeRequest'], forgetsGranted: true };
  await rpc.call('configure', /** @type {Configuration} */ (changes));
  assert.deepEqual([interpreter.granted.size, interpreter.settings.identity, configured], [0, 1, [true]]);
  assert.deepEqual(interpreter.sent, ['forgetAhead', 'forgetAhead'], 'after a grant, and for another identity');
  await rpc.call('configure', /** @type {Configuration} */ ({ ...changes, forgetsGranted: false }));
  assert.deepEqual([interpreter.sent.length, configured], [2, [true, false]]);
  const request = /** @type {import('../../../web/shared/messages.d.ts').OutgoingRequest} */ ({ url: 'u' });
  assert.deepEqual(await interpreter.settings.beforeRequest?.(request), { url: 'changed' });
});

test('stats include the heap, and calls fail before Python has started', async () => {
  const { rpc } = pair({ stats: () => ({ running: 0, cacheBytes: 1 }) });
  assert.deepEqual(await rpc.call('stats', undefined), { running: 0, cacheBytes: 1, heapBytes: 9 });
  assert.throws(() => new Interpreter(() => assert.fail('no page')).started, /has not started/);
});
