// @ts-check
// Files of the reader: chosen with the page's `#files`, or dropped anywhere on the page.
import { byId } from './page.js';

/** @typedef {import('./page.js').Sample} Sample */

/** @param {(files: File[]) => void} take */
export function listenForFiles(take) {
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

/** @param {File[]} files @param {(file: File) => string} openFile @returns {Sample} several files as one stack, by name */
export function sampleOf(files, openFile) {
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
