// @ts-check
// Reads the bodies of responses, up to a limit: into one buffer if the length is known, or passes them on chunk
// by chunk.

/** @typedef {import('./redirects.js').Head} Head */
/** @typedef {import('../shared/idle_timeout.js').IdleTimeout} IdleTimeout */
/** @typedef {(loaded: number, total: number | undefined) => void} OnProgress */
/**
 * @typedef {{onProgress: OnProgress, begin?: (head: Head) => boolean, feed?: (chunk: Uint8Array) => boolean, most?:
 *   number}} Reader `most`: limit of bytes for a success
 */
/** @typedef {{bytes: number, pass: (loaded: number) => void}} Limit of a body; `pass` is called beyond it */
/**
 * @typedef {{read(view: Uint8Array, options: {min: number}): Promise<{done: boolean, value?:
 *   Uint8Array<ArrayBuffer>}>}} MinimumReader a reader that can wait for a number of bytes
 */

const REPORT_EVERY_MS = 50;
// Bytes read of the body of an error response; messages quote only its first line.
const REFUSAL_BYTES = 2 ** 22;
const NOTHING = new Uint8Array(0);
// Largest buffer that is allocated for a body before it arrives.
const MOST_IN_ADVANCE = 2 ** 28;
// Size of the chunks that browsers deliver while more of a body is waiting. The garbage collector counts the whole
// buffer as new with each chunk: so wait for several chunks at a time while they come fast. Otherwise take each
// chunk at once, or the idle timeout would mistake a slow server for a silent one.
const FULL = 2 ** 16;
const FAST_MS = 20;

/** A response that ended too early, or did not come. */
export class CutFailure extends Error {}

/** A response that is larger than its limit. */
export class SizeFailure extends Error {}

/**
 * Read the body of a response; a body that is fed returns no bytes.
 * @param {Head} head @param {Response} response @param {Reader} reader @param {IdleTimeout} watch
 * @param {BufferPool} buffers
 */
export async function readBody(head, response, { onProgress: report, begin, feed, most = Infinity }, watch, buffers) {
  // The Content-Length of a compressed body counts compressed bytes; those that arrive here are decoded.
  const announced = head.headers['content-encoding'] ? undefined : head.headers['content-length'];
  const total = announced ? Number(announced) : undefined;
  const isSuccess = head.status >= 200 && head.status < 300;
  const fed = isSuccess && begin?.(head) ? feed : undefined;
  if (!response.body) return NOTHING;
  const limit = isSuccess ? { bytes: most, pass: tooLarge(head.url, most) } : { bytes: REFUSAL_BYTES, pass: () => {} };
  if (isSuccess && !fed && total && total > most) {
    await response.body.cancel(); // a body that is fed may go on: its first bytes may be enough
    limit.pass(total);
  }
  const onProgress = isSuccess ? report : () => {}; // an error body is not part of the requested data
  // A response of the same origin shows all its headers: after the announced number of bytes the body has ended.
  const isSure = response.type === 'basic';
  // In Chromium, a Blob's stream read into a buffer never ends if the thread was blocked meanwhile.
  const isFile = !/^https?:/.test(response.url);
  const reader = fed || isFile || !isSuccess ? undefined : BufferReader.of(response.body, total, buffers);
  if (reader) {
    await readStream(reader, total, { onProgress, take: () => true, watch, isSure, limit });
    return reader.body;
  }
  /** @type {Uint8Array[]} */
  const chunks = [];
  const take = fed ?? ((/** @type {Uint8Array} */ chunk) => chunks.push(chunk) > 0);
  const loaded = await readStream(response.body.getReader(), total, { onProgress, take, watch, isSure, limit });
  if (fed) return NOTHING;
  return chunks.length === 1 ? chunks[0] : join(chunks, loaded);
}

/** Reads a body into one buffer of the announced length, in browsers that can. */
class BufferReader {
  #reader;
  #length;
  #buffer;
  #filled = 0;
  #wanted = 1;

  /** @param {ReadableStreamBYOBReader} reader @param {number} length @param {BufferPool} buffers */
  constructor(reader, length, buffers) {
    this.#reader = reader;
    this.#length = length;
    this.#buffer = buffers.take(length + 1); // one byte more, so that the last read has room to find the end
  }

  /**
   * @param {ReadableStream} stream @param {number | undefined} length @param {BufferPool} buffers
   * @returns {BufferReader | undefined}
   */
  static of(stream, length, buffers) {
    if (!length || length > MOST_IN_ADVANCE) return undefined;
    try {
      return new BufferReader(stream.getReader({ mode: 'byob' }), length, buffers);
    } catch {
      return undefined; // not a byte stream
    }
  }

  /** @returns {Promise<{done: boolean, value: Uint8Array}>} */
  async read() {
    // The body may be longer: a server of another origin may hide that its Content-Length counts compressed bytes.
    if (this.#filled === this.#buffer.byteLength)
      this.#buffer = join([new Uint8Array(this.#buffer)], 2 * this.#filled).buffer;
    const started = performance.now();
    const min = Math.max(1, Math.min(this.#wanted, this.#length - this.#filled));
    const { done, value = NOTHING } = await /** @type {MinimumReader} */ (this.#reader).read(
      new Uint8Array(this.#buffer, this.#filled),
      { min },
    );
    this.#wanted = value.length >= FULL && performance.now() - started < FAST_MS ? 4 * FULL : 1;
    this.#buffer = value.buffer; // the read detached the previous one
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

/** @param {number} loaded @param {number | undefined} total @returns {(error: Error) => never} */
function cut(loaded, total) {
  return (error) => {
    throw new CutFailure(
      `the connection was cut after ${loaded} of ${total ?? 'an unknown number of'} bytes (${error.message})`,
    );
  };
}

/**
 * @param {BufferReader | ReadableStreamDefaultReader<Uint8Array>} reader @param {number | undefined} total
 * @param {{onProgress: OnProgress, take: (chunk: Uint8Array) => boolean, watch: IdleTimeout, isSure: boolean, limit:
 *   Limit}} use `isSure`: the body has exactly `total` bytes
 */
async function readStream(reader, total, { onProgress, take, watch, isSure, limit }) {
  let [loaded, reported, reportTime] = [0, -1, 0];
  for (;;) {
    const { done, value = NOTHING } = await reader.read().catch(cut(loaded, total));
    loaded += value.length; // also when done: the last read may return less than its minimum
    if (done) break;
    watch.restart();
    if (performance.now() - reportTime > REPORT_EVERY_MS) {
      reportTime = performance.now();
      reported = loaded;
      onProgress(reported, total);
    }
    const isBeyond = loaded > limit.bytes;
    if (isBeyond || !take(value)) {
      await reader.cancel();
      if (isBeyond) limit.pass(loaded);
      break;
    }
    if (isSure && loaded === total) break;
  }
  if (reported !== loaded) onProgress(loaded, total);
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
    throw new SizeFailure(
      `the response of ${url} has ${loaded} bytes or more, decoded, and may have ${most}, ` +
        'as one image or volume may: it has no end, is malicious, ' +
        'or the limit (limits.decodedBytes of init) has to be raised',
    );
  };
}

// ------------------------------------------------------------------ buffers

const UNIT = 2 ** 16;
const LARGEST = 2 ** 22;
const MOST_BYTES = 2 ** 24;

/** Keeps buffers for reuse. A new buffer costs more: its memory has to be cleared, and mapped page by page. */
export class BufferPool {
  /** Buffers, the latest first. @type {ArrayBuffer[]} */
  #buffers = [];
  #bytes = 0;

  /**
   * Return a buffer of at least `length` bytes, with arbitrary contents.
   * @param {number} length
   */
  take(length) {
    const size = Math.ceil(length / UNIT) * UNIT;
    const index = this.#buffers.findIndex(({ byteLength }) => byteLength >= length && byteLength <= 2 * size);
    if (index < 0) return new ArrayBuffer(size > LARGEST ? length : size);
    const [buffer] = this.#buffers.splice(index, 1);
    this.#bytes -= buffer.byteLength;
    return buffer;
  }

  /** Keep a buffer that is no longer used, and drop the oldest beyond the limit. @param {ArrayBuffer} buffer */
  give(buffer) {
    if (buffer.byteLength < UNIT || buffer.byteLength > LARGEST) return;
    this.#buffers.unshift(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > MOST_BYTES) this.#bytes -= /** @type {ArrayBuffer} */ (this.#buffers.pop()).byteLength;
  }
}
