// @ts-check
// The minimum and maximum of pixels, compared with a simple computation.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { assemble } from '../../../web/build/assemble.mjs';
import { extentOf, prepareExtent } from '../../../web/worker/min_max.js';

/** @typedef {import('../../../web/worker/min_max.js').Pixels} Pixels */
/** @typedef {import('../../../web/worker/min_max.js').Range} Range */

const WAT = fileURLToPath(new URL('../../../web/worker/min_max.wat', import.meta.url));
Object.assign(globalThis, { PYLOADER_MIN_MAX: await assemble(WAT) });

const PLAIN = { padding: undefined };

test('after the preparation nothing is compiled', (t) => {
  const compiled = t.mock.method(WebAssembly, 'Module').mock;
  prepareExtent();
  assert.equal(compiled.callCount(), 1);
  extentOf(new Uint16Array(100));
  extentOf(new Int8Array(100), [0, 0]);
  prepareExtent();
  assert.equal(compiled.callCount(), 1);
});

test('the smallest and the largest value, of every dtype', () => {
  for (const Class of [Uint8Array, Uint16Array, Uint32Array, Float32Array, Float64Array]) {
    assert.deepEqual(extentOf(Class.of(7, 3, 9, 4)), { minimum: 3, maximum: 9, ...PLAIN });
  }
  for (const Class of [Int8Array, Int16Array, Int32Array]) {
    assert.deepEqual(extentOf(Class.of(-7, 3, -9)), { minimum: -9, maximum: 3, ...PLAIN });
  }
});

test('one pixel, and values that only fall or rise', () => {
  assert.deepEqual(extentOf(Uint8Array.of(5)), { minimum: 5, maximum: 5, ...PLAIN });
  assert.deepEqual(extentOf(Uint8Array.of(5, 4, 3)), { minimum: 3, maximum: 5, ...PLAIN });
  assert.deepEqual(extentOf(Uint8Array.of(3, 4, 5)), { minimum: 3, maximum: 5, ...PLAIN });
});

test('NaN and infinities do not count; without other values the extent is 0', () => {
  assert.deepEqual(extentOf(Float32Array.of(NaN, 2.5, Infinity, -1, -Infinity)), {
    minimum: -1,
    maximum: 2.5,
    ...PLAIN,
  });
  assert.deepEqual(extentOf(Float64Array.of(NaN, -Infinity)), { minimum: 0, maximum: 0, ...PLAIN });
});

test('padding does not count, and comes with the range of all', () => {
  const pixels = Int16Array.of(-2000, 5, 900);
  assert.deepEqual(extentOf(pixels, [-2000, -2000]), {
    minimum: 5,
    maximum: 900,
    padding: [-2000, -2000],
    all: [-2000, 900],
  });
});

test('padding that no pixel has is absent', () => {
  assert.deepEqual(extentOf(Int16Array.of(1, 5, 9), [-2000, -2000]), { minimum: 1, maximum: 9, ...PLAIN });
  assert.deepEqual(extentOf(Int16Array.of(1, 5, 9), [6, 8]), { minimum: 1, maximum: 9, ...PLAIN });
});

test('both ends of a padding range are padding', () => {
  const found = extentOf(Int16Array.of(-2001, -2000, -1500, -1000, -999), [-2000, -1000]);
  assert.deepEqual(found, { minimum: -2001, maximum: -999, padding: [-2000, -1000], all: [-2001, -999] });
});

test('the range of padding stands for pixels that are all padding', () => {
  assert.deepEqual(extentOf(Uint8Array.of(3, 4), [0, 9]), { minimum: 3, maximum: 4, padding: [0, 9], all: [3, 4] });
  const floats = extentOf(Float32Array.of(3, NaN), [3, 3]);
  assert.deepEqual(floats, { minimum: 3, maximum: 3, padding: [3, 3], all: [3, 3] });
});

test('padding is rounded to 32-bit floats as the pixels are', () => {
  const found = extentOf(Float32Array.of(-1e30, NaN, 0.5, 2.5), [-1e30, -1e30]);
  assert.deepEqual([found.minimum, found.maximum], [0.5, 2.5]);
  assert.equal(extentOf(Float64Array.of(Infinity, 1, 2), [Infinity, Infinity]).maximum, 2);
});

/** Compute the extent of integers, one by one. @param {Pixels} pixels @param {Range} [padding] */
function byHand(pixels, padding) {
  const within = (/** @type {number} */ value) => padding !== undefined && padding[0] <= value && value <= padding[1];
  const range = (/** @type {number[]} */ values) => [
    values.reduce((one, other) => Math.min(one, other)),
    values.reduce((one, other) => Math.max(one, other)),
  ];
  const all = Array.from(pixels);
  const rest = all.filter((value) => !within(value));
  if (rest.length === all.length) return { minimum: range(all)[0], maximum: range(all)[1], padding: undefined };
  const [minimum, maximum] = range(rest.length ? rest : all);
  return { minimum, maximum, padding, all: range(all) };
}

const SMALL = [Uint8Array, Int8Array, Uint16Array, Int16Array];
// Around a vector of 16 bytes, and around the memory of one portion.
const LENGTHS = [1, 7, 8, 15, 16, 17, 31, 33, 1000, 32736, 32737, 65472, 65473];

test('integers of 8 and 16 bits, of every length, with the ends in every place', () => {
  for (const Class of SMALL) {
    const [least, most] = Class.name.startsWith('U')
      ? [0, 2 ** (8 * Class.BYTES_PER_ELEMENT) - 1]
      : [-(2 ** (8 * Class.BYTES_PER_ELEMENT - 1)), 2 ** (8 * Class.BYTES_PER_ELEMENT - 1) - 1];
    for (const length of LENGTHS) {
      for (const place of [0, length >> 1, length - 1]) {
        const pixels = new Class(length).fill(60);
        pixels[place] = most;
        pixels[(place * 7) % length] = least;
        /** @type {(Range | undefined)[]} */
        const paddings = [
          undefined,
          [60, 60],
          [least, least],
          [most - 1, most],
          [61.5, 1e9],
          [-1e9, 59.5],
          [least, most],
          [1e6, 2e6],
          [9, 3],
        ];
        for (const padding of paddings) {
          assert.deepEqual(
            extentOf(pixels, padding),
            byHand(pixels, padding),
            `${Class.name} ${length} ${place} ${padding}`,
          );
        }
      }
    }
  }
});

test('a view of a part of a buffer', () => {
  const buffer = Int16Array.from({ length: 100 }, (_, index) => index * 100 - 5000).buffer;
  const pixels = new Int16Array(buffer, 14, 61);
  assert.deepEqual(extentOf(pixels), byHand(pixels));
  assert.deepEqual(extentOf(pixels, [-4300, -4000]), byHand(pixels, [-4300, -4000]));
});

test('an engine without vectors', async () => {
  const { validate } = WebAssembly;
  WebAssembly.validate = () => false;
  try {
    const { extentOf: plainly } = await import('../../../web/worker/min_max.js?plain');
    const pixels = Uint16Array.from({ length: 100 }, (_, index) => (index * 7919) % 65536);
    assert.deepEqual(plainly(pixels, [0, 0]), byHand(pixels, [0, 0]));
  } finally {
    WebAssembly.validate = validate;
  }
});
