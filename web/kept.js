// @ts-check
// A file unpacked, kept in Cache Storage for the visitor's next visit: to unpack it again takes a
// fifth of a start. Where that storage is not to be had, or what it gives is damaged, there is none.

const STORAGE = 'pyloader';
const SUM = 'x-sum';
// A storage that does not answer must not hold a start up.
const PATIENCE_MS = 2000;
// While the first images come, they have what there is of the machine.
const LATER_MS = 3000;

export class Kept {
  /** @param {string} url of the packed file, with its digest */
  constructor(url) {
    this.url = url;
    /** What an earlier visit left. @type {Promise<ArrayBuffer | undefined>} */
    this.file = Promise.race([readKept(url), patience()]).catch(() => undefined);
  }

  /** Keep the file, if it is not, in place of those of other builds; not before the machine has time. @param {ArrayBuffer} file */
  async keep(file) {
    if (await this.file) return;
    setTimeout(() => writeKept(this.url, file).catch(() => {}), LATER_MS); // refused, or no room left
  }
}

/** @param {string} url @returns {Promise<ArrayBuffer | undefined>} */
async function readKept(url) {
  const storage = await caches.open(STORAGE);
  const answer = await storage.match(url);
  const file = await answer?.arrayBuffer();
  return file && answer?.headers.get(SUM) === sumOf(file) ? file : undefined;
}

/** @returns {Promise<undefined>} */
function patience() {
  return new Promise((resolve) => void setTimeout(resolve, PATIENCE_MS));
}

/** @param {string} url @param {ArrayBuffer} file */
async function writeKept(url, file) {
  const storage = await caches.open(STORAGE);
  const { pathname } = new URL(url);
  const others = (await storage.keys()).filter((request) => new URL(request.url).pathname === pathname);
  await Promise.all(others.map((request) => storage.delete(request)));
  await storage.put(url, new Response(file, { headers: { [SUM]: sumOf(file) } }));
}

/** One word changed changes it for certain. @param {ArrayBuffer} file of a multiple of 4 bytes @returns {string} its checksum and length */
function sumOf(file) {
  const words = new Uint32Array(file);
  let sum = 0;
  for (let index = 0; index < words.length; index++) sum = Math.imul(sum ^ words[index], 0x01000193);
  return `${sum >>> 0} of ${file.byteLength}`;
}
