"""Values of data sets by the dictionary's type, whatever VR a file gives them."""

from __future__ import annotations

import decimal
from typing import Any

import pytest
from pydicom import Dataset, Sequence
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.valuerep import DSdecimal, DSfloat, PersonName

from pyloader.dicom.parse import noting
from pyloader.dicom.values import (
    LONGEST_TEXT,
    as_numbers,
    as_tuple,
    cleaned,
    count_of,
    element_of,
    is_unusable,
    item_of,
    items_of,
    nth_of,
    number_from,
    plain,
    tag_of,
    value_of,
    vr_of,
)
from tests.support.enhanced import item


def raw(keyword: str, vr: str, body: bytes) -> Dataset:
    """Return a data set of one element, unconverted."""
    tag = Tag(keyword)
    dataset = Dataset({tag: RawDataElement(tag, vr, len(body), body, 0, False, True)})
    dataset.set_original_encoding(False, True, "iso8859")
    return dataset


# ------------------------------------------------------------------ the dictionary


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("PatientName", "PN"),
        ("PixelData", "OB"),  # OB or OW
        ("RedPaletteColorLookupTableData", "OW"),
        ("LUTData", "OW"),  # US or OW: the binary one
        ("PixelPaddingValue", "US"),  # US or SS: the first
    ],
)
def test_one_vr_of_each_attribute(keyword, expected):
    assert vr_of(tag_of(keyword)) == expected


def test_what_the_dictionary_does_not_have():
    assert vr_of(0x00091001) == "UN"
    assert tag_of("NoSuchKeyword") == 0


# ------------------------------------------------------------------ types


@pytest.mark.parametrize(
    ("keyword", "vr", "body", "expected"),
    [
        ("Rows", "US", b"\x00\x02", 512),
        ("Rows", "UN", b"\x00\x02", 512),
        ("Rows", "IS", b"512 ", 512),
        ("Rows", "LO", b"512 ", 512),
        ("SliceThickness", "DS", b"2.50", 2.5),
        ("SliceThickness", "FD", b"\x00\x00\x00\x00\x00\x00\x04@", 2.5),
        ("ImageType", "CS", b"ORIGINAL\\PRIMARY ", ["ORIGINAL", "PRIMARY"]),
        ("PatientID", "LO", b"0042", "0042"),
        ("PatientID", "UN", b"0042", "0042"),
        ("ICCProfile", "OB", b"\x00\x01", b"\x00\x01"),
        ("PixelSpacing", "DS", b"0.5\\0.25", [0.5, 0.25]),
        ("StudyInstanceUID", "UI", b"1.2\0", "1.2"),
        ("PatientComments", "LT", b"a\\b ", "a\\b"),
    ],
)
def test_types_are_those_of_the_dictionary(keyword, vr, body, expected):
    found = value_of(raw(keyword, vr, body), keyword)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("body", [b"", b"  ", b" \0"])
def test_empty_values_are_absent(body):
    dataset = raw("PatientID", "LO", body)
    assert value_of(dataset, "PatientID") is None
    assert not is_unusable(dataset, "PatientID")


def test_absent_elements_and_sequences_have_no_value():
    assert value_of(Dataset(), "PatientID") is None
    assert value_of(item(SourceImageSequence=Sequence([Dataset()])), "SourceImageSequence") is None


@pytest.mark.parametrize(
    ("keyword", "vr", "body"),
    [
        ("SliceThickness", "DS", b"thick "),
        ("SliceThickness", "DS", b"1e99"),
        ("PixelSpacing", "DS", b"1\\x "),
        ("StudyDate", "DA", b"20201340"),
        ("Rows", "US", b"\x01\x02\x03"),
    ],
)
def test_unreadable_and_impossible_values_are_absent_with_a_warning(keyword, vr, body):
    dataset = raw(keyword, vr, body)
    with noting() as notes:
        assert value_of(dataset, keyword) is None
        assert is_unusable(dataset, keyword)
    assert keyword in notes[0]
    assert "left out" in notes[0]


@pytest.mark.parametrize(("vr", "keyword"), [("LO", "PatientID"), ("DS", "PixelSpacing")])
def test_texts_longer_than_their_length_field_are_refused(vr, keyword):
    with noting() as notes:
        assert element_of(raw(keyword, vr, b"1\\" * LONGEST_TEXT), tag_of(keyword)) is None
    assert f"more than the {LONGEST_TEXT} of a text" in notes[0]


# ------------------------------------------------------------------ several values


def test_values_are_counted_and_read_one_by_one():
    dataset = raw("FrameTimeVector", "DS", b"0\\33.5\\40 ")
    assert count_of(dataset, "FrameTimeVector") == 3
    assert [nth_of(dataset, "FrameTimeVector", index) for index in (0, 1, 2)] == [0, 33.5, 40]
    assert [nth_of(dataset, "FrameTimeVector", index) for index in (-1, 3)] == [None, None]


def test_a_single_value_is_the_first():
    dataset = raw("FrameTimeVector", "DS", b"40")
    assert count_of(dataset, "FrameTimeVector") == 1
    assert [nth_of(dataset, "FrameTimeVector", index) for index in (0, 1)] == [40, None]
    assert count_of(Dataset(), "FrameTimeVector") == 0


def test_items_by_index():
    first, second = item(StudyID="1"), item(StudyID="2")
    dataset = item(SourceImageSequence=Sequence([first, second]), StudyID="0")
    assert [*items_of(dataset, "SourceImageSequence")] == [first, second]
    assert item_of(dataset, "SourceImageSequence", 1) == second
    for index in (-1, 2):
        assert item_of(dataset, "SourceImageSequence", index) is None
    assert item_of(None, "SourceImageSequence") is None
    assert len(items_of(dataset, "StudyID")) == 0


# ------------------------------------------------------------------ numbers and texts


@pytest.mark.parametrize(
    ("text", "keyword", "expected", "is_noted"),
    [
        ("2.5", "SliceThickness", 2.5, False),
        ("0,5", "SliceThickness", 0.5, True),
        ("2.5 mm", "SliceThickness", 2.5, True),
        (".5", "SliceThickness", 0.5, False),
        ("1E2", "SliceThickness", 100.0, False),
        ("7", "InstanceNumber", 7, False),
        ("7.0", "InstanceNumber", 7, False),
        ("7.5", "InstanceNumber", 7.5, False),
        ("1.2.3", "SliceThickness", None, True),
        ("1,000,000", "SliceThickness", None, True),
        ("10:30", "SliceThickness", None, True),
        ("mm 2", "SliceThickness", None, True),
    ],
)
def test_numbers_at_the_start_of_a_text(text, keyword, expected, is_noted):
    with noting() as notes:
        found = number_from(text, tag_of(keyword))
    assert (found, type(found)) == (expected, type(expected))
    assert bool(notes) is is_noted


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ()), (1, (1,)), ([1, 2], (1, 2)), ((1,), (1,)), ("ab", ("ab",))],
)
def test_tuples_of_none_one_or_several_values(value, expected):
    assert as_tuple(value) == expected


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        ([1, 2.5], 0, (1.0, 2.5)),
        ([1, 2.5], 2, (1.0, 2.5)),
        ([1, 2.5], 3, None),
        (7, 1, (7.0,)),
        ("7", 1, (7.0,)),
        (None, 0, None),
        ([1, None], 2, None),
        ([1, float("nan")], 2, None),
        (float("inf"), 1, None),
        (10**400, 1, None),
        ("x", 1, None),
    ],
)
def test_numbers_are_finite_and_as_many_as_wanted(value, count, expected):
    assert as_numbers(value, count) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (DSfloat("0.10"), 0.1),
        (DSdecimal(decimal.Decimal("0.10")), 0.1),
        (PersonName("Doe^Jane"), "Doe^Jane"),
        (Tag(0x00100010), 0x00100010),
        (" a \0", "a"),
        (["a", ""], ["a", None]),
        ([], None),
        (b"\0", b"\0"),
    ],
)
def test_values_of_pydicom_become_plain(value: Any, expected: Any):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


def test_escape_sequences_of_gb_2312_are_removed():
    assert cleaned("\x1b$)A李") == "李"
    assert cleaned("\x1b$)A ") is None
