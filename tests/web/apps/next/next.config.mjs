import { dirname } from 'node:path';

const root = dirname(import.meta.dirname);

export default {
  basePath: process.env.BASE_PATH,
  distDir: process.env.DIST_DIR,
  output: 'export',
  outputFileTracingRoot: root,
  turbopack: { root },
};
