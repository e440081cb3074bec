"""TIFF pages that are cut off, damaged, too large, or of a kind that is not read."""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import PIL.Image
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import DecodeError, FormatError, ImageIdError, UnsupportedError
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    load,
    noise,
    photo,
    saved,
    tiff,
    with_short,
)
from tests.support.tiffs import with_next


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "jpeg"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("cut", [-10, -400])
async def test_cut_off(compression, tile, cut):
    body = tiff(noise(ROWS, COLUMNS, 3), compression=compression, tile=tile)
    with pytest.raises(FormatError, match=r"page 1 of the TIFF ends at byte .*: it is cut off"):
        await load(body[:cut])


@pytest.mark.parametrize("count", [4, 8, 20, 100])
async def test_cut_off_in_its_directory(count):
    with pytest.raises((FormatError, DecodeError), match="TIFF"):
        await load(tiff(photo())[:count])


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "jpeg"])
async def test_damaged_strip(compression):
    body = bytearray(tiff(noise(ROWS, COLUMNS, 3), compression=compression))
    [start], [count] = (pictures.tag_of(body, f"Strip{x}").value for x in ("Offsets", "ByteCounts"))
    body[start : start + count - 2] = b"\xaa" * (count - 2)
    with pytest.raises(DecodeError, match="page 1 of the TIFF cannot be decoded"):
        await load(bytes(body))


async def test_jpeg_within_that_has_no_end():
    body = bytearray(tiff(photo(), compression="jpeg"))
    [start], [count] = (pictures.tag_of(body, f"Strip{x}").value for x in ("Offsets", "ByteCounts"))
    body[start + count - 60 : start + count] = bytes(60)
    with pytest.raises(FormatError, match="JPEG data without an end"):
        await load(bytes(body))


async def test_strip_that_is_not_stored():
    body = tiff(photo(), rowsperstrip=ROWS)
    with pytest.raises(FormatError, match="strips or tiles that are not stored"):
        await load(with_short(body, "StripByteCounts", 0))


@pytest.mark.parametrize("name", ["ImageLength", "ImageWidth"])
async def test_size_that_is_a_lie(name):
    with pytest.raises((FormatError, DecodeError), match="page 1 of the TIFF"):
        await load(with_short(tiff(photo()), name, 20_000))


async def test_bomb():
    body = with_short(tiff(noise(ROWS, COLUMNS), compression="zlib"), "ImageLength", 1 << 30)
    body = with_short(body, "RowsPerStrip", 1 << 30)
    with pytest.raises(FormatError, match=r"page 1 of the TIFF needs \d+ bytes in memory"):
        await load(body)


async def test_tile_that_is_a_bomb():
    body = tiff(noise(ROWS, COLUMNS), compression="zlib", tile=(64, 64))
    body = with_short(with_short(body, "TileWidth", 65520), "TileLength", 65520)
    with pytest.raises(FormatError, match=r"a strip or tile of page 1 of the TIFF needs"):
        await load(body)


async def test_page_that_takes_too_much():
    body = tiff(0 * noise(ROWS, COLUMNS, dtype="u2"), compression="deflate")
    with pytest.raises(FormatError, match=r"page 1 of the TIFF needs 4480 bytes"):
        await load(body, decoded_bytes=4000)


async def test_colors_of_print():
    body = saved(PIL.Image.fromarray(photo()).convert("CMYK"), "TIFF")
    with pytest.raises(UnsupportedError, match="colors of the kind SEPARATED"):
        await load(body)


async def test_luma_and_chroma_that_are_not_jpeg():
    body = with_short(tiff(photo()), "PhotometricInterpretation", 6)
    with pytest.raises(UnsupportedError, match="colors of the kind YCBCR"):
        await load(body)


async def test_samples_that_are_no_color():
    body = tiff(noise(5, ROWS, COLUMNS), planarconfig="separate", extrasamples=[0] * 4)
    image = await load(body)
    assert_array_equal(image.pixels, noise(5, ROWS, COLUMNS)[0])
    assert image.warnings == ("4 samples a pixel besides its colors were left out",)


async def test_volume_in_a_page():
    body = tiff(noise(16, 32, 32), volumetric=True, tile=(16, 16, 16))
    with pytest.raises(
        UnsupportedError, match="page 1 of the TIFF is not a plane: its axes are ZYX"
    ):
        await load(body)


@pytest.mark.parametrize(
    "pixels", [noise(ROWS, COLUMNS, 3, dtype="i2"), noise(ROWS, COLUMNS, 3) * 1.0]
)
async def test_colors_that_cannot_be_shown(pixels):
    with pytest.raises(UnsupportedError, match=f"colors of type {pixels.dtype} from"):
        await load(tiff(pixels))


async def test_complex_numbers():
    with pytest.raises(FormatError, match="not dtype complex64"):
        await load(tiff(noise(ROWS, COLUMNS).astype("c8")))


async def test_compression_that_nobody_knows():
    body = with_short(tiff(photo(), compression="zlib"), "Compression", 48_999)
    with pytest.raises(UnsupportedError, match="compressed by 48999, which has no decoder"):
        await load(body)


async def test_compression_whose_codec_is_not_here(monkeypatch):
    def missing(*args: Any, **options: Any) -> bytes:
        raise imagecodecs.DelayedImportError("zstd_decode")

    body = tiff(photo(), compression="zstd")
    monkeypatch.setattr(imagecodecs, "zstd_decode", missing)
    monkeypatch.setattr("tifffile.TIFF.DECOMPRESSORS._codecs", {})
    with pytest.raises(UnsupportedError, match="compressed by ZSTD, which has no decoder"):
        await load(body)


async def test_what_tifffile_would_log_becomes_warnings(caplog):
    body = tiff(photo(), extratags=[(65000, 3, 1, 5, True)])
    tag = pictures.tag_of(body, "RowsPerStrip")
    damaged = body[: tag.offset + 2] + struct.pack("<H", 99) + body[tag.offset + 4 :]
    image = await load(damaged)
    assert any("99" in note for note in image.warnings)
    assert not caplog.records


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(("last", "target"), [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)])
async def test_directories_that_go_round_in_a_circle(byteorder, bigtiff, last, target):
    pages = [noise(ROWS, COLUMNS, seed=seed) for seed in range(3)]
    body = with_next(tiff(*pages, byteorder=byteorder, bigtiff=bigtiff), last, target)
    image = await load(body, f"#frame={last + 1}")
    assert_array_equal(image.pixels, pages[last])
    named = f"page {last + 1} names page {target + 1} as the next one"
    assert any(named in note for note in image.warnings)
    with pytest.raises(ImageIdError, match=f"the file has {last + 1} "):
        await load(body, f"#frame={last + 2}")
