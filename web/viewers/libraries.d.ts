// Types of the two viewer libraries, as far as they are used here.

/** A provider of metadata. */
export type Provider = (type: string, ...queries: unknown[]) => unknown;
export interface MetaData {
  /** Asks all providers, in order of priority. */
  get(type: string, imageId: string): unknown;
  addProvider(provider: Provider, priority?: number): unknown;
  removeProvider(provider: Provider): unknown;
  /** Function of Cornerstone3D's metadata package, if that is loaded. */
  getMetaData?(type: string, imageId: string, options: { dicomwebJson: unknown }): unknown;
}
/** An image loader, as viewers register it. */
export type Loader<Options, Loading> = (imageId: string, options?: Options) => Loading;
export type RegisterImageLoader = <Options, Loading>(scheme: string, loader: Loader<Options, Loading>) => unknown;

/** Members of both libraries. */
interface Both {
  readonly metaData: MetaData;
  triggerEvent(target: EventTarget, type: string, detail: unknown): unknown;
}
/** Legacy cornerstone-core. */
export interface LegacyCornerstone extends Both {
  readonly registerImageLoader: RegisterImageLoader;
  readonly events: EventTarget;
}
/** @cornerstonejs/core. */
export interface Cornerstone3D extends Both {
  readonly imageLoader: { readonly registerImageLoader: RegisterImageLoader };
  readonly eventTarget: EventTarget;
}
export type Cornerstone = LegacyCornerstone | Cornerstone3D;

/** A lookup table with the viewers' names. */
export interface ViewerTable {
  firstValueMapped: number;
  numBitsPerEntry: number;
  lut: ArrayLike<number>;
}
/** A module or an instance of another provider, with any fields. */
export interface ForeignModule {
  modalityLUTSequence?: ViewerTable[];
  voiLUTSequence?: ViewerTable[];
  NumberOfFrames?: number;
  [attribute: string]: unknown;
}
