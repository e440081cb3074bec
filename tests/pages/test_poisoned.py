"""Broken frames before, between and after good ones, in one worker: each stands for itself.

Codecs of the JavaScript loaders keep their state between frames: after a broken one they fail for
ever, or give the frame before it once more. Here a broken frame is refused, and good ones are
exact, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Page
from pydicom.encaps import get_frame
from pydicom.uid import (
    HTJ2K,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pyloader.dicom.transfer_syntaxes import JPEG_XL_LOSSLESS
from tests.support import builders, corpus
from tests.support.pages.outcome import digest_of, with_pixels
from tests.support.webserver import WebServer

pytestmark = pytest.mark.timeout(300)
CODECS = {
    "JPEG": JPEGBaseline8Bit,
    "JPEG-LL": JPEGLosslessSV1,
    "JPEG-LL-any-predictor": JPEGLossless,
    "JPEG-LS": JPEGLSLossless,
    "J2K": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
    "HTJ2K-RPCL": HTJ2KLosslessRPCL,
    "HTJ2K-lossy": HTJ2K,
    "JPEG-XL": JPEG_XL_LOSSLESS,
    "RLE": RLELossless,
}
# Each frame again and again, a good one after each kind of broken one and the other way round.
ORDER = (0, 1, 0, 3, 2, 1, 2, 3, 4, 3, 4, 1, 0, 1)
DIGESTS_IN_ORDER = """
async (imageIds) => {
  const found = [];
  for (const imageId of imageIds) {
    found.push(...await digests([imageId]));
    await pyloader.purge();
  }
  return found;
}
"""
LOAD_IN_ORDER = """
async (imageIds) => {
  const outcomes = [];
  for (const imageId of imageIds) outcomes.push(await load(imageId));
  return [outcomes, pyloader.stats().deaths];
}
"""


def encode(pixels: np.ndarray, syntax: str) -> bytes:
    """Encode one frame."""
    if syntax == JPEG_XL_LOSSLESS:
        return bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    if syntax == RLELossless:
        return builders.rle_encode_frame(pixels)
    return bytes(builders.ENCODERS[syntax](pixels))


def half(frame: bytes) -> bytes:
    """Return the first half of a codestream."""
    return frame[: len(frame) // 4 * 2]


def without_middle(frame: bytes) -> bytes:
    """Return a codestream with the middle third overwritten: its length and its ends are right."""
    third = len(frame) // 3
    return frame[:third] + bytes([0xFF, 0x00]) * (third // 2) + frame[third // 2 * 2 + third :]


def decoded(pixels: np.ndarray, frame: bytes, syntax: str) -> np.ndarray:
    """Return what a frame decodes to: by Pillow where its syntax is lossy."""
    if syntax == JPEGBaseline8Bit:
        return np.asarray(PillowImage.open(BytesIO(frame)))
    return pixels


@pytest.mark.parametrize("name", CODECS)
def test_frames_after_a_broken_frame_are_right(page: Page, site: WebServer, name: str) -> None:
    syntax = CODECS[name]
    bits = 8 if syntax in (JPEGBaseline8Bit, HTJ2K) else 12
    first = builders.ramp(96, 80, bits)
    second = ((1 << bits) - 1 - first).astype(first.dtype)
    good = [encode(pixels, syntax) for pixels in (first, second)]
    frames = [half(good[0]), good[0], without_middle(good[1]), good[1], half(good[1])]
    body = builders.encapsulated(frames, first, syntax, BitsStored=bits)
    path = site.put(f"/made/poisoned-{name}.dcm", body)
    image_ids = [f"wadouri:{path}?frame={index + 1}" for index in ORDER]
    outcomes, deaths = page.evaluate(LOAD_IN_ORDER, image_ids)
    assert deaths == 0
    expected = {1: decoded(first, good[0], syntax), 3: decoded(second, good[1], syntax)}
    bound = int(syntax == HTJ2K)
    for index, outcome in zip(ORDER, outcomes, strict=True):
        if index in expected:
            assert "error" not in outcome, f"frame {index + 1}: {outcome['error']}"
            pixels = with_pixels(outcome["image"])["pixels"]
            assert np.abs(pixels.astype(int) - expected[index]).max() <= bound
        else:
            assert_no_stale_frame(index, outcome, expected)


def assert_no_stale_frame(index: int, outcome: dict, expected: dict[int, np.ndarray]) -> None:
    """Half a frame is refused; where damage cannot be told, the image is at least no other's."""
    if "error" in outcome:
        assert outcome["error"]["code"] in ("decode", "format")
        return
    assert index == 2, f"half of a frame was shown as frame {index + 1}"
    pixels = with_pixels(outcome["image"])["pixels"]
    assert not any(np.array_equal(pixels, other) for other in expected.values())
    # Of the frame that was decoded before it there is nothing where it is itself damaged.
    assert (pixels == expected[1])[pixels != expected[3]].mean() < 0.05


@pytest.mark.parametrize("name", ["RG1_J2KR.dcm", "RG1_J2KI.dcm"])
@pytest.mark.parametrize("breaking", [half, without_middle])
def test_nema_after_a_poisoned_predecessor(
    page: Page, site: WebServer, name: str, breaking: Callable[[bytes], bytes]
) -> None:
    dataset = corpus.read(name)
    syntax = dataset.file_meta.TransferSyntaxUID
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    like = np.empty((dataset.Rows, dataset.Columns), "u2")
    body = builders.encapsulated([breaking(frame)], like, syntax, BitsStored=dataset.BitsStored)
    broken = f"wadouri:{site.put(f'/made/{breaking.__name__}-{name}', body)}"
    good = f"wadouri:{corpus.url_of(name)}"
    found = page.evaluate(DIGESTS_IN_ORDER, [broken, good, broken, good])
    reference = corpus.reference(name)
    assert found[1] == found[3] == digest_of(reference.pixels, "Uint16Array"), reference.decoder
    assert found[0] == found[2] != found[1]
    assert found[0].startswith("decode: ") or breaking is without_middle
