// @ts-check
// A page for tests of the client: an address, an image as a worker sends it, and a fake viewer.

/** @typedef {import('pyloader').Image} Image */
/** @typedef {import('../../../web/shared/messages.d.ts').ImageMessage} ImageMessage */
/** @typedef {import('../../../web/shared/messages.d.ts').LoadReply} LoadReply */
/** @typedef {import('../../../web/viewers/libraries.d.ts').LegacyCornerstone} LegacyCornerstone */
/** @typedef {import('../../../web/viewers/libraries.d.ts').Provider} Provider */
/** @typedef {import('../../../web/viewers/libraries.d.ts').MetaData} MetaData */
/** @typedef {import('../../../web/viewers/cornerstone.js').Loading} Loading */
/** @typedef {(imageId: string, options?: object) => Loading} ViewerLoader */
/** @typedef {{loaders: Record<string, ViewerLoader>, metaData: {provider?: Provider}}} Registered with a viewer */
/** @typedef {LegacyCornerstone & Registered} FakeViewer */

globalThis.reportError ??= () => {};

/** Let there be a page, with no tags of Python in it, for one test or for all of a file. @param {string} baseURI */
export function havePage(baseURI = 'https://page.example/app/') {
  globalThis.document = /** @type {any} */ ({
    baseURI,
    readyState: 'complete',
    querySelectorAll: () => [],
    querySelector: () => null,
  });
}

/** Let there be none. */
export function haveNoPage() {
  Reflect.deleteProperty(globalThis, 'document');
}

/**
 * A worker's answer to a load: a CT of two pixels.
 * @param {Partial<Omit<LoadReply, 'image'>> & {image?: Partial<ImageMessage>}} changes
 */
export function answer(changes = {}) {
  const { image, modules, ...others } = changes;
  /** @type {LoadReply} */
  const made = {
    image: {
      pixels: new Int16Array([-5, 7]),
      minimum: -5,
      maximum: 7,
      pixel: {
        rows: 1,
        columns: 2,
        samplesPerPixel: 1,
        photometricInterpretation: 'MONOCHROME2',
        bitsAllocated: 16,
        bitsStored: 12,
        highBit: 11,
        pixelRepresentation: 1,
      },
      modalityLut: { rescaleSlope: 2, rescaleIntercept: -1024 },
      voiLut: {},
      encoding: { transferSyntaxUID: '1.2.840.10008.1.2.1', lossyImageCompression: false },
      isRescaled: false,
      warnings: [],
      ...image,
    },
    modules: { imagePlaneModule: { rowPixelSpacing: 0.5 }, generalSeriesModule: { modality: 'CT' }, ...modules },
    timing: { loadMilliseconds: 1, decodeMilliseconds: 2 },
    ...others,
  };
  return made;
}

/** A fake of legacy cornerstone-core, with the loaders that were registered, by scheme. */
export function legacyViewer() {
  /** @type {FakeViewer['loaders']} */
  const loaders = {};
  /** @type {Partial<MetaData> & {provider?: Provider}} */
  const metaData = {
    addProvider(provider) {
      this.provider = provider;
    },
    removeProvider(provider) {
      if (this.provider === provider) this.provider = undefined;
    },
    get: () => undefined,
  };
  const viewer = {
    loaders,
    registerImageLoader(/** @type {string} */ scheme, /** @type {ViewerLoader} */ loader) {
      loaders[scheme] = loader;
    },
    metaData,
    events: new EventTarget(),
  };
  return /** @type {FakeViewer} */ (/** @type {unknown} */ (viewer));
}
