"""The reader of elements and of their values, against pydicom's on whole, cut and damaged files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from struct import pack
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from pyloader.dicom import elements, values
from pyloader.dicom.elements import Layout, read_by_pydicom, read_elements
from pyloader.dicom.instance import noting
from pyloader.dicom.part10 import PIXEL_KEYWORDS, Beginning, read_beginning
from pyloader.dicom.quick import ODD, quick_value
from pyloader.dicom.values import element_of, plain, typed, value_of
from tests import builders, corpus

FILES = sorted(path for path in corpus.DATA.rglob("*") if path.suffix in (".dcm", ""))
SMALL = [path for path in FILES if path.is_file() and path.stat().st_size < 200_000]
ODD_BYTES = b"\\ 0.+-eE=^\0\x1b~AZaz9\xe4\n"


def beginning_of(body: bytes) -> Beginning | None:
    """Return the header of a file, None of one that has none or is deflated."""
    with noting():
        try:
            beginning = read_beginning(body)
        except Exception:
            return None
    return None if beginning.is_deflated else beginning


def outcome(read: Any, *given: Any) -> Any:
    """Return elements, encoding and end, or the error; and what was warned of."""
    with noting() as notes:
        try:
            dataset, stop = read(*given)
            found = (listed(dataset), dataset.original_encoding, stop)
        except Exception as error:
            found = (type(error), str(error))
    return found, set(notes)


def listed(dataset: Dataset) -> list[Any]:
    """Return the elements of a data set as they are, those of sequences that were read too."""
    return [
        tuple(element)
        if isinstance(element, RawDataElement)
        else (element.tag, element.VR, [listed(item) for item in element.value])
        for element in dataset.values()
    ]


def spoiled(body: bytes, start: int, chance: random.Random) -> Iterator[bytes]:
    """Yield a body as it is, cut off, and with wrong bytes in its header."""
    yield body
    yield from (body[: chance.randrange(start, len(body) + 1)] for _ in range(4))
    for _ in range(4):
        wrong = bytearray(body)
        for _ in range(3):
            wrong[chance.randrange(start, min(len(body), start + 3000))] = chance.randrange(256)
        yield bytes(wrong)


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_elements_are_those_that_pydicom_reads(path):
    beginning = beginning_of(path.read_bytes())
    if beginning is None or beginning.position >= len(beginning.body):
        pytest.skip("no data set to read")
    start, layout = beginning.position, beginning.layout
    for body in spoiled(beginning.body, start, random.Random(path.name)):
        given = (body, start, layout, PIXEL_KEYWORDS.__contains__)
        assert outcome(read_elements, *given) == outcome(read_by_pydicom, *given)


def raw_elements(dataset: Dataset) -> Iterator[tuple[Dataset, RawDataElement]]:
    """Yield the elements that are still encoded, those of sequences too, with their data sets."""
    for element in list(dataset.values()):
        if isinstance(element, RawDataElement) and element.VR != "SQ":
            yield dataset, element
            continue
        with noting():
            sequence = element_of(dataset, element.tag)
        for item in sequence.value if sequence is not None and sequence.VR == "SQ" else ():
            yield from raw_elements(item)


def variants(element: RawDataElement, chance: random.Random) -> Iterator[RawDataElement]:
    """Yield an element as it is, cut off, and with wrong bytes."""
    yield element
    for _ in range(4 if element.value and len(element.value) < 200 else 0):
        wrong = bytearray(element.value)
        wrong[chance.randrange(len(wrong))] = chance.choice(ODD_BYTES)
        yield element._replace(value=bytes(wrong))
        yield element._replace(value=element.value[: chance.randrange(len(wrong))])


def long_way(dataset: Dataset, element: RawDataElement) -> tuple[Any, list[str]]:
    """Return a value as pydicom reads it, and what was warned of."""
    changed = Dataset({element.tag: element})
    changed.set_original_encoding(*dataset.original_encoding, dataset.original_character_set)
    with noting() as notes:
        found = element_of(changed, element.tag)
        value = typed(element.tag, plain(found.value)) if found is not None else None
    return value, notes


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_quick_values_are_those_of_the_long_way(path):
    beginning = beginning_of(path.read_bytes())
    if beginning is None:
        pytest.skip("no data set to read")
    with noting():
        found = read_elements(
            beginning.body, beginning.position, beginning.layout, PIXEL_KEYWORDS.__contains__
        )
        dataset = found[0]
    for owner, element in raw_elements(dataset):
        for variant in variants(element, random.Random(int(element.tag))):
            value = quick_value(variant)
            if value is not ODD:
                # By its text, which tells 1 from 1.0.
                assert (repr(value), []) == (repr(long_way(owner, variant)[0]), []), variant


def test_what_keeps_the_rules_is_read_quickly():
    body = builders.native(builders.ramp(4, 4, 16), PatientName="Doe^Jane", WindowCenter=[40, 60])
    beginning = beginning_of(body)
    dataset, _ = read_elements(
        body, beginning.position, beginning.layout, PIXEL_KEYWORDS.__contains__
    )
    found = {element.tag: quick_value(element) for element in dataset.values()}
    assert ODD not in found.values()
    assert value_of(dataset, "PatientName") == "Doe^Jane"
    assert value_of(dataset, "WindowCenter") == [40.0, 60.0]
    assert all(isinstance(element, RawDataElement) for element in dataset.values())


@pytest.mark.parametrize("is_implicit", [True, False])
@pytest.mark.parametrize("is_big_endian", [True, False])
def test_what_is_remembered_of_elements_has_an_end(monkeypatch, is_implicit, is_big_endian):
    """A file of ever new tags, as one made to do harm, is read as pydicom reads it."""
    monkeypatch.setattr(elements, "MOST_STARTS", 500)
    monkeypatch.setattr(elements, "TAGS", dict(values.TAGS))
    layout = Layout(is_implicit, is_big_endian)
    start = {True: "HHL", False: "HH2sH"}[is_implicit]
    vr = () if is_implicit else (b"SH",)
    body = b"".join(
        pack(f"{layout.order}{start}", group, number, *vr, 2) + b"ab"
        for group in (0x11, 0x13)
        for number in range(0x1000, 0x1000 + 700)
    )
    given = (body, 0, layout, lambda tag: False)
    assert outcome(read_elements, *given) == outcome(read_by_pydicom, *given)
    assert len(elements.start_of(layout)[1]) <= 500
    assert len(elements.TAGS) <= max(500, len(values.TAGS))
