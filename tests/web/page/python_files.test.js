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
