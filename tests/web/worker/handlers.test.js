// The calls that a worker answers, with a Bridge of this file in place of Python.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Rpc } from '../../../web/shared/rpc.js';
import { handlersOf } from '../../../web/worker/handlers.js';
import { Interpreter } from '../../../web/worker/interpreter.js';

const open = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

const TURN = { urgency: [0, 0], upcoming: [] };

/** An interpreter whose Python has started. */
class Started extends Interpreter {
  settings = { identity: 0, hooks: [] };
  ahead = [];

  constructor(page, bridge) {
    super(page);
    this.python = bridge;
  }

  get bridge() {
    return this.python;
  }

  get started() {
    const send = {
      begin: (url, isUrgent) => (this.ahead.push([url, isUrgent]), () => this.ahead.push('left')),
      forgetAhead: () => this.ahead.push('forgotten'),
    };
    const packages = { install: async () => {}, installImports: async () => {} };
    return {
      bridge: this.python,
      send,
      packages,
      settings: this.settings,
      pyodide: { _module: { HEAPU8: new Uint8Array(9) } },
    };
  }
}

/** A page's end, and the interpreter behind the other one. */
function pair(bridge, page = {}) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const interpreter = new Started(() => worker, bridge);
  const worker = new Rpc(port2, handlersOf(interpreter));
  return { rpc: new Rpc(port1, page), interpreter };
}

/** An image as Python gives it, beside its arrays. */
const image = (...values) => [
  { image: { warnings: [] }, modules: {}, timing: {} },
  { pixels: Float32Array.from(values) },
];

test('a load moves its pixels, with those that came along, and tells where they go', async () => {
  const found = [image(1, 2), image(3), [{ error: { name: 'FormatError', message: 'torn' } }, {}]];
  const load = async () => ({
    answers: found.map(([answer]) => answer),
    arrays: found.map(([, arrays]) => arrays),
    isReady: true,
  });
  const { rpc } = pair({ load });
  const { isReady, batch, ...first } = await rpc.call('load', { imageId: 'x:1', options: {}, ...TURN });
  assert.deepEqual([isReady, first.image.minimum, first.image.maximum], [true, 1, 2]);
  assert.deepEqual([...batch[0].image.pixels], [3]);
  assert.deepEqual(batch[1].error.message, 'torn');
  assert.equal(found[0][1].pixels.byteLength, 0); // moved
});

test('a load begins its request ahead, and leaves it when it has ended', async () => {
  const [answer, arrays] = image(1);
  const { rpc, interpreter } = pair({ load: async () => ({ answers: [answer], arrays: [arrays] }) });
  await rpc.call('load', { imageId: 'x:1', ahead: 'https://host/a', options: {}, ...TURN });
  assert.deepEqual(interpreter.ahead, [['https://host/a', true], 'left']);
});

test('progress of requests is told, the end of one with what comes next', async () => {
  const load = async (id, imageId, job, listener) => {
    listener('progress', 'u', 1, 2, 1);
    listener('end', 'u', 2, 2, 1);
    const [answer, arrays] = image(1);
    return { answers: [answer], arrays: [arrays] };
  };
  const { rpc } = pair({ load });
  const told = [];
  await rpc.call(
    'load',
    { imageId: 'x:1', options: {}, ...TURN },
    { onProgress: ({ phase, loaded }) => told.push([phase, loaded]) },
  );
  assert.deepEqual(told, [
    ['progress', 1],
    ['end', 2],
  ]);
});

test('errors of Python reject, and a call can be cancelled', async () => {
  let stop;
  const load = async (id, imageId) =>
    imageId === 'x:bad'
      ? { error: { name: 'FormatError', code: 'format', stage: 'parse', message: 'bad' } }
      : new Promise((resolve) => (stop = () => resolve({ cancelled: true })));
  const cancelled = [];
  const { rpc } = pair({ load, cancel: (id) => (cancelled.push(id), stop()) });
  await assert.rejects(rpc.call('load', { imageId: 'x:bad', options: {}, ...TURN }), {
    kind: 'FormatError',
    code: 'format',
  });
  const controller = new AbortController();
  const slow = rpc.call('load', { imageId: 'x:slow', options: {}, ...TURN }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(slow, { name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(cancelled, [2]);
});

test('a frame is lent, unless it cannot be', async () => {
  const loans = [{ token: 't', frame: new Uint8Array(4) }, undefined];
  const { rpc } = pair({ lend: async () => ({ loan: loans.shift() }) });
  assert.equal((await rpc.call('lend', { imageId: 'x:1', options: {}, ...TURN })).frame.length, 4);
  assert.equal(await rpc.call('lend', { imageId: 'x:1', options: {}, ...TURN }), undefined);
});

test('files are there while they are listed, and until they are withdrawn', async () => {
  const seen = [];
  const listing = async (id, source, named) => (seen.push(named, [...interpreter.files.keys()]), { found: [] });
  const { rpc, interpreter } = pair({ listing, withdraw: (name) => seen.push(name) });
  await rpc.call('listing', {
    imageId: 'l:0',
    options: {},
    files: [{ name: 'l:0', path: 'a/b', file: new Blob(['x']) }],
    ...TURN,
  });
  assert.deepEqual(seen, [[['l:0', 'a/b']], ['l:0']]);
  assert.equal(interpreter.files.size, 0);
  await rpc.call('provide', { name: 'l:1', file: new Blob(['x']) });
  assert.equal(interpreter.files.size, 1);
  await rpc.call('withdraw', { name: 'l:1' });
  assert.deepEqual([interpreter.files.size, seen.at(-1)], [0, 'l:1']);
});

test('other settings take the place of those before, and ask the page', async () => {
  const configured = [];
  const bridge = { configure: (settings, isOther) => configured.push(isOther) };
  const { rpc, interpreter } = pair(bridge, { beforeRequest: (request) => ({ ...request, url: 'changed' }) });
  await rpc.call('granted', { base: 'https://host', headers: {} });
  await rpc.call('configure', { identity: 1, hooks: ['beforeRequest'], forgetsGranted: true });
  assert.deepEqual([interpreter.granted.size, interpreter.settings.identity, configured], [0, 1, [true]]);
  assert.deepEqual(interpreter.ahead, ['forgotten']);
  assert.deepEqual(await interpreter.settings.beforeRequest({ url: 'u' }), { url: 'changed' });
});

test('stats tell of the heap, and nothing answers before Python has started', async () => {
  const { rpc } = pair({ stats: () => ({ running: 0, cacheBytes: 1 }) });
  assert.deepEqual(await rpc.call('stats', undefined), { running: 0, cacheBytes: 1, heapBytes: 9 });
  assert.throws(() => new Interpreter(() => undefined).started, /has not started/);
});
