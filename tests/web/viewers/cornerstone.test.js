// @ts-check
// What is loaded, in each viewer's words; and registration with stand-ins of the two libraries.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../../support/web/page.js';
import {
  attach,
  attributesFrom,
  deliveryFor,
  guessMode,
  imageFor,
  modeOf,
  moduleFor,
} from '../../../web/viewers/cornerstone.js';

globalThis.reportError ??= () => {};

/** @typedef {import('../../../web/viewers/cornerstone.js').Mode} Mode */
/** @typedef {import('../../../web/viewers/cornerstone.js').Options} Options */
/** @typedef {import('../../../web/viewers/cornerstone.js').Face} Face */
/** @typedef {import('../../../web/viewers/cornerstone.js').Loading} Loading */
/** @typedef {import('../../../web/viewers/voi.js').Windows} Windows */
/** @typedef {import('../../../web/viewers/libraries.d.ts').MetaData} MetaData */
/** @typedef {import('../../../web/viewers/libraries.d.ts').Provider} Provider */
/** @typedef {import('../../../web/viewers/libraries.d.ts').LegacyCornerstone} LegacyCornerstone */
/** @typedef {import('../../../web/shared/messages.d.ts').ImageMessage} ImageMessage */
/** @typedef {import('../../../web/shared/messages.d.ts').Loaded} Loaded */
/** @typedef {import('../../../web/shared/messages.d.ts').WireModules} WireModules */
/** @typedef {import('pyloader').ModuleName} ModuleName */
/** @typedef {import('pyloader').Image} Image */
/** @typedef {import('pyloader').LookupTable} LookupTable */
/** @typedef {import('pyloader').ImagePixelModule} ImagePixelModule */
/** @typedef {import('pyloader').ScalingParameters} ScalingParameters */
/** @typedef {{[Name in keyof WireModules]?: object}} SomeModules modules of an image, with what counts in a test */
/** @typedef {Windows & Pick<import('pyloader').VoiLutModule, 'luts'>} VoiLut whose function may be any text */
/** @typedef {Partial<Omit<ImageMessage, 'voiLut'>> & {voiLut?: VoiLut}} SomeImage */
/** @typedef {{preScale: Image['preScale'] & {scalingParameters: Required<ScalingParameters>}}} PreScaled */
/** @typedef {Required<Image> & PreScaled} WholeImage with all that it may have: what it has not is `undefined` */

const MODES = /** @type {const} */ (['legacy', '3d', 'none']);

/**
 * A worker's answer: a CT of two pixels.
 * @param {SomeImage} image to change it @param {SomeModules} modules besides the plane, or in its place
 * @returns {Loaded}
 */
function loadedOf(image = {}, modules = {}) {
  const window = { windowCenter: [40, 400], windowWidth: [80, 2000] };
  const plane = { rowPixelSpacing: 0.5, columnPixelSpacing: 0.25, sliceThickness: 2, frameOfReferenceUID: '1.2' };
  return {
    ...answer({ image: /** @type {ImageMessage} */ ({ voiLut: window, warnings: ['odd'], ...image }) }),
    modules: /** @type {WireModules} */ ({ imagePlaneModule: plane, ...modules }),
    timing: { loadMilliseconds: 1, decodeMilliseconds: 2, totalMilliseconds: 4 },
  };
}

/**
 * A loaded image as a viewer gets it.
 * @param {Loaded} loaded @param {string} imageId @param {Mode} mode @param {Options} options
 */
function imageOf(loaded, imageId, mode, options) {
  return /** @type {WholeImage} */ (imageFor(loaded, imageId, mode, options));
}

/**
 * A module as a viewer gets it, with all fields that it may have.
 * @template {string} Name
 * @param {SomeModules | undefined} modules @param {Name} type @param {Mode} mode @param {() => unknown} [askOthers]
 */
function answerOf(modules, type, mode, askOthers) {
  const answer = moduleFor(/** @type {WireModules | undefined} */ (modules), type, mode, askOthers);
  return /** @type {Name extends ModuleName ? Required<import('pyloader').Answer<Name>> : unknown} */ (answer);
}

const RGB = {
  pixels: new Uint8Array(6),
  pixel: {
    rows: 1,
    columns: 2,
    samplesPerPixel: 3,
    photometricInterpretation: 'RGB',
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    pixelRepresentation: 0,
  },
  modalityLut: {},
  voiLut: {},
};

// ------------------------------------------------------------------ images

for (const mode of MODES) {
  test(`a grey image for ${mode}`, () => {
    const loaded = loadedOf();
    const { getPixelData, imageFrame, ...image } = imageOf(loaded, 'wadouri:a', mode, {});
    assert.equal(getPixelData(), loaded.image.pixels);
    assert.equal(imageFrame.pixelData, loaded.image.pixels);
    assert.equal(imageFrame.bitsStored, 12);
    assert.deepEqual(image, {
      imageId: 'wadouri:a',
      rows: 1,
      columns: 2,
      height: 1,
      width: 2,
      color: false,
      rgba: false,
      numberOfComponents: 1,
      photometricInterpretation: 'MONOCHROME2',
      invert: false,
      minPixelValue: -5,
      maxPixelValue: 7,
      slope: 2,
      intercept: -1024,
      windowCenter: 40,
      windowWidth: 80,
      windows: [
        { center: 40, width: 80, explanation: undefined },
        { center: 400, width: 2000, explanation: undefined },
      ],
      paddingRange: undefined,
      modalityLUT: undefined,
      scaling: undefined,
      iccProfile: undefined,
      voiLUTFunction: undefined,
      voiLUT: undefined,
      rowPixelSpacing: 0.5,
      columnPixelSpacing: 0.25,
      sliceThickness: 2,
      FrameOfReferenceUID: '1.2',
      dataType: 'Int16Array',
      floatPixelData: undefined,
      sizeInBytes: 4,
      preScale: { enabled: false, scaled: false },
      imageQualityStatus: 8,
      transferSyntaxUID: '1.2.840.10008.1.2.1',
      lossyImageCompression: false,
      codestream: undefined,
      warnings: ['odd'],
      loadTimeInMS: 1,
      decodeTimeInMS: 2,
      totalTimeInMS: 4,
    });
  });
}

test('MONOCHROME1 is inverted', () => {
  const pixel = { ...loadedOf().image.pixel, photometricInterpretation: 'MONOCHROME1' };
  assert.equal(imageOf(loadedOf({ pixel }), 'x:a', '3d', {}).invert, true);
});

test('an image that is rescaled has neither slope nor intercept left', () => {
  const image = imageOf(loadedOf({ isRescaled: true }), 'x:a', '3d', {});
  assert.deepEqual([image.slope, image.intercept], [1, 0]);
});

test('an image that is rescaled tells by what', () => {
  const loaded = loadedOf({ isRescaled: true }, { generalSeriesModule: { modality: 'PT' } });
  const { preScale } = imageOf(loaded, 'x:a', '3d', { preScale: { scalingParameters: { suvbw: 0.5 } } });
  assert.deepEqual(preScale, {
    enabled: true,
    scaled: true,
    scalingParameters: { rescaleSlope: 2, rescaleIntercept: -1024, modality: 'PT', suvbw: 0.5 },
  });
});

test('floats are not taken for integers by Cornerstone3D without WebGL', () => {
  const isTakenForFloats = (/** @type {Image['floatPixelData']} */ pixels, /** @type {number} */ rescaleSlope) => {
    const modalityLut = { rescaleSlope, rescaleIntercept: 0 };
    const { scaled, scalingParameters } = imageOf(
      loadedOf({ isRescaled: true, pixels, modalityLut }),
      'x:a',
      '3d',
      {},
    ).preScale;
    // The condition of its StackViewport._loadAndDisplayImageCPU.
    return (scaled && scalingParameters.rescaleIntercept % 1 !== 0) || scalingParameters.rescaleSlope % 1 !== 0;
  };
  assert.deepEqual(
    [1, 0.5].map((slope) => isTakenForFloats(new Float32Array(2), slope)),
    [true, true],
  );
  assert.equal(isTakenForFloats(new Int16Array(2), 1), false);
});

test('no modality LUT is the identity', () => {
  const image = imageOf(loadedOf({ modalityLut: {} }), 'x:a', 'legacy', {});
  assert.deepEqual([image.slope, image.intercept], [1, 0]);
  const { scalingParameters } = imageOf(loadedOf({ modalityLut: {}, isRescaled: true }), 'x:a', '3d', {}).preScale;
  assert.deepEqual([scalingParameters.rescaleSlope, scalingParameters.rescaleIntercept], [1, 0]);
});

for (const [mode, window] of /** @type {[Mode, number[]][]} */ ([
  ['legacy', [127.5, 255]],
  ['none', [127.5, 255]],
  ['3d', [128, 256]],
])) {
  test(`the window of color for ${mode} leaves it as it is`, () => {
    const image = imageOf(loadedOf(RGB), 'x:a', mode, {});
    assert.deepEqual([image.windowCenter, image.windowWidth], window);
    assert.deepEqual([image.color, image.rgba, image.numberOfComponents], [true, false, 3]);
  });
}

test('four samples are RGBA', () => {
  const image = imageOf(loadedOf({ ...RGB, pixel: { ...RGB.pixel, samplesPerPixel: 4 } }), 'x:a', 'legacy', {});
  assert.deepEqual([image.color, image.rgba, image.numberOfComponents], [true, true, 4]);
});

test('values for display are said to be no others', () => {
  const { preScale } = imageOf(loadedOf({ isRescaled: true }), 'x:a', '3d', { displayValues: true });
  assert.deepEqual(preScale, { enabled: false, scaled: false });
});

test('no window stays absent, but for viewers, of which not all find one', () => {
  const windowIn = (/** @type {Mode} */ mode) =>
    (({ windowCenter, windowWidth }) => [windowCenter, windowWidth])(
      imageOf(loadedOf({ voiLut: {}, minimum: 4, maximum: 8, isRescaled: true }), 'x:a', mode, {}),
    );
  assert.deepEqual(windowIn('none'), [undefined, undefined]);
  assert.deepEqual(windowIn('legacy'), [6, 4]); // its ends are c - w / 2 and c + w / 2
  assert.deepEqual(windowIn('3d'), [6.5, 5]); // PS3.3 C.11.2.1.2.1
});

test('no plane stays absent', () => {
  const image = imageOf(loadedOf({}, { imagePlaneModule: undefined }), 'x:a', '3d', {});
  assert.deepEqual([image.rowPixelSpacing, image.columnPixelSpacing], [undefined, undefined]);
});

for (const [words, expected] of [
  ['SIGMOID', 'SIGMOID'],
  ['LINEAR_EXACT', 'LINEAR_EXACT'],
  [' sigmoid ', 'SIGMOID'],
  ['linear_exact', 'LINEAR_EXACT'],
  ['CUBIC', undefined],
]) {
  test(`VOI LUT function ${JSON.stringify(words)}`, () => {
    const voiLut = { voiLUTFunction: words, windowCenter: [40], windowWidth: [80] };
    assert.equal(imageOf(loadedOf({ voiLut }), 'x:a', '3d', {}).voiLUTFunction, expected);
    assert.equal(answerOf({ voiLutModule: voiLut }, 'voiLutModule', '3d').voiLUTFunction, expected);
  });
}

test('all windows that can be ones are listed, with what they are for', () => {
  const voiLut = {
    windowCenter: [0, 40, 600],
    windowWidth: [0, 400, 2800],
    windowCenterWidthExplanation: ['NONE', 'SOFT', 'BONE'],
  };
  const { windows, windowCenter, windowWidth } = imageOf(loadedOf({ voiLut }), 'x:a', 'none', {});
  assert.deepEqual(windows, [
    { center: 40, width: 400, explanation: 'SOFT' },
    { center: 600, width: 2800, explanation: 'BONE' },
  ]);
  assert.deepEqual([windowCenter, windowWidth], [40, 400]);
  const module = answerOf({ voiLutModule: voiLut }, 'voiLutModule', '3d');
  assert.deepEqual(
    [module.windowCenter, module.windowCenterWidthExplanation],
    [
      [40, 600],
      ['SOFT', 'BONE'],
    ],
  );
  assert.deepEqual(answerOf({ voiLutModule: voiLut }, 'voiLutModule', 'none').windowCenter, [0, 40, 600]);
});

/** @type {SomeImage} */
const PADDED = { padding: [-2000, -2000], all: [-2000, 7], voiLut: {} };

test('a window of width 1, which is empty to Cornerstone3D, is the narrowest that it draws', () => {
  const voiLut = { windowCenter: [10], windowWidth: [1] };
  const { windowCenter, windowWidth } = imageOf(loadedOf({ voiLut }), 'x:a', '3d', {});
  assert.ok(windowCenter - 0.5 - (windowWidth - 1) / 2 >= 9.5 - 1e-9);
  assert.ok(windowCenter - 0.5 + (windowWidth - 1) / 2 < 9.52);
  assert.ok(windowWidth > 1.009);
  assert.deepEqual(answerOf({ voiLutModule: voiLut }, 'voiLutModule', '3d').windowWidth, [windowWidth]);
  assert.equal(imageOf(loadedOf({ voiLut }), 'x:a', 'legacy', {}).windowWidth, 1);
});

/**
 * Ends of the ramp as each viewer computes them of what it is given.
 * @param {{windowCenter: number | number[], windowWidth: number | number[], voiLUTFunction?: string}} window
 * @param {Mode} mode
 */
const rampOf = ({ windowCenter, windowWidth, voiLUTFunction = 'LINEAR' }, mode) => {
  const [center, width] = [windowCenter, windowWidth].map((value) => (Array.isArray(value) ? value[0] : value));
  if (mode === 'legacy' || voiLUTFunction === 'LINEAR_EXACT') return [center - width / 2, center + width / 2];
  return [center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2];
};
const isNear = (/** @type {number[]} */ found, /** @type {number[]} */ expected) =>
  assert.ok(
    found.every((value, index) => Math.abs(value - expected[index]) < 1e-9),
    `${found}, not ${expected}`,
  );

/** @type {Record<string, SomeImage>} */
const FRACTIONS = {
  floats: { pixels: new Float32Array(2), modalityLut: {} },
  'levels of floats': { exact: new Float32Array(2), modalityLut: { rescaleSlope: 2 } },
  'a slope of fractions': { modalityLut: { rescaleSlope: 0.001 } },
  'an intercept of fractions': { modalityLut: { rescaleIntercept: 0.25 } },
};
for (const [what, image] of Object.entries(FRACTIONS)) {
  test(`a window of ${what} may be narrower than 1, which LINEAR cannot have`, () => {
    const voiLut = { windowCenter: [0.25, 10, 3], windowWidth: [0.5, 5, 0] };
    for (const mode of MODES) {
      const found = imageOf(loadedOf({ ...image, voiLut }), 'x:a', mode, {});
      isNear(rampOf(found, mode), [0, 0.5]);
      assert.equal(found.voiLUTFunction, 'LINEAR_EXACT');
      assert.equal(found.windows.length, 2);
      const [, { center, width }] = found.windows;
      isNear([center - width / 2, center + width / 2], [7.5, 11.5]); // those of LINEAR (PS3.3 C.11.2.1.2.1)
    }
  });
}

test('a window of whole numbers that is narrower than 1 is none', () => {
  const voiLut = { windowCenter: [40, 7], windowWidth: [0.5, 4] };
  for (const mode of MODES) assert.equal(imageOf(loadedOf({ voiLut }), 'x:a', mode, {}).windowCenter, 7);
});

test('Cornerstone3D takes the window of a volume for LINEAR, and gets its ends so', () => {
  const floats = { imagePixelModule: { bitsAllocated: 32 } };
  const scaledFloats = { modalityLutModule: { rescaleSlope: 0.01 } };
  const rampIn = (/** @type {VoiLut} */ voiLutModule, /** @type {SomeModules} */ modules) =>
    rampOf({ ...answerOf({ voiLutModule, ...modules }, 'voiLutModule', '3d'), voiLUTFunction: 'LINEAR' }, '3d');
  for (const modules of [floats, scaledFloats]) {
    isNear(rampIn({ windowCenter: [0.5], windowWidth: [1], voiLUTFunction: 'LINEAR_EXACT' }, modules), [0, 1]);
    isNear(rampIn({ windowCenter: [0.25], windowWidth: [0.5] }, modules), [0, 0.5]);
    isNear(rampIn({ windowCenter: [10], windowWidth: [5] }, modules), [7.5, 11.5]);
  }
  isNear(rampIn({ windowCenter: [0.5], windowWidth: [1], voiLUTFunction: 'LINEAR_EXACT' }, {}), [0, 1]); // a mask
});

test('an automatic window leaves padding out, by the formula of each viewer', () => {
  const windowOf = (/** @type {Mode} */ mode) =>
    (({ windowCenter, windowWidth, minPixelValue }) => [windowCenter, windowWidth, minPixelValue])(
      imageOf(loadedOf(PADDED), 'x:a', mode, {}),
    );
  assert.deepEqual(windowOf('none'), [undefined, undefined, -5]);
  assert.deepEqual(windowOf('legacy'), [2 - 1024, 24, -2000], 'its tables end at the smallest value');
  assert.deepEqual(windowOf('3d'), [(4 - 2048 + 1) / 2, 25, -5]);
  assert.deepEqual(imageOf(loadedOf(PADDED), 'x:a', 'none', {}).paddingRange, [-2000, -2000]);
});

test('an automatic window of one value draws it dark', () => {
  const image = imageOf(loadedOf({ ...PADDED, minimum: 7, modalityLut: {} }), 'x:a', 'legacy', {});
  assert.ok(((7 - image.windowCenter) / image.windowWidth + 0.5) * 255 < 1e-6);
});

test('the window of padded images that have one is theirs', () => {
  const { windowCenter } = imageOf(loadedOf({ ...PADDED, voiLut: loadedOf().image.voiLut }), 'x:a', 'legacy', {});
  assert.equal(windowCenter, 40);
});

test('a spacing of zero is none', () => {
  const plane = { pixelSpacing: [0, 0], rowPixelSpacing: 0, columnPixelSpacing: 0 };
  const image = imageOf(loadedOf({}, { imagePlaneModule: plane }), 'x:a', '3d', {});
  assert.deepEqual([image.rowPixelSpacing, image.columnPixelSpacing], [undefined, undefined]);
  const module = answerOf({ imagePlaneModule: plane }, 'imagePlaneModule', '3d');
  assert.deepEqual([module.pixelSpacing, module.rowPixelSpacing, module.usingDefaultValues], [[1, 1], 1, true]);
});

const TABLE = { firstValueMapped: -5, bitsPerEntry: 16, entries: new Uint16Array([1, 2]), explanation: 'bone' };
const SHOWN_TABLE = { id: '-5', firstValueMapped: -5, numBitsPerEntry: 16, lut: TABLE.entries, explanation: 'bone' };

test('the first VOI LUT is shown', () => {
  const luts = [TABLE, { ...TABLE, firstValueMapped: 0 }];
  assert.deepEqual(imageOf(loadedOf({ voiLut: { luts } }), 'x:a', '3d', {}).voiLUT, SHOWN_TABLE);
});

/**
 * cornerstone-core's own lookup (its getVOILut.js).
 * @param {Pick<LookupTable, 'lut' | 'firstValueMapped'>} table @param {number} value
 */
function lookUpInLegacy({ lut, firstValueMapped }, value) {
  const shift = Math.max(...lut).toString(2).length - 8;
  if (value < firstValueMapped) return lut[0] >> shift;
  if (value >= firstValueMapped + lut.length - 1) return lut[lut.length - 1] >> shift;
  return lut[value - firstValueMapped] >> shift;
}

for (const [bits, entries] of /** @type {[number, number[]][]} */ ([
  [8, [0, 100, 255]],
  [12, [0, 1000, 2000]],
  [16, [0, 65535, 3]],
  [8, [1, 2, 3]],
  [10, [1023, 500, 0]],
  [16, [5, 5, 5]],
  [8, [7, 300, 1000]],
])) {
  test(`a legacy viewer shows a table of ${bits} bits with ${entries} as it is meant`, () => {
    const luts = [{ firstValueMapped: -1, bitsPerEntry: bits, entries: Uint16Array.from(entries) }];
    const { voiLUT } = imageOf(
      loadedOf({ voiLut: { luts }, modalityLut: {}, minimum: -5, maximum: 7 }),
      'x:a',
      'legacy',
      {},
    );
    const full = Math.max(2 ** bits - 1, ...entries);
    for (let value = -5; value <= 7; value++) {
      const expected = (entries[Math.min(2, Math.max(0, value + 1))] / full) * 255;
      assert.ok(
        Math.abs(lookUpInLegacy(voiLUT, value) - expected) <= 1,
        `${value}: ${lookUpInLegacy(voiLUT, value)}, ${expected}`,
      );
    }
  });
}

test('a legacy viewer, which knows no SIGMOID, gets a table of it', () => {
  const voiLut = { voiLUTFunction: 'SIGMOID', windowCenter: [300], windowWidth: [200] };
  const { voiLUT } = imageOf(loadedOf({ voiLut, modalityLut: {}, minimum: -100, maximum: 250 }), 'x:a', 'legacy', {});
  for (let value = -100; value <= 250; value++) {
    const expected = 255 / (1 + Math.exp((-4 * (value - 300)) / 200));
    assert.ok(Math.abs(lookUpInLegacy(voiLUT, value) - expected) <= 1, `${value}`);
  }
  assert.equal(imageOf(loadedOf({ voiLut }), 'x:a', '3d', {}).voiLUT, undefined);
});

test('a modality table stands on the image of a page, whose values are stored ones', () => {
  const modalityLut = { lut: TABLE };
  assert.deepEqual(imageOf(loadedOf({ modalityLut }), 'x:a', 'none', {}).modalityLUT, SHOWN_TABLE);
  assert.equal(
    imageOf(loadedOf({ modalityLut }), 'x:a', 'legacy', {}).modalityLUT,
    undefined,
    'it would look up what is looked up already',
  );
  assert.equal(imageOf(loadedOf({ modalityLut, isRescaled: true }), 'x:a', 'none', {}).modalityLUT, undefined);
});

test('pixels may go into the memory of the caller', () => {
  const arrayBuffer = new ArrayBuffer(16);
  const image = imageOf(loadedOf(), 'x:a', 'none', { targetBuffer: { arrayBuffer, offset: 4, length: 2 } });
  assert.deepEqual([...new Int16Array(arrayBuffer)], [0, 0, -5, 7, 0, 0, 0, 0]);
  assert.equal(image.getPixelData().buffer, arrayBuffer);
});

for (const targetBuffer of [{ offset: 13 }, { offset: 14 }, { length: 1 }, { length: 3 }]) {
  test(`memory that the pixels do not fit into is refused: ${JSON.stringify(targetBuffer)}`, () => {
    const load = () =>
      imageOf(loadedOf(), 'x:a', 'none', { targetBuffer: { arrayBuffer: new ArrayBuffer(16), ...targetBuffer } });
    assert.throws(load, {
      code: 'viewer',
      imageId: 'x:a',
      message: /16 bytes and .* the image has 2 values of 2 bytes \(Int16Array\)/,
    });
  });
}

// ------------------------------------------------------------------ delivery

test('what a legacy viewer can show', () => {
  assert.deepEqual(deliveryFor('legacy', {}), { rgba: true, rescale: false, integers: true, darken: true });
});

test('what Cornerstone3D can show', () => {
  assert.deepEqual(deliveryFor('3d', {}), { rgba: false, rescale: true, integers: false, factor: 'own', darken: true });
});

test('what a page gets', () => {
  assert.deepEqual(deliveryFor('none', {}), { rgba: true, rescale: false, integers: false });
});

test('useRGBA is obeyed by Cornerstone3D and pages', () => {
  assert.equal(deliveryFor('3d', { useRGBA: true }).rgba, true);
  assert.equal(deliveryFor('none', { useRGBA: false }).rgba, false);
  assert.equal(deliveryFor('legacy', { useRGBA: false }).rgba, true);
});

test('preScale is obeyed, with each default', () => {
  assert.equal(deliveryFor('3d', { preScale: { enabled: false } }).rescale, false);
  assert.equal(deliveryFor('3d', { preScale: {} }).rescale, true);
  assert.equal(deliveryFor('none', { preScale: true }).rescale, true);
  assert.equal(deliveryFor('none', { preScale: { enabled: true } }).rescale, true);
  assert.equal(deliveryFor('none', { preScale: {} }).rescale, false);
  assert.equal(deliveryFor('legacy', { preScale: { enabled: true } }).rescale, true);
  assert.equal(deliveryFor('legacy', { preScale: {} }).rescale, false);
  assert.equal(deliveryFor('3d', { preScale: false }).rescale, false);
});

for (const [parameters, expected] of /** @type {[object, number | undefined][]} */ ([
  [{ modality: 'PT', suvbw: 0.5 }, 0.5],
  [{ modality: 'RTDOSE', DoseGridScaling: 0.01 }, 0.01],
  [{ modality: 'RTDOSE', doseGridScaling: 0.02 }, 0.02],
  [{ modality: 'CT', suvbw: 0.5, DoseGridScaling: 0.01 }, undefined],
  [{ modality: 'PT' }, undefined],
  [{ modality: 'PT', suvbw: NaN }, undefined],
  [{ modality: 'RTDOSE', DoseGridScaling: 'none' }, undefined],
])) {
  test(`scaling by ${JSON.stringify(parameters)}`, () => {
    const factorOf = (/** @type {Mode} */ mode) =>
      deliveryFor(mode, { preScale: { scalingParameters: parameters } }).factor;
    assert.deepEqual([factorOf('3d'), factorOf('legacy'), factorOf('none')], [expected ?? 'own', expected, expected]);
  });
}

test('a target buffer tells class and size', () => {
  /** @type {Options['targetBuffer']} */
  const targetBuffer = { type: 'Float32Array', rows: 64, columns: 32 };
  const { dtype, rows, columns } = deliveryFor('3d', { targetBuffer });
  assert.deepEqual([dtype, rows, columns], ['float32', 64, 32]);
  assert.equal('dtype' in deliveryFor('legacy', { targetBuffer }), false);
  assert.equal(deliveryFor('3d', { targetBuffer: { type: 'Uint16Array' } }).dtype, 'uint16');
  assert.equal(deliveryFor('legacy', { targetBuffer: { type: 'Uint8Array' } }).dtype, 'uint8');
  const limitOf = (/** @type {Mode} */ mode, /** @type {Options['targetBuffer']} */ more = {}) =>
    deliveryFor(mode, { targetBuffer: { type: 'Int16Array', ...more } }).limit;
  assert.deepEqual(
    [limitOf('3d'), limitOf('none'), limitOf('none', { arrayBuffer: new ArrayBuffer(2) })],
    [true, undefined, true],
  );
  assert.equal(deliveryFor('none', { displayValues: true }).display, true);
});

// ------------------------------------------------------------------ metadata

const PLANE = {
  imagePositionPatient: [1, 2, 3],
  imageOrientationPatient: [0, 1, 0, 0, 0, -1],
  rowCosines: [0, 1, 0],
  columnCosines: [0, 0, -1],
  pixelSpacing: [0.5, 0.25],
  rowPixelSpacing: 0.5,
  columnPixelSpacing: 0.25,
};

for (const mode of MODES) {
  test(`modules for ${mode} of an image that is not loaded`, () => {
    assert.equal(answerOf(undefined, 'imagePlaneModule', mode), undefined);
  });

  test(`a module for ${mode} that an image does not have`, () => {
    for (const type of ['imagePlaneModule', 'patientModule', 'modalityLutModule', 'voiLutModule', 'petSeriesModule']) {
      assert.equal(answerOf({}, type, mode), undefined);
    }
  });

  test(`modules for ${mode} that need no change`, () => {
    const sopCommonModule = { sopInstanceUID: '1.2' };
    assert.equal(answerOf({ sopCommonModule }, 'sopCommonModule', mode), sopCommonModule);
  });

  test(`the patient for ${mode} under both names`, () => {
    const patientModule = { patientID: 'p1', patientName: 'Doe' };
    assert.deepEqual(answerOf({ patientModule }, 'patientModule', mode), { ...patientModule, patientId: 'p1' });
  });

  test(`lookup tables for ${mode} under the names of both generations`, () => {
    const modules = {
      modalityLutModule: { lut: TABLE },
      voiLutModule: { windowCenter: [40], windowWidth: [80], luts: [TABLE] },
    };
    assert.deepEqual(answerOf(modules, 'modalityLutModule', mode).modalityLUTSequence, [SHOWN_TABLE]);
    const voi = answerOf(modules, 'voiLutModule', mode);
    assert.deepEqual([voi.windowCenter, voi.voiLUTSequence], [[40], [SHOWN_TABLE]]);
  });

  test(`no lookup tables for ${mode} are no empty ones`, () => {
    const modules = { modalityLutModule: { rescaleSlope: 2 }, voiLutModule: {} };
    assert.equal(answerOf(modules, 'modalityLutModule', mode).modalityLUTSequence, undefined);
    assert.equal(answerOf(modules, 'voiLutModule', mode).voiLUTSequence, undefined);
  });
}

test('a plane that is known is not marked', () => {
  assert.deepEqual(answerOf({ imagePlaneModule: PLANE }, 'imagePlaneModule', '3d'), {
    ...PLANE,
    usingDefaultValues: false,
  });
});

for (const absent of /** @type {const} */ (['imagePositionPatient', 'imageOrientationPatient', 'pixelSpacing'])) {
  test(`Cornerstone3D gets a default, and is told, without ${absent}`, () => {
    const { [absent]: _, ...plane } = PLANE;
    const found = answerOf({ imagePlaneModule: plane }, 'imagePlaneModule', '3d');
    assert.equal(found.usingDefaultValues, true);
    assert.ok(Array.isArray(found[absent]));
  });

  test(`others get nothing invented without ${absent}`, () => {
    const { [absent]: _, ...plane } = PLANE;
    for (const mode of /** @type {const} */ (['legacy', 'none']))
      assert.deepEqual(answerOf({ imagePlaneModule: plane }, 'imagePlaneModule', mode), plane);
  });
}

test('the defaults of a plane are the identity', () => {
  assert.deepEqual(answerOf({ imagePlaneModule: { rows: 3, columns: 4 } }, 'imagePlaneModule', '3d'), {
    rows: 3,
    columns: 4,
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    imagePositionPatient: [0, 0, 0],
    pixelSpacing: [1, 1],
    rowPixelSpacing: 1,
    columnPixelSpacing: 1,
    usingDefaultValues: true,
  });
});

test('Cornerstone3D gets an attribute by its keyword, by which it splits images into volumes', () => {
  /** @param {SomeModules} modules @param {string} keyword @param {Mode} mode */
  const ask = (modules, keyword, mode = '3d') => answerOf(modules, keyword, mode);
  const time = {
    frameContentModule: { temporalPositionIdentifier: 2, temporalPositionIndex: 2, numberOfTemporalPositions: 3 },
  };
  assert.equal(ask(time, 'TemporalPositionIdentifier'), 2);
  assert.equal(ask(time, 'EchoNumber'), undefined);
  const enhanced = { frameContentModule: { temporalPositionIndex: 5 } };
  assert.equal(ask(enhanced, 'TemporalPositionIdentifier'), 5);
  assert.equal(ask({ generalImageModule: { echoNumbers: 2 } }, 'EchoNumber'), 2);
  assert.equal(ask({ sopCommonModule: { sopInstanceUID: '1.2' } }, 'SOPInstanceUID'), '1.2');
  assert.equal(ask({}, 'TriggerTime'), undefined);
  assert.equal(ask(time, 'TemporalPositionIdentifier', 'legacy'), undefined);
});

test('Cornerstone3D tells each time of each component apart', () => {
  /** @type {unknown[]} */
  const numbers = [];
  for (const stackID of ['1', '2', '3']) {
    for (const temporalPositionIndex of [1, 2]) {
      const frameContentModule = { stackID, temporalPositionIndex, numberOfTemporalPositions: 2 };
      numbers.push(answerOf({ frameContentModule }, 'EchoNumber', '3d'));
    }
    assert.equal(answerOf({ frameContentModule: { stackID } }, 'EchoNumber', '3d'), Number(stackID));
  }
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6]);
});

test('Cornerstone3D gets a series module in any case', () => {
  assert.deepEqual(answerOf({}, 'generalSeriesModule', '3d'), {});
  assert.equal(answerOf({}, 'generalSeriesModule', 'legacy'), undefined);
  assert.deepEqual(answerOf({ generalSeriesModule: { modality: 'CT' } }, 'generalSeriesModule', '3d'), {
    modality: 'CT',
  });
});

// ------------------------------------------------------------------ what the viewer knows

/** Metadata of a viewer that knows one image by these modules, and what it was asked. @param {object} modules */
function knowing(modules) {
  const known = new Map(Object.entries(modules));
  /** @type {[type: string, imageId: string][]} */
  const asked = [];
  const get = (/** @type {string} */ type, /** @type {string} */ imageId) => {
    asked.push([type, imageId]);
    return known.get(type);
  };
  return { asked, get, addProvider() {}, removeProvider() {} };
}

const PIXEL_MODULE = {
  rows: 2,
  columns: 3,
  bitsAllocated: 16,
  photometricInterpretation: 'MONOCHROME2',
  pixelRepresentation: 0,
};
const INSTANCE = {
  Rows: 2,
  Columns: 3,
  BitsAllocated: 16,
  PhotometricInterpretation: 'MONOCHROME2',
  PixelRepresentation: 0,
};

test('a complete instance is enough', () => {
  const metaData = knowing({
    instance: { ...INSTANCE, PatientID: 'p' },
    imagePixelModule: { ...PIXEL_MODULE, rows: 9 },
    patientModule: { patientID: 'q' },
  });
  assert.deepEqual(attributesFrom(metaData, 'wadors:a'), { ...INSTANCE, PatientID: 'p' });
  assert.deepEqual(metaData.asked, [['instance', 'wadors:a']]);
});

for (const keyword of /** @type {(keyof typeof INSTANCE)[]} */ (Object.keys(INSTANCE))) {
  const field = /** @type {keyof typeof PIXEL_MODULE} */ (keyword[0].toLowerCase() + keyword.slice(1));
  const { [keyword]: _, ...instance } = INSTANCE;
  const { [field]: __, ...incomplete } = PIXEL_MODULE;

  test(`modules count for an instance without ${keyword}`, () => {
    assert.deepEqual(attributesFrom(knowing({ instance, imagePixelModule: PIXEL_MODULE }), 'wadors:a'), PIXEL_MODULE);
  });

  test(`without ${keyword} nothing is known`, () => {
    const patientModule = { patientID: 'p' };
    assert.equal(
      attributesFrom(knowing({ instance, imagePixelModule: incomplete, patientModule }), 'wadors:a'),
      undefined,
    );
    assert.equal(attributesFrom(knowing({ instance, patientModule }), 'wadors:a'), undefined);
    assert.equal(attributesFrom(knowing({ imagePixelModule: incomplete }), 'wadors:a'), undefined);
  });
}

test('zero is a value', () => {
  assert.equal(attributesFrom(knowing({ instance: INSTANCE }), 'wadors:a')?.PixelRepresentation, 0);
  assert.equal(attributesFrom(knowing({ imagePixelModule: PIXEL_MODULE }), 'wadors:a')?.pixelRepresentation, 0);
});

test('a viewer that knows nothing is no help', () => {
  assert.equal(attributesFrom(knowing({}), 'wadors:a'), undefined);
});

test('modules are put together, of the image that is asked for', () => {
  const modules = {
    patientModule: { patientID: 'p' },
    patientStudyModule: { patientWeight: 70 },
    generalStudyModule: { studyInstanceUID: '1' },
    generalSeriesModule: { modality: 'PT', seriesInstanceUID: '1.2' },
    generalImageModule: { imageType: ['ORIGINAL', 'PRIMARY'] },
    sopCommonModule: { sopClassUID: '1.3', sopInstanceUID: '1.4' },
    imagePlaneModule: { pixelSpacing: [0.5, 0.25], imagePositionPatient: [1, 2, 3] },
    imagePixelModule: { ...PIXEL_MODULE, bitsStored: 12, highBit: 11, samplesPerPixel: 1 },
    cineModule: { frameTime: 40 },
    petSeriesModule: { units: 'BQML' },
    petImageModule: { frameReferenceTime: 5 },
    modalityLutModule: { rescaleSlope: 2, rescaleIntercept: -1024, rescaleType: 'HU' },
    voiLutModule: { windowCenter: [40], windowWidth: [400], voiLUTFunction: 'SIGMOID' },
    multiframeModule: { NumberOfFrames: 7, frameIncrementPointer: 'x' },
    overlayPlaneModule: { overlays: [] },
  };
  const metaData = knowing(modules);
  const { overlayPlaneModule, multiframeModule, ...taken } = modules;
  assert.deepEqual(attributesFrom(metaData, 'wadors:a'), {
    ...Object.assign({}, ...Object.values(taken)),
    numberOfFrames: 7,
  });
  assert.ok(metaData.asked.every(([, imageId]) => imageId === 'wadors:a'));
});

test('a label map has no colours for a viewer before it is loaded', () => {
  const modules = {
    imagePixelModule: { ...PIXEL_MODULE, samplesPerPixel: 1, photometricInterpretation: 'PALETTE COLOR' },
  };
  assert.equal(answerOf(modules, 'imagePixelModule', '3d').photometricInterpretation, 'PALETTE COLOR');
  const labels = { ...modules, segmentModule: { segmentationType: 'LABELMAP' } };
  assert.equal(answerOf(labels, 'imagePixelModule', '3d').photometricInterpretation, 'MONOCHROME2');
});

test('what modules do not tell is not there', () => {
  const modules = { imagePixelModule: PIXEL_MODULE, modalityLutModule: {}, voiLutModule: {}, multiframeModule: {} };
  assert.deepEqual(attributesFrom(knowing(modules), 'wadors:a'), PIXEL_MODULE);
});

test('lookup tables become items as DICOM has them', () => {
  const modalityLUTSequence = [
    { id: '-5', firstValueMapped: -5, numBitsPerEntry: 16, lut: [1, 65535], explanation: 'x' },
  ];
  const voiLUTSequence = [
    { firstValueMapped: 0, numBitsPerEntry: 8, lut: new Uint8Array([7]) },
    { firstValueMapped: 1, numBitsPerEntry: 16, lut: new Uint16Array(65536) },
  ];
  const modules = {
    imagePixelModule: PIXEL_MODULE,
    modalityLutModule: { modalityLUTSequence, modalityLUTType: 'US' },
    voiLutModule: { voiLUTSequence },
  };
  assert.deepEqual(attributesFrom(knowing(modules), 'wadors:a'), {
    ...PIXEL_MODULE,
    modalityLUTType: 'US',
    modalityLUTSequence: [{ LUTDescriptor: [2, -5, 16], LUTData: new Uint16Array([1, 65535]) }],
    voiLUTSequence: [
      { LUTDescriptor: [1, 0, 8], LUTData: new Uint16Array([7]) },
      { LUTDescriptor: [0, 1, 16], LUTData: new Uint16Array(65536) }, // 65536 entries are written as 0
    ],
  });
});

test('a lookup table of pyloader is one that it can read again', () => {
  const loaded = { modalityLutModule: { lut: TABLE } };
  const modules = { imagePixelModule: PIXEL_MODULE, modalityLutModule: answerOf(loaded, 'modalityLutModule', '3d') };
  const found = attributesFrom(knowing(modules), 'wadors:a');
  assert.deepEqual(found?.modalityLUTSequence, [{ LUTDescriptor: [2, -5, 16], LUTData: TABLE.entries }]);
});

test('typed arrays stay as they are', () => {
  const palette = new Uint16Array([1, 2]);
  const view = new DataView(new ArrayBuffer(2));
  const instance = { ...INSTANCE, RedPaletteColorLookupTableData: palette, Overlay: [{ Data: view }] };
  const found = attributesFrom(knowing({ instance }), 'wadors:a');
  assert.ok(found);
  assert.equal(found.RedPaletteColorLookupTableData, palette);
  const [{ Data }] = /** @type {[{Data: unknown}]} */ (found.Overlay);
  assert.equal(Data, view);
});

test('what is no plain value is left out, at any depth', () => {
  const odd = {
    none: null,
    absent: undefined,
    call: () => {},
    buffer: new ArrayBuffer(2),
    _vrMap: { a: 1 },
    kept: { zero: 0, empty: '', no: false, _meta: 1, none: null },
  };
  const found = attributesFrom(
    knowing({ instance: { ...INSTANCE, ...odd, Sequence: [{ ...odd }, { Value: [1, 'a'] }] } }),
    'wadors:a',
  );
  const kept = { kept: { zero: 0, empty: '', no: false } };
  assert.deepEqual(found, { ...INSTANCE, ...kept, Sequence: [kept, { Value: [1, 'a'] }] });
  const names = Object.keys(/** @type {object} */ (found?.kept));
  assert.deepEqual(names, ['zero', 'empty', 'no'], 'not as undefined either');
});

test('what is found can cross to a worker', () => {
  class Person {
    Alphabetic = 'Doe^J';
    toString() {
      return this.Alphabetic;
    }
  }
  const instance = {
    ...INSTANCE,
    PatientName: new Person(),
    get StudyDate() {
      return '20040101';
    },
    Lazy: { call() {} },
  };
  assert.deepEqual(structuredClone(attributesFrom(knowing({ instance }), 'wadors:a')), {
    ...INSTANCE,
    PatientName: { Alphabetic: 'Doe^J' },
    StudyDate: '20040101',
    Lazy: {},
  });
});

test('what a viewer holds is not changed', () => {
  const instance = Object.freeze({ ...INSTANCE, _x: 1, Sequence: Object.freeze([Object.freeze({ a: null })]) });
  attributesFrom(knowing({ instance }), 'wadors:a');
  assert.deepEqual(instance, { ...INSTANCE, _x: 1, Sequence: [{ a: null }] });
});

// ------------------------------------------------------------------ libraries

/** @typedef {(imageId: string, options?: object) => Loading & {promise: Promise<WholeImage>}} ViewerLoader */

/** Where each library fires events. */
const TARGETS = {
  events: Object.assign(new EventTarget(), { name: 'events' }),
  eventTarget: Object.assign(new EventTarget(), { name: 'eventTarget' }),
};

/** The part of both libraries that registers. */
function fakeLibrary() {
  const library = {
    /** @type {Record<string, ViewerLoader>} */
    loaders: {},
    /** @type {{provider: Provider, priority?: number}[]} */
    providers: [],
    /** @type {{target: EventTarget, type: string, detail: unknown}[]} */
    fired: [],
  };
  /** @type {LegacyCornerstone['registerImageLoader']} */
  const registerImageLoader = (scheme, loader) => Object.assign(library.loaders, { [scheme]: loader });
  /** @type {MetaData} */
  const metaData = {
    get: () => undefined,
    addProvider: (provider, priority) => library.providers.push({ provider, priority }),
    removeProvider: (provider) => {
      library.providers = library.providers.filter((entry) => entry.provider !== provider);
    },
  };
  /** @type {LegacyCornerstone['triggerEvent']} */
  const triggerEvent = (target, type, detail) => library.fired.push({ target, type, detail });
  return { library, registerImageLoader, metaData, triggerEvent };
}

function fakeLegacy() {
  const { library, registerImageLoader, metaData, triggerEvent } = fakeLibrary();
  return { library, cornerstone: { registerImageLoader, metaData, triggerEvent, events: TARGETS.events } };
}

function fake3D() {
  const { library, registerImageLoader, metaData, triggerEvent } = fakeLibrary();
  const { eventTarget } = TARGETS;
  return { library, cornerstone: { imageLoader: { registerImageLoader }, metaData, triggerEvent, eventTarget } };
}

const decache = () => {};
/** What a face loads. @param {Promise<unknown>} promise */
const loadingOf = (promise) => ({ promise, cancelFn() {}, cancel() {}, decache });

/** The page's side of a connection, which notes what it is asked. */
function fakeFace() {
  /** @type {unknown[][]} */
  const asked = [];
  /** @type {Face} */
  const face = {
    load: (...parts) => {
      asked.push(parts);
      return loadingOf(Promise.resolve({ rows: 1 }));
    },
    metaData: (type, imageId, mode) => {
      asked.push([type, imageId, mode]);
      return 'module';
    },
    events: new EventTarget(),
  };
  return { asked, face };
}

test('a library is known by what it has', () => {
  assert.equal(modeOf(fakeLegacy().cornerstone), 'legacy');
  assert.equal(modeOf(fake3D().cornerstone), '3d');
  for (const other of [undefined, null, {}, { registerImageLoader: () => {} }, { imageLoader: {} }])
    assert.equal(modeOf(other), 'none');
});

test('a load by hand is of Cornerstone3D when it has a request type', () => {
  assert.equal(guessMode({ requestType: 'interaction' }), '3d');
  assert.equal(guessMode({}), 'none');
  assert.equal(guessMode(undefined), 'none');
});

test('a load by hand is of the legacy viewer when that is on the page', (t) => {
  globalThis.cornerstone = { enable: () => {} };
  t.after(() => Reflect.deleteProperty(globalThis, 'cornerstone'));
  assert.equal(guessMode({}), 'legacy');
  assert.equal(guessMode({ requestType: 'interaction' }), 'legacy');
  globalThis.cornerstone = {};
  assert.equal(guessMode({}), 'none');
});

test('Cornerstone3D loads through the face', async () => {
  const { library, cornerstone } = fake3D();
  const { asked, face } = fakeFace();
  attach(cornerstone, '3d', face).registerScheme('wadouri');
  const options = { requestType: 'prefetch' };
  const loading = library.loaders.wadouri('wadouri:a?frame=1', options);
  assert.deepEqual([await loading.promise, loading.decache], [{ rows: 1 }, decache]);
  library.loaders.wadouri('wadouri:b');
  assert.deepEqual(asked, [
    ['wadouri:a?frame=1', options, '3d', 'wadouri:a?frame=1'],
    ['wadouri:b', {}, '3d', 'wadouri:b'],
  ]);
});

test('a legacy viewer counts frames from 0 and sees its own imageId', () => {
  const { library, cornerstone } = fakeLegacy();
  const { asked, face } = fakeFace();
  attach(cornerstone, 'legacy', face).registerScheme('wadouri');
  library.loaders.wadouri('wadouri:a?frame=0');
  assert.equal(library.providers[0].provider('patientModule', 'wadouri:a?frame=0'), 'module');
  assert.deepEqual(asked, [
    ['wadouri:a?frame=1', {}, 'legacy', 'wadouri:a?frame=0'],
    ['patientModule', 'wadouri:a?frame=1', 'legacy'],
  ]);
});

test('metadata of Cornerstone3D count frames from 1', () => {
  const { library, cornerstone } = fake3D();
  const { asked, face } = fakeFace();
  attach(cornerstone, '3d', face);
  assert.equal(library.providers[0].provider('patientModule', 'wadouri:a?frame=1'), 'module');
  assert.deepEqual(asked, [['patientModule', 'wadouri:a?frame=1', '3d']]);
});

test('queries of what is no imageId are not answered', () => {
  const { library, cornerstone } = fake3D();
  const { asked, face } = fakeFace();
  attach(cornerstone, '3d', face);
  assert.equal(library.providers[0].provider('patientModule', ['wadouri:a']), undefined);
  assert.equal(library.providers[0].provider('patientModule', undefined), undefined);
  assert.deepEqual(asked, []);
});

test('the priority of the provider', () => {
  const { library, cornerstone } = fake3D();
  attach(cornerstone, '3d', fakeFace().face);
  attach(cornerstone, '3d', fakeFace().face, { priority: 5 });
  assert.deepEqual(
    library.providers.map(({ priority }) => priority),
    [100, 5],
  );
});

test('what the other providers know is asked of the viewer', () => {
  for (const [mode, { cornerstone }] of /** @type {const} */ ([
    ['legacy', fakeLegacy()],
    ['3d', fake3D()],
  ])) {
    const { get } = knowing({ instance: INSTANCE });
    Object.assign(cornerstone.metaData, { get });
    assert.deepEqual(attach(cornerstone, mode, fakeFace().face).attributesOf('wadors:a'), INSTANCE);
  }
});

test('what pyloader itself tells of an image is not taken for what others know', (t) => {
  for (const [mode, { library, cornerstone }] of /** @type {const} */ ([
    ['legacy', fakeLegacy()],
    ['3d', fake3D()],
  ])) {
    cornerstone.metaData.get = (...query) =>
      library.providers.map(({ provider }) => provider(...query)).find((answer) => answer !== undefined);
    // A palette image that is loaded: its modules tell of the RGB that was made of it.
    const modules = { imagePixelModule: { ...PIXEL_MODULE, photometricInterpretation: 'RGB' } };
    const face = { ...fakeFace().face, metaData: knowing(modules).get };
    const { attributesOf } = attach(cornerstone, mode, face);
    assert.equal(attributesOf('wadors:a'), undefined, mode);
    const foreign = {
      provider: () => {
        throw new Error('not mine');
      },
    };
    library.providers.unshift(foreign);
    const report = t.mock.method(globalThis, 'reportError', () => {});
    assert.equal(attributesOf('wadors:a'), undefined, 'one of others that fails');
    assert.match(report.mock.calls[0].arguments[0].message, /not mine/);
    report.mock.restore();
    library.providers.shift();
    const told = /** @type {ImagePixelModule} */ (cornerstone.metaData.get('imagePixelModule', 'wadors:a'));
    assert.equal(told.photometricInterpretation, 'RGB', 'but others are told');
  }
});

for (const [mode, fake, target] of /** @type {const} */ ([
  ['legacy', fakeLegacy, 'events'],
  ['3d', fake3D, 'eventTarget'],
])) {
  test(`events of loads are fired by ${mode}`, () => {
    const { library, cornerstone } = fake();
    const { face } = fakeFace();
    attach(cornerstone, mode, face);
    const types = ['imageloadstart', 'imageloadprogress', 'imageloadend'];
    for (const type of [...types, 'imageloaded'])
      face.events.dispatchEvent(new CustomEvent(type, { detail: { url: type } }));
    assert.deepEqual(
      library.fired,
      types.map((type) => ({ target: TARGETS[target], type: `cornerstone${type}`, detail: { url: type } })),
    );
  });

  test(`${mode} may be let go of`, () => {
    const { library, cornerstone } = fake();
    const { asked, face } = fakeFace();
    const { registerScheme, detach } = attach(cornerstone, mode, face);
    registerScheme('wadouri');
    detach();
    assert.deepEqual(library.providers, []);
    assert.throws(() => library.loaders.wadouri('wadouri:a'), /pyloader was detached.*wadouri:a/);
    face.events.dispatchEvent(new CustomEvent('imageloadstart'));
    assert.deepEqual([library.fired, asked], [[], []]);
  });
}

const BITS = { samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME2' };
/** Bits allocated, sign, slope, intercept; then bits and sign as Cornerstone3D is told. */
const TOLD = [
  [8, 0, undefined, undefined, 8, 0],
  [8, 0, 1, 0, 8, 0],
  [8, 1, 1, 0, 16, 1],
  [8, 1, 1, 128, 8, 1],
  [8, 0, 2, 0, 16, 0],
  [8, 0, 1, -1000, 16, 1],
  [8, 0, -1, 255, 8, 0],
  [8, 0, 257, 0, 16, 0],
  [8, 0, 258, 0, 32, 0],
  [8, 0, 0.5, 0, 32, 0],
  [8, 0, 1, 0.5, 32, 0],
  [16, 0, 1, 0, 16, 0],
  [16, 1, 1, -1024, 32, 1],
  [16, 0, 1, -1024, 32, 0],
  [16, 0, 1, -32768, 16, 0],
  [16, 1, 1, 32768, 16, 0],
  [16, 1, 0.5, 0, 16, 1],
  [16, 0, 2, 0, 32, 0],
  [16, 1, 2, 0, 32, 1],
  [16, 0, -1, 0, 32, 0],
  [32, 1, 2, 0, 32, 1],
  [64, 1, 1, 0, 64, 1],
];
for (const [bits, sign, rescaleSlope, rescaleIntercept, told, toldSign] of TOLD) {
  const rescaled = `${rescaleSlope}, ${rescaleIntercept}`;
  test(`a volume of Cornerstone3D holds ${bits} bits of sign ${sign} after ${rescaled}`, () => {
    const pixel = { ...BITS, bitsAllocated: bits, bitsStored: bits, pixelRepresentation: sign };
    const modules = { imagePixelModule: pixel, modalityLutModule: { rescaleSlope, rescaleIntercept } };
    const { bitsAllocated, pixelRepresentation } = answerOf(modules, 'imagePixelModule', '3d');
    assert.deepEqual([bitsAllocated, pixelRepresentation], [told, toldSign]);
    assert.equal(answerOf(modules, 'imagePixelModule', 'legacy'), pixel, 'other viewers are told what there is');
  });
}

test('a volume of CT stays one of 16 bits: what an intercept moves beyond them is no CT number', () => {
  const imagePixelModule = { ...BITS, bitsAllocated: 16, bitsStored: 16, pixelRepresentation: 1 };
  const modules = {
    imagePixelModule,
    modalityLutModule: { rescaleSlope: 1, rescaleIntercept: -1024 },
    generalSeriesModule: { modality: 'CT' },
  };
  assert.equal(answerOf(modules, 'imagePixelModule', '3d').bitsAllocated, 16);
});

const PET = {
  generalSeriesModule: { modality: 'PT' },
  voiLutModule: { windowCenter: [5000], windowWidth: [10001] },
  scalingModule: { suvbw: 0.001, suvlbm: 0.0008 },
};

test('windows of PET are in the units that Cornerstone3D shows', () => {
  const { windowCenter, windowWidth } = answerOf(PET, 'voiLutModule', '3d');
  const lower = windowCenter[0] - 0.5 - (windowWidth[0] - 1) / 2;
  assert.ok(Math.abs(lower + 0.0005) < 1e-9, `${lower}`);
  assert.ok(Math.abs(lower + windowWidth[0] - 1 - 9.9995) < 1e-9);
  assert.deepEqual(answerOf(PET, 'voiLutModule', 'legacy').windowCenter, [5000]);
});

test('Cornerstone3D is not to compute factors where they are not certain', () => {
  assert.equal(answerOf(PET, 'scalingModule', '3d'), PET.scalingModule);
  assert.deepEqual(answerOf({ ...PET, scalingModule: undefined }, 'scalingModule', '3d'), {});
  assert.equal(answerOf({ ...PET, scalingModule: undefined }, 'scalingModule', 'legacy'), undefined);
  assert.equal(answerOf({}, 'scalingModule', '3d'), undefined);
});

test('a dose is told under the names that Cornerstone3D reads', () => {
  const scalingModule = { doseGridScaling: 0.01, doseSummationType: 'PLAN', doseType: 'PHYSICAL', doseUnits: 'GY' };
  const { DoseGridScaling, DoseSummation, DoseType, DoseUnit } = answerOf({ scalingModule }, 'scalingModule', '3d');
  assert.deepEqual([DoseGridScaling, DoseSummation, DoseType, DoseUnit], [0.01, 'PLAN', 'PHYSICAL', 'GY']);
});

test('Cornerstone3D is told of the factors that its values have', () => {
  const loaded = loadedOf({ isRescaled: true }, PET);
  const parametersOf = (/** @type {Mode} */ mode, /** @type {Options['preScale']} */ preScale = undefined) =>
    imageOf(loaded, 'x:a', mode, { preScale }).preScale.scalingParameters;
  assert.equal(parametersOf('3d').suvbw, 0.001);
  assert.equal(parametersOf('3d', { scalingParameters: { suvbw: undefined } }).suvbw, 0.001);
  assert.equal(parametersOf('none', true).suvbw, undefined);
});

test('an instance is what the modules know, by keyword', () => {
  const modules = {
    sopCommonModule: { sopClassUID: '1.2' },
    imagePlaneModule: { pixelSpacing: [1, 2] },
    petSeriesModule: { suvType: 'BW', units: 'GML' },
  };
  assert.deepEqual(answerOf(modules, 'instance', '3d'), {
    SOPClassUID: '1.2',
    PixelSpacing: [1, 2],
    SUVType: 'BW',
    Units: 'GML',
  });
  assert.equal(answerOf(modules, 'instance', 'legacy'), undefined);
});

test('what others know of calibration and instances counts more', () => {
  const { library, cornerstone } = fake3D();
  const { face } = fakeFace();
  /** @type {unknown[][]} */
  const given = [];
  cornerstone.metaData.get = knowing({ calibratedPixelSpacing: 'of the user' }).get;
  cornerstone.metaData.getMetaData = (...parts) => void given.push(parts);
  const { giveInstance } = attach(cornerstone, '3d', face);
  const [{ provider }] = library.providers;
  assert.deepEqual([provider('calibratedPixelSpacing', 'x:a'), provider('instance', 'x:a')], ['of the user', 'module']);
  giveInstance('x:a', { '00080060': {} });
  assert.deepEqual(given, [['naturalizedAdd', 'x:a', { dicomwebJson: { '00080060': {} } }]]);
});

test('a viewer may ask for values as they are shown', () => {
  const { library, cornerstone } = fake3D();
  const { asked, face } = fakeFace();
  const modules = {
    imagePixelModule: { bitsAllocated: 16, samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME1' },
    voiLutModule: {},
  };
  attach(cornerstone, '3d', { ...face, metaData: knowing(modules).get }, { displayValues: true }).registerScheme('x');
  library.loaders.x('x:a', { priority: 1 });
  assert.deepEqual(asked[0][1], { displayValues: true, priority: 1 });
  const [{ provider }] = library.providers;
  const { bitsAllocated, photometricInterpretation } = /** @type {ImagePixelModule} */ (
    provider('imagePixelModule', 'x:a')
  );
  assert.deepEqual([bitsAllocated, photometricInterpretation], [8, 'MONOCHROME2']);
  assert.deepEqual(/** @type {Windows} */ (provider('voiLutModule', 'x:a')).windowWidth, [256]);
  assert.equal(provider('generalSeriesModule', 'x:a'), undefined);
});

test('samples of an ECG come as Cornerstone3D asks for them', async () => {
  const ecgModule = { waveformData: [new Int16Array([1])] };
  assert.equal(
    await answerOf({ ecgModule }, 'ecgModule', '3d').waveformData.retrieveBulkData(),
    ecgModule.waveformData,
  );
});

test('stored bits, tables and colour decide too what Cornerstone3D is told of bits', () => {
  const told = (/** @type {object} */ pixel, /** @type {object | undefined} */ modalityLutModule = undefined) =>
    answerOf({ imagePixelModule: { ...BITS, ...pixel }, modalityLutModule }, 'imagePixelModule', '3d').bitsAllocated;
  assert.equal(
    told({ bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 0 }, { rescaleSlope: 4, rescaleIntercept: 0 }),
    16,
  );
  assert.equal(told({ bitsAllocated: 8, bitsStored: 8, pixelRepresentation: 0 }, { lut: TABLE }), 16);
  assert.equal(told({ bitsAllocated: 16, bitsStored: 16, pixelRepresentation: 1 }, { lut: TABLE }), 16);
  assert.equal(
    told({ bitsAllocated: 8, bitsStored: 8, pixelRepresentation: 0, samplesPerPixel: 3 }, { rescaleSlope: 2 }),
    8,
  );
  assert.equal(told({ bitsAllocated: 8, bitsStored: 8, pixelRepresentation: 0 }), 8);
  assert.equal(answerOf({}, 'imagePixelModule', '3d'), undefined);
});

// ------------------------------------------------------------------ what the page's own providers know

const PAGES_PLANE = {
  imagePositionPatient: [0, 0, 10],
  imageOrientationPatient: [1, 0, 0, 0, 1, 0],
  rowCosines: [1, 0, 0],
  columnCosines: [0, 1, 0],
  pixelSpacing: [0.5, 0.25],
  rowPixelSpacing: 0.5,
  columnPixelSpacing: 0.25,
  frameOfReferenceUID: '1.2.3',
  rows: 9,
  columns: 9,
};
/** @param {object | undefined} ours @param {unknown} theirs @param {Mode} mode */
const planeOf = (ours, theirs, mode = '3d') =>
  answerOf({ imagePlaneModule: ours }, 'imagePlaneModule', mode, () => theirs);

test('what others know of a plane counts more than defaults', () => {
  assert.deepEqual(planeOf({ rows: 40, columns: 50 }, PAGES_PLANE), {
    ...PAGES_PLANE,
    rows: 40,
    columns: 50,
    usingDefaultValues: false,
  });
  assert.deepEqual(planeOf({ rows: 40, columns: 50 }, PAGES_PLANE, 'legacy'), {
    ...PAGES_PLANE,
    rows: 40,
    columns: 50,
  });
  assert.deepEqual(planeOf(undefined, PAGES_PLANE), { ...PAGES_PLANE, usingDefaultValues: false });
});

test('what the image knows of its plane counts more than what others know', () => {
  const ours = { pixelSpacing: [3, 3], rowPixelSpacing: 3, columnPixelSpacing: 3, sliceThickness: 7 };
  const {
    imagePositionPatient,
    pixelSpacing,
    rowPixelSpacing,
    columnPixelSpacing,
    sliceThickness,
    usingDefaultValues,
  } = planeOf(ours, PAGES_PLANE);
  assert.deepEqual(
    [imagePositionPatient, pixelSpacing, rowPixelSpacing, columnPixelSpacing, sliceThickness, usingDefaultValues],
    [[0, 0, 10], [3, 3], 3, 3, 7, false],
  );
});

test('of a plane that is known nobody else is asked', () => {
  const asked = () => assert.fail('asked');
  for (const mode of /** @type {const} */ (['3d', 'legacy']))
    assert.deepEqual(
      answerOf({ imagePlaneModule: PAGES_PLANE }, 'imagePlaneModule', mode, asked).pixelSpacing,
      [0.5, 0.25],
    );
  for (const type of ['imagePixelModule', 'modalityLutModule', 'patientModule', 'scalingModule', 'instance'])
    answerOf({ imagePixelModule: {}, patientModule: {} }, type, '3d', asked);
});

test('a plane that others tell in part agrees with itself', () => {
  const theirs = {
    imagePositionPatient: [1, 2, 3],
    imageOrientationPatient: [0, 1, 0, 0, 0, -1],
    pixelSpacing: [0.5, 0.25],
  };
  const expected = {
    ...theirs,
    rowCosines: [0, 1, 0],
    columnCosines: [0, 0, -1],
    rowPixelSpacing: 0.5,
    columnPixelSpacing: 0.25,
  };
  assert.deepEqual(planeOf({ rows: 40 }, theirs), { ...expected, rows: 40, usingDefaultValues: false });
  assert.deepEqual(planeOf({ rows: 40 }, theirs, 'legacy'), { ...expected, rows: 40 });
  assert.deepEqual(
    planeOf({ rows: 40 }, { ...theirs, rowCosines: [1, 0, 0], columnCosines: [0, 1, 0] }).columnCosines,
    [0, 0, -1],
  );
  assert.deepEqual(
    planeOf({ rows: 40 }, { rowCosines: [0, 1, 0], columnCosines: [0, 0, -1] }).rowCosines,
    [1, 0, 0],
    'as the default orientation',
  );
});

test('what others do not know is a default, however they say so', () => {
  for (const none of [undefined, null]) {
    const theirs = {
      imagePositionPatient: none,
      imageOrientationPatient: none,
      pixelSpacing: none,
      rowCosines: none,
      rowPixelSpacing: none,
    };
    assert.deepEqual(planeOf({ rows: 40 }, theirs), planeOf({ rows: 40 }, undefined));
  }
});

test('defaults of others are none the better', () => {
  assert.deepEqual(
    planeOf({ rows: 40 }, { ...PAGES_PLANE, usingDefaultValues: true }),
    planeOf({ rows: 40 }, undefined),
  );
  assert.equal(planeOf({ rows: 40 }, undefined).usingDefaultValues, true);
  assert.equal(
    planeOf({ rows: 40 }, { rows: 4, pixelSpacing: [0.5, 0.5], rowPixelSpacing: 0.5, columnPixelSpacing: 0.5 })
      .usingDefaultValues,
    true,
    'where it is remains unknown',
  );
});

test('a series that only others know is theirs', () => {
  const theirs = { modality: 'SC', seriesInstanceUID: '1.2.4' };
  for (const ours of [undefined, {}])
    assert.deepEqual(
      answerOf({ generalSeriesModule: ours }, 'generalSeriesModule', '3d', () => theirs),
      theirs,
    );
  assert.deepEqual(
    answerOf({ generalSeriesModule: { modality: 'CT' } }, 'generalSeriesModule', '3d', () => theirs),
    { modality: 'CT' },
  );
  assert.deepEqual(
    answerOf({}, 'generalSeriesModule', '3d', () => undefined),
    {},
  );
});

test('a window that only others know is theirs', () => {
  for (const theirs of [
    { windowCenter: [40], windowWidth: [80] },
    { windowCenter: 40, windowWidth: 80 },
  ]) {
    for (const mode of /** @type {const} */ (['3d', 'legacy']))
      assert.deepEqual(
        answerOf({ voiLutModule: {} }, 'voiLutModule', mode, () => theirs),
        theirs,
      );
  }
  const ours = answerOf({ voiLutModule: { windowCenter: [1], windowWidth: [2] } }, 'voiLutModule', '3d', () =>
    assert.fail('asked'),
  );
  assert.deepEqual([ours.windowCenter, ours.windowWidth], [[1], [2]]);
  assert.equal(answerOf({ voiLutModule: {} }, 'voiLutModule', '3d', () => ({})).windowCenter, undefined);
});

for (const [mode, fake] of /** @type {const} */ ([
  ['legacy', fakeLegacy],
  ['3d', fake3D],
])) {
  /**
   * The window of an image that a viewer loads, whose page has a provider that knows of one.
   * @param {unknown} image @param {unknown} voi @param {{displayValues?: boolean}} [options]
   */
  const shown = async (image, voi, options) => {
    const { library, cornerstone } = fake();
    cornerstone.metaData.get = (/** @type {string} */ type) => (type === 'voiLutModule' ? voi : undefined);
    const face = { ...fakeFace().face, load: () => loadingOf(Promise.resolve(image)) };
    attach(cornerstone, mode, face, options).registerScheme('x');
    const { windowCenter, windowWidth } = await library.loaders.x('x:a').promise;
    return [windowCenter, windowWidth];
  };
  const automatic = () => imageOf(loadedOf({ voiLut: {} }), 'x:a', mode, {});

  test(`the window of ${mode} is the page's before one from the smallest to the largest value`, async () => {
    for (const voi of [
      { windowCenter: [40, 50], windowWidth: [80, 90] },
      { windowCenter: 40, windowWidth: 80 },
    ])
      assert.deepEqual(await shown(automatic(), voi), [40, 80]);
    const { windowCenter, windowWidth } = automatic();
    for (const voi of [
      undefined,
      {},
      { windowCenter: [], windowWidth: [] },
      { windowCenter: 40, windowWidth: 0 },
      { windowCenter: 'x' },
    ])
      assert.deepEqual(await shown(automatic(), voi), [windowCenter, windowWidth]);
    assert.deepEqual(
      await shown(automatic(), { windowCenter: 40, windowWidth: 80 }, { displayValues: true }),
      [windowCenter, windowWidth],
      'of values that are shown',
    );
  });

  test(`a provider of the page that fails in ${mode} is reported and takes no image away`, async (t) => {
    const report = t.mock.method(globalThis, 'reportError', () => {});
    const { library, cornerstone } = fake();
    cornerstone.metaData.get = () => {
      throw new Error('theirs');
    };
    /** @type {Face} */
    const face = {
      ...fakeFace().face,
      load: () => loadingOf(Promise.resolve(automatic())),
      metaData: (...[, , , askOthers]) => askOthers() ?? 'ours',
    };
    const { attributesOf, registerScheme } = attach(cornerstone, mode, face);
    registerScheme('x');
    const { windowCenter } = await library.loaders.x('x:a').promise;
    assert.equal(windowCenter, automatic().windowCenter);
    assert.equal(attributesOf('x:a'), undefined);
    assert.equal(library.providers[0].provider('imagePlaneModule', 'x:a'), 'ours');
    assert.deepEqual(
      report.mock.calls.map(({ arguments: [error] }) => error.message),
      ['theirs', 'theirs', 'theirs'],
    );
  });

  test(`a load in ${mode} whose promise nobody takes fails for nobody else`, async (t) => {
    const unhandled = t.mock.fn();
    process.on('unhandledRejection', unhandled);
    t.after(() => process.off('unhandledRejection', unhandled));
    const { library, cornerstone } = fake();
    const failed = Promise.reject(new Error('failed'));
    failed.catch(() => {});
    attach(cornerstone, mode, { ...fakeFace().face, load: () => loadingOf(failed) }).registerScheme('x');
    const { promise } = library.loaders.x('x:a');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.equal(unhandled.mock.callCount(), 0);
    await assert.rejects(promise, /failed/);
  });

  test(`the image's own window counts more in ${mode}, and an image of a JavaScript loader is left alone`, async () => {
    const voi = { windowCenter: 1, windowWidth: 2 };
    assert.deepEqual(await shown(imageOf(loadedOf(), 'x:a', mode, {}), voi), [40, 80]);
    assert.deepEqual(await shown({ windowCenter: 5, windowWidth: 6 }, voi), [5, 6]);
    const { windowCenter, windowWidth } = imageOf(loadedOf(RGB), 'x:a', mode, {});
    assert.deepEqual(await shown(imageOf(loadedOf(RGB), 'x:a', mode, {}), voi), [windowCenter, windowWidth]);
  });
}

// ------------------------------------------------------------------ pixels that are not square

/** @param {object} plane @param {object} pixel @param {Mode} mode */
const spacingOf = (plane, pixel, mode) => {
  const { rowPixelSpacing, columnPixelSpacing } = imageOf(
    loadedOf({}, { imagePlaneModule: plane, imagePixelModule: pixel }),
    'x:a',
    mode,
    {},
  );
  return [rowPixelSpacing, columnPixelSpacing];
};

test('without a spacing viewers get the proportions of a pixel', () => {
  for (const mode of /** @type {const} */ (['legacy', '3d'])) {
    assert.deepEqual(spacingOf({}, { pixelAspectRatio: [2, 1] }, mode), [2, 1]);
    assert.deepEqual(spacingOf({}, { pixelAspectRatio: [3, 4] }, mode), [1, 4 / 3]);
    assert.deepEqual(spacingOf({ nominalScannedPixelSpacing: [0.3, 0.2] }, {}, mode), [0.3, 0.2]);
    assert.deepEqual(
      spacingOf({ nominalScannedPixelSpacing: [0.3, 0.2] }, { pixelAspectRatio: [5, 1] }, mode),
      [0.3, 0.2],
    );
  }
  assert.deepEqual(
    spacingOf({ nominalScannedPixelSpacing: [0.3, 0.2] }, { pixelAspectRatio: [2, 1] }, 'none'),
    [undefined, undefined],
    'millimetres of the patient alone',
  );
});

test('legacy tools find a plane without a spacing beside proportions, so they measure nothing by these', () => {
  const modules = { imagePlaneModule: { rows: 4, columns: 8 }, imagePixelModule: { pixelAspectRatio: [10, 12] } };
  assert.deepEqual(spacingOf(modules.imagePlaneModule, modules.imagePixelModule, 'legacy'), [1, 1.2]);
  assert.deepEqual(answerOf(modules, 'imagePlaneModule', 'legacy'), { rows: 4, columns: 8 });
});

test('any spacing counts more than proportions', () => {
  const pixel = { pixelAspectRatio: [2, 1] };
  assert.deepEqual(
    spacingOf({ pixelSpacing: [0.5, 0.25], rowPixelSpacing: 0.5, columnPixelSpacing: 0.25 }, pixel, 'legacy'),
    [0.5, 0.25],
  );
  assert.deepEqual(spacingOf({ imagerPixelSpacing: [0.1, 0.1] }, pixel, 'legacy'), [undefined, undefined]);
  assert.deepEqual(
    spacingOf(
      { pixelSpacing: [0.5, 0.25], rowPixelSpacing: 0.5, columnPixelSpacing: 0.25, nominalScannedPixelSpacing: [1, 2] },
      {},
      'legacy',
    ),
    [0.5, 0.25],
  );
});

test('proportions that can be none are ignored', () => {
  for (const pixelAspectRatio of [
    [0, 1],
    [1, 0],
    [-1, 1],
    [1],
    [],
    [1, 1],
    [7, 7],
    [NaN, 1],
    [Infinity, 1],
    [1, 2, 3],
    null,
    undefined,
    '2\\1',
  ]) {
    assert.deepEqual(spacingOf({}, { pixelAspectRatio }, 'legacy'), [undefined, undefined], String(pixelAspectRatio));
  }
  for (const nominalScannedPixelSpacing of [[0, 1], [-1, -1], [1], null])
    assert.deepEqual(spacingOf({ nominalScannedPixelSpacing }, {}, 'legacy'), [undefined, undefined]);
});

test('Cornerstone3D is told proportions as the defaults that they are', () => {
  const told = (/** @type {object} */ plane, /** @type {object} */ pixel) => {
    const { pixelSpacing, rowPixelSpacing, columnPixelSpacing, usingDefaultValues } = answerOf(
      { imagePlaneModule: plane, imagePixelModule: pixel },
      'imagePlaneModule',
      '3d',
    );
    return [pixelSpacing, rowPixelSpacing, columnPixelSpacing, usingDefaultValues];
  };
  assert.deepEqual(told({}, { pixelAspectRatio: [2, 1] }), [[2, 1], 2, 1, true]);
  assert.deepEqual(told({ nominalScannedPixelSpacing: [0.3, 0.2] }, {}), [[0.3, 0.2], 0.3, 0.2, true]);
  assert.deepEqual(told({}, { pixelAspectRatio: [0, 1] }), [[1, 1], 1, 1, true]);
  assert.deepEqual(
    told(
      { imagePositionPatient: [0, 0, 0], imageOrientationPatient: [1, 0, 0, 0, 1, 0] },
      { pixelAspectRatio: [2, 1] },
    ),
    [[2, 1], 2, 1, true],
    'no millimetres, wherever it is',
  );
});
