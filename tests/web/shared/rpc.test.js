// Calls over a real MessageChannel.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PyLoaderError, abortError } from '../../../web/shared/errors.js';
import { Rpc, Transfer } from '../../../web/shared/rpc.js';

const open = [];
afterEach(() => open.splice(0).forEach((port) => port.close()));

/** Two ends of a channel, each with its handlers. */
function pair(here = {}, there = {}) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  return { here: new Rpc(port1, here), there: new Rpc(port2, there), port: port1, far: port2 };
}

/** Wait until messages that are under way have come. */
async function settle() {
  for (let turns = 0; turns < 10; turns++) await turn();
}

test('a call resolves to what the other end returns', async () => {
  const { here } = pair({}, { add: ({ a, b }) => a + b });
  assert.equal(await here.call('add', { a: 1, b: 2 }), 3);
});

test('a handler may answer later', async () => {
  const { here } = pair({}, { later: async () => (await turn(), 'done') });
  assert.equal(await here.call('later'), 'done');
});

test('both ends call, and answers find their call', async () => {
  const { here, there } = pair({ name: () => 'here' }, { name: () => 'there' });
  const calls = [here.call('name'), there.call('name'), here.call('name')];
  assert.deepEqual(await Promise.all(calls), ['there', 'here', 'there']);
});

test('a handler may call back while it works', async () => {
  const ends = pair(
    { double: (number) => 2 * number },
    { quadruple: async (number) => 2 * (await ends.there.call('double', number)) },
  );
  assert.equal(await ends.here.call('quadruple', 3), 12);
});

test('notes come with other news, in their order', async () => {
  const [heard, messages] = [[], []];
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

test('a note does not wait for long', async () => {
  const heard = [];
  const { here } = pair(
    {},
    {
      wait: (_, { note, signal }) => (
        note('begun'), new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
      ),
    },
  );
  const controller = new AbortController();
  const told = new Promise((resolve) => {
    here
      .call('wait', null, { signal: controller.signal, onProgress: (detail) => resolve(heard.push(detail)) })
      .catch(() => {});
  });
  await told;
  assert.deepEqual(heard, ['begun']);
  controller.abort();
});

test('answers may come in another order than calls', async () => {
  const gates = [];
  const { here } = pair({}, { wait: (name) => new Promise((resolve) => gates.push(() => resolve(name))) });
  const calls = [here.call('wait', 'first'), here.call('wait', 'second')];
  await settle();
  gates[1]();
  assert.equal(await calls[1], 'second');
  gates[0]();
  assert.equal(await calls[0], 'first');
});

test('progress comes to the call it belongs to, in order', async () => {
  const { here } = pair(
    {},
    {
      count: (to, { progress }) => {
        for (let at = 1; at <= to; at++) progress({ at });
      },
    },
  );
  const heard = { two: [], three: [] };
  await Promise.all([
    here.call('count', 2, { onProgress: ({ at }) => heard.two.push(at) }),
    here.call('count', 3, { onProgress: ({ at }) => heard.three.push(at) }),
  ]);
  assert.deepEqual(heard, { two: [1, 2], three: [1, 2, 3] });
});

test('progress that nobody listens to does no harm', async () => {
  const { here } = pair({}, { work: (_, { progress }) => (progress(1), 'done') });
  assert.equal(await here.call('work'), 'done');
});

// ------------------------------------------------------------------ cancel

test('cancel rejects at once, and the handler hears of it', async () => {
  let signal;
  const { here } = pair({}, { wait: (_, context) => new Promise(() => ({ signal } = context)) });
  const controller = new AbortController();
  const call = here.call('wait', null, { signal: controller.signal });
  await settle();
  assert.equal(signal.aborted, false);
  let rejected;
  call.catch((error) => (rejected = error));
  controller.abort();
  await Promise.resolve().then(() => {});
  assert.equal(rejected?.name, 'AbortError', 'without waiting for the other end');
  assert.match(rejected.message, /wait was cancelled/);
  await settle();
  assert.equal(signal.aborted, true);
});

test('cancel concerns its own call only', async () => {
  const signals = [];
  const { here } = pair(
    {},
    {
      wait: (_, { signal }) => new Promise((resolve) => signals.push(signal) === 2 && setTimeout(resolve, 20, 'done')),
    },
  );
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

test('a call that is cancelled before it begins is not sent', async () => {
  let calls = 0;
  const { here } = pair({}, { count: () => calls++ });
  await assert.rejects(here.call('count', null, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await settle();
  assert.equal(calls, 0);
});

test('cancel after the answer changes nothing', async () => {
  const messages = [];
  const { here, far } = pair({}, { work: () => 'done' });
  far.addEventListener('message', ({ data }) => messages.push(data.kind));
  const controller = new AbortController();
  assert.equal(await here.call('work', null, { signal: controller.signal }), 'done');
  controller.abort();
  await settle();
  assert.deepEqual(messages, ['call']);
});

test('what a cancelled handler still returns is dropped', async () => {
  let returned = false;
  const work = (_, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve((returned = true))));
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
  const error = await here.call('fail').catch((reason) => reason);
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
  await assert.rejects(here.call('fail'), {
    name: 'PyLoaderError',
    kind: 'TypeError',
    code: 'internal',
    message: 'oh',
  });
});

test('what is thrown may be no error', async () => {
  const { here } = pair({}, { fail: () => Promise.reject('words') });
  await assert.rejects(here.call('fail'), { name: 'PyLoaderError', message: 'words' });
});

test('cancellation of the other end stays one', async () => {
  const { here } = pair(
    {},
    {
      fail: () => {
        throw abortError('the load');
      },
    },
  );
  await assert.rejects(here.call('fail'), { name: 'AbortError', message: 'the load was cancelled' });
});

test('a function that is not there fails the call', async () => {
  const { here } = pair({}, {});
  await assert.rejects(here.call('nothing'), { name: 'PyLoaderError', code: 'internal', kind: 'TypeError' });
});

test('a result that cannot cross fails the call', async () => {
  const { here } = pair({}, { fail: () => () => {} });
  await assert.rejects(here.call('fail'), { name: 'PyLoaderError', kind: 'DataCloneError' });
});

test('arguments that cannot cross fail the call', async () => {
  const { here } = pair({}, { work: () => 'done' });
  await assert.rejects(
    here.call('work', () => {}),
    { name: 'DataCloneError' },
  );
  assert.equal(await here.call('work'), 'done');
});

// ------------------------------------------------------------------ transfer

test('buffers of a result are moved', async () => {
  const pixels = new Uint8Array([1, 2, 3]);
  const { here } = pair({}, { load: () => new Transfer({ pixels }, [pixels.buffer]) });
  const answer = await here.call('load');
  assert.deepEqual(answer.pixels, new Uint8Array([1, 2, 3]));
  assert.equal(pixels.length, 0);
});

test('other results are copied', async () => {
  const pixels = new Uint8Array([1, 2, 3]);
  const { here } = pair({}, { load: () => ({ pixels }) });
  assert.deepEqual((await here.call('load')).pixels, pixels);
  assert.equal(pixels.length, 3);
});

test('buffers of a call are moved when it says so', async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const { here } = pair({}, { sum: ([a, b, c]) => a + b + c });
  assert.equal(await here.call('sum', bytes, { transfer: [bytes.buffer] }), 6);
  assert.equal(bytes.length, 0);
});

// ------------------------------------------------------------------ close

test('close rejects everything that waits', async () => {
  const { here } = pair({}, { wait: () => new Promise(() => {}) });
  const calls = [here.call('wait'), here.call('wait')];
  const gone = new Error('gone');
  here.close(gone);
  const results = await Promise.allSettled(calls);
  assert.deepEqual(
    results.map(({ reason }) => reason),
    [gone, gone],
  );
});

test('close rejects every later call, which is not sent', async () => {
  let calls = 0;
  const { here } = pair({}, { count: () => calls++ });
  here.close(new Error('gone'));
  await assert.rejects(here.call('count'), { message: 'gone' });
  await settle();
  assert.equal(calls, 0);
});

test('an answer after close is dropped', async () => {
  let answer;
  const { here } = pair({}, { wait: () => new Promise((resolve) => (answer = resolve)) });
  const call = here.call('wait');
  await settle();
  here.close(new Error('gone'));
  answer('late');
  await assert.rejects(call, { message: 'gone' });
  await settle();
});
