"""The readers of elements and values, against pydicom's on whole, cut and damaged files."""

from __future__ import annotations

import random
from contextlib import suppress
from io import BytesIO
from struct import pack
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.filereader import read_dataset

from pyloader.dicom import structure
from pyloader.dicom.elements import HeaderCutOffError, converted, read_elements
from pyloader.dicom.parse import noting, parse_part10
from pyloader.dicom.structure import PIXEL_KEYWORDS, Layout, dictionary_vr
from pyloader.errors import FormatError
from tests.support import builders
from tests.support.elements import SMALL, beginning_of, read_quietly


def by_pydicom(body: bytes, position: int, layout: Layout, is_end: Any) -> Dataset:
    """Return what pydicom reads."""
    stream = BytesIO(body)
    stream.seek(position)
    orders = (layout.is_implicit, not layout.is_big_endian)
    return read_dataset(stream, *orders, stop_when=lambda tag, vr, length: is_end(tag))


def listed(dataset: Dataset) -> list[Any]:
    """Return the encoded elements of a data set, including those in sequences."""
    raw = {tag: dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118 -- as written
    found: list[Any] = []
    for tag, element in raw.items():
        kind = dictionary_vr(tag) if element.VR in (None, "UN") else element.VR
        if kind == "SQ":
            items = converted(dataset, element).value
            found.append((tag, "SQ", [(item.original_encoding, listed(item)) for item in items]))
        else:
            found.append((tag, element.VR, element.value))
    return found


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_elements_are_those_that_pydicom_reads(path):
    """Sequences too: pydicom reads those of undefined length at once."""
    beginning = beginning_of(path.read_bytes())
    if beginning is None or beginning.position >= len(beginning.body):
        pytest.skip("no data set to read")
    given = (beginning.body, beginning.position, beginning.layout, PIXEL_KEYWORDS.__contains__)
    try:
        dataset, _ = read_quietly(*given)
    except HeaderCutOffError as error:
        assert path.name in ("README", "no_meta.dcm", "rtplan_truncated.dcm")
        dataset = error.dataset
    with noting():
        expected = by_pydicom(*given)
        assert dataset.original_encoding == expected.original_encoding
        assert listed(dataset) == listed(expected)[: len(dataset)]


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_cut_file_has_the_first_elements_of_the_whole(path):
    beginning = beginning_of(path.read_bytes())
    if beginning is None or beginning.position >= len(beginning.body):
        pytest.skip("no data set to read")
    body, start, layout = beginning.body, beginning.position, beginning.layout
    is_end, chance = PIXEL_KEYWORDS.__contains__, random.Random(path.name)
    try:
        dataset, stop = read_quietly(body, start, layout, is_end)
    except HeaderCutOffError as error:
        dataset, stop = error.dataset, len(body)
    whole = [tag for tag, *_ in listed(dataset)]
    for length in (chance.randrange(start + 6, max(stop, start + 7)) for _ in range(20)):
        found, text = read_as_far(body[:length], start, layout, is_end)
        assert f"at byte {length}" in text
        tags = [tag for tag, *_ in listed(found)]
        assert tags == whole[: len(tags)]


def read_as_far(*given: Any) -> tuple[Dataset, str]:
    """Return the elements read from a data set, and the error at its end."""
    try:
        dataset, stop = read_quietly(*given)
    except HeaderCutOffError as error:
        return error.dataset, str(error)
    assert not given[0][stop:].strip(b"\0"), "it ends between two elements"
    return dataset, f"at byte {len(given[0])}"


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_damage_ends_in_elements_or_a_typed_error(path):
    beginning = beginning_of(path.read_bytes())
    if beginning is None or beginning.position >= len(beginning.body):
        pytest.skip("no data set to read")
    start, chance = beginning.position, random.Random(path.name)
    for _ in range(8):
        wrong = bytearray(beginning.body)
        for _ in range(3):
            wrong[chance.randrange(start, min(len(wrong), start + 3000))] = chance.randrange(256)
        with suppress(FormatError):
            given = (bytes(wrong), start, beginning.layout, PIXEL_KEYWORDS.__contains__)
            assert start <= read_quietly(*given)[1] <= len(wrong)


@pytest.mark.parametrize("is_implicit", [True, False])
@pytest.mark.parametrize("is_big_endian", [True, False])
def test_memo_of_elements_is_limited(monkeypatch, is_implicit, is_big_endian):
    """A file of ever new tags, which may be an attack, is read as pydicom reads it."""
    monkeypatch.setattr(structure, "MOST_STARTS", 500)
    layout = Layout(is_implicit, is_big_endian)
    start = {True: "HHL", False: "HH2sH"}[is_implicit]
    vr = () if is_implicit else (b"SH",)
    body = b"".join(
        pack(f"{layout.order}{start}", group, number, *vr, 2) + b"ab"
        for group in (0x11, 0x13)
        for number in range(0x1000, 0x1000 + 700)
    )
    given = (body, 0, layout, lambda tag: False)
    dataset, stop = read_elements(*given)
    assert listed(dataset) == listed(by_pydicom(*given))
    assert stop == len(body)
    assert len(structure.start_parser(layout)[1]) <= 500
    assert structure.as_tag.cache_parameters()["maxsize"] == 1 << 14


# ------------------------------------------------------------------ zeros, and tags that repeat

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
PIXELS = builders.ramp(4, 8)


def with_zeros(syntax: str, count: int) -> tuple[bytes, int]:
    """Return a file with zeros before its pixel data, and the offset of the zeros."""
    body = builders.native(PIXELS, syntax)
    place = body.rindex(b"\xe0\x7f\x10\x00")
    return body[:place] + bytes(count) + body[place:], place


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("count", [8, 16, 64, 8000])
def test_zeros_between_elements_are_skipped(syntax, count):
    body, place = with_zeros(syntax, count)
    instance = parse_part10(body)
    assert instance.pixels is not None
    assert bytes(instance.pixels.value) == bytes(dcmread(BytesIO(body)).PixelData)
    assert 0 not in instance.dataset
    assert instance.warnings == (f"zeros at byte {place} were skipped",)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("count", [4, 6, 12, 20])
def test_zeros_that_are_no_elements_are_named(syntax, count):
    """DCMTK, GDCM and pydicom find no pixels after them."""
    body, place = with_zeros(syntax, count)
    with pytest.raises(FormatError, match=f"found zeros at byte {place + count // 8 * 8}, exp"):
        parse_part10(body)


@pytest.mark.parametrize("count", [1, 4, 8, 20, 4000])
def test_zeros_at_the_end_are_ignored(count):
    dataset = builders.header(PIXELS)
    body = builders.part10(dataset, EXPLICIT)
    instance = parse_part10(body + bytes(count))
    assert instance.pixels is None
    assert instance.warnings == ()


def element(tag: int, value: bytes, length: int | None = None) -> bytes:
    """Return an element of implicit VR."""
    told = len(value) if length is None else length
    return pack("<HHL", tag >> 16, tag & 0xFFFF, told) + value


CUT = element(0x00100020, b"12", 40)
LAYOUT = Layout(True, False)


def test_value_that_is_cut_off_is_left_out_where_its_tag_is_there_twice():
    body = element(0x00100020, b"34") + element(0x00100030, b"20260101") + CUT
    with pytest.raises(
        HeaderCutOffError, match=r"\(0010,0020\) PatientID should end at byte"
    ) as found:
        read_elements(body, 0, LAYOUT, lambda tag: False)
    assert list(found.value.dataset.keys()) == [0x00100030]


def test_stray_item_that_is_cut_off_takes_no_element_away():
    body = element(0x00100020, b"34") + element(0xFFFEE000, b"12", 40)
    with noting(), pytest.raises(HeaderCutOffError, match="an item outside") as found:
        read_elements(body, 0, LAYOUT, lambda tag: False)
    assert found.value.dataset.PatientID == "34"
