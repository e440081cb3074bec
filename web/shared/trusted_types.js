// @ts-check
// Trusted Types: what this script gives to the browser to run, on pages that let only named policies
// do that. Such a page allows this one by `trusted-types pyloader`.

/**
 * @typedef {{createScriptURL: (url: string) => string, createHTML: (markup: string) => string}} Policy whose answers
 *   the browser takes in place of texts, as which TypeScript knows them
 */
/** @typedef {{trustedTypes?: {createPolicy(name: string, rules: Policy): Policy}}} Scope */

/** A document with one script, of no more than these letters. */
const PROBE = /^<script nonce="[\w+/=-]*">[\w.=; ]*<\/script>$/;

/** @type {Policy | undefined} */
let policy;
/** The addresses that a worker may be made of. @type {Set<string>} */
const workers = new Set();

/** @returns {Policy} */
function policyOf() {
  const plain = (/** @type {string} */ text) => text;
  try {
    policy ??= /** @type {Scope} */ (/** @type {unknown} */ (globalThis)).trustedTypes?.createPolicy('pyloader', {
      createScriptURL: (/** @type {string} */ url) => admitted(url, workers.has(url)),
      createHTML: (/** @type {string} */ markup) => admitted(markup, PROBE.test(markup)),
    });
  } catch {
    // The page names its policies, and not this one: whether it also asks for them shows when a text is used.
  }
  return policy ?? { createScriptURL: plain, createHTML: plain };
}

/** @param {string} text @param {boolean} isOurs */
function admitted(text, isOurs) {
  if (!isOurs) throw new TypeError(`the policy 'pyloader' does not admit ${text}`);
  return text;
}

/** The address of a worker's script, as the browser wants it. @param {string} url */
export function trustedWorker(url) {
  workers.add(url);
  return policyOf().createScriptURL(url);
}

/** @param {string} markup of a document with one script @returns as the browser wants it */
export function trustedProbe(markup) {
  return policyOf().createHTML(markup);
}
