#!/usr/bin/env node
// `npx pyloader copy FOLDER`: puts what pyloader fetches at run time into a folder that a server has,
// for `init({ assetsURL })`.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import files from './files.cjs';

const COPIED = ['pyloader.js', 'pyloader.mjs', 'ohif.mjs', 'LICENSES.txt', ...files.FILES];
const USAGE = `usage: pyloader copy FOLDER

Copies the files that pyloader fetches at run time into FOLDER, such as public/pyloader, whose server's
address init({ assetsURL: '/pyloader/' }) then names. Of an earlier version nothing stays.`;

/** @param {string} folder */
function copy(folder) {
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  rmSync(join(target, 'pyodide'), { recursive: true, force: true });
  for (const file of COPIED) cpSync(join(files.FOLDER, file), join(target, file));
  console.log(`pyloader: ${COPIED.length} files are in ${target}`);
}

const [command, folder, ...others] = process.argv.slice(2);
if (command === 'copy' && folder && !others.length) copy(folder);
else {
  console.error(USAGE);
  process.exitCode = ['help', '--help', '-h'].includes(command) ? 0 : 2;
}
