"""Strips and tiles that are not stored, that end early, or whose codestreams differ from tags."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from pyloader import load_image
from pyloader.errors import DecodeError, FormatError
from tests.support import builders
from tests.support.pictures import URL, load, noise, read, tiff
from tests.support.tiffs import (
    COLORS,
    HALF_CHROMA,
    SIZE,
    YCBCR,
    jpeg_2000,
    one_tile,
    with_segments,
)

GREY = noise(50, 70, dtype="u2")


def tiles(**options: Any) -> bytes:
    """Write `GREY` in tiles."""
    return tiff(GREY, tile=(16, 32), **options)


# ------------------------------------------------------------------ segments that are not stored


@pytest.mark.parametrize("compression", [None, "zlib", "jpeg"])
@pytest.mark.parametrize("layout", [{"tile": (16, 16)}, {"rowsperstrip": 8}])
@pytest.mark.parametrize("missing", [(0,), (-1,), (1, 2)])
async def test_segments_that_were_never_written(compression, layout, missing):
    pixels = noise(48, 48, 3)
    whole = tiff(pixels, compression=compression, **layout)
    body = with_segments(whole, dict.fromkeys(missing, (0, 0)))
    expected = tifffile.imread(BytesIO(body))
    assert not np.array_equal(expected, tifffile.imread(BytesIO(whole)))
    image = await load(body)
    assert_array_equal(image.pixels, expected)
    [note] = image.warnings
    assert f"{len(missing)} of" in note
    assert "not stored: their pixels are 0" in note


async def test_segments_that_were_never_written_have_the_value_for_none():
    extra = [(42113, 2, 3, "-9", True)]
    body = with_segments(tiff(GREY.view("i2"), tile=(16, 32), extratags=extra), {0: (0, 0)})
    assert ((await load(body)).pixels[:16, :32] == -9).all()


async def test_page_of_which_nothing_was_written():
    body = with_segments(tiff(GREY), {0: (0, 0)})
    image = await load(body)
    assert not image.pixels.any()
    assert "1 of 1 strips or tiles are not stored" in image.warnings[0]


@pytest.mark.parametrize("place", [(0, None), (None, 0)])
async def test_segment_with_half_a_place(place):
    with pytest.raises(FormatError, match="strips or tiles that are not stored: it is damaged"):
        await load(with_segments(tiles(), {3: place}))


# ------------------------------------------------------------------ byte counts beyond the file


@pytest.mark.parametrize(
    "compression",
    [None, "lzw", "zlib", "packbits", "lzma", "zstd", "jpeg", "jpeg2000", "png", "webp", "lerc"],
)
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"rowsperstrip": 16}])
async def test_byte_count_beyond_the_file(compression, layout):
    """All data are there: tifffile reads on."""
    pixels = noise(48, 48, 3)
    whole = tiff(pixels, compression=compression, **layout)
    body = with_segments(whole, {-1: (None, 30_000)})
    image = await load(body)
    assert_array_equal(image.pixels, tifffile.imread(BytesIO(whole)))
    assert any("byte counts" in note for note in image.warnings)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "lzma", "zstd", "png", "jpegxr"])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 32)}, {"rowsperstrip": 7}])
async def test_data_that_are_cut_off(compression, layout):
    """At no place does an image come of less than all pixels."""
    body = tiff(GREY, compression=compression, **layout)
    expected = tifffile.imread(BytesIO(body))
    refused = 0
    for cut in (1, 4, 13, 40, 200, 360, 1000):
        try:
            pixels = (await load(body[:-cut])).pixels
        except FormatError as error:
            assert "it is cut off" in str(error)  # noqa: PT017 -- some cuts lose no pixel
            refused += 1
        else:
            assert_array_equal(pixels, expected)
    assert refused >= 3


# ------------------------------------------------------------------ colors of codestreams


def farthest(pixels: np.ndarray, expected: np.ndarray = COLORS) -> int:
    """Return the largest difference of two RGB images."""
    assert pixels.shape == expected.shape
    return int(np.abs(pixels.astype(int) - expected).max())


@pytest.mark.parametrize("photometric", [2, 6])
async def test_aperio_without_component_transformation(photometric):
    body = one_tile(jpeg_2000(YCBCR), SIZE, compression=33003, photometric=photometric)
    assert farthest((await load(body)).pixels) <= 3


@pytest.mark.parametrize("compression", [33004, 33005, 34712])
@pytest.mark.parametrize("has_transform", [False, True])
async def test_rgb_in_jpeg_2000(compression, has_transform):
    body = one_tile(jpeg_2000(COLORS, mct=has_transform), SIZE, compression=compression)
    assert_array_equal((await load(body)).pixels, COLORS)


@pytest.mark.parametrize("compression", [33003, 33005, 34712])
@pytest.mark.parametrize("box", [3, 4])
async def test_ycbcr_that_a_box_tells(compression, box):
    """sYCC, of which the decoder makes RGB, and e-sYCC, of which it does not."""
    data = jpeg_2000(YCBCR, codecformat="jp2", colorspace=box)
    body = one_tile(data, SIZE, compression=compression)
    assert farthest((await load(body)).pixels) <= 3


@pytest.mark.parametrize("compression", [33003, 33005])
async def test_half_chroma_in_jpeg_2000(compression):
    body = one_tile(HALF_CHROMA, 16, compression=compression)
    expected = imagecodecs.jpeg2k_decode(HALF_CHROMA)
    pixels = (await load(body)).pixels
    assert_array_equal(pixels, expected)
    assert farthest(pixels, builders.color(16, 16)) < 30


@pytest.mark.parametrize("options", [{"mct": True}, {"codecformat": "jp2"}])
async def test_aperio_that_says_ycbcr_and_rgb(options):
    body = one_tile(jpeg_2000(COLORS, **options), SIZE, compression=33003)
    with pytest.raises(DecodeError, match=r"do not agree with the JPEG 2000 data, which are RGB"):
        await load(body)


@pytest.mark.parametrize("bits", [12, 16])
async def test_codestream_of_more_bits_than_the_tags_say(bits):
    data = jpeg_2000(COLORS.astype("u2") << bits - 8, bitspersample=bits)
    with pytest.raises(DecodeError, match=f"samples of {bits} bits, its tags say 8"):
        await load(one_tile(data, SIZE, compression=33005))


async def test_png_of_more_bits_than_the_tags_say():
    data = bytes(imagecodecs.png_encode(COLORS.astype("u2") * 257))
    with pytest.raises(DecodeError, match="samples of type uint16, its tags say uint8"):
        await load(one_tile(data, SIZE, compression=34933))


async def test_jpeg_2000_that_is_cut_off():
    data = jpeg_2000(noise(SIZE, SIZE, 3))
    for cut in (5, 50, 500):
        with pytest.raises(DecodeError, match=r"bytes of tile 0 are missing"):
            await load(one_tile(data[:-cut], SIZE, compression=33005))


# ------------------------------------------------------------------ colors of JPEG

JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


def adobe(transform: int) -> bytes:
    """Return an Adobe marker segment."""
    return b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])


def jpeg(
    coded: str, markers: bytes = b"", names: bytes = b"\1\2\3", sampling: str = "444"
) -> bytes:
    """Encode `COLORS` as they are, or as YCbCr, with no other markers than these."""
    body = bytes(
        imagecodecs.jpeg8_encode(
            COLORS, level=98, colorspace="RGB", outcolorspace=coded, subsampling=sampling
        )
    )
    kept, position = b"", 2
    while body[position + 1] != 0xDA:
        length = 2 + int.from_bytes(body[position + 2 : position + 4])
        segment = body[position : position + length]
        kept += b"" if body[position + 1] in (0xE0, 0xEE) else segment
        position += length
    changed = bytearray(body[:2] + markers + kept + body[position:])
    frame, scan = changed.index(b"\xff\xc0"), changed.index(b"\xff\xda")
    changed[frame + 10 : frame + 19 : 3] = changed[scan + 5 : scan + 11 : 2] = names
    return bytes(changed)


@pytest.mark.parametrize("compression", [7, 33007])
@pytest.mark.parametrize("photometric", [2, 6])
@pytest.mark.parametrize(
    ("data", "is_ybr"),
    [
        (jpeg("YCBCR", JFIF), True),
        (jpeg("YCBCR", adobe(1)), True),
        (jpeg("YCBCR", JFIF + adobe(1)), True),
        (jpeg("YCBCR", sampling="420"), True),
        (jpeg("RGB", adobe(0)), False),
        (jpeg("RGB", names=b"RGB"), False),
    ],
    ids=["JFIF", "Adobe 1", "both", "half chroma", "Adobe 0", "names"],
)
async def test_colors_that_jpeg_tells_itself(compression, photometric, data, is_ybr):
    image = await load(one_tile(data, SIZE, compression=compression, photometric=photometric))
    assert farthest(image.pixels) <= 8
    assert bool(image.warnings) == (is_ybr != (photometric == 6))
    assert image.encoding.lossy_image_compression


@pytest.mark.parametrize(("photometric", "coded"), [(2, "RGB"), (6, "YCBCR")])
async def test_colors_that_only_the_tag_tells(photometric, coded):
    body = one_tile(jpeg(coded), SIZE, compression=7, photometric=photometric)
    image = await load(body)
    assert farthest(image.pixels) <= 4
    assert farthest(image.pixels, read(body, "RGB")) <= 2
    assert image.warnings == ()


@pytest.mark.parametrize(
    "data",
    [jpeg("YCBCR", adobe(0), sampling="420"), jpeg("YCBCR", names=b"RGB", sampling="420")],
    ids=["Adobe", "names"],
)
async def test_colors_that_contradict_each_other(data):
    with pytest.raises(DecodeError, match=r"fewer samples"):
        await load(one_tile(data, SIZE, compression=7))


async def test_pages_whose_jpeg_tells_different_colors():
    """tifffile would decode the second as the first, since their tags are the same."""
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for data in (jpeg("RGB", adobe(0)), jpeg("YCBCR", JFIF), jpeg("RGB", adobe(0))):
            given = {"shape": COLORS.shape, "dtype": "u1", "tile": (SIZE, SIZE), "metadata": None}
            writer.write(iter([data]), compression=7, photometric="rgb", **given)
    for page in (1, 2, 3):
        assert farthest((await load(stream.getvalue(), f"#frame={page}")).pixels) <= 4


@pytest.mark.parametrize(
    ("data", "compression", "photometric"),
    [
        (jpeg("YCBCR", JFIF), 7, 2),
        (jpeg("RGB", adobe(0)), 7, 6),
        (jpeg_2000(YCBCR), 33003, 2),
        (jpeg_2000(YCBCR), 34712, 6),
    ],
)
async def test_second_load_is_as_the_first(context, transport, data, compression, photometric):
    """The layout of the first is not taken for what the tags say."""
    transport.answers[URL] = one_tile(data, SIZE, compression=compression, photometric=photometric)
    first, second = [await load_image(URL, context) for _ in range(2)]
    assert farthest(first.pixels) <= 4
    assert_array_equal(second.pixels, first.pixels)
    assert second.warnings == first.warnings
    assert len(transport.requests) == 1
