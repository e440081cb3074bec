// @ts-check
// Builds the page around the code of start.html: the first image, the timeline of the start, its assets.
import { boot, byId, fetchSamples, make, pyloader, setState, showError, stopPython } from './page.js';
import { bytesOf, drawTimeline, lanesOf } from './timeline.js';
import { Viewer } from './viewer.js';

/** @typedef {import('../pyloader.d.ts').Stats['workers'][number]} Worker */
/** @typedef {{open: (imageId: string) => Promise<{image: any, workers: Worker[]}>}} Page */

const MOST_WORKERS = 4;
const KINDS = { snapshot: 'restored from a snapshot of its memory', cold: 'started step by step' };

/** @param {Page} page */
export async function start({ open }) {
  const viewer = new Viewer(byId('stage'));
  let workers = 1;
  byId('again').addEventListener('click', () => run(performance.now()));
  byId('more').addEventListener('click', () => {
    workers = Math.min(MOST_WORKERS, workers + 1);
    return run(performance.now());
  });
  await run(0);

  /** Start Python and show an image. @param {number} began milliseconds since the page began */
  async function run(began) {
    if (began) stopPython();
    try {
      const samples = fetchSamples();
      await boot(() => pyloader.init({ workers }));
      const ready = performance.now();
      setState('loading');
      const [
        {
          imageIds: [imageId],
          title,
        },
      ] = await samples;
      const { image, workers: started } = await open(imageId);
      viewer.show(image, { title });
      showStart(began, started, { name: 'first image', start: ready, duration: performance.now() - ready });
      setState('shown');
    } catch (error) {
      viewer.clear();
      showError(error);
    }
  }
}

/** @param {number} began @param {Worker[]} workers @param {import('./timeline.js').Span} image */
function showStart(began, workers, image) {
  const lanes = lanesOf(began, workers, image);
  drawTimeline(byId('timeline'), lanes, image.start + image.duration - began);
  showAssets(byId('assets'), bytesOf(lanes));
  byId('kind').textContent = workers
    .map(({ boot: report }, index) => `Worker ${index + 1} ${described(report)}.`)
    .join(' ');
}

/** @param {Worker['boot']} report */
function described(report) {
  if (!report) return 'has no report of its start';
  return report.reason ? `${KINDS[report.kind]}: ${report.reason}` : KINDS[report.kind];
}

/** @param {HTMLElement} table @param {import('./timeline.js').Span[]} assets */
function showAssets(table, assets) {
  const sum = (/** @type {'bytes' | 'transferred'} */ field) =>
    assets.reduce((total, asset) => total + (asset[field] ?? 0), 0);
  const rows = assets.map(({ name, bytes = 0, transferred = 0 }) => [
    name,
    kilobytes(bytes),
    transferred ? kilobytes(transferred) : 'from cache',
  ]);
  const row = (/** @type {string[]} */ [name, ...cells]) =>
    make('tr', {}, make('th', { scope: 'row' }, name), ...cells.map((cell) => make('td', {}, cell)));
  const head = ['asset', 'kB', 'over the network'].map((text) => make('th', { scope: 'col' }, text));
  table.replaceChildren(
    make('thead', {}, make('tr', {}, ...head)),
    make('tbody', {}, ...rows.map(row)),
    make('tfoot', {}, row([`${assets.length} assets`, kilobytes(sum('bytes')), kilobytes(sum('transferred'))])),
  );
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return Math.round(bytes / 1000).toLocaleString('en');
}
