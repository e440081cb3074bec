// @ts-check
// The page around the code of index.html: samples and files, canvas and facts.
import { onStep } from './controls.js';
import { Desk } from './desk.js';
import { renderFacts, renderWarnings } from './facts.js';
import { boot, byId, frameIds, setState, showError } from './page.js';
import { Viewer } from './viewer.js';

/** @typedef {import('./page.js').Sample} Sample */
/** @typedef {{open: (imageId: string) => Promise<{image: any, frames: number}>, openFile: (file: File) => string}} Page */

/** @param {Page} page */
export async function start({ open, openFile }) {
  const viewer = new Viewer(byId('stage'));
  const desk = new Desk({ open, show, clear, frameIds });
  onStep(viewer.canvas, (delta) => desk.stack.step(delta));
  listenForFiles((files) => desk.choose(add(desk, sampleOf(files, openFile))));
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

/** @param {any} image */
function tell(image) {
  renderWarnings(byId('warnings'), image?.warnings ?? []);
  renderFacts(byId('facts'), image);
}

/** Open the sample that the address names after `#`, else the first. @param {Desk} desk */
async function openNamed(desk) {
  const samples = await desk.addSamples();
  const named = samples.find(({ name }) => name === decodeURIComponent(location.hash.slice(1)));
  if (desk.isEmpty) await desk.choose(named ?? samples[0]);
}

/** @param {Desk} desk @param {Sample} sample */
function add(desk, sample) {
  desk.list.add(sample);
  return sample;
}

/** @param {File[]} files @param {(file: File) => string} openFile @returns {Sample} several files as one stack, by name */
function sampleOf(files, openFile) {
  const sorted = files.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const [first] = sorted;
  const bytes = sorted.reduce((sum, { size }) => sum + size, 0);
  const imageIds = sorted.map(openFile);
  return {
    title: sorted.length > 1 ? `${sorted.length} files, from ${first.name}` : first.name,
    description: `${(bytes / 1024).toFixed(1)} KiB`,
    origin: 'your file, read in this page',
    name: imageIds[0],
    imageIds,
    start: 0,
  };
}

/** @param {(files: File[]) => void} take */
function listenForFiles(take) {
  const input = /** @type {HTMLInputElement} */ (byId('files'));
  const offer = (/** @type {FileList | undefined | null} */ files) => files?.length && take([...files]);
  const markDrop = (/** @type {boolean} */ isOver) => document.body.classList.toggle('dropping', isOver);
  input.addEventListener('change', () => {
    offer(input.files);
    input.value = ''; // the same file may be chosen again
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    markDrop(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) markDrop(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    markDrop(false);
    offer(event.dataTransfer?.files);
  });
}
