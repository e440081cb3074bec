"""JPEG as Pillow reads it, and what is cut off though decoders only warn of it."""

from __future__ import annotations

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import DecodeError, FormatError
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    load,
    noise,
    photo,
    read,
    saved,
)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
async def test_jpeg_color(options):
    body = saved(photo(), "JPEG", **options)
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 1
    assert image.pixel.photometric_interpretation == "RGB"
    assert image.encoding.lossy_image_compression


async def test_jpeg_grey():
    body = saved(photo()[..., 0], "JPEG")
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 1
    assert image.pixel.photometric_interpretation == "MONOCHROME2"


async def test_jpeg_of_12_bits():
    pixels = noise(ROWS, COLUMNS, dtype="u2") >> 4
    image = await load(imagecodecs.jpeg8_encode(pixels, 100, bitspersample=12))
    assert np.abs(image.pixels.astype(int) - pixels).max() < 8
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (16, 12)


async def test_jpeg_lossless():
    pixels = noise(ROWS, COLUMNS)
    image = await load(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1))
    assert_array_equal(image.pixels, pixels)
    assert not image.encoding.lossy_image_compression


async def test_jpeg_of_inks():
    body = saved(PIL.Image.fromarray(photo()).convert("CMYK"), "JPEG", quality=95)
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body, "RGB")).max() <= 1
    assert image.warnings[0].startswith("converted from CMYK without its color profile")


@pytest.mark.parametrize("quality", [80, 95])
async def test_jpeg_of_inks_without_adobe(quality):
    """All readers take them as those with the marker."""
    body = saved(PIL.Image.fromarray(photo()).convert("CMYK"), "JPEG", quality=quality)
    start = body.index(b"\xff\xee")
    body = body[:start] + body[start + 16 :]
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body, "RGB")).max() <= 1
    assert "CMYK without an Adobe marker" in image.warnings[1]


async def test_jpeg_of_inks_as_luminance_and_chroma():
    """YCCK, of which the marker tells."""
    body = saved(PIL.Image.fromarray(photo()).convert("CMYK"), "JPEG", quality=95)
    transform = body.index(b"Adobe") + 11
    body = body[:transform] + b"\2" + body[transform + 1 :]
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body, "RGB")).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_jpeg_orientation(orientation):
    body = saved(photo(), "JPEG", exif=pictures.oriented(orientation))
    image = await load(body)
    expected = read(body)
    assert image.pixels.shape == expected.shape
    assert np.abs(image.pixels.astype(int) - expected).max() <= 1
    said = f"turned as its Orientation {orientation} (EXIF) says"
    assert image.warnings == (() if orientation == 1 else (said,))


@pytest.mark.parametrize("value", [0, 9])
async def test_orientation_that_is_none_is_ignored(value):
    image = await load(saved(photo(), "JPEG", exif=pictures.oriented(value)))
    assert image.pixels.shape == photo().shape
    assert image.warnings == ()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
async def test_jpeg_cut_off(progressive, kept):
    body = saved(noise(80, 80, 3), "JPEG", progressive=progressive)
    with pytest.raises(FormatError, match=r"the JPEG ends after .* without an end-of-image"):
        await load(body[: int(len(body) * kept)])


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
async def test_jpeg_whose_data_are_short(mode, kept):
    """A proxy may have closed a file that it did not have the whole of."""
    body = saved(PIL.Image.fromarray(noise(80, 90, 3)).convert(mode), "JPEG")
    with pytest.raises(DecodeError, match="the JPEG's data end before its last pixel"):
        await load(body[: int(len(body) * kept)] + b"\xff\xd9")


@pytest.mark.parametrize("mode", ["L", "RGB"])
async def test_jpeg_whose_last_pixel_is_middle_grey(mode):
    pixels = np.full((ROWS, COLUMNS), 128, "u1")
    pixels[:8, :8] = 20
    body = saved(PIL.Image.fromarray(pixels).convert(mode), "JPEG")
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 1


async def test_jpeg_with_more_behind_it():
    body = saved(photo(), "JPEG")
    image = await load(body + b"\0" * 40 + saved(photo()[:8, :8], "JPEG"))
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 1


async def test_jpeg_without_frame_header():
    with pytest.raises(FormatError, match="no frame header"):
        await load(b"\xff\xd8\xff\xe0\0\4ab\xff\xd9")
