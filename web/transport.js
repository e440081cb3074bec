// @ts-check
// The worker's half of transport/browser.py: `fetch` with the page's headers, hook and credentials,
// a body read as it arrives, and local files by name.

/** @typedef {{url: string, headers: Record<string, string>, byteRange?: [number, number]}} Request */
/** @typedef {{url: string, headers: Record<string, string>, credentials: RequestCredentials}} HookedRequest */
/** @typedef {{url: string, status: number, headers: Record<string, string>, body: Uint8Array} | {error: string}} Answer */
/** @typedef {(loaded: number, total: number | undefined) => void} OnProgress */

const WHOLE_BODY_BYTES = 1 << 20;
const REPORT_EVERY_MS = 50;

/**
 * Make the function that Python sends requests through.
 * @param {{baseURL: string, headers: Record<string, string>, credentials: RequestCredentials}} settings
 * @param {Map<string, Blob>} files local files by the name that stands in place of a URL
 * @param {((request: HookedRequest) => Promise<HookedRequest | undefined>) | null} beforeRequest
 */
export function createSend(settings, files, beforeRequest) {
  /**
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {OnProgress} onProgress
   * @returns {Promise<Answer>} an answer of any status; `{error}` when there is none
   */
  return async function send(request, signal, onProgress) {
    const file = files.get(request.url);
    try {
      return file ? await readFile(file, request, onProgress) : await sendHttp(request, signal, onProgress);
    } catch (error) {
      if (signal.aborted) throw error;
      return { error: describeFailure(request.url, settings.baseURL, error) };
    }
  };

  /** @param {Request} request @param {AbortSignal} signal @param {OnProgress} onProgress */
  async function sendHttp({ url, headers, byteRange }, signal, onProgress) {
    /** @type {HookedRequest} */
    let request = {
      url: new URL(url, settings.baseURL).href,
      headers: { ...settings.headers, ...headers, ...rangeHeader(byteRange) },
      credentials: settings.credentials,
    };
    if (beforeRequest) request = { ...request, ...(await beforeRequest(request).catch(failedHook)) };
    const { headers: sent, credentials } = request;
    const response = await fetch(request.url, { headers: sent, credentials, signal });
    const body = await readBody(response, onProgress);
    return { url: response.url, status: response.status, headers: Object.fromEntries(response.headers), body };
  }
}

/** The page's own hook failed: no server had a part in it. */
class HookFailure extends Error {}

/** @param {any} error @returns {never} */
function failedHook(error) {
  throw new HookFailure(`beforeRequest of the page failed: ${error?.message ?? error}`);
}

/** @param {[number, number] | undefined} byteRange */
function rangeHeader(byteRange) {
  return /** @type {Record<string, string>} */ (byteRange ? { Range: `bytes=${byteRange[0]}-${byteRange[1] - 1}` } : {});
}

/** @param {Blob} file @param {Request} request @param {OnProgress} onProgress */
async function readFile(file, { url, byteRange }, onProgress) {
  const part = byteRange ? file.slice(...byteRange) : file;
  const body = new Uint8Array(await part.arrayBuffer());
  onProgress(body.length, body.length);
  return { url: file instanceof File ? file.name : url, status: byteRange ? 206 : 200, headers: { 'content-type': file.type }, body };
}

/** @param {Response} response @param {OnProgress} onProgress */
async function readBody(response, onProgress) {
  // A compressed body's Content-Length counts other bytes than those that arrive here.
  const announced = response.headers.get('content-encoding') ? null : response.headers.get('content-length');
  const total = announced ? Number(announced) : undefined;
  if (!response.body || (total !== undefined && total <= WHOLE_BODY_BYTES)) {
    const body = new Uint8Array(await response.arrayBuffer());
    onProgress(body.length, total);
    return body;
  }
  return readStream(response.body.getReader(), total, onProgress);
}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader @param {number | undefined} total @param {OnProgress} onProgress */
async function readStream(reader, total, onProgress) {
  const chunks = [];
  let loaded = 0;
  let reported = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw new Error(`the connection was cut after ${loaded} of ${total ?? 'an unknown number of'} bytes (${error.message})`);
    });
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    if (performance.now() - reported > REPORT_EVERY_MS) {
      reported = performance.now();
      onProgress(loaded, total);
    }
  }
  onProgress(loaded, total);
  return join(chunks, loaded);
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

/** @param {string} url @param {string} baseURL @param {any} error */
function describeFailure(url, baseURL, error) {
  if (url.startsWith('dicomfile:')) return `${url} is not here: addFile() gives the name, removeFile() ends it`;
  if (error instanceof HookFailure) return `could not fetch ${url}: ${error.message}`;
  const words = `could not fetch ${url}: ${error?.message ?? error}`;
  const elsewhere = URL.canParse(url, baseURL) && new URL(url, baseURL).origin !== new URL(baseURL).origin;
  return elsewhere
    ? `${words}. It is on another origin: a server that sends no Access-Control-Allow-Origin for this page fails this way, and so does one that cannot be reached`
    : `${words}. The server cannot be reached, or closed the connection`;
}
