"""The demo pages, as their tests open and read them."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page

READ_CANVAS = """
(selector) => {
  const canvas = document.querySelector(selector);
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, canvas.height, Array.from(data)];
}
"""


def wait(page: Page, state: str) -> None:
    """Wait until the page says that it is in a state."""
    page.wait_for_function(
        "(state) => document.documentElement.dataset.state === state", arg=state, timeout=60_000
    )


def canvas(page: Page, selector: str = "#stage canvas") -> np.ndarray:
    """Return a canvas as (rows, columns, 4)."""
    width, height, data = page.evaluate(READ_CANVAS, selector)
    return np.array(data, "u1").reshape(height, width, 4)
