// @ts-check
// What the page knows of images on DICOMweb services, and the face of such a service. A function
// stands in for the workers; it notes what it is asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Descriptions, serviceFor } from '../../../web/page/dicomweb.js';
import { PyLoaderError } from '../../../web/shared/errors.js';
import { gate } from '../../support/web/workers.js';

/** @typedef {import('../../../web/page/dicomweb.js').Ask} Ask */
/** @typedef {import('../../../web/page/dicomweb.js').Options} Options */
/** @typedef {import('../../../web/page/dicomweb.js').Row} Row */
/** @typedef {import('../../../web/shared/errors.js').WireError} WireError */
/** @typedef {{json?: string, attributes?: Options, error?: WireError} | undefined} Described */
/** @typedef {{url: string, options?: Options}} Payload of a search, which has options, or for a series */
/** @typedef {{signal?: AbortSignal}} AskOptions */
/** @typedef {{name: string, payload: Payload} & AskOptions} Asked */
/** @typedef {(payload: Payload, options?: AskOptions) => unknown} Answer */

const SERIES = '/dw/studies/1/series/2';
const SOURCE = `wadors:${SERIES}/instances/3`;
/** @param {string | number} uid @returns {Row} */
const row = (uid, frames = 1, series = SERIES) => ({
  instance: `${series}/instances/${uid}`,
  frames,
  json: `{"uid":"${uid}"}`,
});

/**
 * Descriptions, what was asked, and `describe` of a source.
 * @param {{answer?: Answer, lookUp?: (imageId: string) => Options | undefined}} given
 */
function descriptionsOf({ answer = async () => [], lookUp = () => undefined } = {}) {
  /** @type {Asked[]} */
  const asked = [];
  /** @type {string[]} */
  const looked = [];
  const ask = (/** @type {string} */ name, /** @type {Payload} */ payload, /** @type {AskOptions} */ options = {}) => {
    asked.push({ name, payload, ...options });
    return answer(payload, options);
  };
  const descriptions = new Descriptions(/** @type {Ask} */ (ask), (imageId) => {
    looked.push(imageId);
    return lookUp(imageId);
  });
  /** @param {string} source @returns {Promise<Described>} */
  const describe = (source, signal = new AbortController().signal, asksAnew = false) =>
    descriptions.describe({ source, asksAnew }, { signal });
  return { descriptions, asked, looked, describe };
}

/** Rows that a test lets come, or fail. */
function slow() {
  const { promise, open, fail } = /** @type {import('../../support/web/workers.js').Gate<Row[]>} */ (gate());
  return { answer: () => promise, open, fail };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

// ------------------------------------------------------------------ given by the page

test('what was given is known, and nobody is asked', async () => {
  const { descriptions, asked, looked, describe } = descriptionsOf();
  descriptions.give(SOURCE, '{"a":1}');
  assert.deepEqual(await describe(SOURCE), { json: '{"a":1}' });
  assert.deepEqual([asked, looked], [[], []]);
});

for (const [given, source] of [
  [`${SOURCE}/frames/1`, SOURCE],
  [`${SOURCE}/frames/7`, SOURCE],
  [SOURCE, `${SOURCE}?token=1`],
  [`${SOURCE}?token=1`, SOURCE],
  [`${SOURCE}/frames/2?token=1`, `${SOURCE}?token=2`],
  [`WADORS:${SERIES}/instances/3/frames/1`, SOURCE],
  [
    'wadors:https://h/dw/studies/1/series/2/instances/3/frames/1#decimation=2',
    'wadors:https://h/dw/studies/1/series/2/instances/3',
  ],
]) {
  test(`what was given for ${given} is of ${source}`, async () => {
    const { descriptions, describe } = descriptionsOf();
    descriptions.give(given, '{"a":1}');
    assert.deepEqual(await describe(source), { json: '{"a":1}' });
  });
}

test('another instance is not known by it', async () => {
  const { descriptions, describe } = descriptionsOf();
  descriptions.give(SOURCE, '{"a":1}');
  for (const uid of ['31', '4', '3.1']) assert.equal(await describe(`wadors:${SERIES}/instances/${uid}`), undefined);
});

test('what is given again replaces', async () => {
  const { descriptions, describe } = descriptionsOf();
  descriptions.give(SOURCE, 'old');
  descriptions.give(`${SOURCE}/frames/1`, 'new');
  assert.deepEqual(await describe(SOURCE), { json: 'new' });
});

test('clear forgets', async () => {
  const { descriptions, asked, describe } = descriptionsOf();
  descriptions.give(SOURCE, '{}');
  descriptions.clear();
  assert.equal(await describe(SOURCE), undefined);
  assert.equal(asked.length, 1);
});

// ------------------------------------------------------------------ known by a viewer

test('what the viewer knows is asked by the first frame, and is enough', async () => {
  const attributes = { Rows: 2 };
  const { asked, looked, describe } = descriptionsOf({ lookUp: () => attributes });
  assert.deepEqual(await describe(`${SOURCE}?token=1`), { attributes });
  assert.deepEqual([looked, asked], [[`${SOURCE}/frames/1`], []]);
});

test('what was given goes before what the viewer knows', async () => {
  const { descriptions, describe } = descriptionsOf({ lookUp: () => ({ Rows: 2 }) });
  descriptions.give(SOURCE, '{"a":1}');
  assert.deepEqual(await describe(SOURCE), { json: '{"a":1}' });
});

// ------------------------------------------------------------------ fetched for a series

test('what nobody knows is fetched with its series', async () => {
  const { asked, describe } = descriptionsOf({ answer: async () => [row('2'), row('3')] });
  assert.deepEqual(await describe(SOURCE), { json: '{"uid":"3"}' });
  assert.deepEqual(
    asked.map(({ name, payload }) => [name, payload]),
    [['series', { url: SERIES }]],
  );
});

for (const [source, url] of [
  ['wadors:https://h:8042/dw/studies/1.2/series/3.4/instances/5.6', 'https://h:8042/dw/studies/1.2/series/3.4'],
  ['wadors:/dw/studies/1/series/2/instances/3?token=1', SERIES],
  ['wadors:../dw/studies/1/series/2/instances/3', '../dw/studies/1/series/2'],
  ['wadors:/studies/9/series/9/dw/studies/1/series/2/instances/3', '/studies/9/series/9/dw/studies/1/series/2'],
]) {
  test(`the series of ${source}`, async () => {
    const { asked, describe } = descriptionsOf();
    await describe(source);
    assert.deepEqual(
      asked.map(({ payload }) => payload),
      [{ url }],
    );
  });
}

test('the other instances of a series are known from then on', async () => {
  const { asked, describe } = descriptionsOf({ answer: async () => [row('3'), row('4')] });
  await describe(SOURCE);
  assert.deepEqual(await describe(`wadors:${SERIES}/instances/4`), { json: '{"uid":"4"}' });
  assert.equal(asked.length, 1);
});

test('a series is fetched once for all who ask meanwhile', async () => {
  const { answer, open } = slow();
  const { asked, describe } = descriptionsOf({ answer });
  const answers = ['3', '4', '5', '9'].map((uid) => describe(`wadors:${SERIES}/instances/${uid}`));
  await settle();
  open([row('3'), row('4'), row('5')]);
  assert.deepEqual(await Promise.all(answers), [
    { json: '{"uid":"3"}' },
    { json: '{"uid":"4"}' },
    { json: '{"uid":"5"}' },
    undefined,
  ]);
  assert.equal(asked.length, 1);
});

test('an instance that came later is asked for with its series again, one that is not there but once', async () => {
  const there = [row('3')];
  const { asked, describe } = descriptionsOf({ answer: async () => [...there] });
  const of = (/** @type {string} */ uid) => describe(`wadors:${SERIES}/instances/${uid}`);
  await of('3');
  there.push(row('4'));
  assert.deepEqual(await of('4'), { json: '{"uid":"4"}' });
  for (let times = 0; times < 5; times++) assert.equal(await of('9'), undefined);
  assert.equal(asked.length, 3);
});

test('other series are fetched for themselves', async () => {
  const { asked, describe } = descriptionsOf({ answer: async ({ url }) => [row('3', 1, url)] });
  const sources = [
    SOURCE,
    'wadors:/dw/studies/1/series/22/instances/3',
    'wadors:https://h/dw/studies/1/series/2/instances/3',
  ];
  await Promise.all(sources.map((source) => describe(source)));
  assert.equal(asked.length, 3);
});

for (const source of [
  'wadors:/dw/instances/3',
  'wadors:/dw/studies/1/instances/3',
  'wadors:/dw/studies/1/series/2',
  'wadors:3',
  'wadors:/dw?x=/studies/1/series/2/instances/3',
  'wadors:/dw#/studies/1/series/2/instances/3',
]) {
  test(`of ${source} no series is known`, async () => {
    const { asked, looked, describe } = descriptionsOf();
    assert.equal(await describe(source), undefined);
    assert.deepEqual([asked, looked.length], [[], 1]);
  });
}

test('a server that has no metadata leaves the instance unknown', async () => {
  const { describe } = descriptionsOf();
  assert.equal(await describe(SOURCE), undefined);
});

test('what fails is an answer, with all that the error says', async () => {
  const fields = {
    code: 'http-status',
    stage: 'fetch',
    message: 'answered with 503',
    url: `${SERIES}/metadata`,
    status: 503,
  };
  const { describe } = descriptionsOf({
    answer: () => Promise.reject(new PyLoaderError({ name: 'HttpStatusError', ...fields })),
  });
  const { error, ...rest } = (await describe(SOURCE)) ?? {};
  assert.ok(error);
  const { name, code, stage, message, url, status } = error;
  assert.deepEqual([{ code, stage, message, url, status }, name, rest], [fields, 'HttpStatusError', {}]);
  structuredClone(error);
});

test('a failure reaches all who ask, and is not kept', async () => {
  const { answer, fail } = slow();
  /** @type {Answer[]} */
  const tries = [answer, async () => [row('3')]];
  const { asked, describe } = descriptionsOf({ answer: (...parts) => tries[asked.length - 1](...parts) });
  const answers = [describe(SOURCE), describe(SOURCE)];
  fail(new Error('no luck'));
  for (const told of await Promise.all(answers)) assert.equal(told?.error?.message, 'no luck');
  assert.deepEqual(await describe(SOURCE), { json: '{"uid":"3"}' });
});

test('who leaves is answered at once, and the others go on', async () => {
  const { answer, open } = slow();
  const { asked, describe } = descriptionsOf({ answer });
  const controller = new AbortController();
  const [one, two] = [describe(SOURCE, controller.signal), describe(SOURCE)];
  await settle();
  controller.abort();
  assert.equal((await one)?.error?.name, 'AbortError');
  assert.equal(asked[0].signal?.aborted, false);
  open([row('3')]);
  assert.deepEqual(await two, { json: '{"uid":"3"}' });
});

test('the last to leave ends the fetch, and the next begins another', async () => {
  const { asked, describe } = descriptionsOf({ answer: slow().answer });
  const controllers = [new AbortController(), new AbortController()];
  const answers = controllers.map(({ signal }) => describe(SOURCE, signal));
  await settle();
  for (const controller of controllers) controller.abort();
  for (const told of await Promise.all(answers)) assert.equal(told?.error?.name, 'AbortError');
  assert.equal(asked[0].signal?.aborted, true);
  describe(SOURCE);
  assert.equal(asked.length, 2);
  assert.equal(asked[1].signal?.aborted, false);
});

test('a series that is asked for by itself makes its instances known', async () => {
  const { descriptions, asked, describe } = descriptionsOf({ answer: async () => [row('3')] });
  assert.deepEqual(await descriptions.series(SERIES), [row('3')]);
  assert.deepEqual(await describe(SOURCE), { json: '{"uid":"3"}' });
  assert.equal(asked.length, 1);
});

// ------------------------------------------------------------------ the face of a service

/**
 * A service, the searches it asked for, and what else its descriptions asked.
 * @param {() => unknown} answer to a search @param {Answer} rows of a series
 */
function serviceOf(answer = async () => ['found'], rows = async () => []) {
  const {
    descriptions,
    asked: all,
    describe,
  } = descriptionsOf({ answer: (payload, options) => (payload.options ? answer() : rows(payload, options)) });
  const isSearch = (/** @type {Asked} */ { name }) => name === 'search';
  /** @param {Asked} call @returns {[name: string, payload: Payload, options: AskOptions]} */
  const partsOf = ({ name, payload, signal }) => [name, payload, { signal }];
  return {
    service: serviceFor('https://h/dw', descriptions),
    describe,
    get asked() {
      return all.filter(isSearch).map(partsOf);
    },
    get described() {
      return all.filter((call) => !isSearch(call));
    },
  };
}

test('a service tells its address', () => {
  assert.equal(serviceOf().service.base, 'https://h/dw');
});

/** @type {['searchStudies' | 'searchSeries' | 'searchInstances', (string | undefined)[], string][]} */
const SEARCHES = [
  ['searchStudies', [], 'https://h/dw/studies'],
  ['searchSeries', ['1.2'], 'https://h/dw/studies/1.2/series'],
  ['searchSeries', [undefined], 'https://h/dw/series'],
  ['searchSeries', [''], 'https://h/dw/series'],
  ['searchInstances', ['1.2', '3.4'], 'https://h/dw/studies/1.2/series/3.4/instances'],
  ['searchInstances', ['1.2', undefined], 'https://h/dw/studies/1.2/instances'],
  ['searchInstances', [undefined, undefined], 'https://h/dw/instances'],
];
for (const [name, uids, url] of SEARCHES) {
  test(`${name}(${uids.map(String).join(', ')}) asks ${url}`, async () => {
    const made = serviceOf();
    const search = /** @type {(...parts: unknown[]) => Promise<unknown>} */ (made.service[name]);
    const { signal } = new AbortController();
    assert.deepEqual(
      await search(
        ...uids,
        { PatientID: 'p', ModalitiesInStudy: ['CT', 'MR'] },
        { limit: 5, fuzzymatching: true, signal },
      ),
      ['found'],
    );
    await search(...uids);
    await search(...uids, undefined, { offset: 2 });
    assert.deepEqual(made.asked, [
      [
        'search',
        { url, options: { PatientID: 'p', ModalitiesInStudy: ['CT', 'MR'], limit: 5, fuzzymatching: true } },
        { signal },
      ],
      ['search', { url, options: {} }, { signal: undefined }],
      ['search', { url, options: { offset: 2 } }, { signal: undefined }],
    ]);
    structuredClone(made.asked[0][1]);
  });
}

test('instances of a series whose study is not known are those of all that have it', async () => {
  const made = serviceOf();
  await made.service.searchInstances(undefined, '3.4', { InstanceNumber: 1 });
  assert.deepEqual(made.asked[0][1], {
    url: 'https://h/dw/instances',
    options: { InstanceNumber: 1, seriesInstanceUID: '3.4' },
  });
});

test('a series without metadata is not asked for again', async () => {
  const { asked, describe } = descriptionsOf();
  assert.equal(await describe(SOURCE), undefined);
  assert.equal(await describe(SOURCE), undefined);
  assert.equal(asked.length, 1);
});

test('a provider that throws is an error of the load', async () => {
  const { describe } = descriptionsOf({
    lookUp: () => {
      throw new Error('no');
    },
  });
  assert.equal((await describe(SOURCE))?.error?.message, 'no');
});

test('an empty field of a form is no filter', async () => {
  const made = serviceOf();
  await made.service.searchStudies(
    { PatientID: '', PatientName: undefined, StudyDate: null, SeriesNumber: 0, AccessionNumber: ' ' },
    { limit: undefined, offset: 0, fuzzymatching: false },
  );
  assert.deepEqual(made.asked[0][1].options, {
    SeriesNumber: 0,
    AccessionNumber: ' ',
    offset: 0,
    fuzzymatching: false,
  });
});

test('a search fails as the worker says', async () => {
  const { service } = serviceOf(() => Promise.reject(new PyLoaderError({ code: 'http-status', message: 'no' })));
  await assert.rejects(service.searchStudies(), { code: 'http-status', message: 'no' });
});

test('the imageIds of a series are its frames, in the order of its rows', async () => {
  const series = 'https://h/dw/studies/1/series/2';
  const { service } = serviceOf(undefined, async () => [row('9', 1, series), row('3', 3, series), row('5', 1, series)]);
  assert.deepEqual(await service.imageIds('1', '2'), [
    `wadors:${series}/instances/9/frames/1`,
    `wadors:${series}/instances/3/frames/1`,
    `wadors:${series}/instances/3/frames/2`,
    `wadors:${series}/instances/3/frames/3`,
    `wadors:${series}/instances/5/frames/1`,
  ]);
});

for (const [what, counts] of /** @type {[string, number[]][]} */ ([
  ['one instance', [1, 2 ** 31 - 1]],
  ['no number', [1, 1e300]],
  ['many instances', Array(20).fill(2 ** 17)],
])) {
  test(`frames that no list can hold are an error that names who announces them: ${what}`, async () => {
    const series = 'https://h/dw/studies/1/series/2';
    const { service } = serviceOf(undefined, async () =>
      counts.map((frames, index) => row(`4.${index}`, frames, series)),
    );
    await assert.rejects(service.imageIds('1', '2'), {
      code: 'format',
      url: `${series}/instances/4.${what === 'many instances' ? 8 : 1}`,
      message: /announce \S+ frames, and its series has more than the 1048576/,
    });
  });
}

test('imageIds bring the metadata of their images', async () => {
  const series = 'https://h/dw/studies/1/series/2';
  const made = serviceOf(undefined, async () => [row('3', 1, series)]);
  const [imageId] = await made.service.imageIds('1', '2');
  assert.deepEqual(await made.describe(imageId.replace('/frames/1', '')), { json: '{"uid":"3"}' });
  assert.deepEqual([made.asked.length, made.described.length], [0, 1]);
});

test('a series without metadata is an error that names it', async () => {
  const { service } = serviceOf();
  await assert.rejects(service.imageIds('1', '2'), {
    name: 'PyLoaderError',
    kind: 'FormatError',
    code: 'format',
    stage: 'parse',
    url: 'https://h/dw/studies/1/series/2',
    message: /^https:\/\/h\/dw\/studies\/1\/series\/2 has no metadata/,
  });
});

test('imageIds may be cancelled', async () => {
  const { service } = serviceOf(undefined, slow().answer);
  const controller = new AbortController();
  const imageIds = service.imageIds('1', '2', { signal: controller.signal });
  controller.abort();
  await assert.rejects(imageIds, {
    name: 'AbortError',
    message: /the metadata of https:\/\/h\/dw\/studies\/1\/series\/2 was cancelled/,
  });
});

test('imageIds fail as the worker says', async () => {
  const { service } = serviceOf(undefined, () => Promise.reject(new PyLoaderError({ code: 'network', message: 'no' })));
  await assert.rejects(service.imageIds('1', '2'), { code: 'network', message: 'no' });
});

test('a series that had no metadata is asked for again when servers may answer otherwise', async () => {
  /** @type {Row[]} */
  let rows = [];
  const { descriptions, asked, describe } = descriptionsOf({ answer: async () => rows });
  assert.equal(await describe(SOURCE), undefined);
  rows = [row('3')];
  assert.equal(await describe(SOURCE), undefined, 'it is known that it has none');
  descriptions.beginAnew();
  assert.deepEqual(await describe(SOURCE), { json: '{"uid":"3"}' });
  assert.equal(asked.length, 2);
});

test('what is under way is not waited for by who asks after that', async () => {
  const first = slow();
  const answers = [first.answer, async () => [row('3')]];
  const { descriptions, describe } = descriptionsOf({ answer: () => answers.shift()?.() });
  const before = describe(SOURCE);
  await settle();
  descriptions.beginAnew();
  assert.deepEqual(await describe(SOURCE), { json: '{"uid":"3"}' });
  first.open([]);
  await before;
});

for (const uids of [[], ['1'], [undefined, '2'], ['', '2'], [1, '2'], [{}, '2']]) {
  test(`a service lists no series of ${JSON.stringify(uids)}`, async () => {
    const { descriptions, asked } = descriptionsOf();
    const { imageIds } = serviceFor('/dw', descriptions);
    await assert.rejects(/** @type {(...uids: unknown[]) => Promise<unknown>} */ (imageIds)(...uids), {
      code: 'request',
      message: /takes the UIDs of a study and of a series/,
    });
    assert.deepEqual(asked, []);
  });
}

test('who asks anew is told by metadata of the instance alone, which are known from then on', async () => {
  const alone = { ...row(3), instance: `${SERIES}/instances/3/instances/3` };
  const { asked, describe } = descriptionsOf({ answer: async ({ url }) => (url === SERIES ? [] : [row(4), alone]) });
  const { signal } = new AbortController();
  assert.equal(await describe(SOURCE), undefined);
  const answers = await Promise.all([describe(`${SOURCE}?a=1`, signal, true), describe(`${SOURCE}?a=2`, signal, true)]);
  assert.deepEqual(answers, [{ json: alone.json }, { json: alone.json }]);
  assert.deepEqual(
    asked.map(({ payload }) => payload.url),
    [SERIES, `${SERIES}/instances/3`],
  );
  assert.deepEqual(await describe(`${SOURCE}?a=3`), { json: alone.json });
  assert.equal(asked.length, 2);
});

test('an instance that has no metadata of its own either stays unknown', async () => {
  const { asked, describe } = descriptionsOf({ answer: async () => [] });
  const { signal } = new AbortController();
  for (const times of [1, 2]) {
    assert.equal(await describe(SOURCE, signal, true), undefined);
    assert.equal(asked.length, times);
  }
  assert.equal(await describe('wadors:https://h/odd', signal, true), undefined);
});
