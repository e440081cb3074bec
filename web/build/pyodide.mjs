// Boots Pyodide under Node, to compile with, from a memory snapshot: this takes 1 s instead of 6.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @typedef {import('../boot/python.d.ts').Pyodide & {makeMemorySnapshot(): Uint8Array}} Pyodide */
/** @typedef {import('../boot/python.d.ts').LoadOptions & {env: Record<string, string>}} Options */

/** Boot the Pyodide in `folder`, and first make its snapshot if there is none. @param {string} folder */
export async function boot(folder) {
  const { loadPyodide } = await import(pathToFileURL(join(folder, 'pyodide.mjs')).href);
  const snapshot = join(folder, 'compiler.snapshot');
  if (!existsSync(snapshot)) await makeSnapshot(loadPyodide, folder, snapshot);
  return loadPyodide({ indexURL: folder, _loadSnapshot: readFileSync(snapshot) });
}

/**
 * @param {(options: Options) => Promise<Pyodide>} loadPyodide
 * @param {string} folder @param {string} snapshot the file to write
 */
async function makeSnapshot(loadPyodide, folder, snapshot) {
  // Keep line numbers, but no columns, in the bytecode: columns only underline source lines, which are not shipped.
  const pyodide = await loadPyodide({ indexURL: folder, _makeSnapshot: true, env: { PYTHONNODEBUGRANGES: '1' } });
  const partial = `${snapshot}.${process.pid}`;
  writeFileSync(partial, pyodide.makeMemorySnapshot());
  renameSync(partial, snapshot);
}
