// Each line below a comment is an error for TypeScript, as it is a mistake.
import * as cornerstone3D from '@cornerstonejs/core';
import pyloader, { PyLoaderError, type Image, type LoadOptions } from 'pyloader';

declare const image: Image;
declare const error: PyLoaderError;

// @ts-expect-error -- an option that is none
await pyloader.init({ workerCount: 2 });
// @ts-expect-error -- a limit that is none
await pyloader.init({ limits: { loads: 2 } });
// @ts-expect-error -- a value that is none
await pyloader.init({ workers: 'many' });
// @ts-expect-error -- a misspelt option
await pyloader.loadImage('wadouri:a', { onProgres() {} });
// @ts-expect-error -- a request type that is none
const options: LoadOptions = { requestType: 'urgent' };
// @ts-expect-error -- a misspelt option
pyloader.imageLoader('wadouri:a', { prioritty: 1 });
// @ts-expect-error -- a misspelt option
await pyloader.series('wadouri:a.zip', { sgnal: new AbortController().signal });
// @ts-expect-error -- a misspelt field
console.log(image.rowz);
// @ts-expect-error -- a misspelt field
console.log(image.imageFrame.bitsAlocated);
// @ts-expect-error -- pixels are read only by getPixelData()
console.log(image.pixelData);
// @ts-expect-error -- a module that is none
pyloader.metaData('imagePlaneModul', 'wadouri:a');
// @ts-expect-error -- an attribute that the module has not
console.log(pyloader.metaData('imagePlaneModule', 'wadouri:a')?.pixelSpacin);
// @ts-expect-error -- a module that is none
console.log((await pyloader.loadMetadata('wadouri:a')).petModule);
// @ts-expect-error -- an event that is none
pyloader.events.addEventListener('bootprogres', () => {});
// @ts-expect-error -- a detail that the event has not
pyloader.events.addEventListener('bootprogress', ({ detail }) => detail.percent);
// @ts-expect-error -- a code that is none
console.log(error.code === 'nonsense');
// @ts-expect-error -- a stage that is none
console.log(error.stage === 'paint');
// @ts-expect-error -- an error without a message
console.log(new PyLoaderError({ code: 'viewer' }));
// @ts-expect-error -- a code that is none
console.log(new PyLoaderError({ message: 'a', code: 'nonsense' }));
// @ts-expect-error -- no viewer
pyloader.use({});
// @ts-expect-error -- a misspelt option
pyloader.use(cornerstone3D, { schemas: ['wadouri'] });
// @ts-expect-error -- many files
pyloader.addFile(document.querySelector('input')?.files);
// @ts-expect-error -- a misspelt option
pyloader.dicomweb('https://host', { header: {} });
// @ts-expect-error -- a misspelt option
await pyloader.loadPython({ uri: 'a.py' });
// @ts-expect-error -- read only
pyloader.version = '1';
console.log(options);
