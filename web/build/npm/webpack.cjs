// Plugin of webpack 5 and Rspack: keeps minimizers from pyloader's files, which are verified by digest.
const { resolve, sep } = require('node:path');
const { FOLDER } = require('./files.cjs');

const NAME = 'pyloader';

module.exports = class PyLoaderPlugin {
  apply(compiler) {
    const isOurs = ({ sourceFilename }) => sourceFilename && resolve(compiler.context, sourceFilename).startsWith(FOLDER + sep);
    compiler.hooks.compilation.tap(NAME, (compilation) => {
      const stage = compiler.webpack.Compilation.PROCESS_ASSETS_STAGE_ADDITIONS;
      compilation.hooks.processAssets.tap({ name: NAME, stage }, () => {
        for (const { name, info } of compilation.getAssets()) {
          if (isOurs(info)) compilation.updateAsset(name, (source) => source, { ...info, minimized: true });
        }
      });
    });
  }
};
module.exports.default = module.exports;
