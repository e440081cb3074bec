// @ts-check
// What the build writes into the worker: a list of dist/pyodide/ without anything in it.

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
