// @ts-check
// Builds the page around the code of custom-loader.html: examples, editor, canvas, output, tracebacks.
import { Stack } from './controls.js';
import { Editor } from './editor.js';
import { renderWarnings } from './facts.js';
import { boot, byId, isAbort, make, pyloader, setState, showError, stopPython, submitted } from './page.js';
import { useTools } from './toolbar.js';
import { Viewer } from './viewer.js';

/** @typedef {{schemes: string[], imageIds: string[]}} Outcome */
/**
 * @typedef {object} Page the functions of the page's own script
 * @property {(source: string, imageId: string) => Promise<Outcome>} run
 * @property {(imageId: string) => Promise<any>} open
 */

const LINE = /File "my_loader\.py", line (\d+)/g;
const STOPPED = { code: 'stopped', message: 'You stopped this run; the next one starts Python again.' };
const STOP_AFTER_MS = 1500; // a run this long may never end
const MOST_LINES = 500;

/** @param {Page} page */
export async function start(page) {
  const output = new Output(byId('console'));
  const bench = new Bench(page, output);
  boot().catch(showError);
  await bench.choose(namedButton() ?? buttons()[0]);
}

/** @returns {HTMLButtonElement[]} the button of each example */
function buttons() {
  return [...byId('examples').querySelectorAll('button')];
}

/** Find the button of the example that the address names after `#`. */
function namedButton() {
  return buttons().find(({ dataset }) => dataset.file === location.hash.slice(1));
}

class Bench {
  #runs = 0;
  #boots = 0;
  /** @type {HTMLButtonElement | undefined} */
  #chosen;
  /** The user's changes by example. @type {Map<string, {source: string, imageId: string}>} */
  #drafts = new Map();
  /** @type {string[]} */
  #imageIds = [];
  #schemes = '';

  /** @param {Page} page @param {Output} output */
  constructor(page, output) {
    this.page = page;
    this.output = output;
    this.viewer = new Viewer(byId('stage'));
    this.editor = new Editor(byId('editor'), () => this.run());
    this.stack = new Stack(byId('stack'), (index) => this.#step(index));
    this.#listen();
  }

  #listen() {
    useTools(this.viewer, this.stack);
    for (const button of buttons()) button.addEventListener('click', () => this.choose(button));
    byId('reset').addEventListener('click', () => this.#startOver());
    byId('stop').addEventListener('click', () => this.#stop());
    byId('form').addEventListener(
      'submit',
      submitted(() => this.run()),
    );
    pyloader.events.addEventListener('ready', () => this.#boots++);
  }

  /** Open an example as the user left it, and run it. @param {HTMLButtonElement} button */
  async choose(button) {
    if (this.#chosen)
      this.#drafts.set(fileOf(this.#chosen), { source: this.editor.text, imageId: byId('image-id').value });
    this.#chosen = button;
    for (const each of buttons()) each.ariaCurrent = String(each === button);
    history.replaceState(null, '', `#${fileOf(button)}`);
    try {
      const { source, imageId } = this.#drafts.get(fileOf(button)) ?? (await fetchExample(button));
      if (button !== this.#chosen) return;
      this.editor.text = source;
      byId('image-id').value = imageId;
      await this.run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #startOver() {
    const button = this.#chosen;
    if (!button) return;
    this.#chosen = undefined; // so that the editor's text is not kept
    this.#drafts.delete(fileOf(button));
    this.choose(button);
  }

  /** Run the editor's text and open the imageId; only the latest run counts. */
  async run() {
    const number = ++this.#runs;
    const isLatest = () => number === this.#runs;
    this.editor.mark(undefined);
    this.output.clear();
    this.stack.open(0, 0, '');
    const timer = setTimeout(() => (byId('stop').hidden = !isLatest()), STOP_AFTER_MS);
    try {
      await boot();
      setState('loading');
      const imageId = byId('image-id').value.trim();
      const { schemes, imageIds } = await this.page.run(this.editor.text, imageId);
      const image = await this.page.open(imageId);
      if (isLatest()) this.#showFirst(image, schemes, imageIds, Math.max(0, imageIds.indexOf(imageId)));
    } catch (error) {
      if (isLatest()) this.#fail(error);
    } finally {
      clearTimeout(timer);
      if (isLatest()) byId('stop').hidden = true;
    }
  }

  /** @param {any} image @param {string[]} schemes @param {string[]} imageIds @param {number} first */
  #showFirst(image, schemes, imageIds, first) {
    this.#imageIds = imageIds;
    this.#schemes = schemes.join(', ') || 'no scheme';
    this.stack.open(imageIds.length, first, 'Image');
    this.#show(image, false);
  }

  /** @param {number} index */
  async #step(index) {
    const number = this.#runs;
    try {
      const image = await this.page.open(this.#imageIds[index]);
      if (number === this.#runs) this.#show(image, true);
    } catch (error) {
      if (number === this.#runs) this.#fail(error);
    }
  }

  /** @param {any} image @param {boolean} keepWindow */
  #show(image, keepWindow) {
    this.viewer.show(image, { title: '', keepWindow });
    this.viewer.corners.topRight.textContent = this.stack.text;
    renderWarnings(byId('warnings'), image.warnings);
    const size = `${image.columns} × ${image.rows}, ${image.color ? 'colour' : image.dataType}`;
    const boots = this.#boots === 1 ? 'once' : `${this.#boots} times`;
    byId('outcome').textContent =
      `my_loader.py serves ${this.#schemes}: ${size}, in ${Math.round(image.totalTimeInMS)} ms. ` +
      `Run ${this.#runs}; Python was started ${boots}.`;
    setState('shown');
  }

  /** @param {any} error */
  #fail(error) {
    this.viewer.clear();
    renderWarnings(byId('warnings'), []);
    byId('outcome').textContent = '';
    this.editor.mark(wrongLine(error.traceback ?? ''));
    showError(isAbort(error) ? STOPPED : error);
  }

  #stop() {
    byId('stop').hidden = true;
    stopPython();
  }
}

/** @param {HTMLButtonElement} button */
function fileOf({ dataset }) {
  return dataset.file ?? '';
}

/** @param {HTMLButtonElement} button */
async function fetchExample(button) {
  const url = new URL(`loaders/${fileOf(button)}`, document.baseURI);
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`the example ${url.pathname} could not be fetched: ${response.status} ${response.statusText}`);
  return { source: await response.text(), imageId: button.dataset.imageId ?? '' };
}

/** Shows the loader's output. */
class Output {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    pyloader.events.addEventListener('print', (/** @type {any} */ { detail }) => this.#add(detail));
  }

  clear() {
    this.box.replaceChildren();
    this.box.hidden = true;
  }

  /** @param {{level: string, text: string}} printed */
  #add({ level, text }) {
    if (level === 'error') return; // it is shown over the image
    this.box.hidden = false;
    this.box.append(make('span', { className: `printed-${level}` }, `${text}\n`));
    if (this.box.childElementCount > MOST_LINES) this.box.firstElementChild?.remove();
    this.box.scrollTop = this.box.scrollHeight;
  }
}

/** Return the innermost line of the user's own file. @param {string} traceback */
function wrongLine(traceback) {
  const lines = [...traceback.matchAll(LINE)].map(([, number]) => Number(number));
  return lines.at(-1);
}
