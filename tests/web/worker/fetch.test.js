// @ts-check
// Requests of the worker: their addresses, their headers, and who receives them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSend } from '../../../web/worker/fetch.js';
import {
  BODY,
  LARGE,
  browserFetch,
  equal,
  fedFrom,
  lastSeen,
  other,
  recordFetch,
  reportsOf,
  requestOf,
  seen,
  send,
  settingsOf,
  site,
  tripOf,
  unsent,
} from '../../support/web/servers.js';

/** @typedef {import('../../support/web/servers.js').Options} Options */
/** @typedef {import('../../support/web/servers.js').Hook} Hook */
/** @typedef {import('../../support/web/servers.js').HookedRequest} HookedRequest */

// ------------------------------------------------------------------ requests and responses

test('a response has address, status, headers in lower case, and body', async () => {
  const { url, status, headers, body } = await send(`${site}/body`);
  assert.deepEqual([url, status, headers['content-type']], [`${site}/body`, 200, 'application/dicom']);
  assert.deepEqual(body, BODY);
});

test('addresses are relative to the page', async () => {
  assert.deepEqual((await send('../body')).body, BODY);
  assert.deepEqual((await send('/body')).body, BODY);
});

test('a refusal is a response', async () => {
  const { status, headers, body } = await send('/refused');
  assert.deepEqual([status, headers['x-reason'], new TextDecoder().decode(body)], [503, 'tea', 'busy']);
});

test('a response may have no body', async () => {
  const { status, body } = await send('/no-content');
  assert.deepEqual([status, body], [204, new Uint8Array(0)]);
});

test('headers of the request go before those of the page', async () => {
  await send(
    { url: '/body', headers: { 'X-Both': 'request', 'X-Own': '1' } },
    { headers: { 'X-Both': 'page', 'X-Page': '2' } },
  );
  const { headers } = lastSeen();
  assert.deepEqual([headers['x-both'], headers['x-own'], headers['x-page']], ['request', '1', '2']);
});

test('a header in another case replaces the first', async () => {
  const services = new Map([['/body', { AUTHORIZATION: 'service' }]]);
  await send('/body', { headers: { authorization: 'page' }, services });
  assert.equal(lastSeen().headers.authorization, 'service');
  await send({ url: '/body', headers: { Accept: 'request' } }, { headers: { accept: 'page' } });
  assert.equal(lastSeen().headers.accept, 'request');
  await send('/body', { headers: { Authorization: 'old', authorization: 'renewed' } });
  assert.equal(lastSeen().headers.authorization, 'renewed');
});

test('a byte range is sent as the header that Python made', async () => {
  const { status, body } = await send({ url: '/range', byteRange: [2, 5], headers: { Range: 'bytes=2-4' } });
  assert.equal(lastSeen().headers.range, 'bytes=2-4');
  assert.deepEqual([status, body], [206, BODY.subarray(2, 5)]);
});

test('the field of a byte range is no header', async () => {
  await send({ url: '/body', byteRange: [2, 5] });
  assert.equal('range' in lastSeen().headers, false);
});

test('only requests for which no viewer waits have low priority', async (t) => {
  const calls = recordFetch(t);
  /** @type {([number, number] | undefined)[]} */
  const urgencies = [[0, 5], [1, -5], [2, 0], undefined];
  for (const urgency of urgencies) await send({ url: '/body', urgency });
  assert.deepEqual(
    calls.map(({ init }) => init.priority),
    ['auto', 'low', 'low', 'auto'],
  );
});

test('credentials are those of the settings', async (t) => {
  const calls = recordFetch(t);
  await send('/body', { credentials: 'include' });
  await send('/body', { credentials: 'omit' });
  await send('/body', { hook: async () => ({ credentials: 'include' }) });
  assert.deepEqual(
    calls.map(({ init }) => init.credentials),
    ['include', 'omit', 'include'],
  );
});

// ------------------------------------------------------------------ the page's hook

test('the hook sees the request as it would be sent', async () => {
  /** @type {HookedRequest[]} */
  const requests = [];
  await send(
    { url: '/range', headers: { Range: 'bytes=0-0' } },
    { headers: { 'X-Page': '2' }, hook: async (request) => void requests.push(request) },
  );
  assert.deepEqual(requests, [
    {
      url: `${site}/range`,
      origin: site,
      headers: { 'X-Page': '2', Range: 'bytes=0-0' },
      credentials: 'same-origin',
    },
  ]);
});

test('the hook may change any part', async () => {
  /** @type {Hook} */
  const hook = async ({ url, headers }) => ({
    url: url.replace('/elsewhere', '/body'),
    headers: { ...headers, Authorization: 'Bearer abc' },
  });
  assert.deepEqual((await send('/elsewhere', { hook })).body, BODY);
  assert.equal(lastSeen().headers.authorization, 'Bearer abc');
});

test('a header of the hook in another case replaces the old one', async () => {
  /** @type {Hook} */
  const hook = async ({ headers }) => ({ headers: { ...headers, authorization: 'new' } });
  await send('/body', { headers: { Authorization: 'old' }, hook });
  assert.equal(lastSeen().headers.authorization, 'new');
});

test('a hook may remove all headers', async () => {
  for (const headers of /** @type {HookedRequest['headers'][]} */ ([{}, undefined, null])) {
    const options = { headers: { 'X-Token': 'secret' }, hook: async () => ({ headers }) };
    assert.equal((await send('/body', options)).status, 200);
    assert.equal(lastSeen().headers['x-token'], undefined);
  }
});

test('a hook that returns nothing changes nothing', async () => {
  for (const nothing of [undefined, null])
    assert.deepEqual((await send('/body', { hook: async () => nothing })).body, BODY);
});

for (const [what, reason] of [
  ['an error', new Error('no token')],
  ['words', 'no token'],
]) {
  test(`a request is not sent when its hook fails with ${what}`, async () => {
    const error = await unsent('/body', { hook: () => Promise.reject(reason) });
    assert.equal(error, 'could not fetch /body: beforeRequest of the page failed: no token');
  });
}

test('an address of the hook is relative to the page', async () => {
  assert.deepEqual((await send('/elsewhere', { hook: async () => ({ url: '../body' }) })).body, BODY);
});

test('an address of the hook has to be a permitted one', async () => {
  /** @param {string} url */
  const hook = (url) => ({ hook: async () => ({ url }), baseURL: 'https://page.example/' });
  assert.match(await unsent('/body', hook('http://pacs.example/x')), /mixed content/);
  assert.match(await unsent('/body', hook('http://[')), /not a valid address/);
});

// ------------------------------------------------------------------ headers that cannot be sent

const UNSENT =
  /^could not fetch \S+: its header "X-Token" cannot be sent: .+\. Check headers, beforeRequest and onUnauthorized/;

for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b', 'secret\n', '\nsecret', '漢字']) {
  test(`the header value ${JSON.stringify(value)} is not sent`, async () => {
    const headers = { 'X-Token': value };
    assert.match(await unsent({ url: '/body', headers }), UNSENT);
    assert.match(await unsent('/body', { headers }), UNSENT);
    assert.match(await unsent('/body', { hook: async () => ({ headers }) }), UNSENT);
    assert.match(await unsent('/body', { services: new Map([['/body', headers]]) }), UNSENT);
  });
}

for (const name of ['', 'X Token', 'X-Token:', 'X\nToken', 'Schlüssel', '漢字']) {
  test(`the header name ${JSON.stringify(name)} is not sent`, async () => {
    const error = await unsent('/body', { headers: { [name]: '1' } });
    assert.ok(error.includes(`its header ${JSON.stringify(name)} cannot be sent`), error);
  });
}

test('header values may have the letters of Latin-1', async () => {
  await send('/body', { headers: { 'X-Name': 'Müller' } });
  assert.equal(lastSeen().headers['x-name'], 'Müller');
});

// ------------------------------------------------------------------ addresses that are not permitted

for (const url of ['http://[', 'https://', 'http://host:port/']) {
  test(`${url} is not a valid address`, async () => {
    assert.equal(await unsent(url), `could not fetch ${url}: it is not a valid address`);
  });
}

test('a page by https sends no request by http', async () => {
  for (const url of [
    'http://pacs.example/x',
    'http://localhost.example/',
    'http://127.0.0.1.example/',
    'http://notlocalhost/',
    'HTTP://PACS.EXAMPLE/',
  ]) {
    assert.match(
      await unsent(url, { baseURL: 'https://page.example/' }),
      /mixed content\): use the https address of the server$/,
    );
  }
});

test('a page by https may send requests to this machine by http', async (t) => {
  const calls = recordFetch(t);
  const urls = [
    'http://localhost/',
    'http://localhost:8042/',
    'http://pacs.localhost/',
    'http://127.0.0.1/',
    'http://127.1.2.3:80/',
    'http://[::1]:8042/',
  ];
  for (const url of urls) assert.equal((await send(url, { baseURL: 'https://page.example/' })).status, 200, url);
  assert.equal(calls.length, urls.length);
});

test('a page by https may use https, and a page by http both', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => new Response(''));
  for (const [baseURL, url] of [
    ['https://page.example/', 'https://pacs.example/'],
    ['https://page.example/', '/relative'],
    ['http://page.example/', 'http://pacs.example/'],
    ['http://page.example/', 'https://pacs.example/'],
  ])
    assert.equal((await send(url, { baseURL })).status, 200, url);
});

// ------------------------------------------------------------------ services

/**
 * Send a request and return its header X-Service.
 * @param {string} url @param {Record<string, string>} names of the services, by address
 */
async function serviceOf(url, names) {
  /** @type {Map<string, Record<string, string>>} */
  const services = new Map();
  for (const [base, name] of Object.entries(names)) services.set(base, { 'X-Service': name });
  await send(url, { services });
  return lastSeen().headers['x-service'];
}

for (const [path, expected] of Object.entries({
  '/dicom-web': 'one',
  '/dicom-web/studies': 'one',
  '/dicom-web/studies/1/series?limit=2': 'one',
  '/dicom-web2': undefined,
  '/dicom-web2/studies': undefined,
  '/dicom-we': undefined,
  '/x/dicom-web/studies': undefined,
  '/': undefined,
  '/second/studies': 'two',
})) {
  test(`the service of ${path}`, async () => {
    const absolute = { [`${site}/dicom-web`]: 'one', [`${site}/second`]: 'two' };
    assert.equal(await serviceOf(`${site}${path}`, absolute), expected);
    const relative = { '/dicom-web': 'one', '../second': 'two' };
    assert.equal(await serviceOf(path, relative), expected, 'relative to the page');
  });
}

test('a service may be a whole server, and its address may end with a slash', async () => {
  for (const base of [site, `${site}/`, '/'])
    assert.equal(await serviceOf(`${site}/any/where`, { [base]: 'one' }), 'one', base);
  assert.equal(await serviceOf(`${other}/any/where`, { [site]: 'one' }), undefined);
  assert.equal(await serviceOf('/dicom-web/studies', { '/dicom-web/': 'one' }), 'one');
  assert.equal(await serviceOf('/dicom-web2', { '/dicom-web/': 'one' }), undefined);
});

test('nested services all count, the later first', async () => {
  /** @type {Map<string, Record<string, string>>} */
  const services = new Map([['/', { 'X-Both': 'outer', 'X-Outer': '1' }]]);
  services.set('/body', { 'x-both': 'inner', 'X-Inner': '2' });
  await send('/body', { services });
  const { headers } = lastSeen();
  assert.deepEqual([headers['x-both'], headers['x-outer'], headers['x-inner']], ['inner', '1', '2']);
});

test('headers of a service are not sent to another origin', async () => {
  assert.equal(await serviceOf(`${other}/dicom-web/studies`, { '/dicom-web': 'one' }), undefined);
  assert.equal(await serviceOf(`${other}/dicom-web/studies`, { [`${other}/dicom-web`]: 'one' }), 'one');
});

test('headers of a service go before those of the page, and after those of the request', async () => {
  const services = new Map([['/body', { 'X-Page': 'service', 'X-Request': 'service' }]]);
  /** @type {HookedRequest['headers'][]} */
  const shown = [];
  await send(
    { url: '/body', headers: { 'X-Request': 'request' } },
    { headers: { 'X-Page': 'page' }, services, hook: async ({ headers }) => void shown.push(headers) },
  );
  const { headers } = lastSeen();
  assert.deepEqual([headers['x-page'], headers['x-request']], ['service', 'request']);
  assert.deepEqual(shown, [{ 'X-Page': 'service', 'X-Request': 'request' }]);
});

test('a service that is added later counts from then on', async () => {
  const services = new Map();
  const sender = createSend(settingsOf({ services }), new Map());
  const ask = () => sender(requestOf('/body'), new AbortController().signal, () => {});
  await ask();
  assert.equal(lastSeen().headers['x-service'], undefined);
  services.set('/body', { 'X-Service': 'one' });
  await ask();
  assert.equal(lastSeen().headers['x-service'], 'one');
});

// ------------------------------------------------------------------ redirects

const SECRETS = { Authorization: 'Bearer secret', 'X-Token': 'secret' };

test('the response of a redirect has its last address', async () => {
  assert.equal((await send('/moved')).url, `${site}/body`);
  assert.equal((await send('/moved', { headers: SECRETS })).url, `${site}/body`);
});

test('secret headers do not follow to another origin', async () => {
  const { answer, trip } = await tripOf('/away', { headers: SECRETS }, 'authorization', 'x-token');
  assert.deepEqual([answer.url, answer.status], [`${other}/body`, 200]);
  equal(answer.body, BODY);
  const elsewhere = trip.filter(([at]) => at === other);
  assert.deepEqual(elsewhere, [[other, '/body', undefined, undefined]]);
  assert.deepEqual(trip[0], [site, '/away', 'Bearer secret', 'secret']);
});

const TOKEN = { 'x-ToKeN': 'secret' };
/** @type {Record<string, Options>} */
const SOURCES = {
  'the request': {},
  'the page': { headers: TOKEN },
  'the hook': { hook: async () => ({ headers: TOKEN }) },
  'a service': { services: new Map([['/away', TOKEN]]) },
};
for (const [source, options] of Object.entries(SOURCES)) {
  test(`headers of ${source} do not follow to another origin`, async () => {
    const headers = source === 'the request' ? TOKEN : {};
    const { trip } = await tripOf({ url: '/away', headers }, options, 'x-token');
    assert.deepEqual(trip[0], [site, '/away', 'secret']);
    assert.deepEqual(trip.at(-1), [other, '/body', undefined]);
  });
}

test('another origin that refuses gets no secrets either', async () => {
  const { answer, trip } = await tripOf('/away-guarded', { headers: SECRETS }, 'x-token');
  assert.equal(answer.status, 401);
  assert.deepEqual(
    trip.filter(([at]) => at === other),
    [[other, '/guarded', undefined]],
  );
});

test('open headers follow to another origin', async () => {
  const open = { Accept: 'application/dicom', 'Accept-Language': 'de', 'Content-Language': 'fr', Range: 'bytes=2-4' };
  const names = Object.keys(open).map((name) => name.toLowerCase());
  const { trip } = await tripOf({ url: '/away', headers: open }, { headers: SECRETS }, ...names);
  assert.deepEqual(trip.at(-1), [other, '/body', ...Object.values(open)]);
  const alone = await tripOf({ url: '/away', headers: open }, {}, ...names);
  assert.deepEqual(alone.trip, [
    [site, '/away', ...Object.values(open)],
    [other, '/body', ...Object.values(open)],
  ]);
});

for (const path of ['/to-guarded', '/to-to-guarded']) {
  test(`secret headers follow on the same origin: ${path}`, async () => {
    const { answer, trip } = await tripOf(path, { headers: SECRETS }, 'authorization', 'x-token');
    assert.deepEqual([answer.url, answer.status], [`${site}/guarded`, 200]);
    assert.deepEqual(trip.at(-1), [site, '/guarded', 'Bearer secret', 'secret']);
    equal(answer.body, BODY);
  });
}

test('a redirect on the same origin leads to the response for the user', async () => {
  const { body } = await send('/to-personal', { headers: SECRETS });
  assert.equal(Buffer.from(body).toString(), 'yours');
});

test('secret headers return to their own origin after another', async () => {
  const { answer, trip } = await tripOf('/round', { headers: SECRETS }, 'authorization', 'x-token');
  assert.equal(answer.status, 200);
  for (const [at, , ...secrets] of trip) if (at === other) assert.deepEqual(secrets, [undefined, undefined]);
  assert.deepEqual(trip.at(-1), [site, '/guarded', 'Bearer secret', 'secret']);
});

test('a refusal after a redirect is the response', async () => {
  const { answer } = await tripOf('/to-refused', { headers: SECRETS });
  assert.deepEqual([answer.status, answer.url], [503, `${site}/refused`]);
});

test('a redirect without secrets is one request of the browser', async (t) => {
  const calls = recordFetch(t, browserFetch);
  await send({ url: '/moved', headers: { Accept: '*/*' } });
  assert.deepEqual(
    calls.map(({ init }) => init.redirect),
    [undefined],
  );
});

test('without a redirect there is one request, with secrets too', async () => {
  assert.equal((await tripOf('/guarded', { headers: SECRETS })).trip.length, 1);
  assert.equal((await tripOf('/refused', { headers: SECRETS })).trip.length, 1);
});

test('a redirect loop ends', async () => {
  for (const headers of [{}, SECRETS]) assert.equal((await send('/loop', { headers })).kind, 'network');
});

test('a redirect loop with secrets ends with the response without them', async () => {
  const { answer, trip } = await tripOf('/labyrinth', { headers: SECRETS });
  assert.equal(answer.status, 401);
  assert.ok(trip.length <= 12, `${trip.length} requests`);
});

test('each address of a redirect gets the headers of its own service', async () => {
  /** @type {Map<string, Record<string, string>>} */
  const services = new Map([['/to-guarded', { 'X-Token': 'secret', 'X-Service': 'one' }]]);
  const { trip } = await tripOf('/to-guarded', { services }, 'x-service');
  assert.deepEqual(trip.at(-1), [site, '/guarded', undefined], 'it left the service');
  services.set('/guarded', { 'X-Token': 'secret', 'X-Service': 'two' });
  const again = await tripOf('/to-guarded', { services }, 'x-service');
  assert.deepEqual(again.trip.at(-1), [site, '/guarded', 'two']);
});

test('a redirect to a named origin has its headers, without those of the service before', async () => {
  const services = new Map([['/away', { 'X-Service': 'one' }]]);
  const { trip } = await tripOf('/away', { headers: SECRETS, origins: [other], services }, 'x-token', 'x-service');
  assert.deepEqual(trip[0], [site, '/away', 'secret', 'one']);
  assert.deepEqual(trip.at(-1), [other, '/body', 'secret', undefined]);
});

test('cookies follow no redirect to an origin that is not named', async (t) => {
  const calls = recordFetch(t, browserFetch);
  await send('/away', { credentials: 'include' });
  assert.deepEqual(
    calls.map(({ url, init }) => [new URL(url).origin === site, init.credentials, init.redirect]),
    [
      [true, 'include', 'manual'],
      [true, 'same-origin', undefined],
    ],
  );
});

test('the hook sees each address of a redirect', async () => {
  /** @type {string[]} */
  const urls = [];
  await send('/to-guarded', { headers: SECRETS, hook: async ({ url }) => void urls.push(url) });
  assert.deepEqual(urls, [`${site}/to-guarded`, `${site}/guarded`]);
});

// ------------------------------------------------------------------ origins that are not named

test('an origin that is not named gets no header of the page, no hook and no cookies', async (t) => {
  const calls = recordFetch(t, browserFetch);
  const hook = async () => assert.fail('it was called');
  const answer = await send(
    { url: `${other}/guarded`, headers: { Accept: 'a/b', 'X-Own': '1' } },
    { headers: { ...SECRETS, Accept: 'page/page' }, credentials: 'include', hook },
  );
  const { headers } = lastSeen();
  assert.deepEqual(
    [headers.authorization, headers['x-token'], headers.accept, headers['x-own']],
    [undefined, undefined, 'a/b', '1'],
  );
  assert.deepEqual(
    calls.map(({ init }) => init.credentials),
    ['same-origin'],
  );
  assert.deepEqual(
    [answer.status, answer.withheld],
    [401, ['Authorization', 'X-Token', 'Accept', 'cookies', 'beforeRequest']],
  );
});

/** @type {Record<string, () => Options>} */
const NAMES = {
  'by origins': () => ({ origins: [other] }),
  'by a service, whose headers are for addresses below it': () => ({
    services: new Map([[`${other}/dicom-web`, { 'X-Service': '1' }]]),
  }),
};
for (const [what, changes] of Object.entries(NAMES)) {
  test(`an origin that is named ${what}`, async () => {
    /** @type {string[]} */
    const origins = [];
    /** @type {Hook} */
    const hook = async ({ origin }) => void origins.push(origin);
    const answer = await send(`${other}/guarded`, { headers: SECRETS, hook, ...changes() });
    assert.deepEqual([answer.status, answer.withheld, lastSeen().headers['x-service']], [200, undefined, undefined]);
    assert.deepEqual(origins, [other]);
  });
}

test('the name of an origin has its port', async () => {
  for (const origins of [
    [other.replace(/:\d+$/, '')],
    [other.replace('http', 'https')],
    ['http://127.0.0.1.example'],
    [site],
  ]) {
    await send(`${other}/body`, { headers: SECRETS, origins });
    assert.equal(lastSeen().headers['x-token'], undefined, origins[0]);
  }
});

test('a page of an opaque origin names no other', async () => {
  await send(`${other}/body`, { headers: SECRETS, baseURL: 'data:text/html,' });
  assert.equal(lastSeen().headers['x-token'], undefined);
});

test('a hook cannot send secrets to an origin that is not named', async () => {
  /** @type {Hook} */
  const hook = async ({ headers }) => ({
    url: `${other}/guarded`,
    headers: { ...headers, 'X-Hook': '1' },
    credentials: 'include',
  });
  const answer = await send({ url: '/body', headers: { Accept: 'a/b' } }, { headers: SECRETS, hook });
  const { headers } = lastSeen();
  assert.deepEqual([headers['x-token'], headers['x-hook'], headers.accept], [undefined, undefined, 'a/b']);
  assert.deepEqual([answer.status, answer.withheld], [401, ['Authorization', 'X-Token', 'X-Hook']]);
  assert.equal((await send('/body', { headers: SECRETS, hook, origins: [other] })).status, 200);
});

test('a hook may change its request in place', async () => {
  /** @type {Hook} */
  const hook = async (request) => {
    request.headers.Authorization = 'Bearer in place';
    return request;
  };
  await send('/body', { hook });
  assert.equal(lastSeen().headers.authorization, 'Bearer in place');
});

for (const [path, expected] of Object.entries({
  '/dicom-web/studies/..%2f..%2fadmin': undefined,
  '/dicom-web/..%2Fadmin': undefined,
  '/dicom-web/%2e%2e%2fadmin': undefined,
  '/dicom-web/..%5cadmin': undefined,
  '/dicom-web/%252e%252e%252fadmin': undefined,
  '/dicom-web/a%2f..': undefined,
  '/dicom-web/a..b/..c': 'one',
  '/dicom-web/a%2fb': 'one',
  '/dicom-web?x=..%2f': 'one',
})) {
  test(`a path that leads out of a service: ${path}`, async () => {
    assert.equal(await serviceOf(`${site}${path}`, { '/dicom-web': 'one' }), expected);
  });
}

// ------------------------------------------------------------------ addresses in a response

/** @type {Options} */
const LINKED = { headers: SECRETS, credentials: 'include', hook: async () => assert.fail('it was called') };

test('an address from a response of another origin gets no secrets, even on the own one', async (t) => {
  const calls = recordFetch(t, browserFetch);
  for (const [url, linkedFrom] of [
    [`${site}/body`, `${other}/metadata`],
    [`${other}/body`, `${site}/metadata`],
    [`${other}/body`, '/metadata'],
  ]) {
    const answer = await send(
      { url, linkedFrom, headers: { Accept: 'a/b', 'X-Own': '1' } },
      { ...LINKED, origins: [other] },
    );
    const { headers } = lastSeen();
    assert.deepEqual(
      [headers['x-token'], headers['x-own'], headers.accept, answer.status],
      [undefined, undefined, 'a/b', 200],
    );
  }
  assert.deepEqual(
    calls.map(({ init }) => init.credentials),
    ['omit', 'omit', 'omit'],
  );
});

test('an address from a response of the same origin gets the secrets of the page', async () => {
  for (const linkedFrom of [`${site}/metadata`, '/metadata'])
    assert.equal((await send({ url: '/guarded', linkedFrom }, { headers: SECRETS })).status, 200);
});

test('an address from a response of another origin may be refused', async () => {
  const error = await unsent({ url: `${other}/body`, linkedFrom: '/metadata' }, { linkedOrigins: 'refuse' });
  assert.match(error, /a response of http:.* names it, which is another origin; init\(\{ linkedOrigins/);
  assert.equal((await send({ url: '/body', linkedFrom: '/metadata' }, { linkedOrigins: 'refuse' })).status, 200);
});

test('an address in a response may change the scheme to https only', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => new Response(''));
  const page = { baseURL: 'http://page/' };
  for (const url of ['file:///etc/passwd', 'ftp://host/a', 'data:text/plain,a', 'blob:http://page/1', 'javascript:1']) {
    assert.match(
      await unsent({ url, linkedFrom: 'http://pacs/metadata' }, page),
      /may name only addresses of http/,
      url,
    );
  }
  assert.match(
    await unsent({ url: 'http://localhost/a', linkedFrom: 'https://pacs/metadata' }, page),
    /may name only addresses of https/,
  );
  assert.equal((await send({ url: 'https://pacs/a', linkedFrom: 'http://pacs/metadata' }, page)).status, 200);
});

// ------------------------------------------------------------------ local files

const files = new Map([
  ['localfile:0', new Blob([BODY], { type: 'application/dicom' })],
  ['localfile:1', new File([BODY], 'ct.dcm')],
  ['localfile:2', new Blob([LARGE])],
  ['localfile:3', new Blob([])],
]);

test('a local file has a response by its name', async () => {
  const { answer, reports } = await reportsOf('localfile:0', { files });
  const headers = { 'content-type': 'application/dicom', 'content-length': '6', 'accept-ranges': 'bytes' };
  assert.deepEqual(answer, { url: 'localfile:0', status: 200, headers, body: BODY });
  assert.deepEqual(reports, [[6, 6]]);
});

test('the address of a File is its name', async () => {
  assert.equal((await send('localfile:1', { files })).url, 'ct.dcm');
});

test('a large file is reported on its way', async () => {
  const { answer, reports } = await reportsOf('localfile:2', { files });
  equal(answer.body, LARGE);
  assert.deepEqual(reports.at(-1), [LARGE.length, LARGE.length]);
});

test('an empty file has an empty body', async () => {
  const { status, body } = await send('localfile:3', { files });
  assert.deepEqual([status, body.length], [200, 0]);
});

/** @type {[byteRange: [number] | [number, number], contentRange: string][]} */
const PARTS = [
  [[2, 5], 'bytes 2-4/6'],
  [[0, 6], 'bytes 0-5/6'],
  [[2, 100], 'bytes 2-5/6'],
  [[2], 'bytes 2-5/6'],
  [[0], 'bytes 0-5/6'],
  [[5], 'bytes 5-5/6'],
];
for (const [byteRange, contentRange] of PARTS) {
  test(`the part ${JSON.stringify(byteRange)} of a local file`, async () => {
    const { status, headers, body } = await send({ url: 'localfile:0', byteRange }, { files });
    assert.deepEqual([status, body], [206, BODY.subarray(...byteRange)]);
    assert.deepEqual([headers['content-range'], headers['content-length']], [contentRange, String(body.length)]);
  });
}

for (const byteRange of /** @type {([number] | [number, number])[]} */ ([[6], [6, 10], [100], [100, 200]])) {
  test(`the part ${JSON.stringify(byteRange)} is not in a local file`, async () => {
    const { status, headers, body } = await send({ url: 'localfile:0', byteRange }, { files });
    assert.deepEqual([status, body.length, headers['content-range']], [416, 0, 'bytes */6']);
  });
}

test('a local file ignores the header of a range', async () => {
  const { status } = await send({ url: 'localfile:0', headers: { Range: 'bytes=0-1' } }, { files });
  assert.equal(status, 200);
});

test('local files are fed as bodies are', async () => {
  assert.deepEqual((await fedFrom('localfile:0', { files })).chunks, [Buffer.from(BODY)]);
  equal((await fedFrom('localfile:2', { files })).bytes, LARGE);
  assert.deepEqual((await fedFrom({ url: 'localfile:0', byteRange: [6] }, { files })).heads, [], 'not for refusals');
});

test('neither the server nor the hook sees requests for local files', async () => {
  const count = seen.length;
  const hook = async () => {
    throw new Error('asked');
  };
  assert.deepEqual((await send('localfile:0', { files, hook })).body, BODY);
  assert.equal(seen.length, count);
});

test('the error of a missing local file says how to add it', async () => {
  const error = await unsent('localfile:7', { files });
  assert.match(
    error,
    /^could not fetch localfile:7: no file of this name was added here, or removeFile\(\) removed it/,
  );
  assert.ok(error.endsWith(': the names that addFile() returns are valid only on their page'), error);
});
