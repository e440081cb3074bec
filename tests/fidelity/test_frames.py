"""Multi-frame and enhanced objects: what each frame is and where, by numbers computed by hand.

Places are in mm of the patient (LPS) and computed here from the formulas of the standard, not from
what pyloader makes of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian

from pyloader import load_metadata
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.reader import read_dataset
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from tests.support import builders, corpus
from tests.support.dicom_json import as_json, plain
from tests.support.enhanced import CORONAL, PIXELS, enhanced, group, item, merged, several

AXIAL = [1.0, 0, 0, 0, 1, 0]
OBLIQUE = [0.8, 0.6, 0, 0, 0, -1]  # normal (-0.6, 0.8, 0)


def frames_of(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the modules of each frame, from a file; the same by DICOM JSON."""
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    instance, again = parse_part10(body), parse_part10(body)
    found, bulk, notes = read_dataset(as_json(again.dataset))
    assert (bulk, notes) == ((), ())
    other = Instance(found, instance.transfer_syntax_uid, instance.pixels)
    indices = range(instance.number_of_frames)
    modules = [header(instance, index) for index in indices]
    assert plain([header(other, index) for index in indices]) == plain(modules)
    return modules


def places(modules: list[dict[str, Any]]) -> list[Any]:
    """Return where each frame is."""
    return [each["image_plane"].image_position_patient for each in modules]


# ------------------------------------------------------------------ enhanced CT, MR, PET


def test_enhanced_frames_have_each_their_own_values():
    shared = merged(
        group(
            "PixelMeasuresSequence",
            PixelSpacing=[0.5, 0.25],
            SliceThickness=2,
            SpacingBetweenSlices=2.5,
        ),
        group("PlaneOrientationSequence", ImageOrientationPatient=CORONAL),
    )
    frames = [
        merged(
            group("PlanePositionSequence", ImagePositionPatient=[-10, 2.5 * number, 30]),
            group(
                "PixelValueTransformationSequence",
                RescaleSlope=number + 1,
                RescaleIntercept=-1024,
                RescaleType="HU",
            ),
            group(
                "FrameVOILUTSequence",
                WindowCenter=[40 + number, 300],
                WindowWidth=[400, 1500],
                WindowCenterWidthExplanation=["SOFT", "BONE"],
                VOILUTFunction="SIGMOID" if number else "LINEAR",
            ),
            group("CTImageFrameTypeSequence", FrameType=["ORIGINAL", "PRIMARY", "AXIAL", "NONE"]),
            group(
                "FrameContentSequence",
                FrameAcquisitionNumber=number + 5,
                FrameAcquisitionDateTime=f"2024010112000{number}.5",
                FrameAcquisitionDuration=12.5,
                DimensionIndexValues=[1, number + 1],
                StackID="A",
                InStackPositionNumber=number + 1,
                TemporalPositionIndex=2,
            ),
            group("TemporalPositionSequence", TemporalPositionTimeOffset=0.25 * number),
        )
        for number in range(3)
    ]
    pointers = [item(DimensionIndexPointer=tag) for tag in (0x00209056, 0x00209057)]
    dataset = enhanced(shared, frames, DimensionIndexSequence=Sequence(pointers))
    modules = frames_of(dataset)
    assert places(modules) == [(-10, 0, 30), (-10, 2.5, 30), (-10, 5, 30)]
    for number, each in enumerate(modules):
        plane, voi, content = each["image_plane"], each["voi_lut"], each["frame_content"]
        assert plane.image_orientation_patient == tuple(CORONAL)
        assert (plane.pixel_spacing, plane.slice_thickness) == ((0.5, 0.25), 2)
        assert plane.spacing_between_slices == 2.5
        assert each["modality_lut"].rescale_slope == number + 1
        assert each["modality_lut"].rescale_type == "HU"
        assert voi.window_center == (40 + number, 300)
        assert voi.window_center_width_explanation == ("SOFT", "BONE")
        assert voi.voi_lut_function == ("SIGMOID" if number else "LINEAR")
        assert content == {
            "frame_type": ["ORIGINAL", "PRIMARY", "AXIAL", "NONE"],
            "frame_acquisition_number": number + 5,
            "frame_acquisition_date_time": f"2024010112000{number}.5",
            "frame_acquisition_duration": 12.5,
            "dimension_index_values": [1, number + 1],
            "dimension_index_pointers": ["StackID", "InStackPositionNumber"],
            "stack_id": "A",
            "in_stack_position_number": number + 1,
            "temporal_position_index": 2,
            "temporal_position_time_offset": 0.25 * number,
        }
        multiframe = each["multiframe"]
        assert (multiframe["number_of_frames"], multiframe["frame_number"]) == (3, number + 1)
        own = multiframe["per_frame_functional_information"]
        assert own["frame_content_sequence"][0]["in_stack_position_number"] == number + 1
        assert multiframe["shared_functional_information"]


@pytest.mark.parametrize("macro", ["MRImageFrameTypeSequence", "PETFrameTypeSequence"])
def test_frame_type_of_mr_and_pet(macro):
    frames = [group(macro, FrameType=["DERIVED", kind]) for kind in ("PRIMARY", "SECONDARY")]
    found = [each["frame_content"]["frame_type"] for each in frames_of(enhanced(Dataset(), frames))]
    assert found == [["DERIVED", "PRIMARY"], ["DERIVED", "SECONDARY"]]


def test_mr_frames_have_their_echo_and_diffusion():
    frames = [
        merged(
            group("MREchoSequence", EffectiveEchoTime=10.0 * number),
            group("MRDiffusionSequence", DiffusionBValue=500.0 * number),
        )
        for number in range(3)
    ]
    found = [each["frame_content"] for each in frames_of(enhanced(Dataset(), frames))]
    assert [each["effective_echo_time"] for each in found] == [0, 10, 20]
    assert [each["diffusion_b_value"] for each in found] == [0, 500, 1000]


def test_frames_have_tables_of_their_own():
    def lut(first: int) -> Dataset:
        found = item(LUTExplanation=f"from {first}")
        found.add_new("LUTDescriptor", "US", [2, first, 16])
        found.add_new("LUTData", "US", [first, 65535])
        return found

    frames = [
        group("FrameVOILUTSequence", VOILUTSequence=Sequence([lut(10 * number)]))
        for number in (1, 2)
    ]
    found = [each["voi_lut"].luts for each in frames_of(enhanced(Dataset(), frames))]
    assert [[lut.first_value_mapped for lut in luts] for luts in found] == [[10], [20]]
    assert [luts[0].explanation for luts in found] == ["from 10", "from 20"]


def test_absent_item_of_a_frame_leaves_the_shared_ones():
    shared = group("PlaneOrientationSequence", ImageOrientationPatient=AXIAL)
    position = group("PlanePositionSequence", ImagePositionPatient=[1, 2, 3])
    dataset = enhanced(shared, [position], ImagePositionPatient=[9, 9, 9])
    dataset.NumberOfFrames = 2
    dataset.PixelData = PIXELS.tobytes() * 2
    first, second = frames_of(dataset)
    assert first["image_plane"].image_position_patient == (1, 2, 3)
    assert second["image_plane"].image_orientation_patient == tuple(AXIAL)


def test_empty_macro_of_a_frame_leaves_the_shared_one():
    shared = group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.5])
    empty = item(PixelMeasuresSequence=Sequence([Dataset()]))
    (found,) = frames_of(enhanced(shared, [empty]))
    assert found["image_plane"].pixel_spacing == (0.5, 0.5)


def test_macros_are_not_mixed():
    """A frame's window does not take the function of the shared window."""
    shared = group("FrameVOILUTSequence", WindowCenter=1, WindowWidth=2, VOILUTFunction="SIGMOID")
    own = group("FrameVOILUTSequence", WindowCenter=40, WindowWidth=80)
    (found,) = frames_of(enhanced(shared, [own]))
    assert (found["voi_lut"].window_center, found["voi_lut"].voi_lut_function) == ((40,), None)


def test_attributes_of_converted_objects_outside_a_macro():
    """Attributes that a converter could not assign, and those in the item without a macro."""
    unassigned = item(
        UnassignedPerFrameConvertedAttributesSequence=Sequence([item(SliceThickness=3)])
    )
    loose = item(SliceThickness=4)
    found = frames_of(enhanced(Dataset(), [unassigned, loose], SliceThickness=9))
    assert [each["image_plane"].slice_thickness for each in found] == [3, 4]


# ------------------------------------------------------------------ one position for all frames


def of_one_position(**attributes: Any) -> Dataset:
    """Return three frames with one position, at the top level, and an oblique orientation."""
    found: dict[str, Any] = {
        "ImagePositionPatient": [1, 2, 3],
        "ImageOrientationPatient": OBLIQUE,
        "SliceLocation": 7,
    }
    return several(3, **(found | attributes))


@pytest.mark.parametrize(
    "attributes",
    [
        {"FrameTime": 40, "FrameIncrementPointer": 0x00181063},
        {"FrameTimeVector": [0, 40, 40], "FrameIncrementPointer": 0x00181065},
        # As MR has it, of the slices of its series.
        {"FrameTime": 40, "FrameIncrementPointer": 0x00181063, "SpacingBetweenSlices": 5},
        {"FrameTime": 40},
        {"CineRate": 25},
    ],
)
def test_frames_of_a_loop_are_where_the_image_is(attributes):
    found = frames_of(of_one_position(**attributes))
    assert places(found) == [(1, 2, 3)] * 3
    assert [each["image_plane"].slice_location for each in found] == [7, 7, 7]


def test_slices_of_a_volume_of_one_position_follow_the_normal():
    """As cone beam CT is written: PS3.3 C.7.6.2.1.1."""
    found = frames_of(of_one_position(SpacingBetweenSlices=0.5))
    assert np.allclose(places(found), [(1 - 0.3 * n, 2 + 0.4 * n, 3) for n in range(3)])
    # Slice Location is of the first.
    assert [each["image_plane"].slice_location for each in found] == [7, None, None]


def test_slices_by_a_vector_without_detectors():
    pointers = [0x00540070, 0x00540080]
    attributes = {"SliceVector": [1, 2, 1], "TimeSlotVector": [1, 1, 2]}
    dataset = of_one_position(
        SpacingBetweenSlices=0.5, FrameIncrementPointer=pointers, **attributes
    )
    assert np.allclose(places(frames_of(dataset)), [(1, 2, 3), (0.7, 2.4, 3), (1, 2, 3)])


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"SliceThickness": 0.5},
        {"SpacingBetweenSlices": 0},
        {"SpacingBetweenSlices": -0.5},
        {"SpacingBetweenSlices": 0.5, "FrameTime": 40},
        {"SpacingBetweenSlices": 0.5, "ImageOrientationPatient": None},
        {"PageNumberVector": [1, 2, 3], "FrameIncrementPointer": 0x00182001},
        {"SliceLocationVector": [10, 12, 14], "FrameIncrementPointer": 0x00182005},
    ],
)
def test_frames_of_a_volume_are_not_all_at_one_place(attributes):
    with noting() as notes:
        found = places(frames_of(of_one_position(**attributes)))
    assert found == [(1, 2, 3), None, None]
    # A distance below 0, which nuclear medicine alone may have, is told of as well.
    others = [note for note in notes if "SpacingBetweenSlices is -0.5" not in note]
    assert {note.split("for all")[0] for note in others} == {
        "(0020,0032) ImagePositionPatient is (1.0, 2.0, 3.0) "
    }


def test_frames_have_each_their_slice_location():
    """PS3.3 C.8.6.4; along the normal they are places."""
    dataset = several(
        3,
        ImagePositionPatient=[5, 6, 10],
        ImageOrientationPatient=AXIAL,
        SliceLocationVector=[10, 13, 17.5],
        FrameIncrementPointer=0x00182005,
    )
    found = [each["image_plane"] for each in frames_of(dataset)]
    assert [each.slice_location for each in found] == [10, 13, 17.5]
    assert [each.image_position_patient for each in found] == [(5, 6, 10), (5, 6, 13), (5, 6, 17.5)]


def test_frames_have_each_their_value_of_the_vectors_of_secondary_captures():
    dataset = several(
        2,
        FrameLabelVector=["front", "back"],
        PageNumberVector=[3, 4],
        FramePrimaryAngleVector=[0, 15.5],
        FrameSecondaryAngleVector=[1, 2],
        DisplayWindowLabelVector=["a", "b"],
        FrameIncrementPointer=0x00182001,
    )
    assert frames_of(dataset)[1]["frame_content"] == {
        "page_number": 4,
        "frame_label": "back",
        "frame_primary_angle": 15.5,
        "frame_secondary_angle": 2,
        "display_window_label": "b",
    }


def at_one_place(*frames: Dataset, **attributes: Any) -> list[Any]:
    """Return where frames are that functional groups all put to (1, 2, 3)."""
    place = group("PlanePositionSequence", ImagePositionPatient=[1, 2, 3])
    shared = group("PlaneOrientationSequence", ImageOrientationPatient=AXIAL)
    return places(
        frames_of(enhanced(shared, [merged(place, each) for each in frames], **attributes))
    )


DIMENSIONS = Sequence(
    item(DimensionIndexPointer=pointer) for pointer in (0x00209056, 0x00200032, 0x00209128)
)


@pytest.mark.parametrize(
    "content",
    [
        [{"TemporalPositionIndex": 1}, {"TemporalPositionIndex": 2}],
        [{"FrameAcquisitionDateTime": f"2020010110000{n}"} for n in range(2)],
        [{"DimensionIndexValues": [1, 1, n]} for n in range(2)],
        [{"StackID": str(n), "InStackPositionNumber": n} for n in range(2)],
    ],
)
def test_frames_of_functional_groups_may_be_at_one_place(content):
    frames = [group("FrameContentSequence", **each) for each in content]
    assert at_one_place(*frames, DimensionIndexSequence=DIMENSIONS) == [(1, 2, 3)] * 2


def test_echoes_and_segments_are_at_one_place():
    assert (
        at_one_place(*(group("MREchoSequence", EffectiveEchoTime=10 * n) for n in range(2)))
        == [(1, 2, 3)] * 2
    )
    assert (
        at_one_place(
            *(group("SegmentIdentificationSequence", ReferencedSegmentNumber=n) for n in (1, 2))
        )
        == [(1, 2, 3)] * 2
    )


@pytest.mark.parametrize(
    "content",
    [
        [{}, {}, {}],
        [{"FrameComments": str(n)} for n in range(3)],
        [{"DimensionIndexValues": [1, n, 1]} for n in range(3)],
        # A time does not make one slice of several.
        [
            {"InStackPositionNumber": n, "FrameAcquisitionDateTime": f"2020010110000{n}"}
            for n in range(3)
        ],
    ],
)
def test_slices_of_functional_groups_are_not_all_at_one_place(content):
    frames = [group("FrameContentSequence", **each) for each in content]
    with noting() as notes:
        found = at_one_place(*frames, DimensionIndexSequence=DIMENSIONS)
    assert found == [(1, 2, 3), None, None]
    assert len(notes) == 2


def test_places_of_converted_objects_outside_a_macro():
    """Each frame has its own, whatever the spacing of the slices that it was made of."""
    frames = [
        item(
            UnassignedPerFrameConvertedAttributesSequence=Sequence(
                [item(ImagePositionPatient=[0, 0, place])]
            )
        )
        for place in (5, 6.5, 5)
    ]
    shared = group("PixelMeasuresSequence", SpacingBetweenSlices=3)
    assert places(frames_of(enhanced(shared, frames))) == [(0, 0, 5), (0, 0, 6.5), (0, 0, 5)]


def test_place_of_all_frames_that_is_shared():
    shared = group("PlanePositionSequence", ImagePositionPatient=[1, 2, 3])
    frames = [Dataset(), Dataset()]
    with noting() as notes:
        assert places(frames_of(enhanced(shared, frames))) == [(1, 2, 3), None]
    assert len(notes) == 1
    assert places(frames_of(enhanced(shared, frames, FrameTime=40))) == [(1, 2, 3)] * 2


# ------------------------------------------------------------------ concatenations


def test_vectors_of_a_concatenation_are_of_the_part_or_of_the_whole():
    part = {"InConcatenationNumber": 2, "ConcatenationFrameOffsetNumber": 3, "Modality": "NM"}
    for vector in ([4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]):
        found = frames_of(several(2, SliceVector=vector, **part))
        assert [each["nm_frame"]["slice_number"] for each in found] == [4, 5], vector
    times = several(2, FrameTimeVector=[0, 10, 20, 30, 40], **part)
    assert [each["cine"]["frame_time_vector"] for each in frames_of(times)] == [[30, 40]] * 2


def test_vectors_of_a_part_that_does_not_say_where_it_begins():
    for vector, expected in (([4, 5], [4, 5]), ([1, 2, 3, 4, 5], [None, None])):
        dataset = several(2, SliceVector=vector, FrameTimeVector=vector, InConcatenationNumber=2)
        found = frames_of(dataset)
        assert [each.get("nm_frame", {}).get("slice_number") for each in found] == expected
        assert ("frame_time_vector" in found[0].get("cine", {})) is (expected[0] == 4)


@pytest.mark.parametrize("offset", [None, 3])
def test_times_of_a_part_that_cannot_be_used_take_nothing_else_away(offset):
    part = {"InConcatenationNumber": 2, "CineRate": 30}
    part |= {} if offset is None else {"ConcatenationFrameOffsetNumber": offset}
    dataset = several(2, FrameTimeVector=[10.0, float("nan"), 30.0, 40.0, 50.0], **part)
    with noting() as notes:
        found = frames_of(dataset)
    assert [each["cine"] for each in found] == [{"cine_rate": 30, "number_of_frames": 2}] * 2
    assert not [note for note in notes if "KeyError" in note]


def test_functional_groups_are_of_the_part():
    frames = [group("PlanePositionSequence", ImagePositionPatient=[0, 0, n]) for n in (3, 4)]
    dataset = enhanced(Dataset(), frames, InConcatenationNumber=2, ConcatenationFrameOffsetNumber=3)
    assert places(frames_of(dataset)) == [(0, 0, 3), (0, 0, 4)]


@pytest.mark.filterwarnings("ignore")
def test_frames_of_real_files_are_what_their_groups_say():
    """Every bundled file with functional groups, each frame, looked up by pydicom."""
    seen = 0
    for path in sorted((*corpus.DATA.glob("*.dcm"), *corpus.FURTHER_DATA.glob("*.dcm"))):
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        if "PerFrameFunctionalGroupsSequence" not in dataset:
            continue
        instance = parse_part10(path.read_bytes())
        shared = dataset.get("SharedFunctionalGroupsSequence", [Dataset()])[0]
        for index, own in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            found = header(instance, index)
            plane, voi = found["image_plane"], found["voi_lut"]
            for value, macro, keyword in (
                (plane.image_position_patient, "PlanePosition", "ImagePositionPatient"),
                (plane.image_orientation_patient, "PlaneOrientation", "ImageOrientationPatient"),
                (plane.pixel_spacing, "PixelMeasures", "PixelSpacing"),
                (voi.window_center[:1] or None, "FrameVOILUT", "WindowCenter"),
                (voi.window_width[:1] or None, "FrameVOILUT", "WindowWidth"),
            ):
                groups = own.get(f"{macro}Sequence") or shared.get(f"{macro}Sequence")
                expected = groups[0].get(keyword) if groups else dataset.get(keyword)
                if isinstance(expected, MultiValue):
                    expected = tuple(map(float, expected))
                elif expected is not None:
                    expected = (float(expected),)
                assert value == expected, (path.name, index, keyword)
            seen += 1
    assert seen >= 14


# ------------------------------------------------------------------ real world values


def test_parametric_map_has_real_world_values():
    units = item(CodeValue="um2/s", CodingSchemeDesignator="UCUM", CodeMeaning="um2/s")

    def mapping(slope: float) -> Dataset:
        return item(
            LUTLabel="ADC",
            RealWorldValueSlope=slope,
            RealWorldValueIntercept=0.5,
            DoubleFloatRealWorldValueFirstValueMapped=0.0,
            DoubleFloatRealWorldValueLastValueMapped=4095.0,
            MeasurementUnitsCodeSequence=Sequence([units]),
        )

    shared = item(RealWorldValueMappingSequence=Sequence([mapping(1.0)]))
    own = item(RealWorldValueMappingSequence=Sequence([mapping(2.0), mapping(3.0)]))
    first, second = frames_of(enhanced(shared, [own, Dataset()]))
    found = first["real_world_value_mapping"]["real_world_value_mapping_sequence"]
    assert [each["real_world_value_slope"] for each in found] == [2, 3]
    (found,) = second["real_world_value_mapping"]["real_world_value_mapping_sequence"]
    assert found == {
        "lut_label": "ADC",
        "real_world_value_slope": 1,
        "real_world_value_intercept": 0.5,
        "double_float_real_world_value_first_value_mapped": 0,
        "double_float_real_world_value_last_value_mapped": 4095,
        "measurement_units": {
            "code_value": "um2/s",
            "coding_scheme_designator": "UCUM",
            "code_meaning": "um2/s",
        },
    }


def test_slope_of_0_of_a_frame_is_no_rescale():
    """One frame says so in its functional group; has the others' tables as they are."""
    rescales = [
        group("PixelValueTransformationSequence", RescaleSlope=slope, RescaleIntercept=7)
        for slope in (2, 0)
    ]
    with pytest.warns(UserWarning, match="RescaleSlope is 0"):
        found = [each["modality_lut"] for each in frames_of(enhanced(Dataset(), rescales))]
    assert [(each.slope, each.intercept) for each in found] == [(2, 7), (1, 0)]
    assert found[1].rescale_slope is None


def test_real_world_values_of_slope_0_are_no_mapping():
    mappings = [
        item(RealWorldValueSlope=slope, RealWorldValueIntercept=1.0) for slope in (0.0, 0.5)
    ]
    groups = item(RealWorldValueMappingSequence=Sequence(mappings))
    with pytest.warns(UserWarning, match="Real World Value Slope is 0"):
        (found,) = frames_of(enhanced(groups, [Dataset()]))
    assert found["real_world_value_mapping"]["real_world_value_mapping_sequence"] == [
        {"real_world_value_slope": 0.5, "real_world_value_intercept": 1.0}
    ]


def test_real_world_values_by_a_table():
    mapping = item(RealWorldValueLUTData=[0.5, 1.5, 2.5])
    mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
    (found,) = frames_of(several(1, RealWorldValueMappingSequence=Sequence([mapping])))
    (found,) = found["real_world_value_mapping"]["real_world_value_mapping_sequence"]
    assert found["real_world_value_lut_data"].tolist() == [0.5, 1.5, 2.5]


# ------------------------------------------------------------------ RT dose


@pytest.mark.parametrize(
    ("orientation", "origin", "offsets", "expected"),
    [
        (AXIAL, [1, 2, -50], [0, 2.5, 7.5], [(1, 2, -50), (1, 2, -47.5), (1, 2, -42.5)]),
        (AXIAL, [1, 2, -50], [-50, -45, -30], [(1, 2, -50), (1, 2, -45), (1, 2, -30)]),
        (AXIAL, [1, 2, -50], [0, -5, -10], [(1, 2, -50), (1, 2, -55), (1, 2, -60)]),
        (CORONAL, [1, 2, -50], [0, 3, 6], [(1, 2, -50), (1, 5, -50), (1, 8, -50)]),
        (OBLIQUE, [1, 2, -50], [0, 10, 20], [(1, 2, -50), (-5, 10, -50), (-11, 18, -50)]),
        # Feet first, normal (0, 0, -1): offsets from 0 run along it, others are z itself.
        ([1, 0, 0, 0, -1, 0], [1, 2, 50], [0, 5, 10], [(1, 2, 50), (1, 2, 45), (1, 2, 40)]),
        ([1, 0, 0, 0, -1, 0], [1, 2, 50], [50, 45, 40], [(1, 2, 50), (1, 2, 45), (1, 2, 40)]),
        (AXIAL, [1, 2, 0], [0, 5, 10], [(1, 2, 0), (1, 2, 5), (1, 2, 10)]),
    ],
)
def test_rt_dose_planes_stand_where_their_offsets_say(orientation, origin, offsets, expected):
    dataset = several(
        len(offsets),
        ImageOrientationPatient=orientation,
        ImagePositionPatient=origin,
        GridFrameOffsetVector=offsets,
    )
    assert [pytest.approx(place) for place in places(frames_of(dataset))] == expected


@pytest.mark.parametrize("offsets", [[7, 8, 9], [0, 5]])
def test_rt_dose_offsets_that_say_nothing_leave_the_place_absent(offsets):
    dataset = several(
        3,
        ImageOrientationPatient=AXIAL,
        ImagePositionPatient=[0, 0, 1],
        GridFrameOffsetVector=offsets,
    )
    with pytest.warns(UserWarning, match=r"\(3004,000C\) GridFrameOffsetVector begins with"):
        place = header(Instance(dataset, ExplicitVRLittleEndian, None), 2)["image_plane"]
    assert place.image_position_patient is None


async def test_rt_dose_of_a_real_file():
    """rtdose.dcm: identity orientation, offsets 0, 5, 10, ..."""
    path = corpus.DATA / "rtdose.dcm"
    places = []
    for number in (1, 2, 15):
        modules = await load_metadata(f"wadouri:{path}?frame={number}")
        places.append(modules["image_plane"].image_position_patient)
    step = np.diff(np.array(places), axis=0)
    assert np.allclose(step, [[0, 0, 5], [0, 0, 65]])


# ------------------------------------------------------------------ nuclear medicine


def detector(position: list[float], orientation: list[float] = CORONAL) -> Dataset:
    """Return an item of the Detector Information Sequence."""
    return item(
        ImagePositionPatient=position, ImageOrientationPatient=orientation, StartAngle=position[0]
    )


def nuclear(count: int, subtype: str, **attributes: Any) -> Dataset:
    """Return a nuclear medicine object."""
    return several(count, ImageType=["ORIGINAL", "PRIMARY", subtype, "EMISSION"], **attributes)


@pytest.mark.parametrize(("spacing", "sign"), [(2.5, 1), (-2.5, -1)])
def test_nm_slices_advance_along_the_normal(spacing, sign):
    """PS3.3 C.8.4.15: behind the first slice, in front of it when the spacing is negative."""
    dataset = nuclear(
        3,
        "RECON TOMO",
        SpacingBetweenSlices=spacing,
        PixelSpacing=[4.0, 4.0],
        SliceVector=[1, 2, 3],
        FrameIncrementPointer=0x00540080,
        DetectorInformationSequence=Sequence([detector([-100, -50, 80], OBLIQUE)]),
    )
    modules = frames_of(dataset)
    expected = [(-100 - 1.5 * sign * n, -50 + 2.0 * sign * n, 80) for n in range(3)]
    assert [pytest.approx(place) for place in places(modules)] == expected
    assert [each["nm_frame"]["slice_number"] for each in modules] == [1, 2, 3]
    assert modules[0]["nm_frame"]["frame_increment_pointer"] == ["SliceVector"]
    assert modules[2]["image_plane"].image_orientation_patient == tuple(OBLIQUE)


def test_nm_slices_of_several_time_slots_are_where_their_slice_is():
    dataset = nuclear(
        4,
        "RECON GATED TOMO",
        SpacingBetweenSlices=5,
        SliceVector=[1, 2, 1, 2],
        TimeSlotVector=[1, 1, 2, 2],
        FrameIncrementPointer=[0x00540070, 0x00540080],
        DetectorInformationSequence=Sequence([detector([0, 0, 0], AXIAL)]),
    )
    modules = frames_of(dataset)
    assert places(modules) == [(0, 0, 0), (0, 0, 5), (0, 0, 0), (0, 0, 5)]
    assert [each["nm_frame"]["time_slot_number"] for each in modules] == [1, 1, 2, 2]


def test_nm_slices_without_a_spacing_have_no_place_but_the_first():
    detectors = Sequence([detector([1, 2, 3])])
    dataset = nuclear(2, "RECON TOMO", SliceVector=[1, 2], DetectorInformationSequence=detectors)
    assert places(frames_of(dataset)) == [(1, 2, 3), None]


def test_nm_frame_has_the_geometry_of_its_own_detector():
    detectors = [detector([0, 1, 2]), detector([180, 5, 6], [-1, 0, 0, 0, 0, -1])]
    dataset = nuclear(
        4,
        "WHOLE BODY",
        DetectorVector=[1, 2, 1, 2],
        EnergyWindowVector=[1, 1, 2, 2],
        FrameIncrementPointer=[0x00540010, 0x00540020],
        DetectorInformationSequence=Sequence(detectors),
    )
    modules = frames_of(dataset)
    assert places(modules) == [(0, 1, 2), (180, 5, 6)] * 2
    geometry = [each["nm_multiframe_geometry"] for each in modules]
    assert [each["start_angle"] for each in geometry] == [0, 180, 0, 180]
    assert geometry[1]["image_orientation_patient"] == (-1, 0, 0, 0, 0, -1)
    assert modules[2]["nm_frame"] == {
        "detector_number": 1,
        "energy_window_number": 2,
        "frame_increment_pointer": ["EnergyWindowVector", "DetectorVector"],
    }


def test_nm_projections_of_a_moving_detector_have_no_place():
    detectors = Sequence([detector([1, 2, 3])])
    dataset = nuclear(2, "TOMO", AngularViewVector=[1, 2], DetectorInformationSequence=detectors)
    modules = frames_of(dataset)
    assert places(modules) == [None, None]
    assert modules[1]["nm_frame"]["angular_view_number"] == 2
    assert modules[1]["nm_multiframe_geometry"]["image_position_patient"] == (1, 2, 3)


# ------------------------------------------------------------------ segmentation


def test_segmentation_frame_has_its_segment_and_source():
    code = item(CodeValue="T-62000", CodingSchemeDesignator="SRT", CodeMeaning="Liver")
    segments = [
        item(
            SegmentNumber=number,
            SegmentLabel=label,
            SegmentAlgorithmType="MANUAL",
            RecommendedDisplayCIELabValue=[1, 2, 3],
            SegmentedPropertyTypeCodeSequence=Sequence([code]),
        )
        for number, label in ((1, "liver"), (7, "tumour"))
    ]
    source = item(ReferencedSOPInstanceUID="1.2.9", ReferencedFrameNumber=4)
    derivation = item(SourceImageSequence=Sequence([source]))
    frames = [
        merged(
            group("SegmentIdentificationSequence", ReferencedSegmentNumber=number),
            group("PlanePositionSequence", ImagePositionPatient=[0, 0, float(number)]),
            item(DerivationImageSequence=Sequence([derivation])),
        )
        for number in (7, 1, 5)
    ]
    modules = frames_of(enhanced(Dataset(), frames, SegmentSequence=Sequence(segments)))
    found = [each["segment"] for each in modules]
    assert [each.get("segment_label") for each in found] == ["tumour", "liver", None]
    assert [each["segment_number"] for each in found] == [7, 1, 5]
    assert found[0]["segmented_property_type"]["code_meaning"] == "Liver"
    assert found[0]["recommended_display_cie_lab_value"] == [1, 2, 3]
    assert found[0]["source_images"] == [
        {"referenced_sop_instance_uid": "1.2.9", "referenced_frame_number": 4}
    ]
    assert places(modules) == [(0, 0, 7), (0, 0, 1), (0, 0, 5)]


def test_values_of_a_fractional_segmentation_are_parts_of_a_maximum():
    """PS3.3 C.8.20.2.3."""
    dataset = enhanced(
        Dataset(),
        [group("SegmentIdentificationSequence", ReferencedSegmentNumber=1)],
        SegmentationType="FRACTIONAL",
        SegmentationFractionalType="OCCUPANCY",
        MaximumFractionalValue=255,
        SegmentsOverlap="NO",
    )
    assert frames_of(dataset)[0]["segment"] == {
        "segment_number": 1,
        "segmentation_type": "FRACTIONAL",
        "segmentation_fractional_type": "OCCUPANCY",
        "maximum_fractional_value": 255,
        "segments_overlap": "NO",
    }


# ------------------------------------------------------------------ whole slides


def slide(count: int, organization: str, **attributes: Any) -> Dataset:
    """Return a whole-slide image of tiles of 4 rows and 8 columns."""
    origin = item(XOffsetInSlideCoordinateSystem=20, YOffsetInSlideCoordinateSystem=40)
    origin.ZOffsetInSlideCoordinateSystem = 5
    return several(
        count,
        DimensionOrganizationType=organization,
        TotalPixelMatrixRows=10,
        TotalPixelMatrixColumns=20,
        ImageOrientationSlide=[0, -1, 0, -1, 0, 0],
        TotalPixelMatrixOriginSequence=Sequence([origin]),
        **attributes,
    )


def test_tiles_of_a_full_matrix_are_placed_by_their_number():
    """3 x 3 tiles, 2 focal planes, 2 optical paths: PS3.3 C.7.6.17.3."""
    paths = [item(OpticalPathIdentifier=name) for name in ("bright", "dark")]
    measures = group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SpacingBetweenSlices=0.002)
    dataset = slide(
        36,
        "TILED_FULL",
        TotalPixelMatrixFocalPlanes=2,
        OpticalPathSequence=Sequence(paths),
        SharedFunctionalGroupsSequence=Sequence([measures]),
    )
    found = [each["slide_plane"] for each in frames_of(dataset)]
    order = [
        (
            each["optical_path_identifier"],
            each["z_offset_in_slide_coordinate_system"],
            each["row_position_in_total_image_pixel_matrix"],
            each["column_position_in_total_image_pixel_matrix"],
        )
        for each in found
    ]
    assert order == [
        (path, 5 + 2 * plane, row, column)
        for path in ("bright", "dark")
        for plane in (0, 1)
        for row in (1, 5, 9)
        for column in (1, 9, 17)
    ]
    # Row 4 and column 8 of the matrix: 8 x 0.25 mm along the rows, to -y, 4 x 0.5 mm to -x.
    assert found[4]["x_offset_in_slide_coordinate_system"] == 20 - 4 * 0.5
    assert found[4]["y_offset_in_slide_coordinate_system"] == 40 - 8 * 0.25


def place_of(slide_plane: dict[str, Any]) -> tuple[Any, ...]:
    """Return focal plane in micrometres, row and column of a tile."""
    names = "z_offset_in_slide_coordinate_system", "row_position_in_total_image_pixel_matrix"
    return tuple(slide_plane[each] for each in (*names, names[1].replace("row", "column")))


def test_tiles_of_a_concatenation_go_on_where_the_part_before_ended():
    """9 tiles in 2 focal planes and 2 optical paths, in parts of 10 frames: C.7.6.16.2.2.4."""
    paths = [item(OpticalPathIdentifier=name) for name in ("bright", "dark")]
    measures = group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SpacingBetweenSlices=0.002)
    whole: dict[str, Any] = {
        "TotalPixelMatrixFocalPlanes": 2,
        "OpticalPathSequence": Sequence(paths),
        "SharedFunctionalGroupsSequence": Sequence([measures]),
    }
    expected = [each["slide_plane"] for each in frames_of(slide(36, "TILED_FULL", **whole))]
    found = []
    for number, count in enumerate((10, 10, 10, 6), start=1):
        begin = {"InConcatenationNumber": number, "ConcatenationFrameOffsetNumber": len(found)}
        part = frames_of(slide(count, "TILED_FULL", **whole, **begin))
        found += [each["slide_plane"] for each in part]
    assert found == expected
    assert (found[10]["optical_path_identifier"], *place_of(found[10])) == ("bright", 7, 1, 9)


@pytest.mark.parametrize(
    ("count", "attributes"),
    [
        (4, {"InConcatenationNumber": 2}),
        (4, {"InConcatenationNumber": 2, "ConcatenationFrameOffsetNumber": 6}),
        (10, {}),
    ],
)
def test_tiles_that_cannot_be_counted_have_no_place(count, attributes):
    path = Sequence([item(OpticalPathIdentifier="1")])
    with noting() as notes:
        found = frames_of(slide(count, "TILED_FULL", OpticalPathSequence=path, **attributes))
    assert {
        each["slide_plane"].get("row_position_in_total_image_pixel_matrix") for each in found
    } == {None}
    assert all("cannot be determined" in note for note in notes)
    assert len(notes) == count


@pytest.mark.parametrize("paths", [0, 1, 2])
def test_segments_of_a_full_matrix_run_outermost(paths):
    """3 segments of 9 tiles in 2 focal planes; the optical paths may be those of the source."""
    measures = group("PixelMeasuresSequence", PixelSpacing=[1, 1], SpacingBetweenSlices=0.001)
    optical = [item(OpticalPathIdentifier=str(n + 1)) for n in range(paths)]
    # Numbered by their items, whatever their order.
    segments = [item(SegmentNumber=n, SegmentLabel=f"label {n}") for n in (1, 3, 2)]
    whole: dict[str, Any] = {
        "SegmentationType": "BINARY",
        "SegmentSequence": Sequence(segments),
        "OpticalPathSequence": Sequence(optical),
        "TotalPixelMatrixFocalPlanes": 2,
        "SharedFunctionalGroupsSequence": Sequence([measures]),
    }
    found = frames_of(slide(54, "TILED_FULL", **whole))
    assert [each["segment"]["segment_number"] for each in found] == [1] * 18 + [3] * 18 + [2] * 18
    assert found[20]["segment"]["segment_label"] == "label 3"
    assert place_of(found[20]["slide_plane"]) == place_of(found[2]["slide_plane"]) == (5, 1, 17)
    begin = {"InConcatenationNumber": 2, "ConcatenationFrameOffsetNumber": 17}
    whole["OpticalPathSequence"] = Sequence(optical[:1])
    part = frames_of(slide(2, "TILED_FULL", **whole, **begin))
    assert [each["segment"]["segment_number"] for each in part] == [1, 3]


def test_segment_that_a_frame_of_a_full_matrix_tells_itself():
    identification = group("SegmentIdentificationSequence", ReferencedSegmentNumber=2)
    segments = Sequence(item(SegmentNumber=n) for n in (1, 2))
    dataset = slide(
        1,
        "TILED_FULL",
        SegmentSequence=segments,
        PerFrameFunctionalGroupsSequence=Sequence([identification]),
    )
    assert frames_of(dataset)[0]["segment"]["segment_number"] == 2


def test_label_map_of_a_full_matrix_has_all_segments_in_each_frame():
    segments = Sequence(item(SegmentNumber=n) for n in (1, 2))
    dataset = slide(9, "TILED_FULL", SegmentationType="LABELMAP", SegmentSequence=segments)
    found = frames_of(dataset)
    assert [each["segment"] for each in found] == [{"segmentation_type": "LABELMAP"}] * 9
    assert found[8]["slide_plane"]["row_position_in_total_image_pixel_matrix"] == 9


def test_tiles_of_a_sparse_matrix_are_placed_by_their_groups():
    frames = [
        merged(
            group(
                "PlanePositionSlideSequence",
                RowPositionInTotalImagePixelMatrix=row,
                ColumnPositionInTotalImagePixelMatrix=column,
                XOffsetInSlideCoordinateSystem=1.5 * row,
                YOffsetInSlideCoordinateSystem=2.5 * column,
                ZOffsetInSlideCoordinateSystem=0,
            ),
            group("OpticalPathIdentificationSequence", OpticalPathIdentifier="2"),
        )
        for row, column in ((5, 1), (1, 17))
    ]
    paths = [item(OpticalPathIdentifier=n, OpticalPathDescription=f"path {n}") for n in "12"]
    dataset = slide(
        2,
        "TILED_SPARSE",
        OpticalPathSequence=Sequence(paths),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
    )
    found = [each["slide_plane"] for each in frames_of(dataset)]
    assert [each["row_position_in_total_image_pixel_matrix"] for each in found] == [5, 1]
    assert [each["y_offset_in_slide_coordinate_system"] for each in found] == [2.5, 42.5]
    assert {each["optical_path_description"] for each in found} == {"path 2"}


def test_tiles_have_no_place_in_the_patient():
    (found,) = frames_of(slide(1, "TILED_FULL"))
    assert found["image_plane"].image_position_patient is None


# ------------------------------------------------------------------ X-ray and ultrasound


def test_xray_frames_have_their_own_angles():
    frames = [
        merged(
            group(
                "PositionerPositionSequence",
                PositionerPrimaryAngle=10.0 * number,
                PositionerSecondaryAngle=-5,
            ),
            group(
                "IsocenterReferenceSystemSequence", PositionerIsocenterPrimaryAngle=20.0 * number
            ),
        )
        for number in range(3)
    ]
    shared = group(
        "XRayGeometrySequence", DistanceSourceToDetector=1100, DistanceSourceToIsocenter=780
    )
    found = [each["xray_geometry"] for each in frames_of(enhanced(shared, frames))]
    assert [each["positioner_primary_angle"] for each in found] == [0, 10, 20]
    assert [each["positioner_isocenter_primary_angle"] for each in found] == [0, 20, 40]
    assert {each["distance_source_to_isocenter"] for each in found} == {780}


def test_xray_increments_of_a_rotation():
    dataset = several(
        3,
        PositionerMotion="DYNAMIC",
        PositionerPrimaryAngleIncrement=[0, 1.5, 3],
        DistanceSourceToDetector=1000,
    )
    found = [each["xray_geometry"] for each in frames_of(dataset)]
    assert [each["positioner_primary_angle_increment"] for each in found] == [0, 1.5, 3]
    assert found[0]["positioner_motion"] == "DYNAMIC"


def test_ultrasound_volume_frames_have_their_place_in_the_volume():
    frames = [
        group("PlanePositionVolumeSequence", ImagePositionVolume=[0, 0, 0.5 * number])
        for number in range(2)
    ]
    shared = group("PlaneOrientationVolumeSequence", ImageOrientationVolume=AXIAL)
    dataset = enhanced(shared, frames, UltrasoundAcquisitionGeometry="APEX", ApexPosition=[0, 0, 1])
    found = [each["volume_plane"] for each in frames_of(dataset)]
    assert [each["image_position_volume"] for each in found] == [[0, 0, 0], [0, 0, 0.5]]
    assert found[1]["image_orientation_volume"] == AXIAL
    assert found[1]["ultrasound_acquisition_geometry"] == "APEX"


# ------------------------------------------------------------------ work


class Counted(Sequence):
    """A sequence that counts which of its items are looked at."""

    looked: int = 0

    def __getitem__(self, index: Any) -> Any:
        self.looked += 1
        return super().__getitem__(index)

    def __iter__(self) -> Any:
        raise AssertionError("all frames were walked over")


def test_work_for_a_frame_does_not_grow_with_the_number_of_frames():
    frames = [
        group("PlanePositionSequence", ImagePositionPatient=[0, 0, float(number)])
        for number in range(3000)
    ]
    dataset = enhanced(group("PixelMeasuresSequence", PixelSpacing=[1, 1]), frames)
    counted = Counted(frames)
    dataset["PerFrameFunctionalGroupsSequence"]._value = counted
    frame = header(Instance(dataset, ExplicitVRLittleEndian, None), 2999)
    assert frame["image_plane"].image_position_patient == (0, 0, 2999)
    assert 0 < counted.looked < 20


def test_values_for_each_frame_are_not_all_converted():
    class Vector(list[Any]):
        def __iter__(self) -> Any:
            raise AssertionError("all values were walked over")

    dataset = nuclear(3, "RECON TOMO", DetectorInformationSequence=Sequence([detector([0, 0, 0])]))
    dataset.SliceVector = [1, 2, 3]
    dataset["SliceVector"]._value = Vector([1, 2, 3])
    found = header(Instance(dataset, ExplicitVRLittleEndian, None), 2)
    assert found["nm_frame"]["slice_number"] == 3


def test_frame_that_no_group_is_of():
    assert Frame(Dataset(), 5).groups == ()
    with noting() as notes:
        assert Frame(item(SliceVector=[1, 2]), 5).nth("SliceVector") is None
    assert notes == []
