// @ts-check
// Returns the address of the page, to which all other addresses are relative. Only calls of pyloader need a
// page; importing it works in workers, in Node, and on servers that render pages.
import { PyLoaderError } from '../shared/errors.js';

const NO_PAGE =
  'pyloader works in a page of a browser, but was called in a worker, in Node, or on a server that renders pages. ' +
  'Importing it there does no harm; call it where there is a `document`, ' +
  'such as in an effect of React or in onMounted of Vue';

/** @returns {string} @throws {PyLoaderError} where there is no page */
export function pageURL() {
  if (globalThis.document) return document.baseURI;
  throw new PyLoaderError({ name: 'BootError', code: 'boot', stage: 'boot', message: NO_PAGE });
}
