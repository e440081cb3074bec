"""Files that end within their header: refused, and asked for again when they are whole."""

from __future__ import annotations

import gzip
import zipfile
from io import BytesIO
from struct import pack

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.dicom.fragments import CutOffError
from pyloader.errors import FormatError
from tests.support import builders

PIXELS = builders.ramp(16, 24)
URL = "https://host/a.dcm"
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


def file_of(syntax: str = ExplicitVRLittleEndian, is_undefined: bool = False) -> bytes:
    """Return a file with a sequence, and a private value, in its header."""
    item = Dataset()
    item.CodeMeaning, item.CodeValue = "Head", "T-D1100"
    attributes = {"AnatomicRegionSequence": Sequence([item, item])}
    if syntax in SYNTAXES:
        dataset = builders.header(PIXELS, **attributes)
        dataset.PixelData = PIXELS.astype(
            ">u2" if syntax == ExplicitVRBigEndian else "<u2"
        ).tobytes()
        dataset["PixelData"].VR = "OW"
    else:
        dataset = builders.header(PIXELS, **attributes)
    dataset.add_new(0x00291002, "OB", bytes(range(1, 41)))
    dataset["AnatomicRegionSequence"].is_undefined_length = is_undefined
    item.is_undefined_length_sequence_item = is_undefined
    return builders.part10(dataset, syntax)


def pixels_at(body: bytes) -> int:
    """Return where the element of the pixels begins."""
    return max(body.rfind(b"\xe0\x7f\x10\x00"), body.rfind(b"\x7f\xe0\x00\x10"))


# ------------------------------------------------------------------ what is said


@pytest.mark.parametrize("is_undefined", [False, True])
@pytest.mark.parametrize("syntax", SYNTAXES)
async def test_every_end_within_the_header_is_said_to_be_one(
    transport, context, syntax, is_undefined
):
    """Behind and within elements, in sequences, in private values, in the meta header."""
    body = file_of(syntax, is_undefined)
    for length in range(140, pixels_at(body) + 8):
        transport.answers[URL] = body[:length]
        with pytest.raises(FormatError, match="cut off") as caught:
            await load_image(f"wadouri:{URL}", context)
        assert caught.value.code == "format"
        assert f"at byte {length}" in str(caught.value) or "no pixel data" in str(caught.value)
    transport.answers[URL] = body
    assert np.array_equal((await load_image(f"wadouri:{URL}", context)).pixels, PIXELS)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless])
async def test_header_of_encoded_pixels_that_is_cut_off(transport, context, syntax):
    body = builders.encode(PIXELS, syntax)
    for length in range(pixels_at(body) - 30, pixels_at(body) + 12):
        transport.answers[URL] = body[:length]
        with pytest.raises(CutOffError, match="cut off"):
            await load_image(f"wadouri:{URL}", context)


@pytest.mark.parametrize("size", [1, 20, 150, 250])
async def test_deflated_header_that_is_cut_off(transport, context, size):
    body = builders.native(PIXELS, DeflatedExplicitVRLittleEndian)
    start = len(body) - len(builders.bare(body))
    transport.answers[URL] = body[: start + size]
    with pytest.raises(FormatError, match=r"cut off|is missing|needs"):
        await load_image(f"wadouri:{URL}", context)
    transport.answers[URL] = body
    assert np.array_equal((await load_image(f"wadouri:{URL}", context)).pixels, PIXELS)


async def test_what_is_said_names_the_element_and_the_place(transport, context):
    body = file_of()
    place = body.index(pack("<HH2s", 0x0028, 0x0011, b"US"))
    transport.answers[URL] = body[: place + 9]
    expected = (
        rf"^{URL} is cut off within its header: the data set is cut off after \(0028,0010\) Rows, "
        rf"at byte {place + 9}: \(0028,0011\) Columns should end at byte {place + 10}; load it ag"
    )
    with pytest.raises(CutOffError, match=expected):
        await load_image(f"wadouri:{URL}", context)


async def test_image_without_pixels_may_be_cut_off_and_still_has_metadata(transport, context):
    """Their pixels may have been taken out on purpose."""
    body = file_of()
    transport.answers[URL] = body[: pixels_at(body)]
    assert (await load_metadata(f"wadouri:{URL}", context))["image_pixel"].rows == 16
    expected = (
        r"has no pixel data, \(7FE0,0010\); its SOP class is 'CT Image Storage', which has some: "
        r"the file is cut off after its last element, \(0029,1002\), or its pixels were removed"
    )
    with pytest.raises(CutOffError, match=expected):
        await load_image(f"wadouri:{URL}", context)


@pytest.mark.parametrize(
    ("sop_class", "text"),
    [
        ("1.2.840.10008.5.1.4.1.1.66.4", "cut off"),  # Segmentation
        ("1.2.840.10008.5.1.4.1.1.481.2", "cut off"),  # RT Dose
        ("1.2.840.10008.5.1.4.1.1.30", "cut off"),  # Parametric Map
        ("1.2.840.10008.5.1.4.1.1.481.3", "which may not be an image"),  # RT Structure Set
        ("1.2.840.10008.5.1.4.1.1.88.11", "which may not be an image"),  # Basic Text SR
    ],
)
async def test_object_whose_class_may_have_pixels(transport, context, sop_class, text):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, "1.2.3"
    transport.answers[URL] = builders.part10(dataset, ExplicitVRLittleEndian)
    with pytest.raises(FormatError, match=text):
        await load_image(f"wadouri:{URL}", context)


async def test_zeros_behind_a_data_set_are_no_end_of_it_that_is_cut_off(transport, context):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.3"
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    for count in (1, 7, 8, 12, 500):
        transport.answers[URL] = body + bytes(count)
        context.cache.clear()
        with pytest.raises(FormatError, match="which may not be an image"):
            await load_image(f"wadouri:{URL}", context)


# ------------------------------------------------------------------ what is kept


def zipped(body: bytes) -> bytes:
    """Return an archive of a file."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.dcm", body)
    return stream.getvalue()


WAYS = {
    "whole": ("wadouri:{}", bytes),
    "by ranges": ("wadouri:{}?frame=1", bytes),
    "gzip": ("wadouri:{}", gzip.compress),
    "archive": ("wadouri:{}#member=a.dcm", zipped),
    "archive, a frame": ("wadouri:{}#member=a.dcm?frame=1", zipped),
}
BODY = file_of()
CUTS = {
    "meta header": 200,
    "within an element": pixels_at(BODY) - 3,
    "behind an element": pixels_at(BODY),
    "within what begins the pixels": pixels_at(BODY) + 9,
    "within the pixels": len(BODY) - 9,
}


@pytest.mark.parametrize("asks", ["image", "metadata", "list"])
@pytest.mark.parametrize("length", CUTS.values(), ids=list(CUTS))
@pytest.mark.parametrize(("image_id", "pack"), WAYS.values(), ids=list(WAYS))
async def test_file_that_was_cut_off_loads_when_it_is_whole(
    transport, context, image_id, pack, length, asks
):
    named = image_id.format(URL)
    transport.answers[URL] = pack(BODY[:length])
    if asks == "metadata":
        await ask(load_metadata, named, context)
    if asks == "list":
        await ask(list_image_ids, named, context)
    with pytest.raises(FormatError, match=r"cut off|missing"):
        await load_image(named, context)
    transport.answers[URL] = pack(BODY)
    assert np.array_equal((await load_image(named, context)).pixels, PIXELS)


async def ask(function, image_id: str, context) -> None:
    """Ask for something of a file, which may fail."""
    try:
        await function(image_id, context)
    except FormatError:
        return


async def test_local_file_that_was_cut_off_loads_when_it_is_whole(tmp_path):
    for length in CUTS.values():
        path = tmp_path / f"{length}.dcm"
        path.write_bytes(BODY[:length])
        with pytest.raises(FormatError, match=r"cut off|missing"):
            await load_image(f"wadouri:{path}")
        path.write_bytes(BODY)
        assert np.array_equal((await load_image(f"wadouri:{path}")).pixels, PIXELS)


async def test_large_file_by_ranges_that_was_cut_off(transport, context):
    """The header alone is longer than what is asked for at first."""
    dataset = builders.header(PIXELS)
    dataset.add_new(0x00290010, "LO", "PRIVATE")
    dataset.add_new(0x00291002, "OB", bytes(900_000))
    dataset.add_new(0x00291003, "OB", b"\1" * 64)
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    for length in (300_000, pixels_at(body) - 10, pixels_at(body)):
        transport.answers[URL] = body[:length]
        with pytest.raises(CutOffError, match="cut off"):
            await load_image(f"wadouri:{URL}?frame=1", context)
        transport.answers[URL] = body
        assert np.array_equal((await load_image(f"wadouri:{URL}?frame=1", context)).pixels, PIXELS)
        context.cache.clear()
