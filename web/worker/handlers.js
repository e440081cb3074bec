// @ts-check
// The calls that a worker answers, by what they serve; messages.d.ts has their payloads and results.
import { meter } from '../boot/boot.js';
import { PyLoaderError, bootError, toWire } from '../shared/errors.js';
import { Transfer } from '../shared/rpc.js';
import { extentOf } from './min_max.js';
import { seePolicies } from './policies.js';

/** @typedef {import('./interpreter.js').Interpreter} Interpreter */
/** @typedef {import('./bridge.d.ts').FoundImages} FoundImages */
/** @typedef {import('../shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('../shared/messages.d.ts').Loaded} Loaded */
/** @typedef {import('../shared/messages.d.ts').ImageArrays} ImageArrays */
/** @typedef {import('../shared/rpc.js').CallContext<import('../shared/messages.d.ts').Report>} CallContext */
/** @typedef {import('../shared/rpc.js').Handlers<WorkerCalls>} Handlers */

/** All of them. @param {Interpreter} interpreter @returns {Handlers} */
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
 * Of Python itself and of Python files.
 * @param {Interpreter} interpreter @returns {Pick<Handlers, 'boot' | 'define' | 'stats'>}
 */
function startHandlers(interpreter) {
  return {
    boot: async (options, { progress }) => {
      const advance = meter(progress, options.packages.length > 0); // the worker's first word
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
    // Also the sign of life: it goes through Python, so a dead interpreter does not answer it.
    stats: () => {
      const { bridge, pyodide } = interpreter.started;
      return { ...bridge.stats(), heapBytes: pyodide._module.HEAPU8.length };
    },
  };
}

/**
 * Of what the page has told.
 * @param {Interpreter} interpreter
 * @returns {Pick<Handlers, 'configure' | 'service' | 'granted' | 'share' | 'policies'>}
 */
function settingHandlers(interpreter) {
  return {
    configure: ({ forgetsGranted, ...told }) => {
      const { settings, send, bridge } = interpreter.started;
      const isOther = told.identity !== settings.identity;
      Object.assign(settings, interpreter.settingsOf({ ...settings, ...told }));
      if (forgetsGranted) interpreter.granted.clear();
      if (isOther) send.forgetAhead();
      bridge.configure(settings, isOther);
    },
    service: ({ base, headers }) => void interpreter.services.set(base, headers),
    granted: ({ base, headers }) => void interpreter.granted.set(base, headers),
    share: ({ requestsPerOrigin }) => interpreter.bridge?.share(requestsPerOrigin),
    policies: seePolicies,
  };
}

/** Of images. @param {Interpreter} interpreter @returns {Pick<Handlers, 'load' | 'lend' | 'borrow'>} */
function loadHandlers(interpreter) {
  return {
    load: async ({ imageId, ahead, ...job }, context) => {
      const leave = ahead ? interpreter.started.send.begin(ahead, job.urgency[0] === 0) : undefined;
      try {
        const told = listener(context);
        return withPixels(await interpreter.ask(context, (bridge, id) => bridge.load(id, imageId, job, told)));
      } finally {
        leave?.();
      }
    },
    lend: async ({ imageId, known, ...job }, context) => {
      const told = listener(context);
      const { loan } = await interpreter.ask(context, (bridge, id) => bridge.lend(id, imageId, known, job, told));
      return (
        loan &&
        new Transfer(
          loan,
          [loan.frame, loan.header].flatMap((array) => array?.buffer ?? []),
        )
      );
    },
    borrow: async ({ imageId, loan, ...job }, context) => {
      const told = listener(context);
      return withPixels(await interpreter.ask(context, (bridge, id) => bridge.borrow(id, imageId, loan, job, told)));
    },
  };
}

/**
 * Of what describes images, and of lists of them.
 * @param {Interpreter} interpreter
 * @returns {Pick<Handlers, 'metadata' | 'imageIds' | 'listing' | 'search' | 'series' | 'readJson'>}
 */
function listHandlers(interpreter) {
  const { files } = interpreter;
  return {
    metadata: async ({ imageIds, ...job }, context) => {
      const told = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.metadata(id, imageIds, job, told))).found;
    },
    imageIds: async ({ imageId, ...job }, context) => {
      const told = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.image_ids(id, imageId, job, told))).found;
    },
    listing: async ({ imageId, files: given, ...job }, context) => {
      for (const { name, file } of given ?? []) files.set(name, file);
      try {
        const named = given?.map(({ name, path }) => /** @type {[string, string]} */ ([name, path]));
        const told = listener(context);
        return (await interpreter.ask(context, (bridge, id) => bridge.listing(id, imageId, named, job, told))).found;
      } finally {
        for (const { name } of given ?? []) files.delete(name);
      }
    },
    search: async ({ url, ...job }, context) => {
      const told = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.search(id, url, job, told))).found;
    },
    series: async ({ url, ...job }, context) => {
      const told = listener(context);
      return (await interpreter.ask(context, (bridge, id) => bridge.series(id, url, job, told))).instances;
    },
    readJson: ({ imageId, text }, context) =>
      interpreter.ask(context, (bridge, id) => bridge.read_json(id, imageId, text)),
  };
}

/** Of the user's files. @param {Interpreter} interpreter @returns {Pick<Handlers, 'provide' | 'withdraw'>} */
function fileHandlers(interpreter) {
  return {
    provide: ({ name, file }) => void interpreter.files.set(name, file),
    withdraw: ({ name }) => {
      interpreter.files.delete(name);
      interpreter.bridge?.withdraw(name);
    },
  };
}

/** Of what Python keeps. @param {Interpreter} interpreter @returns {Pick<Handlers, 'release' | 'purge'>} */
function memoryHandlers(interpreter) {
  return {
    release: ({ source }) => interpreter.bridge?.release(source),
    purge: () => interpreter.bridge?.purge(),
  };
}

/** A listener of Python's requests. @param {CallContext} context @returns {import('./bridge.d.ts').Listener} */
function listener({ progress, note }) {
  return (phase, url, loaded, total, attempt) => {
    // That it has begun, and that all is here, may come with other news, in one message.
    const isWhole = phase !== 'progress' || (url && loaded === total);
    (isWhole ? note : progress)({ phase, url, loaded, total, attempt });
  };
}

/** An image whose pixels are moved to the page, with those that come along. @param {FoundImages} found */
function withPixels({ answers, arrays, isReady }) {
  const [first, ...batch] = answers.map((answer, index) => withArrays(answer, arrays[index]));
  const buffers = arrays.flatMap((each) => Object.values(each).map(({ buffer }) => buffer));
  // The first of them is never an error: that would be the answer's.
  const answer = { .../** @type {Loaded} */ (first), isReady, ...(batch.length ? { batch } : {}) };
  return new Transfer(answer, /** @type {ArrayBuffer[]} */ (buffers));
}

/**
 * @param {FoundImages['answers'][number]} found @param {ImageArrays} arrays
 * @returns {Loaded | {error: import('../shared/errors.js').WireError}}
 */
function withArrays(found, arrays) {
  if (found.error) return { error: toWire(new PyLoaderError(found.error)) };
  const { image, error, ...answer } = found;
  const extent = extentOf(arrays.pixels, image.padding);
  return { ...answer, image: { ...image, ...arrays, ...extent } };
}
