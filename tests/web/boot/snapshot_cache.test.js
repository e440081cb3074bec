// @ts-check
// The snapshot that is kept for the next visit: only as the build made it, and only on a secure origin.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { SnapshotCache } from '../../../web/boot/snapshot_cache.js';

const FILE = Uint8Array.from({ length: 4096 }, (_, at) => at % 251);
const SHA256 = createHash('sha256').update(FILE).digest('hex');
const URL_OF = 'https://page/pyodide/snapshot.bin?0123456789ab';
const ASSET = { url: URL_OF, sha256: [SHA256, 'of what is packed'] };

/** @type {Map<string, Response>} */
let stored;
let opened = 0;

beforeEach(() => {
  stored = new Map();
  opened = 0;
  globalThis.isSecureContext = true;
  globalThis.caches = /** @type {any} */ ({
    open: async () => {
      opened++;
      return {
        match: async (/** @type {string} */ url) => stored.get(url)?.clone(),
        keys: async () => [...stored.keys()].map((url) => ({ url })),
        put: async (/** @type {string} */ url, /** @type {Response} */ response) => void stored.set(url, response),
        delete: async (/** @type {Request} */ { url }) => stored.delete(url),
      };
    },
  });
});

test('a file that was kept is given when it has the digest', async () => {
  stored.set(URL_OF, new Response(FILE));
  const kept = new SnapshotCache(ASSET);
  const file = await kept.file;
  assert.ok(file);
  assert.deepEqual([await kept.isFound, new Uint8Array(file)], [true, FILE]);
});

test('another file is not, whatever stands beside it', async () => {
  for (const other of [FILE.map((byte, at) => (at === 1000 ? byte ^ 1 : byte)), FILE.slice(0, 100), new Uint8Array()]) {
    const headers = { 'x-sum': SHA256, ETag: SHA256 };
    stored.set(URL_OF, new Response(other, { headers }));
    const kept = new SnapshotCache(ASSET);
    assert.deepEqual([await kept.isFound, await kept.file], [true, undefined]);
  }
});

test('what was not kept is not found, nor what a storage is silent about or refuses', async (t) => {
  assert.deepEqual([await new SnapshotCache(ASSET).isFound, await new SnapshotCache(ASSET).file], [false, undefined]);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const open of [() => new Promise(() => {}), () => Promise.reject(new Error('full'))]) {
    globalThis.caches = /** @type {any} */ ({ open });
    const kept = new SnapshotCache(ASSET);
    t.mock.timers.tick(2000);
    assert.deepEqual([await kept.isFound, await kept.file], [false, undefined]);
  }
});

test('on an insecure origin nothing is looked for, and nothing is kept', async (t) => {
  globalThis.isSecureContext = false;
  stored.set(URL_OF, new Response(FILE));
  const kept = new SnapshotCache(ASSET);
  assert.equal(await kept.file, undefined);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await kept.keep(FILE.buffer);
  t.mock.timers.tick(60_000);
  assert.deepEqual([opened, stored.size], [0, 1]);
});

test('the file is kept in place of those of other builds', async (t) => {
  stored
    .set('https://page/pyodide/snapshot.bin?old', new Response('old'))
    .set('https://page/other', new Response('theirs'));
  const kept = new SnapshotCache(ASSET);
  assert.equal(await kept.file, undefined);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await kept.keep(FILE.buffer);
  t.mock.timers.tick(60_000);
  t.mock.timers.reset();
  while (!stored.has(URL_OF)) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([...stored.keys()], ['https://page/other', URL_OF]);
});
