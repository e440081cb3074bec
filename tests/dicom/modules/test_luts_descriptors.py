"""Lookup tables with an impossible descriptor."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from pyloader.image import Image, LookupTable, ModalityLut, VoiLut
from pyloader.loaders.instance_source import make_image
from pyloader.pixels.output.voi import display
from tests.support import builders

PIXELS = (np.arange(64, dtype="u2") % 16).reshape(8, 8)
EXPLICIT = "1.2.840.10008.1.2.1"


def table(descriptor: list[int], entries: Any, vr: str = "SS") -> Dataset:
    """Return an item of a LUT Sequence."""
    lut = Dataset()
    lut.add_new("LUTDescriptor", vr, descriptor)
    lut.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return lut


def load(lut: Dataset, keyword: str = "VOILUTSequence") -> Image:
    """Return an image with a table."""
    body = builders.native(PIXELS, **{keyword: Sequence([lut])})
    return make_image(parse_part10(body), 0)


# The bits that DCMTK's dcm2pnm accepts and displays: at least 8.
OWN_BITS = [(range(16), 8), (np.arange(16) * 17, 8), (np.arange(16) * 273, 12)]
OWN_BITS += [(np.arange(16) * 4369, 16)]


@pytest.mark.parametrize("bits", [32767, -16, 0, 7, 17, 255, -32768, 4096])
@pytest.mark.parametrize(("entries", "own"), OWN_BITS)
def test_impossible_bits_are_replaced_by_those_of_the_entries(bits, entries, own):
    image = load(table([16, 0, bits], entries))
    (lut,) = image.voi_lut.luts
    assert lut.bits_per_entry == own
    assert lut.entries.tolist() == list(entries)
    assert f"says {bits} bits for each entry" in image.warnings[0]
    grey = np.rint(np.asarray(entries)[PIXELS] / (2**own - 1) * 255)
    assert np.array_equal(display(image), grey)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_possible_bits_are_kept(bits):
    image = load(table([16, 0, bits], range(16)))
    assert image.voi_lut.luts[0].bits_per_entry == bits
    assert image.warnings == ()


def test_a_table_of_zeros_is_dark():
    image = load(table([16, 0, 32767], [0] * 16))
    assert display(image).max() == 0


def test_a_modality_table_is_used_whatever_its_bits():
    image = load(table([16, 0, 32767], np.arange(16) * 2), "ModalityLUTSequence")
    assert image.modality_lut.lut.entries[5] == 10
    assert display(image).max() == 255


def test_a_table_shorter_than_declared_has_a_warning():
    image = load(table([64, 0, 8], range(40)))
    assert len(image.voi_lut.luts[0].entries) == 64  # 80 bytes hold 64 entries of 8 bits
    image = load(table([200, 0, 8], range(40)))
    assert len(image.voi_lut.luts[0].entries) == 80
    assert "80 entries, but its descriptor says 200" in image.warnings[0]


@pytest.mark.parametrize(
    ("descriptor", "entries"), [([16, 1e300, 8], [1.0] * 16), ([16, 0, 8], [1e300] * 16)]
)
def test_numbers_that_are_no_words_make_no_table(descriptor, entries):
    lut = Dataset()
    lut.add_new("LUTDescriptor", "FD", descriptor)
    lut.add_new("LUTData", "FD", entries)
    image = load(lut)
    assert image.voi_lut.luts == ()
    assert "is left out" in image.warnings[0]


@pytest.mark.parametrize("bits", [-16, 0, 99, 32767])
def test_a_table_of_an_author_is_shown_whatever_its_bits(bits):
    lut = LookupTable(0, bits, np.arange(16, dtype="u2") * 4369)
    image = Image.from_array(PIXELS, luts=(lut,))
    assert np.array_equal(display(image), PIXELS * 17)


@pytest.mark.parametrize("attributes", [{"RescaleSlope": "1E300"}, {"RescaleIntercept": "nan"}])
def test_a_rescale_beyond_floats_is_ignored(attributes):
    image = make_image(parse_part10(builders.native(PIXELS, **attributes)), 0)
    assert image.modality_lut.is_identity
    assert "it is left out" in image.warnings[0]


@pytest.mark.parametrize(
    ("center", "width"), [("nan", "1"), ("1E300", "1"), ("1", "inf"), ("1", "-5"), ("1", "0")]
)
def test_an_impossible_window_is_ignored(center, width):
    body = builders.native(PIXELS, WindowCenter=center, WindowWidth=width)
    assert np.array_equal(display(make_image(parse_part10(body), 0)), PIXELS * 17)


def test_absent_is_not_a_table():
    assert make_image(parse_part10(builders.native(PIXELS)), 0).voi_lut == VoiLut()


HALVES = [
    ({"RescaleSlope": "abc", "RescaleIntercept": "-1024"}, "RescaleSlope"),
    ({"RescaleSlope": "1E35", "RescaleIntercept": "-1024"}, "RescaleSlope"),
    ({"RescaleSlope": "1\\abc", "RescaleIntercept": "-1024"}, "RescaleSlope"),
    ({"RescaleSlope": "2", "RescaleIntercept": "abc"}, "RescaleIntercept"),
    ({"RescaleSlope": "2", "RescaleIntercept": "nan"}, "RescaleIntercept"),
]


def written(attributes: dict[str, str], dataset: Dataset | None = None) -> Dataset:
    """Return a data set with unchecked texts, whatever their VR requires."""
    dataset = builders.header(PIXELS) if dataset is None else dataset
    for keyword, text in attributes.items():
        tag = Tag(keyword)
        body = text.encode() + b" " * (len(text) % 2)
        dataset[tag] = RawDataElement(tag, "DS", len(body), body, 0, True, True)
    return dataset


def load_written(dataset: Dataset) -> Image:
    """Return the image of a data set in implicit VR, which has values as bytes only."""
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    return make_image(parse_part10(builders.part10(dataset, "1.2.840.10008.1.2")), 0)


@pytest.mark.parametrize(("attributes", "wrong"), HALVES)
def test_slope_or_intercept_alone_is_ignored(attributes, wrong):
    image = load_written(written(attributes))
    assert image.modality_lut == ModalityLut()
    assert any(f"{wrong} cannot be used" in each for each in image.warnings)


@pytest.mark.parametrize(("attributes", "wrong"), HALVES)
def test_slope_or_intercept_alone_in_json_is_ignored(attributes, wrong):
    told = {
        f"{Tag(keyword):08X}": {"vr": "DS", "Value": text.split("\\")}
        for keyword, text in attributes.items()
    }
    instance = parse_json(json.dumps({**builders.header(PIXELS).to_json_dict(), **told}))
    with noting() as notes:
        found = header(instance, 0)
    assert found["modality_lut"] == ModalityLut()
    assert any(f"{wrong} cannot be used" in each for each in notes)


def test_slope_of_a_frame_is_not_combined_with_another_intercept():
    dataset = written({"RescaleSlope": "2", "RescaleIntercept": "5"})
    group = Dataset()
    macro = written({"RescaleSlope": "abc", "RescaleIntercept": "-1024"}, Dataset())
    group.PixelValueTransformationSequence = Sequence([macro])
    dataset.SharedFunctionalGroupsSequence = Sequence([group])
    image = load_written(dataset)
    assert image.modality_lut == ModalityLut()


@pytest.mark.parametrize(
    "attributes", [{"RescaleSlope": "2"}, {"RescaleSlope": "2", "RescaleIntercept": " "}]
)
def test_a_slope_without_an_intercept_is_a_line(attributes):
    image = load_written(written(attributes))
    assert image.modality_lut == ModalityLut(rescale_slope=2.0)
    assert image.warnings == ()


def test_centre_of_a_frame_is_not_combined_with_another_width():
    dataset = written({"WindowCenter": "40", "WindowWidth": "400"})
    group = Dataset()
    macro = written({"WindowCenter": "1000", "WindowWidth": "abc"}, Dataset())
    group.FrameVOILUTSequence = Sequence([macro])
    dataset.SharedFunctionalGroupsSequence = Sequence([group])
    image = load_written(dataset)
    assert image.voi_lut.window_center == image.voi_lut.window_width == ()


def mappings_of(slope: float, intercept: float) -> list[dict[str, Any]]:
    """Return the Real World Value Mappings of a file that has one."""
    item = Dataset()
    item.add_new("RealWorldValueSlope", "FD", slope)
    item.add_new("RealWorldValueIntercept", "FD", intercept)
    body = builders.native(PIXELS, RealWorldValueMappingSequence=Sequence([item]))
    module = make_image(parse_part10(body), 0).modules.get("real_world_value_mapping", {})
    return module.get("real_world_value_mapping_sequence", [])


@pytest.mark.parametrize(("slope", "intercept"), [(np.nan, 5.0), (2.0, np.inf)])
def test_real_world_slope_or_intercept_alone_is_ignored(slope, intercept):
    assert len(mappings_of(2.0, 5.0)) == 1
    assert mappings_of(slope, intercept) == []
