// @ts-check
// Shows a series in a Cornerstone3D stack viewport: slices, window and level; prefetches the other slices.
import { Stack, onMove, onStep, onTouchStep } from './controls.js';
import { addCorners, byId, drawn, isAbort, pyloader, setState, showError } from './page.js';
import { short } from './viewer.js';

/** @typedef {Record<string, any>} Viewport of Cornerstone3D */
/**
 * @typedef {object} Series a series of the list
 * @property {Record<string, any>} found
 * @property {HTMLButtonElement} button
 * @property {HTMLProgressElement} bar
 * @property {HTMLElement} words shows its modality and size
 * @property {Set<string>} loaded imageIds in the viewer's cache
 * @property {(signal: AbortSignal) => Promise<string[]>} findImages
 * @property {string[]} [imageIds]
 */

const PREFETCHES = 6; // at a time, so that a slice the user wants does not wait behind all others
const DRAG_PIXELS = 256; // a drag this long changes the window by its first width

const stage = byId('stage');
const corners = addCorners(stage);

// Cornerstone3D's cache does not handle the promises of failed or cancelled loads; `imageloadfailed` reports those
// that matter.
addEventListener('unhandledrejection', (event) => {
  if (isAbort(event.reason) || event.reason instanceof pyloader.PyLoaderError) event.preventDefault();
});

/** Return true if imageIds are the frames of one instance. @param {string[]} imageIds */
function isOneInstance(imageIds) {
  return new Set(imageIds.map((imageId) => imageId.replace(/\/frames\/\d+$/, ''))).size === 1;
}

/** Show the modality and the size of a series. @param {Series} series */
export function showSize({ found, words, imageIds }) {
  const count = imageIds?.length ?? found.numberOfSeriesRelatedInstances;
  const noun = imageIds && count > 1 && isOneInstance(imageIds) ? 'frame' : 'image';
  const size = count === undefined ? '' : `, ${count || 'no'} ${noun}${count === 1 ? '' : 's'}`;
  words.textContent = `${found.modality ?? ''}${size}`;
}

export class SeriesView {
  /** @type {import('./page.js').State} */
  state = 'ready';
  /** Cancels the loads of the open series. */
  #opened = new AbortController();
  /** @type {Series | undefined} */
  #series;
  #index = 0;
  /** ImageId that the user waits for. */
  #wanted = '';
  /** @type {Map<string, Series>} */
  #owners = new Map();
  /** @type {{windowWidth: number, windowCenter: number} | undefined} */
  #ownWindow;

  /** @param {import('./dicomweb.js').Page} page @param {Viewport} viewport */
  constructor(page, viewport) {
    this.page = page;
    this.viewport = viewport;
    this.stack = new Stack(byId('stack'), (index) => this.#step(index));
    this.#listen(viewport.element);
    this.forget();
  }

  /** @param {HTMLElement} element */
  #listen(element) {
    const {
      eventTarget,
      Enums: { Events },
    } = this.page.cornerstone3D;
    onStep(element, (delta) => this.#series && this.stack.step(delta));
    onTouchStep(element, (delta) => this.stack.count > 1 && this.stack.step(delta));
    onMove(element, {
      drag: (dx, dy, isTouch) => (isTouch && this.stack.count > 1) || this.#moveWindow(dx, dy),
    });
    element.addEventListener('dblclick', () => this.#setWindow(this.#ownWindow));
    element.addEventListener(Events.STACK_NEW_IMAGE, () => this.#showCorners());
    eventTarget.addEventListener(Events.IMAGE_LOADED, (/** @type {any} */ { detail }) =>
      this.#count(detail.image.imageId, true),
    );
    eventTarget.addEventListener(Events.IMAGE_CACHE_IMAGE_REMOVED, (/** @type {any} */ { detail }) =>
      this.#count(detail.imageId, false),
    );
    // The viewer reports failed loads only on the console. A failed prefetch is repeated when the user wants the image.
    pyloader.events.addEventListener('imageloadfailed', (/** @type {any} */ { detail }) => {
      if (detail.imageId === this.#wanted && !isAbort(detail.error)) this.#fail(detail.error);
    });
    new ResizeObserver(() => this.viewport.getRenderingEngine().resize(true)).observe(stage);
  }

  /** Show nothing, and release all images. */
  forget() {
    this.#close();
    this.#owners.clear();
    this.page.cornerstone3D.cache.purgeCache();
    this.#show('ready');
  }

  /** @param {Series} series */
  async open(series) {
    this.#close();
    this.#series = series;
    series.button.ariaCurrent = 'true';
    const { signal } = this.#opened;
    this.#show('loading');
    try {
      series.imageIds ??= await series.findImages(signal);
      const { imageIds } = series;
      if (!imageIds.length)
        throw Object.assign(new Error('This series has no images: its instances have no pixels.'), {
          code: 'no-images',
        });
      if (!signal.aborted) await this.#showStack(series, imageIds);
      if (!signal.aborted) await this.#prefetch(imageIds, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #close() {
    this.#opened.abort();
    this.#opened = new AbortController();
    if (this.#series) this.#series.button.ariaCurrent = 'false';
    this.#series = this.#ownWindow = undefined;
    this.#wanted = '';
    this.stack.open(0, 0, '');
    for (const corner of Object.values(corners)) corner.textContent = '';
  }

  /** @param {Series} series @param {string[]} imageIds */
  async #showStack(series, imageIds) {
    for (const imageId of imageIds) this.#owners.set(imageId, series);
    this.#countAll(series);
    this.#index = Math.floor(imageIds.length / 2);
    this.stack.open(imageIds.length, this.#index, isOneInstance(imageIds) ? 'Frame' : 'Slice');
    await this.#await(imageIds[this.#index], () => this.page.showStack(this.viewport, imageIds, this.#index));
  }

  /** @param {number} index */
  async #step(index) {
    this.#index = index;
    await this.#await(this.#series?.imageIds?.[index] ?? '', () =>
      this.viewport.setImageIdIndex(index).then(() => this.viewport.render()),
    );
  }

  /**
   * Wait until the viewer shows an image, which it may have to load.
   * @param {string} imageId @param {() => Promise<void>} show
   */
  async #await(imageId, show) {
    const series = this.#series;
    this.#wanted = imageId;
    this.#show('loading', imageId);
    await show()
      .then(drawn)
      .catch((error) => this.#fail(error));
    // The viewer's promise resolves even for a failed load.
    if (series === this.#series && this.state === 'loading') this.#show('shown');
  }

  /** @param {import('./page.js').State} state @param {string} [imageId] */
  #show(state, imageId) {
    this.state = state;
    stage.classList.toggle('vacant', state === 'ready');
    setState(state, imageId);
  }

  /** @param {any} error */
  #fail(error) {
    this.state = 'failed';
    showError(error);
  }

  // ------------------------------------------------------------------ prefetch

  /** Load the other images, nearest to the shown one first. @param {string[]} imageIds @param {AbortSignal} signal */
  async #prefetch(imageIds, signal) {
    const left = new Set(imageIds.keys());
    const nearest = () => [...left].reduce((a, b) => (Math.abs(b - this.#index) < Math.abs(a - this.#index) ? b : a));
    const loadOneByOne = async () => {
      while (left.size && !signal.aborted) {
        const index = nearest();
        left.delete(index);
        await this.page.prefetch(imageIds[index], signal).catch(() => {}); // reported when the user wants the image
      }
    };
    await Promise.all(Array.from({ length: PREFETCHES }, loadOneByOne));
  }

  /** @param {string} imageId @param {boolean} isLoaded */
  #count(imageId, isLoaded) {
    const series = this.#owners.get(imageId);
    if (!series) return;
    if (isLoaded) series.loaded.add(imageId);
    else series.loaded.delete(imageId);
    this.#countAll(series);
  }

  /** @param {Series} series */
  #countAll(series) {
    const { button, bar, loaded, imageIds = [] } = series;
    showSize(series);
    bar.hidden = false;
    bar.max = imageIds.length;
    bar.value = loaded.size;
    bar.title = `${loaded.size} of ${imageIds.length} loaded`;
    button.dataset.loaded = `${loaded.size}/${imageIds.length}`;
  }

  // ------------------------------------------------------------------ window, corners

  get #window() {
    const { lower, upper } = this.viewport.getProperties().voiRange;
    return this.page.cornerstone3D.utilities.windowLevel.toWindowLevel(lower, upper);
  }

  /** @param {number} dx @param {number} dy */
  #moveWindow(dx, dy) {
    if (!this.#ownWindow) return;
    const share = this.#ownWindow.windowWidth / DRAG_PIXELS;
    const { windowWidth, windowCenter } = this.#window;
    this.#setWindow({ windowWidth: Math.max(1, windowWidth + dx * share), windowCenter: windowCenter + dy * share });
  }

  /** @param {{windowWidth: number, windowCenter: number} | undefined} window */
  #setWindow(window) {
    if (!window) return;
    const voiRange = this.page.cornerstone3D.utilities.windowLevel.toLowHighRange(
      window.windowWidth,
      window.windowCenter,
    );
    this.viewport.setProperties({ voiRange });
    this.viewport.render();
    this.#showCorners();
  }

  /** Write the corner texts of the shown image. */
  #showCorners() {
    if (!this.#series) return;
    const { patientName = '', seriesDescription = '' } = this.#series.found;
    const { columns, rows, imageId } = this.viewport.getCornerstoneImage();
    const plane = this.page.cornerstone3D.metaData.get('imagePlaneModule', imageId);
    this.#ownWindow ??= this.#window;
    const { windowWidth, windowCenter } = this.#window;
    corners.topLeft.textContent = `${patientName.replace(/\^+/g, ' ').trim()}\n${seriesDescription}`;
    corners.topRight.textContent = this.stack.text;
    corners.bottomLeft.textContent = `W ${short(windowWidth)}  C ${short(windowCenter)}`;
    const height = plane && !plane.usingDefaultValues ? `\nz ${plane.imagePositionPatient[2].toFixed(1)} mm` : '';
    corners.bottomRight.textContent = `${columns} × ${rows}${height}`;
  }
}
