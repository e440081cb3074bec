// @ts-check
// Reports progress to the page's listeners.
import { withoutSecrets } from '../shared/redaction.js';

/** @typedef {import('../shared/messages.js').Report} Report */
/** @typedef {import('pyloader').LoadProgress} LoadProgress */

/** @param {number} loaded @param {number | undefined} total */
export function percent(loaded, total) {
  return total ? Math.round((loaded / total) * 100) : undefined;
}

/**
 * Call a listener of the page. As for an event listener, its errors are reported, not thrown.
 * @template Detail @param {((detail: Detail) => void) | undefined} listener @param {Detail} detail
 */
export function callListener(listener, detail) {
  try {
    listener?.(detail);
  } catch (error) {
    reportError(error);
  }
}

/**
 * Convert a report to the page's form, without secrets.
 * @param {Report} report @param {string} imageId @returns {LoadProgress}
 */
export function progressOf({ url, loaded, total, attempt }, imageId) {
  return { ...withoutSecrets({ url, imageId, attempt }), loaded, total, percentComplete: percent(loaded, total) };
}

/**
 * Make a listener of reports that passes progress to the page.
 * @param {string} imageId @param {((detail: LoadProgress) => void) | undefined} onProgress
 */
export function requestMeter(imageId, onProgress) {
  return (/** @type {Report} */ report) => {
    if (report.phase === 'progress') callListener(onProgress, progressOf(report, imageId));
  };
}
