// @ts-check
// pyloader.mjs: exports the names of pyloader.js, and all of them as its default export.
export * from './pyloader.js';
export * as default from './pyloader.js';
