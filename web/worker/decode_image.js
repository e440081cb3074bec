// @ts-check
// Decodes web images with the browser's own decoder, in the worker: exactly, or not at all.
import { PyLoaderError, messageOf, toWire } from '../shared/errors.js';

/**
 * @typedef {{rows: number, columns: number, pixels: Uint8Array | Uint8ClampedArray}} Decoded RGBA, without
 *   premultiplied alpha
 */
/** @typedef {{rotation?: number, flip?: boolean}} Turned fields of a VideoFrame in browsers that have them */

// Decode stored values: viewers apply the color profile.
const AS_STORED = /** @type {const} */ ({ colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
const PROBE = 64;

/**
 * Decode a frame of an image; return an error as a value, for Python.
 * @param {Uint8Array<ArrayBuffer>} body
 * @param {string} mediaType
 * @param {number} frameIndex from 0
 * @returns {Promise<Decoded | {error: import('../shared/errors.js').WireError}>}
 */
export async function decodeImage(body, mediaType, frameIndex) {
  const what = `frame ${frameIndex + 1} of this ${mediaType}`;
  try {
    const decoded =
      frameIndex === 0
        ? await decodeFirst(body, mediaType, what)
        : await decodeFrame(body, mediaType, frameIndex, what);
    return checkAlpha(decoded, what);
  } catch (error) {
    return { error: toWire(error instanceof PyLoaderError ? error : failed(what, error)) };
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} body @param {string} mediaType @param {string} what description for messages
 * @returns {Promise<Decoded>}
 */
async function decodeFirst(body, mediaType, what) {
  const bitmap = await createImageBitmap(new Blob([body], { type: mediaType }), AS_STORED);
  /** @type {(VideoFrame & Turned) | undefined} */
  const frame = typeof VideoFrame === 'undefined' ? undefined : new VideoFrame(bitmap, { timestamp: 0 });
  try {
    // A VideoFrame has the stored pixels, and their rotation as a field; a canvas applies the rotation.
    return frame && frame.rotation === 0 && isPlain(frame) ? await readFrame(frame) : readCanvas(bitmap, what);
  } finally {
    frame?.close();
    bitmap.close();
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} body @param {string} mediaType @param {number} frameIndex @param {string} what
 * @returns {Promise<Decoded>}
 */
async function decodeFrame(body, mediaType, frameIndex, what) {
  if (typeof ImageDecoder === 'undefined') {
    throw refused(`${what} needs ImageDecoder, which this browser does not have, or has only on pages loaded by https`);
  }
  const decoder = new ImageDecoder({ data: body, type: mediaType, ...AS_STORED });
  try {
    const { image } = await decoder.decode({ frameIndex, completeFramesOnly: true });
    if (!isPlain(image))
      throw refused(`this browser decodes ${what} to ${image.format}, which does not have its exact colors`);
    return await readFrame(image).finally(() => image.close());
  } finally {
    decoder.close();
  }
}

/**
 * Return true if a frame is stored in RGB and is not rotated: browsers convert luma and chroma inexactly.
 * @param {VideoFrame & Turned} frame
 */
function isPlain({ format, rotation, flip }) {
  return /^(RGB|BGR)[AX]$/.test(format ?? '') && !rotation && !flip;
}

/** @param {VideoFrame} frame @returns {Promise<Decoded>} */
async function readFrame(frame) {
  const { codedWidth: columns, codedHeight: rows } = frame;
  const pixels = new Uint8Array(columns * rows * 4);
  await frame.copyTo(pixels, { format: 'RGBA', layout: [{ offset: 0, stride: columns * 4 }] });
  return { rows, columns, pixels };
}

/** @param {ImageBitmap} bitmap @param {string} what @returns {Decoded} */
function readCanvas(bitmap, what) {
  const { width, height } = bitmap;
  if (!isFaithful())
    throw refused(
      `${what} needs a canvas, and this browser falsifies the pixels read from one (protection against fingerprinting)`,
    );
  const context = canvasOf(width, height);
  context.drawImage(bitmap, 0, 0);
  return { rows: height, columns: width, pixels: context.getImageData(0, 0, width, height).data };
}

/** @param {number} width @param {number} height */
function canvasOf(width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error(`no canvas of ${width} x ${height}`);
  return context;
}

/** Return true if a canvas returns the pixels that were put on it. */
function isFaithful() {
  const known = Uint8ClampedArray.from({ length: PROBE * PROBE * 4 }, (_, index) =>
    index % 4 === 3 ? 255 : (index * 7) % 256,
  );
  const context = canvasOf(PROBE, PROBE);
  context.putImageData(new ImageData(known, PROBE, PROBE), 0, 0);
  const found = context.getImageData(0, 0, PROBE, PROBE).data;
  return known.every((value, index) => value === found[index]);
}

/**
 * Refuse half transparent pixels: browsers keep colors premultiplied with alpha, which loses bits.
 * @param {Decoded} decoded @param {string} what
 */
function checkAlpha(decoded, what) {
  const { pixels } = decoded;
  for (let index = 3; index < pixels.length; index += 4) {
    if (pixels[index] !== 0 && pixels[index] !== 255) {
      throw refused(
        `${what} has half transparent pixels, whose exact colors a browser does not return; ` +
          'PNG and WebP are decoded exactly',
      );
    }
  }
  return decoded;
}

/** @param {string} message */
function refused(message) {
  return new PyLoaderError({ name: 'UnsupportedError', code: 'unsupported', stage: 'decode', message });
}

/** @param {string} what @param {unknown} error */
function failed(what, error) {
  const message =
    `the browser cannot decode ${what}: ${messageOf(error)}. ` +
    'The file is damaged, or this browser does not know the format';
  return new PyLoaderError({ name: 'DecodeError', code: 'decode', stage: 'decode', message });
}
