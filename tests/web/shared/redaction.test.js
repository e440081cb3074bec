// @ts-check
// Secrets of addresses stay out of errors; Python has the same cases.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PyLoaderError, fromWire, toWire } from '../../../web/shared/errors.js';
import { redacted } from '../../../web/shared/redaction.js';

/** @type {[text: string, told: string][]} */
const CASES = JSON.parse(readFileSync(new URL('../../security/redaction.json', import.meta.url), 'utf8'));
const URL_ = 'https://me:word@host/a.dcm?token=s3cr3t&X-Amz-Signature=b33f';

for (const [text, told] of CASES) {
  test(`the secrets of ${text || 'nothing'}`, () => {
    assert.equal(redacted(text), told);
    assert.equal(redacted(told), told);
  });
}

test('errors have no secrets in any field', () => {
  const error = new PyLoaderError({
    message: `could not fetch ${URL_}`,
    url: URL_,
    imageId: `wadouri:${URL_}`,
    traceback: `File "x.py"\n  fetch("${URL_}")`,
    status: 404,
  });
  for (const each of [error, fromWire(toWire(error))]) {
    assert.doesNotMatch(JSON.stringify([each.message, each.stack, { ...each }]), /word|s3cr3t|b33f/);
    assert.ok(each instanceof PyLoaderError);
    assert.equal(each.status, 404);
  }
});
