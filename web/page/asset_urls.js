// @ts-check
// Finds the addresses of the files of dist/: beside the script, unless a bundler has moved them.

/** @typedef {import('../shared/assets.js').Assets} Assets */

/**
 * Return the addresses of the files beside a script.
 * @param {string} scriptURL of pyloader.js, or of the bundle that contains it
 * @returns {Assets}
 */
export function assetsBeside(scriptURL) {
  const pageBase = globalThis.document?.baseURI;
  const assetURLs = URL.canParse('.', scriptURL) ? absolute(PYLOADER_ASSET_URLS?.(), pageBase ?? scriptURL) : undefined;
  // For a script without its own address, such as an inline one, the files are beside the page.
  const base = assetURLs?.['whole-worker.mjs'] ?? (URL.canParse('.', scriptURL) ? scriptURL : pageBase);
  return { assetsURL: URL.canParse('.', base) ? new URL('.', base).href : '', assetURLs };
}

/**
 * Make addresses absolute, since some bundlers give them without an origin.
 * @param {Record<string, string> | undefined} urls by file @param {string} base
 */
function absolute(urls, base) {
  return urls && Object.fromEntries(Object.entries(urls).map(([file, url]) => [file, new URL(url, base).href]));
}
