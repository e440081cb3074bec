"""The five loaders of the guide, in Chromium, on the same bytes as in tests/test_guide.py."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests import test_guide as plain
from tests.pages.outcome import load
from tests.support.webserver import WebServer

CONTRACTS = [
    plain.TestRaw,
    plain.TestFilm,
    plain.TestVolume,
    plain.TestDenoise,
    plain.TestOverlay,
]


@pytest.mark.parametrize("contract", CONTRACTS, ids=plain.NAMES)
def test_loader_of_the_guide(page: Page, site: WebServer, contract: type) -> None:
    image_id = contract.image_id
    for url, body in contract.answers.items():
        image_id = image_id.replace(url, site.put(url.removeprefix("https://host"), body))
    given = {"source": contract.loader.read_text(), "name": contract.loader.name}
    assert page.evaluate("(given) => pyloader.loadPython(given)", given) == [image_id.split(":")[0]]
    image = load(page, image_id)
    expected = np.asarray(contract.expected)
    assert np.array_equal(image["pixels"][..., : expected.shape[-1]], expected)
