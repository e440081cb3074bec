"""Impossible values are absent from every module, with a warning."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from tests.support import builders

PIXELS = builders.ramp(4, 8)


def read(vr: str, keyword: str, value: bytes) -> tuple[dict[str, Any], str]:
    """Return the modules of a file with these values, and the warnings."""
    dataset = builders.header(PIXELS)
    dataset.add_new(keyword, "UN", value)
    body = builders.part10(dataset, "1.2.840.10008.1.2")  # implicit VR: values are written as bytes
    with noting() as notes:
        found = header(parse_part10(body), 0)
    return found, " ".join(notes)


@pytest.mark.parametrize(
    ("keyword", "module", "name"),
    [
        ("PatientWeight", "patient_study", "patient_weight"),
        ("DecayFactor", "pet_image", "decay_factor"),
        ("FrameTime", "cine", "frame_time"),
    ],
)
@pytest.mark.parametrize("value", [b"nan ", b"inf ", b"-inf", b"9E999 "])
def test_infinite_numbers_are_left_out(keyword, module, name, value):
    found, notes = read("DS", keyword, value)
    assert name not in found.get(module, {})
    assert f"{keyword} is" in notes
    assert "left out" in notes


def test_integers_beyond_javascript_numbers_are_left_out():
    with noting() as notes:
        found = header(parse_json('{"00200013": {"vr": "IS", "Value": [99999999999999999999]}}'), 0)
    assert "general_image" not in found
    assert "InstanceNumber is 99999999999999999999, which is impossible" in notes[0]


def test_one_number_is_not_a_list():
    found, _ = read("DS", "FrameTime", b"33\\40 ")
    assert found["cine"]["frame_time"] == 33


@pytest.mark.parametrize(
    ("keyword", "name"),
    [
        ("PixelSpacing", "pixel_spacing"),
        ("ImagerPixelSpacing", "imager_pixel_spacing"),
        ("NominalScannedPixelSpacing", "nominal_scanned_pixel_spacing"),
    ],
)
@pytest.mark.parametrize("value", [b"1E9\\1E9 ", b"1\\nan ", b"-1\\-1 ", b"1E-300\\1 ", b"0\\0 "])
def test_impossible_spacings_are_left_out(keyword, name, value):
    found, _ = read("DS", keyword, value)
    assert getattr(found["image_plane"], name) is None
    spacing = found["general_image"].get("pixel_spacing", [0])
    assert 0 <= min(spacing) <= max(spacing) <= 10_000
    assert "calibrated_pixel_spacing" not in found


@pytest.mark.parametrize("value", [b"-1", b"1E5 "])
def test_impossible_slice_thickness_is_left_out(value):
    found, notes = read("DS", "SliceThickness", value)
    assert found["image_plane"].slice_thickness is None
    assert "(0018,0050) SliceThickness" in notes


@pytest.mark.parametrize(("modality", "expected"), [("NM", -3.0), ("MR", None)])
def test_spacing_between_slices_may_be_negative_in_nuclear_medicine_only(modality, expected):
    dataset = builders.header(PIXELS, SpacingBetweenSlices="-3")
    dataset.Modality = modality
    with noting() as notes:
        found = header(parse_part10(builders.part10(dataset, "1.2.840.10008.1.2.1")), 0)
    assert found["image_plane"].spacing_between_slices == expected
    assert bool(notes) == (expected is None)


@pytest.mark.parametrize(
    ("vr", "keyword", "module"),
    [
        ("DA", "StudyDate", "general_study"),
        ("DA", "SeriesDate", "general_series"),
        ("DA", "ContentDate", "general_image"),
        ("DA", "PatientBirthDate", "patient"),
    ],
)
@pytest.mark.parametrize("value", [b"00010101", b"99991231", b"20081332", b"unknown "])
def test_impossible_dates_are_left_out(vr, keyword, module, value):
    found, notes = read(vr, keyword, value)
    assert not [name for name in found.get(module, {}) if name.endswith("_date")]
    assert f"{keyword} is '{value.decode().strip()}'" in notes


@pytest.mark.parametrize("value", [b"20080418", b"2008.04.18", b"1950"])
def test_dates_keep_their_spelling(value):
    found, notes = read("DA", "StudyDate", value)
    assert found["general_study"]["study_date"] == value.decode()
    assert notes == ""


def test_dicom_json_is_read_like_files():
    text = (
        '{"00101030": {"vr": "DS", "Value": [1e999]}, "00080020": {"vr": "DA", "Value": '
        '["99991231"]}, "00181063": {"vr": "DS", "Value": ["nan"]}, "00180050": {"vr": "DS", '
        '"Value": [1e9]}, "00280010": {"vr": "US", "Value": [4]}, "00280011": {"vr": "US", '
        '"Value": [4]}, "00280100": {"vr": "US", "Value": [8]}, "00280103": {"vr": "US", '
        '"Value": [0]}, "00280004": {"vr": "CS", "Value": ["MONOCHROME2"]}}'
    )
    with noting():
        found = header(parse_json(text), 0)
    assert found["image_plane"].slice_thickness is None
    assert not {"patient_study", "general_study", "cine"} & set(found)


def test_padding_of_floats_may_be_no_number():
    dataset = Dataset()
    dataset.update(builders.header(PIXELS))
    dataset.FloatPixelPaddingValue = float("nan")
    with noting() as notes:
        header(parse_part10(builders.part10(dataset, "1.2.840.10008.1.2.1")), 0)
    assert notes == []


def test_an_integer_that_a_file_has_as_a_float_is_no_larger():
    """In explicit VR a file may have FL for US or SS: 2**55 is no pixel value."""
    body = builders.native(PIXELS, SmallestImagePixelValue=3)
    place = body.index(b"\x28\x00\x06\x01")
    for value, expected in ((b"\0\0\0\x5b", None), (b"\0\0\x40\x41", 12)):
        element = b"\x28\x00\x06\x01FL\x04\x00" + value
        with noting() as notes:
            found = header(parse_part10(body[:place] + element + body[place + 10 :]), 0)
        assert found["image_pixel"].smallest_pixel_value == expected
        assert ("left out" in " ".join(notes)) is (expected is None)
