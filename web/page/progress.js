// @ts-check
// How far something is, as the page is told.

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
