// @ts-check
// The Python files of a page, and the warnings about them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { PythonFiles } from '../../../web/page/python_files.js';
import { havePage } from '../../support/web/page.js';

havePage('https://page/');

/** @param {import('node:test').TestContext} t @param {string[]} schemes that each file registers */
function page(t, schemes) {
  const warn = t.mock.method(console, 'warn', () => {});
  const files = new PythonFiles({
    define: async () => schemes,
    onSchemes: () => {},
    onReplaced: () => {},
    onPrint: () => {},
  });
  return { files, told: () => warn.mock.calls.map((call) => call.arguments) };
}

test('a file that registers nothing is told on the console, once', async (t) => {
  const { files, told } = page(t, []);
  assert.deepEqual(await files.run({ source: 'x = 1', name: 'vox_loader.py' }), []);
  assert.deepEqual(told(), [['[vox_loader.py] vox_loader.py ran and registered no scheme']]);
});

test('a file that registers a scheme is not', async (t) => {
  const { files, told } = page(t, ['vox']);
  assert.deepEqual(await files.run({ source: '', name: 'vox_loader.py' }), ['vox']);
  assert.deepEqual(told(), []);
});

test('loads of unknown schemes wait for the tags of a page that is still being parsed', async (t) => {
  const { files } = page(t, ['vox']);
  /** @type {(() => void)[]} */
  const parsed = [];
  const former = globalThis.document;
  t.after(() => {
    globalThis.document = former;
  });
  globalThis.document = /** @type {any} */ ({
    ...former,
    readyState: 'loading',
    addEventListener: (/** @type {string} */ _type, /** @type {() => void} */ listener) => parsed.push(listener),
  });
  files.runScriptTags();
  /** @type {boolean | undefined} */
  let served;
  const asked = files.serves('vox').then((found) => {
    served = found;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(served, undefined, 'it waits');
  for (const listener of parsed) listener();
  await asked;
  assert.equal(served, false, 'the page has no tag');
});
