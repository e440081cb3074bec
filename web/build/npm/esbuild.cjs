// Plugin of esbuild, which leaves `new URL('./file', import.meta.url)` as it is: puts the files that
// pyloader fetches into the output, and their addresses into the bundle.
const { readFile } = require('node:fs/promises');
const { join } = require('node:path');
const { FOLDER } = require('./files.cjs');

const NAME = 'pyloader';
const ADDRESS = /new URL\((['"])\.\/([^'"]+)\1, import\.meta\.url\)/g;

/** Code that asks for the address of each file by an import, which esbuild knows. @param {string} code @param {string} base an expression */
function withImports(code, base) {
  const files = [...code.matchAll(ADDRESS)].map(([, , file]) => file);
  const imports = files.map((file, index) => `import pyloaderFile${index} from ${JSON.stringify(`${NAME}:${file}`)};`);
  const asked = code.replace(ADDRESS, (_all, _quote, file) => `new URL(pyloaderFile${files.indexOf(file)}, pyloaderScript)`);
  return [...imports, `const pyloaderScript = ${base};`, asked.replaceAll('import.meta.url', 'pyloaderScript')].join('\n');
}

module.exports = () => ({
  name: NAME,
  setup({ initialOptions, onResolve, onLoad }) {
    const isModule = initialOptions.format === 'esm' || initialOptions.splitting;
    const base = isModule ? 'import.meta.url' : 'globalThis.document?.currentScript?.src ?? globalThis.document?.baseURI';
    onResolve({ filter: /^pyloader:/ }, ({ path }) => ({ path: join(FOLDER, path.slice(NAME.length + 1)), namespace: NAME }));
    onLoad({ filter: /.*/, namespace: NAME }, async ({ path }) => ({ contents: await readFile(path), loader: 'file' }));
    onLoad({ filter: /[\\/]pyloader\.mjs$/ }, async ({ path }) => (
      path === join(FOLDER, 'pyloader.mjs') ? { contents: withImports(await readFile(path, 'utf8'), base), loader: 'js' } : undefined));
  },
});
module.exports.default = module.exports;
