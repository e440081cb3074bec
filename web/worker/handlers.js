// @ts-check
// Handlers of the page's calls to a worker, by topic; messages.d.ts has their payloads and results.
import { meter } from '../boot/boot.js';
import { PyLoaderError, abortError, bootError, toWire } from '../shared/errors.js';
import { Transfer } from '../shared/rpc.js';
import { Arrivals, endOf } from './arrivals.js';
import { extentOf } from './min_max.js';
import { seePolicies } from './policies.js';

/** @typedef {import('./interpreter.js').Interpreter} Interpreter */
/** @typedef {import('./bridge.d.ts').FoundImages} FoundImages */
/** @typedef {import('./bridge.d.ts').Listener} Listener */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/messages.d.ts').Loaded} Loaded */
/** @typedef {import('../shared/messages.d.ts').ImageArrays} ImageArrays */
/** @typedef {import('../shared/rpc.js').CallContext<import('../shared/messages.d.ts').Report>} CallContext */
/** @typedef {import('../shared/rpc.js').Handlers<WorkerCalls>} Handlers */

/** Return all handlers. @param {Interpreter} interpreter @returns {Handlers} */
export function handlersOf(interpreter) {
  return {
    ...startHandlers(interpreter),
    ...settingHandlers(interpreter),
    ...loadHandlers(interpreter),
    ...listHandlers(interpreter),
    ...fileHandlers(interpreter),
    ...memoryHandlers(interpreter),
  };
}

/**
 * Handlers that start Python, run Python files and report the state.
 * @param {Interpreter} interpreter @returns {Pick<Handlers, 'boot' | 'define' | 'stats'>}
 */
function startHandlers(interpreter) {
  return {
    boot: async (options, { progress }) => {
      const advance = meter(progress, options.packages.length > 0); // sends the worker's first message
      return interpreter.start(options, progress, advance).catch((error) => {
        throw bootError(error, options);
      });
    },
    define: async ({ name, source, packages: wanted, baseURL }, context) => {
      const { packages, bridge } = interpreter.started;
      await packages.install(bridge, wanted, { baseURL });
      await packages.installImports(bridge, source);
      return (await interpreter.ask(context, (bridge, id) => bridge.define(id, name, source))).schemes;
    },
    // Also the sign of life: the call goes through Python, so a dead interpreter does not answer it.
    stats: () => {
      const { bridge, pyodide } = interpreter.started;
      return { ...bridge.stats(), heapBytes: pyodide._module.HEAPU8.length };
    },
  };
}

/**
 * Handlers of the page's settings.
 * @param {Interpreter} interpreter
 * @returns {Pick<Handlers, 'configure' | 'service' | 'granted' | 'share' | 'policies'>}
 */
function settingHandlers(interpreter) {
  return {
    configure: ({ forgetsGranted, ...changes }) => {
      const { settings, send, bridge } = interpreter.started;
      const isOther = changes.identity !== settings.identity;
      Object.assign(settings, interpreter.settingsOf({ ...settings, ...changes }));
      if (forgetsGranted) interpreter.granted.clear();
      if (isOther) send.forgetAhead();
      bridge.configure(settings, isOther);
    },
    service: ({ base, headers }) => void interpreter.services.set(base, headers),
    granted: ({ base, headers }) => {
      interpreter.granted.set(base, headers);
      if (interpreter.bridge) interpreter.started.send.forgetAhead();
    },
    share: ({ requestsPerOrigin }) => {
      if (!interpreter.bridge) return;
      const { settings, send } = interpreter.started;
      settings.requestsPerOrigin = requestsPerOrigin;
      send.share();
    },
    policies: seePolicies,
  };
}

/** Handlers of images. @param {Interpreter} interpreter @returns {Pick<Handlers, 'load' | 'lend' | 'borrow'>} */
function loadHandlers(interpreter) {
  const arrivals = new Arrivals(interpreter);
  return {
    load: async ({ ahead: url, ...load }, context) => {
      if (url === undefined) return withPixels(await askToLoad(interpreter, load, context, listener(context)));
      return withPixels(await loadAhead(interpreter, arrivals, url, load, context));
    },
    lend: async ({ imageId, known, ...job }, context) => {
      const listen = listener(context);
      const { loan } = await interpreter.ask(context, (bridge, id) => bridge.lend(id, imageId, known, job, listen));
      return (
        loan &&
        new Transfer(
          loan,
          [loan.frame, loan.header].flatMap((array) => array?.buffer ?? []),
        )
      );
    },
    borrow: async ({ imageId, loan, ...job }, context) => {
      const listen = listener(context);
      const found = await interpreter.ask(context, (bridge, id) => bridge.borrow(id, imageId, loan, job, listen));
      return withPixels(endOf(found.loads[0], found.arrays[0]));
    },
  };
}

/**
 * Load an image whose file the worker fetches before Python asks for it.
 * @param {Interpreter} interpreter @param {Arrivals} arrivals @param {string} url
 * @param {Omit<WorkerCalls['load']['payload'], 'ahead'>} load @param {CallContext} context
 * @returns {Promise<FoundImages>}
 */
async function loadAhead(interpreter, arrivals, url, load, context) {
  const { imageId, ...job } = load;
  const { signal } = context;
  const started = performance.now();
  const listen = withoutSecondStart(listener(context), url);
  const ahead = interpreter.started.send.begin(url, job.urgency, signal, (phase, loaded, total) =>
    listen(phase, url, loaded, total, 1),
  );
  try {
    const response = await ahead?.whole;
    if (signal.aborted) throw abortError('the load');
    const waited = performance.now() - started;
    const found = response && (await arrivals.add({ imageId, url, response, job, waited, listener: listen, signal }));
    return found ?? (await askToLoad(interpreter, load, context, listen));
  } finally {
    ahead?.end();
  }
}

/**
 * Let Python load an image, and fetch what it needs.
 * @param {Interpreter} interpreter @param {Omit<WorkerCalls['load']['payload'], 'ahead'>} load
 * @param {CallContext} context @param {Listener} listen
 * @returns {Promise<FoundImages>}
 */
async function askToLoad(interpreter, { imageId, ...job }, context, listen) {
  const found = await interpreter.ask(context, (bridge, id) => bridge.load(id, imageId, job, listen));
  return endOf(found.loads[0], found.arrays[0]);
}

/**
 * Handlers of metadata, and of lists of images.
 * @param {Interpreter} interpreter
 * @returns {Pick<Handlers, 'metadata' | 'imageIds' | 'listing' | 'search' | 'series' | 'readJson'>}
 */
function listHandlers(interpreter) {
  const { files } = interpreter;
  return {
    metadata: async ({ imageIds, ...job }, context) => {
      const listen = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.metadata(id, imageIds, job, listen))).found;
    },
    imageIds: async ({ imageId, ...job }, context) => {
      const listen = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.image_ids(id, imageId, job, listen))).found;
    },
    listing: async ({ imageId, files: given, ...job }, context) => {
      for (const { name, file } of given ?? []) files.set(name, file);
      try {
        const named = given?.map(({ name, path }) => /** @type {[string, string]} */ ([name, path]));
        const listen = listener(context);
        return (await interpreter.ask(context, (bridge, id) => bridge.listing(id, imageId, named, job, listen))).found;
      } finally {
        for (const { name } of given ?? []) files.delete(name);
      }
    },
    search: async ({ url, ...job }, context) => {
      const listen = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.search(id, url, job, listen))).found;
    },
    series: async ({ url, ...job }, context) => {
      const listen = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.series(id, url, job, listen))).instances;
    },
    readJson: ({ imageIds, texts }, context) =>
      interpreter.ask(context, (bridge, id) => bridge.read_json(id, imageIds, texts)),
  };
}

/** Handlers of the user's files. @param {Interpreter} interpreter @returns {Pick<Handlers, 'provide' | 'withdraw'>} */
function fileHandlers(interpreter) {
  return {
    provide: ({ name, file }) => void interpreter.files.set(name, file),
    withdraw: ({ name }) => {
      interpreter.files.delete(name);
      interpreter.bridge?.withdraw(name);
    },
  };
}

/** Handlers of Python's caches. @param {Interpreter} interpreter @returns {Pick<Handlers, 'release' | 'purge'>} */
function memoryHandlers(interpreter) {
  return {
    release: ({ source }) => interpreter.bridge?.release(source),
    purge: () => interpreter.bridge?.purge(),
  };
}

/** Make a listener of Python's requests. @param {CallContext} context @returns {import('./bridge.d.ts').Listener} */
function listener({ progress, note }) {
  return (phase, url, loaded, total, attempt) => {
    // Reports of the start and of the end can wait for another message.
    const canWait = phase !== 'progress' || (url && loaded === total);
    (canWait ? note : progress)({ phase, url, loaded, total, attempt });
  };
}

/**
 * Return a listener that passes the start of the first attempt for an address on once. When Python takes a request
 * ahead over, that is the attempt that Python counts as its first.
 * @param {Listener} listen @param {string} ahead @returns {Listener}
 */
function withoutSecondStart(listen, ahead) {
  let hasStarted = false;
  return (phase, url, loaded, total, attempt) => {
    const isFirst = phase === 'start' && url === ahead && attempt === 1;
    if (!isFirst || !hasStarted) listen(phase, url, loaded, total, attempt);
    hasStarted ||= isFirst;
  };
}

/** Make the reply to a load, with its batch; the pixels are moved to the page. @param {FoundImages} found */
function withPixels({ answers, arrays, isReady }) {
  const [first, ...batch] = answers.map((found, index) => withArrays(found, arrays[index]));
  const buffers = arrays.flatMap((each) => Object.values(each).map(({ buffer }) => buffer));
  // The first one is never an error: then the whole call fails.
  const reply = { .../** @type {Loaded} */ (first), isReady, ...(batch.length ? { batch } : {}) };
  return new Transfer(reply, /** @type {ArrayBuffer[]} */ (buffers));
}

/**
 * @param {FoundImages['answers'][number]} found @param {ImageArrays} arrays
 * @returns {Loaded | {error: import('../shared/errors.js').WireError}}
 */
function withArrays(found, arrays) {
  if (found.error) return { error: toWire(new PyLoaderError(found.error)) };
  const { image, error, ...others } = found;
  const extent = extentOf(arrays.pixels, image.padding);
  return { ...others, image: { ...image, ...arrays, ...extent } };
}
