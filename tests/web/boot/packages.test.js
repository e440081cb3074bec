// @ts-check
// Python packages: what is fetched for them, in which order, and what the page does not allow.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import '../../support/web/lock.js';
import { Packages, BundledPackages } from '../../../web/boot/packages.js';

/** @typedef {import('../../../web/boot/python.d.ts').Pyodide} Pyodide */
/** @typedef {import('../../../web/boot/python.d.ts').PackagesBridge} PackagesBridge */
/** @typedef {import('../../../web/boot/python.d.ts').PackagesPage} PackagesPage */
/** @typedef {import('../../../web/boot/lock.js').Row} Row */
/** @typedef {import('../../../web/boot/packages.js').Arrival} Arrival */
/** @typedef {import('../../../web/boot/packages.js').Settings} Settings */
/** @typedef {Response | ((init: RequestInit) => Response | Promise<Response>)} Answer of a server */
/** @typedef {{answers?: Record<string, Answer>, settings?: Partial<Settings>}} Options */
/** @typedef {Options & {bridge?: Partial<PackagesBridge>}} OptionsAndBridge */

const ZIP = new Uint8Array([0x50, 0x4b, 3, 4, 9]);
const PAGE = 'https://page.example/folder/index.html';
const DIST = 'https://cdn.example/dist/pyodide/';
const ROWS = {
  a: row('a', ['b']),
  b: row('b', ['c', 'numpy']),
  c: row('c', []),
  micropip: row('micropip', []),
  numpy: row('numpy', []),
  'two-words': row('two-words', [], ['two_words']),
};
const VERSION = /\?[0-9a-f]{12}$/;
const originalFetch = globalThis.fetch;

/** @param {string} name @param {string[]} depends @param {string[]} imports @returns {Row} */
function row(name, depends, imports = [name]) {
  const sha256 = createHash('sha256').update(ZIP).digest('hex');
  return { name, depends, imports, version: '1.0', file_name: `${name}.whl`, sha256 };
}

afterEach(() => {
  globalThis.fetch = originalFetch;
});

/** How a promise was rejected. @param {PromiseSettledResult<unknown>} settled */
function reasonOf(settled) {
  assert.ok(settled.status === 'rejected');
  return settled.reason;
}

/** Answer when the request is cancelled, and no sooner. @param {RequestInit} init @returns {Promise<Response>} */
function never({ signal }) {
  assert.ok(signal);
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/**
 * An interpreter with numpy; `answers` are responses by address, `asked` the addresses.
 * @param {OptionsAndBridge} options
 */
function setUp({ answers = {}, settings = {}, bridge = {} } = {}) {
  /** @type {string[]} */
  const asked = [];
  /** @type {Uint8Array[]} */
  const unpacked = [];
  /** @type {Arrival[]} */
  const reports = [];
  globalThis.fetch = async (input, init = {}) => {
    const url = String(input);
    const plain = url.replace(VERSION, '');
    asked.push(plain);
    if (plain.startsWith(DIST)) assert.match(url, VERSION, 'no cache may give a file of another build');
    await sleep(1);
    const answer = answers[plain] ?? new Response(ZIP);
    return answer instanceof Function ? answer(init) : answer.clone();
  };
  const fake = {
    loadedPackages: { NumPy: 'default channel' },
    unpackArchive: (/** @type {ArrayBuffer} */ body) => unpacked.push(new Uint8Array(body)),
    pyimport: () => ({ clear() {}, destroy() {} }),
  };
  const pyodide = /** @type {Pyodide} */ (/** @type {unknown} */ (fake));
  const bundled = new BundledPackages({ assetsURL: new URL('..', DIST).href });
  bundled.rows = ROWS;
  const options = {
    assetsURL: 'https://cdn.example/dist/',
    baseURL: PAGE,
    packageIndexes: [],
    requestTimeout: 200,
    ...settings,
  };
  const packages = new Packages(pyodide, bundled, options, (arrival) => reports.push(arrival));
  /** @type {PackagesBridge} */
  const whole = { limit_micropip: () => {}, add_packages: async () => undefined, lacking_imports: () => [], ...bridge };
  return { packages, bridge: whole, asked, unpacked, reports, pyodide };
}

/** The functions that pyloader/browser/packages.py asks the page by. @param {Options} options */
async function pageOf(options) {
  /** @type {PackagesPage[]} */
  const pages = [];
  const set = setUp({ ...options, bridge: { add_packages: async (_, given) => void pages.push(given) } });
  await set.packages.install(set.bridge, ['a>=1']);
  set.asked.length = set.reports.length = 0;
  return { ...set, page: pages[0] };
}

test('names of dist/ come with what they need, not what is there, and without micropip', async () => {
  const { packages, bridge, asked, unpacked, pyodide } = setUp();
  await packages.install(bridge, ['a', 'Two_Words', 'numpy']);
  assert.deepEqual(asked.map((url) => url.replace(DIST, '')).sort(), ['a.whl', 'b.whl', 'c.whl', 'two-words.whl']);
  assert.equal(unpacked.length, 4);
  assert.deepEqual(Object.keys(pyodide.loadedPackages).sort(), ['NumPy', 'a', 'b', 'c', 'two-words']);
  await packages.install(bridge, ['a', 'c']);
  assert.equal(asked.length, 4);
});

test('files of dist/ are checked by their digest', async () => {
  /** @type {unknown[]} */
  const digests = [];
  const answer = (/** @type {RequestInit} */ { integrity }) => {
    digests.push(integrity);
    return new Response(ZIP);
  };
  const { packages, bridge } = setUp({ answers: { [`${DIST}c.whl`]: answer } });
  await packages.install(bridge, ['c']);
  assert.deepEqual(digests, [`sha256-${createHash('sha256').update(ZIP).digest('base64')}`]);
});

test('versions and URLs go to micropip, absolute, after it was told the indexes', async () => {
  /** @type {unknown[]} */
  const calls = [];
  /** @type {Partial<PackagesBridge>} */
  const bridge = {
    limit_micropip: (indexes) => calls.push(['limit', indexes]),
    add_packages: async (wanted) => void calls.push(['add', wanted]),
  };
  const set = setUp({ bridge, settings: { packageIndexes: ['/simple/', 'https://index.example/simple'] } });
  await set.packages.install(set.bridge, [' a>=1 ', '../wheels/x-1-py3-none-any.whl?v=2', 'b @ x.whl']);
  const indexes = ['https://page.example/simple', 'https://index.example/simple'];
  const wanted = ['a>=1', 'https://page.example/wheels/x-1-py3-none-any.whl?v=2', 'b @ x.whl'];
  assert.deepEqual(calls, [
    ['limit', indexes],
    ['add', wanted],
  ]);
  assert.deepEqual(set.asked, [`${DIST}micropip.whl`]);
});

test('wheels are relative to where the page is now', async () => {
  /** @type {unknown[]} */
  const wanted = [];
  const set = setUp({ bridge: { add_packages: async (given) => void wanted.push(given) } });
  await set.packages.install(set.bridge, ['x.whl'], { baseURL: 'https://page.example/other/' });
  assert.deepEqual(wanted, [['https://page.example/other/x.whl']]);
});

test('one installation waits for the one before, which may fail', async () => {
  const { packages, bridge, asked } = setUp({ answers: { [`${DIST}a.whl`]: new Response('', { status: 500 }) } });
  const [first, second] = await Promise.allSettled([packages.install(bridge, ['a']), packages.install(bridge, ['c'])]);
  const { code, kind, message } = reasonOf(first);
  assert.deepEqual([code, kind, second.status], ['package', 'PackageError', 'fulfilled']);
  assert.match(message, /a of dist\/ could not be installed: .*a\.whl\?[0-9a-f]{12} answered with status 500/);
  assert.deepEqual(asked.at(-1), `${DIST}c.whl`);
  const failed = await packages.install(bridge, ['a']).catch((error) => error);
  assert.equal(failed.code, 'package', 'it is tried again');
});

test('a wheel of dist/ that never comes holds up nobody for longer than requestTimeout', async () => {
  const { packages, bridge } = setUp({ answers: { [`${DIST}a.whl`]: never }, settings: { requestTimeout: 30 } });
  const [first, second] = await Promise.allSettled([packages.install(bridge, ['a']), packages.install(bridge, ['c'])]);
  const { code, message } = reasonOf(first);
  assert.deepEqual([code, second.status], ['package', 'fulfilled']);
  assert.match(message, /a of dist\/ could not be installed: no byte came for 30 ms/);
});

test('what Python could not install is the error of the page', async () => {
  const error = { name: 'PackageError', code: 'package', stage: 'loader', message: 'no such thing' };
  const { packages, bridge } = setUp({ bridge: { add_packages: async () => error } });
  await assert.rejects(packages.install(bridge, ['other']), {
    name: 'PyLoaderError',
    code: 'package',
    message: 'no such thing',
  });
});

test('imports bring packages by the names of their modules', async () => {
  const { packages, bridge, asked } = setUp({ bridge: { lacking_imports: () => ['two_words', 'skimage'] } });
  await packages.installImports(bridge, 'import two_words, skimage');
  assert.deepEqual(asked, [`${DIST}two-words.whl`]);
});

test('only the servers of the page, of dist/ and of indexes may be asked', async () => {
  const { page } = await pageOf({ settings: { packageIndexes: ['https://index.example/simple'] } });
  const found = (/** @type {string} */ url) => page.locate(url) ?? null;
  assert.equal(found('x.whl'), 'https://page.example/folder/x.whl');
  assert.equal(found('https://cdn.example/x.whl'), 'https://cdn.example/x.whl');
  assert.equal(found('https://index.example/files/x.whl'), 'https://index.example/files/x.whl');
  for (const url of [
    'https://elsewhere.example/x.whl',
    'http://page.example/x.whl',
    '//elsewhere.example/x.whl',
    'emfs:/x.whl',
    'file:///x.whl',
    'data:,x.whl',
  ]) {
    assert.equal(found(url), null, url);
  }
});

test('answers that are no wheels say what they are', async () => {
  const html = { headers: { 'Content-Type': 'text/html' } };
  const at = (/** @type {string} */ name) => `https://page.example/${name}.whl`;
  const { page } = await pageOf({
    answers: {
      [at('page')]: new Response('<!DOCTYPE html>', html),
      [at('none')]: new Response('', { status: 404 }),
      [at('down')]: () => Promise.reject(new TypeError('Failed to fetch')),
      [at('silent')]: never,
      'https://page.example/simple/x/': new Response('<a>', html),
    },
  });
  const words = async (/** @type {string} */ url) => {
    const failed = await page.fetch(url, '*/*');
    assert.ok('error' in failed);
    return failed.error.message;
  };
  assert.match(await words(at('page')), /the wheel .*page\.whl answered with a web page/);
  assert.match(await words(at('none')), /none\.whl answered with status 404/);
  assert.match(await words(at('down')), /could not be fetched \(Failed to fetch\).*Access-Control-Allow-Origin/);
  assert.match(await words(at('silent')), /no byte came for 200 ms/);
  const index = await page.fetch('https://page.example/simple/x/', 'text/html');
  assert.ok('body' in index);
  assert.deepEqual([index.type, new TextDecoder().decode(index.body)], ['text/html', '<a>']);
});

test('each part that arrives is reported', async () => {
  const body = () =>
    new ReadableStream({
      async start(controller) {
        controller.enqueue(ZIP);
        await sleep(5);
        controller.enqueue(ZIP);
        controller.close();
      },
    });
  const sized = (/** @type {HeadersInit} */ headers) => () => new Response(body(), { headers });
  const { page, reports } = await pageOf({
    answers: {
      'https://page.example/x.whl': sized({ 'Content-Length': '10' }),
      'https://page.example/packed.whl': sized({ 'Content-Length': '7', 'Content-Encoding': 'gzip' }),
    },
  });
  await page.fetch('https://page.example/x.whl', '*/*');
  assert.deepEqual(reports, [
    { file: 'x.whl', loaded: 5, total: 10 },
    { file: 'x.whl', loaded: 10, total: 10 },
  ]);
  await page.fetch('https://page.example/packed.whl', '*/*');
  assert.deepEqual(
    reports.slice(2).map(({ total }) => total),
    [undefined, undefined],
  );
});
