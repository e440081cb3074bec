// @ts-check
// What the page's calls refuse, at the call, in words that say what they take.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import * as given from '../../../web/page/arguments.js';
import { PyLoaderError, bootError, said } from '../../../web/shared/errors.js';
import { havePage } from '../../support/web/page.js';

havePage('https://host/pages/index.html');
const sizeOf = (/** @type {unknown} */ content) => given.blobOf(content).size;

test('the content of a file is taken in each form that it can have', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  assert.deepEqual(
    [
      bytes,
      bytes.buffer,
      bytes.subarray(1, 3),
      new DataView(bytes.buffer, 1),
      new Blob([bytes]),
      new File([bytes], 'a'),
    ].map(sizeOf),
    [4, 4, 2, 3, 4, 4],
  );
});

test('memory that is shared, and that of another frame of the page, is taken too', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
  assert.deepEqual([sizeOf(shared.subarray(1)), sizeOf(shared.buffer)], [3, 4]);
  assert.deepEqual(new Uint8Array(await given.blobOf(shared).arrayBuffer()), new Uint8Array(4).fill(7));
  assert.equal(sizeOf(vm.runInNewContext('new ArrayBuffer(5)')), 5);
});

const NO_FILES = [
  'x',
  '',
  42,
  null,
  undefined,
  {},
  () => {},
  Promise.resolve(new Blob()),
  new Map(),
  new Response('x'),
];
test('what is no file is refused', () => {
  for (const content of NO_FILES)
    assert.throws(
      () => given.blobOf(content),
      {
        name: 'PyLoaderError',
        code: 'image-id',
        message: /^addFile\(\) takes one File, Blob, ArrayBuffer or typed array, not /,
      },
      said(content),
    );
});

test('of several files it is said what takes them', () => {
  for (const list of [[new Blob()], [], { length: 1, 0: new Blob() }])
    assert.throws(() => given.blobOf(list), { message: /addFile\(files\[0\]\).*series\(files\)/ });
});

test('a signal and a listener have to be ones', () => {
  for (const good of [
    undefined,
    null,
    {},
    { signal: new AbortController().signal, onProgress: () => {} },
    { signal: null, onProgress: undefined },
  ])
    given.checkOptions(good);
  assert.throws(() => given.checkOptions({ signal: new AbortController() }), {
    code: 'request',
    message: /AbortSignal, not an AbortController: give controller\.signal/,
  });
  for (const signal of [5, 'x', {}, () => {}]) assert.throws(() => given.checkOptions({ signal }), { code: 'request' });
  for (const onProgress of [5, 'x', {}])
    assert.throws(() => given.checkOptions({ onProgress }), {
      code: 'request',
      message: /onProgress has to be a function/,
    });
});

test('a loader has a scheme and is a function', () => {
  given.checkLoader('custom1', () => {});
  for (const scheme of [undefined, null, 5, '', 'custom1:', '1x', 'a b', {}])
    assert.throws(() => given.checkLoader(scheme, () => {}), { code: 'loader', message: /without its colon/ });
  for (const loader of [undefined, null, 5, {}, { promise: 1 }])
    assert.throws(() => given.checkLoader('x', loader), {
      code: 'loader',
      message: /function that returns \{ promise \}/,
    });
  given.checkUnknownLoader(undefined);
  assert.throws(() => given.checkUnknownLoader({}), { code: 'loader' });
});

test('a Python file comes by its address or as it is', () => {
  for (const good of [
    { url: 'a.py' },
    { url: new URL('https://host/a.py') },
    { source: '' },
    { source: 'x = 1', name: 'a.py', packages: ['numpy'] },
    { source: 'x = 1', url: null, name: null, packages: null },
  ])
    given.checkPython(good);
  for (const wrong of [
    undefined,
    null,
    5,
    'a.py',
    {},
    { name: 'a.py' },
    { url: '' },
    { url: 'http://[' },
    { source: 5 },
    { source: null },
    { source: '', name: 5 },
    { source: '', packages: 'numpy' },
    { source: '', packages: [5] },
  ]) {
    assert.throws(
      () => given.checkPython(wrong),
      { code: 'loader', message: /^loadPython\(\) takes \{ url \} or \{ source \}/ },
      said(wrong),
    );
  }
  assert.throws(() => given.checkPython('a.py'), { message: /loadPython\(\{ url: 'a\.py' \}\)/ });
});

test('metadata come as imageIds or as DICOM JSON by imageId', () => {
  for (const good of [[], ['x:a'], {}, { 'x:a': {} }, Object.create(null)]) given.checkSources(good);
  for (const wrong of [undefined, null, 5, 'x:a', new Set(['x:a']), new Map(), new Blob(), new Uint8Array(2)])
    assert.throws(
      () => given.checkSources(wrong),
      { code: 'image-id', message: /addMetadata\(\) takes a list of imageIds/ },
      said(wrong),
    );
});

test('a data set of DICOM JSON is an object, or a list of one', () => {
  assert.equal(given.dicomJson('x:a', { a: 1 }).text, '{"a":1}');
  assert.equal(given.dicomJson('x:a', [{ a: 1 }]).text, '{"a":1}');
  const circle = {};
  circle.self = circle;
  for (const wrong of [undefined, null, 5, 'x', [], [5], [[{}]], circle, { a: 1n }])
    assert.throws(() => given.dicomJson('x:a', wrong), {
      code: 'image-id',
      message: /for 'x:a', expected a DICOM JSON data set/,
    });
});

test('a service has an address', () => {
  assert.deepEqual(['/dw/', 'https://host/dw//', new URL('https://host/dw')].map(given.serviceAddress), [
    '/dw',
    'https://host/dw',
    'https://host/dw',
  ]);
  for (const wrong of [undefined, null, '', '///', 5, {}, [], 'http://['])
    assert.throws(
      () => given.serviceAddress(wrong),
      { code: 'request', message: /is no address of a DICOMweb service/ },
      said(wrong),
    );
});

test('the schemes of use() are a list', () => {
  for (const good of [undefined, null, {}, { schemes: undefined }, { schemes: ['nifti'] }]) given.checkUse(good);
  for (const schemes of ['nifti', [5], new Set()])
    assert.throws(() => given.checkUse({ schemes }), {
      code: 'viewer',
      message: /schemes of use\(\) has to be a list/,
    });
});

// ------------------------------------------------------------------ words

test('what was given is said in few words', () => {
  const circle = {};
  circle.self = circle;
  const values = [
    'a',
    5,
    null,
    undefined,
    Symbol('s'),
    () => {},
    [1],
    { a: 1 },
    circle,
    new Map(),
    new ArrayBuffer(1),
    'x'.repeat(500),
  ];
  assert.deepEqual(values.map(said).slice(0, 11), [
    "'a'",
    '5',
    'null',
    'undefined',
    'Symbol(s)',
    'a function',
    '[1]',
    '{"a":1}',
    'an object',
    'a Map',
    'an ArrayBuffer',
  ]);
  assert.ok(said(values.at(-1)).length < 130);
});

const WHERE = { assetsURL: 'https://host/dist/', baseURL: 'https://host/' };
for (const [words, advice, where] of /** @type {[words: string, advice: RegExp, where?: typeof WHERE][]} */ ([
  [
    "Failed to construct 'Worker'",
    /: this page was opened as a file, .*: serve the folder, for example with `python -m http\.server` \(Failed/,
    { ...WHERE, baseURL: 'file:///a/index.html' },
  ],
  ["Refused to compile because 'unsafe-eval' is not allowed", /script-src 'wasm-unsafe-eval'/],
  ['call to WebAssembly.compile() blocked by CSP', /script-src 'wasm-unsafe-eval'/],
  ['WebAssembly.Memory(): could not allocate memory', /too little memory/],
  ['Out of memory', /too little memory/],
  [
    'worker.mjs answered with status 404.',
    /status 404\. Is dist\/ complete.*worker-src.*pyloader\/webpack.*init\(.*\)\. See docs\/apps\.md in the package$/,
  ],
])) {
  test(`a start that failed with '${words}' says what to do`, () => {
    const error = /** @type {PyLoaderError} */ (bootError(new Error(words), where ?? WHERE));
    assert.deepEqual(
      [error.name, error.kind, error.code, error.stage, error.url],
      ['PyLoaderError', 'BootError', 'boot', 'boot', WHERE.assetsURL],
    );
    assert.match(error.message, /^Python could not start from https:\/\/host\/dist\/: /);
    assert.match(error.message, advice);
  });
}

test('without WebAssembly no start is to be had', (t) => {
  const before = globalThis.WebAssembly;
  t.after(() => {
    globalThis.WebAssembly = before;
  });
  Reflect.deleteProperty(globalThis, 'WebAssembly');
  assert.match(bootError('WebAssembly is not defined', WHERE).message, /this browser has no WebAssembly/);
});

test('an error that says it already, and a cancelled start, stay as they are', () => {
  for (const error of [new PyLoaderError({ code: 'package', message: 'x' }), new DOMException('x', 'AbortError')])
    assert.equal(bootError(error, WHERE), error);
});
