// @ts-check
// The build that a script is of, and where its documentation is: the build writes them into every script.

/** The version of pyloader. @type {string} */
// @ts-ignore -- the build writes it in
export const VERSION = typeof PYLOADER_VERSION === 'undefined' ? '' : PYLOADER_VERSION;
/** Another one for each build whose scripts do not belong together. @type {string} */
// @ts-ignore -- the build writes it in
export const BUILD = typeof PYLOADER_BUILD === 'undefined' ? '' : PYLOADER_BUILD;
/** The folder of the documentation, while it has an address. @type {string} */
// @ts-ignore -- the build writes it in
const DOCS = typeof PYLOADER_DOCS === 'undefined' ? '' : PYLOADER_DOCS;

/** Tell where a page of the documentation is. @param {string} name */
export const documentOf = (name) => (DOCS ? `${DOCS}/${name}` : `docs/${name} in the package`);

/** How a mix of two builds comes about, and what to do. */
export const MIXED = 'was pyloader deployed anew while this page was open? Then reload the page; else deploy all its files anew, from one build';
