// @ts-check
// Options that nobody reads are told, once, with the name that was meant.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NAMES, nearest, tellUnknown, tellUnknownOfLoad } from '../../../web/page/options.js';

/**
 * Collect what the console was told while something ran.
 * @param {import('node:test').TestContext} t @param {() => void} work
 * @returns {string[]}
 */
function toldBy(t, work) {
  const warn = t.mock.method(console, 'warn', () => {});
  work();
  const texts = warn.mock.calls.map(({ arguments: [text] }) => text);
  warn.mock.restore();
  return texts;
}

test('a misspelt option is told with the right name', (t) => {
  const options = {
    header: {},
    onUnauthorised: 1,
    cachebytes: 1,
    request_timeout: 1,
    requestPerOrigin: 1,
    limits: { loadPerWorker: 1 },
  };
  assert.deepEqual(
    toldBy(t, () => tellUnknown('init', options)),
    [
      "pyloader: init has no option 'header': did you mean 'headers'?",
      "pyloader: init has no option 'onUnauthorised': did you mean 'onUnauthorized'?",
      "pyloader: init has no option 'cachebytes': did you mean 'cacheBytes'?",
      "pyloader: init has no option 'request_timeout': did you mean 'requestTimeout'?",
      "pyloader: init has no option 'requestPerOrigin': did you mean 'limits.requestsPerOrigin'?",
      "pyloader: init has no option 'limits.loadPerWorker': did you mean 'limits.loadsPerWorker'?",
    ],
  );
});

test('it is told once', (t) => {
  const tellOften = () => {
    for (const value of [1, 2, 3]) tellUnknown('use', { scheme: value });
  };
  assert.equal(toldBy(t, tellOften).length, 1);
  assert.equal(toldBy(t, () => tellUnknown('dicomweb', { scheme: 1 })).length, 1, 'of another call again');
});

test('of a name that is like none, those that there are are told', (t) => {
  assert.match(
    toldBy(t, () => tellUnknown('loadPython', { colour: 1 }))[0],
    /loadPython has no option 'colour': it has url, source, name, packages$/,
  );
});

test('known options and none are not told of', (t) => {
  const calls = /** @type {['load' | Parameters<typeof tellUnknown>[0], string[]][]} */ (Object.entries(NAMES));
  for (const [call, names] of calls) {
    const options = Object.fromEntries(names.filter((name) => !name.includes('.')).map((name) => [name, {}]));
    assert.deepEqual(
      toldBy(t, () => (call === 'load' ? tellUnknownOfLoad(call, options, true) : tellUnknown(call, options))),
      [],
      call,
    );
  }
  for (const nothing of [undefined, null])
    assert.deepEqual(
      toldBy(t, () => tellUnknown('init', nothing)),
      [],
    );
});

const OF_VIEWERS = [
  'targetBuffer',
  'preScale',
  'useRGBA',
  'requestType',
  'priority',
  'additionalDetails',
  'allowFloatRendering',
  'useNativeDataType',
  'skipCreateImage',
  'transferSyntaxUID',
  'loader',
  'addToBeginning',
  'transferPixelData',
  'retrieveType',
  'retrieveOptions',
  'streamingData',
  'decodeLevel',
  'ignoreCache',
];
test('what viewers pass is not told of', (t) => {
  const options = Object.fromEntries(OF_VIEWERS.map((name) => [name, 1]));
  assert.deepEqual(
    toldBy(t, () => tellUnknownOfLoad('loadImage', options, true)),
    [],
  );
});

test('loaders of the page may have options of their own, which are not those of all, misspelt', (t) => {
  const options = { levels: 3, smoothing: true, onprogress: 1, displayvalues: 1 };
  const texts = toldBy(t, () => tellUnknownOfLoad('loadImage', options, false));
  assert.deepEqual(
    texts.map((text) => /'(\w+)': did you mean '(\w+)'/.exec(text)?.slice(1)),
    [
      ['onprogress', 'onProgress'],
      ['displayvalues', 'displayValues'],
    ],
  );
  assert.equal(
    toldBy(t, () => tellUnknownOfLoad('loadImage', options, true)).length,
    2,
    'the loaders of pyloader have not',
  );
});

test('a name is near by a letter or two, whatever its case', () => {
  assert.equal(nearest('Signal', ['timeout', 'signal']), 'signal');
  assert.equal(nearest('timout', ['timeout', 'signal']), 'timeout');
  assert.equal(nearest('tempo', ['timeout', 'signal']), undefined);
  assert.equal(nearest('', ['url']), undefined);
});

test('the options that are known are those that the types have', () => {
  const types = readFileSync(new URL('../../../web/pyloader.d.ts', import.meta.url), 'utf8');
  const block = (/** @type {string} */ start) => types.slice(types.indexOf(start)).split(/^\}/m)[0];
  const fields = (/** @type {string} */ text, /** @type {number} */ indent) =>
    [...text.matchAll(new RegExp(`^ {${indent}}(\\w+)\\??:`, 'gm'))].map(([, name]) => name);
  const init = block('export interface InitOptions');
  assert.deepEqual(
    [...fields(init, 2), ...fields(init, 4).map((name) => `limits.${name}`)].sort(),
    [...NAMES.init].sort(),
  );
  assert.deepEqual(
    fields(block('export interface LoadOptions'), 2)
      .filter((name) => name !== 'wadoURI')
      .sort(),
    NAMES.load.filter((name) => name !== 'wadoURI').sort(),
  );
});
