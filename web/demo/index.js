// @ts-check
// Builds the page around the code of index.html: samples and files, canvas and facts.
import { Desk } from './desk.js';
import { showFacts } from './facts.js';
import { listenForFiles, sampleOfSeries } from './files.js';
import { boot, byId, frameIds, make, setState, showError, showProgress, submitted } from './page.js';
import { useTools } from './toolbar.js';
import { Viewer } from './viewer.js';

/** @typedef {import('./page.js').Sample} Sample */
/** @typedef {import('../pyloader.d.ts').Series} Series */
/** @typedef {{loaded: number, total: number, percentComplete: number}} Progress */
/**
 * @typedef {object} Page
 * @property {(imageId: string) => Promise<{image: any, frames: number}>} open
 * @property {(files: File[] | DataTransfer, onProgress: (progress: Progress) => void) => Promise<Series[]>} openFiles
 * @property {(address: string) => Promise<Series[]>} openAddress
 */

/** @param {Page} page */
export async function start({ open, openFiles, openAddress }) {
  const viewer = new Viewer(byId('stage'));
  const desk = new Desk({ open, show, clear, frameIds });
  useTools(viewer, desk.stack);
  listenForFiles((files, dropped) => {
    const found = openFiles(dropped ?? files, ({ loaded, total }) =>
      showProgress(`Reading file ${loaded} of ${total}`, undefined),
    );
    found.catch(() => {}); // the desk shows the error later
    desk.addFound(async () =>
      samplesOf(await found, 'your files').map((sample) => ({ ...sample, title: sample.title || 'Your images' })),
    );
  });
  const form = byId('address');
  form.addEventListener(
    'submit',
    submitted(() => openNamedAddress(form.url.value.trim())),
  );
  boot().catch(showError);
  const named = new URLSearchParams(location.search).get('url');
  if (named) {
    form.url.value = named;
    desk.addSamples().catch(showError);
    openNamedAddress(named);
  } else await openNamed(desk).catch(showError);

  /** @param {string} address also relative to the page, or an imageId */
  function openNamedAddress(address) {
    const link = `?url=${encodeURIComponent(address)}`;
    desk.addFound(async () => {
      const found = samplesOf(await openAddress(address), 'from its address');
      const title = found.length === 1 ? titleOf(address) : undefined;
      return found.map((sample) => ({ ...sample, title: title ?? (sample.title || titleOf(address)), link }));
    });
  }

  /** @param {any} image @param {Sample} sample @param {boolean} isFirst */
  function show(image, sample, isFirst) {
    viewer.show(image, { title: sample.title, keepWindow: !isFirst });
    viewer.corners.topRight.textContent = desk.stack.text;
    showFacts(image);
    history.replaceState(null, '', location.pathname + (sample.link ?? ''));
    setState('shown');
  }

  function clear() {
    viewer.clear();
    showFacts(undefined);
  }
}

/**
 * @param {Series[]} found @param {string} origin
 * @returns {Sample[]} the series with images; missing files are listed beside
 */
function samplesOf(found, origin) {
  const missing = found.flatMap((series) => series.missing);
  byId('missing').replaceChildren(
    ...missing.map((name) => make('li', {}, `${name} is listed in the DICOMDIR but does not exist`)),
  );
  byId('missing').hidden = !missing.length;
  return found.filter(({ imageIds }) => imageIds.length).map((series) => sampleOfSeries(series, origin));
}

/** Return the name of the file in an address. @param {string} address */
function titleOf(address) {
  return decodeURIComponent(
    address
      .replace(/[?#].*/, '')
      .split('/')
      .at(-1) || address,
  );
}

/** Open the sample that the address names after `#`, else the first. @param {Desk} desk */
async function openNamed(desk) {
  const samples = await desk.addSamples();
  const named = samples.find(({ name }) => name === decodeURIComponent(location.hash.slice(1)));
  if (desk.isEmpty) await desk.choose(named ?? samples[0]);
}
