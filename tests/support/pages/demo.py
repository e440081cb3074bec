"""The demo pages, as their tests open and read them."""

from __future__ import annotations

from base64 import b64decode

import numpy as np
from playwright.sync_api import Page

READ_CANVAS = """
(selector) => {
  const canvas = document.querySelector(selector);
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let start = 0; start < data.length; start += 32768) {
    text += String.fromCharCode(...data.subarray(start, start + 32768));
  }
  return [canvas.width, canvas.height, btoa(text)];
}
"""


def wait(page: Page, state: str) -> None:
    """Wait until the page says that it is in a state."""
    page.wait_for_function(
        "(state) => document.documentElement.dataset.state === state", arg=state, timeout=60_000
    )


def corner(page: Page, place: str) -> str:
    """Return the text in a corner of the image, such as ``top.right``."""
    return page.inner_text(f"#stage .corner.{place}")


def wait_for_corner(page: Page, place: str, text: str) -> None:
    """Wait until a corner of the image has a text."""
    page.wait_for_function(
        "([place, text]) => document.querySelector(`#stage .corner.${place}`).innerText === text",
        arg=[place, text],
    )


def canvas(page: Page, selector: str = "#stage canvas") -> np.ndarray:
    """Return a canvas as (rows, columns, 4)."""
    width, height, data = page.evaluate(READ_CANVAS, selector)
    return np.frombuffer(b64decode(data), "u1").reshape(height, width, 4)
