// What the benchmark runs in a page, beside pyloader.js.
(() => {
  const STORED = { useRGBA: false };
  const GAP_MS = 5;
  let serial = 0;
  /** @type {any[]} */
  let held = [];

  const fresh = (url) => `${url}?u=${serial++}`;
  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const load = (imageId) => pyloader.loadImage(imageId, STORED);

  async function timed(work) {
    const started = performance.now();
    const result = await work();
    return [performance.now() - started, result];
  }

  /** What fetching alone takes: the bytes, and of them those of the pixels. */
  async function fetchPixels(url, pixelBytes) {
    const body = await (await fetch(url)).arrayBuffer();
    return new Uint8Array(body.slice(Math.max(0, body.byteLength - pixelBytes)));
  }

  async function digest(image) {
    const pixels = image.getPixelData();
    const hash = await crypto.subtle.digest('SHA-256', pixels.slice().buffer);
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  async function digests(images) {
    const found = [];
    for (const image of images) found.push(await digest(image));
    return found;
  }

  /** One image at a time, in turn with the floor. */
  async function latency({ url, pixelBytes, count, warm }) {
    const [ours, floors, images] = [[], [], []];
    for (let turn = -warm; turn < count; turn++) {
      const [milliseconds, image] = await timed(() => load(`wadouri:${fresh(url)}`));
      const [floor] = await timed(() => fetchPixels(fresh(url), pixelBytes));
      if (turn < 0) continue;
      ours.push(milliseconds);
      floors.push(floor);
      images.push(image);
    }
    await pyloader.purge();
    return { milliseconds: median(ours), floor: median(floors), digests: await digests(images) };
  }

  /** The longest time in which a short timer did not fire. */
  function watchGaps() {
    let [last, longest] = [performance.now(), 0];
    const look = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last - GAP_MS);
      last = now;
    };
    const timer = setInterval(look, GAP_MS);
    return () => {
      look();
      clearInterval(timer);
      return longest;
    };
  }

  /** Everything asked for at once. */
  async function together({ imageIds }) {
    const stop = watchGaps();
    const [milliseconds, images] = await timed(() => Promise.all(imageIds.map(load)));
    held = images;
    return { milliseconds, longestGap: stop() };
  }

  /** Of the images of `together`, which are let go of. */
  const heldDigests = () => digests(held.splice(0));

  async function fetchTogether({ urls, pixelBytes }) {
    const [milliseconds] = await timed(() => Promise.all(urls.map((url) => fetchPixels(url, pixelBytes))));
    return milliseconds;
  }

  /** All slices, found and loaded. */
  async function volume({ url }) {
    const [milliseconds, images] = await timed(async () => {
      const imageIds = await pyloader.imageIds(`nifti:${fresh(url)}`);
      return Promise.all(imageIds.map(load));
    });
    await pyloader.purge();
    return { milliseconds, digests: await digests(images) };
  }

  async function inflate({ url }) {
    const [milliseconds] = await timed(async () => {
      const { body } = await fetch(fresh(url));
      const isGzip = url.endsWith('.gz');
      return new Response(isGzip ? body.pipeThrough(new DecompressionStream('gzip')) : body).arrayBuffer();
    });
    return milliseconds;
  }

  globalThis.bench = { latency, together, fetchTogether, volume, inflate, sleep, digests, heldDigests };
})();
