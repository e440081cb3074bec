"""Frames of multi-frame objects: content, cine, segment, sources, and place in a volume."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset, Sequence

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.multiframe import (
    read_cine,
    read_frame_content,
    read_segment,
    read_volume_plane,
)
from tests.support.enhanced import group, item, merged, multiframe, several, single

LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"  # PS3.6 A


# ------------------------------------------------------------------ content


def test_content_is_of_the_frames_own_macros():
    shared = group("CTImageFrameTypeSequence", FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    frames = [
        merged(
            group("FrameContentSequence", StackID="1", InStackPositionNumber=index + 1),
            group("TemporalPositionSequence", TemporalPositionTimeOffset=2.5 * index),
        )
        for index in range(2)
    ]
    found = read_frame_content(Frame(multiframe(shared, *frames), 1))
    assert found == {
        "stack_id": "1",
        "in_stack_position_number": 2,
        "temporal_position_time_offset": 2.5,
        "frame_type": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    }


def test_dimensions_are_named_by_the_attribute_that_they_point_to():
    pointers = [0x00209057, 0x00209128, 0x00091001, None]
    items = [item(DimensionIndexPointer=tag) if tag else Dataset() for tag in pointers]
    own = group("FrameContentSequence", DimensionIndexValues=[1, 2, 3, 4])
    dataset = multiframe(Dataset(), own, DimensionIndexSequence=Sequence(items))
    found = read_frame_content(Frame(dataset, 0))
    assert found["dimension_index_values"] == [1, 2, 3, 4]
    assert found["dimension_index_pointers"] == [
        *("InStackPositionNumber", "TemporalPositionIndex", None, None)
    ]


@pytest.mark.parametrize(("index", "expected"), [(0, "A"), (2, "C")])
def test_vectors_of_secondary_captures_have_a_value_for_each_frame(index, expected):
    dataset = several(3, FrameLabelVector=["A", "B", "C"], PageNumberVector=[7, 8, 9])
    found = read_frame_content(Frame(dataset, index))
    assert found == {"frame_label": expected, "page_number": 7 + index}


def test_a_vector_that_is_too_short_gives_no_value():
    assert read_frame_content(Frame(several(3, PageNumberVector=[7, 8]), 2)) == {}


# ------------------------------------------------------------------ cine


def part_of_cine(**attributes: Any) -> dict[str, Any]:
    """Return the cine module of the second part of a concatenation, of two frames."""
    vector = {"FrameTimeVector": ["0", "33", "40", "50"], "FrameTime": "33"}
    return read_cine(Frame(several(2, InConcatenationNumber=2, **vector, **attributes), 0))


def test_times_are_those_of_all_frames_of_a_file():
    found = read_cine(Frame(several(3, FrameTimeVector=["0", "33", "40"], CineRate="30"), 2))
    assert found == {
        "cine_rate": 30,
        "number_of_frames": 3,
        "frame_time_vector": [0, 33, 40],
    }


def test_times_of_a_part_are_its_own():
    assert part_of_cine(ConcatenationFrameOffsetNumber=2)["frame_time_vector"] == [40, 50]


def test_times_of_a_part_that_does_not_say_where_it_begins_are_unknown():
    found = part_of_cine()
    assert "frame_time_vector" not in found
    assert found["frame_time"] == 33


# ------------------------------------------------------------------ segments


def segmentation(*numbers: int, **attributes: Any) -> Frame:
    """Return a frame of the last of these segments."""
    code = item(CodeValue="85756007", CodingSchemeDesignator="SCT", CodeMeaning="Tissue")
    segments = [
        item(
            SegmentNumber=number,
            SegmentLabel=f"segment {number}",
            SegmentedPropertyTypeCodeSequence=Sequence([code]),
        )
        for number in numbers
    ]
    own = group("SegmentIdentificationSequence", ReferencedSegmentNumber=numbers[-1])
    top = {"SegmentationType": "BINARY", "SegmentSequence": Sequence(segments), **attributes}
    return Frame(multiframe(Dataset(), own, **top), 0)


@pytest.mark.parametrize("numbers", [(1, 2, 3), (3, 1, 2), (7,), (9, 0)])
def test_the_segment_of_a_frame_is_found_by_its_number(numbers):
    assert read_segment(segmentation(*numbers)) == {
        "segmentation_type": "BINARY",
        "segment_number": numbers[-1],
        "segment_label": f"segment {numbers[-1]}",
        "segmented_property_type": {
            "code_value": "85756007",
            "coding_scheme_designator": "SCT",
            "code_meaning": "Tissue",
        },
    }


def test_a_segment_that_is_not_described_has_its_number_alone():
    frame = segmentation(1, 2)
    del frame.dataset.SegmentSequence[1]
    found = read_segment(frame)
    assert found == {"segmentation_type": "BINARY", "segment_number": 2}


def test_segment_of_a_tiled_full_frame_follows_from_its_index():
    segments = Sequence([item(SegmentNumber=number) for number in (4, 5)])
    matrix = {"TotalPixelMatrixRows": 4, "TotalPixelMatrixColumns": 16}  # two tiles
    dataset = several(4, DimensionOrganizationType="TILED_FULL", SegmentSequence=segments, **matrix)
    found = [read_segment(Frame(dataset, index))["segment_number"] for index in range(4)]
    assert found == [4, 4, 5, 5]


@pytest.mark.parametrize(
    "attributes", [{"SOPClassUID": LABEL_MAP}, {"SegmentationType": "LABELMAP"}]
)
def test_label_maps_are_named(attributes):
    assert read_segment(single(**attributes)) == {"segmentation_type": "LABELMAP"}


def test_sources_are_the_frames_own_then_the_shared_ones():
    def derived(number: int) -> Dataset:
        source = item(ReferencedSOPInstanceUID=f"1.2.{number}", ReferencedFrameNumber=number)
        return group("DerivationImageSequence", SourceImageSequence=Sequence([source]))

    dataset = multiframe(derived(1), derived(2), Dataset(), SegmentationType="BINARY")
    found = [read_segment(Frame(dataset, index))["source_images"] for index in (0, 1)]
    assert found == [
        [{"referenced_sop_instance_uid": f"1.2.{number}", "referenced_frame_number": number}]
        for number in (2, 1)
    ]


def test_other_objects_have_no_segment_and_no_sources():
    source = item(SourceImageSequence=Sequence([item(ReferencedSOPInstanceUID="1.2")]))
    assert read_segment(single(DerivationImageSequence=Sequence([source]))) == {}


# ------------------------------------------------------------------ ultrasound volumes


def test_place_in_an_ultrasound_volume():
    own = merged(
        group("PlanePositionVolumeSequence", ImagePositionVolume=[1, 2, 3]),
        group("PlaneOrientationVolumeSequence", ImageOrientationVolume=[1, 0, 0, 0, 1, 0]),
        group("ImageDataTypeSequence", DataType="TISSUE_INTENSITY"),
    )
    dataset = multiframe(Dataset(), own, VolumeFrameOfReferenceUID="1.2.3")
    assert read_volume_plane(Frame(dataset, 0)) == {
        "image_position_volume": [1, 2, 3],
        "image_orientation_volume": [1, 0, 0, 0, 1, 0],
        "data_type": "TISSUE_INTENSITY",
        "volume_frame_of_reference_uid": "1.2.3",
    }


def test_objects_without_a_place_in_a_volume_have_no_frame_of_reference_of_one():
    dataset = multiframe(Dataset(), Dataset(), VolumeFrameOfReferenceUID="1.2.3")
    assert read_volume_plane(Frame(dataset, 0)) == {}
