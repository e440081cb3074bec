// @ts-check
// Requests that begin before Python sends them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSend } from '../../../web/worker/fetch.js';
import {
  BODY,
  HUGE,
  LARGE,
  equal,
  other,
  recordFetch,
  requestOf,
  seen,
  settingsOf,
} from '../../support/web/servers.js';

/** @typedef {import('../../support/web/servers.js').Answer} Answer */
/** @typedef {import('../../support/web/servers.js').Asked} Asked */
/** @typedef {import('../../../web/worker/gate.js').Urgency} Urgency */
/** @typedef {import('../../../web/worker/fetch.js').Settings} Settings */
/** @typedef {Parameters<import('../../../web/worker/fetch.js').Tell>} Told */
/** @typedef {ReturnType<typeof createSend>} Send */

/** @param {Partial<Settings>} [changes] */
const settings = (changes) => settingsOf({ headers: { 'X-Page': '1' }, ...changes });
/** @param {Partial<Settings>} [changes] @param {Map<string, Blob>} [files] */
const sendOf = (changes, files = new Map()) => createSend(settings(changes), files);
/**
 * Send a request as Python does.
 * @param {Send} send @param {Asked} request
 * @param {{signal?: AbortSignal, onProgress?: (loaded: number, total?: number) => void}} options
 */
async function ask(send, request, { signal = new AbortController().signal, onProgress = () => {} } = {}) {
  return /** @type {Answer} */ (await send(requestOf(request), signal, onProgress));
}
/**
 * Begin the request of a load; `told` are the reports that the load gets.
 * @param {Send} send @param {string} url @param {{urgency?: Urgency, signal?: AbortSignal}} options
 */
function begin(send, url, { urgency = [0, 0], signal = new AbortController().signal } = {}) {
  /** @type {Told[]} */
  const told = [];
  const begun = send.begin(url, urgency, signal, (...report) => told.push(report));
  if (!begun) throw new Error('a request for the address is under way');
  return { ...begun, told };
}
/** The requests for a path that the servers have received since `from`. @param {string} path @param {number} from */
const asked = (path, from) => seen.slice(from).filter(({ url }) => url === path);
/** Wait until a server has received a request. @param {string} path @param {number} from */
async function arrived(path, from) {
  while (!asked(path, from).length) await sleep(5);
}

// ------------------------------------------------------------------ a small file comes whole

test('a small file comes whole, with the headers of the page, and is told', async () => {
  const from = seen.length;
  const send = sendOf();
  const { whole, end, told } = begin(send, '/large');
  const response = await whole;
  assert.deepEqual([response?.status, response?.headers['content-length']], [200, String(LARGE.length)]);
  assert.match(response?.url ?? '', /^http.*\/large$/);
  equal(response?.body ?? BODY, LARGE);
  assert.deepEqual(
    [told[0], told.at(-1)],
    [
      ['start', 0],
      ['end', 0],
    ],
  );
  const progress = told.slice(1, -1);
  assert.ok(progress.every(([phase, , total]) => phase === 'progress' && total === LARGE.length));
  assert.deepEqual(progress.at(-1), ['progress', LARGE.length, LARGE.length]);
  end();
  assert.deepEqual(
    asked('/large', from).map(({ headers }) => headers['x-page']),
    ['1'],
  );
});

test('a file that has come whole serves its load only', async () => {
  const from = seen.length;
  const send = sendOf();
  const { whole, end } = begin(send, '/body?1');
  assert.deepEqual((await whole)?.body, BODY);
  end();
  assert.deepEqual((await ask(send, '/body?1')).body, BODY);
  assert.equal(asked('/body?1', from).length, 2);
});

test('a file of another origin comes whole, without the headers of the page', async () => {
  const from = seen.length;
  assert.deepEqual((await begin(sendOf(), `${other}/body?2`).whole)?.body, BODY);
  assert.deepEqual(
    asked('/body?2', from).map(({ headers }) => headers['x-page']),
    [undefined],
  );
});

test('a local file comes whole', async () => {
  const from = seen.length;
  const send = sendOf({}, new Map([['localfile:0', new Blob([BODY])]]));
  const { whole, told } = begin(send, 'localfile:0');
  const response = await whole;
  assert.deepEqual([response?.status, response?.url, response?.body], [200, 'localfile:0', BODY]);
  assert.deepEqual(told, [
    ['start', 0],
    ['progress', BODY.length, BODY.length],
    ['end', 0],
  ]);
  assert.equal(seen.length, from);
});

test('the hook of the page changes it', async () => {
  const from = seen.length;
  /** @type {Settings['beforeRequest']} */
  const beforeRequest = async (request) => ({ ...request, headers: { ...request.headers, 'X-Hook': '1' } });
  const { whole } = begin(sendOf({ beforeRequest }), '/body?3');
  assert.deepEqual((await whole)?.body, BODY);
  assert.deepEqual(
    asked('/body?3', from).map(({ headers }) => [headers['x-page'], headers['x-hook']]),
    [['1', '1']],
  );
});

test('a redirect is followed', async () => {
  const { whole } = begin(sendOf(), '/moved');
  const response = await whole;
  assert.match(response?.url ?? '', /\/body$/);
  assert.deepEqual(response?.body, BODY);
});

test('it begins beside other requests', async () => {
  const from = seen.length;
  const send = sendOf();
  const [late, ahead] = [ask(send, '/late?4'), begin(send, '/late?5')];
  assert.deepEqual((await begin(send, '/body?4').whole)?.body, BODY);
  assert.deepEqual([(await late).body, (await ahead.whole)?.body], [BODY, BODY]);
  assert.deepEqual(
    seen
      .slice(from)
      .map(({ url }) => url)
      .sort(),
    ['/body?4', '/late?4', '/late?5'],
  );
});

test('none begins for an address whose request is under way', async () => {
  const from = seen.length;
  const send = sendOf();
  const { whole } = begin(send, '/late?6');
  assert.equal(
    send.begin('/late?6', [0, 0], new AbortController().signal, () => assert.fail('told')),
    undefined,
  );
  await whole;
  await begin(send, '/late?6').whole;
  assert.equal(asked('/late?6', from).length, 2);
});

test('it is as urgent as the load', async (t) => {
  const calls = recordFetch(t);
  const send = sendOf();
  /** @type {Urgency[]} */
  const urgencies = [
    [0, 5],
    [1, -5],
    [2, 0],
  ];
  for (const urgency of urgencies) {
    const { whole, end } = begin(send, '/body', { urgency });
    await whole;
    end();
  }
  assert.deepEqual(
    calls.map(({ init }) => init.priority),
    ['auto', 'low', 'low'],
  );
});

// ------------------------------------------------------------------ Python takes it over

test('Python gets a file that is coming, and its load nothing; there is one request', async () => {
  const from = seen.length;
  const send = sendOf();
  const { whole, end } = begin(send, '/late?7');
  await arrived('/late?7', from);
  const { status, body } = await ask(send, '/late?7');
  assert.deepEqual([status, body], [200, BODY]);
  assert.equal(await whole, undefined);
  end();
  assert.equal(asked('/late?7', from).length, 1);
  await ask(send, '/late?7');
  assert.equal(asked('/late?7', from).length, 2, 'it serves one request');
});

test('Python gets it also before it may begin', async () => {
  const from = seen.length;
  const send = sendOf({ requestsPerOrigin: 1 });
  const before = ask(send, '/late?8');
  const { whole } = begin(send, '/body?8');
  const taken = ask(send, '/body?8');
  assert.equal(asked('/body?8', from).length, 0);
  await before;
  assert.deepEqual([(await taken).body, await whole], [BODY, undefined]);
  assert.equal(asked('/body?8', from).length, 1);
});

test('Python hears of the progress of a file that it has taken over', async () => {
  const from = seen.length;
  const send = sendOf();
  const { told } = begin(send, '/steady-small');
  await arrived('/steady-small', from);
  /** @type {unknown[]} */
  const progress = [];
  const { body } = await ask(send, '/steady-small', { onProgress: (...report) => progress.push(report) });
  assert.equal(body.length, 10);
  assert.ok(progress.length > 2);
  assert.deepEqual(progress.at(-1), [10, 10]);
  assert.deepEqual(told.at(-1), ['end', 0], 'as the load does');
});

test('a file that has come is fed to a reader that wants it, and given whole to one that does not', async () => {
  for (const wants of [true, false]) {
    const from = seen.length;
    const send = sendOf();
    begin(send, '/late?9');
    await arrived('/late?9', from);
    /** @type {number[]} */
    const statuses = [];
    /** @type {Uint8Array[]} */
    const chunks = [];
    const answer = /** @type {Answer} */ (
      await send(
        requestOf('/late?9'),
        new AbortController().signal,
        () => {},
        ({ status }) => {
          statuses.push(status);
          return wants;
        },
        (chunk) => chunks.push(chunk) > 0,
      )
    );
    assert.deepEqual([statuses, chunks], [[200], wants ? [BODY] : []]);
    assert.deepEqual(answer.body, wants ? new Uint8Array(0) : BODY);
    assert.equal(asked('/late?9', from).length, 1);
  }
});

/** @type {[what: string, request: Exclude<Asked, string>][]} */
const OTHERS = [
  ['another address', { url: '/late?other' }],
  ['a part', { url: '/late?10', headers: { Range: 'bytes=0-1' } }],
  ['another form', { url: '/late?10', headers: { Accept: 'image/png' } }],
];
for (const [what, request] of OTHERS) {
  test(`a request for ${what} does not get it`, async () => {
    const from = seen.length;
    const send = sendOf();
    const { whole } = begin(send, '/late?10');
    await arrived('/late?10', from);
    await ask(send, request);
    assert.deepEqual(
      seen.slice(from).map(({ url }) => url),
      ['/late?10', request.url],
    );
    assert.deepEqual((await whole)?.body, BODY, 'the load does');
  });
}

test('an address from a response of another origin does not get it', async () => {
  const from = seen.length;
  const send = sendOf();
  const { whole } = begin(send, '/late?11');
  await arrived('/late?11', from);
  await ask(send, { url: '/late?11', linkedFrom: `${other}/metadata` });
  assert.deepEqual((await whole)?.body, BODY);
  assert.deepEqual(
    asked('/late?11', from).map(({ headers }) => headers['x-page']),
    ['1', undefined],
  );
});

// ------------------------------------------------------------------ anything but a small file

/** @type {[what: string, path: string, changes: Partial<Settings>, status: number, body: Uint8Array][]} */
const NOT_WHOLE = [
  ['a refusal', '/refused', {}, 503, new Uint8Array(Buffer.from('busy'))],
  ['a body without Content-Length', '/unknown-length', {}, 200, new Uint8Array([...BODY, ...BODY])],
  ['a body with Content-Encoding', '/gzip', {}, 200, LARGE],
  ['a large file', '/huge', {}, 200, HUGE],
  ['a file beyond the limit of the page', '/large', { decodedBytes: LARGE.length - 1 }, 200, LARGE],
];
for (const [what, path, changes, status, expected] of NOT_WHOLE) {
  test(`${what} does not come whole, and Python takes over the response`, async () => {
    const from = seen.length;
    const send = sendOf(changes);
    const { whole, told, end } = begin(send, path);
    assert.equal(await whole, undefined);
    assert.deepEqual(told, [['start', 0]], 'Python tells of the rest');
    const answer = await ask(send, path);
    assert.equal(answer.status, status);
    equal(answer.body, expected);
    end();
    assert.equal(asked(path, from).length, 1);
  });
}

test('a file as large as the limit comes whole', async () => {
  const { whole } = begin(sendOf({ decodedBytes: LARGE.length }), '/large');
  assert.equal((await whole)?.body.length, LARGE.length);
});

test('a large file is fed from its response', async () => {
  const from = seen.length;
  const send = sendOf();
  await begin(send, '/huge').whole;
  let fed = 0;
  /** @param {Uint8Array} chunk */
  const feed = (chunk) => {
    fed += chunk.length;
    return true;
  };
  await send(
    requestOf('/huge'),
    new AbortController().signal,
    () => {},
    () => true,
    feed,
  );
  assert.equal(fed, HUGE.length);
  assert.equal(asked('/huge', from).length, 1);
});

test('a response that Python takes over has the limit of its request', async () => {
  const send = sendOf({ decodedBytes: 1000 });
  await begin(send, '/large').whole;
  const { kind, error } = await ask(send, { url: '/large', mostBytes: 1000 });
  assert.equal(kind, 'size');
  assert.match(error, /may have 1000/);
});

test('a body may be larger than a small file when its encoding is hidden', async (t) => {
  // A server of another origin shows Content-Length, the compressed bytes, and may hide Content-Encoding.
  const headers = { 'content-length': '1000' };
  recordFetch(t, async () => new Response(HUGE, { headers }));
  const { whole } = begin(sendOf(), '/gzip');
  equal((await whole)?.body ?? BODY, HUGE);
});

test('a response that is open keeps no other from its turn, nor waits for one', async (t) => {
  // Browsers open few connections to an origin: the second request gets its own when the first body has been read.
  const body = new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(HUGE);
        controller.close();
        connection.resolve(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  const connection = deferred();
  const headers = { 'content-length': String(HUGE.length) };
  const calls = recordFetch(t, async (url) => {
    if (String(url).endsWith('first')) return new Response(body, { headers });
    await connection.promise;
    return new Response(BODY, { headers: { 'content-length': String(BODY.length) } });
  });
  const send = sendOf({ requestsPerOrigin: 1 });
  const [first, second] = [begin(send, '/first'), begin(send, '/second')];
  assert.equal(await first.whole, undefined);
  await sleep(5);
  assert.equal(calls.length, 2);
  equal((await ask(send, '/first')).body, HUGE);
  assert.deepEqual((await second.whole)?.body, BODY);
});

function deferred() {
  /** @type {(value: unknown) => void} */
  let resolve = () => {};
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

// ------------------------------------------------------------------ its end

test('it ends when nobody takes it', async () => {
  const from = seen.length;
  const send = sendOf();
  const { whole, end } = begin(send, '/never?12');
  await arrived('/never?12', from);
  end();
  await asked('/never?12', from)[0].gone;
  assert.equal(await whole, undefined);
  assert.deepEqual((await ask(send, '/body')).body, BODY);
});

test('a response that Python does not take over ends with the load', async () => {
  const from = seen.length;
  const { whole, end } = begin(sendOf(), '/stalls');
  assert.equal(await whole, undefined);
  end();
  await asked('/stalls', from)[0].gone;
});

test('a request that Python has taken over goes on when its load ends or is cancelled', async () => {
  const from = seen.length;
  const send = sendOf();
  const controller = new AbortController();
  const { end } = begin(send, '/late?13', { signal: controller.signal });
  await arrived('/late?13', from);
  const taken = ask(send, '/late?13');
  controller.abort();
  end();
  assert.deepEqual((await taken).body, BODY);
  assert.equal(asked('/late?13', from).length, 1);
});

test('a load that is cancelled while it waits for its turn sends nothing, and keeps no place', async () => {
  const from = seen.length;
  let calls = 0;
  /** @type {Settings['beforeRequest']} */
  const beforeRequest = async (request) => {
    if (request.url.endsWith('?14')) calls++;
    return request;
  };
  const send = sendOf({ requestsPerOrigin: 1, beforeRequest });
  const first = begin(send, '/late?first');
  const controller = new AbortController();
  const { whole, told } = begin(send, '/body?14', { signal: controller.signal });
  const last = begin(send, '/body?last');
  await arrived('/late?first', from);
  controller.abort();
  assert.equal(await whole, undefined);
  await Promise.all([first.whole, last.whole]);
  assert.deepEqual([told, calls, asked('/body?14', from).length], [[], 0, 0]);
  assert.deepEqual((await ask(send, '/body')).body, BODY);
});

test('a request of Python does not get what has been cancelled', async () => {
  const from = seen.length;
  const send = sendOf();
  const controller = new AbortController();
  begin(send, '/late?30', { signal: controller.signal });
  await arrived('/late?30', from);
  controller.abort();
  assert.deepEqual((await ask(send, '/late?30')).body, BODY);
  assert.equal(asked('/late?30', from).length, 2);
});

test('a local file of a load that is cancelled is not read', async () => {
  const controller = new AbortController();
  const send = sendOf({}, new Map([['localfile:0', new Blob([BODY])]]));
  const { whole, told } = begin(send, 'localfile:0', { signal: controller.signal });
  controller.abort();
  assert.deepEqual([await whole, told], [undefined, []]);
});

test('a load that is cancelled before the response ends its request', async () => {
  const from = seen.length;
  const send = sendOf({ requestsPerOrigin: 1 });
  const controller = new AbortController();
  const { whole, told } = begin(send, '/never?15', { signal: controller.signal });
  await arrived('/never?15', from);
  controller.abort();
  assert.equal(await whole, undefined);
  await asked('/never?15', from)[0].gone;
  assert.deepEqual(told, [['start', 0]]);
  assert.deepEqual((await ask(send, '/body')).body, BODY);
});

test('a load that is cancelled within the body ends its request', async () => {
  const from = seen.length;
  const send = sendOf({ requestsPerOrigin: 1 });
  const controller = new AbortController();
  const { whole, told } = begin(send, '/stalls-small?16', { signal: controller.signal });
  while (told.length < 2) await sleep(5);
  controller.abort();
  assert.equal(await whole, undefined);
  await asked('/stalls-small?16', from)[0].gone;
  assert.deepEqual(
    told.map(([phase]) => phase),
    ['start', 'progress'],
  );
  assert.deepEqual((await ask(send, '/body')).body, BODY);
});

for (const path of ['/never?17', '/stalls-small?17', '/stalls?17']) {
  test(`${path}: the request that gets it can cancel it`, async () => {
    const from = seen.length;
    const send = sendOf();
    const { whole } = begin(send, path);
    await arrived(path, from);
    if (path === '/stalls?17') await whole;
    const controller = new AbortController();
    const answer = ask(send, path, { signal: controller.signal });
    await sleep(20);
    controller.abort();
    await assert.rejects(answer);
    await asked(path, from)[0].gone;
    assert.equal(await whole, undefined);
  });
}

test('a cancelled request that gets it ends it', async () => {
  const from = seen.length;
  const send = sendOf();
  begin(send, '/never?18');
  await arrived('/never?18', from);
  await assert.rejects(ask(send, '/never?18', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await asked('/never?18', from)[0].gone;
});

// ------------------------------------------------------------------ failures

test('the request that gets it fails with it', async () => {
  const from = seen.length;
  const send = sendOf();
  assert.equal(await begin(send, `${other}/closed`).whole, undefined);
  const { error, kind } = await ask(send, `${other}/closed`);
  assert.equal(kind, 'network');
  assert.match(error, /^could not fetch http/);
  assert.equal(asked('/closed', from).length, 1);
  assert.equal(await begin(send, 'http://').whole, undefined);
  assert.equal((await ask(send, 'http://')).kind, 'request');
});

test('a hook that fails is told by the request of Python', async () => {
  const send = sendOf({ beforeRequest: async () => Promise.reject(new Error('no token')) });
  assert.equal(await begin(send, '/body?19').whole, undefined);
  const { error, kind } = await ask(send, '/body?19');
  assert.equal(kind, 'request');
  assert.match(error, /beforeRequest of the page failed: no token/);
});

for (const isTaken of [false, true]) {
  test(`Python gets the failure of a body that is cut${isTaken ? ', also while it comes' : ''}`, async () => {
    const from = seen.length;
    const send = sendOf();
    const { whole, told } = begin(send, '/cut-small?20');
    await (isTaken ? arrived('/cut-small?20', from) : whole);
    const { error, kind } = await ask(send, '/cut-small?20');
    assert.equal(kind, 'network');
    assert.match(error, /the connection was cut after 6 of 1000 bytes/);
    assert.equal(await whole, undefined);
    assert.equal(asked('/cut-small?20', from).length, 1);
    assert.notEqual(told.at(-1)?.[0], 'end');
    await ask(send, '/cut-small?20');
    assert.equal(asked('/cut-small?20', from).length, 2, 'the next attempt has a request of its own');
  });
}

for (const path of ['/never?21', '/stalls-small?21']) {
  test(`${path}: a silent server is a failure of Python's request`, async () => {
    const from = seen.length;
    const send = sendOf({ requestTimeout: 200 });
    assert.equal(await begin(send, path).whole, undefined);
    await asked(path, from)[0].gone;
    const { error, kind } = await ask(send, { url: path, timeout: 200 });
    assert.equal(kind, 'network');
    assert.match(error, /no byte came for 200 ms/);
    assert.equal(asked(path, from).length, 1);
  });
}

test('a server that sends again and again is not silent', async () => {
  const { whole } = begin(sendOf({ requestTimeout: 300 }), '/steady-small');
  assert.equal((await whole)?.body.length, 10);
});

test('a wait for its turn is no silence', async () => {
  const send = sendOf({ requestTimeout: 300, requestsPerOrigin: 1 });
  const all = Array.from({ length: 4 }, (_, index) => begin(send, `/late?22${index}`));
  for (const { whole } of all) assert.deepEqual((await whole)?.body, BODY);
});

test('a response that Python takes over may fall silent', async () => {
  const from = seen.length;
  const send = sendOf({ requestTimeout: 200 });
  assert.equal(await begin(send, '/stalls?23').whole, undefined);
  const { error, kind } = await ask(send, { url: '/stalls?23', timeout: 200 });
  assert.equal(kind, 'network');
  assert.match(error, /no byte came for 200 ms/);
  await asked('/stalls?23', from)[0].gone;
});

test('its body has a timeout of its own after the head', async () => {
  const send = sendOf({ requestTimeout: 170 });
  await begin(send, '/late-body?24').whole;
  const { body } = await ask(send, { url: '/late-body?24', timeout: 170 });
  assert.deepEqual(body, BODY);
});

// ------------------------------------------------------------------ other settings

test('it begins again when the page gives other headers', async () => {
  const from = seen.length;
  const given = settings();
  const send = createSend(given, new Map());
  const { whole, end } = begin(send, '/late?25');
  await arrived('/late?25', from);
  given.headers = { 'X-Page': '2' };
  send.forgetAhead();
  assert.equal(await whole, undefined);
  assert.deepEqual((await ask(send, '/late?25')).body, BODY);
  end();
  assert.deepEqual(
    asked('/late?25', from).map(({ headers }) => headers['x-page']),
    ['1', '2'],
  );
  await asked('/late?25', from)[0].gone;
});

test('all that has begun is forgotten, but not what Python has taken over', async () => {
  const from = seen.length;
  const send = sendOf();
  const [first, second] = [begin(send, '/never?26'), begin(send, '/never?27')];
  begin(send, '/late?26');
  for (const path of ['/never?26', '/never?27', '/late?26']) await arrived(path, from);
  const taken = ask(send, '/late?26');
  send.forgetAhead();
  assert.deepEqual([await first.whole, await second.whole], [undefined, undefined]);
  for (const path of ['/never?26', '/never?27']) await asked(path, from)[0].gone;
  assert.deepEqual((await taken).body, BODY);
  assert.equal(asked('/late?26', from).length, 1);
});

test('the end of a load does not end a request that has begun since', async () => {
  const send = sendOf();
  const first = begin(send, '/late?28');
  send.forgetAhead();
  const second = begin(send, '/late?28');
  first.end();
  assert.deepEqual((await second.whole)?.body, BODY);
});

test('a request has the settings that are current when it is sent', async () => {
  const from = seen.length;
  const given = settings();
  const send = createSend(given, new Map());
  await ask(send, '/body?29');
  given.headers = { 'X-Page': '2' };
  given.beforeRequest = async (request) => ({ ...request, headers: { ...request.headers, 'X-Hook': '1' } });
  await ask(send, '/body?29');
  given.beforeRequest = undefined;
  const { hasAuthorization } = await ask(send, '/body?29');
  assert.deepEqual(
    asked('/body?29', from).map(({ headers }) => [headers['x-page'], headers['x-hook']]),
    [
      ['1', undefined],
      ['2', '1'],
      ['2', undefined],
    ],
  );
  given.headers = { authorization: 'x' };
  assert.deepEqual([hasAuthorization, (await ask(send, '/body?29')).hasAuthorization], [false, true]);
});
