"""Runs of BMP, compared with Pillow's decoder, and those that are damaged."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import FormatError
from pyloader.loaders.web_images.bmp_runs import decode_runs, pixels_of
from tests.support.bitmaps import COLUMNS, INFO, RLE8, ROWS, bmp, runs
from tests.support.pictures import noise, read

END = b"\0\1"
# The example of Microsoft's documentation of RLE8, and its expansion there.
EXAMPLE = bytes.fromhex("0304 0506 0003 4556 6700 0278 0002 0501 0278 0000 091E 0001")


def test_the_example_of_the_documentation():
    """Expands to 04 04 04, 06 x 5, 45 56 67, 78 78, a jump, 78 78, a new row, 1E x 9."""
    indices, is_set = decode_runs(EXAMPLE, (3, 20), 8)
    first = [4] * 3 + [6] * 5 + [0x45, 0x56, 0x67, 0x78, 0x78]
    assert indices[0].tolist() == first + [0] * 7
    assert is_set[0].tolist() == [1] * 13 + [0] * 7
    assert indices[1].tolist() == [0] * 18 + [0x78, 0x78]
    assert is_set[1].tolist() == [0] * 18 + [1, 1]
    assert indices[2].tolist() == [0x1E] * 9 + [0] * 11


def test_pixels_are_those_of_pillow():
    indices = noise(ROWS, COLUMNS)
    grey = b"".join(bytes((value, value, value, 0)) for value in range(256))
    data = runs(indices[::-1])
    found, is_set = decode_runs(data, (ROWS, COLUMNS), 8)
    body = bmp(INFO, 8, data, palette=grey, compression=RLE8)
    assert_array_equal(found[::-1], read(body, "RGB")[..., 0])
    assert is_set.all()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x05\x12", [1, 2, 1, 2, 1]),
        (b"\x00\x05\x12\x34\x50\x00", [1, 2, 3, 4, 5]),
        (b"\x02\xab\x00\x03\xcd\xe0", [10, 11, 12, 13, 14]),
    ],
    ids=["run", "literal", "both"],
)
def test_two_pixels_a_byte(data, expected):
    indices, is_set = decode_runs(data + END, (1, 5), 4)
    assert (indices[0].tolist(), is_set.all()) == (expected, True)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("depth", [4, 8])
def test_literal_pixels_end_at_an_even_byte(count, depth):
    values = [*range(1, count + 1)]
    stored = bytes(values) if depth == 8 else np.packbits(nibbles(values)).tobytes()
    data = bytes((0, count)) + stored + bytes(len(stored) % 2) + b"\x01\x77" + END
    indices, _ = decode_runs(data, (1, count + 1), depth)
    assert indices[0].tolist() == [*values, 0x77 if depth == 8 else 7]


def nibbles(values: list[int]) -> np.ndarray:
    """Return the bits of pixels of 4 bits."""
    return np.unpackbits(np.array(values, "u1")[:, None], axis=1)[:, 4:]


def test_pixels_beyond_the_end_of_a_row_are_dropped():
    indices, is_set = decode_runs(b"\x05\x01\x00\x00\x02\x02" + END, (2, 3), 8)
    assert indices.tolist() == [[1, 1, 1], [2, 2, 0]]
    assert is_set.tolist() == [[1, 1, 1], [1, 1, 0]]


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"", 1),
        (b"\x03", 1),
        (b"\x03\x01", 1),
        (b"\x03\x01\x00\x00\x03", 2),
        (b"\x00\x03\x01", 1),
        (b"\x00\x02\x01", 1),
    ],
)
def test_runs_that_are_cut_off_say_where(data, row):
    with pytest.raises(FormatError, match=f"after {len(data)} bytes, at stored row {row} of 2"):
        decode_runs(data, (2, 3), 8)


def test_an_end_mark_that_is_missing_costs_nothing_when_all_pixels_are_there():
    indices, _ = decode_runs(b"\x03\x01\x00\x00\x03\x02", (2, 3), 8)
    assert indices.tolist() == [[1, 1, 1], [2, 2, 2]]


def test_an_early_end_leaves_the_rest_unset():
    _, is_set = decode_runs(b"\x02\x01" + END, (2, 3), 8)
    assert is_set.tolist() == [[1, 1, 0], [0, 0, 0]]


def test_rows_beyond_the_image_are_ignored():
    indices, _ = decode_runs(b"\x00\x02\x00\xff\x03\x09", (2, 3), 8)
    assert not indices.any()


def test_the_upper_half_of_a_byte_comes_first():
    assert pixels_of(b"\x12\xf0", 4) == b"\x01\x02\x0f\x00"
    assert pixels_of(b"\x12\xf0", 8) == b"\x12\xf0"
