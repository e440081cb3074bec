"""DICOM JSON and attributes by keyword to data sets: equal to pydicom, and tolerant."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import numpy as np
import pytest
from pydicom import DataElement, Dataset, Sequence, dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import UID, ExplicitVRLittleEndian

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.instance import Instance
from pyloader.dicom.json import reader as json_model
from pyloader.dicom.json.attributes import BY_TAG
from pyloader.dicom.json.reader import (
    BulkData,
    fill,
    instance_of,
    parse_datasets,
    parse_json,
    read_attributes,
    read_dataset,
)
from pyloader.dicom.modules import header
from pyloader.dicom.modules.luts import read_modality_lut
from pyloader.dicom.modules.plane import read_plane_module
from pyloader.dicom.parse import parse_part10
from pyloader.dicom.values import value_of
from pyloader.errors import FormatError
from pyloader.pixels.palette import apply_palette
from tests.support import builders, corpus
from tests.support.dicom_json import as_json, plain

PIXELS = builders.ramp(4, 8)
NO_ELEMENTS: tuple[Any, ...] = ({}, [], None)


def element(value: Any, vr: str | None = None) -> dict[str, Any]:
    """Return an element of the DICOM JSON Model."""
    found = {"Value": value if isinstance(value, list) else [value]}
    return found if vr is None else {"vr": vr, **found}


def read_one(keyword: str, content: Any) -> Any:
    """Read a data set of one element without a warning, and return its value."""
    dataset, bulk, notes = read_dataset({f"{tag_for_keyword(keyword):08X}": content})
    assert (bulk, notes) == ((), ())
    return dataset[keyword].value


def refuse_one(keyword: str, content: Any) -> str:
    """Read a data set of one invalid element, and return the warning."""
    dataset, bulk, (note,) = read_dataset({f"{tag_for_keyword(keyword):08X}": content})
    assert (len(dataset), bulk) == (0, ())
    return note


# ------------------------------------------------------------------ known attributes


def test_unknown_attributes_are_not_read():
    content = {
        "7FE00010": {"vr": "OW", "BulkDataURI": "bulk"},
        "00091001": {"vr": "LO", "Value": ["private"]},
        "00081080": {"vr": "LO", "Value": ["diagnosis"]},
        "00280010": element(4, "US"),
        "nonsense": 5,
    }
    dataset, bulk, notes = read_dataset(content)
    assert [each.keyword for each in dataset] == ["Rows"]
    assert (bulk, notes) == ((), ())


# ------------------------------------------------------------------ equal to files


def through_json(dataset: Dataset, threshold: int = 1 << 30) -> tuple[Instance, list[BulkData]]:
    """Return an instance read from JSON, and its bulk data."""
    found, bulk, notes = read_dataset(as_json(dataset, threshold))
    assert notes == ()
    return Instance(found, ExplicitVRLittleEndian, None), list(bulk)


def modules_of(instance: Instance) -> Any:
    """Return the modules to compare, without the transfer syntax, which JSON lacks."""
    found = header(instance, 0)
    del found["transfer_syntax"]
    return plain(found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", corpus.images())
def test_modules_are_those_of_the_file(name):
    dataset = dcmread(corpus.DATA / name, force=True)
    dataset.pop("PixelData", None)
    instance, bulk = through_json(dataset)
    assert bulk == []
    assert modules_of(instance) == modules_of(parse_part10(written_of(name)))


def written_of(name: str) -> bytes:
    """Return a file; without the number of frames ``1A``, which pydicom cannot write in JSON."""
    body = (corpus.DATA / name).read_bytes()
    return body.replace(b"IS\x02\x001A", b"IS\x02\x00  ") if name == "badVR.dcm" else body


def test_all_modules_survive():
    """A file with tables, overlays and functional groups, which the bundled files lack."""
    dataset = rich()
    instance, _ = through_json(dataset)
    expected = modules_of(parse_part10(builders.part10(dataset, ExplicitVRLittleEndian)))
    assert modules_of(instance) == expected
    assert {"overlay_plane", "voi_lut", "modality_lut", "pet_isotope"} <= expected.keys()


def rich() -> Dataset:
    """Return an image's header with values of every kind."""
    lut, isotope, group, measures = Dataset(), Dataset(), Dataset(), Dataset()
    lut.LUTDescriptor = [4, 0, 16]
    lut.add_new("LUTData", "OW", np.array([1, 2, 3, 60000], "<u2").tobytes())
    lut.LUTExplanation = "a table"
    isotope.RadionuclideHalfLife = "6586.2"
    measures.PixelSpacing = [0.5, 0.25]
    group.PixelMeasuresSequence = Sequence([measures])
    dataset = builders.header(
        PIXELS,
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        SpecificCharacterSet="ISO_IR 192",
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        NumberOfFrames=1,
        WindowCenter=[40, -600],
        WindowWidth=[400, 1500],
        PixelPaddingValue=63536,
        RescaleSlope="0.1",
        VOILUTSequence=Sequence([lut]),
        ModalityLUTSequence=Sequence([lut]),
        RadiopharmaceuticalInformationSequence=Sequence([isotope]),
        SharedFunctionalGroupsSequence=Sequence([group]),
        PerFrameFunctionalGroupsSequence=Sequence([]),
    )
    overlay = {0x10: ("US", 4), 0x11: ("US", 8), 0x40: ("CS", "G"), 0x50: ("SS", [1, -2])}
    for number, (vr, value) in (overlay | {0x3000: ("OW", b"\x0f\0\xf0\1")}).items():
        dataset.add_new(0x60020000 | number, vr, value)
    return dataset


# ------------------------------------------------------------------ bulk data


def test_bulk_data_filled_in_is_the_same():
    dataset = rich()
    instance, bulk = through_json(dataset, threshold=3)
    assert len(bulk) == 3
    where = [(keyword_for_tag(each.tag), each.vr, each.uri) for each in bulk]
    assert where[0] == ("LUTData", "OW", "bulk/00283006")
    assert where[2] == ("OverlayData", "OW", "bulk/60023000")
    assert "overlay_plane" not in header(instance, 0)
    for each in bulk:
        assert each.tag not in each.owner
        fill(each, dataset[each.tag].value if each.tag in dataset else LUT)
    assert modules_of(instance) == modules_of(through_json(dataset)[0])


LUT = np.array([1, 2, 3, 60000], "<u2").tobytes()


def test_bulk_data_of_a_palette():
    indices = np.array([[0, 1], [2, 3]], "u1")
    table = np.arange(0, 65536, 256, "<u2").tobytes()
    colors = ("Red", "Green", "Blue")
    palette: dict[str, Any] = {f"{color}PaletteColorLookupTableData": table for color in colors}
    palette |= {f"{color}PaletteColorLookupTableDescriptor": [256, 0, 16] for color in colors}
    dataset = builders.header(indices, PhotometricInterpretation="PALETTE COLOR", **palette)
    instance, bulk = through_json(dataset, threshold=100)
    assert [(each.tag, each.vr) for each in bulk] == [
        (tag, "OW") for tag in (0x00281201, 0x00281202, 0x00281203)
    ]
    for each in bulk:
        fill(each, table)
    assert np.array_equal(
        apply_palette(indices, instance.dataset)[0], apply_color_lut(indices, dataset)
    )


@pytest.mark.parametrize("vr", ["US", "UN", "OW", None])
def test_bulk_data_are_bytes_whatever_the_text_says(vr):
    content = {"00283006": {"vr": vr, "BulkDataURI": "../bulk/1"}}
    dataset, (bulk,), notes = read_dataset(content)
    assert bulk == BulkData(dataset, 0x00283006, "OW", "../bulk/1")
    assert notes == ()
    assert bulk.owner is dataset


def test_bulk_data_of_text_and_numbers():
    content = {
        "00081030": {"vr": "LO", "BulkDataURI": "a"},
        "00281050": {"vr": "DS", "BulkDataURI": ["b"]},
        "00280100": {"vr": "UN", "BulkDataURI": "c"},
    }
    dataset, bulk, _ = read_dataset(content)
    for each, body in zip(bulk, ["Köln ".encode(), b"40\\-600 ", b"\x10\0"], strict=True):
        fill(each, body)
    assert value_of(dataset, "StudyDescription") == "Köln"
    assert value_of(dataset, "WindowCenter") == [40, -600]
    assert value_of(dataset, "BitsAllocated") == 16


def test_invalid_bulk_data():
    _, (bulk,), _ = read_dataset({"00280010": {"vr": "US", "BulkDataURI": "http://host/b"}})
    expected = (
        r"^the bulk data at 'http://host/b', 3 bytes, are not a value of \(0028,0010\) Rows, vr US"
    )
    with pytest.raises(FormatError, match=expected):
        fill(bulk, b"abc")


def test_bulk_data_without_an_address():
    assert "BulkDataURI is not text; it is" in refuse_one("LUTData", {"BulkDataURI": 5})
    assert read_one("LUTData", {"vr": "OW", "BulkDataURI": ""}) is None


# ------------------------------------------------------------------ tolerance


@pytest.mark.parametrize("vr", ["US", "UN", "DS", "XX", None, 5])
@pytest.mark.parametrize("value", [512, "512", " 512 ", 512.0, "512.0", [512], ["512"]])
def test_integer(vr, value):
    found = read_one("Rows", element(value, vr))
    assert found == 512
    assert type(found) is int


@pytest.mark.parametrize("vr", ["US", "UN", "LO", None])
@pytest.mark.parametrize("value", [[0.5, 2], ["0.5", " 2 "], ["0.5", 2], "0.5\\2", ["0.5\\2"]])
def test_numbers(vr, value):
    found = read_one("PixelSpacing", element(value, vr))
    assert found == [0.5, 2]
    assert {type(number) for number in found} == {float}


def test_value_outside_a_list():
    assert read_one("Rows", {"vr": "US", "Value": 512}) == 512


def test_integer_string_with_a_fraction():
    assert read_one("RecommendedDisplayFrameRate", element("12.5", "IS")) == 12.5


@pytest.mark.parametrize(("value", "vr"), [(63536, "US"), (-2000, "SS")])
def test_signed_or_not(value, vr):
    for given in ("US", "SS", "UN", None):
        dataset, *_ = read_dataset({"00280120": element(value, given)})
        assert dataset.PixelPaddingValue == value
        chosen = dataset["PixelPaddingValue"].VR
        assert chosen == ("SS" if given == "SS" else vr)


@pytest.mark.parametrize("value", [["A", "B"], "A\\B"])
def test_text_of_several_values(value):
    assert read_one("ImageType", element(value, "CS")) == ["A", "B"]


@pytest.mark.parametrize("value", [5, "5"])
def test_text_that_is_a_number(value):
    assert read_one("PatientID", element(value)) == "5"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Alphabetic": "A^B"}, "A^B"),
        ({"Alphabetic": "A^B", "Phonetic": "C"}, "A^B==C"),
        ({"Ideographic": "山"}, "=山"),
        ({"Alphabetic": None}, ""),
        ({}, ""),
        ("A^B", "A^B"),
    ],
)
def test_person_names(value, expected):
    assert str(read_one("PatientName", element([value], "PN"))) == expected


@pytest.mark.parametrize("keyword", ["Rows", "PixelSpacing", "PatientName", "LUTData", "StudyID"])
@pytest.mark.parametrize(
    "content", [{}, {"vr": "US"}, {"vr": "LO", "Value": []}, {"Value": None}, {"Value": [None]}]
)
def test_empty(keyword, content):
    dataset, _, notes = read_dataset({f"{tag_for_keyword(keyword):08X}": content})
    assert keyword in dataset
    assert value_of(dataset, keyword) is None
    assert notes == ()


def test_nulls_keep_their_places():
    assert read_one("PixelSpacing", element([None, 0.5])) == [None, 0.5]
    assert read_one("ImageType", element(["A", None, "C"])) == ["A", "", "C"]
    assert read_one("PixelSpacing", element(["", "0.5"])) == [None, 0.5]


def test_element_that_is_null():
    dataset, _, notes = read_dataset({"00280010": None})
    assert (len(dataset), notes) == (0, ())


def test_tags_in_lower_case():
    dataset, *_ = read_dataset({"0020000d": element("1.2"), "0020000E": element("1.3")})
    assert (dataset.StudyInstanceUID, dataset.SeriesInstanceUID) == ("1.2", "1.3")


def test_inline_binary():
    text = base64.b64encode(LUT).decode()
    for content in (text, [text], f"{text[:4]}\n {text[4:]}"):
        assert read_one("LUTData", {"vr": "OW", "InlineBinary": content}) == LUT
        assert read_one("LUTData", {"vr": "UN", "InlineBinary": content}) == LUT


def test_inline_binary_of_vr_un():
    """Servers write unknown attributes so: the encoded value (PS3.5 6.2.2)."""

    def unknown(body: bytes) -> dict[str, str]:
        return {"vr": "UN", "InlineBinary": base64.b64encode(body).decode()}

    assert read_one("Rows", unknown(b"\0\2")) == 512
    assert read_one("PixelPaddingValue", unknown(b"\xff\xff")) == 65535
    assert read_one("PixelPaddingValue", unknown(b"\xff\xff") | {"vr": "SS"}) == -1
    assert read_one("PixelSpacing", unknown(b"0.5\\2 ")) == [0.5, 2]
    item = b"\x28\0\x30\0\4\0\0\0" + b"1\\2 "
    content = unknown(b"\xfe\xff\0\xe0" + bytes([len(item), 0, 0, 0]) + item)
    assert read_one("PixelMeasuresSequence", content)[0].PixelSpacing == [1, 2]


@pytest.mark.parametrize(
    ("keyword", "content", "reason"),
    [
        ("Rows", 5, "it is not an object; it is 5$"),
        ("Rows", [5], "it is not an object; it is"),
        ("Rows", element("many"), "could not convert string to float: 'many'; it is"),
        ("Rows", element({"a": 1}), "float"),
        ("Rows", element([[5]]), "float"),
        ("Rows", element(float("nan")), "nan is not finite; it is"),
        ("Rows", element("1e400"), "'1e400' is not finite; it is"),
        ("StudyID", element({"Alphabetic": "A"}), "dict is not text; it is"),
        ("SOPClassUID", element([["1.2"]]), "list is not text; it is"),
        ("PatientName", element([["A"]]), "list is not text; it is"),
        ("PatientName", element({"Alphabetic": {}}), "dict is not text; it is"),
        ("LUTData", {"InlineBinary": "abc"}, "padding; it is"),
        ("LUTData", {"InlineBinary": "ab$%"}, "base64"),
        ("LUTData", {"InlineBinary": 5}, "InlineBinary is not text; it is"),
        ("Rows", {"InlineBinary": "YWJj"}, "Expected total bytes to be an even multiple"),
        ("RedPaletteColorLookupTableData", element([1, 2]), "VR OW requires bytes; it is"),
    ],
)
def test_unreadable_elements_are_left_out(keyword, content, reason):
    note = refuse_one(keyword, content)
    tag = tag_for_keyword(keyword)
    vr = dictionary_VR(tag)
    start = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword} cannot be read as {vr} and is left out"
    assert note.startswith(start)
    with pytest.raises(ValueError, match=reason):
        raise ValueError(note)


def test_warning_shortens_the_value():
    note = refuse_one("Rows", element(["x" * 1000] * 1000))
    assert len(note) < 400


def test_others_are_read_beside_one_that_is_broken():
    content = {"00280010": element("x"), "00280011": element(8), "00100010": 5}
    dataset, _, notes = read_dataset(content)
    assert dataset.Columns == 8
    assert [note.partition(" cannot")[0] for note in notes] == [
        "(0028,0010) Rows",
        "(0010,0010) PatientName",
    ]


# ------------------------------------------------------------------ sequences


def test_items():
    positions = [{"00200032": element([0, 0, float(z)], "DS")} for z in range(3)]
    items = [{"00209113": element([position], "SQ")} for position in positions]
    dataset, _, notes = read_dataset({"52009230": element(items, "SQ")})
    assert notes == ()
    places = [read_plane_module(Frame(dataset, index)).image_position_patient for index in range(3)]
    assert places == [(0, 0, 0), (0, 0, 1), (0, 0, 2)]


@pytest.mark.parametrize("value", [{}, [], None, [None], [{}]])
def test_empty_sequences(value):
    dataset, _, notes = read_dataset({"52009230": {"vr": "SQ", "Value": value}})
    items = dataset.PerFrameFunctionalGroupsSequence
    assert isinstance(items, Sequence)
    assert [len(item) for item in items] == ([] if value in ([], None) else [0])
    assert notes == ()


def test_null_item_keeps_its_place():
    items = [5, {"00280030": element([1, 2])}]
    dataset, _, notes = read_dataset({"00289110": element(items, "SQ")})
    assert dataset.PixelMeasuresSequence[1].PixelSpacing == [1, 2]
    assert notes == ("(0028,9110) PixelMeasuresSequence has an item that is not an object: 5",)


def test_bulk_data_of_an_item_belongs_to_the_item():
    item = {"00283006": {"vr": "OW", "BulkDataURI": "x"}, "00283002": element([4, 0, 16], "US")}
    dataset, (bulk,), _ = read_dataset({"00283000": element([item], "SQ")})
    assert bulk.owner is dataset.ModalityLUTSequence[0]
    fill(bulk, LUT)
    lut = read_modality_lut(Frame(dataset, 0)).lut
    assert lut is not None
    assert lut.entries.tolist() == [1, 2, 3, 60000]


def test_nesting_without_end():
    content: Any = element("x")
    for _ in range(2000):
        content = {"vr": "SQ", "Value": [{"52009230": content}]}
    dataset, *_ = read_dataset({"52009230": content, "00280010": element(4)})
    assert dataset.Rows == 4


# ------------------------------------------------------------------ texts


@pytest.mark.parametrize("wrap", [str, str.encode, "\ufeff{}".format, "[{}]".format])
def test_one_data_set(wrap):
    text = json.dumps({"00280010": element(4, "US"), "00080018": element("1.2", "UI")})
    instance = parse_json(wrap(text))
    assert instance.dataset.Rows == 4
    assert (instance.pixels, instance.transfer_syntax_uid, instance.warnings) == (None, "", ())


def test_byte_order_mark_in_bytes():
    assert parse_json(b'\xef\xbb\xbf{"00280010": {"Value": [4]}}').dataset.Rows == 4


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"00083002": element("1.2.840.10008.1.2.5", "UI")}, "1.2.840.10008.1.2.5"),
        ({"00083002": element(["1.2", "1.3"])}, "1.2"),
        ({"00020010": element("1.3")}, "1.3"),
        ({"00020010": element("1.3"), "00083002": element("1.2")}, "1.2"),
        ({"00083002": {"vr": "UI"}}, ""),
        ({}, ""),
    ],
)
def test_transfer_syntax(content, expected):
    syntax = parse_json(json.dumps(content)).transfer_syntax_uid
    assert (type(syntax), syntax) == (UID, expected)


def test_instance_of_a_data_set():
    dataset, _, notes = read_attributes({"TransferSyntaxUID": "1.2", "Rows": "x"})
    instance = instance_of(dataset, notes)
    assert instance.dataset is dataset
    assert (instance.transfer_syntax_uid, instance.pixels) == ("1.2", None)
    assert len(instance.warnings) == 1


def test_warnings_are_on_the_instance():
    (note,) = parse_json('{"00280010": 5}').warnings
    assert note.startswith("(0028,0010) Rows cannot be read as US and is left out")


def test_data_sets_of_a_series():
    content = [{"00280010": element(rows)} for rows in range(3)]
    assert parse_datasets(json.dumps(content)) == content
    assert parse_datasets("[]") == []


@pytest.mark.parametrize(("text", "count"), [("[]", 0), ("[{}, {}]", 2)])
def test_not_one_data_set(text, count):
    expected = (
        "^https://host/m cannot be read as a DICOM JSON data set: it has "
        f"{count} data sets, expected 1$"
    )
    with pytest.raises(FormatError, match=expected):
        parse_json(text, "https://host/m")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"JSONDecodeError: .* it begins with ''\. It may be a server's log-in page"),
        ("<html><body>Log in", "JSONDecodeError: .*; it begins with '<html><body>Log in'"),
        (b"<!doctype html>", "JSONDecodeError: .*; it begins with b'<!doctype html>'"),
        ("{", "JSONDecodeError: "),
        (b"\xff\xfe\xfd", "UnicodeDecodeError: "),
        ("[" * 100_000, "ValueError: it is nested deeper than 192 levels"),
        ('"x"', "it is neither an object nor a list of objects; it begins with '\"x\"'"),
        ("null", "it is neither an object nor a list of objects"),
        ("[[{}]]", "it is neither an object nor a list of objects"),
        ("[{}, 5]", "it is neither an object nor a list of objects"),
    ],
)
def test_text_that_holds_no_data_set(text, reason):
    expected = f"^the metadata cannot be read as a DICOM JSON data set: {reason}"
    with pytest.raises(FormatError, match=expected):
        parse_json(text)


def test_error_of_a_server_in_json():
    expected = (
        r"expected an object whose keys are tags of 8 hexadecimal digits, got \{'HttpError': 400, "
        r"'Message': 'Parameter out of range'\}; it may be a server's error message$"
    )
    with pytest.raises(FormatError, match=expected):
        parse_json('{"HttpError": 400, "Message": "Parameter out of range"}')


@pytest.mark.parametrize("content", [[], [{}], None, "x", 5])
def test_data_set_of_another_type(content):
    with pytest.raises(FormatError, match="expected an object whose keys are tags"):
        read_dataset(content)


def test_random_json_never_fails_otherwise():
    chance = random.Random(5)
    keys = ["vr", "Value", "InlineBinary", "BulkDataURI", "Alphabetic", *list(BY_TAG)[:120]]

    def anything(depth: int) -> Any:
        kind = chance.randrange(8 if depth else 5)
        if kind > 5:
            return [anything(depth - 1) for _ in range(chance.randrange(3))]
        if kind == 5:
            return {chance.choice(keys): anything(depth - 1) for _ in range(chance.randrange(6))}
        return chance.choice([None, True, -5, 1e300, float("inf"), "", "x", "US", "1\\2", "YWJj"])

    for _ in range(3000):
        content = {key: anything(4) for key in chance.sample(keys[5:], 6)}
        dataset, bulk, notes = read_dataset(content)
        assert all(isinstance(each, DataElement) for each in dataset)
        assert all(isinstance(each.uri, str) for each in bulk)
        assert all("is left out" in note or "is not an object" in note for note in notes)


# ------------------------------------------------------------------ attributes by keyword


def test_natural_attributes():
    content = {
        "Rows": 512,
        "PixelSpacing": [0.5, 0.25],
        "SOPInstanceUID": "1.2",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "RescaleSlope": "2",
        "WindowCenter": 40,
        "_vrMap": {"PixelData": "OW"},
        "imageId": "wadors:x",
        "PixelData": {"BulkDataURI": "x"},
        "OverlayRows": 5,
        "": 5,
    }
    dataset, bulk, notes = read_attributes(content)
    assert {each.keyword: each.value for each in dataset} == {
        "Rows": 512,
        "PixelSpacing": [0.5, 0.25],
        "SOPInstanceUID": "1.2",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "RescaleSlope": 2,
        "WindowCenter": 40,
    }
    assert (bulk, notes) == ((), ())


@pytest.mark.parametrize("name", ["A^B", {"Alphabetic": "A^B"}, [{"Alphabetic": "A^B"}]])
def test_natural_person_name(name):
    dataset, *_ = read_attributes({"PatientName": name})
    assert str(dataset.PatientName) == "A^B"


@pytest.mark.parametrize("wrap", [lambda item: item, lambda item: [item], lambda item: (item,)])
def test_natural_sequences(wrap):
    measures = {"PixelSpacing": [1, 2], "SliceThickness": 3}
    content = {"SharedFunctionalGroupsSequence": wrap({"PixelMeasuresSequence": wrap(measures)})}
    dataset, _, notes = read_attributes(content)
    plane = read_plane_module(Frame(dataset, 0))
    assert (plane.pixel_spacing, plane.slice_thickness) == ((1, 2), 3)
    assert notes == ()


@pytest.mark.parametrize("key", ["BulkDataURI", "retrieveBulkData"])
def test_natural_bulk_data(key):
    content = {"ModalityLUTSequence": {"LUTData": {key: "http://host/b", "vr": "US"}}}
    dataset, (bulk,), _ = read_attributes(content)
    owner = dataset.ModalityLUTSequence[0]
    assert bulk == BulkData(owner, 0x00283006, "OW", "http://host/b")


def test_natural_bulk_data_behind_a_function():
    dataset, bulk, (note,) = read_attributes({"LUTData": {"retrieveBulkData": print}})
    assert (len(dataset), bulk) == (0, ())
    assert note.startswith("(0028,3006) LUTData cannot be read as US or OW and is left out: retr")


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda table: [memoryview(table)]])
def test_natural_bytes(wrap):
    dataset, *_ = read_attributes({"LUTData": wrap(LUT)})
    assert dataset.LUTData == LUT
    assert type(dataset.LUTData) is bytes


def test_natural_typed_arrays():
    content = {
        "LUTData": memoryview(np.array([1, 2, 3, 60000], "u2")),
        "LUTDescriptor": memoryview(np.array([4, -5, 16], "i2")),
        "PixelSpacing": memoryview(np.array([0.5, 0.25], "f4")),
    }
    dataset, *_ = read_attributes(content)
    assert dataset.LUTData == LUT
    assert dataset.LUTDescriptor == [4, -5, 16]
    assert dataset.PixelSpacing == [0.5, 0.25]


def test_natural_elements_of_the_model():
    dataset, *_ = read_attributes({"Rows": {"vr": "US", "Value": [4]}})
    assert dataset.Rows == 4


def test_natural_none_is_no_value():
    dataset, _, notes = read_attributes({"Rows": None, "PixelSpacing": (), "Columns": [None]})
    assert "Rows" not in dataset
    assert dataset.PixelSpacing is dataset.Columns is None
    assert notes == ()


def test_natural_value_that_cannot_be_read():
    dataset, _, (note,) = read_attributes({"Rows": object(), "Columns": 8})
    assert dataset.Columns == 8
    assert note.startswith("(0028,0010) Rows cannot be read as US and is left out: ")


def test_natural_attributes_make_the_modules_of_the_file():
    dataset = rich()
    natural = naturalized(dataset)
    expected = modules_of(through_json(dataset)[0])
    del expected["overlay_plane"]  # the keywords are the same in sixteen groups
    found, *_ = read_attributes(natural)
    assert modules_of(Instance(found, ExplicitVRLittleEndian, None)) == expected


def naturalized(dataset: Dataset) -> dict[str, Any]:
    """Return attributes by keyword, as viewers have them."""

    def value(each: DataElement) -> Any:
        if each.VR == "SQ":
            return [naturalized(item) for item in each.value]
        if each.VR == "PN":
            groups = ("Alphabetic", "Ideographic", "Phonetic")
            return [dict(zip(groups, str(each.value).split("="), strict=False))]
        return list(each.value) if each.VM > 1 else each.value

    return {each.keyword: value(each) for each in dataset if each.keyword}


# ------------------------------------------------------------------ work


def test_unknown_elements_are_not_read():
    """A series has hundreds of data sets: unknown elements are skipped unread."""

    class Untouchable(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            raise AssertionError("an unknown element was looked into")

    content = {"00081080": Untouchable(vr="LO"), "00280010": element(4)}
    assert len(read_dataset(content)[0]) == 1
    assert json_model.BY_TAG is BY_TAG
