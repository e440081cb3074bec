"""Character sets: section 4.5's row, every kind of Specific Character Set, right or wrong."""

from __future__ import annotations

import json
import re
import subprocess
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pyloader import load_image
from pyloader.dicom.instance import Instance
from pyloader.dicom.json.reader import read_dataset
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from pyloader.dicom.values import items_of, value_of
from tests.support import builders
from tests.support.charsets import NAMES, PIXELS, encoded, with_elements
from tests.support.dicom_json import as_json

FILES = Path(pydicom.__file__).parent / "data" / "charset_files"


def name_of(body: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the name that the modules have, and the notes of reading it."""
    instance = parse_part10(body)
    with noting() as notes:
        found = header(instance, 0)["patient"]["patient_name"]
    return found, (*instance.warnings, *notes)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(("charset", "name", "expected"), NAMES)
def test_character_sets_are_decoded(charset, name, expected, syntax):
    assert name_of(encoded(charset, name, syntax)) == (expected, ())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("chr*.dcm")))
def test_character_sets_are_decoded_as_dcmtk_does(name):
    """dcmtk's own conversion to UTF-8; it has no Japanese here, for which the names above stand."""
    printed = subprocess.run(
        ["dcmdump", "-q", "+U8", "+L", str(FILES / name)], capture_output=True, check=False
    ).stdout.decode()
    if not printed:
        assert name in JAPANESE
        return
    dataset = parse_part10((FILES / name).read_bytes()).dataset
    lines = r"^\((?!0002)(\w{4},\w{4})\) (?:PN|LO|SH) \[(.*?)\]"
    for tag, text in re.findall(lines, printed, re.M):
        keyword = pydicom.datadict.keyword_for_tag(int(tag.replace(",", ""), 16))
        if not keyword:
            continue  # a private one
        found = value_of(dataset, keyword)
        joined = "\\".join(found) if isinstance(found, list) else found
        assert (joined or "").rstrip("=") == text.strip().rstrip("="), keyword


JAPANESE = {
    *("chrH31.dcm", "chrH32.dcm", "chrJapMulti.dcm", "chrJapMultiExplicitIR6.dcm"),
    *("chrSQEncoding.dcm", "chrSQEncoding1.dcm"),
}


@pytest.mark.parametrize("name", ["chrSQEncoding.dcm", "chrSQEncoding1.dcm"])
def test_item_of_a_sequence_has_its_own_character_set(name):
    dataset = parse_part10((FILES / name).read_bytes()).dataset
    (item,) = items_of(dataset, "RequestedProcedureCodeSequence")
    assert value_of(item, "PatientName") == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"


def test_code_extensions_end_with_a_value():
    """Each of several values begins in the first character set again (PS3.5 6.1.2.5.3)."""
    body = with_elements(
        ExplicitVRLittleEndian,
        (0x00080005, "CS", b"\\ISO 2022 IR 149"),
        (0x00181020, "LO", b"\x1b$)C\xb1\xe6\xb5\xbf\\v1\\\x1b$)C\xc8\xab"),
    )
    modules = header(parse_part10(body), 0)
    assert modules["general_equipment"]["software_versions"] == ["길동", "v1", "홍"]


def test_person_name_groups_stand_alone():
    charset, name, _ = NAMES[16]
    patient = header(parse_part10(encoded(charset, name)), 0)["patient"]
    assert patient["patient_name_groups"] == {
        "alphabetic": "Yamada^Tarou",
        "ideographic": "山田^太郎",
        "phonetic": "やまだ^たろう",
    }


# ------------------------------------------------------------------ wrong or missing


@pytest.mark.parametrize("charset", [b"", b"ISO_IR 6"])
def test_undeclared_utf_8_is_read_as_that_and_noted(charset):
    name, notes = name_of(encoded(charset, "Jürgen^山".encode()))
    assert name == "Jürgen^山"
    assert "texts are not ASCII: they are read as UTF-8, which they are" in notes[0]


def test_undeclared_latin_1_is_read_as_that_and_noted():
    name, notes = name_of(encoded(b"", b"J\xfcrgen"))
    assert name == "Jürgen"
    assert "SpecificCharacterSet is 'absent'" in notes[0]
    assert "ISO 8859-1" in notes[0]


def test_bytes_that_are_not_in_the_declared_set_are_replaced_and_noted():
    name, notes = name_of(encoded(b"ISO_IR 192", b"J\xfcrgen^A"))
    assert name == "J�rgen^A"
    assert any("replacement characters" in note for note in notes)


@pytest.mark.parametrize("charset", [b"NONSENSE", b"ISO-IR 100", b"ISO 2022 IR 999", b"latin_1"])
def test_unknown_character_set_never_fails(charset):
    name, _ = name_of(encoded(charset, b"J\xfcrgen^A"))
    assert name == "Jürgen^A"


@pytest.mark.parametrize(
    "name", [b"A\x1b$B;3", b"\x1b\x1b\x1b", b"\x1b$)Z\xff\xfe", b"A^\x1b$(D\xff", b"\xff\xfe\xfd"]
)
@pytest.mark.parametrize("charset", [b"", b"\\ISO 2022 IR 87", b"GB18030", b"ISO_IR 192"])
async def test_broken_text_never_fails_a_load(charset, name, context):
    context.network.transport.answers["https://host/a.dcm"] = encoded(charset, name)
    image = await load_image("wadouri:https://host/a.dcm", context)
    assert image.pixels.shape == (2, 2)


# ------------------------------------------------------------------ the same by JSON


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("chr*.dcm")))
def test_wadors_has_the_texts_of_the_file(name):
    body = (FILES / name).read_bytes()
    dataset = dcmread(BytesIO(body))
    instance = parse_part10(body)
    expected = header(instance, 0)
    for content in (as_json(dataset), json.loads(instance_json(instance.dataset))):
        found, *_ = read_dataset(content)
        assert header(Instance(found, instance.transfer_syntax_uid, instance.pixels), 0) == expected


def test_private_text_in_another_set_changes_nothing():
    dataset = builders.header(PIXELS, PatientName="Plain^Name")
    block = dataset.private_block(0x0011, "MAKER", create=True)
    block.add_new(1, "LO", "x" * 8)
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    body = builders.part10(dataset, ExplicitVRLittleEndian).replace(b"x" * 8, "ÄÖÜß".encode())
    assert name_of(body) == ("Plain^Name", ())


def test_sequences_without_text_are_no_text():
    item = Dataset()
    item.CodeMeaning = "plain"
    dataset = builders.header(PIXELS, PatientName="A", ProcedureCodeSequence=Sequence([item]))
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    assert name_of(builders.part10(dataset, ExplicitVRLittleEndian)) == ("A", ())
