"""Fast values against the general code's, on the corpus and on randomly changed values."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from pyloader.dicom.elements import HeaderCutOffError, read_elements
from pyloader.dicom.fast import FALLBACK, quick_value
from pyloader.dicom.parse import noting
from pyloader.dicom.structure import PIXEL_KEYWORDS
from pyloader.dicom.values import element_of, plain, typed, value_of
from tests.support import builders
from tests.support.elements import SMALL, beginning_of, read_quietly

ODD_BYTES = b"\\ 0.+-eE=^\0\x1b~AZaz9\xe4\n"


def raw_elements(dataset: Dataset) -> Iterator[tuple[Dataset, RawDataElement]]:
    """Yield the encoded elements, including those in sequences, with their data sets."""
    for element in list(dataset.values()):
        if isinstance(element, RawDataElement) and element.VR != "SQ":
            yield dataset, element
            continue
        with noting():
            sequence = element_of(dataset, element.tag)
        for item in sequence.value if sequence is not None and sequence.VR == "SQ" else ():
            yield from raw_elements(item)


def variants(element: RawDataElement, chance: random.Random) -> Iterator[RawDataElement]:
    """Yield an element unchanged, cut off, and with wrong bytes."""
    yield element
    for _ in range(4 if element.value and len(element.value) < 200 else 0):
        wrong = bytearray(element.value)
        wrong[chance.randrange(len(wrong))] = chance.choice(ODD_BYTES)
        yield element._replace(value=bytes(wrong))
        yield element._replace(value=element.value[: chance.randrange(len(wrong))])


def long_way(dataset: Dataset, element: RawDataElement) -> tuple[Any, list[str]]:
    """Return a value as pydicom reads it, and the warnings."""
    changed = Dataset({element.tag: element})
    changed.set_original_encoding(*dataset.original_encoding, dataset.original_character_set)
    with noting() as notes:
        found = element_of(changed, element.tag)
        value = typed(element.tag, plain(found.value)) if found is not None else None
    return value, notes


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_fast_values_equal_those_of_pydicom(path):
    beginning = beginning_of(path.read_bytes())
    if beginning is None:
        pytest.skip("no data set to read")
    try:
        given = (beginning.body, beginning.position, beginning.layout)
        dataset, _ = read_quietly(*given, PIXEL_KEYWORDS.__contains__)
    except HeaderCutOffError as error:
        dataset = error.dataset
    for owner, element in raw_elements(dataset):
        for variant in variants(element, random.Random(int(element.tag))):
            value = quick_value(variant)
            if value is not FALLBACK:
                # By its text, which distinguishes 1 from 1.0.
                assert (repr(value), []) == (repr(long_way(owner, variant)[0]), []), variant


def test_valid_values_are_read_by_the_fast_reader():
    body = builders.native(builders.ramp(4, 4, 16), PatientName="Doe^Jane", WindowCenter=[40, 60])
    beginning = beginning_of(body)
    dataset, _ = read_elements(
        body, beginning.position, beginning.layout, PIXEL_KEYWORDS.__contains__
    )
    found = {element.tag: quick_value(element) for element in dataset.values()}
    assert FALLBACK not in found.values()
    assert value_of(dataset, "PatientName") == "Doe^Jane"
    assert value_of(dataset, "WindowCenter") == [40.0, 60.0]
    assert all(isinstance(element, RawDataElement) for element in dataset.values())
