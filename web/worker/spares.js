// @ts-check
// Buffers that are used again. The memory of a new one has to be cleared, and mapped page by page.

const UNIT = 2 ** 16;
const LARGEST = 2 ** 22;
const MOST_BYTES = 2 ** 24;

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
