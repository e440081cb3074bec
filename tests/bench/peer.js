// pyloader as a page of the benchmark that compares browser loaders. Its server gives the harness;
// run it with this folder and dist/ mounted side by side:
//
//   node run.mjs --mount /pyloader=…/dist --mount /pyloader-bench=…/tests/bench \
//     --page pyloader=/pyloader-bench/ --pages pyloader,legacy,c3d --tasks cold,latency
import { runPage } from '/lib/harness.js';

const { pyloader } = globalThis;
const STORED = { useRGBA: false };

const asImage = (image) => ({ pixels: image.getPixelData(), width: image.width, height: image.height });
const imageIdOf = (url, frame) => `wadouri:${url}${frame ? `&frame=${frame + 1}` : ''}`;
const load = async (imageId) => asImage(await pyloader.loadImage(imageId, STORED));

runPage({
  name: 'pyloader',
  version: '0.1.0',
  init: ({ workers }) => pyloader.init({ workers }),
  load: (url, { frame }) => load(imageIdOf(url, frame)),
  loadBlob: (blob, { frame }) => {
    const imageId = pyloader.addFile(blob);
    return load(frame ? `${imageId}?frame=${frame + 1}` : imageId);
  },
  loadFrames: (url, count) => Promise.all(Array.from({ length: count }, (_, frame) => load(imageIdOf(url, frame)))),
  loadSeries: async (urls) => ({ images: await Promise.all(urls.map((url) => load(imageIdOf(url, 0)))) }),
  reset: () => pyloader.purge(),
});
