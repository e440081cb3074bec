// @ts-check
// Where Python runs: a module worker, or the page itself for `workers: 0` (then over a MessagePort).
// Passes the page's calls to pyloader.browser.bridge.
import { bootPython, extraMeter, meter } from '../boot/boot.js';
import { decodeImage } from './decode_image.js';
import { PyLoaderError, abortError, bootError, toWire } from '../shared/errors.js';
import { extentOf, prepareExtent } from './min_max.js';
import { seePolicies } from './policies.js';
import { Packages } from '../boot/packages.js';
import { Rpc, Transfer } from '../shared/rpc.js';
import { BUILD, MIXED } from '../shared/version.js';
import { createSend } from './fetch.js';

/** @typedef {import('../shared/rpc.js').CallContext} CallContext */
/** @typedef {import('../boot/boot.js').BootOptions} BootOptions */

/**
 * Answer the page's calls.
 * @param {import('../shared/rpc.js').Endpoint} endpoint
 */
export function serve(endpoint) {
  /** @type {Map<string, Blob>} */
  const files = new Map();
  /** @type {Map<string, Record<string, string>>} headers of the page's DICOMweb services, by address */
  const services = new Map();
  /** Those that the page was asked for after a 401. @type {Map<string, Record<string, string>>} */
  const granted = new Map();
  /** @type {any} */
  let pyodide = null;
  /** @type {any} */
  let bridge = null;
  /** What init() was told last, with what requests have beside it. @type {BootOptions & import('./fetch.js').Settings} */
  let settings;
  /** @type {ReturnType<typeof createSend>} */
  let send;
  /** @type {Packages} */
  let packages;
  let calls = 0;

  /**
   * Await a bridge function as one cancellable call.
   * @param {CallContext} context
   * @param {(id: number) => Promise<any>} start
   */
  async function ask({ signal }, start) {
    const id = ++calls;
    const cancel = () => bridge.cancel(id);
    signal.addEventListener('abort', cancel);
    try {
      const answer = await start(id);
      if (answer.error) throw new PyLoaderError(answer.error);
      if (answer.cancelled) throw abortError('the load');
      return answer;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** @param {CallContext} context */
  const listener = ({ progress, note }) => (/** @type {string} */ phase, /** @type {string} */ url, /** @type {number} */ loaded, /** @type {number | undefined} */ total, /** @type {number} */ attempt) => {
    // That it has begun, and that all is here, may come with other news, in one message.
    const isWhole = phase !== 'progress' || (url && loaded === total);
    (isWhole ? note : progress)({ phase, url, loaded, total, attempt });
  };

  /** @param {BootOptions} options */
  function settingsOf(options) {
    const beforeRequest = options.hooks.includes('beforeRequest') ? (/** @type {any} */ request) => rpc.call('beforeRequest', request) : undefined;
    return { ...options, services, granted, beforeRequest };
  }

  /** What Python asks of the page. */
  function pageFor() {
    send = createSend(settings, files);
    return {
      send,
      /** @param {string} source @param {boolean} asksAnew @param {AbortSignal} signal */
      describe: (source, asksAnew, signal) => rpc.call('describe', { source, asksAnew }, { signal }).catch((error) => ({ error: toWire(error) })),
      authorize,
      /** @param {string} requirement */
      install: (requirement) => packages.install(bridge, [requirement]).catch(toWire),
      /** @param {string} name */
      bringNow: (name) => packages.bringNow(name),
      deferred: packages.deferred(),
      decode: decodeImage,
      /** @param {string} level @param {string} name @param {string} text */
      print: (level, name, text) => void rpc.call('print', { level, name, text }).catch(() => {}), // the page has ended it
    };
  }

  /** @param {string} url @param {number} sent seconds since 1970 */
  function authorize(url, sent) {
    return rpc.call('authorize', { url, sent: sent * 1000 });
  }

  /** Also the sign of life of loads that wait for a package. @param {import('../boot/packages.js').Arrival} arrival */
  function report(arrival) {
    rpc.call('packageprogress', arrival).catch(() => {}); // nobody is left to be told
  }

  /** The packages of init(). @param {string[]} wanted @param {(detail: any) => void} progress */
  async function installFirst(wanted, progress) {
    const tell = extraMeter(progress);
    try {
      await packages.install(bridge, wanted, { report: (arrival) => (tell(arrival), report(arrival)) });
    } catch (error) {
      throw new PyLoaderError({ .../** @type {any} */ (toWire(error)), stage: 'boot' });
    }
  }

  /** @param {BootOptions} options @param {(detail: any) => void} progress @param {import('../boot/boot.js').Advance} advance */
  async function start(options, progress, advance) {
    if (options.build !== BUILD) throw new Error(`worker.mjs is of pyloader ${BUILD}, and the page's script of ${options.build}: ${MIXED}`);
    prepareExtent();
    const { shelf, report: reportBoot, shared, ...booted } = await bootPython(options, advance);
    pyodide = booted.pyodide;
    settings = settingsOf(options);
    packages = new Packages(pyodide, shelf, settings, report);
    // After a trap in WebAssembly calls may still seem to work, on a broken heap: never again.
    pyodide._api.on_fatal = (/** @type {any} */ error) => void rpc.call('died', String(error?.message ?? error));
    const module = pyodide.pyimport('pyloader.browser.bridge');
    bridge = module.Bridge(pageFor(), settings);
    module.destroy();
    await installFirst(options.packages, progress);
    progress({ stage: 'ready', loaded: 100, total: 100, percentComplete: 100 });
    return { report: reportBoot(), parts: options.parts ? undefined : shared };
  }

  const rpc = new Rpc(endpoint, {
    /** @param {BootOptions} options @param {CallContext} context */
    async boot(options, { progress }) {
      const advance = meter(progress, options.packages.length > 0); // the worker's first word
      return start(options, progress, advance).catch((error) => {
        throw bootError(error, options);
      });
    },
    configure({ forgetsGranted, ...told }) {
      const isOther = told.identity !== settings.identity;
      Object.assign(settings, settingsOf({ ...settings, ...told }));
      if (forgetsGranted) granted.clear();
      if (isOther) send.forgetAhead();
      bridge.configure(settings, isOther);
    },
    load: async ({ imageId, ahead, ...job }, context) => {
      const leave = ahead && send.begin(ahead, job.urgency[0] === 0);
      try {
        return withPixels(await ask(context, (id) => bridge.load(id, imageId, job, listener(context))));
      } finally {
        leave?.();
      }
    },
    lend: async ({ imageId, known, ...job }, context) => {
      const { loan } = await ask(context, (id) => bridge.lend(id, imageId, known, job, listener(context)));
      return loan && new Transfer(loan, [loan.frame, loan.header].flatMap((array) => array?.buffer ?? []));
    },
    borrow: async ({ imageId, loan, ...job }, context) => withPixels(await ask(context, (id) => bridge.borrow(id, imageId, loan, job, listener(context)))),
    metadata: async ({ imageIds, ...job }, context) => (await ask(context, (id) => bridge.metadata(id, imageIds, job, listener(context)))).found,
    imageIds: async ({ imageId, ...job }, context) => (await ask(context, (id) => bridge.image_ids(id, imageId, job, listener(context)))).found,
    listing: async ({ imageId, files: given, ...job }, context) => {
      for (const { name, file } of given ?? []) files.set(name, file);
      try {
        const named = given?.map((/** @type {any} */ { name, path }) => [name, path]);
        return (await ask(context, (id) => bridge.listing(id, imageId, named, job, listener(context)))).found;
      } finally {
        for (const { name } of given ?? []) files.delete(name);
      }
    },
    search: async ({ url, ...job }, context) => (await ask(context, (id) => bridge.search(id, url, job, listener(context)))).found,
    series: async ({ url, ...job }, context) => (await ask(context, (id) => bridge.series(id, url, job, listener(context)))).instances,
    readJson: ({ imageId, text }, context) => ask(context, (id) => bridge.read_json(id, imageId, text)),
    define: async ({ name, source, packages: wanted, baseURL }, context) => {
      await packages.install(bridge, wanted, { baseURL });
      await packages.installImports(bridge, source);
      return (await ask(context, (id) => bridge.define(id, name, source))).schemes;
    },
    provide: ({ name, file }) => void files.set(name, file),
    withdraw: ({ name }) => (files.delete(name), bridge?.withdraw(name)),
    service: ({ base, headers }) => void services.set(base, headers),
    granted: ({ base, headers }) => void granted.set(base, headers),
    share: ({ requestsPerOrigin }) => bridge?.share(requestsPerOrigin),
    policies: seePolicies,
    release: ({ source }) => bridge?.release(source),
    purge: () => bridge?.purge(),
    // Also the sign of life: it goes through Python, so a dead interpreter does not answer it.
    stats: () => ({ ...bridge.stats(), heapBytes: pyodide._module.HEAPU8.length }),
  });
}

/** An image whose pixels are moved to the page, with those that come along. @param {any} found */
function withPixels({ answers, arrays, isReady }) {
  const [first, ...batch] = /** @type {any[]} */ (answers).map((answer, index) => withArrays(answer, arrays[index]));
  const buffers = /** @type {any[]} */ (arrays).flatMap((each) => Object.values(each).map(({ buffer }) => buffer));
  return new Transfer({ ...first, isReady, ...(batch.length ? { batch } : {}) }, buffers);
}

/** @param {any} answer @param {any} arrays */
function withArrays({ image, error, ...answer }, arrays) {
  if (error) return { error: toWire(new PyLoaderError(error)) };
  const extent = extentOf(arrays.pixels, image.padding);
  return { ...answer, image: { ...image, ...arrays, ...extent } };
}

if (typeof WorkerGlobalScope !== 'undefined' && globalThis instanceof WorkerGlobalScope) {
  serve(/** @type {any} */ (globalThis));
}
