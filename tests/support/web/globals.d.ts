// Globals that tests set, and modules that have no types of their own.
// The constants of web/build/injected.d.ts are no properties of globalThis: tests set them with
// `Object.assign(globalThis, { PYLOADER_FACTS: ... })`.

/** The global of legacy cornerstone-core. */
declare var cornerstone: { enable?: () => void } | undefined;

/** A second instance of the module, with its own state. */
declare module '*/min_max.js?plain' {
  export const extentOf: typeof import('../../../web/worker/min_max.js').extentOf;
}
