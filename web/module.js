// @ts-check
// pyloader.mjs: the names of pyloader.js, also as its default export.
export * from './pyloader.js';
export * as default from './pyloader.js';
