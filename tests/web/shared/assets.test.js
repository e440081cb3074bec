// Files of dist/: each is fetched with its digest.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { assetWith, fetchAnd, integrityOf } from '../../../web/shared/assets.js';

const FILE = new TextEncoder().encode('as the build made it');
const digest = (algorithm, encoding) => createHash(algorithm).update(FILE).digest(encoding);
const ASSET = assetWith({ assetsURL: 'https://page/' }, 'a.wasm', [digest('sha256', 'hex'), '00'.repeat(32)]);
const originalFetch = globalThis.fetch;
/** @type {{url: string, init: RequestInit}[]} */
let asked;

beforeEach(() => {
  asked = [];
});
afterEach(() => {
  globalThis.fetch = originalFetch;
});

/** Answer as a browser that verifies, with one body after the other. */
function answerWith(...bodies) {
  globalThis.fetch = async (url, init) => {
    asked.push({ url, init });
    const body = bodies.shift();
    const found = createHash('sha256').update(body).digest('base64');
    if (!init.integrity.split(' ').includes(`sha256-${found}`)) throw new TypeError('Failed to fetch');
    return new Response(body);
  };
}
const text = (answer) => answer.text();

test('the address holds the digest, and the integrity each that is right', () => {
  assert.equal(ASSET.url, `https://page/a.wasm?${digest('sha256', 'hex').slice(0, 12)}`);
  assert.equal(
    integrityOf(ASSET),
    `sha256-${digest('sha256', 'base64')} sha256-${Buffer.alloc(32).toString('base64')}`,
  );
});

test('a file is where a bundler has put it', () => {
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

test('the file is used', async () => {
  answerWith(FILE);
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
});

test('another file is not, and is asked for once more past the cache', async () => {
  answerWith('another', 'one more');
  await assert.rejects(
    fetchAnd(ASSET, text),
    /a\.wasm\?[0-9a-f]{12} cannot be fetched, or is not the file that the build made/,
  );
  assert.deepEqual(
    asked.map(({ init }) => init.cache),
    [undefined, 'reload'],
  );
  answerWith('torn', FILE);
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
});
