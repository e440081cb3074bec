import { StrictMode, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import pyloader, { PyLoaderError, type BootProgress, type Image } from 'pyloader';

declare global {
  var shown: { rows: number; columns: number; sum: number; pyloader: typeof pyloader };
}

function draw(canvas: HTMLCanvasElement, image: Image) {
  const { rows, columns, minPixelValue, maxPixelValue } = image;
  const values = image.getPixelData();
  const picture = new ImageData(columns, rows);
  let sum = 0;
  for (const [index, value] of values.entries()) {
    const grey = ((value - minPixelValue) / (maxPixelValue - minPixelValue)) * 255;
    picture.data.set([grey, grey, grey, 255], 4 * index);
    sum += value;
  }
  Object.assign(canvas, { width: columns, height: rows });
  canvas.getContext('2d')?.putImageData(picture, 0, 0);
  globalThis.shown = { rows, columns, sum, pyloader };
}

function Viewer({ imageId }: { imageId: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [progress, setProgress] = useState<BootProgress>();
  const [error, setError] = useState<PyLoaderError>();
  useEffect(() => {
    const controller = new AbortController();
    const listen = ({ detail }: CustomEvent<BootProgress>) => setProgress(detail);
    pyloader.events.addEventListener('bootprogress', listen);
    pyloader
      .loadImage(imageId, { signal: controller.signal })
      .then((image) => canvas.current && draw(canvas.current, image))
      .catch((failure) => failure instanceof PyLoaderError && setError(failure));
    return () => {
      controller.abort();
      pyloader.events.removeEventListener('bootprogress', listen);
    };
  }, [imageId]);
  return (
    <main>
      <h1>CT, by Vite, React and TypeScript</h1>
      <canvas ref={canvas} style={{ width: 384 }} />
      <p>{error ? error.message : `Python: ${progress?.percentComplete ?? 0} %`}</p>
    </main>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <Viewer imageId="wadouri:CT_small.dcm" />
  </StrictMode>,
);
