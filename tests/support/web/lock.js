// @ts-check
// The list of dist/pyodide/ that the build writes into the worker, empty here.

/** @type {import('../../../web/boot/lock.js').Lock} */
const PYLOADER_LOCK = {
  info: { python: '3.13.2' },
  packages: {},
  starting: [],
  standard: [],
  libraries: {},
  digests: {},
  identity: '',
  snapshot: { unpacked: '', packed: '' },
};
Object.assign(globalThis, { PYLOADER_LOCK });
