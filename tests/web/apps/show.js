// Loads a CT and draws it, as a page without a viewer does: black is its least value, white its
// largest. Tests look for `shown` or `failed`.
export const show = (pyloader, canvas) =>
  draw(pyloader, canvas).catch((error) => {
    globalThis.failed = error;
    document.body.append(error.message);
  });

async function draw(pyloader, canvas) {
  const image = await pyloader.loadImage('wadouri:CT_small.dcm');
  const { rows, columns, minPixelValue, maxPixelValue } = image;
  const values = image.getPixelData();
  const picture = new ImageData(columns, rows);
  for (const [index, value] of values.entries()) {
    const grey = ((value - minPixelValue) / (maxPixelValue - minPixelValue)) * 255;
    picture.data.set([grey, grey, grey, 255], 4 * index);
  }
  Object.assign(canvas, { width: columns, height: rows });
  canvas.getContext('2d').putImageData(picture, 0, 0);
  globalThis.shown = { rows, columns, sum: values.reduce((sum, value) => sum + value, 0), pyloader };
}
