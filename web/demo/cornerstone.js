// @ts-check
// Builds the page around the code of cornerstone.html: samples, window and level, state.
import { onMove, onStep, onTouchStep } from './controls.js';
import { Desk } from './desk.js';
import { addCorners, boot, byId, isAbort, pyloader, setState, showError } from './page.js';
import { short } from './viewer.js';

/** @typedef {import('./page.js').Sample} Sample */

const { cornerstone } = /** @type {any} */ (globalThis);
const element = byId('element');
const corners = addCorners(byId('stage'));
const DRAG_PIXELS = 256; // a drag this long changes the window by the image's own width

/** @type {any} the image on the screen */
let shown;

/** @param {{open: (imageId: string) => Promise<{image: any, frames: number}>}} page */
export async function start({ open }) {
  const desk = new Desk({ open, show, clear, frameIds });
  onStep(element, (delta) => desk.stack.step(delta));
  onTouchStep(element, (delta) => desk.stack.count > 1 && desk.stack.step(delta));
  byId('address').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    desk.choose(sampleOf(byId('address').imageId.value.trim()));
  });
  await desk.addSamples().catch(showError);

  /** @param {any} image @param {Sample} sample @param {boolean} isFirst */
  function show(image, sample, isFirst) {
    cornerstone.displayImage(element, image);
    // Cornerstone keeps the viewport of the previous image: right within a stack, wrong for another stack.
    if (isFirst) cornerstone.reset(element);
    corners.topLeft.textContent = sample.title;
    corners.topRight.textContent = desk.stack.text;
  }
}

function clear() {
  shown = undefined;
  for (const corner of Object.values(corners)) corner.textContent = '';
}

/** @param {string} imageId @returns {Sample} */
function sampleOf(imageId) {
  return { title: imageId, description: '', origin: '', name: imageId, imageIds: [imageId], start: 0 };
}

/** List frames as legacy viewers count them, from 0. @param {string} imageId @param {number} count */
function frameIds(imageId, count) {
  const separator = imageId.includes('?') ? '&' : '?';
  return Array.from({ length: count }, (_, index) => `${imageId}${separator}frame=${index}`);
}

/** @param {number} dx @param {number} dy */
function adjustWindow(dx, dy) {
  if (!shown) return;
  const viewport = cornerstone.getViewport(element);
  const own = shown.windowWidth ?? (shown.maxPixelValue - shown.minPixelValue) * shown.slope;
  viewport.voi.windowWidth = Math.max(1, viewport.voi.windowWidth + (dx / DRAG_PIXELS) * own);
  viewport.voi.windowCenter += (dy / DRAG_PIXELS) * own;
  cornerstone.setViewport(element, viewport);
}

element.addEventListener('cornerstoneimagerendered', (/** @type {any} */ { detail }) => {
  const { voi } = detail.viewport;
  corners.bottomLeft.textContent = `W ${short(voi.windowWidth)}  C ${short(voi.windowCenter)}`;
  if (detail.image === shown) return;
  shown = detail.image;
  corners.topLeft.textContent ||= shown.imageId;
  setState('shown');
});
onMove(element, { drag: (dx, dy, isTouch) => (isTouch && !byId('stack').hidden) || adjustWindow(dx, dy) });
element.addEventListener('dblclick', () => shown && cornerstone.reset(element));
new ResizeObserver(() => shown && cornerstone.resize(element, true)).observe(element);

// The two lines of code on the page catch no errors; show them here.
pyloader.events.addEventListener('imageloadfailed', (/** @type {any} */ { detail }) => {
  if (!isAbort(detail.error)) showError(detail.error);
});
boot().catch(showError);
