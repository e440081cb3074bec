// @ts-check
// The page around the code of custom-loader.html: examples, editor, canvas, tracebacks.
import { Editor } from './editor.js';
import { renderWarnings } from './facts.js';
import { boot, byId, isAbort, setState, showError, stopPython } from './page.js';
import { Viewer } from './viewer.js';

/** @typedef {{schemes: string[], image: any}} Outcome */
/** @typedef {(source: string, imageId: string) => Promise<Outcome>} Run */

const LINE = /File "my_loader\.py", line (\d+)/g;
const STOPPED = { code: 'stopped', message: 'You stopped this run; the next one starts Python anew.' };
const STOP_AFTER_MS = 1500; // a run this long may be one that never ends

/** @param {{run: Run}} page */
export async function start({ run }) {
  const bench = new Bench(run);
  boot().catch(showError);
  try {
    await bench.openExample();
    await bench.run();
  } catch (error) {
    showError(error);
  }
}

class Bench {
  #runs = 0;

  /** @param {Run} run */
  constructor(run) {
    this.perform = run;
    this.viewer = new Viewer(byId('stage'));
    this.editor = new Editor(byId('editor'), () => this.run());
    byId('examples').addEventListener('change', () => this.openExample().then(() => this.run(), showError));
    byId('stop').addEventListener('click', () => this.#stop());
    byId('form').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.run();
    });
  }

  /** Put the chosen example into the editor, and its imageId into the field. */
  async openExample() {
    const [option] = byId('examples').selectedOptions;
    const url = new URL(`loaders/${option.value}`, document.baseURI);
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`the example ${url.pathname} could not be fetched: ${answer.status} ${answer.statusText}`);
    this.editor.text = await answer.text();
    byId('image-id').value = option.dataset.imageId;
  }

  /** Run what is in the editor and open the imageId; the latest run counts. */
  async run() {
    const number = ++this.#runs;
    const isLatest = () => number === this.#runs;
    this.editor.mark(undefined);
    const timer = setTimeout(() => (byId('stop').hidden = !isLatest()), STOP_AFTER_MS);
    try {
      await boot();
      setState('loading');
      const outcome = await this.perform(this.editor.text, byId('image-id').value.trim());
      if (isLatest()) this.#show(outcome);
    } catch (error) {
      if (isLatest()) this.#fail(error);
    } finally {
      clearTimeout(timer);
      if (isLatest()) byId('stop').hidden = true;
    }
  }

  /** @param {Outcome} outcome */
  #show({ schemes, image }) {
    this.viewer.show(image, { title: image.imageId });
    renderWarnings(byId('warnings'), image.warnings);
    const size = `${image.columns} × ${image.rows}, ${image.dataType}`;
    byId('outcome').textContent = `my_loader.py serves ${schemes.join(', ') || 'no scheme'}. ${size}, in ${Math.round(image.totalTimeInMS)} ms.`;
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

/** The innermost line of the user's own file. @param {string} traceback */
function wrongLine(traceback) {
  const lines = [...traceback.matchAll(LINE)].map(([, number]) => Number(number));
  return lines.at(-1);
}
