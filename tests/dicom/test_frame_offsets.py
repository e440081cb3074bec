"""Where frames stand within the pixel data: arithmetic, offset tables, items (PS3.5 A.4)."""

from __future__ import annotations

from struct import pack

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from pyloader.dicom.fragments import DELIMITER, ITEM, Span, item_length, join_fragments
from pyloader.dicom.frame_offsets import is_beginning, native_span
from pyloader.dicom.instance import Instance
from pyloader.dicom.offset_tables import table_spans
from pyloader.dicom.part10 import PixelHeader
from pyloader.errors import FormatError
from pyloader.image import PixelModule
from tests.support import builders

FIRST = 1000
END = 5000


def instance(frames: int = 3, syntax: str = JPEGLSLossless, **attributes: bytes) -> Instance:
    """Return an instance without pixels."""
    dataset = Dataset()
    dataset.NumberOfFrames = frames
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return Instance(dataset, syntax, None)


def item(value: bytes) -> bytes:
    """Return an item of the pixel data."""
    return ITEM + pack("<L", len(value)) + value


def basic(*offsets: int) -> bytes:
    """Return a Basic Offset Table."""
    return pack(f"<{len(offsets)}L", *offsets)


def extended(*entries: tuple[int, int]) -> dict[str, bytes]:
    """Return an Extended Offset Table, of offsets and lengths."""
    offsets, lengths = zip(*entries, strict=True)
    return {
        "ExtendedOffsetTable": pack(f"<{len(entries)}Q", *offsets),
        "ExtendedOffsetTableLengths": pack(f"<{len(entries)}Q", *lengths),
    }


def spans(found: Instance, table: bytes = b"", end: int | None = END) -> list[tuple[int, int]]:
    """Return the places of the frames."""
    return [(span.start, span.stop) for span in table_spans(found, FIRST, table, end)]


# ------------------------------------------------------------------ native


def place(pixels: np.ndarray, index: int, syntax: str, vr: str) -> Span | None:
    """Return where a frame like `pixels` stands, of pixel data that begin at byte 100."""
    header = PixelHeader("PixelData", vr, 100, 1 << 20)
    return native_span(instance(syntax=syntax), header, PixelModule.of(pixels), index)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (builders.ramp(4, 5), Span(100 + 3 * 40, 100 + 4 * 40)),
        (builders.ramp(3, 5, 8), Span(100 + 3 * 15, 100 + 4 * 15)),
        (builders.color(4, 5), Span(100 + 3 * 60, 100 + 4 * 60)),
    ],
)
def test_native_frame(pixels, expected):
    assert place(pixels, 3, ExplicitVRLittleEndian, "OW") == expected


@pytest.mark.parametrize(
    ("columns", "vr", "is_apart"), [(6, "OW", True), (5, "OW", False), (5, "OB", True)]
)
def test_native_frame_of_bytes_in_swapped_words(columns, vr, is_apart):
    """Two frames of an odd number of bytes share a word, whose bytes are swapped."""
    found = place(builders.ramp(3, columns, 8), 1, ExplicitVRBigEndian, vr)
    assert (found is not None) is is_apart


def test_native_frame_of_bits():
    header = PixelHeader("PixelData", "OB", 100, 1 << 20)

    def bits(columns: int) -> Span | None:
        pixel = PixelModule.of(np.zeros((4, columns), "u1"), bits_allocated=1)
        return native_span(instance(syntax=ExplicitVRLittleEndian), header, pixel, 2)

    assert bits(6) == Span(100 + 2 * 3, 100 + 3 * 3)
    assert bits(5) is None


# ------------------------------------------------------------------ tables


def test_basic_offset_table():
    assert spans(instance(), basic(0, 40, 100)) == [(1000, 1040), (1040, 1100), (1100, END)]


def test_basic_offset_table_of_a_file_of_unknown_size():
    assert spans(instance(), basic(0, 40, 100), None)[-1] == (1100, None)


def test_extended_offset_table():
    """Lengths are of the fragments, which stand in items of even length."""
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


# ------------------------------------------------------------------ items


def test_length_of_an_item():
    assert item_length(b"??" + item(b"abcd"), 2) == 4
    assert item_length(DELIMITER) is None


@pytest.mark.parametrize("body", [b"", b"\xfe\xff\x00", ITEM + b"\0\0\0", b"\xff\xd8\xff\xf7abcd"])
def test_what_is_no_item(body):
    with pytest.raises(FormatError, match="no item of the pixel data begins with b'"):
        item_length(body)


def test_frame_of_one_fragment_and_of_several():
    assert join_fragments(item(b"abcd")) == b"abcd"
    assert join_fragments(item(b"abcd") + item(b"") + item(b"ef")) == b"abcdef"
    assert join_fragments(item(b"abcd") + DELIMITER + b"whatever follows") == b"abcd"


def test_fragment_that_is_cut_off():
    with pytest.raises(FormatError, match="an item of the pixel data is cut off: 3 of 4 bytes"):
        join_fragments(item(b"abcd") + item(b"efgh")[:-1])


@pytest.mark.parametrize(
    ("syntax", "fragment", "expected"),
    [
        (JPEGLSLossless, b"\xff\xd8\xff\xf7", True),
        (JPEGBaseline8Bit, b"\xff\xd8\xff\xe0", True),
        (JPEG2000Lossless, b"\xff\x4f\xff\x51", True),
        (JPEG2000Lossless, b"\0\0\0\x0cjP  \r\n", True),
        (JPEGBaseline8Bit, b"\xd8\xff", False),
        (JPEGBaseline8Bit, b"", False),
        (RLELossless, pack("<3L", 2, 64, 70), True),
        (RLELossless, pack("<3L", 1, 64, 0), True),
    ],
)
def test_fragment_that_begins_a_frame(syntax, fragment, expected):
    found = is_beginning(instance(syntax=syntax), item(fragment), len(fragment))
    assert found is expected


PLAIN, DEFLATED = UID("1.2.840.10008.1.2.1.98"), UID("1.2.840.10008.1.2.8.1")


@pytest.mark.parametrize(
    ("syntax", "fragment"),
    [
        (RLELossless, pack("<3L", 2, 60, 70)),
        (RLELossless, pack("<3L", 3, 64, 64)),
        (RLELossless, pack("<3L", 16, 64, 70)),
        (RLELossless, b"\1\0\0\0"),
        (PLAIN, bytes(10)),
        (DEFLATED, bytes(10)),
    ],
)
def test_fragment_that_may_be_a_part_of_what_is_to_be_one(syntax, fragment):
    with pytest.raises(
        FormatError, match=f"a fragment of {len(fragment)} bytes may not be a whole fr"
    ):
        is_beginning(instance(syntax=syntax), item(fragment), len(fragment))
