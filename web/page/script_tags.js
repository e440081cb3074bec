// @ts-check
// Which `<script type="text/python" data-pyloader>` may run. To the browser such a tag is data, which
// no Content-Security-Policy looks at: markup that somebody else got into the page would become code.
// So a tag runs where the browser would run a script in its place, and it is asked whether it would.
import { trustedProbe } from '../shared/trusted_types.js';

// Of the form that the platform has for a nonce: nothing that ends the attribute.
const NONCE = /^[\w+/=-]*$/;
// A tag that swallowed the start of another has that one's nonce (CSP 3, "is element nonceable").
const SWALLOWED = /<script|<style/i;

/** Answers of the browser, by nonce. @type {Map<string, boolean>} */
const answers = new Map();

/** Tell whether a tag may be run. @param {HTMLScriptElement} tag */
export function mayRun(tag) {
  return isOfPage(tag) || wouldRun(nonceOf(tag));
}

/** Tell whether a tag names a file of the page's own origin. @param {HTMLScriptElement} tag */
export function isOfPage({ src }) {
  // Not `location.origin`: a sandboxed frame has no origin, and nothing is of it.
  return Boolean(src) && /^https?:/.test(src) && new URL(src).origin === self.origin;
}

/** @param {HTMLScriptElement} tag */
function nonceOf(tag) {
  const { nonce = '' } = tag;
  const hasSwallowed = [...tag.attributes].some(({ name, value }) => SWALLOWED.test(name) || SWALLOWED.test(value));
  return hasSwallowed || !NONCE.test(nonce) ? '' : nonce;
}

/** Tell whether the browser would run an inline script with a nonce. @param {string} nonce */
function wouldRun(nonce) {
  const known = answers.get(nonce) ?? ask(nonce);
  answers.set(nonce, known);
  return known;
}

/**
 * Ask by a script in a document that has the page's policy. A parser has to meet it: what a script
 * makes by createElement, 'strict-dynamic' lets run with any nonce. It stands in a frame, so that the
 * page's own document is not written to. Where there can be no such frame the answer is no: in one that
 * is sandboxed, or by Trusted Types without the policy `pyloader`.
 * @param {string} nonce
 */
function ask(nonce) {
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
