// @ts-check
// The build of this script, and the address of its documentation: the build writes both into every script.

/** Version of pyloader. @type {string} */
export const VERSION = typeof PYLOADER_VERSION === 'undefined' ? '' : PYLOADER_VERSION;
/** Name of the build; it differs between builds whose scripts do not fit together. @type {string} */
export const BUILD = typeof PYLOADER_BUILD === 'undefined' ? '' : PYLOADER_BUILD;
/** Address of the documentation's folder; empty while it has none. @type {string} */
const DOCS = typeof PYLOADER_DOCS === 'undefined' ? '' : PYLOADER_DOCS;

/** Advice for missing files. */
export const ADVICE = [
  'If the app was deployed anew while this page was open, reload the page.',
  'A bundled app needs the plugin of its bundler (pyloader/vite, pyloader/webpack, pyloader/esbuild), or',
  '`npx pyloader copy FOLDER` and the address of that folder in init({ assetsURL }).',
  `See ${DOCS ? `${DOCS}/apps.md` : 'docs/apps.md in the package'}`,
].join(' ');

/** Likely cause of a mix of two builds, and advice. */
export const MIXED =
  'was pyloader deployed anew while this page was open? ' +
  'Then reload the page; else deploy all its files anew, from one build';
