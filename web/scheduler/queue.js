// @ts-check
// Queue of waiting jobs, in order of request type, priority and age: the oldest first, but the newest of those
// that a viewer waits for (`interaction`), since it shows no other when its user scrolls. Adding, removing and
// looking ahead stay cheap with thousands of jobs.
import { parseImageId } from '../shared/imageid.js';

/**
 * @typedef {{requestType?: string, priority?: number, burst?: number}} Urgency `burst` counts the turns in which jobs
 *   came: those of one turn are of the same age
 */
/** @typedef {{rank: number, priority: number, age: number}} Order lower runs sooner */
/**
 * @typedef {Urgency & {name: import('../shared/messages.d.ts').JobName, payload:
 *   import('../shared/messages.d.ts').JobPayload, source: string, timeout?: number, frameIndex?: number, form?:
 *   string}}
 *   Waiting
 */
/**
 * The jobs of one urgency, oldest first.
 * @template Job
 * @typedef {Order & {jobs: Set<Job>}} Lane
 */

const REQUEST_TYPES = ['interaction', 'thumbnail', 'prefetch', 'compute'];
const MOST_UPCOMING = 256;

/** @template {Waiting} Job */
export class Queue {
  /** Lanes, most urgent first. @type {Lane<Job>[]} */
  #lanes = [];
  /** Number of waiting jobs by source. @type {Map<string, number>} */
  #counts = new Map();
  length = 0;

  /** @param {Job} job */
  add(job) {
    this.#laneOf(job).jobs.add(job);
    this.#count(job, 1);
  }

  /** Add a job that was removed before: it is older than all others of its urgency. @param {Job} job */
  putBack(job) {
    const lane = this.#laneOf(job);
    lane.jobs = new Set([job, ...lane.jobs]);
    this.#count(job, 1);
  }

  /** @param {Job} job @returns {boolean} true if it was in the queue */
  remove(job) {
    const lane = this.#lanes[this.#find(job)];
    if (!lane?.jobs.delete(job)) return false;
    if (!lane.jobs.size) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
    this.#count(job, -1);
    return true;
  }

  /** Remove and return all jobs. @returns {Job[]} */
  clear() {
    const jobs = [...this];
    for (const job of jobs) this.remove(job);
    return jobs;
  }

  *[Symbol.iterator]() {
    for (const { jobs } of [...this.#lanes]) yield* jobs;
  }

  /** List the waiting frames of a load's source, counted from 0. @param {Job} job @returns {number[]} */
  upcoming({ name, source }) {
    /** @type {number[]} */
    const frames = [];
    let left = name === 'load' ? (this.#counts.get(source) ?? 0) : 0;
    for (const job of left ? this : []) {
      if (job.source !== source) continue;
      if (job.name === name) {
        job.frameIndex ??= parseImageId(job.payload.imageId).frameIndex;
        frames.push(job.frameIndex);
      }
      if (--left === 0 || frames.length === MOST_UPCOMING) break;
    }
    return frames;
  }

  /**
   * Find the first jobs with the same name, source and form as a job, and at least as urgent a request type.
   * @param {Job} job @param {number} most @returns {Job[]}
   */
  like(job, most) {
    /** @type {Job[]} */
    const found = [];
    let left = most ? (this.#counts.get(job.source) ?? 0) : 0;
    for (const other of left ? this : []) {
      if (other.source !== job.source) continue;
      if (other.name === job.name && rankOf(other) <= rankOf(job) && formOf(other) === formOf(job)) found.push(other);
      if (--left === 0 || found.length === most) break;
    }
    return found;
  }

  /** @param {Job} job @returns {Lane<Job>} */
  #laneOf(job) {
    const index = this.#find(job);
    const order = orderOf(job);
    const lane = this.#lanes[index];
    if (lane && compare(lane, order) === 0) return lane;
    this.#lanes.splice(index, 0, { ...order, jobs: new Set() });
    return this.#lanes[index];
  }

  /** Find the index of the lane of a job's urgency. @param {Urgency} job */
  #find(job) {
    const order = orderOf(job);
    let [low, high] = [0, this.#lanes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#lanes[middle], order) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Job} job @param {number} more */
  #count({ source }, more) {
    this.length += more;
    const left = (this.#counts.get(source) ?? 0) + more;
    if (left) this.#counts.set(source, left);
    else this.#counts.delete(source);
  }
}

/** Return a string that identifies the form of image that a job requests. @param {Waiting} job */
function formOf(job) {
  job.form ??= JSON.stringify([job.payload.options, job.timeout]);
  return job.form;
}

/** @param {Urgency} job @returns {Order} */
export function orderOf(job) {
  // The age of jobs that no viewer waits for is their place in their lane.
  const age = job.requestType === 'interaction' ? -(job.burst ?? 0) : 0;
  return { rank: rankOf(job), priority: Number(job.priority) || 0, age };
}

/** @param {Urgency} job */
function rankOf({ requestType }) {
  // An unknown or absent type counts as 'interaction': a user may be waiting for it.
  return Math.max(0, REQUEST_TYPES.indexOf(requestType ?? 'interaction'));
}

/** @param {Urgency} a @param {Urgency} b */
export function isMoreUrgent(a, b) {
  return compare(orderOf(a), orderOf(b)) < 0;
}

/** @param {Order} a @param {Order} b */
function compare(a, b) {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.priority === b.priority ? a.age - b.age : a.priority - b.priority; // Infinity - Infinity would be NaN
}
