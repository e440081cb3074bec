"""Every file that pydicom bundles, in Chromium, against an independent decoder; the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from playwright.sync_api import Page

from tests import corpus
from tests.browser.outcome import fail, load


@dataclass
class Table:
    """Files and outcomes, printed after the last one."""

    rows: list[str] = field(default_factory=list)

    def add(self, name: str, syntax: str, outcome: str) -> None:
        """Note what a file came to."""
        self.rows.append(f"{name:62} {syntax:24} {outcome}")


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """Return the table; it is printed past pytest's capture, so that every run shows it."""
    table = Table()
    yield table
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n\nfile, transfer syntax, outcome in Chromium\n" + "\n".join(sorted(table.rows)))


@pytest.mark.parametrize("name", corpus.images())
def test_image_equals_an_independent_decoder(page: Page, table: Table, name: str) -> None:
    image = load(page, f"wadouri:/corpus/{name}", useRGBA=False)
    expected = corpus.reference(name)
    # Colour is delivered as 8 bits: of wider samples, the upper ones.
    pixels = expected.pixels
    if pixels.ndim == 3:
        pixels = pixels >> (8 * pixels.dtype.itemsize - 8)
    assert image["pixels"].shape == pixels.shape
    difference = np.abs(image["pixels"].astype("i8") - pixels.astype("i8")).max()
    verdict = "exact" if difference == 0 else f"within {difference} of {expected.bound} allowed"
    table.add(name, image["transferSyntaxUID"], f"{verdict} ({expected.decoder})")
    assert difference <= expected.bound, f"differs by {difference} from {expected.decoder}"
    assert (image["minPixelValue"], image["maxPixelValue"]) == (
        image["pixels"].min(),
        image["pixels"].max(),
    )


@pytest.mark.parametrize("name", corpus.refused())
def test_file_without_an_image_is_refused(page: Page, table: Table, name: str) -> None:
    error = fail(page, f"wadouri:/corpus/{name}")
    table.add(name, "", f"refused: {error['code']}: {error['message'][:70]}")
    assert error["isPyLoaderError"]
    assert error["code"] == corpus.expected_code(name)
    assert error["imageId"] == f"wadouri:/corpus/{name}"
