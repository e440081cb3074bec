"""A worker that dies takes only the guilty load with it: the others are loaded by its successor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support import builders
from tests.support.webserver import WebServer

CRASH = """
from pyloader import register_loader

@register_loader("crash")
async def load(image_id, context):
    await context.fetch("/a.dcm?slow")
    import ctypes; ctypes.string_at(0xFFFFFF00, 16)
"""
OUTCOMES = """(imageIds) => Promise.all(imageIds.map((imageId) => pyloader.loadImage(imageId).then(
  ({ rows }) => rows, ({ code }) => code)))"""


def test_worker_that_dies_takes_only_the_guilty_load_with_it(
    open_page: Callable[..., Page],
    site: WebServer,
) -> None:
    site.put("/a.dcm", builders.native(np.zeros((7, 5), "u2")))
    page = open_page()
    page.evaluate("pyloader.init({workers: 1})")
    page.evaluate("(source) => pyloader.loadPython({source})", CRASH)
    slow = [f"wadouri:/a.dcm?number={number}" for number in range(3)]
    found = page.evaluate(OUTCOMES, [slow[0], "crash:now", *slow[1:]])
    assert found == [7, "worker", 7, 7]
    deaths = page.evaluate("pyloader.stats().deaths")
    assert deaths in (1, 2), "alone at last, or beside the others and then alone"


@pytest.mark.parametrize("depth", [60, 4000, 100_000])
def test_nested_json_is_an_error_and_no_death(
    open_page: Callable[..., Page],
    depth: int,
) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 1})")
    found = page.evaluate(
        """(depth) => {
          const head = '{"00081140":{"vr":"SQ","Value":[';
          const text = head.repeat(depth) + '{}' + ']}}'.repeat(depth);
          const instance = 'wadors:/dw/studies/1/series/2/instances/3';
          const given = pyloader.addMetadata({ [instance]: JSON.parse(text) });
          return given.then(() => 'read', ({ code }) => code);
        }""",
        depth,
    )
    assert found == ("read" if depth == 60 else "format")
    assert page.evaluate("pyloader.stats().deaths") == 0
