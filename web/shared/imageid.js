// @ts-check
// The page's twin of pyloader/imageid.py: it needs scheme and source to choose a worker.
// Both are held to tests/imageid_vectors.json.
import { PyLoaderError, said } from './errors.js';
import { FACTS } from './facts.js';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s;
const FRAME = /([?&])frame=([^&#|]*)(&?)/;
/** By scheme, which may be any name. @type {Map<string, RegExp>} */
const FRAMES = new Map([
  ['http', /(#)frame=(.*)()/],
  ['https', /(#)frame=(.*)()/],
  ['wadors', /(\/)frames\/([^/?#]*)()(?=[?#]|$)/],
]);
/** A pattern of schemes, before which others may stand. @param {string[]} schemes */
const after = (schemes) => new RegExp(`^(?:[A-Za-z][A-Za-z0-9+.-]*:)*(?:${schemes.join('|')}):`, 'i');
const FROM_0 = after(FACTS.schemes.countedFromZero);
const SLICE = /#(?:[xyz](?:-\d+)?|\d+)(?:,t-\d+)?$/;
const MEMBERS = after(FACTS.schemes.files);
const MEMBER = /#member=([^?&#|]*)/;
const LOCAL_FILE = after(FACTS.schemes.local);
const FILE = new RegExp(`^(?:${FACTS.schemes.files.join('|')}):`, 'i');
const DECIMATION = /#decimation=\d+$/;

/**
 * @param {string} imageId
 * @returns {{scheme: string, source: string, frameIndex: number}} `source` is the imageId without
 *   its frame, slice and member; `frameIndex` counts from 0, the text from 1 (of `nifti:` from 0)
 */
export function parseImageId(imageId) {
  if (typeof imageId !== 'string')
    throw invalid(said(imageId), "is no text; expected 'scheme:rest', such as 'wadouri:https://host/image.dcm'");
  const match = SCHEME.exec(imageId);
  if (!match) throw invalid(imageId, "has no scheme; expected 'scheme:rest', such as 'wadouri:https://host/image.dcm'");
  const scheme = match[1].toLowerCase();
  const rest = match[2].replace(DECIMATION, '');
  const frame = SLICE.test(rest) ? null : (FRAMES.get(scheme) ?? FRAME).exec(rest);
  if (!frame) return { scheme, source: `${scheme}:${withoutMember(rest.replace(SLICE, ''), imageId)}`, frameIndex: 0 };
  const [whole, lead, number, next] = frame;
  const first = FROM_0.test(imageId) ? 0 : 1;
  if (!/^0*[0-9]{1,9}$/.test(number) || Number(number) < first) {
    throw invalid(
      imageId,
      `asks for frame '${number}'; frames count from ${first}, as in ${first ? 'DICOMweb' : "Cornerstone3D's NIfTI loader"}`,
    );
  }
  const without = rest.slice(0, frame.index) + (next ? lead : '') + rest.slice(frame.index + whole.length);
  return { scheme, source: `${scheme}:${withoutMember(without, imageId)}`, frameIndex: Number(number) - first };
}

/**
 * The address behind an imageId whose load begins with fetching it, whole and as it is; none of others.
 * @param {string} imageId @returns {string | undefined}
 */
export function addressOf(imageId) {
  const { scheme, source } = parseImageId(imageId);
  if (imageId !== source) return undefined; // a part
  if (scheme === 'http' || scheme === 'https') return source;
  return scheme === 'wadouri' || scheme === 'dicomweb' ? source.slice(scheme.length + 1) : undefined;
}

/**
 * The name under which workers hold a file of the user, such as `localfile:3f9c27ab-0`; other sources
 * unchanged. A scheme may precede it (`nifti:localfile:…`), and `dicomfile:` means the same, for apps
 * that name it in `use`.
 * @param {string} source
 */
export function fileNameOf(source) {
  return source.replace(LOCAL_FILE, 'localfile:');
}

/** All files of an archive have one source. @param {string} rest @param {string} imageId */
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
 * The imageId that counts frames from 1, of one that counts them from 0 as the legacy viewer's DICOM
 * loader does.
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
