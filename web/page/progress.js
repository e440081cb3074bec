// @ts-check
// How far something is, as the page is told.
import { withoutSecrets } from '../shared/redaction.js';

/** @typedef {import('../shared/messages.js').Report} Report */
/** @typedef {import('pyloader').LoadProgress} LoadProgress */

/** @param {number} loaded @param {number | undefined} total */
export function percent(loaded, total) {
  return total ? Math.round((loaded / total) * 100) : undefined;
}

/**
 * Call what the page has given; that it fails is the page's own matter, as in an event's listener.
 * @template Detail @param {((detail: Detail) => void) | undefined} listener @param {Detail} detail
 */
export function tellPage(listener, detail) {
  try {
    listener?.(detail);
  } catch (error) {
    reportError(error);
  }
}

/** Progress of a request as the page is told, without secrets. @param {Report} report @param {string} imageId @returns {LoadProgress} */
export function progressOf({ url, loaded, total, attempt }, imageId) {
  return { ...withoutSecrets({ url, imageId, attempt }), loaded, total, percentComplete: percent(loaded, total) };
}

/**
 * A listener of reports that tells the page of progress.
 * @param {string} imageId @param {((detail: LoadProgress) => void) | undefined} onProgress
 */
export function requestMeter(imageId, onProgress) {
  return (/** @type {Report} */ report) => {
    if (report.phase === 'progress') tellPage(onProgress, progressOf(report, imageId));
  };
}
