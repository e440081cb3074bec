// pyloader.mjs is imported where there is no page: servers that render one, Node, workers.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

// By a name that the type checker does not follow: the checks run before there is a build.
const BUILT = new URL('../../dist/pyloader.mjs', import.meta.url).href;
/** @type {typeof import('pyloader')} */
const pyloader = await import(BUILT);

const NO_PAGE = {
  name: 'PyLoaderError',
  code: 'boot',
  message: /was called in a worker, in Node, or on a server .* Importing it there does no harm/,
};

test('importing it does nothing', () => {
  assert.match(pyloader.version, /^\d+\.\d+\.\d+/);
  assert.equal(pyloader.stats().version, pyloader.version);
  assert.deepEqual(pyloader.stats().workers, []);
  assert.equal(pyloader.metaData('imagePlaneModule', 'wadouri:a'), undefined);
  pyloader.events.addEventListener('ready', () => {});
  pyloader.registerImageLoader('custom1', () => ({ promise: Promise.resolve({}) }));
  pyloader.purge();
});

for (const [name, call] of Object.entries({
  init: () => pyloader.init(),
  'init with options': () => pyloader.init({ assetsURL: '/lib', origins: ['https://host'] }),
  loadImage: () => pyloader.loadImage('wadouri:https://host/a.dcm'),
  loadMetadata: () => pyloader.loadMetadata('wadouri:https://host/a.dcm'),
  imageIds: () => pyloader.imageIds('nifti:https://host/a.nii'),
  imageLoader: () => pyloader.imageLoader('wadouri:https://host/a.dcm').promise,
  loadPython: () => pyloader.loadPython({ source: '1', name: 'a.py' }),
  dicomweb: async () => pyloader.dicomweb('https://host/dicom-web'),
})) {
  test(`${name} says that it needs a page`, async () => {
    await assert.rejects(call, NO_PAGE);
    pyloader.terminate();
  });
}

test('a program that imports it ends', () => {
  const code = `import('${BUILT}')
    .then((all) => all.loadImage('wadouri:https://host/a'))
    .catch((error) => console.log(error.code))`;
  const { status, stdout } = spawnSync(process.execPath, ['-e', code], { timeout: 60_000, encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, 'boot\n']);
});

test('a worker may import it', async () => {
  const code = `import('${BUILT}')
    .then((all) => require('node:worker_threads').parentPort.postMessage(all.version))`;
  const worker = new Worker(code, { eval: true });
  const [version] = await new Promise((resolve, reject) =>
    worker.on('message', (...found) => resolve(found)).on('error', reject),
  );
  assert.equal(version, pyloader.version);
});
