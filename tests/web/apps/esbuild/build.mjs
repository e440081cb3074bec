// Builds by esbuild into a folder, as a module or as a classic script.
import { build } from 'esbuild';
import pyloader from 'pyloader/esbuild';

const [outdir, format] = process.argv.slice(2);
const { warnings } = await build({
  absWorkingDir: import.meta.dirname,
  bundle: true,
  entryPoints: ['src/main.js'],
  format,
  minify: true,
  outdir,
  plugins: [pyloader()],
});
process.exitCode = warnings.length ? 1 : 0;
