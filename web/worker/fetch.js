// @ts-check
// The worker's half of transport/browser.py: `fetch` with the page's headers, hook and credentials,
// a body read as it arrives, and local files by name.
import { fileNameOf } from '../shared/imageid.js';
import { isNamed, merge, openHeaders, secretNames, secretsFor } from '../shared/secrets.js';
import { Spares } from './spares.js';
import { IdleTimeout } from '../shared/idle_timeout.js';

/** @typedef {{url: string, headers: Record<string, string>, byteRange?: [number] | [number, number], isUrgent?: boolean, isLast?: boolean, timeout?: number, linkedFrom?: string, mostBytes?: number}} Request `linkedFrom` is the address of the answer that named it; `mostBytes` that its body may have, decoded */
/** @typedef {{url: string, origin: string, headers: Record<string, string>, credentials: RequestCredentials}} HookedRequest */
/** @typedef {{url: string, headers: Record<string, string>, credentials: RequestCredentials, withheld: string[]}} Prepared as it is sent, and the names of what is kept back */
/** @typedef {{url: string, status: number, headers: Record<string, string>, hasAuthorization?: boolean, withheld?: string[]}} Head of an answer; whether its request had an Authorization, and what was kept back from it */
/** @typedef {Head & {body: Uint8Array} | {error: string, kind: 'network' | 'request' | 'size'}} Answer */
/** @typedef {(loaded: number, total: number | undefined) => void} OnProgress */
/** @typedef {{onProgress: OnProgress, begin?: (head: Head) => boolean, feed?: (chunk: Uint8Array) => boolean, most?: number}} Reader `most`: bytes that a success may have */
/** @typedef {{bytes: number, pass: (loaded: number) => void}} Limit of a body, and what is done beyond it */
/** @typedef {(request: HookedRequest) => Promise<HookedRequest | undefined>} Hook */
/** @typedef {import('../shared/secrets.js').Secrets & {linkedOrigins: 'without-secrets' | 'refuse', beforeRequest?: Hook}} Settings */

const REPORT_EVERY_MS = 50;
const PROBE_MS = 5000;
const MOST_REDIRECTS = 5;
// What is read of the body of a refusal, whose first line alone is told.
const REFUSAL_BYTES = 2 ** 22;
const NOTHING = new Uint8Array(0);
// What is taken for a body before it comes.
const MOST_IN_ADVANCE = 2 ** 28;
// What browsers hand out of a body when there is more. Each time its whole buffer counts as new to the
// collector of garbage: so while it comes that fast, several are awaited at a time. Else all that
// comes has to be seen, or a slow server would be taken for a silent one.
const FULL = 2 ** 16;
const FAST_MS = 20;

/** A request that cannot be sent, whatever the server is. */
class RequestFailure extends Error {}

/** An answer that ended before its time. */
class CutFailure extends Error {}

/** An answer that is larger than it may be. */
class SizeFailure extends Error {}

/**
 * Make the function that Python sends requests through.
 * @param {Settings} settings each request has them as they are then
 * @param {Map<string, Blob>} files local files by the name that stands in place of a URL
 */
export function createSend(settings, files) {
  let underWay = 0;
  /** What Python has not asked for yet. @type {{url: string, opened: Promise<[Head, Response]>, abort: () => void} | undefined} */
  let ahead;
  const spares = new Spares();

  return Object.assign(send, { begin, forgetAhead, reuse });

  /** Take back the buffer of a body that nobody looks at any more. @param {{body: Uint8Array}} answer */
  function reuse({ body }) {
    spares.give(/** @type {ArrayBuffer} */ (body.buffer));
  }

  /**
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {OnProgress} onProgress
   * @param {(head: Head) => boolean} [begin] told of a success before its body; whether to feed that
   * @param {(chunk: Uint8Array) => boolean} [feed] whether there should be more
   * @returns {Promise<Answer>} an answer of any status; `{error}` when there is none
   */
  async function send(request, signal, onProgress, begin, feed) {
    const watch = new IdleTimeout(request.timeout ?? 0);
    underWay++;
    const report = (/** @type {number} */ loaded, /** @type {number | undefined} */ total) => onProgress(loaded, total);
    try {
      const [head, response] = await open(request, watch.join(signal), watch);
      const body = await readBody(head, response, { onProgress: report, begin, feed, most: request.mostBytes }, watch, spares);
      return { ...head, body };
    } catch (error) {
      if (signal.aborted) throw error;
      const cause = watch.silent ? new CutFailure(`no byte came for ${request.timeout} ms`) : error;
      return { error: await describeFailure(request, settings, cause), kind: kindOf(cause) };
    } finally {
      watch.stop();
      underWay--;
    }
  }

  /**
   * Begin the request that Python will make when it has found out what a load needs: meanwhile the
   * server is asked. Only when no other is under way; those are sent as Python orders them.
   * @param {string} url @param {boolean} isUrgent
   * @returns {() => void} ends it if nobody has come for it
   */
  function begin(url, isUrgent) {
    if (underWay || ahead || settings.beforeRequest || files.has(url)) return () => {};
    const controller = new AbortController();
    const opened = openHttp({ url, headers: {}, isUrgent }, controller.signal, new IdleTimeout(0));
    opened.catch(() => {}); // is told to who comes for it
    const begun = { url, opened, abort: () => controller.abort() };
    ahead = begun;
    return () => {
      if (ahead !== begun) return;
      ahead = undefined;
      begun.abort();
    };
  }

  /** End what was begun ahead: it has not the headers that the page has given meanwhile. */
  function forgetAhead() {
    ahead?.abort();
    ahead = undefined;
  }

  /** @param {Request} request @param {AbortSignal} signal @param {IdleTimeout} watch @returns {Promise<[Head, Response]>} */
  async function open(request, signal, watch) {
    const file = files.get(fileNameOf(request.url));
    if (file) return openFile(file, request);
    const isIts = ahead?.url === request.url && !Object.keys(request.headers).length && request.linkedFrom === undefined;
    if (!ahead || !isIts) return openHttp(request, signal, watch);
    const { opened, abort } = ahead;
    ahead = undefined;
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const found = await opened;
    watch.restart();
    return found;
  }

  /**
   * Fetch. Browsers take only Authorization away from a redirect to another origin, and leave it on
   * one that leads out of a service: so each address on the way is asked with what is meant for it.
   * @param {Request} asked @param {AbortSignal} signal @param {IdleTimeout} watch @param {number} [redirects] so far
   * @returns {Promise<[Head, Response]>}
   */
  async function openHttp(asked, signal, watch, redirects = 0) {
    const { url, headers, credentials, withheld } = await prepare(asked, watch);
    const init = { headers, credentials, priority: /** @type {RequestPriority} */ (asked.isUrgent === false ? 'low' : 'auto'), signal };
    const isOpen = !secretNames(headers).length && credentials !== 'include';
    const response = await fetch(url, isOpen ? init : { ...init, redirect: 'manual' });
    watch.restart();
    if (response.type !== 'opaqueredirect') return [headOf(response, headers, withheld), response];
    const open = { ...init, headers: openHeaders(headers), credentials: withoutCookies(credentials) };
    const followed = await fetch(url, open);
    watch.restart();
    const isSame = new URL(followed.url).origin === new URL(url).origin;
    const mayKnow = isSame || (isNamed(url, settings) && isNamed(followed.url, settings));
    if (!mayKnow || redirects === MOST_REDIRECTS) return [headOf(followed, open.headers, secretNames(headers)), followed];
    await followed.body?.cancel();
    return openHttp({ ...asked, url: followed.url, headers: isSame ? asked.headers : openHeaders(asked.headers) }, signal, watch, redirects + 1);
  }

  /** A request as it is sent, with what the page gives to its address. @param {Request} asked @param {IdleTimeout} watch @returns {Promise<Prepared>} */
  async function prepare(asked, watch) {
    const address = addressOf(asked.url, settings.baseURL);
    if (isForeign(address, asked.linkedFrom, settings)) return checked({ url: address, headers: openHeaders(asked.headers), credentials: 'omit', withheld: [] });
    const { headers, credentials, withheld } = secretsFor(address, settings);
    const request = { url: address, origin: new URL(address).origin, headers: merge(headers, asked.headers), credentials };
    if (!settings.beforeRequest || !isNamed(address, settings)) return checked({ ...request, withheld });
    watch.stop(); // the page may be asking its user
    const changed = { ...request, ...(await settings.beforeRequest(request).catch(failedHook)) };
    watch.restart();
    const url = addressOf(changed.url, settings.baseURL);
    if (isNamed(url, settings)) return checked({ ...changed, url, withheld });
    const given = changed.headers ?? {};
    return checked({ url, headers: openHeaders(given), credentials: withoutCookies(changed.credentials), withheld: secretNames(given) });
  }
}

// ------------------------------------------------------------------ the request

/** @param {string} url @param {string} baseURL */
function addressOf(url, baseURL) {
  if (fileNameOf(url).startsWith('localfile:')) throw new RequestFailure('no file of this name was added here, or removeFile() has ended it: the names that addFile() returns hold on their page alone');
  if (!URL.canParse(url, baseURL)) throw new RequestFailure('it is no address');
  const address = new URL(url, baseURL);
  if (new URL(baseURL).protocol === 'https:' && address.protocol === 'http:' && !isLoopback(address.hostname)) {
    throw new RequestFailure('a page that came by https may not fetch by http (mixed content): the server has to be asked by https');
  }
  return address.href;
}

/**
 * Whether the answer of another origin has named an address.
 * @param {string} url absolute @param {string | undefined} linkedFrom @param {Settings} settings
 */
function isForeign(url, linkedFrom, { baseURL, linkedOrigins }) {
  if (linkedFrom === undefined) return false;
  const [from, to] = [new URL(addressOf(linkedFrom, baseURL)), new URL(url)];
  if (to.protocol !== from.protocol && to.protocol !== 'https:') throw new RequestFailure(`an answer of ${from.origin} names it, and may name addresses of ${from.protocol.slice(0, -1)} alone`);
  if (to.origin === from.origin) return false;
  if (linkedOrigins === 'refuse') throw new RequestFailure(`an answer of ${from.origin} names it, which is another origin; init({ linkedOrigins: 'without-secrets' }) allows that`);
  return true;
}

/** @param {string} host */
function isLoopback(host) {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** @param {RequestCredentials} credentials @returns {RequestCredentials} */
function withoutCookies(credentials) {
  return credentials === 'include' ? 'same-origin' : credentials;
}

/** @param {Response} response @param {Record<string, string>} sent @param {string[]} withheld @returns {Head} */
function headOf({ url, status, headers }, sent, withheld) {
  const hasAuthorization = Object.keys(sent).some((name) => name.toLowerCase() === 'authorization');
  return { url, status, headers: Object.fromEntries(headers), hasAuthorization, ...(withheld.length ? { withheld } : {}) };
}

/** @param {any} error @returns {never} */
function failedHook(error) {
  throw new RequestFailure(`beforeRequest of the page failed: ${error?.message ?? error}`);
}

/** A request whose headers can be sent. @param {Prepared} request @returns {Prepared} */
function checked(request) {
  const headers = merge(request.headers);
  for (const [name, value] of Object.entries(headers)) {
    // Some browsers quote the value in their own error.
    const reason = whyUnsent(name, String(value));
    if (reason) throw new RequestFailure(`its header ${JSON.stringify(name)} cannot be sent: ${reason}. Look at headers, beforeRequest and onUnauthorized of the page`);
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

// ------------------------------------------------------------------ the answer

/** @param {Blob} file @param {Request} request @returns {[Head, Response]} */
function openFile(file, { url, byteRange }) {
  const [start, stop] = [byteRange?.[0] ?? 0, Math.min(byteRange?.[1] ?? file.size, file.size)];
  const part = byteRange ? file.slice(start, stop) : file;
  const headers = { 'content-type': file.type, 'content-length': String(part.size), 'accept-ranges': 'bytes' };
  const place = byteRange && { 'content-range': `bytes ${part.size ? `${start}-${stop - 1}` : '*'}/${file.size}` };
  const status = !byteRange ? 200 : part.size ? 206 : 416;
  return [{ url: file instanceof File ? file.name : url, status, headers: { ...headers, ...place } }, new Response(part)];
}

/** @param {Head} head @param {Response} response @param {Reader} reader @param {IdleTimeout} watch @param {Spares} spares */
async function readBody(head, response, { onProgress: report, begin, feed, most = Infinity }, watch, spares) {
  // A compressed body's Content-Length counts other bytes than those that arrive here.
  const announced = head.headers['content-encoding'] ? undefined : head.headers['content-length'];
  const total = announced ? Number(announced) : undefined;
  const isSuccess = head.status >= 200 && head.status < 300;
  const fed = isSuccess && begin?.(head) ? feed : undefined;
  if (!response.body) return NOTHING;
  const limit = isSuccess ? { bytes: most, pass: tooLarge(head.url, most) } : { bytes: REFUSAL_BYTES, pass: () => {} };
  if (isSuccess && !fed && total && total > most) {
    await response.body.cancel(); // of what is fed, the first bytes may be enough
    limit.pass(total);
  }
  const onProgress = isSuccess ? report : () => {}; // what an error says is no part of what was asked for
  // Of the same origin all headers are seen: with as many bytes as announced the body has ended.
  const isSure = response.type === 'basic';
  // The stream of a Blob, read so, never ends in Chromium when the thread was held up meanwhile.
  const isFile = !/^https?:/.test(response.url);
  const filling = fed || isFile || !isSuccess ? undefined : Filling.of(response.body, total, spares);
  if (filling) {
    await readStream(filling, total, { onProgress, take: () => true, watch, isSure, limit });
    return filling.body;
  }
  /** @type {Uint8Array[]} */
  const chunks = [];
  const take = fed ?? ((/** @type {Uint8Array} */ chunk) => chunks.push(chunk) > 0);
  const loaded = await readStream(response.body.getReader(), total, { onProgress, take, watch, isSure, limit });
  if (fed) return NOTHING;
  return chunks.length === 1 ? chunks[0] : join(chunks, loaded);
}

/** Reads a body into one buffer of the length that was announced, where the browser does that. */
class Filling {
  #reader;
  #length;
  #buffer;
  #filled = 0;
  #wanted = 1;

  /** @param {ReadableStreamBYOBReader} reader @param {number} length @param {Spares} spares */
  constructor(reader, length, spares) {
    this.#reader = reader;
    this.#length = length;
    this.#buffer = spares.take(length + 1); // there is always room to see the end
  }

  /** @param {ReadableStream} stream @param {number | undefined} length @param {Spares} spares @returns {Filling | undefined} */
  static of(stream, length, spares) {
    if (!length || length > MOST_IN_ADVANCE) return undefined;
    try {
      return new Filling(stream.getReader({ mode: 'byob' }), length, spares);
    } catch {
      return undefined; // no stream of bytes
    }
  }

  /** @returns {Promise<{done: boolean, value: Uint8Array}>} */
  async read() {
    // A server of another origin may hide that what it counts is compressed.
    if (this.#filled === this.#buffer.byteLength) this.#buffer = join([new Uint8Array(this.#buffer)], 2 * this.#filled).buffer;
    const asked = performance.now();
    const min = Math.max(1, Math.min(this.#wanted, this.#length - this.#filled));
    const { done, value = NOTHING } = await /** @type {any} */ (this.#reader).read(new Uint8Array(this.#buffer, this.#filled), { min });
    this.#wanted = value.length >= FULL && performance.now() - asked < FAST_MS ? 4 * FULL : 1;
    this.#buffer = value.buffer; // the one that was given is taken away
    this.#filled += value.length;
    return { done, value };
  }

  cancel() {
    return this.#reader.cancel();
  }

  get body() {
    return new Uint8Array(this.#buffer, 0, this.#filled);
  }
}

/** @param {number} loaded @param {number | undefined} total @returns {(error: any) => never} */
function cut(loaded, total) {
  return (error) => {
    throw new CutFailure(`the connection was cut after ${loaded} of ${total ?? 'an unknown number of'} bytes (${error.message})`);
  };
}

/** @param {Filling | ReadableStreamDefaultReader<Uint8Array>} reader @param {number | undefined} total @param {{onProgress: OnProgress, take: (chunk: Uint8Array) => boolean, watch: IdleTimeout, isSure: boolean, limit: Limit}} use `isSure` whether `total` bytes are all */
async function readStream(reader, total, { onProgress, take, watch, isSure, limit }) {
  let [loaded, told, reported] = [0, -1, 0];
  for (;;) {
    const { done, value = NOTHING } = await reader.read().catch(cut(loaded, total));
    loaded += value.length; // also with the last word, when less came than was awaited
    if (done) break;
    watch.restart();
    if (performance.now() - reported > REPORT_EVERY_MS) {
      reported = performance.now();
      onProgress((told = loaded), total);
    }
    const isBeyond = loaded > limit.bytes;
    if (isBeyond || !take(value)) {
      await reader.cancel();
      if (isBeyond) limit.pass(loaded);
      break;
    }
    if (isSure && loaded === total) break;
  }
  if (told !== loaded) onProgress(loaded, total);
  return loaded;
}

/** @param {Uint8Array[]} chunks @param {number} length */
function join(chunks, length) {
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}

/** @param {string} url @param {number} most @returns {(loaded: number) => never} */
function tooLarge(url, most) {
  return (loaded) => {
    throw new SizeFailure(`the answer of ${url} has ${loaded} bytes or more, decoded, and may have ${most}, as one image or volume may: it has no end, is made to do harm, or the limit (limits.decodedBytes of init) has to be raised`);
  };
}

// ------------------------------------------------------------------ no answer

/** @param {any} error */
function kindOf(error) {
  if (error instanceof SizeFailure) return 'size';
  return error instanceof RequestFailure ? 'request' : 'network';
}

/** @param {Request} request @param {Settings} settings @param {any} error */
async function describeFailure({ url, headers, isLast }, settings, error) {
  if (error instanceof SizeFailure) return error.message;
  const words = `could not fetch ${url}: ${error?.message ?? error}`;
  if (error instanceof RequestFailure || error instanceof CutFailure) return words;
  const { origin } = new URL(settings.baseURL);
  const address = new URL(url, settings.baseURL);
  if (address.origin === origin) return `${words}. The server cannot be reached, or closed the connection`;
  const elsewhere = `${words}. It is on another origin`;
  if (!isLast) return elsewhere;
  if (!(await isReachable(address))) return `${elsewhere}, and cannot be reached`;
  return `${elsewhere}, which answers but does not let this page read its answers (CORS). ${whatToSend(origin, address, headers, settings)}`;
}

/** Whether a server answers at all, though nothing of its answer may be seen. @param {URL} address */
function isReachable(address) {
  const probe = fetch(address, { method: 'HEAD', mode: 'no-cors', credentials: 'omit', signal: AbortSignal.timeout(PROBE_MS) });
  return probe.then(() => true, () => false);
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
