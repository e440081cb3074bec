// @ts-check
// The calls to a worker, with a stand-in for the bridge to Python.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Rpc } from '../../../web/shared/rpc.js';
import { handlersOf } from '../../../web/worker/handlers.js';
import { Interpreter } from '../../../web/worker/interpreter.js';

/** @typedef {import('../../../web/worker/bridge.d.ts').Bridge} Bridge */
/** @typedef {import('../../../web/worker/bridge.d.ts').FoundImage} FoundImage */
/** @typedef {import('../../../web/worker/interpreter.js').Page} Page */
/** @typedef {import('../../../web/worker/interpreter.js').Started} Started */
/** @typedef {import('../../../web/shared/messages.d.ts').Configuration} Configuration */
/** @typedef {import('../../../web/shared/messages.d.ts').ImageArrays} ImageArrays */
/** @typedef {import('../../../web/shared/messages.d.ts').Loan} Loan */
/** @typedef {import('../../../web/shared/messages.d.ts').PageCalls} PageCalls */
/** @typedef {import('../../../web/shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../../../web/shared/rpc.js').Handlers<PageCalls>} PageHandlers */

/** @type {MessagePort[]} */
const open = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** Fields of a load that no test looks at. @type {{options: {}, urgency: [number, number], upcoming: number[]}} */
const JOB = { options: {}, urgency: [0, 0], upcoming: [] };

/** An interpreter whose Python has started, with stand-ins for all parts of it. */
class StartedInterpreter extends Interpreter {
  settings = /** @type {Started['settings']} */ ({ identity: 0, hooks: /** @type {string[]} */ ([]) });
  /** Calls that concern a request that begins ahead. @type {unknown[]} */
  ahead = [];

  /** @param {() => Page} page @param {Partial<Bridge>} bridge functions that the test calls */
  constructor(page, bridge) {
    super(page);
    this.python = /** @type {Bridge} */ (bridge);
  }

  get bridge() {
    return this.python;
  }

  get started() {
    const send = {
      begin: (/** @type {string} */ url, /** @type {boolean} */ isUrgent) => {
        this.ahead.push([url, isUrgent]);
        return () => this.ahead.push('left');
      },
      forgetAhead: () => this.ahead.push('forgotten'),
    };
    const packages = { install: async () => {}, installImports: async () => {} };
    const pyodide = { _module: { HEAPU8: new Uint8Array(9) } };
    const started = { bridge: this.python, send, packages, settings: this.settings, pyodide };
    return /** @type {Started} */ (/** @type {unknown} */ (started));
  }
}

/** Connect a page to a started interpreter. @param {Partial<Bridge>} bridge @param {Partial<PageHandlers>} page */
function pair(bridge, page = {}) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const interpreter = new StartedInterpreter(() => worker, bridge);
  /** @type {Page} */
  const worker = new Rpc(port2, handlersOf(interpreter));
  /** @type {Rpc<WorkerCalls, PageCalls>} */
  const rpc = new Rpc(port1, /** @type {PageHandlers} */ (page));
  return { rpc, interpreter };
}

/** An image as Python gives it, and its arrays. @param {number[]} values @returns {[FoundImage, ImageArrays]} */
function image(...values) {
  const found = /** @type {FoundImage} */ (
    /** @type {unknown} */ ({ image: { warnings: [] }, modules: {}, timing: {} })
  );
  return [found, { pixels: Float32Array.from(values) }];
}

/** The result of `Bridge.load` for some images. @param {[FoundImage, ImageArrays][]} images */
function foundOf(...images) {
  return { answers: images.map(([answer]) => answer), arrays: images.map(([, arrays]) => arrays) };
}

test('a load moves the pixels of its image and of its batch, and has their extent', async () => {
  const first = image(1, 2);
  /** @type {[FoundImage, ImageArrays]} */
  const torn = [{ error: { name: 'FormatError', message: 'torn' } }, /** @type {ImageArrays} */ ({})]; // no arrays
  const { rpc } = pair({ load: async () => ({ ...foundOf(first, image(3), torn), isReady: true }) });
  const { isReady, batch = [], ...loaded } = await rpc.call('load', { imageId: 'x:1', ...JOB });
  assert.deepEqual([isReady, loaded.image.minimum, loaded.image.maximum], [true, 1, 2]);
  assert.deepEqual(
    batch.map((each) => ('error' in each ? each.error.message : [...each.image.pixels])),
    [[3], 'torn'],
  );
  assert.equal(first[1].pixels.byteLength, 0, 'moved');
});

test('a load begins its request ahead, and leaves it at its end', async () => {
  const { rpc, interpreter } = pair({ load: async () => foundOf(image(1)) });
  await rpc.call('load', { imageId: 'x:1', ahead: 'https://host/a', ...JOB });
  assert.deepEqual(interpreter.ahead, [['https://host/a', true], 'left']);
});

test('a load reports the progress and the end of requests', async () => {
  /** @type {Bridge['load']} */
  const load = async (_id, _imageId, _job, listener) => {
    listener('progress', 'u', 1, 2, 1);
    listener('end', 'u', 2, 2, 1);
    return foundOf(image(1));
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
  assert.deepEqual(interpreter.ahead, ['forgotten']);
  const request = /** @type {import('../../../web/shared/messages.d.ts').OutgoingRequest} */ ({ url: 'u' });
  assert.deepEqual(await interpreter.settings.beforeRequest?.(request), { url: 'changed' });
});

test('stats include the heap, and calls fail before Python has started', async () => {
  const { rpc } = pair({ stats: () => ({ running: 0, cacheBytes: 1 }) });
  assert.deepEqual(await rpc.call('stats', undefined), { running: 0, cacheBytes: 1, heapBytes: 9 });
  assert.throws(() => new Interpreter(() => assert.fail('no page')).started, /has not started/);
});
