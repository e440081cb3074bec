// @ts-check
// The workers that there are: how many, what each of them has to hear, and when one ends.
import { abortError } from '../shared/errors.js';
import { Slot } from './worker_handle.js';

/** @typedef {{workers: number | 'auto', requestsPerOrigin: number, heapBytes: number, boot: import('../boot/boot.js').BootOptions}} CrewSettings `heapBytes`: a worker that rests with more is replaced */
/** @typedef {{onReady: () => void, onGone: (slot: Slot) => void, onNobody: (error: Error) => void}} CrewListener */

const REST_MS = 30_000;

export class Crew {
  /** @type {Slot[]} */
  slots = [];
  deaths = 0;
  /** @type {Map<string, [string, any]>} what every new worker has to hear, by key */
  #replay = new Map();
  /** @type {import('../boot/artifacts.js').Shared | undefined} */
  #parts;
  #ended = false;

  /** @param {CrewSettings} settings @param {import('./worker_handle.js').SlotHost} host @param {CrewListener} listener */
  constructor(settings, host, listener) {
    this.settings = settings;
    this.host = host;
    this.listener = listener;
    this.limit = workerLimit(settings.workers);
  }

  /** Boot the first worker, and the others too when their number was given. */
  async start() {
    const count = this.settings.workers === 'auto' ? 1 : this.limit;
    await this.grow(); // what it has fetched and compiled is there for the others
    await Promise.all(Array.from({ length: count - 1 }, () => this.grow()));
  }

  /** Those that take jobs. */
  ready() {
    return this.slots.filter((slot) => slot.state === 'ready');
  }

  /** Whether another one may be started, and none is starting. */
  get mayGrow() {
    return !this.#ended && this.slots.length < this.limit && this.slots.every((slot) => slot.state === 'ready');
  }

  /** True while another one is starting. */
  get isStarting() {
    return this.slots.some(({ state }) => state === 'booting');
  }

  async grow() {
    const slot = new Slot(this.host, (error) => this.#onDeath(slot));
    this.slots.push(slot);
    try {
      slot.booted = slot.boot({ ...this.settings.boot, parts: this.#parts }, this.#replay);
      await slot.booted;
      this.#parts ??= slot.parts;
      this.#share();
      this.rest(slot);
      this.listener.onReady();
    } catch (error) {
      slot.end(/** @type {Error} */ (error));
      this.#remove(slot);
      // Others may be at work; the jobs fail only when nobody is left to do them.
      if (!this.slots.length) this.listener.onNobody(/** @type {Error} */ (error));
      throw error;
    }
  }

  /** @returns {Promise<Slot>} the least busy one, when there is one */
  async leastBusy() {
    await this.#someReady();
    const staying = this.ready().filter((slot) => !slot.isLeaving);
    const [slot] = staying.sort((a, b) => a.running.size - b.running.size);
    return slot;
  }

  async #someReady() {
    if (this.ready().length) return;
    const boots = this.slots.map((slot) => slot.booted);
    await (boots.length ? Promise.any(boots).catch(({ errors }) => Promise.reject(errors[0])) : this.grow());
  }

  // ------------------------------------------------------------------ what they hear

  /**
   * Call every worker, also those to come, which hear the latest call of each `key`.
   * @param {string} name @param {any} payload @param {string} key @returns {Promise<any>} the first answer
   */
  async broadcast(name, payload, key) {
    await this.#someReady();
    const asked = this.ready();
    const answers = await Promise.all(asked.map((slot) => slot.call(name, payload)));
    this.#remember(name, payload, key);
    const late = this.ready().filter((slot) => !asked.includes(slot));
    await Promise.all(late.map((slot) => slot.call(name, payload)));
    return answers[0];
  }

  /**
   * Call every worker that is there now, and those to come before their first job.
   * @param {string} name @param {any} payload @param {string} key
   */
  announce(name, payload, key) {
    this.#remember(name, payload, key);
    return this.tell(name, payload).catch(() => {}); // a worker that just died need not hear it
  }

  /** Put a call at the end of the list, where a worker that replays it just now still meets it. @param {string} name @param {any} payload @param {string} key */
  #remember(name, payload, key) {
    this.#replay.delete(key);
    this.#replay.set(key, [name, payload]);
  }

  /**
   * Have every worker, also those to come, go on with other settings.
   * @param {CrewSettings} settings
   * @param {boolean} forgetsGranted whether headers that servers were granted count no more: the page has given others
   */
  configure(settings, forgetsGranted) {
    this.settings = settings;
    if (forgetsGranted) for (const key of [...this.#replay.keys()]) if (key.startsWith('granted ')) this.#replay.delete(key);
    const { parts, packages, ...told } = settings.boot;
    const heard = this.announce('configure', { ...told, forgetsGranted }, 'configure');
    this.#share();
    return heard;
  }

  /** Call every worker that is there now. @param {string} name @param {any} [payload] */
  tell(name, payload) {
    return Promise.all(this.ready().map((slot) => slot.call(name, payload)));
  }

  /** @param {string} key */
  forgetReplay(key) {
    this.#replay.delete(key);
  }

  /** Each worker may have its part of the requests to one origin. */
  #share() {
    const ready = this.ready();
    const requestsPerOrigin = Math.max(1, Math.floor(this.settings.requestsPerOrigin / ready.length));
    for (const slot of ready) slot.tell('share', { requestsPerOrigin });
  }

  // ------------------------------------------------------------------ ending

  /** A worker has no job: one too many ends after a while, one that has grown too large is replaced. @param {Slot} slot */
  rest(slot) {
    if (slot.isLeaving && !slot.calls) return this.#dismiss(slot);
    clearTimeout(slot.rest);
    slot.rest = setTimeout(() => this.#look(slot), REST_MS);
  }

  /** @param {Slot} slot */
  async #look(slot) {
    if (slot.state !== 'ready' || slot.running.size) return; // it rests anew after its last job
    if (slot.calls) return this.rest(slot);
    const isOneTooMany = this.settings.workers === 'auto' && this.ready().length > 1;
    if (isOneTooMany || slot.isLeaving) return this.#dismiss(slot);
    const { heapBytes } = await slot.call('stats').catch(() => ({ heapBytes: 0 })); // it died just now
    if (heapBytes > this.settings.heapBytes) await this.#replace(slot);
  }

  /** @param {Slot} slot that goes when another is there, and when it has done what came meanwhile */
  async #replace(slot) {
    try {
      await this.grow();
    } catch {
      return; // a large worker is better than none
    }
    if (slot.state !== 'ready') return;
    slot.isLeaving = true;
    this.listener.onGone(slot);
    if (!slot.running.size) this.rest(slot);
  }

  /** @param {Slot} slot */
  #dismiss(slot) {
    slot.end(abortError('a worker that was not needed any more'));
    this.#remove(slot);
  }

  /** @param {Slot} slot */
  #onDeath(slot) {
    this.deaths++;
    this.#remove(slot);
    if (!this.#ended) this.grow().catch(() => {});
  }

  /** @param {Slot} slot */
  #remove(slot) {
    this.slots = this.slots.filter((other) => other !== slot);
    this.#share();
    this.listener.onGone(slot);
  }

  /** @param {Error} error */
  end(error) {
    this.#ended = true;
    for (const slot of this.slots) slot.end(error);
    this.slots = [];
  }
}

/** @param {number | 'auto'} workers */
function workerLimit(workers) {
  if (workers !== 'auto') return Math.max(1, workers);
  const cores = globalThis.navigator?.hardwareConcurrency ?? 2;
  // The page has little to do while images are decoded; with many cores it keeps one.
  return Math.min(4, Math.max(cores - 1, Math.min(2, cores)));
}
