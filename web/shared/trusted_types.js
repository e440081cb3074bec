// @ts-check
// Trusted Types: passes script addresses and markup to the browser, on pages that allow this only to named
// policies. A page allows the policy of pyloader by `trusted-types pyloader`.

/**
 * @typedef {{createScriptURL: (url: string) => string, createHTML: (markup: string) => string}} Policy returns trusted
 *   values, which the browser takes in place of strings; TypeScript knows them as strings
 */
/** @typedef {{trustedTypes?: {createPolicy(name: string, rules: Policy): Policy}}} Scope */

/** A document with a single script that consists only of these characters. */
const PROBE = /^<script nonce="[\w+/=-]*">[\w.=; ]*<\/script>$/;

/** @type {Policy | undefined} */
let policy;
/** Addresses that a worker may be created from. @type {Set<string>} */
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
    // The page lists allowed policies without this one. If it also requires them, the use of a string will fail.
  }
  return policy ?? { createScriptURL: plain, createHTML: plain };
}

/** @param {string} text @param {boolean} isOurs */
function admitted(text, isOurs) {
  if (!isOurs) throw new TypeError(`the policy 'pyloader' does not admit ${text}`);
  return text;
}

/** Return the address of a worker's script as a trusted value. @param {string} url */
export function trustedWorker(url) {
  workers.add(url);
  return policyOf().createScriptURL(url);
}

/** @param {string} markup of a document with one script @returns a trusted value */
export function trustedProbe(markup) {
  return policyOf().createHTML(markup);
}
