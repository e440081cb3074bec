"""BMP of every header and compression, as Pillow reads it, or as its masks say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import FormatError, UnsupportedError
from tests.support.bitmaps import (
    ALPHA_BITFIELDS,
    BITFIELDS,
    COLUMNS,
    CORE,
    INFO,
    OS2,
    RGB,
    RLE4,
    RLE8,
    ROWS,
    V2,
    V3,
    V4,
    V5,
    bmp,
    palette,
    rows_of,
    runs,
)
from tests.support.pictures import load, noise, read

BGRX = (0xFF0000, 0xFF00, 0xFF)
BGRA = (*BGRX, 0xFF000000)
INDICES = noise(ROWS, COLUMNS)

# ------------------------------------------------------------------ headers and depths


@pytest.mark.parametrize("header", [CORE, INFO, V2, V3, OS2, V4, V5])
@pytest.mark.parametrize("depth", [1, 4, 8, 24])
async def test_every_header(header, depth):
    colors = palette(1 << depth, 3 if header == CORE else 4) if depth <= 8 else b""
    body = bmp(header, depth, rows_of(depth), palette=colors)
    assert_array_equal((await load(body)).pixels, read(body, "RGB"))


@pytest.mark.parametrize("depth", [1, 4, 8, 24])
async def test_rows_from_top_to_bottom(depth):
    colors = palette(1 << depth) if depth <= 8 else b""
    body = bmp(INFO, depth, rows_of(depth), palette=colors, rows=-ROWS)
    assert_array_equal((await load(body)).pixels, read(body, "RGB"))


async def test_header_of_os2_that_leaves_out_fields():
    short, long = (bmp(size, 8, rows_of(8), palette=palette(256)) for size in (16, INFO))
    assert_array_equal((await load(short)).pixels, read(long, "RGB"))


async def test_two_bits():
    body = bmp(INFO, 2, rows_of(2), palette=palette(4))
    stored = np.frombuffer(rows_of(2), "u1").reshape(ROWS, -1)[::-1]
    indices = np.stack([stored >> shift & 3 for shift in (6, 4, 2, 0)], axis=-1)
    expected = np.frombuffer(palette(4), "u1").reshape(4, 4)[:, 2::-1]
    assert_array_equal((await load(body)).pixels, expected[indices.reshape(ROWS, -1)[:, :COLUMNS]])


@pytest.mark.parametrize(("depth", "used"), [(4, 9), (8, 100), (8, 1)])
async def test_indices_beyond_a_short_palette_are_black(depth, used):
    body = bmp(INFO, depth, rows_of(depth), palette=palette(used), used=used)
    assert_array_equal((await load(body)).pixels, read(body, "RGB"))


@pytest.mark.parametrize("header", [CORE, INFO])
async def test_palette_that_is_cut_off(header):
    body = bmp(header, 8, rows_of(8), palette=palette(50, 3 if header == CORE else 4))
    with pytest.raises(FormatError, match=r"pixels use color \d+, its palette has 50: .* cut off"):
        await load(body)


async def test_pixels_that_start_within_the_header():
    with pytest.raises(FormatError, match="pixels start at byte 20, within its header"):
        await load(bmp(INFO, 24, rows_of(24), offset=20))


# ------------------------------------------------------------------ masks


def words(masks: tuple[int, ...], samples: np.ndarray, depth: int) -> bytes:
    """Return rows, last first, whose masks hold samples of their own widths."""
    found = np.zeros((ROWS, COLUMNS), "u4")
    for mask, channel in zip(masks, np.moveaxis(samples, -1, 0), strict=True):
        lowest = mask & -mask
        scaled = np.rint(channel * (mask // lowest / 255)).astype("u4")
        found |= scaled * np.uint32(lowest)
    padding = (-COLUMNS * depth // 8 % 4) * 8 // depth
    return np.pad(found[::-1].astype(f"<u{depth // 8}"), ((0, 0), (0, padding))).tobytes()


@pytest.mark.parametrize("header", [INFO, V2, V3, V4, V5])
@pytest.mark.parametrize(
    ("depth", "masks"),
    [
        (32, BGRX),
        (32, BGRX[::-1]),
        (32, (0xFF000000, 0xFF0000, 0xFF00)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF)),
        (32, (0xFFE00000, 0x1FFC00, 0x3FF)),
        (16, (0xF800, 0x7E0, 0x1F)),
        (16, (0x7C00, 0x3E0, 0x1F)),
        (16, (0xF00, 0xF0, 0xF)),
        (16, (0xE0, 0x1C, 0x3)),
    ],
)
async def test_masks_of_colors(header, depth, masks):
    """Bits that no mask has are of no use, also where they are not 0."""
    samples = noise(ROWS, COLUMNS, 3)
    unused = np.uint32(((1 << depth) - 1) & ~(masks[0] | masks[1] | masks[2]))
    stored = np.frombuffer(words(masks, samples, depth), f"<u{depth // 8}") | unused
    body = bmp(
        header, depth, stored.astype(f"<u{depth // 8}").tobytes(), masks=masks, compression=3
    )
    image = await load(body)
    narrowest = min(min(mask.bit_count() for mask in masks), 8)
    bound = 128 // ((1 << narrowest) - 1)
    assert image.pixels.shape == samples.shape
    assert np.abs(image.pixels.astype(int) - samples).max() <= bound
    # From nothing to all.
    assert (image.pixels.min(), image.pixels.max()) == (0, 255)


@pytest.mark.parametrize("header", [V3, V4, V5])
@pytest.mark.parametrize("masks", [BGRA, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)])
async def test_mask_of_alpha(header, masks):
    samples = noise(ROWS, COLUMNS, 4)
    body = bmp(header, 32, words(masks, samples, 32), masks=masks, compression=BITFIELDS)
    assert_array_equal(read(body, "RGBA"), samples)
    assert_array_equal((await load(body)).pixels, samples)


async def test_mask_of_alpha_behind_the_header():
    samples = noise(ROWS, COLUMNS, 4)
    body = bmp(INFO, 32, words(BGRA, samples, 32), masks=BGRA, compression=ALPHA_BITFIELDS)
    assert_array_equal((await load(body)).pixels, samples)


async def test_alpha_that_is_0_everywhere_was_never_written():
    samples = noise(ROWS, COLUMNS, 4)
    samples[..., 3] = 0
    body = bmp(V4, 32, words(BGRA, samples, 32), masks=BGRA, compression=BITFIELDS)
    assert_array_equal((await load(body)).pixels, samples[..., :3])


@pytest.mark.parametrize("header", [INFO, V4, V5])
@pytest.mark.parametrize("depth", [16, 32])
async def test_without_masks_there_is_no_alpha(header, depth):
    """Masks count only with the compression that says so."""
    body = bmp(header, depth, rows_of(depth), masks=BGRA if header > INFO else ())
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body, "RGB")).max() <= (depth == 16)


@pytest.mark.parametrize(
    ("depth", "masks", "match"),
    [
        (32, (0, 0, 0), "no bits for red, green and blue"),
        (32, (0xF0F0, 0xF, 0xFF0000), "0xf0f0 is no run of bits"),
        (16, BGRX, "0xff0000 is no run of bits"),
    ],
)
async def test_masks_that_mean_nothing(depth, masks, match):
    with pytest.raises(FormatError, match=match):
        await load(bmp(INFO, depth, rows_of(depth), masks=masks, compression=BITFIELDS))


# ------------------------------------------------------------------ runs


def run_length(depth: int, data: bytes, **fields: int) -> bytes:
    """Make a BMP in runs."""
    kind = {8: RLE8, 4: RLE4}[depth]
    return bmp(INFO, depth, data, palette=palette(1 << depth), compression=kind, **fields)


@pytest.mark.parametrize(
    ("depth", "data"),
    [
        (8, runs(INDICES)),
        (8, runs(INDICES, end=b"")),
        (8, b"".join(b"\0\r" + row.tobytes() + b"\0\0\0" for row in INDICES) + b"\0\1"),
        (8, b"\x20\7\0\0" + runs(INDICES[1:])),
        (4, b"\x05\x12\x08\x34\0\0" * ROWS + b"\0\1"),
        (4, b"\0\5\x12\x34\x50\0\x08\x34\0\0" * ROWS + b"\0\1"),
    ],
    ids=["runs", "no end", "literals", "beyond the row", "runs of 4", "literals of 4"],
)
async def test_runs(depth, data):
    body = run_length(depth, data)
    assert_array_equal((await load(body)).pixels, read(body, "RGB"))


async def test_runs_of_grey_stay_grey():
    greys = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))
    body = bmp(INFO, 8, runs(INDICES[::-1]), palette=greys, compression=RLE8)
    assert_array_equal((await load(body)).pixels, INDICES)


async def test_pixels_in_no_run_are_black():
    """Three are set, a jump goes over the row above, and the image ends there."""
    body = run_length(8, b"\3\7\0\2\1\2\1\x09\0\1")
    expected = np.zeros((ROWS, COLUMNS, 3), "u1")
    colors = np.frombuffer(palette(256), "u1").reshape(256, 4)[:, 2::-1]
    expected[-1, :3] = colors[7]
    expected[-3, 4] = colors[9]
    assert_array_equal((await load(body)).pixels, expected)


@pytest.mark.parametrize("data", [runs(INDICES[:4], end=b""), runs(INDICES)[:-20], b"\0", b""])
async def test_runs_that_are_cut_off(data):
    with pytest.raises(
        FormatError, match=rf"runs end after {len(data)} bytes, at stored row .*: it is cut"
    ):
        await load(run_length(8, data))


# ------------------------------------------------------------------ what is not read


@pytest.mark.parametrize(
    ("header", "depth", "compression", "name"),
    [
        (INFO, 24, 4, "JPEG"),
        (INFO, 24, 5, "PNG"),
        (OS2, 1, 3, "Huffman"),
        (OS2, 24, 4, "runs of 24"),
    ],
)
async def test_compression_that_is_not_read(header, depth, compression, name):
    with pytest.raises(UnsupportedError, match=f"the BMP is compressed by {name}"):
        await load(bmp(header, depth, rows_of(depth), compression=compression))


@pytest.mark.parametrize(
    ("depth", "compression"), [(3, RGB), (8, RLE4), (24, BITFIELDS), (64, RGB), (8, 9)]
)
async def test_depth_that_no_bmp_has(depth, compression):
    with pytest.raises(FormatError, match=f"pixels of {depth} bits, compression {compression}"):
        await load(bmp(INFO, depth, bytes(2000), compression=compression))


@pytest.mark.parametrize("depth", [1, 24])
async def test_last_padding_may_be_missing(depth):
    """All pixels are there."""
    colors = palette(1 << depth) if depth <= 8 else b""
    whole = bmp(INFO, depth, rows_of(depth), palette=colors)
    unneeded = (-COLUMNS * depth % 32) // 8
    assert_array_equal((await load(whole[:-unneeded])).pixels, read(whole, "RGB"))
    with pytest.raises(FormatError, match="cut off"):
        await load(whole[: -unneeded - 1])


@pytest.mark.parametrize("count", [10, 20, 53])
async def test_header_that_is_cut_off(count):
    with pytest.raises(FormatError, match=r"the BMP .* cut off"):
        await load(bmp(INFO, 24, rows_of(24))[:count])
