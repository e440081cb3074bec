"""Cornerstone of both generations in a page: scripts that show an image, and read its canvas."""

from __future__ import annotations

import numpy as np

SIZE = 128  # of CT_small.dcm; elements of this size show one image pixel on one canvas pixel

ELEMENT = f'<div id="element" style="width:{SIZE}px;height:{SIZE}px"></div>'

LEGACY = """
globalThis.show = async (image, viewport) => {
  const element = document.getElementById('element');
  cornerstone.enable(element);
  const drawn = new Promise((resolve) => {
    element.addEventListener('cornerstoneimagerendered', resolve, {once: true});
  });
  const usual = cornerstone.getDefaultViewportForImage(element, image);
  cornerstone.displayImage(element, image, {...usual, ...viewport});
  await drawn;
  const canvas = element.querySelector('canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  cornerstone.disable(element);
  return [canvas.width, canvas.height, Array.from(data)];
};
"""

THREE_D = """
globalThis.start = async () => {
  globalThis.cs = await import('/demo/vendor/cornerstone3d.mjs');
  await cs.init();
  globalThis.detach = pyloader.use(cs);
};
globalThis.show3d = async (imageIds, index = 0, properties = {}) => {
  const element = document.getElementById('element');
  const engine = new cs.RenderingEngine(`engine${Math.random()}`);
  engine.enableElement({viewportId: 'stack', type: cs.Enums.ViewportType.STACK, element});
  const viewport = engine.getViewport('stack');
  const drawn = new Promise((resolve) => {
    element.addEventListener(cs.Enums.Events.IMAGE_RENDERED, resolve, {once: true});
  });
  await viewport.setStack(imageIds, index);
  viewport.setProperties({...viewport.getProperties(), ...properties});
  viewport.render();
  await drawn;
  await new Promise((resolve) => setTimeout(resolve, 100));
  const canvas = element.querySelector('canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const result = [canvas.width, canvas.height, Array.from(data), viewport.getProperties().voiRange];
  engine.destroy();
  return result;
};
"""


def grey_of(canvas: list) -> np.ndarray:
    """Return the canvas as (rows, columns) greys; red, green and blue are equal."""
    width, height, data = canvas[:3]
    rgba = np.array(data, "u1").reshape(height, width, 4)
    assert (rgba[..., 0] == rgba[..., 2]).all()
    return rgba[..., 0].astype(int)


def windowed(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return greys for a linear ramp from `low` to `high`."""
    return np.clip((values - low) / (high - low), 0, 1) * 255
