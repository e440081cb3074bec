// @ts-check
// The address of the page, to which all others are relative. Importing pyloader needs no page: servers
// that render one, workers and Node import it too. Calling it does.
import { PyLoaderError } from '../shared/errors.js';

const NO_PAGE =
  'pyloader works in a page of a browser, and this is none: a worker, Node, or a server that renders pages. Importing it does no harm there; call it where there is a `document`, such as in an effect of React or in onMounted of Vue';

/** @returns {string} @throws {PyLoaderError} where there is no page */
export function pageURL() {
  if (globalThis.document) return document.baseURI;
  throw new PyLoaderError({ name: 'BootError', code: 'boot', stage: 'boot', message: NO_PAGE });
}
