// @ts-check
// Parses imageIds on the page, which needs scheme and source to choose a worker. pyloader/imageid.py does the
// same in Python; tests/imageid_vectors.json has the cases of both.
import { PyLoaderError, said } from './errors.js';
import { FACTS } from './facts.js';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s;
const FRAME = /([?&])frame=([^&#|]*)(&?)/;
/** Patterns of frame numbers by scheme; a Map, since a scheme may have any name. @type {Map<string, RegExp>} */
const FRAMES = new Map([
  ['http', /(#)frame=(.*)()/],
  ['https', /(#)frame=(.*)()/],
  ['wadors', /(\/)frames\/([^/?#]*)()(?=[?#]|$)/],
]);
/** Return a pattern for schemes that other schemes may precede. @param {string[]} schemes */
const after = (schemes) => new RegExp(`^(?:[A-Za-z][A-Za-z0-9+.-]*:)*(?:${schemes.join('|')}):`, 'i');
const FROM_0 = after(FACTS.schemes.countedFromZero);
const SLICE = /#(?:[xyz](?:-\d+)?|\d+)(?:,t-\d+)?$/;
const MEMBERS = after(FACTS.schemes.files);
const MEMBER = /#member=([^?&#|]*)/;
const LOCAL_FILE = after(FACTS.schemes.local);
const FILE = new RegExp(`^(?:${FACTS.schemes.files.join('|')}):`, 'i');
const DECIMATION = /#decimation=\d+$/;

/**
 * Parse an imageId.
 * @param {string} imageId
 * @returns {{scheme: string, source: string, frameIndex: number}} `source` is the imageId without its frame, slice
 *   and member; `frameIndex` counts from 0, where the frame number in the text counts from 1 (for `nifti:` from 0)
 */
export function parseImageId(imageId) {
  if (typeof imageId !== 'string')
    throw invalid(said(imageId), "is not a string; expected 'scheme:rest', such as 'wadouri:https://host/image.dcm'");
  const match = SCHEME.exec(imageId);
  if (!match) throw invalid(imageId, "has no scheme; expected 'scheme:rest', such as 'wadouri:https://host/image.dcm'");
  const scheme = match[1].toLowerCase();
  const rest = match[2].replace(DECIMATION, '');
  const frame = SLICE.test(rest) ? null : (FRAMES.get(scheme) ?? FRAME).exec(rest);
  if (!frame) return { scheme, source: `${scheme}:${withoutMember(rest.replace(SLICE, ''), imageId)}`, frameIndex: 0 };
  const [whole, lead, number, next] = frame;
  const first = FROM_0.test(imageId) ? 0 : 1;
  if (!/^0*[0-9]{1,9}$/.test(number) || Number(number) < first) {
    const model = first ? 'DICOMweb' : "Cornerstone3D's NIfTI loader";
    throw invalid(imageId, `asks for frame '${number}'; frames count from ${first}, as in ${model}`);
  }
  const without = rest.slice(0, frame.index) + (next ? lead : '') + rest.slice(frame.index + whole.length);
  return { scheme, source: `${scheme}:${withoutMember(without, imageId)}`, frameIndex: Number(number) - first };
}

/**
 * Return the address in an imageId if a load starts by fetching all of it unchanged, else undefined.
 * @param {string} imageId @returns {string | undefined}
 */
export function addressOf(imageId) {
  const { scheme, source } = parseImageId(imageId);
  if (imageId !== source) return undefined; // it names a part of the source
  if (scheme === 'http' || scheme === 'https' || FACTS.schemes.local.includes(scheme)) return source;
  return scheme === 'wadouri' || scheme === 'dicomweb' ? source.slice(scheme.length + 1) : undefined;
}

/**
 * Return the name under which workers hold a user's file, such as `localfile:3f9c27ab-0`; return other sources
 * unchanged. A scheme may precede the name (`nifti:localfile:…`); `dicomfile:` means the same, for apps that name
 * it in `use`.
 * @param {string} source
 */
export function fileNameOf(source) {
  return source.replace(LOCAL_FILE, 'localfile:');
}

/** Remove the member of an archive: all its files have one source. @param {string} rest @param {string} imageId */
function withoutMember(rest, imageId) {
  if (!MEMBERS.test(imageId)) return rest;
  if (MEMBER.exec(rest)?.[1] === '') {
    throw invalid(
      imageId,
      "names no member; expected '#member=' and the file's name in the archive; imageIds() of the archive lists them",
    );
  }
  return rest.replace(MEMBER, '');
}

/**
 * Convert an imageId that counts frames from 0, as the legacy viewer's DICOM loader does, to count from 1.
 * @param {string} imageId
 */
export function countFramesFromOne(imageId) {
  if (!FILE.test(imageId)) return imageId;
  return imageId.replace(/([?&]frame=)(\d+)/, (_, lead, number) => `${lead}${Number(number) + 1}`);
}

/** @param {string} imageId @param {string} text */
function invalid(imageId, text) {
  return new PyLoaderError({
    name: 'ImageIdError',
    code: 'image-id',
    stage: 'dispatch',
    imageId,
    message: `imageId '${imageId}' ${text}`,
  });
}
