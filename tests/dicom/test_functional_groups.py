"""Top-level attributes that enhanced and converted objects have in functional groups."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset, Sequence

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules import header
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.modules.tables import PATIENT, PLAIN_MODULES
from pyloader.dicom.parse import parse_part10
from tests.support import builders
from tests.support.enhanced import PIXELS, group, item, multiframe, reread, single
from tests.support.module_values import VALUES

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
# Attributes at the top level of any object.
KEPT = ("SOPClassUID", "SOPInstanceUID", "Modality", "SeriesInstanceUID", "StudyInstanceUID")


def modules(shared: Dataset, own: Dataset, syntax: str = EXPLICIT, **top: Any) -> dict[str, Any]:
    """Return the modules of the second frame of an object with these functional groups."""
    dataset = builders.header(PIXELS, NumberOfFrames=2, **top)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([Dataset(), own])
    dataset.PixelData = PIXELS.tobytes() * 2
    dataset["PixelData"].VR = "OW"
    return header(parse_part10(builders.part10(dataset, syntax)), 1)


def converted(kind: str, **attributes: Any) -> Dataset:
    """Return functional groups with attributes that have no macro."""
    unassigned = item(**attributes)
    return item(**{f"Unassigned{kind}ConvertedAttributesSequence": Sequence([unassigned])})


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("name", PLAIN_MODULES)
def test_each_attribute_that_a_converter_moved_is_found(name, syntax):
    keywords = [each for each in PLAIN_MODULES[name] if each not in (*KEPT, "NumberOfFrames")]
    values = {keyword: VALUES.get(keyword, "TEXT") for keyword in keywords}
    expected = header(parse_part10(builders.native(PIXELS, **values)), 0).get(name)
    for shared, own in (
        (converted("Shared", **values), Dataset()),
        (Dataset(), converted("PerFrame", **values)),
        (item(**values), Dataset()),
    ):
        found = modules(shared, own, syntax).get(name, {})
        found.pop("number_of_frames", None)
        assert found == (expected or {})


def test_the_frames_own_counts_more_than_the_shared_and_the_top_level_most():
    shared = converted("Shared", ProtocolName="shared", StudyID="shared", AccessionNumber="shared")
    own = converted("PerFrame", ProtocolName="own", StudyID="own")
    found = modules(shared, own, ProtocolName="top", StudyID="")
    assert found["general_series"]["protocol_name"] == "top"
    assert found["general_study"]["study_id"] == "own"
    assert found["general_study"]["accession_number"] == "shared"


def test_attributes_of_macros_are_found_by_the_modules_of_single_frames():
    own = item(
        PixelMeasuresSequence=Sequence([item(PixelSpacing=["0.5", "0.25"])]),
        PatientOrientationInFrameSequence=Sequence([item(PatientOrientation=["L", "P"])]),
        DerivationImageSequence=Sequence([item(DerivationDescription="mean")]),
    )
    found = modules(Dataset(), own)["general_image"]
    assert found["pixel_spacing"] == [0.5, 0.25]
    assert found["patient_orientation"] == ["L", "P"]
    assert found["derivation_description"] == "mean"


def test_a_macro_of_several_items_is_ignored():
    several = Sequence([item(DerivationDescription="one"), item(DerivationDescription="two")])
    found = modules(Dataset(), item(DerivationImageSequence=several))["general_image"]
    assert "derivation_description" not in found


def test_patient_and_slice_location_and_regions_that_a_converter_moved():
    region = item(RegionFlags=2, PhysicalDeltaX=0.1)
    own = converted(
        "PerFrame",
        SliceLocation="12.5",
        PatientID="7",
        SequenceOfUltrasoundRegions=Sequence([region]),
    )
    found = modules(Dataset(), own)
    assert found["patient"] == {"patient_id": "7"}
    assert found["image_plane"].slice_location == 12.5
    assert found["calibration"]["sequence_of_ultrasound_regions"][0]["region_flags"] == 2
    assert "PatientID" in PATIENT


def test_attributes_of_another_frame_are_not_used():
    own = converted("PerFrame", ProtocolName="second")
    dataset = builders.header(PIXELS, NumberOfFrames=2)
    dataset.PerFrameFunctionalGroupsSequence = Sequence([Dataset(), own])
    assert Frame(dataset, 0).get("ProtocolName") is None
    assert Frame(dataset, 1).get("ProtocolName") == "second"


def test_a_group_that_is_named_does_not_take_what_another_has():
    own = item(FrameVOILUTSequence=Sequence([item(WindowCenter="1", WindowWidth="2")]))
    shared = item(FrameVOILUTSequence=Sequence([item(VOILUTFunction="SIGMOID")]))
    assert modules(shared, own)["voi_lut"].voi_lut_function is None


def test_frame_beyond_the_groups_has_the_shared_ones():
    dataset = multiframe(group("PixelMeasuresSequence", PixelSpacing=[2.0, 2.0]), Dataset())
    assert read_plane_module(Frame(dataset, 7)).pixel_spacing == (2, 2)


def test_empty_group_sequences_are_no_groups():
    frame = single(PixelSpacing=[1.0, 1.0], PerFrameFunctionalGroupsSequence=Sequence())
    assert read_plane_module(frame).pixel_spacing == (1, 1)


def test_groups_are_the_same_after_writing_and_reading():
    dataset = multiframe(
        group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25]),
        group("PlanePositionSequence", ImagePositionPatient=[1.0, 2.0, 3.0]),
    )
    plane = read_plane_module(reread(dataset))
    assert (plane.pixel_spacing, plane.image_position_patient) == ((0.5, 0.25), (1, 2, 3))


def test_integer_strings_become_plain_integers():
    dataset = Dataset()
    dataset.InstanceNumber = "7"
    assert type(Frame(dataset, 0).get("InstanceNumber")) is int
