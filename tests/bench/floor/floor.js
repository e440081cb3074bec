// What fetching alone takes: the file, and of it the last rows * columns * 2 bytes. Right for the
// uncompressed slices of 512 x 512, and for the others a time that no loader can go below.
import { runPage } from '/lib/harness.js';

const ROWS = 512;
const COLUMNS = 512;
const NIFTI_HEADER_BYTES = 352;
const VOLUME = { width: 256, height: 256, frames: 128 };

const fetchBytes = async (url) => (await fetch(url)).arrayBuffer();

async function load(url) {
  const body = await fetchBytes(url);
  const even = body.byteLength & ~1;
  return {
    pixels: new Int16Array(body.slice(Math.max(0, even - ROWS * COLUMNS * 2), even)),
    width: COLUMNS,
    height: ROWS,
  };
}

async function loadNifti(url) {
  const response = await fetch(url);
  const isGzip = new URL(url).pathname.endsWith('.gz');
  const body = isGzip ? new Response(response.body.pipeThrough(new DecompressionStream('gzip'))) : response;
  return { pixels: new Int16Array(await body.arrayBuffer(), NIFTI_HEADER_BYTES), ...VOLUME };
}

runPage({
  name: 'floor',
  version: 'fetch',
  init: async () => {},
  load,
  loadFrames: async (url, count) => {
    const image = await load(url);
    return Array.from({ length: count }, () => image);
  },
  loadNifti,
});
