"""Modules that are copied by keyword, and the names of patients."""

from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from pyloader.dicom.modules import tables
from pyloader.dicom.modules.tables import PLAIN_MODULES, name_groups, read_patient
from tests.support.enhanced import single

KEYWORDS = {
    **PLAIN_MODULES,
    "cine": tables.CINE,
    "patient": tables.PATIENT,
    "us_region": tables.US_REGION,
    "isotope": tables.ISOTOPE,
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_modules_are_of_attributes_of_the_dictionary_and_have_each_once(name):
    keywords = KEYWORDS[name]
    assert [each for each in keywords if tag_for_keyword(each) is None] == []
    assert [each for each in keywords if dictionary_VR(each) == "SQ"] == []
    assert len(set(keywords)) == len(keywords)


# The examples of PS3.5 6.2.1.2, H.3.1 and I.2.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Adams^John Robert Quincy^^Rev.^B.A.", ("Adams^John Robert Quincy^^Rev.^B.A.",)),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("Yamada^Tarou", "山田^太郎", "やまだ^たろう")),
        ("Hong^Gildong=洪^吉洞=홍^길동", ("Hong^Gildong", "洪^吉洞", "홍^길동")),
        ("=山田^太郎", ("", "山田^太郎", "")),
        ("^^==ヤマダ^タロウ ", ("", "", "ヤマダ^タロウ")),
        (" = ^ = ", ()),
        ("", ()),
        ("a=b=c=d", ("a", "b", "c")),
    ],
)
def test_component_groups_of_a_name(name, expected):
    kinds = zip(("alphabetic", "ideographic", "phonetic"), expected, strict=False)
    assert name_groups(name) == {kind: group for kind, group in kinds if group}


def test_patients_have_their_name_whole_and_in_groups():
    found = read_patient(single(PatientName="Yamada^Tarou=山田^太郎", PatientID="007"))
    assert found == {
        "patient_id": "007",
        "patient_name": "Yamada^Tarou=山田^太郎",
        "patient_name_groups": {"alphabetic": "Yamada^Tarou", "ideographic": "山田^太郎"},
    }
    assert read_patient(single(PatientName="^")) == {"patient_name": "^"}
    assert read_patient(single()) == {}
