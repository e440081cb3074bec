"""The five loaders of the guide, in Chromium, on the same bytes as in tests/test_guide.py."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support import guide
from tests.support.pages.outcome import load
from tests.support.webserver import WebServer

LOADERS = [guide.Raw, guide.Film, guide.Volume, guide.Denoise, guide.Overlay]


@pytest.mark.parametrize("given_loader", LOADERS, ids=guide.NAMES)
def test_loader_of_the_guide(page: Page, site: WebServer, given_loader: type) -> None:
    image_id = given_loader.image_id
    for url, body in given_loader.answers.items():
        image_id = image_id.replace(url, site.put(url.removeprefix("https://host"), body))
    given = {"source": given_loader.loader.read_text(), "name": given_loader.loader.name}
    assert page.evaluate("(given) => pyloader.loadPython(given)", given) == [image_id.split(":")[0]]
    image = load(page, image_id)
    expected = np.asarray(given_loader.expected)
    assert np.array_equal(image["pixels"][..., : expected.shape[-1]], expected)
