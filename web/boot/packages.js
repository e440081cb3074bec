// @ts-check
// Installs Python packages: the wheels of dist/pyodide/, and others that a page or a loader requests.
// pyloader/browser/packages.py finds those with micropip, by the rules here.
import { assetWith, fetchAsset } from '../shared/assets.js';
import { PyLoaderError, messageOf, toWire } from '../shared/errors.js';
import { LOCK, assetOf, sitePackages, standardLibraryPath } from './lock.js';
import { ADVICE, MIXED } from '../shared/version.js';
import { IdleTimeout } from '../shared/idle_timeout.js';

/** @typedef {{name: string, body: ArrayBuffer | Uint8Array}} Wheel */
/** @typedef {import('../shared/messages.d.ts').Arrival} Arrival progress of a file, in bytes */
/** @typedef {import('./python.d.ts').Pyodide} Pyodide */
/** @typedef {import('./python.d.ts').PackagesBridge} Bridge */
/** @typedef {(arrival: Arrival) => void} Report */
/** @typedef {{assetsURL: string, baseURL: string, packageIndexes: string[], requestTimeout: number}} Settings */

export const STANDARD_LIBRARY = 'python_stdlib.zip';
/** Modules that Pyodide creates from JavaScript. */
const FROM_JAVASCRIPT = ['js', 'pyodide_js'];
const ZIP_MAGIC = [0x50, 0x4b, 3, 4];

/** The packages of dist/pyodide/. */
export class BundledPackages {
  /** Packages by name. */
  rows = LOCK.packages;

  /**
   * @param {import('../shared/assets.js').Assets} assets
   * @param {string[]} [deferred] packages from the snapshot: imported as far as Python starts with them, without files
   */
  constructor(assets, deferred = []) {
    this.assets = assets;
    this.deferred = deferred;
  }

  /** @param {string} name @returns {import('../shared/assets.js').Asset} its wheel */
  asset(name) {
    const { file_name, sha256 } = this.rows[name];
    return assetWith(this.assets, `pyodide/${file_name}`, [sha256]);
  }

  /** @param {string} name @param {Report} [report] @param {AbortSignal} [signal] @returns {Promise<Wheel>} */
  async fetch(name, report, signal) {
    const response = await fetchAsset(this.asset(name), { signal });
    return {
      name,
      body: report ? await readAll(response, this.rows[name].file_name, report) : await response.arrayBuffer(),
    };
  }

  /** Return packages with all their dependencies. @param {Iterable<string>} names @returns {Set<string>} */
  withDepends(names) {
    const found = new Set(names);
    for (const name of found) for (const other of this.rows[name].depends) found.add(other);
    return found;
  }
}

/**
 * Unpack wheels. Pyodide's own loadPackage would also open every shared library in them, although an image needs one
 * codec at most: here the import that needs a library opens it.
 * @param {Pyodide} pyodide @param {Wheel[]} wheels
 */
export function unpack(pyodide, wheels) {
  for (const { name, body } of wheels) {
    pyodide.unpackArchive(body, 'wheel', { extractDir: sitePackages() });
    pyodide.loadedPackages[name] = 'default channel'; // so that no other package installs it again
  }
}

/** @param {Pyodide} pyodide @param {string} path @param {Uint8Array} body */
function writeFile({ FS }, path, body) {
  FS.mkdirTree(path.slice(0, path.lastIndexOf('/')));
  FS.writeFile(path, body);
}

/** Installs packages after an interpreter's start. */
export class Packages {
  /** Queue of installations: two loads may request the same package at once. @type {Promise<unknown>} */
  #queue = Promise.resolve();

  /** @param {Pyodide} pyodide @param {BundledPackages} bundled @param {Settings} settings @param {Report} report */
  constructor(pyodide, bundled, settings, report) {
    this.pyodide = pyodide;
    this.bundled = bundled;
    this.settings = settings;
    this.report = report;
  }

  /**
   * Install packages with all their dependencies; installed ones cost nothing.
   * @param {Bridge} bridge of pyloader.browser.bridge
   * @param {string[]} requirements names, names with versions (PEP 508), or URLs of wheels
   * @param {{baseURL?: string, report?: Report}} [options] `baseURL` resolves relative URLs, by default the page's
   *   address
   */
  install(bridge, requirements, { baseURL, report = this.report } = {}) {
    return this.#inTurn(async () => {
      const wanted = requirements.map((each) => (isWheel(each) ? this.#absolute(each, baseURL) : each.trim()));
      if (wanted.every((each) => Object.hasOwn(this.bundled.rows, normal(each))))
        return this.#bring(bridge, wanted.map(normal), report);
      const page = this.#page(bridge, report);
      // micropip reads from their files which packages are installed.
      await this.#bring(bridge, ['micropip', ...this.bundled.deferred], report);
      const error = await bridge.add_packages(wanted, page);
      if (error) throw new PyLoaderError(error);
    });
  }

  /**
   * Install the packages that a source imports, as far as dist/ has them.
   * @param {Bridge} bridge @param {string} source in Python
   */
  installImports(bridge, source) {
    return this.#inTurn(async () => {
      const lacking = bridge.lacking_imports(source);
      const rows = Object.values(this.bundled.rows).filter((row) => row.imports.some((name) => lacking.includes(name)));
      return this.#bring(
        bridge,
        rows.map(({ name }) => name),
        this.report,
      );
    });
  }

  /**
   * List the modules whose files are fetched at their first import.
   * @returns {Record<string, string>} names for `bringNow`, by module
   */
  deferred() {
    const { rows, deferred } = this.bundled;
    const libraries = Object.keys(LOCK.libraries).filter((name) => !LOCK.libraries[name].starting);
    const modules = deferred.flatMap((name) => rows[name].imports.map((module) => [module, name]));
    const standard = deferred.length ? LOCK.standard.map((module) => [module, STANDARD_LIBRARY]) : [];
    return Object.fromEntries([...standard, ...modules, ...libraries.map((name) => [name, name])]);
  }

  /**
   * Install a file of dist/ synchronously, for Python code that cannot await: this blocks the worker, or the page.
   * @param {string} name of a shared library (that of its module), of a package without dependencies, or of the
   *   standard library
   */
  bringNow(name) {
    const { assets, deferred } = this.bundled;
    const path = name === STANDARD_LIBRARY ? standardLibraryPath() : LOCK.libraries[name]?.path;
    if (path) writeFile(this.pyodide, path, this.#fetchNow(assetOf(assets, LOCK.libraries[name]?.file_name ?? name)));
    else if (deferred.includes(name) || !this.#isInstalled(name))
      this.#unpack([{ name, body: this.#fetchNow(this.bundled.asset(name)) }]);
  }

  /** @param {import('../shared/assets.js').Asset} asset @returns {Uint8Array} */
  #fetchNow({ url, sha256 }) {
    const body = fetchNow(url);
    // Python computes the digest: a synchronous request verifies nothing, and the browser's own digest is async.
    const [sha2, bytes] = [this.pyodide.pyimport('_sha2'), this.pyodide.toPy(body)];
    const digest = sha2.sha256(bytes);
    const found = digest.hexdigest();
    for (const proxy of [digest, bytes, sha2]) proxy.destroy();
    if (!sha256.includes(found)) throw new Error(`${url} is not the file that the build made: ${MIXED}`);
    return body;
  }

  /** @param {Wheel[]} wheels */
  #unpack(wheels) {
    unpack(this.pyodide, wheels);
    this.#clearImporterCache();
    this.bundled.deferred = this.bundled.deferred.filter((name) => !wheels.some((wheel) => wheel.name === name));
  }

  /** @template Value @param {() => Promise<Value>} work @returns {Promise<Value>} */
  #inTurn(work) {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** @param {string} name */
  #isInstalled(name) {
    return Object.keys(this.pyodide.loadedPackages).some((other) => normal(other) === name);
  }

  /** @param {Bridge} bridge @param {string[]} names of dist/ @param {Report} report */
  async #bring(bridge, names, report) {
    const lacking = [...this.bundled.withDepends(names.filter((name) => !this.#isInstalled(name)))].filter(
      (name) => !this.#isInstalled(name),
    );
    const wanted = [...lacking, ...names.filter((name) => this.bundled.deferred.includes(name))];
    if (!wanted.length) return;
    // A wheel that never arrives would block all later installations.
    const watch = new IdleTimeout(this.settings.requestTimeout);
    const advance = (/** @type {Arrival} */ arrival) => {
      watch.restart();
      report(arrival);
    };
    const signal = watch.join(undefined);
    const wheels = await Promise.all(wanted.map((name) => this.bundled.fetch(name, advance, signal)))
      .catch((error) => {
        const words = watch.silent ? `no byte came for ${this.settings.requestTimeout} ms` : error.message;
        throw packageError(
          `the Python package ${names.join(', ')} of dist/ could not be installed: ${words}. ` +
            `Is dist/ complete? The next load that needs it tries again. ${ADVICE}`,
        );
      })
      .finally(() => watch.stop());
    this.#unpack(wheels);
    if (wanted.includes('micropip')) bridge.limit_micropip(this.#indexes());
  }

  /** Clear Python's cache of folders, which remembers missing modules. */
  #clearImporterCache() {
    const cache = this.pyodide.pyimport('sys.path_importer_cache');
    cache.clear();
    cache.destroy();
  }

  // ---------------------------------------------------------------- permissions of the page

  /**
   * Return the functions that pyloader/browser/packages.py calls.
   * @param {Bridge} bridge @param {Report} report @returns {import('./python.d.ts').PackagesPage}
   */
  #page(bridge, report) {
    return {
      rows: this.bundled.rows,
      standard: [...FROM_JAVASCRIPT, ...LOCK.standard],
      isThere: (/** @type {string} */ name) => this.#isInstalled(name),
      indexes: this.#indexes(),
      locate: (/** @type {string} */ url) => this.#locate(url),
      fetch: (/** @type {string} */ url, /** @type {string} */ accept) => {
        // An index may have its files on another origin; but no server may redirect to an origin that the page does not
        // allow.
        const isAllowed = (/** @type {string} */ other) =>
          new URL(other).origin === new URL(url).origin || Boolean(this.#locate(other));
        return fetchBytes(url, accept, this.settings.requestTimeout, report, isAllowed).catch((error) => ({
          error: toWire(error),
          status: error.status,
        }));
      },
      bring: (/** @type {string} */ names) =>
        this.#bring(bridge, names.split(' ').filter(Boolean), report).catch(toWire),
    };
  }

  /** @returns {string[]} */
  #indexes() {
    return this.settings.packageIndexes.map((index) => this.#absolute(index).replace(/\/+$/, ''));
  }

  /** @param {string} url @returns {string | undefined} its absolute form, if it may be fetched */
  #locate(url) {
    const { href, origin, protocol } = new URL(this.#absolute(url));
    const { baseURL, assetsURL } = this.settings;
    const origins = [baseURL, assetsURL, ...this.#indexes()].map((each) => new URL(each).origin);
    return /^https?:$/.test(protocol) && origins.includes(origin) ? href : undefined;
  }

  /** @param {string} url @param {string} [baseURL] */
  #absolute(url, baseURL = this.settings.baseURL) {
    if (!URL.canParse(url, baseURL))
      throw packageError(`'${url}', among the Python packages or packageIndexes of this page, is not a valid address`);
    return new URL(url, baseURL).href;
  }
}

/** @param {string} requirement */
function isWheel(requirement) {
  return /^[^@\s]*\.whl([?#]|$)/.test(requirement.trim()) || /^https?:/.test(requirement.trim());
}

/** Normalize the name of a package (PEP 503). @param {string} name */
function normal(name) {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

// ------------------------------------------------------------------ fetching

/** @param {string} url @returns {Uint8Array} */
function fetchNow(url) {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  const isPage = 'document' in globalThis;
  if (isPage)
    request.overrideMimeType('text/plain; charset=x-user-defined'); // a page cannot get bytes synchronously
  else request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) throw new Error(`${url} answered with status ${request.status}. ${ADVICE}`);
  return isPage ? bytesOf(request.responseText) : new Uint8Array(request.response);
}

/** @param {string} text in x-user-defined, one character per byte */
function bytesOf(text) {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/**
 * Fetch a wheel or a page of an index.
 * @param {string} url absolute @param {string} accept @param {number} timeout ms without a byte @param {Report} report
 * @param {(url: string) => boolean} isAllowed returns true if the request may be redirected there
 */
async function fetchBytes(url, accept, timeout, report, isAllowed) {
  const watch = new IdleTimeout(timeout);
  const isFile = new URL(url).pathname.endsWith('.whl');
  const what = isFile ? 'the wheel' : 'the package index';
  try {
    const response = await fetch(url, { headers: { Accept: accept }, signal: watch.join(undefined) });
    if (!response.ok)
      throw packageError(
        `${what} ${url} answered with status ${response.status}: is the address right, and may this page see it?`,
        response.status,
      );
    if (response.redirected && !isAllowed(response.url))
      throw packageError(
        `${what} ${url} was redirected to ${new URL(response.url).origin}, from where this page allows no packages. ` +
          'Use the address that it has there, and add that server to init({ packageIndexes })',
      );
    const type = response.headers.get('Content-Type') ?? '';
    const name = new URL(url).pathname.split('/').pop() ?? '';
    const body = await readAll(response, name, (arrival) => {
      watch.restart();
      report(arrival);
    });
    if (isFile && !ZIP_MAGIC.every((byte, index) => body[index] === byte)) throw packageError(notWheel(url, type));
    return { url: response.url, type: type.toLowerCase(), body };
  } catch (error) {
    if (error instanceof PyLoaderError) throw error;
    const words = watch.silent ? `no byte came for ${timeout} ms` : messageOf(error);
    throw packageError(
      `${what} ${url} could not be fetched (${words}). Can its server be reached from here, ` +
        "does it send Access-Control-Allow-Origin if its origin is not the page's, " +
        "and does the page's Content-Security-Policy allow the connection?",
    );
  } finally {
    watch.stop();
  }
}

/** @param {string} url @param {string} type */
function notWheel(url, type) {
  const what = type.startsWith('text/html')
    ? 'a web page, as servers of single-page applications do for every address'
    : `a file that is not a wheel (Content-Type '${type}')`;
  return `the wheel ${url} answered with ${what}: does the wheel exist there under exactly this name?`;
}

/**
 * Read a body, and report its progress.
 * @param {Response} response @param {string} file @param {Report} report @returns {Promise<Uint8Array>}
 */
async function readAll(response, file, report) {
  // The Content-Length of a compressed body is not that of the bytes read here.
  const length = Number(response.headers.get('Content-Length'));
  const total = length && !response.headers.get('Content-Encoding') ? length : undefined;
  /** @type {Uint8Array[]} */
  const chunks = [];
  let loaded = 0;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    chunks.push(step.value);
    loaded += step.value.length;
    report({ file, loaded, total: total && loaded <= total ? total : undefined });
  }
  return new Uint8Array(await new Blob(/** @type {BlobPart[]} */ (chunks)).arrayBuffer());
}

/** @param {string} message @param {number} [status] */
function packageError(message, status) {
  return new PyLoaderError({ name: 'PackageError', code: 'package', stage: 'loader', message, status });
}
