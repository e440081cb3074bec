// @ts-check
// The build that a script is of, and where its documentation is: the build writes them into every script.

/** The version of pyloader. @type {string} */
export const VERSION = typeof PYLOADER_VERSION === 'undefined' ? '' : PYLOADER_VERSION;
/** Another one for each build whose scripts do not belong together. @type {string} */
export const BUILD = typeof PYLOADER_BUILD === 'undefined' ? '' : PYLOADER_BUILD;
/** The folder of the documentation, while it has an address. @type {string} */
const DOCS = typeof PYLOADER_DOCS === 'undefined' ? '' : PYLOADER_DOCS;

/** Advice for missing files. */
export const ADVICE = [
  'If the app was deployed anew while this page was open, reload the page.',
  'A bundled app needs the plugin of its bundler (pyloader/vite, pyloader/webpack, pyloader/esbuild), or',
  '`npx pyloader copy FOLDER` and the address of that folder in init({ assetsURL }).',
  `See ${DOCS ? `${DOCS}/apps.md` : 'docs/apps.md in the package'}`,
].join(' ');

/** Cause of a mix of two builds, and advice. */
export const MIXED =
  'was pyloader deployed anew while this page was open? Then reload the page; else deploy all its files anew, from one build';
