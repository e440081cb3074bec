// @ts-check
// Builds the page around the code of cornerstone3d.html: series, slices, window and level, state.
import { Stack, onMove, onStep, onTouchStep } from './controls.js';
import { addCorners, boot, byId, drawn, fetchSamples, isAbort, pyloader, setState, showError } from './page.js';
import { short } from './viewer.js';

/** @typedef {Record<string, any>} Viewport of Cornerstone3D */
/**
 * @typedef {object} Page the functions of the page's own script
 * @property {any} cornerstone3D
 * @property {() => Promise<any>} connect
 * @property {(engine: any, imageIds: string[], index: number) => Promise<Viewport>} showStack
 * @property {(engine: any, imageIds: string[]) => Promise<Viewport[]>} showVolume
 */

const root = document.documentElement;
const DRAG_PIXELS = 256; // a drag this long changes the window by its first width
const corners = Object.fromEntries(['axial', 'sagittal', 'coronal'].map((id) => [id, addCorners(byId(id))]));

/** @param {Page} page */
export async function start(page) {
  try {
    await boot();
    setState('loading');
    const source = new URLSearchParams(location.search).get('source');
    const series = source ? await volumeOf(source) : (await fetchSamples()).find(({ imageIds }) => imageIds.length > 1);
    if (!series) throw new Error('there is no series among the samples');
    await show(page, series);
  } catch (error) {
    showError(error);
  }
}

/** List the slices of any source, such as `nifti:brain.nii.gz#z,t-0`. @param {string} source */
async function volumeOf(source) {
  const imageIds = await pyloader.imageIds(source);
  const title = source.replace(/#.*/, '').split('/').at(-1) ?? source;
  return { imageIds, title, start: imageIds.length >> 1 };
}

/** @param {Page} page @param {{imageIds: string[], title: string, start: number}} series */
async function show({ cornerstone3D, connect, showStack, showVolume }, { imageIds, start: first, title }) {
  const engine = await connect();
  const axial = await showStack(engine, imageIds, first);
  const windowing = new Windowing(cornerstone3D, axial);
  listenToStack(cornerstone3D, axial, imageIds, first);
  windowing.add(axial);
  corners.axial.topLeft.textContent = title;
  await drawn();
  setState('shown');
  root.dataset.volume = 'loading';
  cornerstone3D.eventTarget.addEventListener(cornerstone3D.Enums.Events.IMAGE_VOLUME_LOADING_COMPLETED, () => {
    windowing.apply();
    // The event also follows failed loads.
    root.dataset.volume = root.dataset.state === 'failed' ? 'failed' : 'shown';
  });
  for (const viewport of await showVolume(engine, imageIds)) {
    windowing.add(viewport);
    listenToCut(cornerstone3D, viewport);
  }
  windowing.apply();
  new ResizeObserver(() => engine.resize(true)).observe(byId('axial'));
}

// The viewer reports failed loads only on the console; the page shows them.
pyloader.events.addEventListener('imageloadfailed', (/** @type {any} */ { detail }) => {
  if (!isAbort(detail.error)) showError(detail.error);
});

/** @param {any} cornerstone3D @param {Viewport} viewport @param {string[]} imageIds @param {number} first */
function listenToStack(cornerstone3D, viewport, imageIds, first) {
  const stack = new Stack(byId('stack'), (index) =>
    viewport.setImageIdIndex(index).then(() => viewport.render(), showError),
  );
  const update = () => {
    const plane = cornerstone3D.metaData.get('imagePlaneModule', viewport.getCurrentImageId());
    corners.axial.topRight.textContent = stack.text;
    corners.axial.bottomRight.textContent = `z ${plane.imagePositionPatient[2].toFixed(1)} mm`;
  };
  stack.open(imageIds.length, first, 'Slice');
  onStep(viewport.element, (delta) => stack.step(delta));
  onTouchStep(viewport.element, (delta) => stack.step(delta));
  viewport.element.addEventListener(cornerstone3D.Enums.Events.STACK_NEW_IMAGE, update);
  update();
}

/** @param {any} cornerstone3D @param {Viewport} viewport */
function listenToCut(cornerstone3D, viewport) {
  const { topLeft, topRight } = corners[viewport.id];
  const count = viewport.getNumberOfSlices();
  topLeft.textContent = viewport.id[0].toUpperCase() + viewport.id.slice(1);
  const update = () => (topRight.textContent = `${viewport.getSliceIndex() + 1} of ${count}`);
  const scroll = (/** @type {number} */ delta) => viewport.scroll(Math.min(Math.max(delta, -count), count));
  onStep(viewport.element, scroll);
  onTouchStep(viewport.element, scroll);
  viewport.element.addEventListener(cornerstone3D.Enums.Events.CAMERA_MODIFIED, update);
  update();
}

/** Applies one window to all viewports. */
class Windowing {
  /** @type {Viewport[]} */
  #viewports = [];

  /** @param {any} cornerstone3D @param {Viewport} viewport whose window applies to all */
  constructor({ utilities }, viewport) {
    this.convert = utilities.windowLevel;
    const { lower, upper } = viewport.getProperties().voiRange;
    this.own = this.convert.toWindowLevel(lower, upper);
    this.current = this.own;
  }

  /** @param {Viewport} viewport */
  add(viewport) {
    this.#viewports.push(viewport);
    onMove(viewport.element, { drag: (dx, dy, isTouch) => isTouch || this.#move(dx, dy) });
    viewport.element.addEventListener('dblclick', () => this.#set(this.own));
    this.#write();
  }

  apply() {
    const { windowWidth, windowCenter } = this.current;
    const voiRange = this.convert.toLowHighRange(windowWidth, windowCenter);
    for (const viewport of this.#viewports) {
      viewport.setProperties({ voiRange });
      viewport.render();
    }
    this.#write();
  }

  /** @param {number} dx @param {number} dy */
  #move(dx, dy) {
    const share = this.own.windowWidth / DRAG_PIXELS;
    const { windowWidth, windowCenter } = this.current;
    this.#set({ windowWidth: Math.max(1, windowWidth + dx * share), windowCenter: windowCenter + dy * share });
  }

  /** @param {{windowWidth: number, windowCenter: number}} window */
  #set(window) {
    this.current = window;
    this.apply();
  }

  #write() {
    const { windowWidth, windowCenter } = this.current;
    corners.axial.bottomLeft.textContent = `W ${short(windowWidth)}  C ${short(windowCenter)}`;
  }
}
