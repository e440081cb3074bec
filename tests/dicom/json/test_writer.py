"""The DICOM JSON Model of data sets: as pydicom writes it, without what is too large."""

from __future__ import annotations

import json
import math
from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pyloader.dicom.json.writer import LARGEST_VALUE, attributes_of, instance_json, number_of
from tests.support import builders
from tests.support.enhanced import PIXELS, item

UTF_8 = {"vr": "CS", "Value": ["ISO_IR 192"]}


def written(dataset: Dataset) -> dict[str, Any]:
    """Return the JSON of a data set; constants such as NaN are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    found: dict[str, Any] = json.loads(instance_json(dataset), parse_constant=refuse)
    return found


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_the_model_is_that_of_pydicom(syntax):
    dataset = builders.header(
        PIXELS,
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        ImageType=["ORIGINAL", "PRIMARY"],
        PixelSpacing=["0.5", "0.25"],
        InstanceNumber="7",
        StudyDate="20240229",
        StudyID="",
        FrameIncrementPointer=0x00181063,
        SourceImageSequence=Sequence([item(ReferencedFrameNumber=["1", "2"])]),
        ICCProfile=b"profile ",
    )
    body = builders.part10(dataset, syntax)
    expected = dcmread(BytesIO(body)).to_json_dict()
    assert written(dcmread(BytesIO(body))) == expected


def test_empty_attributes_have_no_value():
    """PS3.18 F.2.5."""
    dataset = item(StudyID="", SourceImageSequence=Sequence(), ICCProfile=b"", Rows=None)
    assert {tag: [*each] for tag, each in attributes_of(dataset).items()} == {
        "00082112": ["vr"],
        "00200010": ["vr"],
        "00280010": ["vr"],
        "00282000": ["vr"],
    }


def test_text_is_utf_8_and_says_so():
    dataset = builders.header(PIXELS, SpecificCharacterSet="ISO_IR 100", PatientName="Grüße")
    text = instance_json(dcmread(BytesIO(builders.part10(dataset, ExplicitVRLittleEndian))))
    assert "Grüße" in text
    assert json.loads(text)["00080005"] == UTF_8
    assert written(Dataset()) == {"00080005": UTF_8}


def test_pixels_and_group_lengths_are_left_out():
    dataset = item(PatientID="p1", PixelData=b"\0\0", FloatPixelData=b"\0\0\0\0")
    dataset.add_new(0x00100000, "UL", 12)
    assert [*attributes_of(dataset)] == ["00100020"]


@pytest.mark.parametrize(("size", "is_there"), [(LARGEST_VALUE, True), (LARGEST_VALUE + 1, False)])
def test_only_large_binary_values_are_left_out(size, is_there):
    dataset = item(ICCProfile=bytes(size), PatientComments="x" * size)
    found = attributes_of(dataset)
    assert found["00104000"]["Value"] == ["x" * size]
    assert ("00282000" in found) is is_there


def test_words_of_big_endian_files_are_swapped_and_bytes_are_not():
    dataset = Dataset()
    dataset.set_original_encoding(False, False)
    dataset.add_new(0x00281201, "OW", b"\0\1\0\2")
    dataset.add_new(0x00282000, "OB", b"\0\1\0\2")
    found = attributes_of(dataset)
    assert b64decode(found["00281201"]["InlineBinary"]) == b"\1\0\2\0"
    assert b64decode(found["00282000"]["InlineBinary"]) == b"\0\1\0\2"


def test_unreadable_elements_are_left_out_also_of_items():
    tag = Tag("Rows")
    bad = RawDataElement(tag, "US", 3, b"\1\2\3", 0, False, True)
    inner = Dataset({tag: bad})
    inner.StudyID = "7"
    outer = Dataset({tag: bad})
    outer.SourceImageSequence = Sequence([inner])
    assert attributes_of(outer) == {
        "00082112": {"vr": "SQ", "Value": [{"00200010": {"vr": "SH", "Value": ["7"]}}]}
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (2.5, 2.5),
        (7, 7),
        (None, None),
        ("", None),
        ("1.2.3", "1.2.3"),
    ],
)
def test_numbers_of_json_are_finite(value, expected):
    assert number_of(value) == expected


def test_a_number_that_is_not_finite_keeps_its_place():
    dataset = Dataset()
    dataset.add_new(0x00186028, "FD", [1.0, math.nan])
    assert attributes_of(dataset)["00186028"]["Value"] == [1.0, None]
