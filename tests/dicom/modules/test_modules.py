"""Data sets to modules: functional groups, lookup tables, and what describes an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.keywords import snake
from pyloader.dicom.modules import header
from pyloader.dicom.modules.calibration import read_us_regions
from pyloader.dicom.modules.groups import read_multiframe
from pyloader.dicom.modules.luts import read_modality_lut, read_voi_lut
from pyloader.dicom.modules.nuclear import read_isotope, read_nm_geometry
from pyloader.dicom.modules.overlays import read_overlays
from pyloader.dicom.modules.pixel import read_pixel_module
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.parse import parse_part10
from pyloader.errors import FormatError
from pyloader.image import ModalityLut, PlaneModule, VoiLut
from tests.support import builders
from tests.support.enhanced import group, item, merged

PIXELS = builders.ramp(4, 8)


def multiframe(shared: Dataset, *frames: Dataset, **top: Any) -> Dataset:
    """Return an enhanced multi-frame object without its pixels."""
    return builders.header(
        np.stack([PIXELS] * len(frames)),
        NumberOfFrames=len(frames),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
        **top,
    )


def single(**attributes: Any) -> Frame:
    """Return the frame of a single-frame object."""
    return Frame(builders.header(PIXELS, **attributes), 0)


def reread(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Frame:
    """Write a data set and read it again, as files come."""
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    return Frame(parse_part10(builders.part10(dataset, syntax)).dataset, 0)


# ------------------------------------------------------------------ functional groups


def test_frame_wins_over_shared_over_top_level():
    spacing = "PixelMeasuresSequence"
    dataset = multiframe(
        group(spacing, PixelSpacing=[2.0, 2.0]),
        group(spacing, PixelSpacing=[3.0, 3.0]),
        Dataset(),
        PixelSpacing=[1.0, 1.0],
    )
    assert read_plane_module(Frame(dataset, 0)).pixel_spacing == (3, 3)
    assert read_plane_module(Frame(dataset, 1)).pixel_spacing == (2, 2)
    del dataset.SharedFunctionalGroupsSequence
    assert read_plane_module(Frame(dataset, 1)).pixel_spacing == (1, 1)


def test_each_frame_has_its_own_place():
    frames = [
        group("PlanePositionSequence", ImagePositionPatient=[0.0, 0.0, 2.5 * index])
        for index in range(3)
    ]
    orientation = [1.0, 0, 0, 0, 0, -1.0]
    shared = merged(
        group("PlaneOrientationSequence", ImageOrientationPatient=orientation),
        group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SliceThickness=2.5),
    )
    dataset = multiframe(shared, *frames, FrameOfReferenceUID="1.2.3")
    for index in range(3):
        assert read_plane_module(Frame(dataset, index)) == PlaneModule(
            frame_of_reference_uid="1.2.3",
            image_position_patient=(0, 0, 2.5 * index),
            image_orientation_patient=(1, 0, 0, 0, 0, -1),
            pixel_spacing=(0.5, 0.25),
            slice_thickness=2.5,
        )


def test_each_frame_has_its_own_rescale():
    transformation = "PixelValueTransformationSequence"
    dataset = multiframe(
        group(transformation, RescaleSlope=2, RescaleIntercept=-10, RescaleType="US"),
        Dataset(),
        group(transformation, RescaleSlope=4, RescaleIntercept=0, RescaleType="HU"),
    )
    assert read_modality_lut(Frame(dataset, 0)) == ModalityLut(2, -10, "US")
    assert read_modality_lut(Frame(dataset, 1)) == ModalityLut(4, 0, "HU")


def test_each_frame_has_its_own_window():
    voi = "FrameVOILUTSequence"
    dataset = multiframe(
        group(voi, WindowCenter=40, WindowWidth=80, VOILUTFunction="SIGMOID"),
        Dataset(),
        group(voi, WindowCenter=[50, 60], WindowWidth=[100, 120]),
    )
    assert read_voi_lut(Frame(dataset, 0)) == VoiLut((40,), (80,), (), "SIGMOID")
    assert read_voi_lut(Frame(dataset, 1)) == VoiLut((50, 60), (100, 120))


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


def test_multiframe_tells_count_and_number():
    dataset = multiframe(Dataset(), Dataset(), Dataset())
    assert read_multiframe(Frame(dataset, 1)) == {
        "number_of_frames": 2,
        "frame_number": 2,
        "per_frame_functional_information": {},
        "shared_functional_information": {},
    }
    assert read_multiframe(single()) == {}


# ------------------------------------------------------------------ absent stays absent


def test_absent_plane_and_luts_stay_absent():
    assert read_plane_module(single()) == PlaneModule()
    assert read_modality_lut(single()) == ModalityLut()
    assert read_voi_lut(single()) == VoiLut()


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], ""])
def test_value_of_another_multiplicity_is_absent(values):
    assert read_plane_module(single(PixelSpacing=values)).pixel_spacing is None


def test_value_that_is_no_number_is_absent():
    body = builders.native(PIXELS, SliceThickness="2.5 ")
    broken = body.replace(b"2.5 ", b"thin")
    assert broken != body
    frame = Frame(parse_part10(broken).dataset, 0)
    with pytest.warns(UserWarning, match=r"\(0018,0050\) SliceThickness is 'thin', which is no"):
        assert read_plane_module(frame).slice_thickness is None


def test_empty_modules_are_left_out():
    modules = header(parse_part10(builders.native(PIXELS)), 0)
    absent = {"cine", "multiframe", "overlay_plane", "patient", "pet_isotope", "pet_series"}
    assert not absent & set(modules)
    assert modules["sop_common"]["sop_instance_uid"] == builders.INSTANCE
    assert modules["transfer_syntax"] == {"transfer_syntax_uid": ExplicitVRLittleEndian}


def test_object_that_is_no_image_has_no_image_modules():
    dataset = item(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", SOPInstanceUID="1.2", PatientID="p")
    modules = header(parse_part10(builders.part10(dataset, ExplicitVRLittleEndian)), 0)
    assert modules["patient"] == {"patient_id": "p"}
    assert not {"image_pixel", "image_plane", "modality_lut", "voi_lut"} & set(modules)


def test_empty_values_are_absent():
    dataset = builders.header(PIXELS, Laterality="", ProtocolName=" ", SeriesNumber="")
    dataset.update(item(RescaleType="", PatientName=""))
    frame = reread(dataset)
    assert read_modality_lut(frame) == ModalityLut()
    for keyword in ("Laterality", "ProtocolName", "SeriesNumber", "PatientName"):
        assert frame.get(keyword) is None


def test_values_are_plain():
    dataset = builders.header(
        PIXELS, PatientName="Doe^Jane", PatientWeight="70.5", ImageType=["ORIGINAL", "PRIMARY"]
    )
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, ExplicitVRLittleEndian))
    modules = header(instance, 0)
    assert modules["patient"] == {
        "patient_name": "Doe^Jane",
        "patient_name_groups": {"alphabetic": "Doe^Jane"},
    }
    assert type(modules["patient"]["patient_name"]) is str
    assert type(modules["patient_study"]["patient_weight"]) is float
    assert modules["general_image"]["image_type"] == ["ORIGINAL", "PRIMARY"]
    assert type(modules["sop_common"]["sop_class_uid"]) is str


# ------------------------------------------------------------------ image pixel


def test_pixel_module_is_as_the_file_has_it():
    pixel = read_pixel_module(single(BitsStored=12, PixelAspectRatio=[1, 2]))
    assert (pixel.rows, pixel.columns, pixel.samples_per_pixel) == (4, 8, 1)
    assert (pixel.bits_allocated, pixel.bits_stored, pixel.high_bit) == (16, 12, 11)
    assert pixel.pixel_aspect_ratio == (1, 2)
    assert pixel.planar_configuration is None


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(("representation", "expected"), [(0, 63536), (1, -2000)])
def test_padding_is_signed_as_the_pixels_are(syntax, representation, expected):
    dataset = builders.header(PIXELS, PixelRepresentation=representation)
    # Old software writes US whatever the representation.
    dataset.add_new("PixelPaddingValue", "US", 63536)
    dataset.add_new("PixelPaddingRangeLimit", "US", 63536)
    dataset.add_new("SmallestImagePixelValue", "US", 63536)
    dataset.add_new("LargestImagePixelValue", "US", 100)
    pixel = read_pixel_module(reread(dataset, syntax))
    assert pixel.pixel_padding_value == expected
    assert pixel.pixel_padding_range_limit == expected
    assert (pixel.smallest_pixel_value, pixel.largest_pixel_value) == (expected, 100)


def test_absent_bits_stored_are_all_bits():
    frame = single()
    del frame.dataset.BitsStored
    del frame.dataset.HighBit
    assert read_pixel_module(frame).bits_stored == 16
    assert read_pixel_module(frame).high_bit == 15


def test_absent_photometric_interpretation():
    frame = single()
    del frame.dataset.PhotometricInterpretation
    with pytest.raises(FormatError, match=r"\(0028,0004\) PhotometricInterpretation is absent"):
        read_pixel_module(frame)


def test_float_pixels_have_no_representation():
    frame = single(BitsAllocated=32)
    del frame.dataset.PixelRepresentation
    assert read_pixel_module(frame).pixel_representation == 0


# ------------------------------------------------------------------ windows and tables


def test_windows():
    frame = single(
        WindowCenter=[40, 400],
        WindowWidth=[80, 2000],
        WindowCenterWidthExplanation=["BRAIN", "BONE"],
        VOILUTFunction="LINEAR_EXACT",
    )
    assert read_voi_lut(frame) == VoiLut((40, 400), (80, 2000), ("BRAIN", "BONE"), "LINEAR_EXACT")


def test_center_without_width_is_no_window():
    voi = read_voi_lut(single(WindowCenter=[40, 400], WindowWidth=80))
    assert (voi.window_center, voi.window_width) == ((40,), (80,))


def table(descriptor: list[int], values: bytes | list[int], **attributes: Any) -> Dataset:
    """Return an item of a LUT Sequence."""
    lut = item(**attributes)
    lut.add_new("LUTDescriptor", "US", descriptor)
    lut.add_new("LUTData", "OW" if isinstance(values, bytes) else "US", values)
    return lut


def test_modality_lut_sequence():
    lut = table([3, 10, 16], [100, 200, 65535], LUTExplanation="density")
    found = read_modality_lut(reread(builders.header(PIXELS, ModalityLUTSequence=[lut]))).lut
    assert found is not None
    assert (found.first_value_mapped, found.bits_per_entry) == (10, 16)
    assert found.entries.tolist() == [100, 200, 65535]
    assert found.entries.dtype == np.uint16
    assert found.explanation == "density"


@pytest.mark.parametrize(("representation", "expected"), [(0, 64512), (1, -1024)])
def test_first_value_is_signed_as_the_pixels_are(representation, expected):
    lut = table([2, 64512, 16], [0, 1])
    frame = single(ModalityLUTSequence=[lut], PixelRepresentation=representation)
    found = read_modality_lut(frame).lut
    assert found is not None
    assert found.first_value_mapped == expected


def test_no_entries_mean_all_there_can_be():
    entries = np.arange(65536, dtype="<u2")[::-1]
    lut = table([0, 0, 16], entries.tobytes())
    (found,) = read_voi_lut(reread(builders.header(PIXELS, VOILUTSequence=[lut]))).luts
    assert np.array_equal(found.entries, entries)


def test_entries_of_8_bits_may_be_packed_two_in_a_word():
    lut = table([256, 0, 8], bytes(range(256)))
    (found,) = read_voi_lut(single(VOILUTSequence=[lut])).luts
    assert found.entries.tolist() == list(range(256))
    assert found.entries.dtype == np.uint16


def test_entries_of_8_bits_in_words():
    entries = np.arange(256, dtype="<u2")
    lut = table([256, 0, 8], entries.tobytes())
    (found,) = read_voi_lut(single(VOILUTSequence=[lut])).luts
    assert found.entries.tolist() == list(range(256))


def test_padding_behind_the_entries_is_left_out():
    lut = table([3, 0, 8], bytes([1, 2, 3, 0]))
    (found,) = read_voi_lut(single(VOILUTSequence=[lut])).luts
    assert found.entries.tolist() == [1, 2, 3]


def test_several_tables_keep_their_order():
    luts = [table([1, first, 16], [first]) for first in (5, 3, 9)]
    found = read_voi_lut(single(VOILUTSequence=luts)).luts
    assert [lut.first_value_mapped for lut in found] == [5, 3, 9]


def test_incomplete_tables_are_left_out():
    without_values, without_descriptor = table([2, 0, 16], [1, 2]), table([2, 0, 16], [1, 2])
    del without_values.LUTData
    del without_descriptor.LUTDescriptor
    luts = [without_values, table([2, 7, 16], [1, 2]), without_descriptor]
    found = read_voi_lut(single(VOILUTSequence=luts)).luts
    assert [lut.first_value_mapped for lut in found] == [7]


# ------------------------------------------------------------------ overlays


def with_overlay(dataset: Dataset, planes: np.ndarray, number: int = 0, **values: Any) -> Dataset:
    """Add an overlay of (rows, columns) or (frames, rows, columns) to a data set."""
    base = 0x60000000 + 0x20000 * number
    defaults = {
        0x0010: ("US", planes.shape[-2]),
        0x0011: ("US", planes.shape[-1]),
        0x0040: ("CS", "G"),
        0x0050: ("SS", [1, 1]),
        0x0100: ("US", 1),
        0x0102: ("US", 0),
        0x3000: ("OW", np.packbits(planes.ravel(), bitorder="little").tobytes()),
    }
    if planes.ndim == 3:
        defaults[0x0015] = ("IS", len(planes))
    for element, (vr, value) in (defaults | values.get("elements", {})).items():
        dataset.add_new(base + element, vr, value)
    return dataset


def test_overlay_is_one_byte_a_pixel():
    plane = (np.arange(32) % 3 == 0).astype("u1").reshape(4, 8)
    elements = {0x0050: ("SS", [3, -2]), 0x1500: ("LO", "ROI"), 0x1301: ("IS", 11)}
    frame = Frame(with_overlay(builders.header(PIXELS), plane, elements=elements), 0)
    (overlay,) = read_overlays(frame)["overlays"]
    assert overlay.pop("pixel_data").tolist() == plane.ravel().tolist()
    assert overlay == {
        "rows": 4,
        "columns": 8,
        "x": -2,
        "y": 3,
        "type": "G",
        "label": "ROI",
        "roi_area": 11,
    }


def test_overlay_of_a_file():
    plane = (np.arange(32) % 5 == 0).astype("u1").reshape(4, 8)
    frame = reread(with_overlay(builders.header(PIXELS), plane))
    (overlay,) = read_overlays(frame)["overlays"]
    assert overlay["pixel_data"].tolist() == plane.ravel().tolist()


def test_overlays_are_in_the_order_of_their_groups():
    dataset = builders.header(PIXELS)
    for number in (15, 0, 3):
        with_overlay(dataset, np.ones((number + 1, 8), "u1"), number)
    overlays = read_overlays(Frame(dataset, 0))["overlays"]
    assert [overlay["rows"] for overlay in overlays] == [1, 4, 16]


def test_each_frame_has_its_own_overlay_plane():
    planes = np.stack([np.full((3, 5), index % 2, "u1") for index in range(1, 4)])
    planes[2, 0, 0] = 0
    dataset = with_overlay(builders.header(PIXELS), planes)
    for index in range(3):
        (overlay,) = read_overlays(Frame(dataset, index))["overlays"]
        assert overlay["pixel_data"].tolist() == planes[index].ravel().tolist()
    assert read_overlays(Frame(dataset, 3)) == {}


def test_overlay_planes_may_begin_at_a_later_frame():
    planes = np.stack([np.zeros((3, 5), "u1"), np.ones((3, 5), "u1")])
    dataset = with_overlay(builders.header(PIXELS), planes, elements={0x0051: ("US", 3)})
    found = [read_overlays(Frame(dataset, index)) for index in range(5)]
    assert [bool(overlays) for overlays in found] == [False, False, True, True, False]
    assert found[3]["overlays"][0]["pixel_data"].all()


def test_lone_overlay_plane_is_on_every_frame():
    dataset = with_overlay(builders.header(PIXELS), np.ones((4, 8), "u1"))
    assert read_overlays(Frame(dataset, 5))["overlays"][0]["pixel_data"].all()


def test_overlay_that_is_cut_off_is_left_out():
    plane = np.ones((4, 8), "u1")
    dataset = with_overlay(builders.header(PIXELS), plane, elements={0x3000: ("OW", b"\xff\xff")})
    with pytest.warns(UserWarning, match="the overlay of group 6000 has 2 bytes, frame 1 needs 4"):
        assert read_overlays(Frame(dataset, 0)) == {}


# ------------------------------------------------------------------ ultrasound and PET


def test_ultrasound_regions():
    regions = [
        item(RegionLocationMinX0=10 * number, PhysicalDeltaX=0.5, PhysicalUnitsXDirection=3)
        for number in (1, 2)
    ]
    dataset = builders.header(PIXELS, SequenceOfUltrasoundRegions=Sequence(regions))
    assert read_us_regions(reread(dataset)) == {
        "sequence_of_ultrasound_regions": [
            {
                "region_location_min_x0": 10 * number,
                "physical_units_x_direction": 3,
                "physical_delta_x": 0.5,
            }
            for number in (1, 2)
        ]
    }
    assert read_us_regions(single()) == {}


def test_pet_isotope():
    isotope = item(
        RadiopharmaceuticalStartTime="101500", RadionuclideTotalDose=4e8, RadionuclideHalfLife=6586
    )
    frame = single(RadiopharmaceuticalInformationSequence=Sequence([isotope]))
    assert read_isotope(frame) == {
        "radiopharmaceutical_info": {
            "radiopharmaceutical_start_time": "101500",
            "radionuclide_total_dose": 4e8,
            "radionuclide_half_life": 6586,
        }
    }
    assert read_isotope(single()) == {}


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("Rows", "rows"),
        ("SOPInstanceUID", "sop_instance_uid"),
        ("PatientID", "patient_id"),
        ("SUVType", "suv_type"),
        ("VOILUTFunction", "voilut_function"),
        ("RegionLocationMinX0", "region_location_min_x0"),
        ("PhysicalUnitsXDirection", "physical_units_x_direction"),
        ("RadiopharmaceuticalStartDateTime", "radiopharmaceutical_start_date_time"),
    ],
)
def test_snake(keyword, expected):
    assert snake(keyword) == expected


def test_nuclear_medicine_geometry_is_the_first_detectors():
    detector = Dataset()
    detector.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    detector.ImagePositionPatient = [-100, 0, 50]
    dataset = Dataset()
    dataset.Modality = "NM"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    dataset.NumberOfFrames = 60
    dataset.DetectorInformationSequence = Sequence([detector])
    geometry = read_nm_geometry(Frame(dataset, 0))
    assert geometry["image_orientation_patient"] == (1, 0, 0, 0, 0, -1)
    assert geometry["image_position_patient"] == (-100, 0, 50)
    assert (geometry["image_sub_type"], geometry["number_of_frames"]) == ("RECON TOMO", 60)
    assert geometry["is_nm_reconstructable"]
    assert read_nm_geometry(Frame(Dataset(), 0)) == {}


def test_lut_of_a_big_endian_file():
    item = Dataset()
    item.LUTDescriptor = [3, 0, 16]
    item.add_new("LUTData", "OW", np.array([1, 2, 256], ">u2").tobytes())
    dataset = builders.header(np.zeros((2, 2), "u2"), VOILUTSequence=Sequence([item]))
    dataset.PixelData = bytes(8)
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, ExplicitVRBigEndian))
    assert read_voi_lut(Frame(instance.dataset, 0)).luts[0].entries.tolist() == [1, 2, 256]


def test_integer_strings_become_plain_integers():
    dataset = Dataset()
    dataset.InstanceNumber = "7"
    assert type(Frame(dataset, 0).get("InstanceNumber")) is int
