"""Memoised readers, against the same readers without memo."""

from __future__ import annotations

import copy
import json
import random
import warnings
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from pyloader.dicom import fast
from pyloader.dicom.fast import Memo
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.reader import read_dataset
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import read_special
from pyloader.dicom.modules.luts import read_modality_lut, read_voi_lut
from pyloader.dicom.modules.pixel import read_pixel_module
from pyloader.dicom.modules.scaling import read_scaling
from pyloader.dicom.parse import noting, parse_part10
from pyloader.dicom.values import tag_of, value_of
from pyloader.errors import LoaderError
from tests.support import corpus

READERS = (read_special, read_pixel_module, read_modality_lut, read_voi_lut, read_scaling)
FILES = sorted(path for path in corpus.DATA.rglob("*") if path.suffix in (".dcm", ""))
SMALL = [path for path in FILES if path.is_file() and path.stat().st_size < 200_000]


def parsed(body: bytes) -> Instance | None:
    """Return the instance of a file, None if it cannot be parsed."""
    try:
        return parse_part10(body)
    except LoaderError:
        return None


def outcome(read: Any, dataset: Dataset) -> Any:
    """Return a reader's result for the first frame, or its error, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = repr(read(Frame(dataset, 0)))
        except LoaderError as error:
            found = repr(error)
    return found, [str(each.message) for each in caught]


def changed(dataset: Dataset, chance: random.Random) -> Dataset:
    """Return a data set with one element absent, or with other bytes or another VR."""
    other = copy.copy(dataset)
    other._dict = dict(dataset._dict)
    raw = [each for each in other._dict.values() if isinstance(each, RawDataElement) and each.value]
    if raw:
        element = chance.choice(raw)
        value = bytearray(element.value)
        value[chance.randrange(len(value))] = chance.choice(b"0129.\\- \0\xe4A")
        one, two, three = element._replace(value=bytes(value)), element._replace(VR="LO"), None
        taken = chance.choice((one, one, one, two, three))
        if taken is None:
            del other._dict[element.tag]
        else:
            other._dict[element.tag] = taken
    return other


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_memoised_result_equals_a_fresh_one(path):
    instance, chance = parsed(path.read_bytes()), random.Random(path.name)
    if instance is None:
        return
    for turn in range(12):
        # Every second time unchanged: the last result is then of this or another data set.
        dataset = changed(instance.dataset, chance) if turn % 2 else copy.copy(instance.dataset)
        dataset._dict = dict(dataset._dict)
        twin = copy.copy(dataset)
        twin._dict = dict(dataset._dict)
        for reader in READERS:
            assert outcome(reader, dataset) == outcome(reader.read, twin)


def reader_of(*keywords: str) -> tuple[Memo[Any], list[int]]:
    """Return a reader of attributes, and the list of frames that it read."""
    asked: list[int] = []

    def read(frame: Frame) -> Any:
        asked.append(frame.index)
        return [frame.get(keyword) for keyword in keywords]

    return Memo(read), asked


def data_set(**values: bytes) -> Dataset:
    """Return a parsed data set of elements in explicit VR."""
    found = {}
    for keyword, value in values.items():
        tag = tag_of(keyword)
        vr = "US" if keyword in ("Rows", "PixelRepresentation") else "LO"
        found[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    dataset = Dataset(found)
    dataset.set_original_encoding(False, True, "iso8859")
    return dataset


def test_the_same_bytes_are_read_once_and_others_again():
    reader, asked = reader_of("Manufacturer", "Rows")
    first = data_set(Manufacturer=b"A", Rows=b"\2\0")
    assert reader(Frame(first, 0)) == ["A", 2]
    same = data_set(Manufacturer=b"A", Rows=b"\2\0", StationName=b"not asked for")
    assert reader(Frame(same, 0)) == ["A", 2]
    assert len(asked) == 1
    assert reader(Frame(data_set(Manufacturer=b"A", Rows=b"\3\0"), 0)) == ["A", 3]
    assert reader(Frame(data_set(Manufacturer=b"A"), 0)) == ["A", None]
    assert len(asked) == 3


def test_an_empty_element_is_not_an_absent_one():
    reader = Memo(lambda frame: "Manufacturer" in frame.dataset)
    assert reader(Frame(data_set(), 0)) is False
    assert reader(Frame(data_set(Manufacturer=b""), 0)) is True


def test_byte_order_and_character_set_count():
    reader, asked = reader_of("Rows")
    big = data_set(Rows=b"\2\0")
    big._dict = {tag: each._replace(is_little_endian=False) for tag, each in big._dict.items()}
    big.set_original_encoding(False, False, "iso8859")
    assert reader(Frame(data_set(Rows=b"\2\0"), 0)) == [2]
    assert reader(Frame(big, 0)) == [512]
    other = data_set(Rows=b"\2\0")
    other.set_original_encoding(False, True, ["utf8"])
    assert reader(Frame(other, 0)) == [2]
    assert len(asked) == 3


def test_other_frames_are_read_each_time():
    reader, asked = reader_of("Rows")
    for index in (0, 1, 1, 2, 0):
        reader(Frame(data_set(Rows=b"\2\0"), index))
    assert asked == [0, 1, 1, 2]


def test_warnings_are_repeated_each_time():
    def read(frame: Frame) -> Any:
        return value_of(frame.dataset, "Rows")

    def odd() -> Dataset:
        dataset = data_set(Rows=b"\2\0")
        element = dataset._dict[tag_of("Rows")]._replace(VR="LO", value=b"two")
        dataset._dict[tag_of("Rows")] = element
        return dataset

    reader = Memo(read)
    notes = [outcome(reader, odd())[1] for _ in range(3)]
    assert len(notes[0]) == 1
    assert notes == notes[:1] * 3


def test_a_reader_of_all_elements_is_called_each_time():
    reader = Memo(lambda frame: sorted(frame.dataset.keys()))
    assert len(reader(Frame(data_set(Rows=b"\2\0"), 0))) == 1
    assert len(reader(Frame(data_set(Rows=b"\2\0", StationName=b"A"), 0))) == 2


def of_values(**values: Any) -> Dataset:
    """Return a data set of values, as DICOM JSON gives them, without bytes."""
    dataset = Dataset()
    for keyword, value in {"PixelRepresentation": 0, **values}.items():
        setattr(dataset, keyword, value)
    return dataset


def test_the_same_values_are_read_once_and_others_again():
    reader, asked = reader_of("Rows")
    for rows in (2, 2, 3):
        assert reader(Frame(of_values(Rows=rows), 0)) == [rows]
    assert len(asked) == 2


def test_values_that_only_compare_as_equal_are_others():
    reader = Memo(lambda frame: repr(frame.get("RescaleIntercept")))
    for value in (0.0, -0.0):
        dataset = read_dataset({"00281052": {"vr": "DS", "Value": [value]}})[0]
        assert reader(Frame(dataset, 0)) == repr(value)


@pytest.mark.parametrize(("count", "reads"), [(1, 2), (8, 2), (9, 3)])
def test_items_of_short_sequences_are_compared(count, reads):
    asked: list[int] = []

    def read(frame: Frame) -> Any:
        asked.append(frame.index)
        return [item.Rows for item in frame.items("ReferencedImageSequence")]

    reader = Memo(read)
    for rows in (2, 2, 3):
        items = [of_values(Rows=rows) for _ in range(count)]
        assert reader(Frame(of_values(ReferencedImageSequence=items), 0)) == [rows] * count
    assert len(asked) == reads


@pytest.mark.parametrize(("count", "reads"), [(8, 2), (9, 3)])
def test_values_of_short_lists_are_compared(count, reads):
    reader, asked = reader_of("ImageType")
    for last in ("A", "A", "B"):
        values = ["X"] * (count - 1) + [last]
        assert reader(Frame(of_values(ImageType=values), 0)) == [values]
    assert len(asked) == reads


# Values of DICOM JSON in place of others: valid ones, wrong ones, and those that cause a warning.
ODD_VALUES = (None, 0, 1, -0.0, 1.5, "1", "x", "2.5 mm", "", [1, 2], [None], [], {}, "A\\B", True)


def changed_json(attributes: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return a DICOM JSON data set with one attribute absent, or with other values."""
    other = dict(attributes)
    key = chance.choice(list(other))
    if chance.random() < 0.2:
        del other[key]
    else:
        values = [chance.choice(ODD_VALUES) for _ in range(chance.choice((1, 1, 2, 6)))]
        other[key] = {"vr": other[key]["vr"], "Value": values}
    return other


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_memoised_result_of_json_equals_a_fresh_one(path):
    instance, chance = parsed(path.read_bytes()), random.Random(path.name)
    if instance is None:
        return
    with noting():
        attributes = json.loads(instance_json(instance.dataset))
    for turn in range(12):
        given = changed_json(attributes, chance) if turn % 2 else attributes
        for reader in READERS:
            # The twin is read without remembered values too.
            found = outcome(reader, read_dataset(given)[0])
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(fast, "quick_converted", lambda *given: fast.FALLBACK)
                assert found == outcome(reader.read, read_dataset(given)[0])


def test_a_data_set_keeps_its_elements_when_a_reader_fails():
    def fail(frame: Frame) -> Any:
        raise ValueError(value_of(frame.dataset, "Rows"))

    dataset = data_set(Rows=b"\2\0")
    elements = dataset._dict
    with pytest.raises(ValueError, match="2"):
        Memo(fail)(Frame(dataset, 0))
    assert dataset._dict is elements


def test_texts_in_other_character_sets_are_memoised():
    reader, asked = reader_of("Manufacturer")
    for _ in range(3):
        dataset = data_set(Manufacturer="Müller".encode(), SpecificCharacterSet=b"ISO_IR 192")
        dataset.set_original_encoding(False, True, ["utf8"])
        assert reader(Frame(dataset, 0)) == ["Müller"]
    assert len(asked) == 1
