// The one shape of errors, their way through a message, and the advice of a start that failed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  abortError,
  bootError,
  fromWire,
  isAbort,
  messageOf,
  PyLoaderError,
  said,
  toWire,
} from '../../../web/shared/errors.js';

const FIELDS = {
  name: 'FormatError',
  code: 'format',
  stage: 'parse',
  message: 'no DICOM',
  imageId: 'wadouri:/a',
  url: 'https://host/a',
  status: 200,
  traceback: 'Traceback',
};

test('an error keeps its fields through a message', () => {
  const sent = structuredClone(toWire(new PyLoaderError(FIELDS)));
  const error = fromWire(sent);
  assert.ok(error instanceof PyLoaderError);
  const { name, ...others } = FIELDS;
  assert.equal(error.kind, name);
  assert.deepEqual(Object.fromEntries(Object.keys(others).map((key) => [key, error[key]])), others);
  assert.equal(error.error, error, 'legacy viewers read {error}');
});

test('an error without code or stage has the words for unknown ones', () => {
  const { kind, code, stage } = new PyLoaderError({ message: 'x' });
  assert.deepEqual([kind, code, stage], ['PyLoaderError', 'internal', 'loader']);
});

test('a cancelled load keeps the name that the platform gives it', () => {
  const error = fromWire(structuredClone(toWire(abortError('the load of wadouri:/a'))));
  assert.ok(isAbort(error));
  assert.ok(error instanceof DOMException);
  assert.equal(error.message, 'the load of wadouri:/a was cancelled');
});

test('secrets of an address are left out of errors and of cancelled loads', () => {
  const address = 'https://user:word@host/a?token=abc';
  const texts = [
    new PyLoaderError({ message: address, url: address }),
    abortError(address),
    toWire(new TypeError(address)),
  ];
  for (const { message, url } of texts) assert.doesNotMatch(`${message} ${url}`, /word@|abc/);
});

for (const thrown of [undefined, null, 7, 'text', { message: 'text' }, Symbol.iterator]) {
  test(`anything may be thrown: ${String(thrown?.message ?? String(thrown))}`, () => {
    const wire = toWire(thrown);
    assert.equal(typeof wire.message, 'string');
    assert.equal(wire.message, messageOf(thrown));
    assert.equal(isAbort(thrown), false);
  });
}

const ring = {};
ring.ring = ring;
for (const [value, expected] of [
  ['word', "'word'"],
  ['x'.repeat(121), `'${'x'.repeat(120)}…'`],
  [undefined, 'undefined'],
  [null, 'null'],
  [5, '5'],
  [10n, '10'],
  [() => 1, 'a function'],
  [{ a: 1 }, '{"a":1}'],
  [[1, 2], '[1,2]'],
  [ring, 'an object'],
  [new Date(0), 'a Date'],
  [new ArrayBuffer(2), 'an ArrayBuffer'],
  [{ toJSON: () => undefined }, 'an object'],
]) {
  test(`a message names a value: ${expected.slice(0, 30)}`, () => assert.equal(said(value), expected));
}

const WHERE = { assetsURL: 'https://host/dist/', baseURL: 'https://page/' };

for (const [name, cause, where, expected] of [
  [
    'a page from a file',
    'blocked',
    { ...WHERE, baseURL: 'file:///home/page.html' },
    /python -m http\.server.*\(blocked\)/,
  ],
  ['a policy', 'Refused: Content Security Policy.', WHERE, /'wasm-unsafe-eval'/],
  ['no memory', new RangeError('WebAssembly.Memory(): could not allocate memory'), WHERE, /too little memory/],
  ['another cause', 'NetworkError...', WHERE, /NetworkError\. .*whole of dist\//],
]) {
  test(`a start that failed says what to do: ${name}`, () => {
    const error = bootError(cause, where);
    assert.deepEqual([error.kind, error.code, error.stage, error.url], ['BootError', 'boot', 'boot', WHERE.assetsURL]);
    assert.match(error.message, expected);
  });
}

test('a start that failed for a reason of our own, or was cancelled, keeps its error', () => {
  for (const cause of [new PyLoaderError(FIELDS), abortError('the start')])
    assert.equal(bootError(cause, WHERE), cause);
});
