// @ts-check
// What init() may be told, at first and again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { havePage } from '../../support/web/page.js';
import {
  DEFAULTS,
  isOtherIdentity,
  plainHeaders,
  schedulerSettings,
  refuseFixed,
  settingsWith,
} from '../../../web/page/settings.js';

/** @typedef {import('../../../web/page/settings.js').Settings} Settings */

havePage('https://host/pages/index.html');
const FIRST = {
  ...DEFAULTS,
  assetsURL: 'https://host/dist/',
  assetURLs: { 'worker.mjs': 'https://host/assets/w.mjs' },
};
/** Settings after one call of init() after the other. */
const after = (/** @type {unknown[]} */ ...calls) =>
  calls.reduce((/** @type {Settings} */ settings, options) => settingsWith(settings, options, FIRST), FIRST);
/** An error of another kind than that of init(). @param {string} message */
const refuse = (message) =>
  /** @type {import('../../../web/shared/errors.js').PyLoaderError} */ (/** @type {Error} */ (new RangeError(message)));

test('what is not told again stays as it is', () => {
  const hook = () => {};
  const found = after(
    { headers: { A: '1' }, beforeRequest: hook, retries: 5, limits: { loadsPerWorker: 3 } },
    { timeout: 10 },
  );
  assert.deepEqual([found.headers, found.beforeRequest, found.retries, found.timeout], [{ A: '1' }, hook, 5, 10]);
  assert.deepEqual(found.limits, { ...DEFAULTS.limits, loadsPerWorker: 3 });
});

test('limits are told one by one', () => {
  const found = after({ limits: { loadsPerWorker: 3 } }, { limits: { requestsPerOrigin: 1 } });
  assert.deepEqual(found.limits, { ...DEFAULTS.limits, loadsPerWorker: 3, requestsPerOrigin: 1 });
});

test('headers that are given again take the place of all before', () => {
  assert.deepEqual(
    after({ headers: { Authorization: 'a', 'X-Tenant': '1' } }, { headers: { Authorization: 'b' } }).headers,
    { Authorization: 'b' },
  );
});

test('undefined is as if it was not told, null is the default', () => {
  const first = { headers: { A: '1' }, beforeRequest: () => {}, retries: 5, workers: 2, limits: { sourceBytes: 5 } };
  const nothing = Object.fromEntries(Object.keys(first).map((name) => [name, undefined]));
  assert.deepEqual(after(first, nothing), after(first));
  const defaults = Object.fromEntries(Object.keys(first).map((name) => [name, null]));
  assert.deepEqual(after(first, defaults), FIRST);
  assert.equal(
    after({ limits: { sourceBytes: 5 } }, { limits: { sourceBytes: null } }).limits.sourceBytes,
    DEFAULTS.limits.sourceBytes,
  );
});

test('nothing told changes nothing', () => {
  for (const nothing of [undefined, null]) assert.equal(settingsWith(FIRST, nothing, FIRST), FIRST);
});

test('the folder of the assets is absolute and ends with a slash', () => {
  for (const assetsURL of ['/lib', '/lib/', '../lib', new URL('https://host/lib')])
    assert.equal(after({ assetsURL }).assetsURL, 'https://host/lib/');
});

test('a folder that the page names has all files, where a bundler may have put others', () => {
  assert.equal(after({ retries: 1 }).assetURLs, FIRST.assetURLs);
  assert.equal(after({ assetsURL: '/lib' }).assetURLs, undefined);
  assert.equal(settingsWith(after({ assetsURL: '/lib' }), { assetsURL: null }, FIRST).assetURLs, FIRST.assetURLs);
});

const WRONG = {
  workers: [-1, 1.5, NaN, Infinity, 'x', '2', true, [], {}],
  assetsURL: ['http://[', 5, {}],
  packages: ['nibabel', [1], {}],
  packageIndexes: ['https://host', [null]],
  headers: ['Authorization: x', 5, ['a', 'b'], () => {}],
  beforeRequest: [5, 'x', {}, true],
  onUnauthorized: [5, 'x', {}],
  credentials: ['yes', true, 1],
  origins: ['https://pacs', [5], ['ftp://pacs'], ['https://'], [null], {}],
  linkedOrigins: ['ask', true, 0],
  timeout: ['x', '60', -1, NaN, {}],
  requestTimeout: ['x', -1, NaN],
  retries: ['2', -1, 0.5, Infinity],
  limits: [5, 'x', []],
  cacheBytes: ['1', -1, NaN],
};
for (const [name, values] of Object.entries(WRONG)) {
  test(`${name} that cannot be are refused by name`, () => {
    for (const value of values) {
      const refusal = {
        name: 'PyLoaderError',
        kind: 'BootError',
        code: 'boot',
        stage: 'boot',
        message: new RegExp(`^the option ${name} of init\\(\\) has to be .+, not `),
      };
      assert.throws(() => after({ [name]: value }), refusal, String(value));
    }
  });
}

test('every option and limit has been tried', () => {
  const { assetURLs: _, ...options } = FIRST; // the build's, no page's
  assert.deepEqual(Object.keys(WRONG).sort(), Object.keys(options).sort());
  for (const name of Object.keys(DEFAULTS.limits)) {
    for (const value of ['x', -1, NaN])
      assert.throws(() => after({ limits: { [name]: value } }), {
        code: 'boot',
        message: new RegExp(`the option limits\\.${name} of init`),
      });
  }
});

test('an origin is what an address begins with', () => {
  const given = [
    'https://pacs.example/dicom-web/',
    new URL('http://pacs:8042/x?y'),
    '/own',
    'HTTPS://PACS.example:443',
  ];
  assert.deepEqual(after({ origins: given }).origins, [
    'https://pacs.example',
    'http://pacs:8042',
    new URL(document.baseURI).origin,
    'https://pacs.example',
  ]);
});

test('no limit is a limit', () => {
  const limits = Object.fromEntries(Object.keys(DEFAULTS.limits).map((name) => [name, Infinity]));
  assert.deepEqual(after({ limits }).limits, limits);
  assert.equal(
    schedulerSettings(after({ requestTimeout: Infinity }), 0).boot.requestTimeout,
    0,
    'which Python takes for none',
  );
});

test('what is no object of options is refused', () => {
  for (const options of [5, 'x', true, [], () => {}])
    assert.throws(() => after(options), { code: 'boot', message: /takes an object of options/ });
});

test('what is refused leaves all as it was', () => {
  const settings = after({ retries: 1 });
  assert.throws(() => settingsWith(settings, { retries: 4, timeout: 'x' }, FIRST));
  assert.equal(settings.retries, 1);
});

// ------------------------------------------------------------------ headers

test('headers may come as Headers, numbers are texts, and what is absent is left out', () => {
  assert.deepEqual(after({ headers: new Headers({ 'X-A': '1' }) }).headers, { 'x-a': '1' });
  assert.deepEqual(after({ headers: { A: 1, B: undefined, C: null, D: true } }).headers, { A: '1', D: 'true' });
});

test('a header that is no text is refused by name', () => {
  for (const value of [{}, [], () => 'x', Symbol('x')])
    assert.throws(() => after({ headers: { 'X-Token': value } }), {
      code: 'boot',
      message: /the header X-Token has to be a text/,
    });
  assert.throws(() => plainHeaders({ A: {} }, refuse), RangeError);
});

// ------------------------------------------------------------------ what cannot change

test('what cannot change may be told again', () => {
  const first = after({ workers: 2, packages: ['a'], packageIndexes: ['https://b'], assetsURL: '/lib' });
  refuseFixed(
    first,
    settingsWith(
      first,
      { workers: 2, packages: ['a'], packageIndexes: ['https://b'], assetsURL: '/lib/', retries: 7 },
      FIRST,
    ),
    'x',
  );
});

/** @type {[name: string, value: unknown, said: string][]} */
const CHANGES = [
  ['workers', 2, "workers is 'auto', not 2"],
  ['assetsURL', '/b', 'dist/.*not .*/b/'],
  ['packages', ['a'], 'packages is \\[\\], not \\["a"\\]'],
  ['packageIndexes', ['https://b'], 'packageIndexes is'],
];
for (const [name, value, said] of CHANGES) {
  test(`${name} cannot change, and it is said who was first`, () => {
    const message = new RegExp(
      `^init\\(\\) was called by loadImage\\('x:a'\\) already, ` +
        `and ${name} cannot be changed any more \\(.*${said}.*\\): call init first`,
    );
    assert.throws(() => refuseFixed(FIRST, after({ [name]: value }), "loadImage('x:a')"), { code: 'boot', message });
  });
}

test('who asks is another with other headers, credentials or another hook', () => {
  const hook = () => {};
  const first = after({ headers: { A: '1' }, beforeRequest: hook });
  for (const same of [
    {},
    { headers: { A: '1' } },
    { beforeRequest: hook },
    { retries: 0 },
    { onUnauthorized: () => {} },
  ])
    assert.equal(isOtherIdentity(first, settingsWith(first, same, FIRST)), false);
  for (const other of [
    { headers: { A: '2' } },
    { headers: null },
    { credentials: 'include' },
    { origins: ['https://pacs'] },
    { beforeRequest: () => {} },
    { beforeRequest: null },
  ])
    assert.equal(isOtherIdentity(first, settingsWith(first, other, FIRST)), true);
});

test('headers are an object, Headers or a Map, and nothing else', () => {
  const given = { Authorization: 'a' };
  for (const headers of [given, new Headers(given), new Map(Object.entries(given))]) {
    assert.equal(new Headers(after({ headers }).headers).get('authorization'), 'a');
  }
  for (const headers of ['abc', 5, [['Authorization', 'a']], () => {}]) {
    assert.throws(() => plainHeaders(headers, refuse), {
      name: 'RangeError',
      message: /headers have to be an object of texts by name/,
    });
  }
});
