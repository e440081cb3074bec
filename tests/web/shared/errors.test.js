// @ts-check
// The shape of errors, how they cross in a message, and the advice after a failed start.
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
  const { kind, code, stage, message, imageId, url, status, traceback } = error;
  assert.deepEqual({ name: kind, code, stage, message, imageId, url, status, traceback }, FIELDS);
  assert.equal(error.error, error, 'legacy viewers read {error}');
});

test('an error without code or stage gets defaults', () => {
  const { kind, code, stage } = new PyLoaderError({ message: 'x' });
  assert.deepEqual([kind, code, stage], ['PyLoaderError', 'internal', 'loader']);
});

test('a cancelled load keeps its platform name', () => {
  const error = fromWire(structuredClone(toWire(abortError('the load of wadouri:/a'))));
  assert.ok(isAbort(error));
  assert.ok(error instanceof DOMException);
  assert.equal(error.message, 'the load of wadouri:/a was cancelled');
});

test('errors and cancelled loads hide the secrets of an address', () => {
  const address = 'https://user:word@host/a?token=abc';
  const texts = [
    new PyLoaderError({ message: address, url: address }),
    abortError(address),
    toWire(new TypeError(address)),
  ];
  for (const each of texts) assert.doesNotMatch(`${each.message} ${'url' in each && each.url}`, /word@|abc/);
});

/** @type {unknown[]} */
const THROWN = [undefined, null, 7, 'text', { message: 'text' }, Symbol.iterator];
for (const thrown of THROWN) {
  test(`anything may be thrown: ${messageOf(thrown)}`, () => {
    const wire = toWire(thrown);
    assert.equal(typeof wire.message, 'string');
    assert.equal(wire.message, messageOf(thrown));
    assert.equal(isAbort(thrown), false);
  });
}

const ring = {};
ring.ring = ring;
/** @type {[value: unknown, said: string][]} */
const VALUES = [
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
];
for (const [value, expected] of VALUES) {
  test(`a message names a value: ${expected.slice(0, 30)}`, () => assert.equal(said(value), expected));
}

const WHERE = { assetsURL: 'https://host/dist/', baseURL: 'https://page/' };
const FROM_FILE = { ...WHERE, baseURL: 'file:///home/page.html' };

/** @type {[name: string, cause: unknown, where: typeof WHERE, message: RegExp][]} */
const STARTS = [
  ['a page from a file', 'blocked', FROM_FILE, /python -m http\.server.*\(blocked\)/],
  ['a policy', 'Refused: Content Security Policy.', WHERE, /'wasm-unsafe-eval'/],
  ['no memory', new RangeError('WebAssembly.Memory(): could not allocate memory'), WHERE, /too little memory/],
  ['another cause', 'NetworkError...', WHERE, /NetworkError\. .*Is dist\/ complete/],
];
for (const [name, cause, where, expected] of STARTS) {
  test(`a failed start says what to do: ${name}`, () => {
    const error = bootError(cause, where);
    assert.ok(error instanceof PyLoaderError);
    assert.deepEqual([error.kind, error.code, error.stage, error.url], ['BootError', 'boot', 'boot', WHERE.assetsURL]);
    assert.match(error.message, expected);
  });
}

test('a failed start keeps an error of pyloader or of a cancel', () => {
  for (const cause of [new PyLoaderError(FIELDS), abortError('the start')])
    assert.equal(bootError(cause, WHERE), cause);
});
