// The constants that the build writes into the scripts (esbuild's `define`).

/** The version of pyloader. */
declare const PYLOADER_VERSION: string;
/** The version and a digest of all scripts: page and worker must have the same. */
declare const PYLOADER_BUILD: string;
/** The address of the documentation's folder; empty while it has none. */
declare const PYLOADER_DOCS: string;
/** The content of pyloader/facts.json. */
declare const PYLOADER_FACTS: import('../shared/facts.js').Facts;
/** Files of dist/pyodide/ with their digests, and pyodide-lock.json. */
declare const PYLOADER_LOCK: import('../boot/lock.js').Lock;
/** boot/snapshot_codec.wat, compiled, in Base64. */
declare const PYLOADER_SNAPSHOT_CODEC: string;
/** worker/min_max.wat, compiled, in Base64. */
declare const PYLOADER_MIN_MAX: string;
/** True in the worker's script that contains Pyodide's scripts too. */
declare const PYLOADER_IS_WHOLE: boolean;
/** Digests of the worker's scripts, by name. */
declare const PYLOADER_WORKERS: Record<string, string>;
/** Addresses of the files of dist/ as a bundler knows them; undefined outside of bundled apps. */
declare const PYLOADER_ASSET_URLS: undefined | (() => Record<string, string>);
/** Pyodide's own function, in the script that contains it. */
declare const loadPyodide: import('../boot/boot.js').LoadPyodide;
