"""TIFF pages as tifffile and Pillow read them, what they say, and what is refused."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal

from pyloader import list_image_ids, load_image
from pyloader.errors import ImageIdError
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    URL,
    load,
    noise,
    photo,
    read,
    saved,
    tiff,
)

DTYPES = ("u1", "u2", "u4", "i1", "i2", "i4", "u8", "i8", "f2", "f4", "f8")
# What is lossless, and which values it can hold.
COMPRESSIONS = ("lzw", "zlib", "packbits", "zstd")


def values(dtype: str) -> np.ndarray:
    """Return a grey image over the range of a dtype."""
    if np.dtype(dtype).kind != "f":
        return noise(ROWS, COLUMNS, dtype=dtype)
    return np.linspace(-3e4, 6e4, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["<", ">"])
async def test_grey_of_every_type(dtype, order):
    pixels = values(dtype)
    image = await load(tiff(pixels, byteorder=order))
    # Halves have no typed array in JavaScript.
    assert image.pixels.dtype.newbyteorder("=") == ("f4" if dtype == "f2" else dtype)
    assert_array_equal(image.pixels, pixels)
    assert image.pixel.photometric_interpretation == "MONOCHROME2"
    assert image.pixel.pixel_representation == (pixels.dtype.kind == "i")
    assert image.plane.pixel_spacing is None
    assert image.warnings == ()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("bigtiff", [False, True])
async def test_compressed(compression, tile, bigtiff):
    pixels = values("u1" if compression == "packbits" else "u2")
    body = tiff(
        pixels,
        compression=compression,
        tile=tile,
        bigtiff=bigtiff,
        rowsperstrip=None if tile else 7,
    )
    assert_array_equal((await load(body)).pixels, pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
@pytest.mark.parametrize("compression", ["lzw", "zlib"])
async def test_predictor(dtype, compression):
    pixels = values(dtype)
    body = tiff(pixels, compression=compression, predictor=True)
    assert pictures.tag_of(body, "Predictor").value in (2, 3)
    assert_array_equal((await load(body)).pixels, pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
async def test_color(dtype, planes):
    pixels = noise(ROWS, COLUMNS, 3, dtype=dtype)
    given = pixels if planes == "contig" else np.moveaxis(pixels, -1, 0)
    image = await load(tiff(given, planarconfig=planes, photometric="rgb"))
    assert_array_equal(image.pixels, pixels)
    assert image.pixel.photometric_interpretation == "RGB"


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
async def test_jpeg_within(photometric):
    body = tiff(photo(), compression="jpeg", photometric=photometric, tile=(32, 32))
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body, "RGB")).max() <= 2
    assert image.encoding.lossy_image_compression


async def test_bits_that_are_packed():
    pixels = noise(ROWS, COLUMNS, dtype="u2") >> 4
    image = await load(tiff(pixels, bitspersample=12))
    assert_array_equal(image.pixels, pixels)
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (16, 12)


async def test_one_bit():
    pixels = noise(ROWS, COLUMNS) > 99
    image = await load(saved(PIL.Image.fromarray(pixels), "TIFF"))
    assert_array_equal(image.pixels, pixels)
    assert (image.pixels.dtype, image.pixel.bits_stored) == ("u1", 1)


async def test_white_is_zero():
    pixels = values("u2")
    image = await load(tiff(pixels, photometric="miniswhite"))
    assert_array_equal(image.pixels, pixels)
    assert image.pixel.photometric_interpretation == "MONOCHROME1"


@pytest.mark.parametrize("colors", [13, 256])
async def test_palette(colors):
    body = saved(PIL.Image.fromarray(photo()).quantize(colors), "TIFF")
    image = await load(body)
    assert_array_equal(image.pixels, read(body, "RGB"))


async def test_palette_of_16_bits():
    indices, palette = noise(ROWS, COLUMNS), noise(3, 256, dtype="u2", seed=8)
    image = await load(tiff(indices, photometric="palette", colormap=palette))
    assert_array_equal(image.pixels, palette.T[indices])
    assert image.pixel.bits_stored == 16


@pytest.mark.parametrize("dtype", ["u1", "u2"])
async def test_alpha(dtype):
    pixels = noise(ROWS, COLUMNS, 4, dtype=dtype)
    image = await load(tiff(pixels, extrasamples=["unassalpha"]))
    assert_array_equal(image.pixels, pixels)


async def test_grey_with_alpha():
    pixels = noise(ROWS, COLUMNS, 2)
    image = await load(tiff(pixels, planarconfig="contig", extrasamples=["unassalpha"]))
    assert_array_equal(image.pixels, pixels[..., (0, 0, 0, 1)])


@pytest.mark.parametrize(
    ("kind", "note"),
    [("assocalpha", "multiplied with their alpha"), ("unspecified", "1 samples a pixel besides")],
)
async def test_further_samples_are_left_out(kind, note):
    pixels = noise(ROWS, COLUMNS, 4)
    image = await load(tiff(pixels, extrasamples=[kind]))
    assert_array_equal(image.pixels, pixels[..., :3])
    assert len(image.warnings) == 1
    assert note in image.warnings[0]


async def test_float_colors():
    pixels = noise(ROWS, COLUMNS, 3).astype("f4") / 255
    assert_array_equal((await load(tiff(pixels))).pixels, pixels)


# ------------------------------------------------------------------ pages


async def test_pages_of_different_kinds_are_fetched_once(context, transport):
    pages = [values("u2"), photo(), values("f4")[:9]]
    transport.answers[URL] = tiff(*pages)
    found = await list_image_ids(URL, context)
    assert found == [f"{URL}#frame={number}" for number in (1, 2, 3)]
    for image_id, page in zip(reversed(found), reversed(pages), strict=True):
        assert_array_equal((await load_image(image_id, context)).pixels, page)
    assert len(transport.requests) == 1


async def test_page_that_is_not_there():
    with pytest.raises(ImageIdError, match="frame 3 was asked for; the file has 2"):
        await load(tiff(photo(), photo()), "#frame=3")


# ------------------------------------------------------------------ what describes a page


@pytest.mark.parametrize(("unit", "mm"), [("centimeter", 10.0), ("inch", 25.4)])
async def test_resolution_with_a_unit_is_spacing(unit, mm):
    # Across 40 pixels a unit, down 20.
    image = await load(tiff(photo(), resolution=(40, 20), resolutionunit=unit))
    assert image.plane.pixel_spacing == pytest.approx((mm / 20, mm / 40))


async def test_resolution_without_a_unit_is_none():
    image = await load(tiff(photo(), resolution=(40, 20), resolutionunit="none"))
    assert image.plane.pixel_spacing is None


async def test_resolution_of_nothing_is_none():
    body = tiff(photo(), resolution=(40, 20), resolutionunit="inch")
    at = pictures.tag_of(body, "XResolution").valueoffset
    image = await load(body[:at] + bytes(8) + body[at + 8 :])
    assert image.plane.pixel_spacing is None


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_orientation_turns_spacing_too(orientation):
    extra = [(274, 3, 1, orientation, True)]
    body = tiff(photo(), extratags=extra, resolution=(40, 20), resolutionunit="centimeter")
    image = await load(body)
    assert_array_equal(image.pixels, read(body))
    expected = (0.5, 0.25) if orientation < 5 else (0.25, 0.5)
    assert image.plane.pixel_spacing == pytest.approx(expected)
    assert len(image.warnings) == (orientation != 1)
