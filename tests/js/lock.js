// What the build writes into the worker: a list of dist/pyodide/ without anything in it.
globalThis.PYLOADER_LOCK = { info: {}, packages: {}, starting: [], standard: [], libraries: {}, digests: {}, identity: '', snapshot: { unpacked: '', packed: '' } };
