"""Texts of data sets that do not declare their character set."""

from __future__ import annotations

from io import BytesIO
from struct import pack

import pytest
from pydicom import Dataset, dcmread

from pyloader.dicom.charset import infer_character_set, is_utf_8, texts_beyond_ascii
from pyloader.dicom.parse import noting
from pyloader.dicom.values import value_of

NAME, COMMENTS, CHARSET = 0x00100010, 0x00104000, 0x00080005


def data_set(*elements: tuple[int, bytes, bytes]) -> Dataset:
    """Return a data set of tags, VRs and bytes, as pydicom reads it: unconverted."""
    body = b"".join(
        pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value
        for tag, vr, value in elements
    )
    return dcmread(BytesIO(body), force=True)


def inferred(dataset: Dataset) -> list[str]:
    """Infer the character set and return the warnings."""
    with noting() as notes:
        infer_character_set(dataset)
    return notes


@pytest.mark.parametrize("declared", [None, b"", b"ISO_IR 6", b"ISO 2022 IR 6 "])
@pytest.mark.parametrize("text", ["Grüße", "山田", "é"])
def test_utf_8_is_recognised(declared, text):
    elements = [(NAME, b"PN", text.encode())]
    if declared is not None:
        elements.insert(0, (CHARSET, b"CS", declared))
    dataset = data_set(*elements)
    (note,) = inferred(dataset)
    assert value_of(dataset, "PatientName") == text
    assert note.endswith("they are read as UTF-8, which they are")


@pytest.mark.parametrize("body", [b"Gr\xfc\xdfe", b"\xc3\xa9 and \xe9"])
def test_other_bytes_are_iso_8859_1(body):
    dataset = data_set((NAME, b"PN", body))
    (note,) = inferred(dataset)
    assert value_of(dataset, "PatientName") == body.decode("latin-1")
    assert "'absent'" in note
    assert note.endswith("ISO 8859-1")


def test_one_text_that_is_no_utf_8_decides_for_all():
    dataset = data_set((NAME, b"PN", "é".encode()), (COMMENTS, b"LT", b"\xe9"))
    assert "ISO 8859-1" in inferred(dataset)[0]
    assert value_of(dataset, "PatientName") == "Ã©"


@pytest.mark.parametrize(
    "elements",
    [
        [(NAME, b"PN", b"Doe^Jane")],
        [(CHARSET, b"CS", b"ISO_IR 100"), (NAME, b"PN", b"\xe9")],
        [(CHARSET, b"CS", b"\\ISO 2022 IR 87"), (NAME, b"PN", b"\xe9")],
        [(NAME, b"PN", b"\x1b$B;3ED\x1b(B\xe9")],
        [(0x00091001, b"LO", b"\xe9")],
        [(0x00080060, b"CS", b"\xe9")],
    ],
    ids=["ASCII", "declared", "code extensions", "escape sequences", "private", "code string"],
)
def test_other_data_sets_stay_as_they_are(elements):
    dataset = data_set(*elements)
    before = dataset.original_character_set
    assert inferred(dataset) == []
    assert dataset.original_character_set == before


def test_the_dictionary_tells_the_vr_of_implicit_elements():
    body = pack("<HHL", 0x0010, 0x0010, 2) + b"\xc3\xa9"
    dataset = dcmread(BytesIO(body), force=True)
    assert [*texts_beyond_ascii(dataset)] == [b"\xc3\xa9"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", True), ("日本".encode(), True), (b"\xc3", False), (b"\xed\xa0\x80", False)],
)
def test_utf_8_is_whole_and_without_surrogates(body, expected):
    assert is_utf_8(body) is expected
