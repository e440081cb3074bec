// @ts-check
// The reading of bodies: as they arrive, into one buffer where the length is known, fed on piece by
// piece, up to a limit.

/** @typedef {import('./redirects.js').Head} Head */
/** @typedef {import('../shared/idle_timeout.js').IdleTimeout} IdleTimeout */
/** @typedef {(loaded: number, total: number | undefined) => void} OnProgress */
/**
 * @typedef {{onProgress: OnProgress, begin?: (head: Head) => boolean, feed?: (chunk: Uint8Array) => boolean, most?:
 *   number}} Reader `most`: bytes that a success may have
 */
/** @typedef {{bytes: number, pass: (loaded: number) => void}} Limit of a body, and what is done beyond it */
/**
 * @typedef {{read(view: Uint8Array, options: {min: number}): Promise<{done: boolean, value?:
 *   Uint8Array<ArrayBuffer>}>}} ByLength a reader that can wait for some bytes
 */

const REPORT_EVERY_MS = 50;
// Bytes that are read of the body of a refusal, whose first line alone is told.
const REFUSAL_BYTES = 2 ** 22;
const NOTHING = new Uint8Array(0);
// Bytes that are taken for a body before it comes, at most.
const MOST_IN_ADVANCE = 2 ** 28;
// Bytes that browsers hand out of a body when there is more. Each time its whole buffer counts as new to the
// collector of garbage: so while it comes that fast, several are awaited at a time. Else all that
// comes has to be seen, or a slow server would be taken for a silent one.
const FULL = 2 ** 16;
const FAST_MS = 20;

/** An answer that ended before its time. */
export class CutFailure extends Error {}

/** An answer that is larger than it may be. */
export class SizeFailure extends Error {}

/**
 * @param {Head} head @param {Response} response @param {Reader} reader @param {IdleTimeout} watch
 * @param {Spares} spares
 */
export async function readBody(head, response, { onProgress: report, begin, feed, most = Infinity }, watch, spares) {
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

  /**
   * @param {ReadableStream} stream @param {number | undefined} length @param {Spares} spares
   * @returns {Filling | undefined}
   */
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
    if (this.#filled === this.#buffer.byteLength)
      this.#buffer = join([new Uint8Array(this.#buffer)], 2 * this.#filled).buffer;
    const asked = performance.now();
    const min = Math.max(1, Math.min(this.#wanted, this.#length - this.#filled));
    const { done, value = NOTHING } = await /** @type {ByLength} */ (this.#reader).read(
      new Uint8Array(this.#buffer, this.#filled),
      { min },
    );
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

/** @param {number} loaded @param {number | undefined} total @returns {(error: Error) => never} */
function cut(loaded, total) {
  return (error) => {
    throw new CutFailure(
      `the connection was cut after ${loaded} of ${total ?? 'an unknown number of'} bytes (${error.message})`,
    );
  };
}

/**
 * @param {Filling | ReadableStreamDefaultReader<Uint8Array>} reader @param {number | undefined} total
 * @param {{onProgress: OnProgress, take: (chunk: Uint8Array) => boolean, watch: IdleTimeout, isSure: boolean, limit:
 *   Limit}} use `isSure` whether `total` bytes are all
 */
async function readStream(reader, total, { onProgress, take, watch, isSure, limit }) {
  let [loaded, told, reported] = [0, -1, 0];
  for (;;) {
    const { done, value = NOTHING } = await reader.read().catch(cut(loaded, total));
    loaded += value.length; // also with the last word, when less came than was awaited
    if (done) break;
    watch.restart();
    if (performance.now() - reported > REPORT_EVERY_MS) {
      reported = performance.now();
      told = loaded;
      onProgress(told, total);
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
    throw new SizeFailure(
      `the answer of ${url} has ${loaded} bytes or more, decoded, and may have ${most}, as one image or volume may: it has no end, is made to do harm, or the limit (limits.decodedBytes of init) has to be raised`,
    );
  };
}

// ------------------------------------------------------------------ buffers

const UNIT = 2 ** 16;
const LARGEST = 2 ** 22;
const MOST_BYTES = 2 ** 24;

/** Buffers that are used again. The memory of a new one has to be cleared, and mapped page by page. */
export class Spares {
  /** The one that came last first. @type {ArrayBuffer[]} */
  #buffers = [];
  #bytes = 0;

  /**
   * A buffer of at least `length` bytes, with anything in it.
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

  /** Keep a buffer that nobody looks at any more; the oldest go. @param {ArrayBuffer} buffer */
  give(buffer) {
    if (buffer.byteLength < UNIT || buffer.byteLength > LARGEST) return;
    this.#buffers.unshift(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > MOST_BYTES) this.#bytes -= /** @type {ArrayBuffer} */ (this.#buffers.pop()).byteLength;
  }
}
