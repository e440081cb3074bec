// @ts-check
// Sends requests for pyloader/browser/fetch.py: calls `fetch` with the page's headers, hook and credentials, and
// opens local files by name. redirects.js follows redirects, read_body.js reads bodies.
import { messageOf } from '../shared/errors.js';
import { fileNameOf } from '../shared/imageid.js';
import { isNamed, merge, openHeaders, secretNames, secretsFor } from '../shared/secrets.js';
import { BufferPool, CutFailure, SizeFailure, readBody } from './read_body.js';
import { openHttp, withoutCookies } from './redirects.js';
import { IdleTimeout } from '../shared/idle_timeout.js';

/**
 * @typedef {{url: string, headers: Record<string, string>, byteRange?: [number] | [number, number], isUrgent?: boolean,
 *   isLast?: boolean, timeout?: number, linkedFrom?: string, mostBytes?: number}} Request `byteRange` is [start, stop);
 *   `isLast`: no retry follows; `linkedFrom` is the address of the response that contained the URL; `mostBytes` is the
 *   limit of its decoded body
 */
/** @typedef {import('../shared/messages.d.ts').OutgoingRequest} HookedRequest */
/** @typedef {import('./redirects.js').Head} Head */
/** @typedef {import('./redirects.js').Prepared} Prepared */
/** @typedef {import('./read_body.js').OnProgress} OnProgress */
/** @typedef {Head & {body: Uint8Array} | {error: string, kind: 'network' | 'request' | 'size'}} SendResult */
/** @typedef {(request: HookedRequest) => Promise<HookedRequest>} Hook */
/**
 * @typedef {import('../shared/secrets.js').Secrets & {linkedOrigins: 'without-secrets' | 'refuse', beforeRequest?:
 *   Hook}} Settings
 */
/**
 * @typedef {{url: string, opened: Promise<[Head, Response]>, abort: () => void}} Ahead a request sent before Python
 *   asks for it
 */

const PROBE_MS = 5000;

/** A request that cannot be sent to any server. */
class RequestFailure extends Error {}

/**
 * Make the function that Python sends requests through.
 * @param {Settings} settings read anew for each request
 * @param {Map<string, Blob>} files local files by the name that requests have in place of a URL
 */
export function createSend(settings, files) {
  const sender = new Sender(settings, files);
  /** @type {Sender['send']} */
  const send = (...call) => sender.send(...call);
  return Object.assign(send, {
    /** @type {Sender['begin']} */
    begin: (url, isUrgent) => sender.begin(url, isUrgent),
    forgetAhead: () => sender.forgetAhead(),
    /** @type {Sender['reuse']} */
    reuse: (result) => sender.reuse(result),
  });
}

/** Sends the requests of one worker. */
class Sender {
  #underWay = 0;
  /** @type {Ahead | undefined} */
  #ahead;
  #buffers = new BufferPool();

  /** @param {Settings} settings @param {Map<string, Blob>} files */
  constructor(settings, files) {
    this.settings = settings;
    this.files = files;
  }

  /** Take back the buffer of a body that is no longer used. @param {{body: Uint8Array}} result */
  reuse({ body }) {
    this.#buffers.give(/** @type {ArrayBuffer} */ (body.buffer));
  }

  /**
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {OnProgress} onProgress
   * @param {(head: Head) => boolean} [begin] called with the head of a success; returns true to pass its body to `feed`
   * @param {(chunk: Uint8Array) => boolean} [feed] called with each chunk; returns false to stop
   * @returns {Promise<SendResult>} a response of any status; `{error}` if there is none
   */
  async send(request, signal, onProgress, begin, feed) {
    const watch = new IdleTimeout(request.timeout ?? 0);
    this.#underWay++;
    const report = (/** @type {number} */ loaded, /** @type {number | undefined} */ total) => onProgress(loaded, total);
    try {
      const [head, response] = await this.#open(request, watch.join(signal), watch);
      const reader = { onProgress: report, begin, feed, most: request.mostBytes };
      const body = await readBody(head, response, reader, watch, this.#buffers);
      return { ...head, body };
    } catch (error) {
      if (signal.aborted) throw error;
      const cause = watch.silent ? new CutFailure(`no byte came for ${request.timeout} ms`) : error;
      return { error: await describeFailure(request, this.settings, cause), kind: kindOf(cause) };
    } finally {
      watch.stop();
      this.#underWay--;
    }
  }

  /**
   * Send the request that Python will make once it knows what a load needs, so that the server works meanwhile.
   * Do so only if no other request is in progress: Python decides their order.
   * @param {string} url @param {boolean} isUrgent
   * @returns {() => void} ends the request if Python has not taken it
   */
  begin(url, isUrgent) {
    if (this.#underWay || this.#ahead || this.settings.beforeRequest || this.files.has(url)) return () => {};
    const controller = new AbortController();
    const opened = this.#openHttp({ url, headers: {}, isUrgent }, controller.signal, new IdleTimeout(0));
    opened.catch(() => {}); // the call that takes it gets the error
    const begun = { url, opened, abort: () => controller.abort() };
    this.#ahead = begun;
    return () => {
      if (this.#ahead !== begun) return;
      this.#ahead = undefined;
      begun.abort();
    };
  }

  /** End the request sent ahead: it lacks the headers that the page has given meanwhile. */
  forgetAhead() {
    this.#ahead?.abort();
    this.#ahead = undefined;
  }

  /**
   * @param {Request} request @param {AbortSignal} signal @param {IdleTimeout} watch
   * @returns {Promise<[Head, Response]>}
   */
  async #open(request, signal, watch) {
    const file = this.files.get(fileNameOf(request.url));
    if (file) return openFile(file, request);
    const isPlain = !Object.keys(request.headers).length && request.linkedFrom === undefined;
    if (!this.#ahead || this.#ahead.url !== request.url || !isPlain) return this.#openHttp(request, signal, watch);
    const { opened, abort } = this.#ahead;
    this.#ahead = undefined;
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const found = await opened;
    watch.restart();
    return found;
  }

  /** @param {Request} request @param {AbortSignal} signal @param {IdleTimeout} watch */
  #openHttp(request, signal, watch) {
    const { settings } = this;
    return openHttp(request, { settings, prepare: (wanted) => prepare(wanted, settings, watch), signal, watch });
  }
}

// ------------------------------------------------------------------ the request

/**
 * Return a request as it is sent, with the headers and credentials that the page has for its address.
 * @param {Request} wanted @param {Settings} settings @param {IdleTimeout} watch @returns {Promise<Prepared>}
 */
async function prepare(wanted, settings, watch) {
  const address = addressOf(wanted.url, settings.baseURL);
  if (isForeign(address, wanted.linkedFrom, settings)) {
    return checked({ url: address, headers: openHeaders(wanted.headers), credentials: 'omit', withheld: [] });
  }
  const { headers, credentials, withheld } = secretsFor(address, settings);
  const { origin } = new URL(address);
  const request = { url: address, origin, headers: merge(headers, wanted.headers), credentials };
  if (!settings.beforeRequest || !isNamed(address, settings)) return checked({ ...request, withheld });
  watch.stop(); // the page may be asking its user
  const changed = { ...request, ...(await settings.beforeRequest(request).catch(failedHook)) };
  watch.restart();
  const url = addressOf(changed.url, settings.baseURL);
  if (isNamed(url, settings)) return checked({ ...changed, url, withheld });
  const given = changed.headers ?? {};
  const others = withoutCookies(changed.credentials);
  return checked({ url, headers: openHeaders(given), credentials: others, withheld: secretNames(given) });
}

/** @param {string} url @param {string} baseURL */
function addressOf(url, baseURL) {
  if (fileNameOf(url).startsWith('localfile:'))
    throw new RequestFailure(
      'no file of this name was added here, or removeFile() removed it: ' +
        'the names that addFile() returns are valid only on their page',
    );
  if (!URL.canParse(url, baseURL)) throw new RequestFailure('it is not a valid address');
  const address = new URL(url, baseURL);
  if (new URL(baseURL).protocol === 'https:' && address.protocol === 'http:' && !isLoopback(address.hostname)) {
    throw new RequestFailure(
      'a page loaded by https may not fetch by http (mixed content): use the https address of the server',
    );
  }
  return address.href;
}

/**
 * Return true if an address comes from a response of another origin.
 * @param {string} url absolute @param {string | undefined} linkedFrom @param {Settings} settings
 */
function isForeign(url, linkedFrom, { baseURL, linkedOrigins }) {
  if (linkedFrom === undefined) return false;
  const [from, to] = [new URL(addressOf(linkedFrom, baseURL)), new URL(url)];
  if (to.protocol !== from.protocol && to.protocol !== 'https:')
    throw new RequestFailure(
      `a response of ${from.origin} names it, and may name only addresses of ${from.protocol.slice(0, -1)}`,
    );
  if (to.origin === from.origin) return false;
  if (linkedOrigins === 'refuse')
    throw new RequestFailure(
      `a response of ${from.origin} names it, which is another origin; ` +
        "init({ linkedOrigins: 'without-secrets' }) allows that",
    );
  return true;
}

/** @param {string} host */
function isLoopback(host) {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** @param {unknown} error @returns {never} */
function failedHook(error) {
  throw new RequestFailure(`beforeRequest of the page failed: ${messageOf(error)}`);
}

/** Return a request if its headers can be sent, else throw. @param {Prepared} request @returns {Prepared} */
function checked(request) {
  const headers = merge(request.headers);
  for (const [name, value] of Object.entries(headers)) {
    // Check before the browser does: some browsers quote the value, which may be a secret, in their own error.
    const reason = whyUnsent(name, String(value));
    if (reason)
      throw new RequestFailure(
        `its header ${JSON.stringify(name)} cannot be sent: ${reason}. ` +
          'Check headers, beforeRequest and onUnauthorized of the page',
      );
  }
  return { ...request, headers };
}

/** @param {string} name @param {string} value @returns {string | undefined} */
function whyUnsent(name, value) {
  if (/[\r\n\0]/.test(value)) return 'a line break in it would begin another header';
  if (/[^\0-\xff]/.test(value)) return 'its value has characters beyond Latin-1';
  try {
    new Headers([[name, value]]);
  } catch {
    return 'it has characters that no header may have';
  }
}

/** @param {Blob} file @param {Request} request @returns {[Head, Response]} */
function openFile(file, { url, byteRange }) {
  const [start, stop] = [byteRange?.[0] ?? 0, Math.min(byteRange?.[1] ?? file.size, file.size)];
  const part = byteRange ? file.slice(start, stop) : file;
  const headers = { 'content-type': file.type, 'content-length': String(part.size), 'accept-ranges': 'bytes' };
  const range = byteRange && { 'content-range': `bytes ${part.size ? `${start}-${stop - 1}` : '*'}/${file.size}` };
  const status = !byteRange ? 200 : part.size ? 206 : 416;
  return [
    { url: file instanceof File ? file.name : url, status, headers: { ...headers, ...range } },
    new Response(part),
  ];
}

// ------------------------------------------------------------------ failures

/** @param {unknown} error */
function kindOf(error) {
  if (error instanceof SizeFailure) return 'size';
  return error instanceof RequestFailure ? 'request' : 'network';
}

/** @param {Request} request @param {Settings} settings @param {unknown} error */
async function describeFailure({ url, headers, isLast }, settings, error) {
  if (error instanceof SizeFailure) return error.message;
  const words = `could not fetch ${url}: ${messageOf(error)}`;
  if (error instanceof RequestFailure || error instanceof CutFailure) return words;
  const { origin } = new URL(settings.baseURL);
  const address = new URL(url, settings.baseURL);
  if (address.origin === origin) return `${words}. The server cannot be reached, or closed the connection`;
  const elsewhere = `${words}. It is on another origin`;
  if (!isLast) return elsewhere;
  if (!(await isReachable(address))) return `${elsewhere}, and cannot be reached`;
  const advice = neededHeaders(origin, address, headers, settings);
  return `${elsewhere}, which answers but does not let this page read its responses (CORS). ${advice}`;
}

/** Find out whether a server responds at all; the page may not read the response. @param {URL} address */
function isReachable(address) {
  const probe = fetch(address, {
    method: 'HEAD',
    mode: 'no-cors',
    credentials: 'omit',
    signal: AbortSignal.timeout(PROBE_MS),
  });
  return probe.then(
    () => true,
    () => false,
  );
}

/**
 * List the response headers that the server needs for CORS.
 * @param {string} origin of the page @param {URL} address @param {Record<string, string>} headers
 * @param {Settings} settings
 */
function neededHeaders(origin, address, headers, settings) {
  const given = secretsFor(address.href, settings);
  const secret = secretNames(merge(given.headers, headers));
  const needed = [
    `Access-Control-Allow-Origin: ${origin}`,
    given.credentials === 'include' && 'Access-Control-Allow-Credentials: true',
    secret.length && `Access-Control-Allow-Headers: ${secret.join(', ').toLowerCase()}`,
  ];
  return `The server has to send: ${needed.filter(Boolean).join('; ')}`;
}
