// Files of dist/: what is made of one counts only when its digest is right.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { assetWith, fetchAnd, fetchAsset, integrityOf } from '../../web/assets.js';

const FILE = new TextEncoder().encode('as the build made it');
const digest = (algorithm, encoding) => createHash(algorithm).update(FILE).digest(encoding);
const ASSET = assetWith('https://page/', 'a.wasm', [digest('sha256', 'hex'), '00'.repeat(32)]);
const originalFetch = globalThis.fetch;
/** @type {{url: string, init: RequestInit}[]} */
let asked;

beforeEach(() => {
  asked = [];
  globalThis.isSecureContext = true;
});
afterEach(() => {
  globalThis.fetch = originalFetch;
});

/** Answer with one body after the other. */
function answerWith(...bodies) {
  globalThis.fetch = async (url, init) => {
    asked.push({ url, init });
    init.signal?.throwIfAborted();
    return new Response(bodies.shift());
  };
}
const text = (answer) => answer.text();

test('the address holds the digest, and the integrity each that is right', () => {
  assert.equal(ASSET.url, `https://page/a.wasm?${digest('sha256', 'hex').slice(0, 12)}`);
  assert.equal(integrityOf(ASSET), `sha256-${digest('sha256', 'base64')} sha256-${Buffer.alloc(32).toString('base64')}`);
});

test('what is made of the file is given', async () => {
  answerWith(FILE);
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
  assert.equal(asked[0].init.integrity, undefined, 'it is used as it comes');
});

test('of another file nothing is given, and it is asked for once more past the cache', async () => {
  answerWith('another', 'one more');
  await assert.rejects(fetchAnd(ASSET, text), { message: `${ASSET.url} is not the file that the build made` });
  assert.deepEqual(asked.map(({ init }) => init.cache), [undefined, 'reload']);
  answerWith('torn', FILE);
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
});

test('that it is another file counts more than what comes of using it', async () => {
  answerWith('another', 'another');
  await assert.rejects(fetchAnd(ASSET, () => Promise.reject(new Error('cannot be compiled'))), /is not the file that the build made/);
  answerWith(FILE, FILE);
  await assert.rejects(fetchAnd(ASSET, () => Promise.reject(new Error('cannot be compiled'))), /cannot be compiled/);
});

test('an answer that nobody wants any more is not asked for again', async () => {
  answerWith(FILE, FILE);
  await assert.rejects(fetchAnd(ASSET, text, AbortSignal.abort()));
  assert.equal(asked.length, 1);
});

test('on an insecure origin, and for what is fetched whole, the browser verifies', async () => {
  answerWith(FILE, FILE);
  await fetchAsset(ASSET);
  globalThis.isSecureContext = false;
  assert.equal(await fetchAnd(ASSET, text), 'as the build made it');
  assert.deepEqual(asked.map(({ init }) => init.integrity), [integrityOf(ASSET), integrityOf(ASSET)]);
});
