"""The main header of JPEG 2000, and tiles that are missing."""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from pyloader.pixels.codestream.jpeg_2000 import (
    check_tiles,
    find_end,
    main_header_end,
    read_jpeg_2000,
    tile_parts,
    without_boxes,
)
from tests.support.encoded import GREY8, GREY12, RGB, SIGNED
from tests.support.pictures import saved

JP2_BOXES = (b"jP  ", b"ftyp", b"jp2h", b"jp2c")


def encoded(pixels: np.ndarray, **options: Any) -> bytes:
    """Return a codestream, or with ``codecformat`` a file."""
    given = {"reversible": True, "mct": False, "codecformat": "J2K", **options}
    return bytes(imagecodecs.jpeg2k_encode(pixels, **given))


GREY = encoded(GREY12, bitspersample=12)
TILES = saved(
    PIL.Image.fromarray(GREY8), "JPEG2000", no_jp2=True, tile_size=(32, 16), irreversible=False
)
HT_TILES = imagecodecs.htj2k_encode(GREY12, reversible=True, tile=(32, 32))


@pytest.mark.parametrize(
    ("frame", "bits", "is_signed", "components"),
    [
        (GREY, 12, False, 1),
        (encoded(SIGNED), 16, True, 1),
        (encoded(RGB), 8, False, 3),
        (imagecodecs.htj2k_encode(GREY12, reversible=True), 16, False, 1),
    ],
    ids=["12 bits", "signed", "colour", "HTJ2K"],
)
def test_components(frame, bits, is_signed, components):
    header = read_jpeg_2000(frame)
    assert (header.rows, header.columns) == (40, 48)
    assert header.precisions == (bits,) * components
    assert header.signs == (is_signed,) * components
    assert not header.is_subsampled


@pytest.mark.parametrize("is_reversible", [False, True])
@pytest.mark.parametrize("has_transform", [False, True])
def test_transformations(is_reversible, has_transform):
    header = read_jpeg_2000(encoded(RGB, reversible=is_reversible, mct=has_transform))
    assert (header.is_reversible, header.has_transform) == (is_reversible, has_transform)


@pytest.mark.parametrize(("frame", "count"), [(GREY, 1), (TILES, 3 * 2), (HT_TILES, 2 * 2)])
def test_tiles_are_counted(frame, count):
    header = read_jpeg_2000(frame)
    assert header.tiles == count
    assert {tile for tile, _ in tile_parts(frame)} == {*range(count)}
    check_tiles(frame, header)


def test_size_is_that_of_the_image_area():
    """ISO 15444-1 B.2: the area begins at an offset of the reference grid."""
    place = GREY.index(b"\xff\x51") + 6
    x1, y1, *rest = struct.unpack_from(">8L", GREY, place)
    moved = struct.pack(">8L", x1 + 5, y1 + 7, 5, 7, *rest[2:4], 5, 7)
    header = read_jpeg_2000(GREY[:place] + moved + GREY[place + 32 :])
    assert (header.rows, header.columns, header.tiles) == (40, 48, 1)


def test_components_with_fewer_samples():
    place = GREY.index(b"\xff\x51") + 4 + 36
    frame = bytearray(GREY)
    frame[place + 1] = 2
    assert read_jpeg_2000(bytes(frame)).is_subsampled


# ------------------------------------------------------------------ boxes


def test_boxes_are_taken_off():
    file = encoded(GREY12, codecformat="JP2")
    assert all(box in file for box in JP2_BOXES)
    found = without_boxes(file)
    assert found == encoded(GREY12)
    assert np.array_equal(imagecodecs.jpeg2k_decode(found), GREY12)
    assert read_jpeg_2000(file) == read_jpeg_2000(found)
    check_tiles(file, read_jpeg_2000(file))


def test_a_codestream_with_its_end_is_unchanged():
    assert without_boxes(GREY) is GREY
    assert without_boxes(GREY + b"\0") == GREY + b"\0"


def test_an_end_that_is_missing_is_added():
    assert without_boxes(GREY[:-2]) == GREY


# ------------------------------------------------------------------ cut off


@pytest.mark.parametrize("name", ["one tile", "tiles", "tiles of HTJ2K"])
def test_tiles_that_are_cut_off_are_noticed_at_each_length(name):
    frame = {"one tile": GREY, "tiles": TILES, "tiles of HTJ2K": HT_TILES}[name]
    header = read_jpeg_2000(frame)
    last = max(stop for _, stop in tile_parts(frame))
    for stop in range(main_header_end(frame), last, 7):
        with pytest.raises(ValueError, match=r"cut off$"):
            check_tiles(frame[:stop], header)
    check_tiles(frame[:last], header)


def test_missing_bytes_of_a_tile_are_counted():
    with pytest.raises(ValueError, match="5 bytes of tile 5 are missing"):
        check_tiles(TILES[:-7], read_jpeg_2000(TILES))


def test_a_last_tile_part_without_a_length_needs_the_end_marker():
    place = main_header_end(GREY) + 6
    frame = GREY[:place] + bytes(4) + GREY[place + 4 :]
    header = read_jpeg_2000(frame)
    check_tiles(frame, header)
    check_tiles(frame + bytes(3), header)
    with pytest.raises(ValueError, match="2 bytes of tile 0 are missing"):
        check_tiles(frame[:-2], header)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [(b"ab\xff\xd9", 2), (b"ab\xff\xd9\0\0", 2), (b"ab\xff\xd9c", 7), (b"", 2)],
)
def test_the_end_is_followed_by_zeros_alone(frame, expected):
    assert find_end(frame) == expected


@pytest.mark.parametrize("frame", [b"", b"\xff\x4f", b"\xff\x4f\xff\x51", bytes(200)])
def test_what_has_no_main_header_is_refused(frame):
    with pytest.raises(ValueError, match="no whole main header"):
        read_jpeg_2000(frame)


def test_a_main_header_that_is_cut_off_is_refused():
    for stop in range(GREY.index(b"\xff\x52") + 14):
        with pytest.raises(ValueError, match="no whole main header"):
            read_jpeg_2000(GREY[:stop])


@pytest.mark.parametrize("place", [16, 20])
def test_tiles_without_size_are_refused(place):
    start = GREY.index(b"\xff\x51") + 4 + 2 + place
    frame = GREY[:start] + bytes(4) + GREY[start + 4 :]
    with pytest.raises(ValueError, match="tiles without size"):
        read_jpeg_2000(frame)


def test_a_length_within_the_header_of_a_tile_part_ends_the_search():
    place = main_header_end(TILES) + 6
    frame = TILES[:place] + struct.pack(">L", 1) + TILES[place + 4 :]
    assert [*tile_parts(frame)] == [(0, main_header_end(TILES) + 1)]
