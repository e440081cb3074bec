// Compiles: what users write, against the types of the package and of the viewers.
import * as cornerstone3D from '@cornerstonejs/core';
import * as older from 'cornerstone3d-5.6';
import cornerstone from 'cornerstone-core';
import pyloader, {
  PyLoaderError,
  loadImage,
  type ErrorCode,
  type Image,
  type ImagePlaneModule,
  type InitOptions,
} from 'pyloader';
import ohif, { type OhifParameters } from 'pyloader/ohif';

declare module 'pyloader' {
  interface LoaderOptions {
    threshold?: number;
  }
  interface LoaderModules {
    dosePlanModule?: { planName?: string };
  }
}

const options: InitOptions = {
  workers: 'auto',
  headers: null,
  limits: { loadsPerWorker: 2 },
  beforeRequest: async (request) => {
    request.headers.Authorization = request.origin;
  },
};
await pyloader.init(options);

// Viewers
const enterOhif = (parameters: OhifParameters): Promise<void> => {
  ohif.onModeEnter();
  return ohif.preRegistration(parameters);
};
const extensions: { id: 'pyloader' }[] = [ohif];
const disconnect = pyloader.use(cornerstone3D, {
  priority: 10,
  schemes: ['wadouri'],
  displayValues: true,
  instances: true,
});
const schemes: readonly string[] = disconnect.schemes;
disconnect();
pyloader.use(older);
pyloader.use(cornerstone);
cornerstone3D.imageLoader.registerImageLoader('wadouri', pyloader.imageLoader);
older.imageLoader.registerImageLoader('wadouri', pyloader.imageLoader);
cornerstone.registerImageLoader('wadouri', pyloader.imageLoader);
cornerstone3D.metaData.addProvider(pyloader.metaData, 100);
older.metaData.addProvider(pyloader.metaData, 100);
pyloader.registerImageLoader('custom1', (imageId: string) => ({ promise: Promise.resolve(imageId), cancelFn() {} }));

// Loads
const image: Image = await pyloader.loadImage('wadouri:a', {
  signal: new AbortController().signal,
  threshold: 3,
  preScale: { scalingParameters: { modality: 'PT', suvbw: 1 } },
});
let values = 0;
for (const value of image.getPixelData()) values += value;
const center: number | undefined = image.windowCenter ?? image.voiLUT?.firstValueMapped;
const bits: number = image.imageFrame.bitsAllocated;
await loadImage('custom1:a', {
  targetBuffer: { type: 'Float32Array', arrayBuffer: new SharedArrayBuffer(4) },
  onProgress: ({ loaded, total = 0 }) => loaded / total,
});
const load = pyloader.imageLoader('wadouri:a', { priority: 1 });
const loaded: Image = await load.promise;
load.decache();
document.body.addEventListener(
  'drop',
  async ({ dataTransfer }) =>
    void (await pyloader.series(dataTransfer, { onProgress: ({ percentComplete = 0 }) => percentComplete })),
);
const files = (document.querySelector('input') as HTMLInputElement).files;
const imageIds: string[] = await pyloader.imageIds(files);

// Metadata
const plane: ImagePlaneModule | undefined = pyloader.metaData('imagePlaneModule', image.imageId);
const spacing: number | undefined = plane?.rowPixelSpacing;
const planName: string | undefined = pyloader.metaData('dosePlanModule', image.imageId)?.planName;
const name: string = 'patientModule';
const patientName: string = pyloader.metaData(name, image.imageId).patientName; // a module of any name has any fields
const { generalSeriesModule: { modality } = {}, voiLutModule } = await pyloader.loadMetadata('wadouri:a');
const tables: Uint16Array[] | undefined = pyloader
  .metaData('voiLutModule', 'wadouri:a')
  ?.voiLUTSequence?.map(({ lut }) => lut);
const raw: Uint16Array | undefined = voiLutModule?.luts?.[0]?.entries;

// Events
pyloader.events.addEventListener('bootprogress', ({ detail }) => detail.percentComplete.toFixed());
pyloader.events.addEventListener(
  'imageloadfailed',
  ({ detail: { error, imageId } }) => error instanceof PyLoaderError && console.error(imageId, error.code),
  { once: true },
);
const onReady = ({ detail }: CustomEvent<{ version: string }>) => console.log(detail.version);
pyloader.events.addEventListener('ready', onReady);
pyloader.events.removeEventListener('ready', onReady);
const target: EventTarget = pyloader.events;

// Errors
const error = new PyLoaderError({ message: 'no', code: 'viewer', stage: 'dispatch' });
const code: ErrorCode = error.code;
const words: Record<'http-status' | 'network', string> = { 'http-status': 'the server says no', network: 'no network' };
if (code === 'http-status' || code === 'network') console.log(words[code], error.stage === 'fetch');
console.log(
  enterOhif,
  extensions,
  schemes,
  values,
  center,
  bits,
  loaded,
  imageIds,
  spacing,
  planName,
  patientName,
  modality,
  tables,
  raw,
  target,
  pyloader.version,
);
