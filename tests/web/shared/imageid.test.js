// @ts-check
// imageIds, held to the same vectors as pyloader/imageid.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addressOf, countFramesFromOne, fileNameOf, parseImageId } from '../../../web/shared/imageid.js';

/** @type {{valid: [text: string, scheme: string, source: string, frameIndex: number][], invalid: string[]}} */
const vectors = JSON.parse(readFileSync(new URL('../../imageid_vectors.json', import.meta.url), 'utf8'));

for (const [text, scheme, source, frameIndex] of vectors.valid) {
  test(`parts of '${text}'`, () => {
    assert.deepEqual(parseImageId(text), { scheme, source, frameIndex });
  });
}

for (const text of vectors.invalid) {
  test(`'${text}' is invalid`, () => {
    assert.throws(() => parseImageId(text), { name: 'PyLoaderError', code: 'image-id', imageId: text });
  });
}

test('there are vectors of both kinds, of files and of DICOMweb', () => {
  assert.ok(vectors.valid.length > 10);
  assert.ok(vectors.invalid.length > 5);
  const kinds = { valid: vectors.valid.map(([text]) => text), invalid: vectors.invalid };
  for (const [kind, texts] of Object.entries(kinds)) {
    for (const scheme of ['wadouri:', 'wadors:'])
      assert.notEqual(texts.filter((text) => text.startsWith(scheme)).length, 0, `${kind} ${scheme}`);
  }
});

test('errors say what Python says', () => {
  /** @type {[text: string, message: RegExp][]} */
  const expected = [
    ['image.dcm', /^imageId 'image\.dcm' has no scheme; expected 'scheme:rest', such as/],
    ['wadouri:/a?frame=0', /asks for frame '0'; frames count from 1, as in DICOMweb$/],
  ];
  for (const [text, message] of expected) {
    assert.throws(() => parseImageId(text), { name: 'PyLoaderError', kind: 'ImageIdError', message });
  }
});

test('countFramesFromOne adds one to the frame, in any place', () => {
  assert.equal(countFramesFromOne('wadouri:/a?frame=0'), 'wadouri:/a?frame=1');
  assert.equal(countFramesFromOne('wadouri:/a?x=1&frame=9&y=2'), 'wadouri:/a?x=1&frame=10&y=2');
});

test('countFramesFromOne leaves other imageIds alone', () => {
  for (const imageId of ['wadouri:/a', 'wadouri:/a?subframe=3', 'wadouri:/a?frame=', 'wadouri:/frame=3']) {
    assert.equal(countFramesFromOne(imageId), imageId);
  }
});

test('addressOf gives the whole file that a load fetches first', () => {
  for (const [imageId, address] of [
    ['wadouri:/a.dcm', '/a.dcm'],
    ['dicomweb:https://host/a?x=1', 'https://host/a?x=1'],
    ['https://host/a.png', 'https://host/a.png'],
    ['http://host/a#b', 'http://host/a#b'],
    ['localfile:3f9c27ab-0', 'localfile:3f9c27ab-0'],
    ['dicomfile:0', 'dicomfile:0'],
  ])
    assert.equal(addressOf(imageId), address, imageId);
  for (const imageId of [
    'wadouri:/a.dcm?frame=1',
    'https://host/a.gif#frame=2',
    'wadouri:/s.zip#member=a',
    'wadouri:/a#x-1',
    'wadouri:/a#decimation=2',
    'WADOURI:/a.dcm',
    'localfile:3f9c27ab-0?frame=2',
    'wadors:/dw/studies/1/series/2/instances/3',
    'nifti:/a.nii',
    'web:/a.png',
    'custom1://host/a',
  ])
    assert.equal(addressOf(imageId), undefined, imageId);
});

test('a file of the user has one name after any scheme', () => {
  const name = 'localfile:3f9c27ab-0';
  for (const source of [name, 'dicomfile:3f9c27ab-0', `nifti:${name}`, `denoise:nifti:${name}`, 'DICOMFILE:3f9c27ab-0'])
    assert.equal(fileNameOf(source), name, source);
  for (const source of ['wadouri:/localfile:3', 'https://host/localfile:3', 'wadouri:/a.dcm', 'mylocalfile:3'])
    assert.equal(fileNameOf(source), source);
});
