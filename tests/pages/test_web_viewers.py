"""Web images on the canvases of both real Cornerstones, pixels read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.pages.viewers import ELEMENT, LEGACY, SIZE, THREE_D, grey_of, windowed
from tests.support.pictures import saved
from tests.support.webserver import WebServer


def shown(name: str) -> np.ndarray:
    """Return a smooth image of the size of the canvas; RGBA has a hole without colors."""
    down, across = np.mgrid[:SIZE, :SIZE]
    if name == "grey":
        return (across + down).astype("u1")
    if name == "grey16":
        return ((down * SIZE + across) * 3).astype("u2")
    rgb = np.dstack([across * 2, down * 2, 255 - across]).astype("u1")
    if name == "rgb":
        return rgb
    alpha = np.full((SIZE, SIZE), 255, "u1")
    alpha[20:40, 30:90] = 0
    return np.dstack([rgb, alpha])


def drawn(canvas: list) -> np.ndarray:
    """Return the canvas as (rows, columns, 3)."""
    width, height, data = canvas[:3]
    return np.array(data, "u1").reshape(height, width, 4)[..., :3].astype(int)


def on_black(pixels: np.ndarray) -> np.ndarray:
    """Return colors as they are seen on black."""
    return pixels[..., :3].astype(int) * (pixels[..., 3:] > 0 if pixels.shape[2] == 4 else 1)


@pytest.fixture
def viewer_page(open_page: Any) -> Page:
    """Return a page with an element, where the shared interpreter's pyloader is not."""
    page = open_page()
    page.set_content(ELEMENT)
    return page


@pytest.mark.parametrize("name", ["grey", "grey16", "rgb", "rgba"])
def test_png_in_legacy_cornerstone(viewer_page: Page, site: WebServer, name: str) -> None:
    page = viewer_page
    page.add_script_tag(url="/demo/vendor/cornerstone.min.js")
    page.add_script_tag(content=LEGACY)
    pixels = shown(name)
    found = page.evaluate(
        """async (id) => {
          pyloader.use(cornerstone);
          const image = await cornerstone.loadImage(id);
          return [image.color, image.rgba, image.getPixelData().length, await show(image)];
        }""",
        f"{site.url}{site.put(f'/made/web/{name}.png', saved(pixels, 'PNG'))}",
    )
    color, rgba, length, canvas = found
    is_color = pixels.ndim == 3
    assert (color, rgba) == (is_color, is_color)
    assert length == SIZE * SIZE * (4 if is_color else 1)
    if is_color:
        assert np.abs(drawn(canvas) - on_black(pixels)).max() <= 1
    else:
        expected = windowed(pixels.astype(float), pixels.min(), pixels.max())
        assert np.abs(grey_of(canvas) - expected).max() <= 1


@pytest.mark.parametrize("name", ["grey", "grey16", "rgb", "rgba"])
def test_png_in_cornerstone_3d(viewer_page: Page, site: WebServer, name: str) -> None:
    page = viewer_page
    page.add_script_tag(content=THREE_D)
    page.evaluate("start()")
    pixels = shown(name)
    image_id = f"web:{site.put(f'/made/web/{name}3d.png', saved(pixels, 'PNG'))}"
    canvas = page.evaluate("(id) => show3d([id])", image_id)
    if pixels.ndim == 3:
        error = np.abs(drawn(canvas) - on_black(pixels)).max(axis=-1)
    else:
        voi = canvas[3]
        expected = windowed(pixels.astype(float), voi["lower"], voi["upper"])
        error = np.abs(grey_of(canvas) - expected)
    assert np.mean(error <= 3) > 0.97
    assert drawn(canvas).max() > 200, "the canvas is not black"
    plane = page.evaluate("(id) => cs.metaData.get('imagePlaneModule', id)", image_id)
    assert plane["usingDefaultValues"] is True
    assert (plane["rows"], plane["columns"]) == (SIZE, SIZE)
