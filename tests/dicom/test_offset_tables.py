"""Basic and Extended Offset Tables, right and wrong."""

from __future__ import annotations

import pytest

from pyloader.errors import FormatError
from tests.support.fragments import END, basic, extended, instance, spans


def test_basic_offset_table():
    assert spans(instance(), basic(0, 40, 100)) == [(1000, 1040), (1040, 1100), (1100, END)]


def test_basic_offset_table_of_a_file_of_unknown_size():
    assert spans(instance(), basic(0, 40, 100), None)[-1] == (1100, None)


def test_extended_offset_table():
    """Lengths are those of the fragments; items have even lengths."""
    found = instance(**extended((0, 32), (40, 51), (100, 20)))
    assert spans(found) == [(1000, 1040), (1040, 1100), (1100, 1128)]


def test_extended_offset_table_need_not_rise():
    found = instance(**extended((100, 20), (0, 32), (40, 52)))
    assert spans(found, end=None) == [(1100, 1128), (1000, 1040), (1040, 1100)]


def test_extended_offset_table_comes_first():
    found = instance(**extended((0, 32), (40, 52), (100, 20)))
    assert spans(found, basic(0, 1, 2))[1] == (1040, 1100)


@pytest.mark.parametrize("name", ["ExtendedOffsetTable", "ExtendedOffsetTableLengths"])
def test_extended_offset_table_that_is_not_complete_is_none(name):
    whole = extended((0, 32), (40, 52), (100, 20))
    assert spans(instance(**{name: whole[name]})) == []
    assert spans(instance(**whole | {name: whole[name][:-8]})) == []


def test_no_table():
    assert spans(instance()) == []


@pytest.mark.parametrize(
    ("table", "end", "expected"),
    [
        (basic(0, 40), END, "has 2 entries, ascending and within the file: True; .* of 3 frames"),
        (basic(0, 100, 40), END, "has 3 entries, ascending and within the file: False"),
        (basic(0, 0, 0), END, "has 3 entries, ascending and within the file: False"),
        (basic(0, 40, 4000), END, "has 3 entries, ascending and within the file: False"),
        (basic(0, 40, 5000), END, "has 3 entries, ascending and within the file: False"),
        (basic(0, 100, 40), None, "has 3 entries, ascending and within the file: False"),
    ],
)
def test_basic_offset_table_that_is_wrong(table, end, expected):
    with pytest.raises(FormatError, match=f"the offset table {expected}"):
        spans(instance(), table, end)


def test_basic_offset_table_of_more_frames():
    assert spans(instance(), basic(0, 40, 80, 120)) == [(1000, 1040), (1040, 1080), (1080, 1120)]


def test_basic_offset_table_is_taken_when_the_extended_one_is_wrong():
    found = instance(**extended((0, 32), (40, 52)))
    assert spans(found, basic(0, 40, 100)) == [(1000, 1040), (1040, 1100), (1100, END)]


def test_extended_offset_table_that_is_wrong():
    with pytest.raises(FormatError, match=r"has 2 entries, .*; expected one for each of 3 frames"):
        spans(instance(**extended((0, 32), (40, 52))))
    with pytest.raises(FormatError, match="has 3 entries, ascending and within the file: False"):
        spans(instance(**extended((0, 32), (40, 52), (3992, 1))))
    assert spans(instance(**extended((0, 32), (40, 52), (3992, 0))))[2] == (4992, END)
