// Address of the script: esbuild injects this into the classic build of pyloader.js, in place of import.meta.url.
export const pyloaderScriptURL =
  /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript)?.src ?? globalThis.location?.href;
