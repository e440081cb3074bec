// @ts-check
// The artifacts that an interpreter starts from: compiled WebAssembly and a snapshot of memory. The first worker
// fetches and compiles them in parallel, and passes them on to the others.
import { fetchAnd } from '../shared/assets.js';
import { SnapshotCache } from './snapshot_cache.js';
import { LOCK, assetOf, snapshotAsset } from './lock.js';
import { Snapshot } from './snapshot.js';

/** @typedef {import('./pyodide.js').Library} Library */
/** @typedef {import('../shared/messages.d.ts').Shared} Shared artifacts that one worker passes to others */
/** @typedef {<Value>(name: string, work: Promise<Value>) => Promise<Value>} Measure */

const GZIP_MAGIC = [0x1f, 0x8b, 8];
const STARTING = Object.values(LOCK.libraries).filter(({ starting }) => starting);

export class Artifacts {
  /** @param {import('../shared/assets.js').Assets} assets @param {Shared | undefined} given @param {Measure} measure */
  constructor(assets, given, measure) {
    // Begin with the cache: its digest takes a while beside the compilers.
    this.cache = given ? undefined : new SnapshotCache(snapshotAsset(assets));
    const fetched = (/** @type {string} */ file) => compile(assetOf(assets, file));
    /** Program of the interpreter. @type {Promise<WebAssembly.Module>} */
    this.program = measure('program', given ? Promise.resolve(given.program) : fetched('pyodide.asm.wasm'));
    const codes = given
      ? Promise.resolve(given.libraries)
      : Promise.all(STARTING.map(({ file_name }) => fetched(file_name)));
    /** @type {Promise<Library[]>} */
    this.libraries = measure(
      'libraries',
      codes.then((modules) => STARTING.map(({ path }, index) => ({ path, module: modules[index] }))),
    );
    const file = this.cache ? unpacked(this.cache) : readGiven(given?.snapshot);
    /** Snapshot of memory; rejects if none fits. @type {Promise<Snapshot>} */
    this.snapshot = measure('snapshot', file.then(snapshotOf));
    // The code that awaits an artifact gets its error.
    for (const artifact of [this.program, this.libraries, this.snapshot]) artifact.catch(() => {});
  }

  /**
   * Return the artifacts for other workers, and keep the snapshot for the next visit.
   * @param {Snapshot | undefined} snapshot the restored one @returns {Promise<Shared>}
   */
  async share(snapshot) {
    if (snapshot) this.cache?.keep(snapshot.file);
    const [program, libraries] = await Promise.all([this.program, this.libraries]);
    return {
      program,
      libraries: libraries.map(({ module }) => module),
      snapshot: snapshot && new Blob([snapshot.file]),
    };
  }
}

/**
 * Compile a program once the fetch has verified it as a whole. A later visit then took 1.06 of the time that it takes
 * without any digest. It took 1.2 with the digest computed beside the compiler, since the browser computes digests on
 * the threads that compile; and 1.4 when the program was compiled as it arrived, with the digest computed from a copy
 * of the stream. A start by the page, while the worker's script is loading, saves nothing on two cores, and blocks the
 * page's own thread for 220 ms.
 * @param {import('../shared/assets.js').Asset} asset @returns {Promise<WebAssembly.Module>}
 */
function compile(asset) {
  // A server that sends another media type makes this slower, but it works.
  return fetchAnd(asset, async (response) =>
    response.headers.get('Content-Type')?.startsWith('application/wasm')
      ? WebAssembly.compileStreaming(response)
      : WebAssembly.compile(await response.arrayBuffer()),
  );
}

/**
 * Return the cached file, or fetch and unpack it. If a file is found in the cache, fetch nothing before it is
 * verified: to fetch and unpack the other one meanwhile made a later visit a fifth longer.
 * @param {SnapshotCache} cache @returns {Promise<ArrayBuffer>}
 */
async function unpacked({ asset, isFound, file }) {
  const cached = (await isFound) ? await file : undefined;
  return cached ?? fetchAnd(asset, readPacked);
}

/**
 * Read the snapshot, which arrives as a gzip file, or unpacked if the server sends it with brotli.
 * @param {Response} response @returns {Promise<ArrayBuffer>}
 */
async function readPacked({ body }) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (body).getReader();
  const first = await reader.read();
  const whole = new ReadableStream({
    start: (to) => first.value && to.enqueue(first.value),
    pull: (to) => reader.read().then(({ done, value }) => (done ? to.close() : to.enqueue(value))),
  });
  const isPacked = GZIP_MAGIC.every((byte, index) => first.value?.[index] === byte);
  return new Response(isPacked ? whole.pipeThrough(new DecompressionStream('gzip')) : whole).arrayBuffer();
}

/** @param {Blob | undefined} blob @returns {Promise<ArrayBuffer>} */
async function readGiven(blob) {
  if (!blob) throw new Error('the first worker started without a snapshot');
  return blob.arrayBuffer();
}

/** @param {ArrayBuffer} file */
function snapshotOf(file) {
  const snapshot = new Snapshot(file);
  if (snapshot.header.identity !== LOCK.identity) throw new Error('the snapshot is of another build');
  return snapshot;
}
