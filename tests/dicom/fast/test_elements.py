"""The loop over plain elements: what it reads, and where it stops."""

from __future__ import annotations

from io import BytesIO
from struct import pack
from typing import Any

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from pyloader.dicom.fast.elements import read_plain
from pyloader.dicom.structure import Layout
from tests.support.enhanced import item

LAYOUTS = [Layout(True, False), Layout(False, False), Layout(False, True)]
VALUES = item(
    SOPInstanceUID="1.2.3", StudyID="", PatientID="p1", Rows=4, PixelSpacing=["0.5", "0.25"]
)
VALUES.add_new(0x00420011, "OB", b"%PDF" * 5)


def body_of(dataset: Dataset, layout: Layout) -> bytes:
    """Return a data set as pydicom writes it."""
    stream = BytesIO()
    dcmwrite(
        stream, dataset, implicit_vr=layout.is_implicit, little_endian=not layout.is_big_endian
    )
    return stream.getvalue()


def read(
    body: bytes, layout: Layout, last: int = 1 << 32
) -> tuple[dict[BaseTag, Any], tuple[int, bool]]:
    """Return the elements, and where reading stopped."""
    found: dict[BaseTag, Any] = {}
    return found, read_plain(found, body, 0, layout, lambda tag: tag > last)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_elements_are_those_that_pydicom_reads(layout):
    body = body_of(VALUES, layout)
    found, (position, is_end) = read(body + bytes(12), layout)
    expected = read_dataset(BytesIO(body), layout.is_implicit, not layout.is_big_endian)
    assert Dataset(found) == expected
    assert (position, is_end) == (len(body), False)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_reading_stops_at_the_element_after_the_last(layout):
    body = body_of(VALUES, layout)
    found, (position, is_end) = read(body + bytes(12), layout, last=0x00280010)
    assert [*found] == [0x00080018, 0x00100020, 0x00200010, 0x00280010]
    assert is_end
    assert body[position:].endswith(b"%PDF")
    assert b"0.25" in body[position:]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_reading_stops_before_an_undefined_length(layout):
    order = layout.order
    before = body_of(item(PatientID="p1"), layout)
    length = pack(f"{order}L", 0xFFFFFFFF)
    vr = b"" if layout.is_implicit else b"SQ\0\0"
    body = before + pack(f"{order}HH", 0x0040, 0xA730) + vr + length + bytes(20)
    found, stop = read(body, layout)
    assert [*found] == [0x00100020]
    assert stop == (len(before), False)


def test_fewer_bytes_than_the_longest_header_are_left_to_others():
    body = body_of(item(PatientID="p1"), LAYOUTS[1])
    assert len(body) == 10
    assert read(body, LAYOUTS[1]) == ({}, (0, False))


def test_a_length_beyond_the_end_is_seen_by_the_position():
    body = pack("<HH2sH", 0x0010, 0x0020, b"LO", 100) + b"p1" + bytes(20)
    _, (position, _) = read(body, LAYOUTS[1])
    assert position == 8 + 100 > len(body)
