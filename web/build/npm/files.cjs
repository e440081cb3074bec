// The files that pyloader fetches at run time, for the plugins of bundlers and for `pyloader copy`.
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

const SCRIPTS = ['worker.mjs', 'whole-worker.mjs'];
/** Their paths in the package. */
const FILES = [...SCRIPTS, ...readdirSync(join(__dirname, 'pyodide')).map((name) => `pyodide/${name}`)];

module.exports = { FILES, FOLDER: __dirname };
