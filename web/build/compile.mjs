// node compile.mjs PYODIDE IN.zip OUT.zip ROOT
// Compiles every .py in IN.zip with the Python of the Pyodide in the folder PYODIDE.
import { readFileSync, writeFileSync } from 'node:fs';
import { boot } from './pyodide.mjs';

const [folder, input, output, root] = process.argv.slice(2);
const pyodide = await boot(folder);
pyodide.runPython(readFileSync(new URL('compile_zip.py', import.meta.url), 'utf8'));
pyodide.FS.writeFile('/sources.zip', readFileSync(input));
const compileZip = pyodide.globals.get('compile_zip');
compileZip('/sources.zip', '/compiled.zip', root);
writeFileSync(output, pyodide.FS.readFile('/compiled.zip'));
process.exit(0); // Pyodide keeps Node's event loop alive.
