// @ts-check
// Web images through the browser's own decoder, in the worker.
import { PyLoaderError, toWire } from './errors.js';

/** @typedef {{rows: number, columns: number, pixels: Uint8ClampedArray}} Decoded RGBA, alpha not multiplied in */

/**
 * @param {Uint8Array<ArrayBuffer>} body
 * @param {string} mediaType
 * @param {number} frameIndex from 0
 * @returns {Promise<Decoded | {error: import('./errors.js').WireError}>}
 */
export async function decodeImage(body, mediaType, frameIndex) {
  const message = `frame ${frameIndex} of ${mediaType}, ${body.length} bytes: not decoded yet`;
  return { error: toWire(new PyLoaderError({ name: 'UnsupportedError', code: 'unsupported', stage: 'decode', message })) };
}
