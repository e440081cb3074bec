// @ts-check
// Shared parts of the demo pages: state, progress, errors, list of samples, shown code.
import './nav.js';

/** @typedef {'booting' | 'ready' | 'loading' | 'shown' | 'failed'} State */
/**
 * @typedef {{title: string, description: string, origin: string, name: string, imageIds: string[], start: number,
 *   link?: string}} Sample `start` is the index of the image shown first; `link` is the end of the page's address
 *   that opens it
 */

/** Global that ../pyloader.js sets. @type {typeof import('../pyloader.d.ts')} */
export const pyloader = /** @type {any} */ (globalThis).pyloader;

const root = document.documentElement;
const BOOT_STAGES = /** @type {Record<string, string>} */ ({
  runtime: 'Python and its packages',
  packages: 'its packages',
  extra: 'packages of this page',
  ready: 'ready',
});

// Longest wait for the next frame; a tab in the background draws none.
const FRAME_MS = 100;

// ------------------------------------------------------------------ elements

/** @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, any>} [properties] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Make a handler of `submit` that calls a function instead of sending the form. @param {() => void} act */
export function submitted(act) {
  return (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    act();
  };
}

/**
 * Scroll to an element that is not all on the screen, such as the picture below a list.
 * @param {HTMLElement} element
 */
export function reveal(element) {
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth';
  element.scrollIntoView({ block: 'nearest', behavior });
}

/** Add texts over the four corners of an image. @param {HTMLElement} stage */
export function addCorners(stage) {
  const corner = (/** @type {string} */ place) => stage.appendChild(make('span', { className: `corner ${place}` }));
  return {
    topLeft: corner('top left'),
    topRight: corner('top right'),
    bottomLeft: corner('bottom left'),
    bottomRight: corner('bottom right'),
  };
}

// ------------------------------------------------------------------ state, progress, errors

/** Image whose bytes the progress bar counts; undefined for all images. @type {string | undefined} */
let awaited;

/**
 * Set the state of the page, which style sheets and tests read.
 * @param {State} state @param {string} [imageId] image whose progress to show, on a page that loads others meanwhile
 */
export function setState(state, imageId) {
  root.dataset.state = state;
  awaited = imageId;
  if (state === 'ready' || state === 'shown' || state === 'failed') hideProgress();
  if (state === 'loading') showProgress('Loading', undefined);
  if (state !== 'failed') hideError();
}

/**
 * Wait until a viewer has drawn. It draws with the next frame, and in a background tab not at all.
 */
export function drawn() {
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, FRAME_MS);
  });
}

/** @param {string} words @param {number | undefined} percent */
export function showProgress(words, percent) {
  const box = byId('progress');
  const bar = box.querySelector('progress');
  // A bar at 0 looks stuck; one without a value moves.
  if (percent) bar.value = percent;
  else bar.removeAttribute('value');
  box.querySelector('span').textContent = percent ? `${words}: ${percent} %` : words;
  box.classList.add('busy');
}

function hideProgress() {
  byId('progress').classList.remove('busy');
}

/** @type {Promise<void> | undefined} */
let booted;

/**
 * Start Python once, with a progress bar; after a failure, the next call tries again.
 * @param {() => Promise<void>} [init] calls `pyloader.init`, with the page's options
 */
export function boot(init = () => pyloader.init()) {
  booted ??= startPython(init).catch((error) => {
    booted = undefined;
    throw error;
  });
  return booted;
}

/** End Python, even if it is busy; `boot` starts it again. */
export function stopPython() {
  booted = undefined;
  pyloader.terminate();
}

/** @param {() => Promise<void>} init */
async function startPython(init) {
  const report = (/** @type {any} */ { detail }) =>
    showProgress(`Starting Python (${BOOT_STAGES[detail.stage] ?? detail.stage})`, detail.percentComplete);
  setState('booting');
  showProgress('Starting Python', 0);
  pyloader.events.addEventListener('bootprogress', report);
  try {
    await init();
    setState('ready');
  } finally {
    // More workers boot later when they are needed; do not show their progress.
    pyloader.events.removeEventListener('bootprogress', report);
  }
}

pyloader.events.addEventListener('imageloadprogress', (/** @type {any} */ { detail }) => {
  if (root.dataset.state !== 'loading' || (awaited && awaited !== detail.imageId)) return;
  showProgress(`Loading ${kilobytes(detail)}`, detail.percentComplete);
});

/** @param {{loaded: number, total?: number}} progress */
function kilobytes({ loaded, total }) {
  const words = (/** @type {number} */ bytes) => Math.ceil(bytes / 1000).toLocaleString('en');
  return total ? `${words(loaded)} of ${words(total)} kB` : `${words(loaded)} kB`;
}

/** @param {any} error */
export function isAbort(error) {
  return error?.name === 'AbortError';
}

/** @param {any} error of a load, or of anything else */
export function showError(error) {
  const code = error.code ?? error.name ?? 'error';
  const where = [error.kind, error.stage && `stage ${error.stage}`, error.status && `status ${error.status}`];
  const box = byId('error');
  box.replaceChildren(
    make('p', {}, make('code', { className: 'badge' }, String(code)), ` ${where.filter(Boolean).join(', ')}`),
    make('p', {}, error.message ?? String(error)),
  );
  if (error.traceback) box.append(make('pre', { className: 'traceback', tabIndex: 0 }, error.traceback));
  box.hidden = false;
  setState('failed');
  root.dataset.error = String(code);
}

function hideError() {
  byId('error').hidden = true;
  delete root.dataset.error;
}

// ------------------------------------------------------------------ samples

/**
 * Fetch a list of samples, which the build writes beside the demo.
 * @param {string} [list] its file name @returns {Promise<Sample[]>}
 */
export async function fetchSamples(list = 'samples.json') {
  const url = new URL(`../samples/${list}`, document.baseURI);
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(
      `the list of samples, ${url.pathname}, could not be fetched: ${response.status} ${response.statusText}`,
    );
  return (await response.json()).map((/** @type {any} */ row) => readSample(row, url));
}

/** @param {any} row @param {URL} listURL the base of the row's addresses @returns {Sample} */
function readSample({ title, description, origin, file, imageIds = [`wadouri:${file}`] }, listURL) {
  const ids = /** @type {string[]} */ (imageIds).map((id) => id.split(':', 2));
  const absolute = ids.map(([scheme, path]) => `${scheme}:${new URL(path, listURL)}`);
  return {
    title,
    description,
    origin,
    name: file,
    link: `#${file}`,
    imageIds: absolute,
    start: Math.max(
      0,
      ids.findIndex(([, path]) => path === file),
    ),
  };
}

/**
 * List the imageIds of a file's frames, which count from 1.
 * @param {string} imageId @param {number} count
 */
export function frameIds(imageId, count) {
  const separator = imageId.includes('?') ? '&' : '?';
  return Array.from({ length: count }, (_, index) => `${imageId}${separator}frame=${index + 1}`);
}

/** Shows samples as a list of buttons. */
export class SampleList {
  /** @param {HTMLElement} list @param {(sample: Sample) => void} choose */
  constructor(list, choose) {
    this.list = list;
    this.choose = choose;
    /** @type {Map<Sample, HTMLButtonElement>} */
    this.buttons = new Map();
  }

  /** @param {Sample} sample */
  add(sample) {
    const { title, description, origin } = sample;
    const texts = [make('strong', {}, title), make('span', {}, description), make('small', {}, origin)];
    const button = make('button', { type: 'button', onclick: () => this.choose(sample) }, ...texts);
    button.dataset.sample = sample.name;
    this.buttons.set(sample, button);
    this.list.append(make('li', {}, button));
  }

  /** Say that a sample cannot be shown. @param {Sample} sample @param {any} error */
  fail(sample, error) {
    const button = this.buttons.get(sample);
    button?.querySelector('.failed')?.remove();
    button?.append(make('span', { className: 'failed' }, `Cannot be shown: ${error.code ?? error.name}`));
  }

  /** @param {Sample} chosen */
  mark(chosen) {
    for (const [sample, button] of this.buttons) button.setAttribute('aria-current', String(sample === chosen));
    const button = this.buttons.get(chosen);
    if (!button) return; // opened by its address, not from the list
    // Scroll only the list, not the page.
    const { offsetTop, offsetHeight } = button;
    const { scrollTop, clientHeight } = this.list;
    const isVisible = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight;
    if (!isVisible) this.list.scrollTop = offsetTop;
  }
}

// ------------------------------------------------------------------ code

/** Fill each `<pre data-code-of="id">` with the script that runs in this page. */
export function showCode() {
  for (const pre of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('pre[data-code-of]'))) {
    pre.textContent = dedent(byId(pre.dataset.codeOf ?? '').textContent);
    pre.tabIndex = 0; // it scrolls, so it has to be reachable by keyboard
  }
}

/** @param {string} text */
export function dedent(text) {
  const lines = text
    .replace(/^\s*\n/, '')
    .trimEnd()
    .split('\n');
  const indents = lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length);
  return lines.map((line) => line.slice(Math.min(...indents))).join('\n');
}

showCode();
