"""AVIF: bits, alpha, orientation and frames."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import FormatError
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    animated,
    load,
    noise,
    photo,
    read,
    saved,
)


async def test_avif():
    body = saved(photo(), "AVIF", quality=90)
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 2
    assert image.encoding.lossy_image_compression


async def test_avif_of_10_bits():
    pixels = noise(ROWS, COLUMNS, dtype="u2") >> 6
    image = await load(imagecodecs.avif_encode(pixels, level=100, bitspersample=10))
    assert_array_equal(image.pixels, pixels)
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (16, 10)
    assert image.pixel.photometric_interpretation == "MONOCHROME2"


async def test_avif_with_alpha():
    pixels = noise(ROWS, COLUMNS, 4)
    image = await load(imagecodecs.avif_encode(pixels, level=100, pixelformat="444"))
    assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("orientation", range(2, 9))
async def test_avif_orientation(orientation):
    body = saved(photo(), "AVIF", quality=95, exif=pictures.oriented(orientation))
    image = await load(body)
    expected = read(body)
    assert image.pixels.shape == expected.shape
    assert np.abs(image.pixels.astype(int) - expected).max() <= 2


async def test_avif_frames():
    frames = pictures.moving(3)
    body = animated(frames, "AVIF", quality=95)
    for index in range(3):
        image = await load(body, f"#frame={index + 1}")
        assert np.abs(image.pixels.astype(int) - read(body, frame=index)).max() <= 2


@pytest.mark.parametrize("cut", [40, 200, -30])
async def test_avif_cut_off(cut):
    with pytest.raises(FormatError, match="cut off"):
        await load(saved(photo(), "AVIF")[:cut])
