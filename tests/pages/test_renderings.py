"""Drawings of both Cornerstones, read back from their canvas, are within a grey level of DCMTK's.

A page does what pages do: ``pyloader.use``, then the viewer's own calls. The element has the size of
the image, so that one pixel of the image is one of the canvas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.support import dcmtk, renderings
from tests.support.pages import prepare
from tests.support.renderings import Rendering
from tests.support.webserver import WebServer

pytestmark = pytest.mark.skipif(not dcmtk.is_installed(), reason="DCMTK is not installed")
TITLE = "image, what it covers, viewer, largest difference of its canvas to DCMTK's rendering"
CANVAS = """
globalThis.elementOf = (rows, columns) => {
  document.body.replaceChildren();
  const element = document.createElement('div');
  Object.assign(element.style, {width: `${columns}px`, height: `${rows}px`});
  return document.body.appendChild(element);
};
// The largest difference of a canvas, which is opaque, to what is served: rows, columns, samples.
globalThis.compare = async (canvas, {expected, rows, columns, samples}) => {
  if (canvas.width !== columns || canvas.height !== rows) throw new Error(`the canvas has ${canvas.height} x ${canvas.width} pixels`);
  const levels = new Uint8Array(await (await fetch(expected)).arrayBuffer());
  const {data} = canvas.getContext('2d').getImageData(0, 0, columns, rows);
  let largest = 0;
  for (let pixel = 0; pixel < rows * columns; pixel++) {
    if (data[4 * pixel + 3] !== 255) throw new Error(`pixel ${pixel} of the canvas is not opaque`);
    for (let channel = 0; channel < 3; channel++) {
      const level = levels[samples === 3 ? 3 * pixel + channel : pixel];
      largest = Math.max(largest, Math.abs(data[4 * pixel + channel] - level));
    }
  }
  return largest;
};
"""
LEGACY = """
globalThis.show = async ({path, frame, rows, columns, ...rest}) => {
  const element = elementOf(rows, columns);
  cornerstone.enable(element);
  const image = await cornerstone.loadAndCacheImage(`wadouri:${path}?frame=${frame - 1}`);
  const drawn = new Promise((resolve) => element.addEventListener('cornerstoneimagerendered', resolve, {once: true}));
  cornerstone.displayImage(element, image);
  await drawn;
  const found = await compare(element.querySelector('canvas'), {rows, columns, ...rest});
  cornerstone.disable(element);
  return found;
};
pyloader.use(cornerstone);
"""
THREE_D = """
globalThis.connect = (options) => {
  globalThis.detach?.();
  globalThis.detach = pyloader.use(cs, options);
};
globalThis.start = async () => {
  globalThis.cs = await import('/demo/vendor/cornerstone3d.mjs');
  await cs.init();
  connect({});
  globalThis.engine = new cs.RenderingEngine('engine');
};
globalThis.show = async ({path, frame, rows, columns, ...rest}) => {
  const element = elementOf(rows, columns);
  engine.enableElement({viewportId: 'stack', type: cs.Enums.ViewportType.STACK, element});
  const viewport = engine.getViewport('stack');
  const failed = new Promise((_, reject) => cs.eventTarget.addEventListener(cs.Enums.Events.IMAGE_LOAD_ERROR, ({detail}) => reject(detail.error), {once: true}));
  await viewport.setStack([`wadouri:${path}?frame=${frame}`]);
  const drawn = new Promise((resolve) => element.addEventListener(cs.Enums.Events.IMAGE_RENDERED, resolve, {once: true}));
  viewport.render();
  await Promise.race([drawn, failed]);
  const found = await compare(element.querySelector('canvas'), {rows, columns, ...rest});
  engine.disableElement('stack');
  return found;
};
"""


def open_viewer(browser: Browser, site: WebServer) -> Page:
    """Return a page with pyloader and what reads canvases."""
    page = browser.new_context().new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.add_script_tag(content=CANVAS)
    return page


@pytest.fixture(scope="module")
def legacy(browser: Browser, site: WebServer) -> Iterator[Page]:
    """Return a page with cornerstone-core, connected."""
    page = open_viewer(browser, site)
    page.add_script_tag(url="/demo/vendor/cornerstone.min.js")
    page.add_script_tag(content=LEGACY)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def three_d(browser: Browser, site: WebServer) -> Iterator[Page]:
    """Return a page with @cornerstonejs/core, connected."""
    page = open_viewer(browser, site)
    page.add_script_tag(content=THREE_D)
    page.evaluate("start()")
    yield page
    page.context.close()


@cache
def expected(row: Rendering) -> np.ndarray:
    """Return DCMTK's rendering, which both viewers are held to."""
    return row.expected()


def difference(page: Page, site: WebServer, row: Rendering) -> int:
    """Show an image and return the largest difference to how it is to look."""
    levels = expected(row)
    name = re.sub("[^a-zA-Z0-9]", "-", row.name)
    rows, columns, samples = (*levels.shape, 1)[:3]
    place = {
        "path": site.put(f"/made/{name}.dcm", row.source()),
        "expected": site.put(f"/made/{name}.raw", levels.tobytes()),
        "frame": row.frame,
        "rows": rows,
        "columns": columns,
        "samples": samples,
    }
    return int(page.evaluate("(place) => show(place)", place))


@pytest.mark.parametrize("row", renderings.ALL, ids=lambda row: row.name)
def test_legacy_shows_what_dcmtk_shows(
    legacy: Page, site: WebServer, add_row, row: Rendering
) -> None:
    largest = difference(legacy, site, row)
    add_row(TITLE, f"{row.name:35} {row.covers:45} cornerstone-core {largest}")
    assert largest <= row.legacy


@pytest.mark.parametrize("row", renderings.ALL, ids=lambda row: row.name)
def test_3d_shows_what_dcmtk_shows(three_d: Page, site: WebServer, add_row, row: Rendering) -> None:
    three_d.evaluate("(displayValues) => connect({displayValues})", row.displayed)
    largest = difference(three_d, site, row)
    values = ", display values" if row.displayed else ""
    add_row(TITLE, f"{row.name:35} {row.covers:45} Cornerstone3D{values} {largest}")
    assert largest <= 1
