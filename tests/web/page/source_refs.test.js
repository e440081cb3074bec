// @ts-check
// Reference counts of sources: a source is released with the last load object that holds one of its images.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { bySource, SourceRefs } from '../../../web/page/source_refs.js';
import { havePage } from '../../support/web/page.js';

havePage();

/** @type {string[]} */
let released;
/** @type {SourceRefs} */
let refs;
beforeEach(() => {
  released = [];
  refs = new SourceRefs((source) => released.push(source));
});

test('frames of one file share its count', () => {
  refs.hold('wadouri:/a.dcm?frame=1');
  refs.hold('wadouri:/a.dcm?frame=2');
  refs.letGo('wadouri:/a.dcm?frame=2');
  assert.deepEqual(released, []);
  refs.letGo('wadouri:/a.dcm?frame=1');
  assert.equal(released.length, 1);
  assert.match(released[0], /^wadouri:.*\/a\.dcm$/);
});

test('another file has a count of its own', () => {
  refs.hold('wadouri:/a.dcm');
  refs.hold('wadouri:/b.dcm');
  refs.letGo('wadouri:/b.dcm');
  assert.deepEqual(
    released.map((each) => each.slice(-5)),
    ['b.dcm'],
  );
});

test('a source that nobody holds is released, not counted below nothing', () => {
  refs.letGo('wadouri:/a.dcm');
  refs.hold('wadouri:/a.dcm');
  refs.letGo('wadouri:/a.dcm');
  assert.equal(released.length, 2);
});

test('after clear no count is left', () => {
  refs.hold('wadouri:/a.dcm');
  refs.hold('wadouri:/a.dcm');
  refs.clear();
  refs.letGo('wadouri:/a.dcm');
  assert.equal(released.length, 1);
});

test('imageIds are grouped by source, in their order', () => {
  const ids = ['wadouri:/a.dcm?frame=2', 'nifti:/v.nii', 'wadouri:/a.dcm?frame=1', 'nifti:/v.nii?slice=3'];
  const groups = [...bySource(ids).values()];
  assert.deepEqual(groups.at(0), [ids[0], ids[2]]);
  assert.equal(groups.flat().length, ids.length);
});

test('no imageIds make no groups', () => {
  assert.equal(bySource([]).size, 0);
});
