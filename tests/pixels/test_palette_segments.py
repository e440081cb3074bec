"""Segmented palettes: discrete, linear and indirect segments, and damaged ones."""

from __future__ import annotations

import random
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from pydicom.pixels.processing import _expand_segmented_lut

from pyloader.errors import FormatError
from pyloader.pixels.palette_segments import expand_segments


def expanded(values: list[int], count: int, dtype: str = "u2") -> list[int]:
    """Return the entries of a segmented palette."""
    found = expand_segments(np.array(values, dtype), count)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    return found.tolist()


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2"])
def test_discrete_segments_are_copied(dtype):
    assert expanded([0, 3, 7, 8, 9, 0, 1, 5], 4, dtype) == [7, 8, 9, 5]


@pytest.mark.parametrize(
    ("first", "last", "length"),
    [(0, 255, 255), (255, 0, 100), (10, 13, 2), (7, 7, 5), (0, 65535, 3)],
)
def test_linear_segments_are_straight_lines(first, last, length):
    exact = [first + Fraction((last - first) * step, length) for step in range(length + 1)]
    expected = [floor(value + Fraction(1, 2)) for value in exact]
    assert expanded([0, 1, first, 1, length, last], length + 1) == expected
    assert expected[-1] == last


@pytest.mark.parametrize(
    ("dtype", "offset"), [("u1", [0, 0, 0, 0]), ("u2", [0, 0]), (">u2", [0, 0])]
)
def test_indirect_segments_copy_segments(dtype, offset):
    """Copy two: the line begins anew at the last entry, as PS3.3 C.7.9.2.3 has it."""
    values = [0, 2, 10, 20, 1, 2, 40, 2, 2, *offset]
    assert expanded(values, 8, dtype) == [10, 20, 30, 40, 10, 20, 30, 40]


@pytest.mark.parametrize(
    ("dtype", "offset"), [("u1", [264 & 0xFF, 264 >> 8, 0, 0]), ("u2", [264 * 2, 0])]
)
def test_offsets_count_bytes_the_least_significant_part_first(dtype, offset):
    """Copy the segment behind 264 values, in a table of 8 bits from several segments."""
    before = [0, 130, *[1] * 130] * 2
    assert len(before) == 264
    found = expanded([*before, 0, 2, 77, 78, 2, 1, *offset], 300, dtype)
    assert found == [*[1] * 260, 77, 78, 77, 78]


def test_random_palettes_are_expanded_as_pydicom_expands_them():
    chance = random.Random(8)
    for _ in range(100):
        values = [0, 1, chance.randrange(256)]
        for _ in range(chance.randrange(1, 6)):
            length = chance.randrange(1, 9)
            if chance.random() < 0.5:
                values += [0, length, *chance.choices(range(256), k=length)]
            else:
                values += [1, length, chance.randrange(256)]
        expected = _expand_segmented_lut(tuple(values), "<B")
        found = expanded(values, len(expected), "u1")
        # The two round halves differently.
        assert np.abs(np.subtract(found, expected)).max() <= 1
        assert len(found) == len(expected)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_no_more_entries_than_the_descriptor_says(count):
    assert expanded([0, 3, 7, 8, 9, 1, 60000, 0], count) == [7, 8, 9, 9][:count]


def test_few_segments_make_no_more_than_one_segment_too_many():
    values = [0, 1, 5, *[1, 65535, 9] * 10_000]
    assert len(expanded(values, 100)) == 100


def test_fewer_entries_are_returned_as_they_are():
    assert expanded([0, 2, 7, 8], 256) == [7, 8]


@pytest.mark.parametrize("padding", [0, 255])
def test_a_byte_of_padding_is_ignored(padding):
    assert expanded([0, 2, 7, 8, padding], 256, "u1") == [7, 8]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0, 3, 7, 8], "ends within a segment: 4 values, 5 are needed"),
        ([0, 1, 7, 1, 5], "ends within a segment"),
        ([0, 1, 7, 2, 1, 0], "ends within a segment"),
        ([1, 5, 7], "a linear segment at its beginning"),
        ([0, 1, 7, 1, 0, 9], "a linear segment without a length"),
        ([3, 1, 7], "a segment of type 3 where 0, 1 or 2"),
        ([0, 1, 7, 2, 1, 6, 0], "a segment of type 2 where 0 or 1, which an indirect one may copy"),
        ([0, 0], "has no entries"),
        ([], "has no entries"),
    ],
)
def test_damage_is_named(values, reason):
    with pytest.raises(FormatError, match=reason):
        expanded(values, 256)
