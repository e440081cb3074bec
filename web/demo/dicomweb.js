// @ts-check
// Builds the page around the code of dicomweb.html: server, studies and series.
import { forgetUser, isLoggedIn, retryLogin } from './login.js';
import { boot, byId, isAbort, make, setState, showError, stopPython, submitted } from './page.js';
import { SeriesView, showSize } from './series.js';
import { paintGrey, windowOf } from './windowing.js';

/** @typedef {Record<string, any>} Found a study or series found by a search */
/** @typedef {import('./series.js').Series} Series */
/**
 * @typedef {object} Page the functions of the page's own script
 * @property {any} cornerstone3D
 * @property {() => Promise<void>} startPython
 * @property {(element: HTMLElement) => Promise<import('./series.js').Viewport>} connect
 * @property {(url: string) => any} openServer
 * @property {(server: any, patientName: string, options: object) => Promise<Found[]>} findStudies
 * @property {(server: any, study: Found, options: object) => Promise<Found[]>} findSeries
 * @property {(server: any, series: Found, options: object) => Promise<string[]>} findImages
 * @property {(viewport: import('./series.js').Viewport, imageIds: string[], index: number) => Promise<void>} showStack
 * @property {(imageId: string, signal: AbortSignal) => Promise<any>} prefetch
 * @property {(imageId: string, signal: AbortSignal) => Promise<any>} loadThumbnail
 */

const STUDIES_SHOWN = 100;
const TYPING_MS = 300;
const THUMBNAIL_PIXELS = 112;

const serverForm = byId('server');
const searchForm = byId('search');
const SAMPLE = serverForm.address.value;
const BEHIND_THE_PAGE = '../dicom-web';

/** @param {Page} page */
export async function start(page) {
  try {
    await boot(page.startPython);
    const element = /** @type {HTMLElement} */ (document.querySelector('#stage .viewport'));
    const archive = new Archive(page, new SeriesView(page, await page.connect(element)));
    await archive.open(new URLSearchParams(location.search).get('server') ?? SAMPLE);
  } catch (error) {
    showError(error);
  }
}

// ------------------------------------------------------------------ studies and series

class Archive {
  /** @type {any} */
  #server;
  /** Origin where the user is logged in, or may be. */
  #origin = '';
  /** Found by the last search. @type {Found[]} */
  #studies = [];
  /** Cancels the current request for a list when another one starts. */
  #listing = new AbortController();
  /** Series by UID, kept so that loaded images stay counted. @type {Map<string, Series>} */
  #known = new Map();

  /** @param {Page} page @param {SeriesView} view */
  constructor(page, view) {
    this.page = page;
    this.view = view;
    serverForm.onsubmit = submitted(() => this.open(serverForm.address.value.trim()));
    byId('log-out').onclick = () => {
      this.#logOut();
      this.open(serverForm.address.value.trim());
    };
    searchForm.onsubmit = submitted(() => this.#search());
    searchForm.oninput = later(() => this.#search());
  }

  /** @param {string} address of a DICOMweb service, also relative to the page */
  async open(address) {
    serverForm.address.value = address;
    history.replaceState(null, '', address === SAMPLE ? location.pathname : `?server=${encodeURIComponent(address)}`);
    this.#clear();
    await this.#attempt(async () => {
      const { href, origin } = new URL(address, document.baseURI);
      // Do not send the credentials of one server to another.
      if (origin !== this.#origin) this.#logOut();
      this.#origin = origin;
      await boot(this.page.startPython);
      this.#server = this.page.openServer(href);
    });
    if (this.#server) await this.#search();
    if (address === SAMPLE) await this.#openFirst();
  }

  /** Open the first series of the first study. */
  async #openFirst() {
    if (!this.#studies.length) return;
    await this.#choose(this.#studies[0], byId('studies').rows[0]);
    byId('series').querySelector('button')?.click();
  }

  /** End pyloader, which also drops its headers, and forget the user. */
  #logOut() {
    if (isLoggedIn()) stopPython();
    forgetUser();
    byId('log-out').hidden = true;
  }

  #clear() {
    this.view.forget();
    this.#known.clear();
    this.#server = undefined;
    this.#studies = [];
    for (const id of ['studies', 'series', 'found']) byId(id).replaceChildren();
  }

  async #search() {
    const patientName = asPattern(searchForm.patientName.value.trim());
    await this.#attempt(async (signal) => {
      const studies = await this.page.findStudies(this.#server, patientName, { limit: STUDIES_SHOWN, signal });
      if (signal.aborted) return;
      byId('log-out').hidden = !isLoggedIn();
      studies.sort((a, b) => String(b.studyDate ?? '').localeCompare(String(a.studyDate ?? '')));
      this.#studies = studies;
      byId('studies').replaceChildren(...studies.map((study) => this.#studyRow(study)));
      byId('found').textContent = foundWords(studies.length, patientName);
    });
  }

  /** @param {Found} study */
  #studyRow(study) {
    const name = make('button', { type: 'button' }, readable(study.patientName) || study.patientID || 'no name');
    const { studyDate, studyDescription, modalitiesInStudy, numberOfStudyRelatedInstances } = study;
    const texts = [
      dated(studyDate),
      studyDescription,
      [modalitiesInStudy ?? []].flat().join(', '),
      numberOfStudyRelatedInstances,
    ];
    const row = make(
      'tr',
      { onclick: () => this.#choose(study, row) },
      ...[name, ...texts].map((content) => make('td', {}, content ?? '')),
    );
    row.dataset.study = study.studyInstanceUID;
    return row;
  }

  /** @param {Found} study @param {HTMLElement} row */
  async #choose(study, row) {
    for (const other of byId('studies').rows) other.ariaCurrent = String(other === row);
    byId('series').replaceChildren();
    await this.#attempt(async (signal) => {
      const found = await this.page.findSeries(this.#server, study, { signal });
      if (signal.aborted) return;
      const sorted = found.sort((a, b) => (a.seriesNumber ?? 0) - (b.seriesNumber ?? 0));
      const series = sorted.map((one) => this.#seriesOf({ ...study, ...one }));
      byId('series').replaceChildren(...series.map(({ button }) => make('li', {}, button)));
      for (const one of series) this.#drawThumbnail(one, signal);
    });
  }

  /** @param {Found} found @returns {Series} */
  #seriesOf(found) {
    const known = this.#known.get(found.seriesInstanceUID);
    if (known) return known;
    const title = make('strong', {}, found.seriesDescription || 'no description');
    const words = make('span');
    const canvas = make('canvas', { width: THUMBNAIL_PIXELS, height: THUMBNAIL_PIXELS });
    const bar = make('progress', { hidden: true });
    bar.setAttribute('aria-label', 'Images loaded');
    const button = make(
      'button',
      { type: 'button', onclick: () => this.view.open(series) },
      canvas,
      make('div', {}, title, words, bar),
    );
    button.dataset.series = found.seriesInstanceUID;
    const server = this.#server;
    /** @type {Series} */
    const series = {
      found,
      button,
      bar,
      words,
      loaded: new Set(),
      findImages: (signal) => this.page.findImages(server, found, { signal }),
    };
    showSize(series);
    this.#known.set(found.seriesInstanceUID, series);
    return series;
  }

  /** @param {Series} series @param {AbortSignal} signal */
  async #drawThumbnail(series, signal) {
    const canvas = /** @type {HTMLCanvasElement} */ (series.button.querySelector('canvas'));
    if (canvas.dataset.drawn) return;
    try {
      await visible(canvas, signal);
      series.imageIds ??= await series.findImages(signal);
      showSize(series);
      const middle = series.imageIds[Math.floor(series.imageIds.length / 2)];
      if (middle) draw(await this.page.loadThumbnail(middle, signal), canvas);
      canvas.dataset.drawn = String(Boolean(middle));
    } catch (error) {
      if (!isAbort(error)) canvas.title = /** @type {Error} */ (error).message; // the opened series shows the error
    }
  }

  /**
   * Request a list from the server, and cancel the previous request.
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  async #attempt(work) {
    this.#listing.abort();
    this.#listing = new AbortController();
    const { signal } = this.#listing;
    setState('loading');
    try {
      await retryLogin(() => work(signal));
      if (!signal.aborted) setState(this.view.state);
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) showError(explained(error));
    }
  }
}

/** @param {any} error */
function explained(error) {
  if (error.status !== 404 || serverForm.address.value !== BEHIND_THE_PAGE) return error;
  const { name, code, kind, stage, status } = error;
  return {
    name,
    code,
    kind,
    stage,
    status,
    message:
      `${error.message}. There is no DICOMweb server behind this page: ` +
      './build.sh demo --orthanc starts it with one; or open another server by its address.',
  };
}

// ------------------------------------------------------------------ words

/** Add a wildcard to a text without one, to find names that begin with it. @param {string} text */
function asPattern(text) {
  return /[*?]/.test(text) ? text : `${text}*`;
}

/** @param {number} count @param {string} pattern */
function foundWords(count, pattern) {
  if (count >= STUDIES_SHOWN) return `The first ${count} studies; type a name to find others.`;
  if (count) return '';
  return pattern === '*' ? 'This server has no studies.' : `No patient is called ${pattern}.`;
}

/** @param {string | undefined} name as DICOM writes it, `Family^Given` */
function readable(name) {
  return name?.replace(/\^+/g, ' ').trim();
}

/** @param {string | undefined} date as DICOM writes it, `20040119` */
function dated(date) {
  return date?.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
}

// ------------------------------------------------------------------ elements

/** @param {() => void} act called after a pause in typing */
function later(act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, TYPING_MS);
  };
}

/** Wait until an element is visible. @param {Element} element @param {AbortSignal} signal @returns {Promise<void>} */
function visible(element, signal) {
  return new Promise((resolve) => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(element);
    signal.addEventListener('abort', () => observer.disconnect(), { once: true });
  });
}

/** Draw an image into a square. @param {import('../pyloader.d.ts').Image} image @param {HTMLCanvasElement} canvas */
function draw(image, canvas) {
  const { columns, rows, columnPixelSpacing = 1, rowPixelSpacing = 1 } = image;
  const pixels = new ImageData(columns, rows);
  if (image.color) pixels.data.set(image.getPixelData());
  else paintGrey(image, windowOf(image), new Uint32Array(pixels.data.buffer));
  const whole = make('canvas', { width: columns, height: rows });
  whole.getContext('2d')?.putImageData(pixels, 0, 0);
  // Pixels may not be square: rows and columns have their own spacing.
  const [width, height] = [columns * columnPixelSpacing, rows * rowPixelSpacing];
  const scale = canvas.width / Math.max(width, height);
  const [left, top] = [(canvas.width - width * scale) / 2, (canvas.height - height * scale) / 2];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  context.drawImage(whole, left, top, width * scale, height * scale);
}
