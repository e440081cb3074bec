// Functions that the browser tests call in the page. A result crosses to Python as plain values.

// An image with its pixels in base64; other arrays as their class and length.
globalThis.describe = (image) => {
  const pixels = image.getPixelData();
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  let text = '';
  for (let start = 0; start < bytes.length; start += 32768)
    text += String.fromCharCode(...bytes.subarray(start, start + 32768));
  const fields = JSON.parse(
    JSON.stringify(image, (_, value) =>
      ArrayBuffer.isView(value) ? `${value.constructor.name} ${value.length}` : value,
    ),
  );
  return { ...fields, pixels: btoa(text) };
};

globalThis.describeError = (error) => ({
  ...error,
  name: error?.name,
  message: error?.message,
  error: undefined,
  isError: error instanceof Error,
  isPyLoaderError: error instanceof pyloader.PyLoaderError,
});

// The outcome of a promise of an image: {image} or {error}.
globalThis.outcome = (promise) =>
  promise.then(
    (image) => ({ image: describe(image) }),
    (error) => ({ error: describeError(error) }),
  );
globalThis.load = (imageId, options) => outcome(pyloader.loadImage(imageId, options));

// The pixels of an image as their class and a SHA-256: for tests that only ask whether they are equal.
globalThis.digest = async (image) => {
  const pixels = image.getPixelData();
  const hash = await crypto.subtle.digest('SHA-256', pixels.slice().buffer);
  const hexadecimal = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${image.dataType} ${image.rows} ${image.columns} ${image.numberOfComponents} ${hexadecimal}`;
};
globalThis.digests = (imageIds, options) =>
  Promise.all(
    imageIds.map((imageId) =>
      pyloader.loadImage(imageId, options).then(digest, (error) => `${error.code ?? error.name}: ${error.message}`),
    ),
  );
// Give bytes of a URL as a file of the user.
globalThis.addFileOf = async (url) => pyloader.addFile(new File([await (await fetch(url)).arrayBuffer()], 'a.dcm'));
