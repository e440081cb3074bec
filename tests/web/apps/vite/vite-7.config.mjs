import pyloader from 'pyloader/vite';

export default { esbuild: { jsx: 'automatic' }, plugins: [pyloader()] };
