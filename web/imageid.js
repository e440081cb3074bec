// @ts-check
// The page's twin of pyloader/imageid.py: it needs scheme and source to choose a worker.
// Both are held to tests/imageid_vectors.json.
import { PyLoaderError } from './errors.js';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s;
const FRAME = /([?&])frame=([^&#]*)(&?)/;
const DICOMWEB_FRAME = /(\/)frames\/([^/?#]*)()(?=[?#]|$)/;
const DECIMATION = /#decimation=\d+$/;

/**
 * @param {string} imageId
 * @returns {{scheme: string, source: string, frameIndex: number}} `source` is the imageId without
 *   its frame; `frameIndex` counts from 0, the text from 1
 */
export function parseImageId(imageId) {
  const match = SCHEME.exec(imageId);
  if (!match) throw invalid(imageId, "has no scheme; expected 'scheme:rest', such as 'wadouri:https://host/image.dcm'");
  const scheme = match[1].toLowerCase();
  const rest = match[2].replace(DECIMATION, '');
  const frame = (scheme === 'wadors' ? DICOMWEB_FRAME : FRAME).exec(rest);
  if (!frame) return { scheme, source: `${scheme}:${rest}`, frameIndex: 0 };
  const [whole, lead, number, next] = frame;
  if (!/^0*[1-9][0-9]{0,8}$/.test(number)) {
    throw invalid(imageId, `asks for frame '${number}'; frames count from 1, as in DICOMweb`);
  }
  const without = rest.slice(0, frame.index) + (next ? lead : '') + rest.slice(frame.index + whole.length);
  return { scheme, source: `${scheme}:${without}`, frameIndex: Number(number) - 1 };
}

/**
 * The imageId that counts frames from 1, of one that counts them from 0 as legacy viewers do.
 * @param {string} imageId
 */
export function countFramesFromOne(imageId) {
  return imageId.replace(/([?&]frame=)(\d+)/, (_, lead, number) => `${lead}${Number(number) + 1}`);
}

/** @param {string} imageId @param {string} text */
function invalid(imageId, text) {
  return new PyLoaderError({
    name: 'ImageIdError', code: 'image-id', stage: 'dispatch', imageId, message: `imageId '${imageId}' ${text}`,
  });
}
