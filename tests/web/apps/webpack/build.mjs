// Builds by webpack or Rspack into a folder, with pyloader's plugin or without.
import PyLoaderPlugin from 'pyloader/webpack';

const [bundler, folder, plugin, entry = 'main'] = process.argv.slice(2);
const { default: pack } = await import(bundler);
const options = {
  context: import.meta.dirname,
  entry: { main: `./src/${entry}.js` },
  mode: 'production',
  output: { path: folder, publicPath: 'auto' },
  performance: { hints: false },
  plugins: plugin ? [new PyLoaderPlugin()] : [],
};
pack(options, (error, stats) => {
  if (error) throw error;
  process.stdout.write(stats.toString({ preset: 'errors-warnings' }));
  process.exitCode = stats.hasErrors() || stats.hasWarnings() ? 1 : 0;
});
