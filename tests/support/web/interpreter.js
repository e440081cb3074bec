// @ts-check
// A stand-in for an interpreter whose Python has started, and the images that its bridge returns.
import { Interpreter } from '../../../web/worker/interpreter.js';

/** @typedef {import('../../../web/worker/bridge.d.ts').Bridge} Bridge */
/** @typedef {import('../../../web/worker/bridge.d.ts').FoundImage} FoundImage */
/** @typedef {import('../../../web/worker/bridge.d.ts').FoundLoads} FoundLoads */
/** @typedef {import('../../../web/worker/bridge.d.ts').LoadOutcome} LoadOutcome */
/** @typedef {import('../../../web/worker/interpreter.js').Page} Page */
/** @typedef {import('../../../web/worker/interpreter.js').Started} Started */
/** @typedef {import('../../../web/worker/ahead.js').WholeResponse} WholeResponse */
/** @typedef {import('../../../web/shared/messages.d.ts').ImageArrays} ImageArrays */
/** @typedef {{load: LoadOutcome, arrays: ImageArrays[]}} Row one load of the bridge's result, and its arrays */

/** An interpreter whose Python has started, with stand-ins for all parts of it. */
export class StartedInterpreter extends Interpreter {
  settings = /** @type {Started['settings']} */ ({ identity: 0, hooks: /** @type {string[]} */ ([]) });
  /** Calls of `send`. @type {unknown[]} */
  sent = [];
  /** Result of `send.begin`. @type {Started['send']['begin']} */
  begin = () => undefined;

  /** @param {Partial<Bridge>} bridge functions that the test calls @param {() => Page} [page] */
  constructor(bridge, page = () => raise('no page')) {
    super(page);
    this.python = /** @type {Bridge} */ (bridge);
  }

  get bridge() {
    return this.python;
  }

  get started() {
    const send = {
      begin: (/** @type {Parameters<Started['send']['begin']>} */ ...call) => {
        const [url, urgency] = call;
        this.sent.push(['begin', url, urgency]);
        return this.begin(...call);
      },
      forgetAhead: () => this.sent.push('forgetAhead'),
      share: () => this.sent.push('share'),
      reuse: (/** @type {WholeResponse} */ { url }) => this.sent.push(['reuse', url]),
    };
    const packages = { install: async () => {}, installImports: async () => {} };
    const pyodide = { _module: { HEAPU8: new Uint8Array(9) } };
    const started = { bridge: this.python, send, packages, settings: this.settings, pyodide };
    return /** @type {Started} */ (/** @type {unknown} */ (started));
  }
}

/** @param {string} words @returns {never} */
function raise(words) {
  throw new Error(words);
}

/** An image as Python gives it, and its arrays. @param {number[]} values @returns {[FoundImage, ImageArrays]} */
export function image(...values) {
  const found = /** @type {FoundImage} */ (
    /** @type {unknown} */ ({ image: { warnings: [] }, modules: {}, timing: {} })
  );
  return [found, { pixels: Float32Array.from(values) }];
}

/** A load that has ended with some images. @param {[FoundImage, ImageArrays][]} images @returns {Row} */
export function ended(...images) {
  return { load: { answers: images.map(([answer]) => answer) }, arrays: images.map(([, arrays]) => arrays) };
}

/** The result of the bridge for some loads. @param {Row[]} rows @returns {FoundLoads} */
export function foundOf(...rows) {
  return { loads: rows.map(({ load }) => load), arrays: rows.map(({ arrays }) => arrays) };
}

/** A whole small file. @param {string} url @returns {WholeResponse} */
export function fileOf(url) {
  return { url, status: 200, headers: { 'content-type': 'application/dicom' }, body: new Uint8Array([1, 2]) };
}
