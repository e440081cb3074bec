// @ts-check
// Where the files of dist/ are: beside the script, unless a bundler has put each elsewhere.

/** @typedef {import('../shared/assets.js').Assets} Assets */

/**
 * The files beside a script.
 * @param {string} scriptURL of pyloader.js, or of the bundle that has it
 * @returns {Assets}
 */
export function assetsBeside(scriptURL) {
  const pageBase = globalThis.document?.baseURI;
  const assetURLs = URL.canParse('.', scriptURL) ? absolute(PYLOADER_ASSET_URLS?.(), pageBase ?? scriptURL) : undefined;
  // A script without an address of its own, such as one written into the page, has them beside the page.
  const base = assetURLs?.['whole-worker.mjs'] ?? (URL.canParse('.', scriptURL) ? scriptURL : pageBase);
  return { assetsURL: URL.canParse('.', base) ? new URL('.', base).href : '', assetURLs };
}

/** Addresses by file, which some bundlers give without an origin. @param {Record<string, string> | undefined} urls @param {string} base */
function absolute(urls, base) {
  return urls && Object.fromEntries(Object.entries(urls).map(([file, url]) => [file, new URL(url, base).href]));
}
