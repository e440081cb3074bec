// @ts-check
// How far a start is, as the page is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extraMeter, meter } from '../../../web/boot/boot.js';

/** @typedef {import('../../../web/boot/boot.js').Progress} Progress */

/** Collects what is told. */
function told() {
  /** @type {Parameters<Progress>[0][]} */
  const details = [];
  /** @type {Progress} */
  const progress = (detail) => void details.push(detail);
  return { details, progress };
}

test('a start without further packages goes from nothing to all', () => {
  const { details, progress } = told();
  const advance = meter(progress, false);
  advance('runtime', 50);
  advance('packages', 30);
  assert.deepEqual(
    details.map(({ stage, percentComplete }) => [stage, percentComplete]),
    [
      ['runtime', 0],
      ['runtime', 50],
      ['packages', 80],
    ],
  );
  assert.ok(details.every(({ total }) => total === 100));
});

test('packages of init() have their share', () => {
  const { details, progress } = told();
  const advance = meter(progress, true);
  advance('runtime', 50);
  advance('packages', 50);
  assert.equal(details[details.length - 1].percentComplete, 70);
});

test('bytes of packages bring it nearer to the end, which is never reached', () => {
  const { details, progress } = told();
  const report = extraMeter(progress);
  for (const loaded of [2 ** 18, 2 ** 20, 2 ** 24, 2 ** 34]) report({ file: 'a.whl', loaded });
  report({ file: 'b.whl', loaded: 2 ** 20 });
  const shares = details.map(({ loaded }) => loaded);
  assert.deepEqual(
    [...shares].sort((a, b) => a - b),
    shares,
    'it never goes back',
  );
  assert.ok(shares[0] > 70 && shares[shares.length - 1] < 100);
  assert.ok(details.every(({ stage }) => stage === 'extra'));
});

test('a file that is told again counts once', () => {
  const { details, progress } = told();
  const report = extraMeter(progress);
  report({ file: 'a.whl', loaded: 100 });
  report({ file: 'a.whl', loaded: 100 });
  assert.equal(details[0].loaded, details[1].loaded);
});
