"""Every file of pydicom and pydicom-data, in Chromium, against an independent decoder; the table.

All loads are asked for in one go; what crosses from the page are digests. The pixels themselves
cross for lossy syntaxes, where two decoders may differ, and where a digest is not what it should be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support import corpus
from tests.support.pages.outcome import digest_of, load

pytestmark = pytest.mark.timeout(300)
IMAGES = [*corpus.images(), *corpus.further_images()]

LOAD_ALL = """
async (imageIds) => {
  const outcomes = {};
  const keep = async (imageId) => {
    try {
      const image = await pyloader.loadImage(imageId, { useRGBA: false });
      const { transferSyntaxUID } = image;
      outcomes[imageId] = { digest: await digest(image), dataType: image.dataType, transferSyntaxUID };
    } catch (error) {
      outcomes[imageId] = { error: describeError(error) };
    }
  };
  await Promise.all(imageIds.map(keep));
  return outcomes;
}
"""


AddRow = Callable[[str, str], None]
TITLE = "file, transfer syntax, outcome in Chromium"


@pytest.fixture(scope="module")
def outcomes(page: Page) -> dict[str, dict[str, Any]]:
    """Return what every image and every refused file came to, by imageId."""
    image_ids = [image_id_of(name, index) for name in IMAGES for index in corpus.frames(name)]
    refused = [f"wadouri:{corpus.url_of(name)}" for name in corpus.refused()]
    return page.evaluate(LOAD_ALL, [*image_ids, *refused])


def image_id_of(name: str, frame_index: int) -> str:
    """Return the imageId of a frame, from 0."""
    return f"wadouri:{corpus.url_of(name)}?frame={frame_index + 1}"


def as_delivered(pixels: np.ndarray) -> np.ndarray:
    """Return colour as 8 bits: of wider samples, the upper ones."""
    return pixels >> (8 * pixels.dtype.itemsize - 8) if pixels.ndim == 3 else pixels


def difference(page: Page, image_id: str, expected: np.ndarray) -> int:
    """Return by how much the pixels differ at most; their number has to be the same."""
    pixels = load(page, image_id, useRGBA=False)["pixels"]
    assert pixels.shape == expected.shape
    return int(np.abs(pixels.astype("i8") - expected.astype("i8")).max())


@pytest.mark.parametrize("name", IMAGES)
def test_image_equals_an_independent_decoder(
    page: Page, outcomes: dict[str, dict[str, Any]], add_row: AddRow, name: str
) -> None:
    differences = {}
    for frame_index in corpus.frames(name):
        image_id = image_id_of(name, frame_index)
        found = outcomes[image_id]
        assert "error" not in found, found["error"]
        expected = corpus.reference(name, frame_index)
        pixels = as_delivered(expected.pixels)
        is_equal = found["digest"] == digest_of(pixels, found["dataType"])
        differences[frame_index + 1] = 0 if is_equal else difference(page, image_id, pixels)
    most = max(differences.values())
    verdict = "exact" if most == 0 else f"within {most} of {expected.bound} allowed"
    frames = ", ".join(map(str, differences))
    syntax = found["transferSyntaxUID"]
    add_row(TITLE, f"{name:62} {syntax:24} {verdict} ({expected.decoder}), frames {frames}")
    assert most <= expected.bound, f"frames differ from {expected.decoder}: {differences}"


@pytest.mark.parametrize("name", corpus.refused())
def test_file_without_an_image_is_refused(
    outcomes: dict[str, dict[str, Any]], add_row: AddRow, name: str
) -> None:
    image_id = f"wadouri:{corpus.url_of(name)}"
    error = outcomes[image_id].get("error")
    assert error, "it loaded"
    add_row(TITLE, f"{name:62} {'':24} refused: {error['code']}: {error['message'][:70]}")
    assert error["isPyLoaderError"]
    assert error["code"] == corpus.expected_code(name)
    assert corpus.expected_words(name) in error["message"]
    assert error["imageId"] == image_id
