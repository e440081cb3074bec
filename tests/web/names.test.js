// @ts-check
// Names that every object of JavaScript knows are ordinary unknown names, wherever one comes from outside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/web/lock.js';
import { answer } from '../support/web/page.js';
import { asShown, moduleFor } from '../../web/viewers/metadata.js';
import { nearest, tellUnknown, tellUnknownOfLoad } from '../../web/page/options.js';
import { PyLoaderError } from '../../web/shared/errors.js';
import { addressOf, parseImageId } from '../../web/shared/imageid.js';
import { deliveryFor } from '../../web/viewers/cornerstone.js';
import { Packages, BundledPackages } from '../../web/boot/packages.js';
import { DEFAULTS, plainHeaders, settingsWith } from '../../web/page/settings.js';

const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
/** @type {import('../../web/viewers/cornerstone.js').Mode[]} */
const MODES = ['none', 'legacy', '3d'];
/** Options with a name of their own. @param {string} name @param {unknown} value */
const options = (name, value) => JSON.parse(`{ "${name}": ${JSON.stringify(value)} }`);

globalThis.document = /** @type {any} */ ({ baseURI: 'https://page/' });

/** An interpreter that has packages. @param {Record<string, string>} loadedPackages */
function pyodideWith(loadedPackages) {
  return /** @type {import('../../web/boot/python.d.ts').Pyodide} */ (/** @type {unknown} */ ({ loadedPackages }));
}

for (const name of NAMES) {
  test(`${name}: a scheme`, () => {
    // No scheme begins with an underscore.
    if (name === '__proto__') return assert.throws(() => parseImageId(`${name}:x`), { code: 'image-id' });
    assert.deepEqual(parseImageId(`${name}:x?frame=2`), {
      scheme: name.toLowerCase(),
      source: `${name.toLowerCase()}:x`,
      frameIndex: 1,
    });
    assert.equal(addressOf(`${name}:x`), undefined);
  });

  test(`${name}: a module`, () => {
    const modules = { imagePixelModule: answer().image.pixel };
    for (const mode of MODES) {
      assert.equal(moduleFor(modules, name, mode), undefined);
      assert.equal(
        moduleFor(modules, name, mode, () => 'theirs'),
        undefined,
        'it is none that others complete',
      );
    }
    assert.deepEqual(asShown(name, { a: 1 }), { a: 1 });
  });

  test(`${name}: an option`, (t) => {
    const warn = t.mock.method(console, 'warn', () => {});
    const settings = { ...DEFAULTS, assetsURL: 'https://page/', assetURLs: undefined };
    assert.deepEqual(settingsWith(settings, options(name, 1), settings), settings);
    assert.deepEqual(settingsWith(settings, { limits: options(name, 1) }, settings), settings);
    tellUnknown('init', options(name, 1));
    tellUnknown('init', { limits: options(name, 1) });
    tellUnknown('use', options(name, 1));
    tellUnknownOfLoad('loadImage', options(name, 1), true);
    assert.equal(warn.mock.callCount(), 4);
    assert.equal(nearest(name, ['workers']), undefined);
  });

  test(`${name}: a header`, () => {
    const refuse = (/** @type {string} */ message) => new PyLoaderError({ message });
    assert.deepEqual(Object.entries(plainHeaders(options(name, 'x'), refuse)), [[name, 'x']]);
  });

  test(`${name}: a modality, a type of numbers`, () => {
    assert.equal(deliveryFor('3d', { preScale: { scalingParameters: { modality: name } } }).factor, 'own');
    const type = /** @type {import('pyloader').PixelArrayName} */ (name);
    assert.equal(deliveryFor('legacy', { targetBuffer: { type } }).dtype, undefined);
  });

  test(`${name}: a package`, async () => {
    /** @type {string[]} */
    const added = [];
    const page = { assetsURL: 'https://page/dist/', baseURL: 'https://page/', packageIndexes: [], requestTimeout: 100 };
    const bundled = new BundledPackages({ assetsURL: 'https://page/dist/' });
    bundled.rows = {
      micropip: { name: 'micropip', version: '1', file_name: 'm.whl', sha256: '00', depends: [], imports: [] },
    };
    /** @type {import('../../web/boot/python.d.ts').PackagesBridge} */
    const bridge = {
      add_packages: async (wanted) => void added.push(...wanted),
      limit_micropip: () => {},
      lacking_imports: () => [],
    };
    const packages = new Packages(pyodideWith({ micropip: '' }), bundled, page, () => {});
    await packages.install(bridge, [name]);
    assert.deepEqual(added, [name], 'it is looked for as any other');
  });
}
