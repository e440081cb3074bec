"""Results of a DICOMweb search as plain values."""

from __future__ import annotations

import pytest

from pyloader.dicom.json.plain_values import person, plain_values


@pytest.mark.parametrize(
    ("tag", "element", "expected"),
    [
        ("00100020", {"vr": "LO", "Value": ["p1"]}, {"patient_id": "p1"}),
        ("00200013", {"vr": "IS", "Value": [7]}, {"instance_number": 7}),
        ("00080061", {"vr": "CS", "Value": ["CT"]}, {"modalities_in_study": ["CT"]}),
        ("00080061", {"vr": "CS", "Value": ["CT", "MR"]}, {"modalities_in_study": ["CT", "MR"]}),
        ("0008103E", {"vr": "LO", "Value": ["HEAD", "NECK"]}, {"series_description": "HEAD\\NECK"}),
        ("0008103e", {"vr": "LO", "Value": ["HEAD"]}, {"series_description": "HEAD"}),
        ("00080060", {"vr": "CS", "Value": ["CT", "MR"]}, {"modality": "CT"}),
        ("00100010", {"vr": "PN", "Value": [{"Alphabetic": "Doe^J"}]}, {"patient_name": "Doe^J"}),
    ],
)
def test_values_are_single_or_lists_by_the_dictionary(tag, element, expected):
    assert plain_values({tag: element}) == expected


@pytest.mark.parametrize(
    ("tag", "element"),
    [
        ("00081110", {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]}),
        ("00081110", {"vr": "SQ", "Value": [{}]}),
        ("00091001", {"vr": "LO", "Value": ["private"]}),
        ("PatientID", {"vr": "LO", "Value": ["no tag"]}),
        ("0010002", {"vr": "LO", "Value": ["7 digits"]}),
        ("+0100020", {"vr": "LO", "Value": ["a sign"]}),
        ("00100020", {"vr": "LO"}),
        ("00100020", {"vr": "LO", "Value": []}),
        ("00100020", {"vr": "LO", "Value": [None]}),
        ("00080061", {"vr": "CS", "Value": [None]}),
        ("00100020", {"vr": "LO", "Value": "p1"}),
        ("00100020", {"vr": "LO", "BulkDataURI": "https://host/x"}),
        ("00100020", None),
        ("00100020", "p1"),
    ],
)
def test_what_has_no_plain_value_is_left_out(tag, element):
    assert plain_values({tag: element, "00200010": {"vr": "SH", "Value": ["7"]}}) == {
        "study_id": "7"
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}, "Yamada^Tarou"),
        ({"Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}, "山田^太郎"),
        ({"Alphabetic": "", "Phonetic": "やまだ"}, "やまだ"),
        ({"Alphabetic": None}, None),
        ({}, None),
    ],
)
def test_the_first_component_group_of_a_name(value, expected):
    assert person(value) == expected
