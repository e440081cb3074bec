// Types of Pyodide and its Emscripten module, as far as the scripts of web/ use them.

import type { WireError } from '../shared/messages.d.ts';
import type { Row } from './lock.js';

/** A Python object that JavaScript holds. */
export interface PyProxy {
  destroy(): void;
}
/** Python modules and objects that the scripts import. */
export interface PythonModules {
  _sha2: PyProxy & { sha256(bytes: PyProxy): PyProxy & { hexdigest(): string } };
  'sys.path_importer_cache': PyProxy & { clear(): void };
}

export interface FileSystem {
  mkdirTree(path: string): void;
  writeFile(path: string, body: Uint8Array): void;
}

/** Returned by `loadPyodide`. */
export interface Pyodide {
  readonly FS: FileSystem;
  /** Origins of packages, by name. */
  readonly loadedPackages: Record<string, string>;
  readonly _module: EmscriptenModule;
  readonly _api: { on_fatal: (error: unknown) => void };
  unpackArchive(body: ArrayBuffer | Uint8Array, format: 'wheel', options: { extractDir: string }): void;
  pyimport<Name extends keyof PythonModules>(name: Name): PythonModules[Name];
  pyimport(name: string): PyProxy;
  toPy(body: Uint8Array): PyProxy;
}

export interface LoadOptions {
  indexURL: string;
  lockFileContents?: { info: object; packages: Record<string, Row> };
  stdout?: (line: string) => void;
  stderr?: (line: string) => void;
  _loadSnapshot?: Uint8Array;
  _makeSnapshot?: boolean;
}
export type LoadPyodide = (options: LoadOptions) => Promise<Pyodide>;

/** Side module of the linker. */
export interface SharedLibrary {
  name: string;
  global: boolean;
}
export type Exports = Record<string, WebAssembly.ExportValue>;
/** Receives the instance of a program. */
export type OnInstance = (instance: WebAssembly.Instance, code: WebAssembly.Module | undefined) => void;
export type Imports = WebAssembly.Imports & { env: { __indirect_function_table?: WebAssembly.Table } };

/** Emscripten's module: the settings of the program's start, and later the program itself. */
export interface EmscriptenModule {
  preRun: ((module: EmscriptenModule) => void)[];
  thisProgram: string;
  onRuntimeInitialized: () => void;
  wasmMemory: WebAssembly.Memory;
  wasmTable: WebAssembly.Table;
  instantiateWasm(imports: Imports, done: OnInstance): Exports | Record<string, never>;
  addRunDependency(name: string): void;
  removeRunDependency(name: string): void;

  readonly HEAP32: Int32Array;
  readonly HEAPU32: Uint32Array;
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  readonly ENV: Record<string, string>;
  readonly FS: FileSystem;
  readonly API: {
    readonly config: { readonly BUILD_ID: string };
    restoreSnapshot: () => HiwireState;
    serializeHiwireState(): HiwireState;
  };
  /** Addresses of functions and data, by symbol. */
  readonly GOT: Record<string, { value: number }>;
  readonly LDSO: {
    readonly loadedLibsByHandle: Record<number, SharedLibrary>;
    readonly loadedLibsByName: Record<string, SharedLibrary>;
  };
  readonly jspiSupported: boolean;
  loadWebAssemblyModule(
    code: WebAssembly.Module,
    flags: { nodelete: boolean; allowUndefined: boolean },
    path: string,
    scope: Record<string, never>,
  ): Exports;
  newDSO(path: string, handle: undefined, exports: Exports): SharedLibrary;

  // Exports of Python.
  readonly __PyRuntime: number;
  readonly __PyEM_EMSCRIPTEN_COUNT_ARGS_OFFSET: number;
  readonly _methods: number;
  readonly _PyUnicode_Type: number;
  _PyObject_CallNoArgs(callable: number): number;
  _PyObject_Hash(object: number): number;
  _sbrk(bytes: number): number;
}
/** JavaScript's side of a snapshot, in Pyodide's format; the scripts only pass it on. */
export type HiwireState = Record<string, unknown>;

/** Left in the global scope by Pyodide's scripts. */
export interface PyodideScope {
  _createPyodideModule: (settings: EmscriptenModule) => Promise<EmscriptenModule>;
}

/** Strings that become a list in Python. */
type Texts = readonly string[];
/** A wheel, or a page of an index. */
export interface Fetched {
  url: string;
  type: string;
  body: Uint8Array;
}
/** Functions that pyloader/browser/packages.py calls. */
export interface PackagesPage {
  rows: Record<string, Row>;
  standard: Texts;
  isThere(name: string): boolean;
  indexes: Texts;
  locate(url: string): string | undefined;
  fetch(url: string, accept: string): Promise<Fetched | { error: WireError; status?: number }>;
  bring(names: string): Promise<WireError | void>;
}
/** Functions of pyloader/browser/bridge.py that install packages. */
export interface PackagesBridge {
  add_packages(requirements: Texts, page: PackagesPage): Promise<WireError | undefined>;
  limit_micropip(indexes: Texts): void;
  lacking_imports(source: string): string[];
}
