// A page for tests of the client: an address, an image as a worker sends it, and stand-ins of viewers.

globalThis.reportError ??= () => {};

/** Let there be a page, with no tags of Python in it, for one test or for all of a file. */
export function havePage() {
  globalThis.document = {
    baseURI: 'https://page.example/app/',
    readyState: 'complete',
    querySelectorAll: () => [],
    querySelector: () => null,
  };
}

/** Let there be none. */
export function haveNoPage() {
  delete globalThis.document;
}

/** A worker's answer to a load: a CT of two pixels. */
export function answer(changes = {}) {
  const { image, modules, ...others } = changes;
  return {
    image: {
      pixels: new Int16Array([-5, 7]),
      minimum: -5,
      maximum: 7,
      pixel: { rows: 1, columns: 2, samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME2', bitsStored: 12 },
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
}

/** A stand-in of legacy cornerstone-core: what was registered with it, by scheme. */
export function legacyViewer() {
  const loaders = {};
  return {
    loaders,
    providers: [],
    registerImageLoader: (scheme, loader) => void (loaders[scheme] = loader),
    metaData: {
      addProvider(provider) {
        this.provider = provider;
      },
      removeProvider(provider) {
        if (this.provider === provider) this.provider = undefined;
      },
      get: () => undefined,
    },
    events: new EventTarget(),
  };
}
