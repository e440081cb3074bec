// @ts-check
// Decides which `<script type="text/python" data-pyloader>` tags may run. To the browser such a tag is data,
// which no Content-Security-Policy checks: markup that an attacker gets into the page would become code. So a
// tag runs only if the browser would run a JavaScript tag in its place, which a probe finds out.
import { trustedProbe } from '../shared/trusted_types.js';

// The platform's syntax of a nonce, which cannot end the attribute.
const NONCE = /^[\w+/=-]*$/;
// A tag whose attributes swallowed the start of another tag has that tag's nonce (CSP 3, "is element nonceable").
const SWALLOWED = /<script|<style/i;

/** Results of the probe, by nonce. @type {Map<string, boolean>} */
const results = new Map();

/** Return true if a tag may run. @param {HTMLScriptElement} tag */
export function mayRun(tag) {
  return isOfPage(tag) || wouldRun(nonceOf(tag));
}

/** Return true if a tag's `src` is a file of the page's own origin. @param {HTMLScriptElement} tag */
export function isOfPage({ src }) {
  // Not `location.origin`: a sandboxed frame has no origin, and no file is of the same one.
  return Boolean(src) && /^https?:/.test(src) && new URL(src).origin === self.origin;
}

/** @param {HTMLScriptElement} tag */
function nonceOf(tag) {
  const { nonce = '' } = tag;
  const hasSwallowed = [...tag.attributes].some(({ name, value }) => SWALLOWED.test(name) || SWALLOWED.test(value));
  return hasSwallowed || !NONCE.test(nonce) ? '' : nonce;
}

/** Return true if the browser would run an inline script with a nonce. @param {string} nonce */
function wouldRun(nonce) {
  const known = results.get(nonce) ?? probe(nonce);
  results.set(nonce, known);
  return known;
}

/**
 * Try to run a script in a document that has the page's policy. The parser must insert the script: for one
 * made by createElement, 'strict-dynamic' accepts any nonce. The document is that of a frame, so that the
 * page's own is not written to. The result is false if there can be no such frame: inside a sandboxed frame,
 * or if Trusted Types do not allow the policy `pyloader`.
 * @param {string} nonce
 */
function probe(nonce) {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  document.documentElement.append(frame);
  try {
    const inner = /** @type {Window & {ran?: number}} */ (frame.contentWindow);
    inner.document.write(trustedProbe(`<script nonce="${nonce}">window.ran = 1;</script>`));
    inner.document.close();
    return inner.ran === 1;
  } catch {
    return false;
  } finally {
    frame.remove();
  }
}
