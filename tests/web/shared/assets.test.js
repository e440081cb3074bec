// @ts-check
// Files of dist/: each is fetched with its digest.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { assetWith, fetchAnd, integrityOf } from '../../../web/shared/assets.js';

const FILE = new TextEncoder().encode('as the build made it');
/** @param {'hex' | 'base64'} encoding */
const digest = (encoding) => createHash('sha256').update(FILE).digest(encoding);
const ASSET = assetWith({ assetsURL: 'https://page/' }, 'a.wasm', [digest('hex'), '00'.repeat(32)]);
const originalFetch = globalThis.fetch;
/** What `fetch` was given. @type {{url: string, cache?: RequestCache}[]} */
let asked;

beforeEach(() => {
  asked = [];
});
afterEach(() => {
  globalThis.fetch = originalFetch;
});

/**
 * Respond as a browser that verifies, with one body after the other.
 * @param {(string | Uint8Array<ArrayBuffer>)[]} bodies
 */
function respondWith(...bodies) {
  globalThis.fetch = async (url, { integrity = '', cache } = {}) => {
    asked.push({ url: String(url), cache });
    const body = bodies.shift() ?? '';
    const found = createHash('sha256').update(body).digest('base64');
    if (!integrity.split(' ').includes(`sha256-${found}`)) throw new TypeError('Failed to fetch');
    return new Response(body);
  };
}
/** @param {Response} response */
const text = (response) => response.text();

test('the address has the first digest, the integrity all of them', () => {
  assert.equal(ASSET.url, `https://page/a.wasm?${digest('hex').slice(0, 12)}`);
  assert.equal(integrityOf(ASSET), `sha256-${digest('base64')} sha256-${Buffer.alloc(32).toString('base64')}`);
});

test('a bundler may have moved a file', () => {
  const assets = {
    assetsURL: 'https://page/',
    assetURLs: { 'a.wasm': 'https://page/static/a.1f2e.wasm', 'b.wasm': 'https://page/b?v=1' },
  };
  const urls = ['a.wasm', 'b.wasm', 'c.wasm'].map((file) => assetWith(assets, file, ['0123456789abcdef']).url);
  assert.deepEqual(urls, [
    'https://page/static/a.1f2e.wasm?0123456789ab',
    'https://page/b?v=1&0123456789ab',
    'https://page/c.wasm?0123456789ab',
  ]);
});

test('the right file is used', async () => {
  respondWith(FILE);
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
});

test('a wrong file is refused, after a second request past the cache', async () => {
  respondWith('another', 'one more');
  await assert.rejects(
    fetchAnd(ASSET, text),
    /a\.wasm\?[0-9a-f]{12} cannot be fetched, or is not the file that the build made/,
  );
  assert.deepEqual(
    asked.map(({ cache }) => cache),
    [undefined, 'reload'],
  );
  respondWith('torn', FILE);
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
});
