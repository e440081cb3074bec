// @ts-check
// Shows the data of an image in tables: times, numbers and the metadata modules.
import { byId, make, pyloader } from './page.js';
import { short } from './viewer.js';

/** @typedef {import('../pyloader.d.ts').Image} Image */

const MODULES = [
  'patientModule',
  'patientStudyModule',
  'generalStudyModule',
  'generalSeriesModule',
  'generalImageModule',
  'imagePlaneModule',
  'imagePixelModule',
  'modalityLutModule',
  'voiLutModule',
  'multiframeModule',
  'cineModule',
  'overlayPlaneModule',
  'ultrasoundEnhancedRegionModule',
  'petSeriesModule',
  'petImageModule',
  'petIsotopeModule',
  'sopCommonModule',
  'transferSyntax',
];
const OPEN = new Set(['imagePlaneModule', 'modalityLutModule', 'voiLutModule']);
const FIRST_ITEMS = 16;

/** Modules that the user opened or closed, kept for the next image. @type {Map<string, boolean>} */
const isOpen = new Map();

/** Show warnings and facts of an image in the page's boxes. @param {Image | undefined} image */
export function showFacts(image) {
  renderWarnings(byId('warnings'), image?.warnings ?? []);
  renderFacts(byId('facts'), image);
}

/** @param {HTMLElement} list @param {string[]} warnings */
export function renderWarnings(list, warnings) {
  list.replaceChildren(...warnings.map((warning) => make('li', {}, warning)));
  list.hidden = !warnings.length;
}

/** @param {HTMLElement} box @param {Image | undefined} image */
function renderFacts(box, image) {
  if (!image) return box.replaceChildren(make('p', { className: 'quiet' }, 'There is no image.'));
  const modules = MODULES.map((name) => [name, pyloader.metaData(name, image.imageId)]).filter(
    ([, module]) => module && Object.values(module).some((value) => value !== undefined),
  );
  box.replaceChildren(
    table(imageFacts(image)),
    ...modules.map(([name, module]) => moduleTable(/** @type {string} */ (name), /** @type {object} */ (module))),
  );
}

/** @param {Image} image */
function imageFacts(image) {
  return {
    imageId: image.imageId,
    size: `${image.columns} × ${image.rows}, ${image.numberOfComponents} × ${image.dataType}`,
    values:
      `${short(image.minPixelValue)} to ${short(image.maxPixelValue)}, ` +
      `× ${short(image.slope)} + ${short(image.intercept)}`,
    loadTimeInMS: milliseconds(image.loadTimeInMS),
    decodeTimeInMS: milliseconds(image.decodeTimeInMS),
    totalTimeInMS: milliseconds(image.totalTimeInMS),
  };
}

/** @param {number} value */
function milliseconds(value) {
  return value === undefined ? undefined : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

/** @param {string} name @param {object} module */
function moduleTable(name, module) {
  const details = make(
    'details',
    { open: isOpen.get(name) ?? OPEN.has(name) },
    make('summary', {}, name),
    table(module),
  );
  details.addEventListener('toggle', () => isOpen.set(name, details.open));
  return details;
}

/** Make a table of names and values, without undefined ones. @param {object} attributes */
export function table(attributes) {
  const rows = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      make('tr', {}, make('th', { scope: 'row' }, ...breakable(name)), make('td', {}, words(value))),
    );
  return make('table', {}, make('tbody', {}, ...rows));
}

/** Return the parts of a camelCase name, with places for line breaks. @param {string} name */
function breakable(name) {
  return name.split(/(?<=[a-z])(?=[A-Z])/).flatMap((word) => [word, make('wbr')]);
}

/** @param {any} value @returns {string} */
function words(value) {
  if (typeof value === 'number') return String(Number(value.toPrecision(7)));
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${/** @type {any} */ (value).length}`;
  if (Array.isArray(value)) return listed(value);
  if (value && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, part]) => `${name}: ${words(part)}`)
      .join(', ')}}`;
  return String(value);
}

/** @param {any[]} values */
function listed(values) {
  const shown = values.slice(0, FIRST_ITEMS).map(words).join(', ');
  return values.length > FIRST_ITEMS ? `${shown}, and ${values.length - FIRST_ITEMS} more` : shown;
}
