// @ts-check
// Builds the page around the code of web.html: samples, files and addresses, canvas and facts.
import { Desk } from './desk.js';
import { showFacts } from './facts.js';
import { listenForFiles, sampleOf } from './files.js';
import { boot, byId, setState, showError, submitted } from './page.js';
import { useTools } from './toolbar.js';
import { Viewer } from './viewer.js';

/** @typedef {import('./page.js').Sample} Sample */
/**
 * @typedef {object} Page the functions of the page's own script
 * @property {(imageId: string) => Promise<{image: any, imageIds: string[]}>} open
 * @property {(file: File) => string} openFile
 */

/** @param {Page} page */
export async function start({ open, openFile }) {
  const viewer = new Viewer(byId('stage'));
  /** ImageIds of the file opened last. @type {string[]} */
  let listed = [];
  const desk = new Desk({ open: openListed, show, clear, frameIds: () => listed });
  useTools(viewer, desk.stack);
  listenForFiles((files) => desk.add(sampleOf(files, openFile)));
  byId('address').addEventListener(
    'submit',
    submitted(() => desk.add(sampleAt(new FormData(byId('address')).get('url')))),
  );
  boot().catch(showError);
  try {
    const samples = await desk.addSamples('web.json');
    const named = samples.find(({ name }) => name === location.hash.slice(1));
    if (desk.isEmpty) await desk.choose(named ?? samples[0]);
  } catch (error) {
    showError(error);
  }

  /** @param {string} imageId */
  async function openListed(imageId) {
    const { image, imageIds } = await open(imageId);
    listed = imageIds;
    return { image, frames: imageIds.length };
  }

  /** @param {any} image @param {Sample} sample @param {boolean} isFirst */
  function show(image, sample, isFirst) {
    viewer.show(image, { title: sample.title, keepWindow: !isFirst });
    viewer.corners.topRight.textContent = desk.stack.text;
    showFacts(image);
    setState('shown');
  }

  function clear() {
    viewer.clear();
    showFacts(undefined);
  }
}

/** @param {any} url @returns {Sample} */
function sampleAt(url) {
  const text = String(url).trim();
  const absolute = new URL(text.replace(/^web:/, ''), document.baseURI).href;
  const title = absolute.startsWith('data:') ? 'data:' : decodeURIComponent(absolute.split('/').at(-1) ?? '');
  return {
    title,
    description: 'from its address',
    origin: absolute.slice(0, 80),
    name: absolute,
    imageIds: [`web:${absolute}`],
    start: 0,
  };
}
