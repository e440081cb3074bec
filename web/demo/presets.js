// @ts-check
// Windows to choose from: those of the file, and for CT those that radiologists use.
import { pyloader } from './page.js';
import { fullWindowOf, windowOf } from './windowing.js';

/** @typedef {import('./windowing.js').Window} Window */
/** @typedef {{name: string, window: Window}} Preset */

/** Names, centres and widths in Hounsfield units. @type {[string, number, number][]} */
const CT = [
  ['Abdomen', 50, 400],
  ['Angiography', 300, 600],
  ['Bone', 400, 1800],
  ['Brain', 40, 80],
  ['Liver', 70, 150],
  ['Lung', -600, 1500],
  ['Mediastinum', 40, 400],
  ['Stroke', 35, 35],
  ['Subdural', 75, 215],
];

/** List the windows of a grey image. @param {import('../pyloader.d.ts').Image} image @returns {Preset[]} */
export function presetsOf(image) {
  if (image.color) return [];
  const shape = image.voiLUTFunction ?? 'LINEAR';
  const own = (image.windows ?? []).map(({ center, width, explanation }, index) => ({
    name: explanation || (index ? `Of the file, ${index + 1}` : 'Of the file'),
    window: { center, width, shape },
  }));
  const shown = own.length || !image.voiLUT ? own : [{ name: 'Table of the file', window: windowOf(image) }];
  const ct = CT.map(([name, center, width]) => ({ name, window: { center, width, shape: LINEAR } }));
  return [...shown, ...(isHounsfield(image) ? ct : []), { name: 'All values', window: fullWindowOf(image) }];
}

const LINEAR = /** @type {const} */ ('LINEAR');

/** Return true if values are Hounsfield units: those of CT, unless the file says otherwise. */
function isHounsfield(/** @type {import('../pyloader.d.ts').Image} */ { imageId }) {
  const { rescaleType = 'HU', rescaleSlope } = pyloader.metaData('modalityLutModule', imageId) ?? {};
  const isCT = pyloader.metaData('generalSeriesModule', imageId)?.modality === 'CT';
  return isCT && rescaleSlope !== undefined && rescaleType === 'HU';
}
