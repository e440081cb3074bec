// @ts-check
// Converts a start to lanes of spans, and draws them as a chart.
import { make, pyloader } from './page.js';

/**
 * @typedef {{name: string, start: number, duration: number, kind?: 'fetched' | 'worked' | 'loaded', bytes?: number,
 *   transferred?: number}} Span in milliseconds
 */
/** @typedef {{title: string, spans: Span[]}} Lane */

/** Texts for the worker's marks. */
const WORDS = /** @type {Record<string, string>} */ ({
  program: 'fetch and compile Python',
  libraries: 'fetch and compile numpy',
  snapshot: 'fetch the snapshot',
  interpreter: 'instantiate, restore',
  imports: 'import',
  start: 'all of the start',
});
const STEPS = [1, 2, 5];
const MOST_TICKS = 6;

/**
 * List the work of the page and of each worker since `began`.
 * @param {number} began milliseconds since the page began
 * @param {import('../pyloader.d.ts').Stats['workers']} workers @param {Span} image
 * @returns {Lane[]}
 */
export function lanesOf(began, workers, image) {
  const isNew = (/** @type {Span} */ { start, duration }) => start + duration > began;
  const lanes = [
    { title: 'This page', spans: [...pageAssets().filter(isNew), /** @type {Span} */ ({ ...image, kind: 'loaded' })] },
    ...workers.map((worker, index) => ({ title: `Worker ${index + 1}`, spans: spansOf(worker, began) })),
  ];
  return lanes.map(({ title, spans }) => ({
    title,
    spans: spans.map((span) => ({ ...span, start: span.start - began })).sort((a, b) => a.start - b.start),
  }));
}

/**
 * List the files of pyloader that the page itself fetched; browsers do not report the end of a worker's script.
 * @returns {Span[]}
 */
function pageAssets() {
  const entries = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource'));
  const { assetsURL } = pyloader.stats();
  const ours = entries.filter(
    ({ name }) => name.startsWith(assetsURL) && !/^(demo|samples)\//.test(name.slice(assetsURL.length)),
  );
  return ours.map(({ name, startTime, duration, encodedBodySize, transferSize }) => ({
    name: new URL(name).pathname.split('/').at(-1) ?? '',
    start: startTime,
    duration: Math.max(0, duration),
    kind: 'fetched',
    bytes: encodedBodySize,
    transferred: transferSize,
  }));
}

/** @param {import('../pyloader.d.ts').Stats['workers'][number]} worker @param {number} began @returns {Span[]} */
function spansOf({ boot, bootMilliseconds }, began) {
  if (!boot) return [{ name: WORDS.start, start: began, duration: bootMilliseconds, kind: 'worked' }];
  const here = (/** @type {Span} */ { start, ...span }) => ({ ...span, start: start - performance.timeOrigin });
  const assets = boot.assets.map((asset) => ({ ...here(asset), kind: /** @type {const} */ ('fetched') }));
  const marks = boot.marks.map((mark) => ({
    ...here(mark),
    name: WORDS[mark.name] ?? mark.name,
    kind: /** @type {const} */ ('worked'),
  }));
  return [...assets, ...marks];
}

/** List the fetched assets once each, largest first. @param {Lane[]} lanes */
export function bytesOf(lanes) {
  const fetched = lanes.flatMap(({ spans }) => spans.filter(({ kind }) => kind === 'fetched'));
  return [...new Map(fetched.reverse().map((span) => [span.name, span])).values()].sort(
    (a, b) => (b.bytes ?? 0) - (a.bytes ?? 0),
  );
}

/** @param {HTMLElement} list @param {Lane[]} lanes @param {number} end milliseconds */
export function drawTimeline(list, lanes, end) {
  const whole = Math.max(end, ...lanes.flatMap(({ spans }) => spans.map(({ start, duration }) => start + duration)));
  list.replaceChildren(
    axis(whole),
    ...lanes.flatMap(({ title, spans }) => [
      make('li', { className: 'lane' }, title),
      ...spans.map((span) => row(span, whole)),
    ]),
  );
}

/** @param {number} whole milliseconds */
function axis(whole) {
  const step = stepFor(whole);
  const ticks = Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
  const track = make('span', { className: 'track' }, ...ticks.map((tick) => placed('b', tick, 0, whole, String(tick))));
  return make('li', { className: 'axis', ariaHidden: 'true' }, make('span'), track, make('span'));
}

/** Return the smallest round number of milliseconds that gives few ticks. @param {number} whole */
export function stepFor(whole) {
  let power = 1;
  for (; ; power *= 10) {
    const found = STEPS.find((step) => whole / (step * power) <= MOST_TICKS);
    if (found) return found * power;
  }
}

/** @param {Span} span @param {number} whole */
function row({ name, start, duration, kind }, whole) {
  const label = make('span', { className: 'what', title: name }, name);
  const track = make('span', { className: 'track' }, placed('i', start, duration, whole));
  track.firstElementChild?.classList.add(kind ?? 'worked');
  const words = `${Math.round(duration)} ms`;
  return make(
    'li',
    { title: `${name}: from ${Math.round(start)} ms on, ${words}` },
    label,
    track,
    make('output', {}, words),
  );
}

/**
 * @param {'b' | 'i'} tag @param {number} start @param {number} duration @param {number} whole @param {string} [text]
 */
function placed(tag, start, duration, whole, text = '') {
  const element = make(tag, {}, text);
  const left = Math.max(0, start);
  element.style.left = `${(left / whole) * 100}%`;
  element.style.width = `${(Math.max(0, start + duration - left) / whole) * 100}%`;
  return element;
}
