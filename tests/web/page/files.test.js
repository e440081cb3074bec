// @ts-check
// Files of the user: names, folders of a drop, and what the workers are asked and given.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Files } from '../../../web/page/files.js';

/** @typedef {import('../../../web/page/files.js').Host} Host */
/** @typedef {import('../../../web/page/files.js').Given} Given */
/** @typedef {import('../../../web/page/files.js').Named} Named */
/** @typedef {import('../../../web/page/files.js').Options} Options */
/** @typedef {{[name: string]: Blob | Folder}} Folder */
/** @typedef {Record<string, unknown> | null} FakeEntry as much of a FileSystemEntry as is read */

/**
 * A host that finds one series of the files with these paths, and notes what it was asked.
 * @param {(path: string) => boolean} wanted
 */
function hostOf(wanted = () => true) {
  const host = {
    /** @type {[string, Blob][]} */ provided: [],
    /** @type {{imageId: string, files?: Named[], options: Options}[]} */ asked: [],
    /** @type {Host['provide']} */
    provide: async (name, file) => void host.provided.push([name, file]),
    /** @type {Host['list']} */
    list: async (imageId, files, options) => {
      host.asked.push({ imageId, files, options });
      const imageIds = (files ?? [{ name: imageId, path: '' }])
        .filter(({ path }) => wanted(path))
        .map(({ name }) => `${name}?frame=1`);
      return [{ attributes: { modality: 'CT' }, imageIds, missing: ['x'] }];
    },
  };
  return host;
}

/** @param {string} path @param {string} folder */
const file = (path, folder = '') =>
  Object.defineProperty(new File(['a'], path), 'webkitRelativePath', { value: folder && `${folder}/${path}` });

/**
 * An entry of a drop; folders give two entries at a time.
 * @param {string} path @param {Blob | Folder} content @returns {FakeEntry}
 */
function entryOf(path, content) {
  const fullPath = `/${path}`;
  if (content instanceof Blob)
    return { isFile: true, fullPath, file: (/** @type {(file: Blob) => void} */ resolve) => resolve(content) };
  const left = Object.entries(content).map(([name, each]) => entryOf(`${path}/${name}`, each));
  const readEntries = (/** @type {(entries: FakeEntry[]) => void} */ resolve) => resolve(left.splice(0, 2));
  return { isFile: false, fullPath, createReader: () => ({ readEntries }) };
}

globalThis.DataTransfer ??= /** @type {typeof DataTransfer} */ (/** @type {unknown} */ (class {}));
/** @param {[entry: FakeEntry, plain?: File | 'text'][]} entries @returns {DataTransfer} */
const dropOf = (entries) =>
  Object.assign(new DataTransfer(), {
    items: entries.map(([entry, plain]) => ({
      kind: plain === 'text' ? 'string' : 'file',
      webkitGetAsEntry: () => entry,
      getAsFile: () => plain ?? null,
    })),
  });

/** The names of a page's files, without what is random. @param {unknown} names */
const numbers = (names) => JSON.parse(JSON.stringify(names).replaceAll(/localfile:[0-9a-f]{8}-/g, ''));

test('names are never used again', async () => {
  const files = new Files(hostOf());
  const first = files.add(new Blob(['a']));
  assert.match(first, /^localfile:[0-9a-f]{8}-0$/);
  await files.series([file('a')], {});
  assert.equal(files.add(new Uint8Array(2)), first.replace(/0$/, '2'));
});

test('two copies of the script, or two pages, have no name in common', () => {
  const names = Array.from({ length: 50 }, () => new Files(hostOf()).add(new Blob(['a'])));
  assert.equal(new Set(names).size, 50);
});

test('what is given to add becomes a Blob', () => {
  const host = hostOf();
  const files = new Files(host);
  for (const content of [new Uint8Array([1, 2]), new ArrayBuffer(3), new Blob(['abcd'])]) files.add(content);
  assert.deepEqual(numbers(host.provided.map(([name, { size }]) => [name, size])), [
    ['0', 2],
    ['1', 3],
    ['2', 4],
  ]);
});

test('a list keeps only files that hold images', async () => {
  const host = hostOf((path) => path !== 'README');
  const given = [file('a'), file('README'), file('b')];
  const found = await new Files(host).series(given, {});
  assert.deepEqual(numbers(found), [{ modality: 'CT', imageIds: ['0?frame=1', '2?frame=1'], missing: ['x'] }]);
  assert.deepEqual(
    host.provided.map(([, blob]) => blob),
    [given[0], given[2]],
  );
  assert.deepEqual(numbers(host.provided.map(([name]) => name)), ['0', '2']);
});

test('a source is asked for without files', async () => {
  const host = hostOf();
  const found = await new Files(host).series('wadouri:/s.zip', { mark: 1 });
  assert.deepEqual(host.asked, [{ imageId: 'wadouri:/s.zip', files: undefined, options: { mark: 1 } }]);
  assert.deepEqual(found[0].imageIds, ['wadouri:/s.zip?frame=1']);
  assert.deepEqual(host.provided, []);
});

for (const [what, given, paths] of /** @type {[string, Given, string[]][]} */ ([
  ['one file', file('a'), ['a']],
  ['a Blob', new Blob(['a']), ['']],
  ['an array', [file('a'), file('b', 'x/y')], ['a', 'x/y/b']],
  ['an array-like, as a FileList is', { length: 1, 0: file('a') }, ['a']],
  ['a set', new Set([file('a')]), ['a']],
])) {
  test(`paths of ${what}`, async () => {
    const host = hostOf();
    await new Files(host).series(given, {});
    assert.deepEqual(
      host.asked[0].files?.map(({ path }) => path),
      paths,
    );
  });
}

test('a drop is read within its event, with all folders below', async () => {
  const host = hostOf();
  const tree = { 1: file('1'), 2: file('2'), sub: { 3: file('3'), 4: file('4'), 5: file('5') } };
  const drop = dropOf([
    [entryOf('disc', tree), undefined],
    [entryOf('a.dcm', file('a.dcm')), undefined],
    [null, file('plain')],
    [null, 'text'],
  ]);
  const asked = new Files(host).series(drop, {});
  Object.assign(drop, { items: [] }); // as browsers do after the event
  await asked;
  assert.deepEqual(
    host.asked[0].files?.map(({ path }) => path),
    ['disc/1', 'disc/2', 'disc/sub/3', 'disc/sub/4', 'disc/sub/5', 'a.dcm', 'plain'],
  );
});

for (const nothing of [[], { length: 0 }, new Set()]) {
  test('no file at all is said', async () => {
    await assert.rejects(new Files(hostOf()).series(nothing, {}), {
      code: 'image-id',
      message: /were given no file/,
    });
  });
}

/** @type {unknown[]} */
const NO_FILES = [undefined, null, 7, {}, ['a.dcm'], [file('a'), 'b']];
for (const wrong of /** @type {Given[]} */ (NO_FILES)) {
  test(`what is no file is refused: ${JSON.stringify(wrong)}`, async () => {
    await assert.rejects(new Files(hostOf()).series(wrong, {}), { name: 'PyLoaderError', code: 'image-id' });
  });
}

test('a dropped file that cannot be read is said', async () => {
  const entry = {
    isFile: true,
    fullPath: '/a',
    file: (/** @type {unknown} */ _, /** @type {(error: Error) => void} */ reject) =>
      reject(new DOMException('it is gone', 'NotFoundError')),
  };
  await assert.rejects(new Files(hostOf()).series(dropOf([[entry]]), {}), {
    name: 'PyLoaderError',
    code: 'request',
    message: /cannot be read: it is gone/,
  });
});

test('a list that fails keeps no file', async () => {
  const host = hostOf();
  host.list = async () => Promise.reject(new Error('no image'));
  await assert.rejects(new Files(host).series([file('a')], {}), /no image/);
  assert.deepEqual(host.provided, []);
});
