// @ts-check
// The page around the code of index.html: samples and files, canvas and facts.
import { onStep } from './controls.js';
import { Desk } from './desk.js';
import { tell } from './facts.js';
import { listenForFiles, sampleOf } from './files.js';
import { boot, byId, frameIds, setState, showError } from './page.js';
import { Viewer } from './viewer.js';

/** @typedef {import('./page.js').Sample} Sample */
/** @typedef {{open: (imageId: string) => Promise<{image: any, frames: number}>, openFile: (file: File) => string}} Page */

/** @param {Page} page */
export async function start({ open, openFile }) {
  const viewer = new Viewer(byId('stage'));
  const desk = new Desk({ open, show, clear, frameIds });
  onStep(viewer.canvas, (delta) => desk.stack.step(delta));
  listenForFiles((files) => desk.add(sampleOf(files, openFile)));
  boot().catch(showError);
  await openNamed(desk).catch(showError);

  /** @param {any} image @param {Sample} sample @param {boolean} isFirst */
  function show(image, sample, isFirst) {
    viewer.show(image, { title: sample.title, keepWindow: !isFirst });
    viewer.corners.topRight.textContent = desk.stack.text;
    tell(image);
    if (sample.imageIds[0].startsWith('wadouri:')) history.replaceState(null, '', `#${sample.name}`);
    setState('shown');
  }

  function clear() {
    viewer.clear();
    tell(undefined);
  }
}

/** Open the sample that the address names after `#`, else the first. @param {Desk} desk */
async function openNamed(desk) {
  const samples = await desk.addSamples();
  const named = samples.find(({ name }) => name === decodeURIComponent(location.hash.slice(1)));
  if (desk.isEmpty) await desk.choose(named ?? samples[0]);
}
