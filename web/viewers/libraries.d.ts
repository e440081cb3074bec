// The libraries of the two generations of viewers, as far as they are used here.

/** A provider of metadata. */
export type Provider = (type: string, ...queries: unknown[]) => unknown;
export interface MetaData {
  /** Asks all providers, the one of the highest priority first. */
  get(type: string, imageId: string): unknown;
  addProvider(provider: Provider, priority?: number): unknown;
  removeProvider(provider: Provider): unknown;
  /** Of Cornerstone3D's metadata package, where that is loaded. */
  getMetaData?(type: string, imageId: string, options: { dicomwebJson: unknown }): unknown;
}
/** A loader of images, as it is registered. */
export type Loader<Options, Loading> = (imageId: string, options?: Options) => Loading;
export type RegisterImageLoader = <Options, Loading>(scheme: string, loader: Loader<Options, Loading>) => unknown;

/** Both have these. */
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

/** A lookup table in the words of viewers. */
export interface ViewerTable {
  firstValueMapped: number;
  numBitsPerEntry: number;
  lut: ArrayLike<number>;
}
/** A module, or an instance, of another provider: whatever that has. */
export interface ForeignModule {
  modalityLUTSequence?: ViewerTable[];
  voiLUTSequence?: ViewerTable[];
  NumberOfFrames?: number;
  [attribute: string]: unknown;
}
