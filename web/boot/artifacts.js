// @ts-check
// What an interpreter starts from: compiled WebAssembly and a snapshot of memory. The first worker
// fetches and compiles it all at once; others are given it.
import { fetchAnd } from '../shared/assets.js';
import { SnapshotCache } from './snapshot_cache.js';
import { LOCK, assetOf, snapshotAsset } from './lock.js';
import { Snapshot } from './snapshot.js';

/** @typedef {import('./pyodide.js').Library} Library */
/** @typedef {import('../shared/messages.d.ts').Shared} Shared what one worker gives others */
/** @typedef {<Value>(name: string, work: Promise<Value>) => Promise<Value>} Measure */

const GZIP_MAGIC = [0x1f, 0x8b, 8];
const STARTING = Object.values(LOCK.libraries).filter(({ starting }) => starting);

export class Artifacts {
  /** @param {import('../shared/assets.js').Assets} assets @param {Shared | undefined} given @param {Measure} measure */
  constructor(assets, given, measure) {
    this.kept = given ? undefined : new SnapshotCache(snapshotAsset(assets)); // first: its digest takes a while beside the compilers
    const fetched = (/** @type {string} */ file) => compile(assetOf(assets, file));
    /** The interpreter itself. @type {Promise<WebAssembly.Module>} */
    this.program = measure('program', given ? Promise.resolve(given.program) : fetched('pyodide.asm.wasm'));
    const codes = given
      ? Promise.resolve(given.libraries)
      : Promise.all(STARTING.map(({ file_name }) => fetched(file_name)));
    /** @type {Promise<Library[]>} */
    this.libraries = measure(
      'libraries',
      codes.then((modules) => STARTING.map(({ path }, index) => ({ path, module: modules[index] }))),
    );
    const file = this.kept ? unpacked(this.kept) : readGiven(given?.snapshot);
    /** Of memory; rejects when there is none that fits. @type {Promise<Snapshot>} */
    this.snapshot = measure('snapshot', file.then(snapshotOf));
    for (const part of [this.program, this.libraries, this.snapshot]) part.catch(() => {}); // whoever awaits it is told
  }

  /** For other workers, and for the next visit. @param {Snapshot | undefined} snapshot that was put back @returns {Promise<Shared>} */
  async share(snapshot) {
    if (snapshot) this.kept?.keep(snapshot.file);
    const [program, libraries] = await Promise.all([this.program, this.libraries]);
    return {
      program,
      libraries: libraries.map(({ module }) => module),
      snapshot: snapshot && new Blob([snapshot.file]),
    };
  }
}

/**
 * Compile a program when the fetch has verified it, which it gives whole. A later visit took 1.06 of
 * the time that it takes without any digest; 1.2 when the digest was taken of the bytes beside the
 * compiler, since the browser's digests wait for the threads that compile; 1.4 when it was compiled
 * as it came, and the digest taken of a copy of the stream. Begun by the page while the worker's script
 * comes, it takes no less on two cores, and holds the page's own thread for 220 ms.
 * @param {import('../shared/assets.js').Asset} asset @returns {Promise<WebAssembly.Module>}
 */
function compile(asset) {
  // A server that does not know the media type: later, but it works.
  return fetchAnd(asset, async (answer) =>
    answer.headers.get('Content-Type')?.startsWith('application/wasm')
      ? WebAssembly.compileStreaming(answer)
      : WebAssembly.compile(await answer.arrayBuffer()),
  );
}

/**
 * The file that was kept, else as it is fetched. Where one is found nothing is fetched before that is
 * verified: to fetch and unpack the other meanwhile made a later visit a fifth longer.
 * @param {SnapshotCache} kept @returns {Promise<ArrayBuffer>}
 */
async function unpacked({ asset, isFound, file }) {
  const kept = (await isFound) ? await file : undefined;
  return kept ?? fetchAnd(asset, readPacked);
}

/**
 * Read the snapshot, which comes in gzip, or as it is where the server has it in brotli.
 * @param {Response} answer @returns {Promise<ArrayBuffer>}
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
  if (!blob) throw new Error('the first worker started without one');
  return blob.arrayBuffer();
}

/** @param {ArrayBuffer} file */
function snapshotOf(file) {
  const snapshot = new Snapshot(file);
  if (snapshot.header.identity !== LOCK.identity) throw new Error('the snapshot is of another build');
  return snapshot;
}
