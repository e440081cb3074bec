// @ts-check
// Calls over a real MessageChannel.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PyLoaderError, abortError } from '../../../web/shared/errors.js';
import { Rpc, Transfer } from '../../../web/shared/rpc.js';

/** @template Payload, Result @typedef {{payload: Payload, result: Result, detail: unknown}} Call */
/**
 * The calls of these tests, which both ends may answer.
 * @typedef {{
 *   add: Call<{a: number, b: number}, number>,
 *   count: Call<number | null, number>,
 *   double: Call<number, number>,
 *   echo: Call<string, string>,
 *   fail: Call<null, unknown>,
 *   load: Call<null, {pixels: Uint8Array}>,
 *   name: Call<null, string>,
 *   quadruple: Call<number, number>,
 *   sum: Call<Uint8Array, number>,
 *   wait: Call<string | null, string>,
 *   work: Call<unknown, string>,
 * }} TestCalls
 */
/** @typedef {import('../../../web/shared/rpc.js').Handlers<TestCalls>} Handlers */

/** @type {MessagePort[]} */
const open = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** Connect two ends. @param {Partial<Handlers>} here @param {Partial<Handlers>} there */
function pair(here, there) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  return { here: endOf(port1, here), there: endOf(port2, there), port: port1, far: port2 };
}

/**
 * @param {MessagePort} port @param {Partial<Handlers>} handlers those that the test calls
 * @returns {Rpc<TestCalls, TestCalls>}
 */
function endOf(port, handlers) {
  return new Rpc(port, /** @type {Handlers} */ (handlers));
}

/** Let messages that are under way arrive. */
async function settle() {
  for (let turns = 0; turns < 10; turns++) await turn();
}

test('a call resolves to what the other end returns', async () => {
  const { here } = pair({}, { add: ({ a, b }) => a + b });
  assert.equal(await here.call('add', { a: 1, b: 2 }), 3);
});

test('a handler may answer later', async () => {
  const { here } = pair({}, { work: () => turn('done') });
  assert.equal(await here.call('work', null), 'done');
});

test('both ends call, and each result goes to its call', async () => {
  const { here, there } = pair({ name: () => 'here' }, { name: () => 'there' });
  const calls = [here.call('name', null), there.call('name', null), here.call('name', null)];
  assert.deepEqual(await Promise.all(calls), ['there', 'here', 'there']);
});

test('a handler may call back while it works', async () => {
  const ends = pair(
    { double: (number) => 2 * number },
    { quadruple: async (number) => 2 * (await ends.there.call('double', number)) },
  );
  assert.equal(await ends.here.call('quadruple', 3), 12);
});

test('notes arrive in order, with the next message', async () => {
  /** @type {unknown[]} */
  const heard = [];
  /** @type {string[]} */
  const messages = [];
  const { here, port } = pair(
    {},
    {
      work: async (_, { note, progress }) => {
        note('begun');
        progress('half');
        note('nearly');
        await turn();
        return 'done';
      },
    },
  );
  port.addEventListener('message', ({ data }) => messages.push(data.kind));
  assert.equal(await here.call('work', null, { onProgress: (detail) => heard.push(detail) }), 'done');
  assert.deepEqual(heard, ['begun', 'half', 'nearly']);
  assert.deepEqual(messages, ['progress', 'done']);
});

test('a note is soon sent alone', async () => {
  /** @type {Handlers['wait']} */
  const wait = (_, { note, signal }) => {
    note('begun');
    return new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
  };
  const { here } = pair({}, { wait });
  const controller = new AbortController();
  const heard = await new Promise((onProgress) => {
    here.call('wait', null, { signal: controller.signal, onProgress }).catch(() => {});
  });
  assert.equal(heard, 'begun');
  controller.abort();
});

test('results may come in another order than calls', async () => {
  /** @type {(() => void)[]} */
  const gates = [];
  const { here } = pair({}, { wait: (name) => new Promise((resolve) => gates.push(() => resolve(String(name)))) });
  const calls = [here.call('wait', 'first'), here.call('wait', 'second')];
  await settle();
  gates[1]();
  assert.equal(await calls[1], 'second');
  gates[0]();
  assert.equal(await calls[0], 'first');
});

test('progress goes to its own call, in order', async () => {
  const { here } = pair(
    {},
    {
      count: (to, { progress }) => {
        for (let at = 1; at <= Number(to); at++) progress(at);
        return Number(to);
      },
    },
  );
  /** @type {Record<'two' | 'three', unknown[]>} */
  const heard = { two: [], three: [] };
  await Promise.all([
    here.call('count', 2, { onProgress: (at) => heard.two.push(at) }),
    here.call('count', 3, { onProgress: (at) => heard.three.push(at) }),
  ]);
  assert.deepEqual(heard, { two: [1, 2], three: [1, 2, 3] });
});

test('progress without a listener does no harm', async () => {
  /** @type {Handlers['work']} */
  const work = (_, { progress }) => {
    progress(1);
    return 'done';
  };
  const { here } = pair({}, { work });
  assert.equal(await here.call('work', null), 'done');
});

// ------------------------------------------------------------------ cancel

test('cancel rejects at once and aborts the signal of the handler', async () => {
  /** @type {AbortSignal[]} */
  const signals = [];
  const { here } = pair({}, { wait: (_, { signal }) => new Promise(() => signals.push(signal)) });
  const controller = new AbortController();
  const call = here.call('wait', null, { signal: controller.signal });
  await settle();
  assert.equal(signals[0].aborted, false);
  /** @type {Error[]} */
  const errors = [];
  call.catch((error) => errors.push(error));
  controller.abort();
  await Promise.resolve().then(() => {});
  assert.equal(errors[0]?.name, 'AbortError', 'without waiting for the other end');
  assert.match(errors[0].message, /wait was cancelled/);
  await settle();
  assert.equal(signals[0].aborted, true);
});

test('cancel aborts its own call only', async () => {
  /** @type {AbortSignal[]} */
  const signals = [];
  /** @type {Handlers['wait']} */
  const wait = (_, { signal }) =>
    new Promise((resolve) => signals.push(signal) === 2 && setTimeout(resolve, 20, 'done'));
  const { here } = pair({}, { wait });
  const controller = new AbortController();
  const cancelled = here.call('wait', null, { signal: controller.signal });
  const other = here.call('wait', null, { signal: new AbortController().signal });
  await settle();
  controller.abort();
  await assert.rejects(cancelled, { name: 'AbortError' });
  assert.equal(await other, 'done');
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  );
});

test('a call that is cancelled before its start is not sent', async () => {
  let calls = 0;
  const { here } = pair({}, { count: () => calls++ });
  await assert.rejects(here.call('count', null, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await settle();
  assert.equal(calls, 0);
});

test('cancel after the result changes nothing', async () => {
  /** @type {string[]} */
  const messages = [];
  const { here, far } = pair({}, { work: () => 'done' });
  far.addEventListener('message', ({ data }) => messages.push(data.kind));
  const controller = new AbortController();
  assert.equal(await here.call('work', null, { signal: controller.signal }), 'done');
  controller.abort();
  await settle();
  assert.deepEqual(messages, ['call']);
});

test('the result of a cancelled handler is dropped', async () => {
  let returned = false;
  /** @type {Handlers['work']} */
  const work = async (_, { signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    returned = true;
    return 'done';
  };
  const { here } = pair({}, { work, echo: (value) => value });
  const controller = new AbortController();
  const call = here.call('work', null, { signal: controller.signal });
  await settle();
  controller.abort();
  await assert.rejects(call, { name: 'AbortError' });
  assert.equal(await here.call('echo', 'next'), 'next');
  assert.ok(returned);
});

// ------------------------------------------------------------------ errors

const FIELDS = {
  name: 'HttpStatusError',
  code: 'http-status',
  stage: 'fetch',
  message: 'answered with 404',
  imageId: 'wadouri:a',
  url: 'https://host/a',
  status: 404,
  traceback: 'Traceback ...',
};

test('errors keep their fields', async () => {
  const { here } = pair(
    {},
    {
      fail: () => {
        throw new PyLoaderError(FIELDS);
      },
    },
  );
  const error = await here.call('fail', null).catch((reason) => reason);
  assert.ok(error instanceof PyLoaderError);
  const { kind, code, stage, message, imageId, url, status, traceback } = error;
  assert.deepEqual({ name: kind, code, stage, message, imageId, url, status, traceback }, FIELDS);
  assert.equal(error.name, 'PyLoaderError');
  assert.equal(error.error, error);
});

test('unforeseen errors are internal ones', async () => {
  const { here } = pair(
    {},
    {
      fail: async () => {
        throw new TypeError('oh');
      },
    },
  );
  await assert.rejects(here.call('fail', null), {
    name: 'PyLoaderError',
    kind: 'TypeError',
    code: 'internal',
    message: 'oh',
  });
});

test('a handler may throw anything', async () => {
  const { here } = pair({}, { fail: () => Promise.reject('words') });
  await assert.rejects(here.call('fail', null), { name: 'PyLoaderError', message: 'words' });
});

test('a cancel of the other end stays a cancel', async () => {
  const { here } = pair(
    {},
    {
      fail: () => {
        throw abortError('the load');
      },
    },
  );
  await assert.rejects(here.call('fail', null), { name: 'AbortError', message: 'the load was cancelled' });
});

test('a missing handler fails the call', async () => {
  const { here } = pair({}, {});
  await assert.rejects(here.call('name', null), { name: 'PyLoaderError', code: 'internal', kind: 'TypeError' });
});

test('a result that cannot be cloned fails the call', async () => {
  const { here } = pair({}, { fail: () => () => {} });
  await assert.rejects(here.call('fail', null), { name: 'PyLoaderError', kind: 'DataCloneError' });
});

test('a payload that cannot be cloned fails the call', async () => {
  const { here } = pair({}, { work: () => 'done' });
  await assert.rejects(
    here.call('work', () => {}),
    { name: 'DataCloneError' },
  );
  assert.equal(await here.call('work', null), 'done');
});

// ------------------------------------------------------------------ transfer

test('buffers of a result are moved', async () => {
  const pixels = new Uint8Array([1, 2, 3]);
  const { here } = pair({}, { load: () => new Transfer({ pixels }, [pixels.buffer]) });
  const loaded = await here.call('load', null);
  assert.deepEqual(loaded.pixels, new Uint8Array([1, 2, 3]));
  assert.equal(pixels.length, 0);
});

test('other results are copied', async () => {
  const pixels = new Uint8Array([1, 2, 3]);
  const { here } = pair({}, { load: () => ({ pixels }) });
  assert.deepEqual((await here.call('load', null)).pixels, pixels);
  assert.equal(pixels.length, 3);
});

test('a call may move buffers', async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const { here } = pair({}, { sum: ([a, b, c]) => a + b + c });
  assert.equal(await here.call('sum', bytes, { transfer: [bytes.buffer] }), 6);
  assert.equal(bytes.length, 0);
});

// ------------------------------------------------------------------ close

test('close rejects all waiting calls', async () => {
  const { here } = pair({}, { wait: () => new Promise(() => {}) });
  const calls = [here.call('wait', null), here.call('wait', null)];
  const gone = new Error('gone');
  here.close(gone);
  const results = await Promise.allSettled(calls);
  assert.deepEqual(
    results.map((result) => result.status === 'rejected' && result.reason),
    [gone, gone],
  );
});

test('close rejects later calls, which are not sent', async () => {
  let calls = 0;
  const { here } = pair({}, { count: () => calls++ });
  here.close(new Error('gone'));
  await assert.rejects(here.call('count', null), { message: 'gone' });
  await settle();
  assert.equal(calls, 0);
});

test('a result after close is dropped', async () => {
  /** @type {((result: string) => void)[]} */
  const gates = [];
  const { here } = pair({}, { wait: () => new Promise((resolve) => gates.push(resolve)) });
  const call = here.call('wait', null);
  await settle();
  here.close(new Error('gone'));
  gates[0]('late');
  await assert.rejects(call, { message: 'gone' });
  await settle();
});
