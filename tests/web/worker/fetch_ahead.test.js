// @ts-check
// Requests that begin before Python sends them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSend } from '../../../web/worker/fetch.js';
import { BODY, other, recordFetch, requestOf, seen, settingsOf } from '../../support/web/servers.js';

/** @typedef {import('../../support/web/servers.js').Answer} Answer */
/** @typedef {import('../../support/web/servers.js').Asked} Asked */
/** @typedef {ReturnType<typeof createSend>} Send */

const settings = () => settingsOf({ headers: { 'X-Page': '1' } });
/**
 * Send a request as Python does.
 * @param {Send} send @param {Asked} request @param {AbortSignal} signal
 */
async function ask(send, request, signal = new AbortController().signal) {
  return /** @type {Answer} */ (await send(requestOf(request), signal, () => {}));
}
/** The requests for a path that the servers have received since `from`. @param {string} path @param {number} from */
const asked = (path, from) => seen.slice(from).filter(({ url }) => url === path);
/** Wait until a server has received a request. @param {string} path @param {number} from */
async function arrived(path, from) {
  while (!asked(path, from).length) await sleep(5);
}

test('Python gets the request that has begun, with the headers of the page', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  const leave = send.begin('/late?1', true);
  await arrived('/late?1', from);
  assert.equal(asked('/late?1', from).length, 1, 'before Python sends it');
  const { body } = await ask(send, '/late?1');
  assert.deepEqual(body, BODY);
  leave();
  assert.deepEqual(
    asked('/late?1', from).map(({ headers }) => headers['x-page']),
    ['1'],
  );
  await ask(send, '/late?1');
  assert.equal(asked('/late?1', from).length, 2, 'it serves one request');
});

/** @type {[what: string, request: Exclude<Asked, string>][]} */
const OTHERS = [
  ['another address', { url: '/body?other' }],
  ['a part', { url: '/body?2', headers: { Range: 'bytes=0-1' } }],
  ['another form', { url: '/body?2', headers: { Accept: 'image/png' } }],
];
for (const [what, request] of OTHERS) {
  test(`a request for ${what} does not get it`, async () => {
    const from = seen.length;
    const send = createSend(settings(), new Map());
    const leave = send.begin('/body?2', true);
    await arrived('/body?2', from);
    await ask(send, request);
    assert.deepEqual(
      seen.slice(from).map(({ url }) => url),
      ['/body?2', request.url],
    );
    leave();
  });
}

test('it ends when no request gets it', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  const leave = send.begin('/never?3', true);
  await arrived('/never?3', from);
  leave();
  await asked('/never?3', from)[0].gone;
  assert.deepEqual((await ask(send, '/body')).body, BODY);
});

test('the request that gets it can cancel it', async () => {
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

test('a cancelled request that gets it ends it', async () => {
  const from = seen.length;
  const send = createSend(settings(), new Map());
  send.begin('/never?5', true);
  await arrived('/never?5', from);
  await assert.rejects(ask(send, '/never?5', AbortSignal.abort()), { name: 'AbortError' });
  await asked('/never?5', from)[0].gone;
});

test('its silence counts from the request that gets it', async () => {
  const send = createSend(settings(), new Map());
  send.begin('/never?6', true);
  await sleep(50);
  const { error, kind } = await ask(send, { url: '/never?6', timeout: 80 });
  assert.equal(kind, 'network');
  assert.match(error, /no byte came for 80 ms/);
});

test('its body has a timeout of its own after the head', async () => {
  const send = createSend(settings(), new Map());
  send.begin('/late-body?6', true);
  const { body } = await ask(send, { url: '/late-body?6', timeout: 170 });
  assert.deepEqual(body, BODY);
});

test('the request that gets it fails with it', async () => {
  const send = createSend(settings(), new Map());
  send.begin(`${other}/closed`, true);
  await sleep(50);
  const { error, kind } = await ask(send, `${other}/closed`);
  assert.equal(kind, 'network');
  assert.match(error, /^could not fetch http/);
  send.begin('http://', true);
  assert.equal((await ask(send, 'http://')).kind, 'request');
});

test('none begins beside another request', async () => {
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

test('none begins for local files, nor for a page with a hook', async () => {
  const from = seen.length;
  createSend(settings(), new Map([['localfile:0', new Blob([BODY])]])).begin('localfile:0', true)();
  createSend({ ...settings(), beforeRequest: async (request) => request }, new Map()).begin('/body?9', true)();
  await sleep(50);
  assert.equal(seen.length, from);
});

test('it is as urgent as the load', async (t) => {
  const calls = recordFetch(t);
  const send = createSend(settings(), new Map());
  for (const isUrgent of [true, false]) send.begin('/body', isUrgent)();
  await sleep(0);
  assert.deepEqual(
    calls.map(({ init }) => init.priority),
    ['auto', 'low'],
  );
});

test('it begins again when the page gives other headers', async () => {
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

test('a request has the settings that are current when it is sent', async () => {
  const from = seen.length;
  const given = settings();
  const send = createSend(given, new Map());
  await ask(send, '/body?13');
  given.headers = { 'X-Page': '2' };
  given.beforeRequest = async (request) => ({ ...request, headers: { ...request.headers, 'X-Hook': '1' } });
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

test('an address from a response of another origin does not get it', async () => {
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
