// pyloader as a page of the benchmark that compares browser loaders, beside the floor: a page that
// only fetches. Its server gives the harness; run it with dist/ and this folder mounted side by side:
//
//   node run.mjs --mount /pyloader=…/dist --mount /pyloader-bench=…/tests/bench \
//     --page pyloader=/pyloader-bench/ --page floor=/pyloader-bench/floor/ \
//     --pages pyloader,floor,legacy,c3d,niivue --tasks cold,latency,multiframe,series
import { runPage } from '/lib/harness.js';

const { pyloader } = globalThis;
const STORED = { useRGBA: false };

const asImage = (image) => ({ pixels: image.getPixelData(), width: image.width, height: image.height });
const imageIdOf = (url, frame) => `wadouri:${url}${frame ? `&frame=${frame + 1}` : ''}`;
const load = async (imageId) => asImage(await pyloader.loadImage(imageId, STORED));

// One array of all slices, as the pages of other loaders return it.
async function loadNifti(url) {
  const imageIds = await pyloader.imageIds(`nifti:${url}`);
  const slices = await Promise.all(imageIds.map(load));
  const [
    {
      pixels: { constructor: Pixels, length },
      width,
      height,
    },
  ] = slices;
  const pixels = new Pixels(length * slices.length);
  for (const [index, slice] of slices.entries()) pixels.set(slice.pixels, index * length);
  return { pixels, width, height, frames: slices.length };
}

runPage({
  name: 'pyloader',
  version: pyloader.version,
  init: ({ workers }) => pyloader.init({ workers }),
  load: (url, { frame }) => load(imageIdOf(url, frame)),
  loadBlob: (blob, { frame }) => {
    const imageId = pyloader.addFile(blob);
    return load(frame ? `${imageId}?frame=${frame + 1}` : imageId);
  },
  loadFrames: (url, count) => Promise.all(Array.from({ length: count }, (_, frame) => load(imageIdOf(url, frame)))),
  loadSeries: async (urls) => ({ images: await Promise.all(urls.map((url) => load(imageIdOf(url, 0)))) }),
  loadNifti,
  reset: () => pyloader.purge(),
});
