#!/usr/bin/env node
// `npx pyloader copy FOLDER`: puts what pyloader fetches at run time into a folder that a server has,
// for `init({ assetsURL })`.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = dirname(fileURLToPath(import.meta.url));
const FILES = ['pyloader.js', 'pyloader.mjs', 'worker.mjs', 'whole-worker.mjs', 'LICENSES.txt'];
const USAGE = `usage: pyloader copy FOLDER

Copies the files that pyloader fetches at run time into FOLDER, such as public/pyloader, whose server's
address init({ assetsURL: '/pyloader/' }) then names. Of an earlier version nothing stays.`;

/** @param {string} folder */
function copy(folder) {
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  rmSync(join(target, 'pyodide'), { recursive: true, force: true });
  for (const file of FILES) cpSync(join(PACKAGE, file), join(target, file));
  cpSync(join(PACKAGE, 'pyodide'), join(target, 'pyodide'), { recursive: true });
  const count = FILES.length + readdirSync(join(target, 'pyodide')).length;
  console.log(`pyloader: ${count} files are in ${target}`);
}

const [command, folder, ...others] = process.argv.slice(2);
if (command === 'copy' && folder && !others.length) copy(folder);
else {
  console.error(USAGE);
  process.exitCode = ['help', '--help', '-h'].includes(command) ? 0 : 2;
}
