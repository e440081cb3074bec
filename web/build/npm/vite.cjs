// Plugin of Vite: its development server gives pyloader's files as they are, and its build none as a
// `data:` address.
const { createReadStream } = require('node:fs');
const { extname, join } = require('node:path');
const { FILES, FOLDER } = require('./files.cjs');

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const ADDRESS = /\/pyloader\/(worker\.mjs|whole-worker\.mjs|pyodide\/[^/?#]+)(?:[?#]|$)/;

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response @param {() => void} next */
function serve(request, response, next) {
  const [, file] = ADDRESS.exec(request.url ?? '') ?? [];
  if (!FILES.includes(file)) return next();
  response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
  createReadStream(join(FOLDER, file)).on('error', next).pipe(response);
}

module.exports = () => ({
  name: 'pyloader',
  config: ({ build }) => ({
    optimizeDeps: { exclude: ['pyloader'] },
    build: {
      assetsInlineLimit(file, content) {
        if (file.startsWith(`${FOLDER.replaceAll('\\', '/')}/`)) return false; // Vite writes slashes, on Windows too
        const own = build?.assetsInlineLimit;
        return typeof own === 'function' ? own(file, content) : content.length < (own ?? 4096);
      },
    },
  }),
  configureServer: ({ middlewares }) => void middlewares.use(serve),
});
module.exports.default = module.exports;
