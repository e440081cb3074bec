"""Metadata modules: section 5's table, a Part 10 file and DICOM JSON giving identical answers."""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path
from struct import pack
from typing import Any

import gdcm
import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

from pyloader import load_image, load_metadata
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.plain_values import plain_values
from pyloader.dicom.json.reader import read_attributes, read_dataset
from pyloader.dicom.json.writer import LARGEST_VALUE, instance_json
from pyloader.dicom.keywords import snake
from pyloader.dicom.modules import header, tables
from pyloader.dicom.modules.luts import read_voi_lut
from pyloader.dicom.modules.pixel import read_pixel_module
from pyloader.dicom.parse import noting, parse_part10
from pyloader.dicom.series import describe_series
from pyloader.dicom.values import value_of
from pyloader.errors import FormatError, LoaderError
from pyloader.wire import wire_modules
from tests.support import builders, corpus
from tests.support.dicom_json import as_json, plain
from tests.support.module_values import VALUES

PIXELS = builders.ramp(4, 8)
FOLDERS = (corpus.DATA, corpus.FURTHER_DATA)


def is_dicom(path: Path) -> bool:
    """Tell whether a file is one that can be read."""
    if path.suffix in (".py", ".pyc", ".json", ".txt"):
        return False
    try:
        parse_part10(path.read_bytes())
    except LoaderError:
        return False
    return True


FILES = sorted(path for each in FOLDERS for path in each.rglob("*") if path.is_file())
# pydicom writes no JSON of these: an integer that is none, UIDs that are none.
NO_JSON = {"badVR.dcm", "bad_sequence.dcm"}


def modules_of(instance: Instance, index: int) -> Any:
    """Return the modules of a frame as they can be compared; the error where one is missing."""
    try:
        return plain(header(instance, index))
    except FormatError as error:
        return str(error)


def some_frames(instance: Instance) -> list[int]:
    """Return the first, a middle and the last frame."""
    count = instance.number_of_frames
    return sorted({0, count // 2, count - 1})


def through(text: dict[str, Any], instance: Instance) -> Instance:
    """Return the instance of DICOM JSON, with the pixels of the file."""
    dataset, bulk, _ = read_dataset(text)
    assert bulk == ()
    return Instance(dataset, instance.transfer_syntax_uid, instance.pixels)


# ------------------------------------------------------------------ two ways, one answer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_wadouri_and_dicom_json_give_identical_modules(path):
    if not is_dicom(path) or path.name in NO_JSON:
        return
    instance, again = (parse_part10(path.read_bytes()) for _ in range(2))
    if again.dataset.original_encoding[1] is False:
        swap_words(again.dataset)
    found = through(as_json(again.dataset), instance)
    for index in some_frames(instance):
        assert modules_of(found, index) == modules_of(instance, index)


def swap_words(dataset: Dataset) -> None:
    """Turn words to little endian, which pydicom leaves to its caller (PS3.18 F.2.7)."""
    for element in dataset:
        if element.VR == "OW" and element.value:
            element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_instance_for_viewers_has_the_modules_of_the_file(path):
    """`instance_json` writes what is read back to the same, but for large values."""
    if not is_dicom(path) or path.name == "badVR.dcm":
        return
    instance = parse_part10(path.read_bytes())
    found = through(json.loads(instance_json(instance.dataset)), instance)
    for index in some_frames(instance):
        expected, read = modules_of(instance, index), modules_of(found, index)
        for large in ("ecg", "overlay_plane", "palette_color_lookup_table", "icc_profile"):
            assert isinstance(expected, str) or expected.pop(large, 0) or True
            assert isinstance(read, str) or read.pop(large, 0) or True
        assert read == expected


def test_instance_for_viewers_leaves_out_pixels_and_large_values():
    dataset = builders.header(PIXELS, PatientName="Doe^Jane", PatientWeight="70.5", PatientID="1")
    dataset.add_new(0x60003000, "OW", bytes(LARGEST_VALUE + 2))
    dataset.add_new(0x00281201, "OW", bytes(512))
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, ExplicitVRLittleEndian))
    found = json.loads(instance_json(instance.dataset))
    assert "7FE00010" not in found
    assert "60003000" not in found
    assert len(found["00281201"]["InlineBinary"]) == 684
    assert found["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}
    assert found["00101030"] == {"vr": "DS", "Value": [70.5]}


def test_instance_for_viewers_has_words_in_little_endian():
    dataset = builders.header(PIXELS)
    dataset.add_new(0x00281201, "OW", np.array([1, 2, 256], ">u2").tobytes())
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, ExplicitVRBigEndian))
    found = read_dataset(json.loads(instance_json(instance.dataset)))[0]
    assert found[0x00281201].value == np.array([1, 2, 256], "<u2").tobytes()


# ------------------------------------------------------------------ as others read it


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_place_and_rescale_are_those_of_gdcm(path):
    """GDCM invents what is absent: only what is there here is compared.

    It ends the process over an RT dose of one frame without offsets.
    """
    reader = gdcm.Reader()
    reader.SetFileName(str(path))
    if not is_dicom(path) or path.match("rtdose*_1frame.dcm") or not reader.Read():
        return
    found = modules_or_nothing(parse_part10(path.read_bytes()))
    if "image_plane" not in found or "nm_multiframe_geometry" in found:
        return
    plane, lut, file = found["image_plane"], found["modality_lut"], reader.GetFile()
    check = gdcm.ImageHelper
    if plane.image_position_patient:
        assert check.GetOriginValue(file) == pytest.approx(plane.image_position_patient)
    if plane.image_orientation_patient:
        cosines = check.GetDirectionCosinesValue(file)
        assert cosines == pytest.approx(plane.image_orientation_patient, abs=1e-4)
    is_slice = found.get("general_series", {}).get("modality") in ("CT", "MR")
    if plane.pixel_spacing and is_slice and "slide_plane" not in found:
        across, down, *_ = check.GetSpacingValue(file)
        assert (down, across) == pytest.approx(plane.pixel_spacing)
    if lut.rescale_slope is not None and "scaling" not in found:
        expected = (lut.intercept, lut.slope)
        assert check.GetRescaleInterceptSlopeValue(file) == pytest.approx(expected)


def modules_or_nothing(instance: Instance) -> dict[str, Any]:
    """Return the modules of the first frame; none of what cannot be an image."""
    try:
        return header(instance, 0)
    except FormatError:
        return {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_texts_and_numbers_are_those_of_dcmtk(path):
    """Each attribute of the plain modules, as dcmdump prints it."""
    if not is_dicom(path) or path.name == "badVR.dcm":
        return
    command = ["dcmdump", "-q", "+L", "-M", str(path)]
    printed = subprocess.run(command, capture_output=True, check=False).stdout
    expected = dict(
        re.findall(
            r"^\((\w{4},\w{4})\) (?:LO|SH|CS|DA|TM|UI|IS|DS|AS) \[(.*)\] ",
            printed.decode("latin-1"),
            re.M,
        )
    )
    found = modules_or_nothing(parse_part10(path.read_bytes()))
    for name, keywords in tables.PLAIN_MODULES.items():
        for keyword in keywords:
            tag = f"{tag_for_keyword(keyword):08x}"
            text = expected.get(f"{tag[:4]},{tag[4:]}")
            value = found.get(name, {}).get(snake(keyword))
            assert text is None or is_alike(text, value), (keyword, text, value)


def is_alike(text: str, value: Any) -> bool:
    """Tell whether a printed value is a value of a module."""
    values = value if isinstance(value, list) else [value]
    pieces = text.split("\\")
    if len(pieces) != len(values):
        return False
    return all(
        (piece.strip() or None) == each
        if not isinstance(each, (int, float))
        else float(piece) == each
        for piece, each in zip(pieces, values, strict=True)
    )


# ------------------------------------------------------------------ module by module


def modules(**attributes: Any) -> dict[str, Any]:
    """Return the modules of a file with these attributes."""
    return header(parse_part10(builders.native(PIXELS, **attributes)), 0)


def wired(**attributes: Any) -> dict[str, Any]:
    """Return the modules as JavaScript has them."""
    return wire_modules(modules(**attributes))


@pytest.mark.parametrize("name", tables.PLAIN_MODULES)
def test_plain_module_has_each_of_its_attributes(name):
    """Each attribute that pydicom writes to a file comes out under its name, as pydicom has it."""
    values = {keyword: VALUES.get(keyword, "TEXT") for keyword in tables.PLAIN_MODULES[name]}
    found = modules(**values)[name]
    assert len(found) == len(values)
    assert list(found.values()) == list(values.values())


def test_dates_and_times_are_text():
    series = modules(SeriesDate="20240229", SeriesTime="235960.123456")["general_series"]
    assert (series["series_date"], series["series_time"]) == ("20240229", "235960.123456")


def test_patient_module_has_birth_date():
    patient = wired(PatientName="Doe^Jane", PatientID="007", PatientBirthDate="19700101")
    assert patient["patientModule"] == {
        "patientID": "007",
        "patientName": "Doe^Jane",
        "patientNameGroups": {"alphabetic": "Doe^Jane"},
        "patientBirthDate": "19700101",
    }


def test_identifiers_keep_their_zeros_from_json_numbers():
    dataset, *_ = read_dataset({"00100020": {"vr": "LO", "Value": [7]}})
    assert value_of(dataset, "PatientID") == "7"


def test_general_image_module_has_number_of_frames():
    image = wired(NumberOfFrames=1, InstanceNumber=5)["generalImageModule"]
    assert (image["numberOfFrames"], image["instanceNumber"]) == (1, 5)


def test_pet_isotope_module_has_its_stop_time():
    item = Dataset()
    item.RadiopharmaceuticalStartTime, item.RadiopharmaceuticalStopTime = "100000", "100130.5"
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = 3.7e8, "6586.2"
    found = wired(RadiopharmaceuticalInformationSequence=Sequence([item]))["petIsotopeModule"]
    assert found == {
        "radiopharmaceuticalInfo": {
            "radiopharmaceuticalStartTime": "100000",
            "radiopharmaceuticalStopTime": "100130.5",
            "radionuclideTotalDose": 3.7e8,
            "radionuclideHalfLife": 6586.2,
        }
    }


def test_ultrasound_regions_have_all_16_fields():
    region, expected = Dataset(), {}
    for number, keyword in enumerate(tables.US_REGION):
        setattr(region, keyword, number)
        expected[keyword[0].lower() + keyword[1:]] = number
    found = wired(SequenceOfUltrasoundRegions=Sequence([region]))
    assert len(expected) == 16
    for name in ("calibrationModule", "ultrasoundEnhancedRegionModule"):
        assert found[name] == {"sequenceOfUltrasoundRegions": [expected]}


def test_image_pixel_module_has_palettes():
    entries = np.arange(256, dtype="<u2") * 257
    palette: dict[str, Any] = {"PaletteColorLookupTableUID": "1.2.3"}
    for color in ("Red", "Green", "Blue"):
        palette[f"{color}PaletteColorLookupTableDescriptor"] = [256, 65530, 16]
        palette[f"{color}PaletteColorLookupTableData"] = entries.tobytes()
    found = modules(PhotometricInterpretation="PALETTE COLOR", **palette)
    table = found["palette_color_lookup_table"]
    assert table["palette_color_lookup_table_uid"] == "1.2.3"
    assert table["blue_palette_color_lookup_table_descriptor"] == [256, 65530, 16]
    assert np.array_equal(table["green_palette_color_lookup_table_data"], entries)


@pytest.mark.parametrize("signed", [False, True])
def test_palette_descriptors_are_unsigned(signed):
    """PS3.3 C.7.6.3.1.5: also beside signed pixels."""
    pixels = PIXELS.view("i2") if signed else PIXELS
    dataset = builders.header(pixels)
    dataset.add_new(0x00281101, "SS" if signed else "US", [256, -6 if signed else 65530, 16])
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    found = header(parse_part10(builders.part10(dataset, ExplicitVRLittleEndian)), 0)
    descriptor = "red_palette_color_lookup_table_descriptor"
    assert found["palette_color_lookup_table"][descriptor] == [256, 65530, 16]


def test_ct_small_has_its_padding_signed():
    instance = parse_part10((corpus.DATA / "CT_small.dcm").read_bytes())
    assert read_pixel_module(Frame(instance.dataset, 0)).pixel_padding_value == -2000


@pytest.mark.parametrize(("value", "vr"), [(-2000, "SS"), (63536, "US")])
@pytest.mark.parametrize("signed", [False, True])
def test_padding_follows_pixel_representation_whatever_its_vr(value, vr, signed):
    dataset = builders.header(PIXELS.view("i2") if signed else PIXELS)
    for keyword in ("PixelPaddingValue", "SmallestImagePixelValue"):
        dataset.add_new(keyword, vr, value)
    pixel = read_pixel_module(Frame(dataset, 0))
    expected = -2000 if signed else 63536
    assert (pixel.pixel_padding_value, pixel.smallest_pixel_value) == (expected, expected)


@pytest.mark.parametrize(("prefix", "bits"), [("Float", 32), ("DoubleFloat", 64)])
def test_padding_of_float_pixels(prefix, bits):
    dataset = builders.header(PIXELS, BitsAllocated=bits, BitsStored=bits)
    del dataset.PixelRepresentation
    setattr(dataset, f"{prefix}PixelPaddingValue", -1.5)
    setattr(dataset, f"{prefix}PixelPaddingRangeLimit", -0.5)
    pixel = read_pixel_module(Frame(dataset, 0))
    assert (pixel.pixel_padding_value, pixel.pixel_padding_range_limit) == (-1.5, -0.5)


@pytest.mark.parametrize(
    ("attributes", "first"),
    [
        ({"PixelRepresentation": 1}, -1024),
        ({"PixelRepresentation": 0}, 64512),
        ({"PixelRepresentation": 0, "RescaleIntercept": -1024, "RescaleSlope": 1}, -1024),
        ({"PixelRepresentation": 1, "RescaleIntercept": 40000, "RescaleSlope": 1}, 64512),
    ],
)
def test_first_value_of_a_voi_lut_is_signed_as_the_modality_output(attributes, first):
    lut = Dataset()
    lut.add_new("LUTDescriptor", "US", [4, 64512, 16])
    lut.add_new("LUTData", "US", [1, 2, 3, 4])
    dataset = builders.header(PIXELS, VOILUTSequence=Sequence([lut]), **attributes)
    (found,) = read_voi_lut(Frame(dataset, 0)).luts
    assert found.first_value_mapped == first


def test_lut_of_all_entries_written_beside_a_negative_first_value():
    """All three numbers of a descriptor are SS then, and 65535 entries are -1."""
    lut = Dataset()
    lut.add_new("LUTDescriptor", "SS", [-1, -1024, 16])
    lut.add_new("LUTData", "OW", np.arange(65536, dtype="<u2").tobytes())
    dataset = builders.header(PIXELS.view("i2"), VOILUTSequence=Sequence([lut]))
    (found,) = read_voi_lut(Frame(dataset, 0)).luts
    assert (found.first_value_mapped, len(found.entries)) == (-1024, 65535)


# ------------------------------------------------------------------ spacing of projections


@pytest.mark.parametrize(
    ("attributes", "spacing", "kind"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "Proj"),
        ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "Proj"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "ERMF"),
        (
            {
                "ImagerPixelSpacing": [0.3, 0.15],
                "EstimatedRadiographicMagnificationFactor": "1.5",
            },
            (0.2, 0.1),
            "ERMF",
        ),
        (
            {
                "ImagerPixelSpacing": [0.3, 0.15],
                "DistanceSourceToDetector": "1500",
                "DistanceSourceToPatient": "1000",
            },
            (0.2, 0.1),
            "ERMF",
        ),
        (
            {
                "ImagerPixelSpacing": [0.3, 0.3],
                "PixelSpacing": [0.25, 0.25],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            (0.25, 0.25),
            "Calibrated",
        ),
        (
            {"PixelSpacing": [0.25, 0.25], "PixelSpacingCalibrationType": "GEOMETRY"},
            (0.25, 0.25),
            "ERMF",
        ),
        ({"PixelSpacing": [0.25, 0.25]}, (0.25, 0.25), "Unknown"),
    ],
)
def test_calibrated_pixel_spacing(attributes, spacing, kind):
    found = wired(SOPClassUID=DigitalXRayImageStorageForPresentation, **attributes)
    calibrated = found["calibratedPixelSpacing"]
    here = (calibrated["rowPixelSpacing"], calibrated["columnPixelSpacing"])
    assert here == pytest.approx(spacing)
    assert calibrated["type"] == kind
    assert found["imagePlaneModule"].get("pixelSpacing") == attributes.get("PixelSpacing")


def test_calibrated_pixel_spacing_is_of_projections_only():
    assert "calibratedPixelSpacing" not in wired(SOPClassUID=CTImageStorage, PixelSpacing=[1, 1])
    assert "calibratedPixelSpacing" not in wired(SOPClassUID=DigitalXRayImageStorageForPresentation)


# ------------------------------------------------------------------ waveforms


async def test_ecg_module_has_channels_and_samples():
    path = corpus.DATA / "waveform_ecg.dcm"
    ecg = (await load_metadata(f"wadouri:{path}"))["ecg"]
    group = dcmread(path).WaveformSequence[0]
    assert ecg["number_of_waveform_channels"] == group.NumberOfWaveformChannels == 12
    assert ecg["number_of_waveform_samples"] == group.NumberOfWaveformSamples
    assert (ecg["sampling_frequency"], ecg["waveform_bits_allocated"]) == (1000, 16)
    assert ecg["multiplex_group_label"] == group.MultiplexGroupLabel
    named = [
        each["channel_source_sequence"]["code_meaning"]
        for each in ecg["channel_definition_sequence"]
    ]
    assert named[0] == group.ChannelDefinitionSequence[0].ChannelSourceSequence[0].CodeMeaning
    expected = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12)
    assert np.array_equal(np.stack(ecg["waveform_data"]), expected.T)


def test_ecg_that_is_cut_off_has_no_samples():
    dataset = dcmread(corpus.DATA / "waveform_ecg.dcm")
    dataset.WaveformSequence[0].WaveformData = bytes(100)
    found = header(parse_part10(builders.part10(dataset, ExplicitVRLittleEndian)), 0)["ecg"]
    assert "waveform_data" not in found


# ------------------------------------------------------------------ numbers that are none


def with_element(tag: int, vr: str, value: bytes) -> bytes:
    """Return a file whose data set begins with an element of these very bytes."""
    body = builders.native(PIXELS)
    start = len(body) - len(builders.bare(body))
    head = pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    long = vr in ("OB", "OW", "UN", "UT")
    length = pack("<HL", 0, len(value)) if long else pack("<H", len(value))
    return body[:start] + head + length + value + body[start:]


# Bytes of a text, and what it is; DCMTK and the dictionary have one value (PS3.6).
BACKSLASHES = {
    b"HEAD\\NECK ": "HEAD\\NECK",
    b"A\\B\\C ": "A\\B\\C",
    b"HEAD \\ NECK": "HEAD \\ NECK",
    b"\\NECK ": "\\NECK",
    b"HEAD\\\\": "HEAD\\\\",
    b"K\xc3\xb6ln\\1": "Köln\\1",
}
# One of each VR, of each module that has such; a person's name, and one of several values.
TEXTS = [
    ("SeriesDescription", "general_series"),
    ("StudyDescription", "general_study"),
    ("StudyID", "general_study"),
    ("PatientID", "patient"),
    ("PatientName", "patient"),
    ("ReferringPhysicianName", "general_study"),
    ("InstitutionName", "general_equipment"),
    ("ImageComments", "general_image"),
]


@pytest.mark.parametrize(("value", "expected"), BACKSLASHES.items())
@pytest.mark.parametrize(("keyword", "module"), TEXTS)
def test_backslash_is_a_letter_of_a_text_of_one_value(keyword, module, value, expected):
    instance = parse_part10(
        with_element(tag_for_keyword(keyword) or 0, dictionary_VR(keyword), value)
    )
    for _ in range(2):  # also of what was converted
        assert header(instance, 0)[module][snake(keyword)] == expected
        instance_json(instance.dataset)
    found = describe_series(instance)
    listed = expected.split("\\")[0] or "NECK" if keyword == "PatientName" else expected
    assert found.get(snake(keyword), listed) == listed


@pytest.mark.parametrize("values", [["HEAD\\NECK"], ["HEAD", "NECK"]])
@pytest.mark.parametrize("keyword", ["SeriesDescription", "PatientName", "StudyID"])
def test_backslash_of_a_text_of_dicom_json(keyword, values):
    """Some servers take texts apart there."""
    vr = dictionary_VR(keyword)
    given = [{"Alphabetic": value} for value in values] if vr == "PN" else values
    tag = f"{tag_for_keyword(keyword):08X}"
    dataset, _, notes = read_dataset({tag: {"vr": vr, "Value": given}})
    assert (value_of(dataset, keyword), notes) == ("HEAD\\NECK", ())
    by_keyword, _, _ = read_attributes({keyword: values})
    assert value_of(by_keyword, keyword) == "HEAD\\NECK"
    assert plain_values({tag: {"vr": vr, "Value": given}}) == {snake(keyword): "HEAD\\NECK"}


def test_several_values_stay_several():
    dataset = builders.header(
        PIXELS, ImageType=["ORIGINAL", "PRIMARY"], SoftwareVersions=["1", "2"]
    )
    modules = header(Instance(dataset, ExplicitVRLittleEndian, None), 0)
    assert modules["general_image"]["image_type"] == ["ORIGINAL", "PRIMARY"]
    assert modules["general_equipment"]["software_versions"] == ["1", "2"]
    tag = f"{tag_for_keyword('SoftwareVersions'):08X}"
    assert plain_values({tag: {"vr": "LO", "Value": ["1", "2"]}}) == {
        "software_versions": ["1", "2"]
    }


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("Modality", b"CT\\PT ", "CT"),
        ("StudyDate", b"20200101\\20200101", "20200101"),
        ("StudyDate", b"20200101\\20210101", None),
        ("StudyTime", b"\\101010 ", "101010"),
        ("SeriesInstanceUID", b"1.2\\1.3\0", "1.2"),
    ],
)
def test_codes_of_one_value_are_the_first_and_dates_that_differ_are_none(keyword, value, expected):
    dataset = builders.header(PIXELS)
    vr = dictionary_VR(keyword)
    dataset[keyword] = RawDataElement(Tag(keyword), vr, len(value), value, 0, False, True)
    with noting():
        assert value_of(dataset, keyword) == expected


def thickness(value: bytes, vr: str = "DS") -> tuple[float | None, list[str]]:
    """Return the slice thickness of a file that has these bytes, and what was noted."""
    with noting() as notes:
        found = header(parse_part10(with_element(0x00180050, vr, value)), 0)
    return found["image_plane"].slice_thickness, notes


@pytest.mark.parametrize(
    "value", [b"2.5 ", b" 2.5", b"2.5\0", b"2.5\\9 ", b"+2.5", b"25e-1 ", b"2.50000000000000000000"]
)
def test_decimal_strings(value):
    assert thickness(value) == (2.5, [])


@pytest.mark.parametrize("value", [b"2,5 ", b"2.5 mm", b"2,5mm "])
def test_decimal_strings_with_a_comma_or_trailing_text_are_read_and_noted(value):
    found, notes = thickness(value)
    assert found == 2.5
    assert "(0018,0050) SliceThickness is" in notes[0]
    assert "read as 2.5" in notes[0]


@pytest.mark.parametrize("value", ["2,5", "2.5 mm", " 2,5mm", "2.5", 2.5])
def test_decimal_strings_of_dicom_json_are_read_as_those_of_files(value):
    dataset, _, notes = read_dataset({"00180050": {"vr": "DS", "Value": [value]}})
    with noting() as further:
        assert value_of(dataset, "SliceThickness") == 2.5
    assert notes == ()
    assert len(further) == (value not in ("2.5", 2.5))


@pytest.mark.parametrize("value", [b"thin", b"1.2.3 ", b"1,234.5 ", b"12:30 ", b"--5 "])
def test_decimal_strings_that_are_no_number_are_absent_and_noted(value):
    found, notes = thickness(value)
    assert found is None
    assert "is not a number: it is left out" in notes[0]


@pytest.mark.parametrize("spacing", [[0, 0], [-1, 1], [1, 0]])
def test_spacing_that_is_no_distance_is_absent(spacing):
    assert modules(PixelSpacing=spacing)["image_plane"].pixel_spacing is None


@pytest.mark.parametrize("value", [b"", b"  ", b"\0\0", b"nan ", b"inf ", b"1e999 "])
def test_decimal_strings_that_are_empty_or_not_finite_are_absent(value):
    assert thickness(value)[0] is None


@pytest.mark.parametrize(("vr", "value"), [("UN", b"2.5 "), ("LO", b"2.5 "), ("OB", b"2.5 ")])
def test_decimal_string_under_another_vr(vr, value):
    assert thickness(value, vr)[0] == 2.5


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        *(("US", b"\x04\0"), ("UN", b"\x04\0"), ("OW", b"\x04\0"), ("SS", b"\x04\0")),
        *(("UL", b"\x04\0\0\0"), ("IS", b"4 "), ("LO", b"4 "), ("DS", b"4.0 ")),
        *(("US", b"\x04\0\x09\0"), ("ZZ", b"\x04\0")),
    ],
)
def test_rows_under_any_vr_and_with_values_too_many(vr, value):
    body = with_element(0x00280010, vr, value)
    at = body.index(b"\x28\0\x10\0US\x02\0\x04\0", len(body) - len(builders.bare(body)) + 4)
    body = body[:at] + body[at + 10 :]
    with noting():
        assert header(parse_part10(body), 0)["image_pixel"].rows == 4


@pytest.mark.parametrize(
    "keyword",
    ["Rows", "Columns", "BitsAllocated", "PixelRepresentation", "PhotometricInterpretation"],
)
async def test_what_decoding_depends_on_fails_by_its_name(keyword, context):
    dataset = dcmread(corpus.DATA / "CT_small.dcm")
    delattr(dataset, keyword)
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    context.network.transport.answers["https://host/a.dcm"] = body
    with pytest.raises(FormatError, match=rf"\(0028,\d{{4}}\) {keyword} is absent"):
        await load_image("wadouri:https://host/a.dcm", context)


async def test_what_decoding_does_not_depend_on_fails_no_load(context):
    """Each attribute of the modules that the image has is broken, one after the other."""
    dataset = dcmread(corpus.DATA / "CT_small.dcm")
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    needed = {"Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PixelData"}
    needed |= {"BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"}
    broken = 0
    for element in dataset:
        if element.keyword in needed or element.tag.is_private or not element.value:
            continue
        at = body.index(pack("<HH", element.tag.group, element.tag.element) + element.VR.encode())
        (length,) = np.frombuffer(body[at + 6 : at + 8], "<u2")
        damaged = body[: at + 8] + b"\xff" * int(length) + body[at + 8 + int(length) :]
        name = f"https://host/{element.keyword}"
        context.network.transport.answers[name] = damaged
        image = await load_image(f"wadouri:{name}", context)
        assert image.pixels[0, 0] == 175
        broken += 1
    assert broken > 60


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BitsStored", 4096),
        ("SOPClassUID", ["1.2", "1.3"]),
        ("RescaleType", ["HU", "US"]),
        ("VOILUTFunction", ["SIGMOID", "LINEAR"]),
        ("ImageType", "ORIGINAL"),
        ("PatientName", ["A", "B"]),
        ("FrameOfReferenceUID", ["1.2", "1.3"]),
        ("PhotometricInterpretation", ["MONOCHROME2", "RGB"]),
    ],
)
def test_values_too_many_or_too_large_fail_no_metadata(keyword, value):
    dataset = builders.header(PIXELS, RescaleSlope=2, RescaleIntercept=-5)
    dataset.add_new(keyword, dataset[keyword].VR if keyword in dataset else "CS", value)
    found = wire_modules(header(Instance(dataset, ExplicitVRLittleEndian, None), 0))
    assert found["modalityLutModule"]["rescaleSlope"] == 2
    assert not isinstance(found["imagePixelModule"]["photometricInterpretation"], list)


def test_damaged_headers_fail_no_metadata_otherwise_than_typed():
    """Bytes of headers at random, by file and through the JSON that viewers are given."""
    chance = random.Random(4)
    paths = [path for path in FILES if is_dicom(path) and path.stat().st_size < 200_000]
    read = 0
    for _ in range(300):
        body = bytearray(chance.choice(paths).read_bytes())
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(132, min(len(body), 6000))] = chance.choice([0, 255, 92, 27, 128])
        with noting():
            try:
                instance = parse_part10(bytes(body))
                text = json.loads(instance_json(instance.dataset))
                modules_of(through(text, instance), 0)
                modules_of(instance, instance.number_of_frames - 1)
                read += 1
            except LoaderError:
                continue
    assert read > 100
