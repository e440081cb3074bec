// Requests that are begun before Python asks for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSend } from '../../../web/worker/fetch.js';
import { BODY, other, seen, site } from '../../support/web/servers.js';

const settings = () => ({
  baseURL: `${site}/page/index.html`,
  headers: { 'X-Page': '1' },
  credentials: 'same-origin',
  origins: [],
  linkedOrigins: 'without-secrets',
  hooks: [],
  services: new Map(),
  granted: new Map(),
});
const signal = () => new AbortController().signal;
const ignore = () => {};
const ask = (send, request, itsSignal = signal()) =>
  send({ headers: {}, ...(typeof request === 'string' ? { url: request } : request) }, itsSignal, ignore);
/** The requests that a test makes of an address. */
const asked = (path, from) => seen.slice(from).filter(({ url }) => url === path);
/** Wait until a server has seen a request. */
async function arrived(path, from) {
  while (!asked(path, from).length) await sleep(5);
}

test('it is the request that Python then makes, once, with the headers of the page', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  const leave = send.begin('/late?1', true);
  await arrived('/late?1', from);
  assert.equal(asked('/late?1', from).length, 1, 'before it is asked for');
  const { body } = await ask(send, '/late?1');
  assert.deepEqual(body, BODY);
  leave();
  assert.deepEqual(
    asked('/late?1', from).map(({ headers }) => headers['x-page']),
    ['1'],
  );
  await ask(send, '/late?1');
  assert.equal(asked('/late?1', from).length, 2, 'it answers one');
});

for (const [what, request] of [
  ['another address', '/body?other'],
  ['a part', { url: '/body?2', headers: { Range: 'bytes=0-1' } }],
  ['another form', { url: '/body?2', headers: { Accept: 'image/png' } }],
]) {
  test(`it is not taken for ${what}`, async () => {
    const from = seen.length;
    const send = createSend(settings(), new Map());
    const leave = send.begin('/body?2', true);
    await arrived('/body?2', from);
    await ask(send, request);
    assert.deepEqual(
      seen.slice(from).map(({ url }) => url),
      ['/body?2', request.url ?? request],
    );
    leave();
  });
}

test('when nobody comes for it, it ends', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  const leave = send.begin('/never?3', true);
  await arrived('/never?3', from);
  leave();
  await asked('/never?3', from)[0].gone;
  assert.deepEqual((await ask(send, '/body')).body, BODY);
});

test('who took it can cancel it', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  send.begin('/never?4', true);
  const controller = new AbortController();
  const answer = ask(send, '/never?4', controller.signal);
  await arrived('/never?4', from);
  controller.abort();
  await assert.rejects(answer, { name: 'AbortError' });
  await asked('/never?4', from)[0].gone;
});

test('who takes it when it is cancelled already ends it', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  send.begin('/never?5', true);
  await arrived('/never?5', from);
  await assert.rejects(ask(send, '/never?5', AbortSignal.abort()), { name: 'AbortError' });
  await asked('/never?5', from)[0].gone;
});

test('its silence counts from when it is asked for', async () => {
  const send = createSend(settings(), new Map());
  send.begin('/never?6', true);
  await sleep(50);
  const { error, kind } = await ask(send, { url: '/never?6', timeout: 80 });
  assert.equal(kind, 'network');
  assert.match(error, /no byte came for 80 ms/);
});

test('its body may take as long again as its head', async () => {
  const send = createSend(settings(), new Map());
  send.begin('/late-body?6', true);
  const { body } = await ask(send, { url: '/late-body?6', timeout: 170 });
  assert.deepEqual(body, BODY);
});

test('its failure is that of the request', async () => {
  const send = createSend(settings(), new Map());
  send.begin(`${other}/closed`, true);
  await sleep(50);
  const { error, kind } = await ask(send, `${other}/closed`);
  assert.equal(kind, 'network');
  assert.match(error, /^could not fetch http/);
  send.begin('http://', true);
  assert.equal((await ask(send, 'http://')).kind, 'request');
});

test('there is none beside others, nor two', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  const late = ask(send, '/late?7');
  send.begin('/body?7', true);
  await late;
  assert.equal(asked('/body?7', from).length, 0);
  const leave = send.begin('/late?8', true);
  send.begin('/body?8', true)();
  await ask(send, '/late?8');
  assert.equal(asked('/body?8', from).length, 0);
  leave();
});

test('there is none of local files, nor when the page sees each request first', async () => {
  const from = seen.length;
  createSend(settings(), new Map([['localfile:0', new Blob([BODY])]])).begin('localfile:0', true)();
  createSend({ ...settings(), beforeRequest: async (request) => request }, new Map()).begin('/body?9', true)();
  await sleep(50);
  assert.equal(seen.length, from);
});

test('it is as urgent as the load', async (t) => {
  const priorities = [];
  t.mock.method(globalThis, 'fetch', async (_, { priority }) => (priorities.push(priority), new Response('')));
  const send = createSend(settings(), new Map());
  for (const isUrgent of [true, false]) send.begin('/body', isUrgent)();
  await sleep(0);
  assert.deepEqual(priorities, ['auto', 'low']);
});

test('when the page has given other headers meanwhile, it is sent anew with these', async () => {
  const from = seen.length;
  const given = settings();
  const send = createSend(given, new Map());
  const leave = send.begin('/late?12', true);
  await arrived('/late?12', from);
  given.headers = { 'X-Page': '2' };
  send.forgetAhead();
  assert.deepEqual((await ask(send, '/late?12')).body, BODY);
  leave();
  assert.deepEqual(
    asked('/late?12', from).map(({ headers }) => headers['x-page']),
    ['1', '2'],
  );
  await asked('/late?12', from)[0].gone;
});

test('a request has the settings of its time', async () => {
  const from = seen.length;
  const given = settings();
  const send = createSend(given, new Map());
  await ask(send, '/body?13');
  Object.assign(given, {
    headers: { 'X-Page': '2' },
    beforeRequest: async ({ headers }) => ({ headers: { ...headers, 'X-Hook': '1' } }),
  });
  await ask(send, '/body?13');
  given.beforeRequest = undefined;
  const { hasAuthorization } = await ask(send, '/body?13');
  assert.deepEqual(
    asked('/body?13', from).map(({ headers }) => [headers['x-page'], headers['x-hook']]),
    [
      ['1', undefined],
      ['2', '1'],
      ['2', undefined],
    ],
  );
  given.headers = { authorization: 'x' };
  assert.deepEqual([hasAuthorization, (await ask(send, '/body?13')).hasAuthorization], [false, true]);
});

test('it is not given to who has the address from the answer of another origin', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  const leave = send.begin('/body?13', true);
  await arrived('/body?13', from);
  await ask(send, { url: '/body?13', linkedFrom: `${other}/metadata` });
  leave();
  assert.deepEqual(
    asked('/body?13', from).map(({ headers }) => headers['x-page']),
    ['1', undefined],
  );
});
