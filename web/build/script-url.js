// Injected into the classic build of pyloader.js, where esbuild puts it in place of import.meta.url.
export const pyloaderScriptURL =
  /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript)?.src ?? globalThis.location?.href;
