// @ts-check
// Runs the Python files of a page, knows the schemes that they serve, and shows their output and errors.
import { PyLoaderError, said } from '../shared/errors.js';
import { pageURL } from './page_url.js';
import { isOfPage, mayRun } from './script_tags.js';

/** @typedef {import('../shared/messages.d.ts').PythonFile} File a Python file as workers run it */
/** @typedef {{level: string, name: string, text: string}} Output */
/**
 * @typedef {{define: (file: File) => Promise<string[]>, onSchemes: (schemes: string[]) => void, onReplaced: () => void,
 *   onPrint: (output: Output) => void}} Host
 */

export class PythonFiles {
  /** Names of files, by the schemes that they serve. @type {Map<string, string>} */
  #files = new Map();
  /** Addresses of files, by their names. @type {Map<string, string>} */
  #addresses = new Map();
  /** Settles when the files of script tags have run; loads wait for it. @type {Promise<unknown>} */
  #ofPage = Promise.resolve();
  #unnamed = 0;

  /** @param {Host} host */
  constructor(host) {
    this.host = host;
  }

  /** Schemes that Python files serve. */
  get schemes() {
    return [...this.#files.keys()];
  }

  /** @param {string} scheme @returns {string | undefined} */
  fileOf(scheme) {
    return this.#files.get(scheme);
  }

  /** Return true if a file serves a scheme, once those of script tags have run. @param {string} scheme */
  async serves(scheme) {
    if (!this.#files.has(scheme)) await this.#ofPage;
    return this.#files.has(scheme);
  }

  forget() {
    this.#files.clear();
    this.#addresses.clear();
  }

  /**
   * Run a file. Its schemes replace those of an earlier file of the same name.
   * @param {{url?: string, source?: string, name?: string, packages?: string[]}} options
   * @param {RequestMode} [mode] of the request for its source
   * @returns {Promise<string[]>} the schemes that it registered
   */
  async run({ url, source, name, packages }, mode) {
    const text = source ?? (await fetchSource(url, mode));
    const file = {
      name: name || (url && this.#nameOf(url)) || `loader-${++this.#unnamed}.py`,
      source: text,
      packages: packages ?? [],
      baseURL: pageURL(),
    };
    const schemes = await this.host.define(file).catch((error) => this.fail(error, file.name));
    // Drops images of an earlier version of the file, and images made from these.
    if ([...this.#files.values()].includes(file.name)) this.host.onReplaced();
    for (const [scheme, owner] of this.#files) if (owner === file.name) this.#files.delete(scheme);
    for (const scheme of schemes) this.#files.set(scheme, file.name);
    this.host.onSchemes(schemes);
    if (!schemes.length) console.warn(`[${file.name}] ${file.name} ran and registered no scheme`);
    return schemes;
  }

  /**
   * Return the last part of a file's address, or all of it if a file of another address has that name.
   * @param {string} url
   */
  #nameOf(url) {
    const { origin, pathname } = new URL(url, pageURL());
    const name = pathname.split('/').pop() ?? '';
    const owner = this.#addresses.get(name) ?? `${origin}${pathname}`;
    if (owner !== `${origin}${pathname}`) return `${origin}${pathname}`;
    this.#addresses.set(name, owner);
    return name;
  }

  /**
   * Run the `<script type="text/python" data-pyloader>` tags once the document is parsed; errors are reported like
   * those of other scripts. Loads of schemes that no file serves yet wait for them, also before that.
   */
  runScriptTags() {
    if (document.readyState !== 'loading') {
      this.#ofPage = this.#runScriptTags();
      return;
    }
    const parsed = new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }));
    this.#ofPage = parsed.then(() => this.#runScriptTags());
  }

  /** @returns {Promise<unknown>} resolves when all have run or failed */
  #runScriptTags() {
    const scripts = /** @type {HTMLScriptElement[]} */ ([
      ...document.querySelectorAll('script[type="text/python"][data-pyloader]'),
    ]);
    const allowed = scripts.filter(mayRun);
    if (allowed.length < scripts.length) logRefused(scripts.filter((script) => !allowed.includes(script)));
    const runs = allowed.map((script) => {
      const packages = script.dataset.packages?.split(/\s+|,(?![<>=!~])/).filter(Boolean); // 'a>=1,<2' is one package
      // A file that may run because of its origin must not be redirected to another origin.
      const mode = isOfPage(script) ? 'same-origin' : 'cors';
      return this.run(
        script.src
          ? { url: script.src, packages }
          : { source: script.textContent ?? '', name: script.id || undefined, packages },
        mode,
      );
    });
    for (const run of runs) run.catch(reportError);
    return Promise.allSettled(runs);
  }

  /** Show what Python prints. @param {Output} output */
  print({ level, name, text }) {
    const write = level === 'error' ? console.error : level === 'warn' ? console.warn : console.info;
    write(`[${name}] ${text}`);
    this.host.onPrint({ level, name, text });
  }

  /**
   * Show Python's traceback on the console and rethrow the error, since viewers swallow errors.
   * @param {Error & {traceback?: string}} error @param {string} name of the file, or a scheme @returns {never}
   */
  fail(error, name) {
    if (error.traceback)
      this.print({ level: 'error', name: this.#files.get(name) ?? name, text: `${error.message}\n${error.traceback}` });
    throw error;
  }
}

/** Say on the console which script tags were not run, and why. @param {HTMLScriptElement[]} scripts */
function logRefused(scripts) {
  const names = scripts.map(({ src, id }) => (src ? said(src) : id ? `#${id}` : 'an inline one')).join(', ');
  console.error(
    `pyloader: these tags <script type="text/python" data-pyloader> were not run (${names}): ` +
      "the page's Content-Security-Policy allows no inline script with their nonce, " +
      'or the browser could not be asked, as in a sandboxed frame. ' +
      'If the tag is yours, give it the nonce of the policy, ' +
      "name a file of this page's own origin in src, or call pyloader.loadPython()",
  );
}

/** Fetch a Python file. @param {string | undefined} url that `URL.canParse` accepts @param {RequestMode} [mode] */
async function fetchSource(url, mode) {
  const response = await fetch(new URL(/** @type {string} */ (url), pageURL()), { mode }).catch((error) => {
    throw new PyLoaderError({
      name: 'NetworkError',
      code: 'network',
      stage: 'fetch',
      url: String(url),
      message: `the Python loader ${url} could not be fetched: ${error.message}`,
    });
  });
  if (response.ok) return response.text();
  const { status, statusText } = response;
  throw new PyLoaderError({
    name: 'HttpStatusError',
    code: 'http-status',
    stage: 'fetch',
    url: String(url),
    status,
    message: `the Python loader ${url} could not be fetched: status ${`${status} ${statusText}`.trim()}`,
  });
}
