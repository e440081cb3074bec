"""PNG as Pillow reads it, of every depth and color, and what is damaged."""

from __future__ import annotations

import struct

import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import DecodeError, FormatError
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    animated,
    load,
    noise,
    photo,
    png,
    read,
    saved,
)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
async def test_png_grey(depth):
    body = png(ROWS, COLUMNS, depth, pictures.GREY)
    image = await load(body)
    assert image.pixels.dtype == "u1"
    assert image.pixel.photometric_interpretation == "MONOCHROME2"
    assert_array_equal(image.pixels, read(body, "L"))
    assert len(np.unique(image.pixels)) == 1 << depth
    assert image.warnings == ()


async def test_png_grey_of_16_bits_keeps_its_values():
    pixels = noise(ROWS, COLUMNS, dtype="u2")
    image = await load(saved(pixels, "PNG"))
    assert_array_equal(image.pixels, pixels)
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (16, 16)
    assert image.pixels.ndim == 2
    assert not image.encoding.lossy_image_compression


async def test_png_of_16_bit_color_keeps_its_values():
    body = png(ROWS, COLUMNS, 16, pictures.RGB)
    image = await load(body)
    raw = noise(ROWS, COLUMNS * 6).view(">u2").reshape(ROWS, COLUMNS, 3)
    assert_array_equal(image.pixels, raw)
    assert (image.pixels.dtype, image.pixel.bits_stored) == ("u2", 16)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
async def test_png_palette(depth):
    body = png(ROWS, COLUMNS, depth, pictures.PALETTE, PLTE=pictures.palette(depth))
    image = await load(body)
    assert_array_equal(image.pixels, read(body, "RGB"))


async def test_png_palette_with_transparency():
    chunks = {"PLTE": pictures.palette(4), "tRNS": bytes([0, 100, 200])}
    body = png(ROWS, COLUMNS, 4, pictures.PALETTE, **chunks)
    image = await load(body)
    assert_array_equal(image.pixels, read(body, "RGBA"))
    assert len(np.unique(image.pixels[..., 3])) == 4


@pytest.mark.parametrize("depth", [8, 16])
async def test_png_grey_with_alpha(depth):
    body = png(ROWS, COLUMNS, depth, pictures.GREY_ALPHA)
    raw = noise(ROWS, COLUMNS * depth // 4).view(f">u{depth // 8}").reshape(ROWS, COLUMNS, 2)
    image = await load(body)
    assert_array_equal(image.pixels, raw[..., (0, 0, 0, 1)])


async def test_png_grey_with_alpha_that_says_nothing_stays_grey():
    grey = PIL.Image.fromarray(noise(ROWS, COLUMNS))
    opaque = PIL.Image.new("L", grey.size, 255)
    image = await load(saved(PIL.Image.merge("LA", (grey, opaque)), "PNG"))
    assert_array_equal(image.pixels, np.asarray(grey))
    assert image.pixel.photometric_interpretation == "MONOCHROME2"


@pytest.mark.parametrize("depth", [8, 16])
async def test_png_rgba(depth):
    body = png(ROWS, COLUMNS, depth, pictures.RGBA)
    raw = noise(ROWS, COLUMNS * depth // 2).view(f">u{depth // 8}").reshape(ROWS, COLUMNS, 4)
    image = await load(body)
    assert_array_equal(image.pixels, raw)


async def test_png_rgba_of_opaque_pixels_is_rgb():
    pixels = np.dstack([photo(), np.full((ROWS, COLUMNS), 255, "u1")])
    image = await load(saved(pixels, "PNG"))
    assert_array_equal(image.pixels, photo())


@pytest.mark.parametrize("color", [pictures.GREY, pictures.RGB])
async def test_png_with_a_transparent_color(color):
    chunks = {"tRNS": struct.pack(">H", 7) * pictures.SAMPLES[color]}
    body = png(ROWS, COLUMNS, 8, color, **chunks)
    image = await load(body)
    expected = read(body, "RGBA")
    expected = expected if (expected[..., 3] < 255).any() else expected[..., :3]
    assert_array_equal(image.pixels, expected)
    assert (color == pictures.GREY) == (image.pixels.shape[2] == 4)


@pytest.mark.parametrize("depth", [8, 16])
async def test_png_interlaced(depth):
    pixels = noise(ROWS, COLUMNS - 3, dtype=f"u{depth // 8}")
    body = pictures.interlaced(pixels)
    image = await load(body)
    assert_array_equal(image.pixels, pixels)
    assert_array_equal(read(body), pixels)


async def test_png_orientation():
    body = saved(photo(), "PNG", exif=pictures.oriented(8))
    image = await load(body)
    assert image.pixels.shape == (COLUMNS, ROWS, 3)
    assert_array_equal(image.pixels, read(body))


async def test_animated_png_says_that_it_is_one():
    image = await load(animated(pictures.moving(3), "PNG"))
    assert_array_equal(image.pixels, pictures.moving(3)[0])
    assert image.warnings == ("an animated PNG of 3 frames; only its default image is shown",)


@pytest.mark.parametrize("cut", [9, 20, 200, -13, -12, -4, -1])
async def test_png_cut_off(cut):
    with pytest.raises(FormatError, match=r"the PNG ends after .* bytes, before its last chunk"):
        await load(saved(noise(ROWS, COLUMNS), "PNG")[:cut])


async def test_png_whose_end_has_a_wrong_checksum():
    pixels = noise(ROWS, COLUMNS)
    image = await load(saved(pixels, "PNG")[:-1] + b"x")
    assert_array_equal(image.pixels, pixels)
    assert image.warnings == ("the PNG's last chunk (IEND) has a wrong checksum",)


@pytest.mark.parametrize("kind", [b"IHDR", b"tRNS", b"IDAT"])
async def test_png_with_a_damaged_chunk(kind):
    body = bytearray(png(ROWS, COLUMNS, 8, pictures.GREY, tRNS=b"\0\1"))
    body[body.index(kind) + 4] ^= 1
    with pytest.raises((FormatError, DecodeError), match=r"wrong checksum|CRC|incorrect|corrupt"):
        await load(bytes(body))


async def test_png_with_a_wrong_checksum_of_pixels():
    body = bytearray(saved(photo(), "PNG"))
    body[-13] ^= 1
    with pytest.raises(DecodeError, match="CRC error"):
        await load(bytes(body))


async def test_png_with_too_few_pixels():
    with pytest.raises(DecodeError, match="Not enough image data"):
        await load(pictures.png_bomb(1000, 1000))
