// @ts-check
// Sends requests for pyloader/browser/fetch.py: calls `fetch` with the page's headers, hook and credentials, and
// opens local files by name. redirects.js follows redirects, read_body.js reads bodies.
import { messageOf } from '../shared/errors.js';
import { FACTS } from '../shared/facts.js';
import { fileNameOf } from '../shared/imageid.js';
import { isNamed, merge, openHeaders, secretNames, secretsFor } from '../shared/secrets.js';
import { Ahead } from './ahead.js';
import { Gate } from './gate.js';
import { BufferPool, CutFailure, SizeFailure, readBody } from './read_body.js';
import { openHttp, withoutCookies } from './redirects.js';
import { IdleTimeout } from '../shared/idle_timeout.js';

/**
 * @typedef {{url: string, headers: Record<string, string>, byteRange?: [number] | [number, number], urgency?: Urgency,
 *   isLast?: boolean, timeout?: number, linkedFrom?: string, mostBytes?: number}} Request `linkedFrom` is the address
 *   of the response that named it; `mostBytes` limits its decoded body
 */
/** @typedef {import('../shared/messages.d.ts').OutgoingRequest} HookedRequest */
/** @typedef {import('./ahead.js').WholeResponse} WholeResponse */
/** @typedef {import('./gate.js').Urgency} Urgency */
/** @typedef {import('./redirects.js').Head} Head */
/** @typedef {import('./redirects.js').Prepared} Prepared */
/** @typedef {import('./read_body.js').OnProgress} OnProgress */
/** @typedef {Head & {body: Uint8Array} | {error: string, kind: 'network' | 'request' | 'size'}} SendResult */
/** @typedef {(request: HookedRequest) => Promise<HookedRequest>} Hook */
/**
 * @typedef {import('../shared/secrets.js').Secrets & {linkedOrigins: 'without-secrets' | 'refuse',
 *   beforeRequest?: Hook, requestTimeout: number, requestsPerOrigin: number, decodedBytes: number}} Settings
 */
/** @typedef {(phase: 'start' | 'progress' | 'end', loaded: number, total?: number) => void} Tell */

const PROBE_MS = 5000;
// A larger file may have many frames, of which Python fetches those that are wanted.
const WHOLE_BYTES = FACTS.limits.wholeBytes;
const URGENT = /** @type {Urgency} */ ([0, 0]);

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
    begin: (...call) => sender.begin(...call),
    forgetAhead: () => sender.forgetAhead(),
    share: () => sender.share(),
    /** @type {Sender['reuse']} */
    reuse: (result) => sender.reuse(result),
  });
}

/** Sends the requests of one worker. */
class Sender {
  /** Requests that Python has not asked for yet, by address. @type {Map<string, Ahead>} */
  #ahead = new Map();
  /** By origin. @type {Map<string, Gate>} */
  #gates = new Map();
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
    const report = (/** @type {number} */ loaded, /** @type {number | undefined} */ total) => onProgress(loaded, total);
    const ahead = this.#takeAhead(request, signal, report);
    const whole = await ahead?.whole;
    if (whole) return begin?.(whole) ? fed(whole, feed) : whole;
    // A response that is open waits for no place: it may have the connection that those inside are waiting for.
    const leave = ahead ? this.#gateOf(request)?.join() : await this.#enter(request, signal);
    const watch = new IdleTimeout(request.timeout ?? 0);
    const ending = watch.join(signal);
    ahead?.take(ending, report);
    try {
      const [head, response] = await (ahead?.opened ?? this.#open(request, ending, watch));
      watch.restart();
      const reader = { onProgress: report, begin, feed, most: request.mostBytes };
      const body = await readBody(head, response, reader, watch, this.#buffers);
      return { ...head, body };
    } catch (error) {
      if (signal.aborted) throw error;
      const cause = watch.silent ? silence(watch) : error;
      return { error: await describeFailure(request, this.settings, cause), kind: kindOf(cause) };
    } finally {
      watch.stop();
      leave?.();
    }
  }

  /**
   * Begin the request that Python will make for a load. Return nothing when it is under way already.
   * @param {string} url @param {Urgency} urgency @param {AbortSignal} signal of the load @param {Tell} tell
   * @returns {{whole: Promise<WholeResponse | undefined>, end: () => void} | undefined} `whole` resolves to nothing
   *   when Python has to ask; `end` ends the request unless Python has taken it over
   */
  begin(url, urgency, signal, tell) {
    if (this.#ahead.has(url)) return undefined;
    const ahead = new Ahead(signal, (self) => this.#fetchWhole(self, { url, headers: {}, urgency }, tell));
    this.#ahead.set(url, ahead);
    const forget = () => this.#ahead.get(url) === ahead && this.#ahead.delete(url);
    ahead.signal.addEventListener('abort', forget, { once: true });
    const whole = ahead.whole.then((found) => {
      if (found) forget();
      return ahead.isTaken ? undefined : found;
    });
    return { whole, end: () => void (forget() && ahead.abort()) };
  }

  /** End what was begun ahead: it lacks the headers that the page has given since. */
  forgetAhead() {
    for (const ahead of this.#ahead.values()) ahead.abort();
    this.#ahead.clear();
  }

  /** Let requests go that wait, after this worker's share of the limit has changed. */
  share() {
    for (const gate of this.#gates.values()) gate.admit();
  }

  /**
   * @param {Ahead} ahead @param {Request} request @param {Tell} tell
   * @returns {Promise<WholeResponse | undefined>} undefined for anything but a small file
   */
  async #fetchWhole(ahead, request, tell) {
    const leave = await this.#enter(request, ahead.signal).catch(() => undefined); // it was aborted
    const watch = new IdleTimeout(this.settings.requestTimeout);
    try {
      ahead.signal.throwIfAborted();
      tell('start', 0);
      const [head, response] = await ahead.open(this.#open(request, watch.join(ahead.signal), watch));
      const most = this.settings.decodedBytes;
      if (!isSmallFile(head, Math.min(WHOLE_BYTES, most))) return undefined;
      const onProgress = (/** @type {number} */ loaded, /** @type {number | undefined} */ total) => {
        tell('progress', loaded, total);
        ahead.onProgress?.(loaded, total);
      };
      const body = await readBody(head, response, { onProgress, most }, watch, this.#buffers);
      tell('end', 0);
      return { ...head, body: /** @type {Uint8Array<ArrayBuffer>} */ (body) };
    } catch (error) {
      ahead.open(Promise.reject(watch.silent ? silence(watch) : error));
      return undefined;
    } finally {
      watch.stop();
      leave?.();
    }
  }

  /**
   * The request ahead that is the same as one of Python.
   * @param {Request} request @param {AbortSignal} signal @param {OnProgress} onProgress
   */
  #takeAhead({ url, headers, linkedFrom }, signal, onProgress) {
    const ahead = Object.keys(headers).length || linkedFrom !== undefined ? undefined : this.#ahead.get(url);
    if (ahead) this.#ahead.delete(url);
    ahead?.take(signal, onProgress);
    return ahead;
  }

  /**
   * Wait until fewer requests than the limit are under way to the same origin.
   * @param {Request} request @param {AbortSignal} signal
   * @returns {Promise<(() => void) | undefined>} a function that leaves; undefined for a local file
   */
  async #enter(request, signal) {
    return this.#gateOf(request)?.enter(request.urgency ?? URGENT, signal);
  }

  /** The gate of a request's origin; undefined for a local file. @param {Request} request */
  #gateOf({ url }) {
    if (this.files.has(fileNameOf(url)) || !URL.canParse(url, this.settings.baseURL)) return undefined;
    const { origin } = new URL(url, this.settings.baseURL);
    const gate = this.#gates.get(origin) ?? new Gate(() => this.settings.requestsPerOrigin);
    this.#gates.set(origin, gate);
    return gate;
  }

  /**
   * @param {Request} request @param {AbortSignal} signal @param {IdleTimeout} watch
   * @returns {Promise<[Head, Response]>}
   */
  async #open(request, signal, watch) {
    const file = this.files.get(fileNameOf(request.url));
    return file ? openFile(file, request) : this.#openHttp(request, signal, watch);
  }

  /** @param {Request} request @param {AbortSignal} signal @param {IdleTimeout} watch */
  #openHttp(request, signal, watch) {
    const { settings } = this;
    return openHttp(request, { settings, prepare: (wanted) => prepare(wanted, settings, watch), signal, watch });
  }
}

/** Tell whether a response is a small file in one piece. @param {Head} head @param {number} most */
function isSmallFile({ status, headers }, most) {
  return status === 200 && !headers['content-encoding'] && Number(headers['content-length']) <= most;
}

/** @param {WholeResponse} whole @param {((chunk: Uint8Array) => boolean) | undefined} feed @returns {SendResult} */
function fed({ body, ...head }, feed) {
  feed?.(body);
  return { ...head, body: new Uint8Array(0) };
}

/** @param {IdleTimeout} watch */
function silence({ timeout }) {
  return new CutFailure(`no byte came for ${timeout} ms`);
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
