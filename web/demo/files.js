// @ts-check
// Takes the user's files: chosen with the page's `.files`, or dropped anywhere on the page.

/** @typedef {import('./page.js').Sample} Sample */
/** @typedef {import('../pyloader.d.ts').Series} Series */

const VOLUME = /^(nifti|nrrd|metaimage|numpy|zarr):/;

/**
 * @param {(files: File[], dropped?: DataTransfer) => void} take `dropped` also has folders, but only during the call
 */
export function listenForFiles(take) {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('.files input'))) {
    input.addEventListener('change', () => {
      if (input.files?.length) take([...input.files]);
      input.value = ''; // the same file may be chosen again
    });
  }
  const markDrop = (/** @type {boolean} */ isOver) => document.body.classList.toggle('dropping', isOver);
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
    const { dataTransfer } = event;
    if (dataTransfer?.files.length) take([...dataTransfer.files], dataTransfer);
  });
}

/**
 * @param {Series} series @param {string} from words for where it is from
 * @returns {Sample} without a title if it has none
 */
export function sampleOfSeries(
  { imageIds, missing, seriesDescription, modality, seriesNumber, patientName, studyDate },
  from,
) {
  const count = `${imageIds.length} image${imageIds.length === 1 ? '' : 's'}`;
  const lack = missing.length ? `${missing.length} missing` : '';
  return {
    title: seriesDescription || (seriesNumber === undefined ? '' : `Series ${seriesNumber}`),
    description: [modality, count, lack].filter(Boolean).join(', '),
    origin: [patientName?.replaceAll('^', ' '), dateOf(studyDate), from].filter(Boolean).join(', '),
    name: imageIds[0],
    imageIds,
    start: VOLUME.test(imageIds[0]) ? imageIds.length >> 1 : 0, // the first slices of a volume are often empty
  };
}

/** Return a DICOM date, such as 20040119, as 2004-01-19. @param {string | undefined} date */
function dateOf(date) {
  return date?.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
}

/** @param {File[]} files @param {(file: File) => string} openFile @returns {Sample} one stack of the files, by name */
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
