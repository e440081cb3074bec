"""Elements that break the rules: unknown VRs, stray delimiters, wrong lengths.

Correct values are those that DCMTK and GDCM both read; GDCM runs here next to pyloader.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from struct import pack

import gdcm
import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset
from pydicom import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pyloader import load_image, load_metadata
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.parse import noting, parse_beginning, parse_part10
from pyloader.dicom.values import items_of, value_of
from tests.support import builders

PIXELS = builders.ramp(16, 24)
URL = "https://host/a.dcm"
UNDEFINED = 0xFFFFFFFF
GROUP = 0x0029
CREATOR = pack("<HH2sH", GROUP, 0x10, b"LO", 8) + b"PRIVATE "
ITEM_END = pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = pack("<HHL", 0xFFFE, 0xE0DD, 0)


def long(vr: bytes, value: bytes, number: int = 0x1002, length: int | None = None) -> bytes:
    """Return a private element whose length has 32 bits."""
    return pack("<HH2sHL", GROUP, number, vr, 0, len(value) if length is None else length) + value


def item(value: bytes, length: int | None = None) -> bytes:
    """Return an item of a sequence."""
    return pack("<HHL", 0xFFFE, 0xE000, len(value) if length is None else length) + value


def inserted(elements: bytes, body: bytes | None = None) -> bytes:
    """Return a file with elements just before its pixels."""
    body = body or builders.native(PIXELS, ExplicitVRLittleEndian)
    place = body.rindex(b"\xe0\x7f\x10\x00")
    return body[:place] + elements + body[place:]


def by_gdcm(folder: Path, body: bytes) -> bytes | None:
    """Return the pixels that GDCM reads, None if it fails."""
    path = folder / "a.dcm"
    path.write_bytes(body)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        return None
    return reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")


CT = pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"MR"
MAKER = pack("<HH2sH", 0x0008, 0x0070, b"LO", 6) + b"Maker "
INNER = CT + MAKER
# Elements that both readers read, and those that only GDCM reads.
RULES_BROKEN = {
    "unknown VR": long(b"ZZ", b"ABCD"),
    "unknown VR without a value": long(b"OX", b""),
    "unknown VR that holds what looks like pixel data": long(b"QQ", b"\xe0\x7f\x10\x00OW\0\0"),
    "unknown VR in an item": long(b"SQ", item(long(b"ZZ", b"ABCD", 0x1003) + INNER)),
    "unknown VR in an item of undefined length": long(
        b"SQ",
        item(long(b"ZZ", b"ABCD", 0x1003) + INNER + ITEM_END, UNDEFINED) + SEQUENCE_END,
        length=UNDEFINED,
    ),
    "unknown VR of undefined length": long(b"ZZ", item(INNER) + SEQUENCE_END, length=UNDEFINED),
    "item delimiter at the top level": ITEM_END,
    "sequence delimiter in a sequence of defined length": long(b"SQ", item(INNER) + SEQUENCE_END),
    "delimiters with a length": long(
        b"SQ",
        item(INNER + pack("<HHL", 0xFFFE, 0xE00D, 4), UNDEFINED) + pack("<HHL", 0xFFFE, 0xE0DD, 4),
        length=UNDEFINED,
    ),
    "item without its delimiter": long(
        b"SQ", item(INNER, UNDEFINED) + SEQUENCE_END, length=UNDEFINED
    ),
    "odd length": pack("<HH2sH", GROUP, 0x1003, b"LO", 3) + b"ABC",
    "wrong group length": pack("<HH2sHL", GROUP, 0, b"UL", 4, 1000),
    "sequence without items": long(b"SQ", SEQUENCE_END, length=UNDEFINED),
}
# Elements that neither reads, but an earlier pyloader did: no file is lost.
MORE_BROKEN = {
    "sequence delimiter at the top level": SEQUENCE_END,
    "both delimiters at the top level": ITEM_END + SEQUENCE_END,
    "item at the top level": item(INNER),
    "second item beyond the length": long(b"SQ", item(INNER) * 2, length=len(item(INNER))),
    "item delimiter behind an item of defined length": long(
        b"SQ", item(INNER) + ITEM_END + SEQUENCE_END, length=UNDEFINED
    ),
    "two item delimiters": long(
        b"SQ", item(INNER + ITEM_END, UNDEFINED) + ITEM_END + SEQUENCE_END, length=UNDEFINED
    ),
    "two sequence delimiters": long(
        b"SQ", item(INNER) + SEQUENCE_END + SEQUENCE_END, length=UNDEFINED
    ),
    "item that is longer than it says": long(
        b"SQ", item(INNER, len(INNER) - 4) + SEQUENCE_END, length=UNDEFINED
    ),
    "item that is longer by an element": long(
        b"SQ", item(INNER, len(CT)) + SEQUENCE_END, length=UNDEFINED
    ),
    "item that is shorter than it says": long(
        b"SQ", item(INNER, len(INNER) + 4) + SEQUENCE_END, length=UNDEFINED
    ),
    "private value in fragments": long(
        b"OB", item(b"") + item(b"ABCD") + SEQUENCE_END, length=UNDEFINED
    ),
    "value of unknown VR in fragments": long(b"UN", item(b"ABCD") + SEQUENCE_END, length=UNDEFINED),
    "undefined length without items": long(b"OB", b"ABCD" * 4 + SEQUENCE_END, length=UNDEFINED),
    "undefined length without items in an item": long(
        b"SQ",
        item(long(b"OB", b"ABCD" * 4 + SEQUENCE_END, 0x1003, UNDEFINED) + ITEM_END, UNDEFINED)
        + SEQUENCE_END,
        length=UNDEFINED,
    ),
    "short length of a VR that is not known": pack("<HH2sH", GROUP, 0x1002, b"ZZ", 4) + b"ABCD",
}


@pytest.mark.parametrize("elements", RULES_BROKEN.values(), ids=list(RULES_BROKEN))
async def test_elements_that_break_rules_are_skipped(transport, context, tmp_path, elements):
    body = inserted(CREATOR + elements)
    assert by_gdcm(tmp_path, body) == PIXELS.tobytes()
    transport.answers[URL] = body
    assert np.array_equal((await load_image(f"wadouri:{URL}", context)).pixels, PIXELS)
    found = parse_beginning(body[: len(body) - 100])
    assert found is not None, "ranges and lists read the header alone"
    assert found[1].start == len(body) - PIXELS.nbytes


@pytest.mark.parametrize("elements", MORE_BROKEN.values(), ids=list(MORE_BROKEN))
async def test_elements_that_other_readers_refuse(transport, context, elements):
    transport.answers[URL] = inserted(CREATOR + elements)
    assert np.array_equal((await load_image(f"wadouri:{URL}", context)).pixels, PIXELS)
    assert (await load_metadata(f"wadouri:{URL}", context))["image_pixel"].rows == 16


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_unknown_vr_in_other_transfer_syntaxes(syntax):
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if syntax == DeflatedExplicitVRLittleEndian:
        whole = builders.native(PIXELS, syntax)
        plain = builders.bare(inserted(long(b"ZZ", b"ABCD")))
        meta = whole[: len(whole) - len(builders.bare(whole))]
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = meta + packer.compress(plain) + packer.flush()
    else:
        unknown = pack(f"{order}HH2sHL", 0x0009, 0x1002, b"ZZ", 0, 4) + b"ABCD"
        body = builders.native(PIXELS, syntax)
        place = body.index(pack(">HH", 0x0020, 0x000D))
        body = body[:place] + unknown + body[place:]
    pixels = parse_part10(body).pixels
    assert pixels is not None
    assert pixels.missing == 0
    assert bytes(pixels.value) == PIXELS.astype(f"{order}u2").tobytes()


def test_unknown_vr_that_begins_a_data_set():
    body = builders.native(PIXELS)
    place = body.index(pack("<HH2s", 0x0008, 0x0016, b"UI"))
    instance = parse_part10(
        body[:place] + pack("<HH2sHL", 8, 1, b"ZZ", 0, 2) + b"ab" + body[place:]
    )
    assert instance.pixels is not None
    assert instance.warnings == ()


def test_value_of_an_unknown_vr_is_that_of_the_dictionary():
    body = builders.native(PIXELS)
    place = body.index(pack("<HH2sH", 0x0028, 0x0010, b"US", 2))
    changed = body[:place] + pack("<HH2sHLH", 0x0028, 0x0010, b"ZZ", 0, 2, 16) + body[place + 10 :]
    assert value_of(parse_part10(changed).dataset, "Rows") == 16


def sequence(inner: bytes, number: int = 0x3010, length: int | None = None) -> bytes:
    """Return a VOI LUT Sequence."""
    size = len(inner) if length is None else length
    return pack("<HH2sHL", 0x0028, number, b"SQ", 0, size) + inner


@pytest.mark.parametrize("is_undefined", [False, True])
def test_attributes_behind_an_unknown_vr_in_an_item_are_read(is_undefined):
    explanation = pack("<HH2sH", 0x0028, 0x3003, b"LO", 4) + b"Lung"
    inner = pack("<HH2sHL", 0x0028, 0x3001, b"ZZ", 0, 4) + b"ABCD" + explanation
    inner = item(inner + ITEM_END, UNDEFINED) + SEQUENCE_END if is_undefined else item(inner)
    body = inserted(sequence(inner, length=UNDEFINED if is_undefined else None))
    dataset = parse_part10(body).dataset
    (found,) = items_of(dataset, "VOILUTSequence")
    assert value_of(found, "LUTExplanation") == "Lung"
    assert '"Lung"' in instance_json(dataset)


def test_stray_delimiter_makes_no_item():
    explanation = pack("<HH2sH", 0x0028, 0x3003, b"LO", 4) + b"Lung"
    two = (item(explanation) + ITEM_END) * 2
    for inner, length in ((two, None), (two + SEQUENCE_END, UNDEFINED)):
        dataset = parse_part10(inserted(sequence(inner, length=length))).dataset
        found = items_of(dataset, "VOILUTSequence")
        assert [value_of(each, "LUTExplanation") for each in found] == ["Lung", "Lung"]


def test_item_that_its_elements_overrun_keeps_those_before():
    explanation = pack("<HH2sH", 0x0028, 0x3003, b"LO", 4) + b"Lung"
    cut = pack("<HH2sH", 0x0028, 0x3004, b"LO", 40) + b"HU"
    dataset = parse_part10(inserted(sequence(item(explanation + cut)))).dataset
    with noting() as notes:
        (found,) = items_of(dataset, "VOILUTSequence")
    assert value_of(found, "LUTExplanation") == "Lung"
    assert "ModalityLUTType" not in found
    assert any("an item of (0028,3010) VOILUTSequence is cut off" in note for note in notes)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_un_of_undefined_length_is_implicit_and_little_endian(syntax):
    """PS3.5 6.2.2, in every transfer syntax."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    inner = pack("<HHL", 0x0028, 0x3003, 4) + b"Lung"
    element = pack(f"{order}HH2sHL", 0x0028, 0x3010, b"UN", 0, UNDEFINED)
    element += item(inner + ITEM_END, UNDEFINED) + SEQUENCE_END
    body = builders.native(PIXELS, syntax)
    place = body.rindex(pack(f"{order}HH", 0x7FE0, 0x0010))
    dataset = parse_part10(body[:place] + element + body[place:]).dataset
    (found,) = items_of(dataset, "VOILUTSequence")
    assert value_of(found, "LUTExplanation") == "Lung"


def nested(depth: int) -> Dataset:
    """Return a data set with items in items."""
    dataset = Dataset()
    dataset.CodeMeaning = str(depth)
    if depth:
        dataset.ConceptCodeSequence = Items([nested(depth - 1)] * 2)
        dataset["ConceptCodeSequence"].is_undefined_length = bool(depth % 2)
    return dataset


def depths_of(dataset: Dataset) -> Sequence[str]:
    """Return the texts of a data set and of its items, depth first."""
    found = [str(value_of(dataset, "CodeMeaning"))]
    for each in items_of(dataset, "ConceptCodeSequence"):
        found += depths_of(each)
    return found


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_nested_sequences_are_read_as_written(syntax):
    dataset = builders.header(PIXELS, ConceptCodeSequence=Items([nested(5)]))
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    instance = parse_part10(builders.part10(dataset, syntax))
    (found,) = items_of(instance.dataset, "ConceptCodeSequence")
    assert depths_of(found) == depths_of(nested(5))


# ------------------------------------------------------------------ values in fragments


def fragmented(tag: int, *fragments: bytes, vr: bytes = b"OW") -> bytes:
    """Return an element whose value is encapsulated like pixel data."""
    start = pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, UNDEFINED)
    return start + b"".join(map(item, fragments)) + SEQUENCE_END


VALUE = bytes(range(32))
# Fragments -> value.
FRAGMENTED = {
    "empty table": ((b"", VALUE), VALUE),
    "no table": ((VALUE,), VALUE),
    "two fragments": ((b"", VALUE[:10], VALUE[10:]), VALUE),
    "table of one": ((bytes(4), VALUE), VALUE),
    "table of two": ((pack("<2L", 0, 18), VALUE[:10], VALUE[10:]), VALUE),
    "what may be a table or not": ((VALUE[:8], VALUE[8:]), None),
    "JPEG": ((b"", b"\xff\xd8" + VALUE), None),
    "JPEG 2000": ((b"", b"\xff\x4f\xff\x51" + VALUE), None),
    "RLE": ((b"", pack("<16L", 1, 64, *[0] * 14) + VALUE), None),
    "nothing": ((), b""),
    "empty": ((b"",), b""),
}


@pytest.mark.parametrize(("fragments", "expected"), FRAGMENTED.values(), ids=list(FRAGMENTED))
@pytest.mark.parametrize("tag", [0x60003000, 0x00283006, 0x00281201, 0x00282000, 0x54001010])
def test_item_headers_are_no_values(fragments, expected, tag):
    """Overlay Data, LUT Data, a palette, an ICC profile, waveforms."""
    body = inserted(fragmented(tag, *fragments))
    instance = parse_part10(body)
    assert instance.pixels is not None
    assert bytes(instance.pixels.value) == PIXELS.tobytes()
    assert any("is written in items" in note for note in instance.warnings)
    element = instance.dataset.get_item(tag) if tag in instance.dataset else None
    assert (element and (element.value or b"")) == expected


def test_values_in_fragments_of_an_implicit_data_set():
    dataset = builders.native(PIXELS, ImplicitVRLittleEndian)
    element = pack("<HHL", 0x6000, 0x3000, UNDEFINED) + item(b"") + item(VALUE) + SEQUENCE_END
    instance = parse_part10(inserted(element, dataset))
    assert instance.dataset[0x60003000].value == VALUE


@pytest.mark.parametrize("is_undefined", [False, True])
async def test_encapsulated_pixels_of_an_icon_cause_no_warning(transport, context, is_undefined):
    pixels = pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED)
    pixels += item(b"") + item(b"\xff\xd8\xff\xd9") + SEQUENCE_END
    rows = pack("<HH2sHH", 0x0028, 0x0010, b"US", 2, 4)
    if is_undefined:
        inner = item(rows + pixels + ITEM_END, UNDEFINED) + SEQUENCE_END
    else:
        inner = item(rows + pixels)
    icon = sequence(inner, length=UNDEFINED if is_undefined else None)
    icon = pack("<HH", 0x0088, 0x0200) + icon[4:]
    body = builders.native(PIXELS)
    place = body.rindex(b"\xe0\x7f\x10\x00")
    transport.answers[URL] = body[:place] + icon + body[place:]
    image = await load_image(f"wadouri:{URL}", context)
    assert np.array_equal(image.pixels, PIXELS)
    assert image.warnings == ()
    (found,) = items_of(parse_part10(transport.answers[URL]).dataset, "IconImageSequence")
    assert value_of(found, "Rows") == 4
    assert "PixelData" not in found


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("name", ["", "?frame=1"])
async def test_encapsulated_pixels_of_defined_length_under_a_native_label(
    transport, context, syntax, name
):
    """Their items fill the value; read as pixels they would be headers and noise."""
    stream = imagecodecs.jpegls_encode(PIXELS)
    content = item(b"") + item(stream + bytes(len(stream) % 2)) + SEQUENCE_END
    dataset = builders.header(PIXELS)
    dataset.PixelData = content
    dataset["PixelData"].VR = "OB"
    transport.answers[URL] = builders.part10(dataset, syntax)
    image = await load_image(f"wadouri:{URL}{name}", context)
    assert np.array_equal(image.pixels, PIXELS)
    assert any("are encapsulated" in note for note in image.warnings)


async def test_native_pixels_that_begin_like_an_item(transport, context):
    pixels = PIXELS.copy()
    pixels[0, :4] = (0xFFFE, 0xE000, 4, 0)
    for name in ("", "?frame=1"):
        transport.answers[URL] = builders.native(pixels)
        image = await load_image(f"wadouri:{URL}{name}", context)
        assert np.array_equal(image.pixels, pixels)
