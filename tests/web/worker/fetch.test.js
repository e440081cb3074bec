// The worker's half of the browser transport: what is asked, of whom, and with which headers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSend } from '../../../web/worker/fetch.js';
import {
  BODY,
  LARGE,
  browserFetch,
  equal,
  fedFrom,
  other,
  reportsOf,
  seen,
  send,
  site,
  tripOf,
  unsent,
} from '../../support/web/servers.js';

// ------------------------------------------------------------------ requests and answers

test('an answer has address, status, headers in lower case, and body', async () => {
  const { url, status, headers, body } = await send(`${site}/body`);
  assert.deepEqual([url, status, headers['content-type']], [`${site}/body`, 200, 'application/dicom']);
  assert.deepEqual(body, BODY);
});

test('addresses are relative to the page', async () => {
  assert.deepEqual((await send('../body')).body, BODY);
  assert.deepEqual((await send('/body')).body, BODY);
});

test('a refusal is an answer', async () => {
  const { status, headers, body } = await send('/refused');
  assert.deepEqual([status, headers['x-reason'], new TextDecoder().decode(body)], [503, 'tea', 'busy']);
});

test('an answer may have no body at all', async () => {
  const { status, body } = await send('/no-content');
  assert.deepEqual([status, body], [204, new Uint8Array(0)]);
});

test('headers of the page and of the request are sent, the latter first', async () => {
  await send(
    { url: '/body', headers: { 'X-Both': 'request', 'X-Own': '1' } },
    { headers: { 'X-Both': 'page', 'X-Page': '2' } },
  );
  const { headers } = seen.at(-1);
  assert.deepEqual([headers['x-both'], headers['x-own'], headers['x-page']], ['request', '1', '2']);
});

test('a header in another case is the same one, not a second', async () => {
  const services = new Map([['/body', { AUTHORIZATION: 'service' }]]);
  await send('/body', { headers: { authorization: 'page' }, services });
  assert.equal(seen.at(-1).headers.authorization, 'service');
  await send({ url: '/body', headers: { Accept: 'request' } }, { headers: { accept: 'page' } });
  assert.equal(seen.at(-1).headers.accept, 'request');
  await send('/body', { headers: { Authorization: 'old', authorization: 'renewed' } });
  assert.equal(seen.at(-1).headers.authorization, 'renewed');
});

test('a byte range is the header that Python made of it', async () => {
  const { status, body } = await send({ url: '/range', byteRange: [2, 5], headers: { Range: 'bytes=2-4' } });
  assert.equal(seen.at(-1).headers.range, 'bytes=2-4');
  assert.deepEqual([status, body], [206, BODY.subarray(2, 5)]);
});

test('the field of a byte range is no header', async () => {
  await send({ url: '/body', byteRange: [2, 5] });
  assert.equal('range' in seen.at(-1).headers, false);
});

test('only what is fetched ahead of need has low priority', async (t) => {
  const priorities = [];
  t.mock.method(globalThis, 'fetch', async (_, { priority }) => (priorities.push(priority), new Response('')));
  for (const isUrgent of [true, false, undefined]) await send({ url: '/body', isUrgent });
  assert.deepEqual(priorities, ['auto', 'low', 'auto']);
});

test('credentials are those of the settings', async (t) => {
  const sent = [];
  t.mock.method(globalThis, 'fetch', async (_, { credentials }) => (sent.push(credentials), new Response('')));
  for (const credentials of ['include', 'omit']) await send('/body', { credentials });
  await send('/body', { hook: async () => ({ credentials: 'include' }) });
  assert.deepEqual(sent, ['include', 'omit', 'include']);
});

// ------------------------------------------------------------------ the page's hook

test('the hook sees the request as it would be sent', async () => {
  let request;
  await send(
    { url: '/range', headers: { Range: 'bytes=0-0' } },
    { headers: { 'X-Page': '2' }, hook: async (given) => void (request = given) },
  );
  assert.deepEqual(request, {
    url: `${site}/range`,
    origin: site,
    headers: { 'X-Page': '2', Range: 'bytes=0-0' },
    credentials: 'same-origin',
  });
});

test('the hook may change any part', async () => {
  const hook = async ({ url, headers }) => ({
    url: url.replace('/elsewhere', '/body'),
    headers: { ...headers, Authorization: 'Bearer abc' },
  });
  assert.deepEqual((await send('/elsewhere', { hook })).body, BODY);
  assert.equal(seen.at(-1).headers.authorization, 'Bearer abc');
});

test('a header that the hook gives in another case takes the place of the old', async () => {
  const hook = async ({ headers }) => ({ headers: { ...headers, authorization: 'new' } });
  await send('/body', { headers: { Authorization: 'old' }, hook });
  assert.equal(seen.at(-1).headers.authorization, 'new');
});

test('a hook may take all headers away', async () => {
  for (const headers of [{}, undefined, null]) {
    assert.equal(
      (await send('/body', { headers: { 'X-Token': 'secret' }, hook: async () => ({ headers }) })).status,
      200,
    );
    assert.equal(seen.at(-1).headers['x-token'], undefined);
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
  test(`a hook that fails with ${what} keeps the request from being sent`, async () => {
    const error = await unsent('/body', { hook: () => Promise.reject(reason) });
    assert.equal(error, 'could not fetch /body: beforeRequest of the page failed: no token');
  });
}

test('an address of the hook is relative to the page too', async () => {
  assert.deepEqual((await send('/elsewhere', { hook: async () => ({ url: '../body' }) })).body, BODY);
});

test('an address of the hook has to be one that may be asked', async () => {
  const hook = (url) => ({ hook: async () => ({ url }), baseURL: 'https://page.example/' });
  assert.match(await unsent('/body', hook('http://pacs.example/x')), /mixed content/);
  assert.match(await unsent('/body', hook('http://[')), /no address/);
});

// ------------------------------------------------------------------ headers that cannot be sent

for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b', 'secret\n', '\nsecret', '漢字']) {
  test(`the header value ${JSON.stringify(value)} is not sent`, async () => {
    const expected =
      /^could not fetch \/body: its header "X-Token" cannot be sent: .+\. Look at headers, beforeRequest and onUnauthorized/;
    const headers = { 'X-Token': value };
    assert.match(await unsent({ url: '/body', headers }), expected);
    assert.match(await unsent('/body', { headers }), expected);
    assert.match(await unsent('/body', { hook: async () => ({ headers }) }), expected);
    assert.match(await unsent('/body', { services: new Map([['/body', headers]]) }), expected);
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
  assert.equal(seen.at(-1).headers['x-name'], 'Müller');
});

// ------------------------------------------------------------------ addresses that cannot be asked

for (const url of ['http://[', 'https://', 'http://host:port/']) {
  test(`${url} is no address`, async () => {
    assert.equal(await unsent(url), `could not fetch ${url}: it is no address`);
  });
}

test('a page by https does not ask by http', async () => {
  for (const url of [
    'http://pacs.example/x',
    'http://localhost.example/',
    'http://127.0.0.1.example/',
    'http://notlocalhost/',
    'HTTP://PACS.EXAMPLE/',
  ]) {
    assert.match(
      await unsent(url, { baseURL: 'https://page.example/' }),
      /mixed content\): the server has to be asked by https$/,
    );
  }
});

test('a page by https may ask this machine by http', async (t) => {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (url) => (asked.push(url), new Response('')));
  const urls = [
    'http://localhost/',
    'http://localhost:8042/',
    'http://pacs.localhost/',
    'http://127.0.0.1/',
    'http://127.1.2.3:80/',
    'http://[::1]:8042/',
  ];
  for (const url of urls) assert.equal((await send(url, { baseURL: 'https://page.example/' })).status, 200, url);
  assert.equal(asked.length, urls.length);
});

test('a page by https may ask by https, and one by http either', async (t) => {
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

/** The header X-Service of a request to `url`, with the services given by address and name. */
async function serviceOf(url, services) {
  const named = services.map(([base, name]) => [base, { 'X-Service': name }]);
  await send(url, { services: new Map(named) });
  return seen.at(-1).headers['x-service'];
}

for (const [path, expected] of [
  ['/dicom-web', 'one'],
  ['/dicom-web/studies', 'one'],
  ['/dicom-web/studies/1/series?limit=2', 'one'],
  ['/dicom-web2', undefined],
  ['/dicom-web2/studies', undefined],
  ['/dicom-we', undefined],
  ['/x/dicom-web/studies', undefined],
  ['/', undefined],
  ['/second/studies', 'two'],
]) {
  test(`the service of ${path}`, async () => {
    assert.equal(
      await serviceOf(`${site}${path}`, [
        [`${site}/dicom-web`, 'one'],
        [`${site}/second`, 'two'],
      ]),
      expected,
    );
    assert.equal(
      await serviceOf(path, [
        ['/dicom-web', 'one'],
        ['../second', 'two'],
      ]),
      expected,
      'relative to the page',
    );
  });
}

test('a service may be all of a server, and its address may end with a slash', async () => {
  for (const base of [site, `${site}/`, '/'])
    assert.equal(await serviceOf(`${site}/any/where`, [[base, 'one']]), 'one', base);
  assert.equal(await serviceOf(`${other}/any/where`, [[site, 'one']]), undefined);
  assert.equal(await serviceOf('/dicom-web/studies', [['/dicom-web/', 'one']]), 'one');
  assert.equal(await serviceOf('/dicom-web2', [['/dicom-web/', 'one']]), undefined);
});

test('of services that enclose each other all count, the later first', async () => {
  const services = new Map([
    ['/', { 'X-Both': 'outer', 'X-Outer': '1' }],
    ['/body', { 'x-both': 'inner', 'X-Inner': '2' }],
  ]);
  await send('/body', { services });
  const { headers } = seen.at(-1);
  assert.deepEqual([headers['x-both'], headers['x-outer'], headers['x-inner']], ['inner', '1', '2']);
});

test('headers of a service are not sent to another origin', async () => {
  assert.equal(await serviceOf(`${other}/dicom-web/studies`, [['/dicom-web', 'one']]), undefined);
  assert.equal(await serviceOf(`${other}/dicom-web/studies`, [[`${other}/dicom-web`, 'one']]), 'one');
});

test('headers of a service go before those of the page, and after those of the request', async () => {
  const services = new Map([['/body', { 'X-Page': 'service', 'X-Request': 'service' }]]);
  let shown;
  await send(
    { url: '/body', headers: { 'X-Request': 'request' } },
    { headers: { 'X-Page': 'page' }, services, hook: async ({ headers }) => void (shown = headers) },
  );
  const { headers } = seen.at(-1);
  assert.deepEqual([headers['x-page'], headers['x-request']], ['service', 'request']);
  assert.deepEqual(shown, { 'X-Page': 'service', 'X-Request': 'request' });
});

test('a service that is told later counts from then on', async () => {
  const services = new Map();
  const sender = createSend(
    {
      baseURL: site,
      headers: {},
      credentials: 'same-origin',
      origins: [],
      linkedOrigins: 'without-secrets',
      hooks: [],
      services,
      granted: new Map(),
    },
    new Map(),
  );
  const ask = () => sender({ url: '/body', headers: {} }, new AbortController().signal, () => {});
  await ask();
  assert.equal(seen.at(-1).headers['x-service'], undefined);
  services.set('/body', { 'X-Service': 'one' });
  await ask();
  assert.equal(seen.at(-1).headers['x-service'], 'one');
});

// ------------------------------------------------------------------ redirects

const SECRETS = { Authorization: 'Bearer secret', 'X-Token': 'secret' };

test('a redirect tells where it led', async () => {
  assert.equal((await send('/moved')).url, `${site}/body`);
  assert.equal((await send('/moved', { headers: SECRETS })).url, `${site}/body`);
});

test('headers that identify the user do not follow to another origin', async () => {
  const { answer, trip } = await tripOf('/away', { headers: SECRETS }, 'authorization', 'x-token');
  assert.deepEqual([answer.url, answer.status], [`${other}/body`, 200]);
  equal(answer.body, BODY);
  const elsewhere = trip.filter(([at]) => at === other);
  assert.deepEqual(elsewhere, [[other, '/body', undefined, undefined]]);
  assert.deepEqual(trip[0], [site, '/away', 'Bearer secret', 'secret']);
});

for (const source of ['the request', 'the page', 'the hook', 'a service']) {
  test(`headers of ${source} do not follow to another origin`, async () => {
    const headers = { 'x-ToKeN': 'secret' };
    const options = {
      'the page': { headers },
      'the hook': { hook: async () => ({ headers }) },
      'a service': { services: new Map([['/away', headers]]) },
    }[source];
    const { trip } = await tripOf(
      { url: '/away', headers: source === 'the request' ? headers : {} },
      options,
      'x-token',
    );
    assert.deepEqual(trip[0], [site, '/away', 'secret']);
    assert.deepEqual(trip.at(-1), [other, '/body', undefined]);
  });
}

test('a refusal of another origin is no reason to tell it more', async () => {
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
  test(`on the same origin they follow: ${path}`, async () => {
    const { answer, trip } = await tripOf(path, { headers: SECRETS }, 'authorization', 'x-token');
    assert.deepEqual([answer.url, answer.status], [`${site}/guarded`, 200]);
    assert.deepEqual(trip.at(-1), [site, '/guarded', 'Bearer secret', 'secret']);
    equal(answer.body, BODY);
  });
}

test('what anybody may have on the same origin is not taken for what the user may', async () => {
  const { body } = await send('/to-personal', { headers: SECRETS });
  assert.equal(Buffer.from(body).toString(), 'yours');
});

test('by way of another origin and back they reach their own only', async () => {
  const { answer, trip } = await tripOf('/round', { headers: SECRETS }, 'authorization', 'x-token');
  assert.equal(answer.status, 200);
  for (const [at, , ...secrets] of trip) if (at === other) assert.deepEqual(secrets, [undefined, undefined]);
  assert.deepEqual(trip.at(-1), [site, '/guarded', 'Bearer secret', 'secret']);
});

test('a refusal behind a redirect is that of the user', async () => {
  const { answer } = await tripOf('/to-refused', { headers: SECRETS });
  assert.deepEqual([answer.status, answer.url], [503, `${site}/refused`]);
});

test('a redirect without secrets is one request of the browser', async (t) => {
  const fetches = t.mock.method(globalThis, 'fetch', browserFetch).mock;
  await send({ url: '/moved', headers: { Accept: '*/*' } });
  assert.deepEqual(
    fetches.calls.map(({ arguments: [, { redirect }] }) => redirect),
    [undefined],
  );
});

test('no redirect is one request, with secrets too', async () => {
  assert.equal((await tripOf('/guarded', { headers: SECRETS })).trip.length, 1);
  assert.equal((await tripOf('/refused', { headers: SECRETS })).trip.length, 1);
});

test('a redirect loop ends', async () => {
  for (const headers of [{}, SECRETS]) assert.equal((await send('/loop', { headers })).kind, 'network');
});

test('a loop for those who are known ends with what others get', async () => {
  const { answer, trip } = await tripOf('/labyrinth', { headers: SECRETS });
  assert.equal(answer.status, 401);
  assert.ok(trip.length <= 12, `${trip.length} requests`);
});

test('headers of a service are computed anew for where a redirect leads', async () => {
  const services = new Map([['/to-guarded', { 'X-Token': 'secret', 'X-Service': 'one' }]]);
  const { trip } = await tripOf('/to-guarded', { services }, 'x-service');
  assert.deepEqual(trip.at(-1), [site, '/guarded', undefined], 'it left the service');
  services.set('/guarded', { 'X-Token': 'secret', 'X-Service': 'two' });
  const again = await tripOf('/to-guarded', { services }, 'x-service');
  assert.deepEqual(again.trip.at(-1), [site, '/guarded', 'two']);
});

test('a named origin behind a redirect has what is meant for it, and nothing of the service before', async () => {
  const services = new Map([['/away', { 'X-Service': 'one' }]]);
  const { trip } = await tripOf('/away', { headers: SECRETS, origins: [other], services }, 'x-token', 'x-service');
  assert.deepEqual(trip[0], [site, '/away', 'secret', 'one']);
  assert.deepEqual(trip.at(-1), [other, '/body', 'secret', undefined]);
});

test('cookies follow no redirect to an origin that is not named', async (t) => {
  const modes = [];
  t.mock.method(
    globalThis,
    'fetch',
    async (url, init) => (
      modes.push([new URL(url).origin === site, init.credentials, init.redirect]), browserFetch(url, init)
    ),
  );
  await send('/away', { credentials: 'include' });
  assert.deepEqual(modes, [
    [true, 'include', 'manual'],
    [true, 'same-origin', undefined],
  ]);
});

test('the hook sees where a redirect leads', async () => {
  const urls = [];
  await send('/to-guarded', { headers: SECRETS, hook: async ({ url }) => void urls.push(url) });
  assert.deepEqual(urls, [`${site}/to-guarded`, `${site}/guarded`]);
});

// ------------------------------------------------------------------ origins that are not named

test('an origin that is not named gets no header of the page, no hook and no cookies', async (t) => {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (url, init) => (asked.push(init.credentials), browserFetch(url, init)));
  const hook = async () => assert.fail('it was asked');
  const answer = await send(
    { url: `${other}/guarded`, headers: { Accept: 'a/b', 'X-Own': '1' } },
    { headers: { ...SECRETS, Accept: 'page/page' }, credentials: 'include', hook },
  );
  const { headers } = seen.at(-1);
  assert.deepEqual(
    [headers.authorization, headers['x-token'], headers.accept, headers['x-own']],
    [undefined, undefined, 'a/b', '1'],
  );
  assert.deepEqual(asked, ['same-origin']);
  assert.deepEqual(
    [answer.status, answer.withheld],
    [401, ['Authorization', 'X-Token', 'Accept', 'cookies', 'beforeRequest']],
  );
});

for (const [what, changes] of [
  ['by origins', () => ({ origins: [other] })],
  [
    'by a service, whose own headers it has only below its address',
    () => ({ services: new Map([[`${other}/dicom-web`, { 'X-Service': '1' }]]) }),
  ],
]) {
  test(`an origin that is named ${what}`, async () => {
    const origins = [];
    const hook = async ({ origin }) => void origins.push(origin);
    const answer = await send(`${other}/guarded`, { headers: SECRETS, hook, ...changes() });
    assert.deepEqual([answer.status, answer.withheld, seen.at(-1).headers['x-service']], [200, undefined, undefined]);
    assert.deepEqual(origins, [other]);
  });
}

test('an origin is named with its port, not by its host alone', async () => {
  for (const origins of [
    [other.replace(/:\d+$/, '')],
    [other.replace('http', 'https')],
    ['http://127.0.0.1.example'],
    [site],
  ]) {
    await send(`${other}/body`, { headers: SECRETS, origins });
    assert.equal(seen.at(-1).headers['x-token'], undefined, origins[0]);
  }
});

test('a page of an opaque origin names none by it', async () => {
  await send(`${other}/body`, { headers: SECRETS, baseURL: 'data:text/html,' });
  assert.equal(seen.at(-1).headers['x-token'], undefined);
});

test('a hook cannot send secrets to an origin that is not named', async () => {
  const hook = async ({ headers }) => ({
    url: `${other}/guarded`,
    headers: { ...headers, 'X-Hook': '1' },
    credentials: 'include',
  });
  const answer = await send({ url: '/body', headers: { Accept: 'a/b' } }, { headers: SECRETS, hook });
  const { headers } = seen.at(-1);
  assert.deepEqual([headers['x-token'], headers['x-hook'], headers.accept], [undefined, undefined, 'a/b']);
  assert.deepEqual([answer.status, answer.withheld], [401, ['Authorization', 'X-Token', 'X-Hook']]);
  assert.equal((await send('/body', { headers: SECRETS, hook, origins: [other] })).status, 200);
});

test('a hook that changes its request in place', async () => {
  const hook = async (request) => {
    request.headers.Authorization = 'Bearer in place';
    return request;
  };
  await send('/body', { hook });
  assert.equal(seen.at(-1).headers.authorization, 'Bearer in place');
});

for (const [path, expected] of [
  ['/dicom-web/studies/..%2f..%2fadmin', undefined],
  ['/dicom-web/..%2Fadmin', undefined],
  ['/dicom-web/%2e%2e%2fadmin', undefined],
  ['/dicom-web/..%5cadmin', undefined],
  ['/dicom-web/%252e%252e%252fadmin', undefined],
  ['/dicom-web/a%2f..', undefined],
  ['/dicom-web/a..b/..c', 'one'],
  ['/dicom-web/a%2fb', 'one'],
  ['/dicom-web?x=..%2f', 'one'],
]) {
  test(`a way out of a service: ${path}`, async () => {
    assert.equal(await serviceOf(`${site}${path}`, [['/dicom-web', 'one']]), expected);
  });
}

// ------------------------------------------------------------------ addresses that an answer names

const LINKED = { headers: SECRETS, credentials: 'include', hook: async () => assert.fail('it was asked') };

test('an address that the answer of another origin names is asked without secrets, the own one too', async (t) => {
  const modes = [];
  t.mock.method(globalThis, 'fetch', async (url, init) => (modes.push(init.credentials), browserFetch(url, init)));
  for (const [url, linkedFrom] of [
    [`${site}/body`, `${other}/metadata`],
    [`${other}/body`, `${site}/metadata`],
    [`${other}/body`, '/metadata'],
  ]) {
    const answer = await send(
      { url, linkedFrom, headers: { Accept: 'a/b', 'X-Own': '1' } },
      { ...LINKED, origins: [other] },
    );
    const { headers } = seen.at(-1);
    assert.deepEqual(
      [headers['x-token'], headers['x-own'], headers.accept, answer.status],
      [undefined, undefined, 'a/b', 200],
    );
  }
  assert.deepEqual(modes, ['omit', 'omit', 'omit']);
});

test('one of the same origin has what the page gives', async () => {
  for (const linkedFrom of [`${site}/metadata`, '/metadata'])
    assert.equal((await send({ url: '/guarded', linkedFrom }, { headers: SECRETS })).status, 200);
});

test('one of another origin may be refused', async () => {
  const error = await unsent({ url: `${other}/body`, linkedFrom: '/metadata' }, { linkedOrigins: 'refuse' });
  assert.match(error, /an answer of http:.* names it, which is another origin; init\(\{ linkedOrigins/);
  assert.equal((await send({ url: '/body', linkedFrom: '/metadata' }, { linkedOrigins: 'refuse' })).status, 200);
});

test('none changes the scheme, but to https', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => new Response(''));
  const page = { baseURL: 'http://page/' };
  for (const url of ['file:///etc/passwd', 'ftp://host/a', 'data:text/plain,a', 'blob:http://page/1', 'javascript:1']) {
    assert.match(
      await unsent({ url, linkedFrom: 'http://pacs/metadata' }, page),
      /may name addresses of http alone/,
      url,
    );
  }
  assert.match(
    await unsent({ url: 'http://localhost/a', linkedFrom: 'https://pacs/metadata' }, page),
    /may name addresses of https alone/,
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

test('a local file answers by its name', async () => {
  const { answer, reports } = await reportsOf('localfile:0', { files });
  const headers = { 'content-type': 'application/dicom', 'content-length': '6', 'accept-ranges': 'bytes' };
  assert.deepEqual(answer, { url: 'localfile:0', status: 200, headers, body: BODY });
  assert.deepEqual(reports, [[6, 6]]);
});

test('a File tells what it is called', async () => {
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

for (const [byteRange, place] of [
  [[2, 5], 'bytes 2-4/6'],
  [[0, 6], 'bytes 0-5/6'],
  [[2, 100], 'bytes 2-5/6'],
  [[2], 'bytes 2-5/6'],
  [[0], 'bytes 0-5/6'],
  [[5], 'bytes 5-5/6'],
]) {
  test(`the part ${JSON.stringify(byteRange)} of a local file`, async () => {
    const { status, headers, body } = await send({ url: 'localfile:0', byteRange }, { files });
    assert.deepEqual([status, body], [206, BODY.subarray(...byteRange)]);
    assert.deepEqual([headers['content-range'], headers['content-length']], [place, String(body.length)]);
  });
}

for (const byteRange of [[6], [6, 10], [100], [100, 200]]) {
  test(`the part ${JSON.stringify(byteRange)} is not in a local file`, async () => {
    const { status, headers, body } = await send({ url: 'localfile:0', byteRange }, { files });
    assert.deepEqual([status, body.length, headers['content-range']], [416, 0, 'bytes */6']);
  });
}

test('the header of a range is nothing to a local file', async () => {
  const { status } = await send({ url: 'localfile:0', headers: { Range: 'bytes=0-1' } }, { files });
  assert.equal(status, 200);
});

test('local files are fed as bodies are', async () => {
  assert.deepEqual((await fedFrom('localfile:0', { files })).chunks, [Buffer.from(BODY)]);
  equal((await fedFrom('localfile:2', { files })).bytes, LARGE);
  assert.deepEqual((await fedFrom({ url: 'localfile:0', byteRange: [6] }, { files })).heads, [], 'not for refusals');
});

test('local files are not asked of the server, nor shown to the hook', async () => {
  const count = seen.length;
  const hook = async () => {
    throw new Error('asked');
  };
  assert.deepEqual((await send('localfile:0', { files, hook })).body, BODY);
  assert.equal(seen.length, count);
});

test('a local file that is not there says how it would be', async () => {
  const error = await unsent('localfile:7', { files });
  assert.equal(
    error,
    'could not fetch localfile:7: no file of this name was added here, or removeFile() has ended it: the names that addFile() returns hold on their page alone',
  );
});
