// What the examples of the documentation take from around them.
/// <reference path="./pyloader.d.ts" />
declare const bar: HTMLProgressElement;
declare const cornerstone: typeof import('cornerstone-core').default;
declare const cornerstone3D: typeof import('@cornerstonejs/core');
declare const element: HTMLElement;
declare const input: { files: FileList };
declare const imageIds: string[];
declare const seriesInstanceUID: string;
declare const studyInstanceUID: string;
declare function signIn(): Promise<string>;
declare function token(): Promise<string>;
