"""Samples, colours, overlays and fragments that are hard, through dist/ in Chromium."""

from __future__ import annotations

import base64
from typing import Any

import imagecodecs
import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom import dcmread
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.support import builders, corpus
from tests.support.pages.outcome import fail, load
from tests.support.raw_images import DELIMITER, described, encapsulated, items, pieces, with_pixels
from tests.support.webserver import WebServer

Made = tuple[bytes, int, np.ndarray]  # a file, the number of a frame, its pixels
GENERATOR = np.random.default_rng(29)


def bits() -> Made:
    """Return single bits in swapped words, whose frames do not begin on a byte."""
    frames = GENERATOR.integers(0, 2, (5, 7, 9), "u1")
    packed = np.packbits(frames.ravel(), bitorder="little")
    words = np.append(packed, [0] * (packed.size % 2)).astype("u1").view("u2").byteswap()
    dataset = described(7, 9, 1, NumberOfFrames=5)
    return with_pixels(dataset, words.tobytes(), ExplicitVRBigEndian), 4, frames[3]


def high_bit() -> Made:
    """Return signed values of 12 bits in the upper bits of their words, in big endian."""
    words = GENERATOR.integers(0, 1 << 16, (6, 8), "u2")
    dataset = described(6, 8, BitsStored=12, HighBit=15, PixelRepresentation=1)
    body = with_pixels(dataset, words.astype(">u2").tobytes(), ExplicitVRBigEndian)
    return body, 1, words.view("i2") >> 4


def integers_of_24_bits() -> Made:
    """Return signed integers of three bytes."""
    values = GENERATOR.integers(-(1 << 23), 1 << 23, (4, 5))
    content = b"".join(int(value).to_bytes(3, "little", signed=True) for value in values.flat)
    dataset = described(4, 5, 24, PixelRepresentation=1)
    return with_pixels(dataset, content, vr="OB"), 1, values.astype("i4")


def double_floats() -> Made:
    """Return a frame of Double Float Pixel Data."""
    values = GENERATOR.normal(size=(2, 4, 5))
    dataset = described(4, 5, 64, NumberOfFrames=2)
    del dataset.PixelRepresentation
    dataset.DoubleFloatPixelData = values.tobytes()
    return builders.part10(dataset, ExplicitVRLittleEndian), 2, values[1]


def odd_lengths() -> Made:
    """Return RGB whose frames have an odd number of bytes, in planes."""
    frames = GENERATOR.integers(0, 256, (3, 7, 5, 3), "u1")
    dataset = builders.header(frames, NumberOfFrames=3, PlanarConfiguration=1)
    return with_pixels(dataset, frames.transpose(0, 3, 1, 2).tobytes(), vr="OB"), 2, frames[1]


def chroma_of_pairs() -> Made:
    """Return greys in YBR_FULL_422."""
    luma = GENERATOR.integers(0, 256, (4, 3, 2), "u1")
    samples = np.concatenate([luma, np.full_like(luma, 128)], axis=2)
    pixels = np.repeat(luma.reshape(4, 6)[..., None], 3, axis=2)
    dataset = builders.header(pixels, PhotometricInterpretation="YBR_FULL_422")
    return with_pixels(dataset, samples.tobytes(), vr="OB"), 1, pixels


def segmented_palette() -> Made:
    """Return an image of the corpus whose palette is segmented, as pydicom shows it."""
    path = corpus.FURTHER_DATA / "gdcm-US-ALOKA-16_big.dcm"
    little = dcmread(corpus.FURTHER_DATA / "gdcm-US-ALOKA-16.dcm")
    colors = apply_color_lut(little.pixel_array, little)
    return path.read_bytes(), 1, colors


def fragments_without_table() -> Made:
    """Return frames of several fragments each, without offset table or delimiter."""
    frames = GENERATOR.integers(0, 1 << 12, (3, 24, 36), "u2")
    encoded = [pieces(imagecodecs.jpegls_encode(frame), 2 + n) for n, frame in enumerate(frames)]
    content = items([fragment for frame in encoded for fragment in frame])
    dataset = described(24, 36, BitsStored=12, HighBit=11, NumberOfFrames=3)
    return encapsulated(dataset, content, JPEGLSLossless), 3, frames[2]


def table_that_is_wrong() -> Made:
    """Return frames whose offset table names places where no item begins."""
    frames = GENERATOR.integers(0, 1 << 16, (3, 16, 16), "u2")
    encoded = [builders.ENCODERS[JPEG2000Lossless](frame) for frame in frames]
    content = items(encoded, (0, 11, 22)) + DELIMITER
    return (
        encapsulated(described(16, 16, NumberOfFrames=3), content, JPEG2000Lossless),
        2,
        frames[1],
    )


def nothing_but_the_data_set() -> Made:
    """Return a file in big endian without preamble, prefix and meta header."""
    pixels = builders.ramp(16, 20)
    return builders.bare(builders.native(pixels, ExplicitVRBigEndian)), 1, pixels


def cut_off_and_deflated() -> Made:
    """Return the complete frame of a deflated file that is cut off."""
    frames = GENERATOR.integers(0, 1 << 16, (3, 32, 32), "u2")
    body = builders.native(frames, DeflatedExplicitVRLittleEndian, NumberOfFrames=3)
    return body[:-2500], 1, frames[0]


MADE = (
    *(bits, high_bit, integers_of_24_bits, double_floats, odd_lengths, chroma_of_pairs),
    *(segmented_palette, fragments_without_table, table_that_is_wrong),
    *(nothing_but_the_data_set, cut_off_and_deflated),
)


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_image(page: Page, site: WebServer, make: Any) -> None:
    body, number, expected = make()
    image = load(page, f"wadouri:{site.put(f'/made/{make.__name__}.dcm', body)}?frame={number}")
    pixels = image["pixels"]
    if expected.ndim == 3:
        assert (pixels[..., 3] == 255).all()
        shown = expected >> 8 if expected.dtype == np.uint16 else expected
        assert np.array_equal(pixels[..., :3], shown)
    else:
        assert np.array_equal(pixels, expected)


def test_cut_off_frame_says_how_many_bytes_are_missing(page: Page, site: WebServer) -> None:
    frames = GENERATOR.integers(0, 1 << 16, (2, 16, 16), "u2")
    content = items([builders.rle_encode_frame(frame) for frame in frames])
    body = encapsulated(described(16, 16, NumberOfFrames=2), content[:-100], RLELossless)
    image_id = f"wadouri:{site.put('/made/cut.dcm', body)}"
    assert np.array_equal(load(page, f"{image_id}?frame=1")["pixels"], frames[0])
    error = fail(page, f"{image_id}?frame=2")
    assert error["code"] == "format"
    assert "frame 2 of 2 is cut off: 100 of its" in error["message"]


def test_overlay_in_unused_bits(page: Page, site: WebServer) -> None:
    words = GENERATOR.integers(0, 1 << 16, (10, 12), "u2")
    dataset = described(10, 12, BitsStored=12, HighBit=11)
    for number, (vr, value) in {
        0x0010: ("US", 10),
        0x0011: ("US", 12),
        0x0100: ("US", 16),
        0x0102: ("US", 13),
    }.items():
        dataset.add_new(0x60000000 | number, vr, value)
    url = site.put("/made/embedded.dcm", with_pixels(dataset, words.tobytes()))
    found = page.evaluate(
        """async (imageId) => {
          const image = await pyloader.loadImage(imageId);
          const [overlay] = pyloader.metaData('overlayPlaneModule', imageId).overlays;
          const text = (array) => btoa(String.fromCharCode(...new Uint8Array(array.buffer)));
          return [text(image.getPixelData()), text(Uint8Array.from(overlay.pixelData))];
        }""",
        f"wadouri:{url}",
    )
    pixels, overlay = map(base64.b64decode, found)
    assert np.array_equal(np.frombuffer(pixels, "u2"), words.ravel() & 0x0FFF)
    assert np.array_equal(np.frombuffer(overlay, "u1"), words.ravel() >> 13 & 1)
