// @ts-check
// The worker's half of transport/browser.py: `fetch` with the page's headers, hook and credentials,
// and local files by name. redirects.js follows where a server leads, read_body.js reads what comes.
import { messageOf } from '../shared/errors.js';
import { fileNameOf } from '../shared/imageid.js';
import { isNamed, merge, openHeaders, secretNames, secretsFor } from '../shared/secrets.js';
import { CutFailure, SizeFailure, Spares, readBody } from './read_body.js';
import { openHttp, withoutCookies } from './redirects.js';
import { IdleTimeout } from '../shared/idle_timeout.js';

/** @typedef {{url: string, headers: Record<string, string>, byteRange?: [number] | [number, number], isUrgent?: boolean, isLast?: boolean, timeout?: number, linkedFrom?: string, mostBytes?: number}} Request `linkedFrom` is the address of the answer that named it; `mostBytes` that its body may have, decoded */
/** @typedef {import('../shared/messages.d.ts').OutgoingRequest} HookedRequest */
/** @typedef {import('./redirects.js').Head} Head */
/** @typedef {import('./redirects.js').Prepared} Prepared */
/** @typedef {import('./read_body.js').OnProgress} OnProgress */
/** @typedef {Head & {body: Uint8Array} | {error: string, kind: 'network' | 'request' | 'size'}} Answer */
/** @typedef {(request: HookedRequest) => Promise<HookedRequest>} Hook */
/** @typedef {import('../shared/secrets.js').Secrets & {linkedOrigins: 'without-secrets' | 'refuse', beforeRequest?: Hook}} Settings */
/**
 * @typedef {{url: string, opened: Promise<[Head, Response]>, abort: () => void}} Ahead what Python has not asked for
 *   yet
 */

const PROBE_MS = 5000;

/** A request that cannot be sent, whatever the server is. */
class RequestFailure extends Error {}

/**
 * Make the function that Python sends requests through.
 * @param {Settings} settings each request has them as they are then
 * @param {Map<string, Blob>} files local files by the name that stands in place of a URL
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
    reuse: (answer) => sender.reuse(answer),
  });
}

/** Sends the requests of one worker. */
class Sender {
  #underWay = 0;
  /** @type {Ahead | undefined} */
  #ahead;
  #spares = new Spares();

  /** @param {Settings} settings @param {Map<string, Blob>} files */
  constructor(settings, files) {
    this.settings = settings;
    this.files = files;
  }

  /** Take back the buffer of a body that nobody looks at any more. @param {{body: Uint8Array}} answer */
  reuse({ body }) {
    this.#spares.give(/** @type {ArrayBuffer} */ (body.buffer));
  }

  /**
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {OnProgress} onProgress
   * @param {(head: Head) => boolean} [begin] told of a success before its body; whether to feed that
   * @param {(chunk: Uint8Array) => boolean} [feed] whether there should be more
   * @returns {Promise<Answer>} an answer of any status; `{error}` when there is none
   */
  async send(request, signal, onProgress, begin, feed) {
    const watch = new IdleTimeout(request.timeout ?? 0);
    this.#underWay++;
    const report = (/** @type {number} */ loaded, /** @type {number | undefined} */ total) => onProgress(loaded, total);
    try {
      const [head, response] = await this.#open(request, watch.join(signal), watch);
      const reader = { onProgress: report, begin, feed, most: request.mostBytes };
      const body = await readBody(head, response, reader, watch, this.#spares);
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
   * Begin the request that Python will make when it has found out what a load needs: meanwhile the
   * server is asked. Only when no other is under way; those are sent as Python orders them.
   * @param {string} url @param {boolean} isUrgent
   * @returns {() => void} ends it if nobody has come for it
   */
  begin(url, isUrgent) {
    if (this.#underWay || this.#ahead || this.settings.beforeRequest || this.files.has(url)) return () => {};
    const controller = new AbortController();
    const opened = this.#openHttp({ url, headers: {}, isUrgent }, controller.signal, new IdleTimeout(0));
    opened.catch(() => {}); // is told to who comes for it
    const begun = { url, opened, abort: () => controller.abort() };
    this.#ahead = begun;
    return () => {
      if (this.#ahead !== begun) return;
      this.#ahead = undefined;
      begun.abort();
    };
  }

  /** End what was begun ahead: it has not the headers that the page has given meanwhile. */
  forgetAhead() {
    this.#ahead?.abort();
    this.#ahead = undefined;
  }

  /** @param {Request} request @param {AbortSignal} signal @param {IdleTimeout} watch @returns {Promise<[Head, Response]>} */
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
    return openHttp(request, { settings, prepare: (asked) => prepare(asked, settings, watch), signal, watch });
  }
}

// ------------------------------------------------------------------ the request

/**
 * A request as it is sent, with what the page gives to its address.
 * @param {Request} asked @param {Settings} settings @param {IdleTimeout} watch @returns {Promise<Prepared>}
 */
async function prepare(asked, settings, watch) {
  const address = addressOf(asked.url, settings.baseURL);
  if (isForeign(address, asked.linkedFrom, settings)) {
    return checked({ url: address, headers: openHeaders(asked.headers), credentials: 'omit', withheld: [] });
  }
  const { headers, credentials, withheld } = secretsFor(address, settings);
  const { origin } = new URL(address);
  const request = { url: address, origin, headers: merge(headers, asked.headers), credentials };
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
      'no file of this name was added here, or removeFile() has ended it: the names that addFile() returns hold on their page alone',
    );
  if (!URL.canParse(url, baseURL)) throw new RequestFailure('it is no address');
  const address = new URL(url, baseURL);
  if (new URL(baseURL).protocol === 'https:' && address.protocol === 'http:' && !isLoopback(address.hostname)) {
    throw new RequestFailure(
      'a page that came by https may not fetch by http (mixed content): the server has to be asked by https',
    );
  }
  return address.href;
}

/**
 * Tell whether the answer of another origin has named an address.
 * @param {string} url absolute @param {string | undefined} linkedFrom @param {Settings} settings
 */
function isForeign(url, linkedFrom, { baseURL, linkedOrigins }) {
  if (linkedFrom === undefined) return false;
  const [from, to] = [new URL(addressOf(linkedFrom, baseURL)), new URL(url)];
  if (to.protocol !== from.protocol && to.protocol !== 'https:')
    throw new RequestFailure(
      `an answer of ${from.origin} names it, and may name addresses of ${from.protocol.slice(0, -1)} alone`,
    );
  if (to.origin === from.origin) return false;
  if (linkedOrigins === 'refuse')
    throw new RequestFailure(
      `an answer of ${from.origin} names it, which is another origin; init({ linkedOrigins: 'without-secrets' }) allows that`,
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

/** A request whose headers can be sent. @param {Prepared} request @returns {Prepared} */
function checked(request) {
  const headers = merge(request.headers);
  for (const [name, value] of Object.entries(headers)) {
    // Some browsers quote the value in their own error.
    const reason = whyUnsent(name, String(value));
    if (reason)
      throw new RequestFailure(
        `its header ${JSON.stringify(name)} cannot be sent: ${reason}. Look at headers, beforeRequest and onUnauthorized of the page`,
      );
  }
  return { ...request, headers };
}

/** @param {string} name @param {string} value @returns {string | undefined} */
function whyUnsent(name, value) {
  if (/[\r\n\0]/.test(value)) return 'a line break in it would begin another header';
  if (/[^\0-\xff]/.test(value)) return 'its value has letters beyond those of Latin-1';
  try {
    new Headers([[name, value]]);
  } catch {
    return 'it has letters that no header may have';
  }
}

/** @param {Blob} file @param {Request} request @returns {[Head, Response]} */
function openFile(file, { url, byteRange }) {
  const [start, stop] = [byteRange?.[0] ?? 0, Math.min(byteRange?.[1] ?? file.size, file.size)];
  const part = byteRange ? file.slice(start, stop) : file;
  const headers = { 'content-type': file.type, 'content-length': String(part.size), 'accept-ranges': 'bytes' };
  const place = byteRange && { 'content-range': `bytes ${part.size ? `${start}-${stop - 1}` : '*'}/${file.size}` };
  const status = !byteRange ? 200 : part.size ? 206 : 416;
  return [
    { url: file instanceof File ? file.name : url, status, headers: { ...headers, ...place } },
    new Response(part),
  ];
}

// ------------------------------------------------------------------ no answer

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
  return `${elsewhere}, which answers but does not let this page read its answers (CORS). ${whatToSend(origin, address, headers, settings)}`;
}

/** Tell whether a server answers at all, though nothing of its answer may be seen. @param {URL} address */
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

/** @param {string} origin of the page @param {URL} address @param {Record<string, string>} headers @param {Settings} settings */
function whatToSend(origin, address, headers, settings) {
  const given = secretsFor(address.href, settings);
  const secret = secretNames(merge(given.headers, headers));
  const needed = [
    `Access-Control-Allow-Origin: ${origin}`,
    given.credentials === 'include' && 'Access-Control-Allow-Credentials: true',
    secret.length && `Access-Control-Allow-Headers: ${secret.join(', ').toLowerCase()}`,
  ];
  return `The server has to send: ${needed.filter(Boolean).join('; ')}`;
}
