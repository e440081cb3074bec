// @ts-check
// The page's LRU of images.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageCache } from '../../../web/page/image_cache.js';

/** @typedef {ImageCache<{sizeInBytes: number}>} Cache */

const image = (/** @type {number} */ sizeInBytes) => ({ sizeInBytes });

/** A cache of 100 bytes that holds images of the given sizes, named a, b, c and so on. @param {number[]} sizes */
function filled(...sizes) {
  /** @type {Cache} */
  const cache = new ImageCache(100);
  for (const [index, size] of sizes.entries()) cache.set('abcdefgh'[index], image(size));
  return cache;
}

const held = (/** @type {Cache} */ cache) => [...'abcdefgh'].filter((imageId) => cache.get(imageId));

test('an image that was set is there', () => {
  const cache = new ImageCache(100);
  const one = image(40);
  cache.set('x', one);
  assert.equal(cache.get('x'), one);
  assert.equal(cache.get('y'), undefined);
  assert.deepEqual([cache.size, cache.bytes], [1, 40]);
});

test('the limit itself is no overflow', () => {
  assert.deepEqual(held(filled(40, 60)), ['a', 'b']);
});

test('images used longest ago go first', () => {
  const cache = filled(40, 40, 40);
  assert.deepEqual(held(cache), ['b', 'c']);
  assert.deepEqual([cache.size, cache.bytes], [2, 80]);
});

test('as many images go as have to', () => {
  assert.deepEqual(held(filled(30, 30, 30, 90)), ['d']);
});

test('use makes an image young', () => {
  const cache = filled(40, 40);
  cache.get('a');
  cache.set('c', image(40));
  assert.deepEqual(held(cache), ['a', 'c']);
});

test('setting again replaces, and makes young', () => {
  const cache = filled(40, 40);
  cache.set('a', image(20));
  assert.equal(cache.bytes, 60);
  cache.set('c', image(60));
  assert.deepEqual(held(cache), ['a', 'c']);
});

test('an image larger than the limit is not kept', () => {
  const cache = filled(40, 101);
  assert.deepEqual([cache.size, cache.bytes], [0, 0]);
});

test('delete tells whether there was one', () => {
  const cache = filled(40, 40);
  assert.equal(cache.delete('a'), true);
  assert.equal(cache.delete('a'), false);
  assert.deepEqual([held(cache), cache.bytes], [['b'], 40]);
});

test('clear lets go of all', () => {
  const cache = filled(40, 40);
  cache.clear();
  assert.deepEqual([cache.size, cache.bytes, held(cache)], [0, 0, []]);
});

test('a smaller limit holds from the next image on', () => {
  const cache = filled(40, 40);
  cache.maximumBytes = 50;
  cache.set('c', image(10));
  assert.deepEqual(held(cache), ['b', 'c']);
});

test('an image is taken for one of its own form alone', () => {
  const cache = new ImageCache(100);
  const [plain, shown] = [image(40), image(40)];
  cache.set('x', plain, 'stored values');
  assert.equal(cache.get('x', 'stored values'), plain);
  assert.equal(cache.get('x', 'as displayed'), undefined);
  assert.equal(cache.get('x'), plain, 'whichever it is');
  cache.set('x', shown, 'as displayed');
  assert.equal(cache.get('x', 'stored values'), undefined);
  assert.deepEqual([cache.size, cache.bytes], [1, 40]);
  assert.deepEqual([...cache.keys()], ['x']);
});
