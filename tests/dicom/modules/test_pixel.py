"""Image pixel modules, and Photometric Interpretation in other spellings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.pixels import convert_color_space
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from pyloader import load_image, load_metadata
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.json.reader import parse_json, read_attributes
from pyloader.dicom.modules.pixel import read_pixel_module
from pyloader.dicom.parse import noting, parse_part10
from pyloader.errors import FormatError, UnsupportedError
from pyloader.pixels.frame_format import labelled
from tests.support import builders
from tests.support.enhanced import PIXELS, reread, single

URL = "https://host/a.dcm"
GREY = builders.ramp(8, 12, 8).astype("u1")
COLOR = np.random.default_rng(3).integers(0, 256, (8, 12, 3), "u1")
# Text in the file -> defined term.
SPELLED = {
    "monochrome2": "MONOCHROME2",
    "Monochrome1": "MONOCHROME1",
    "MONOCHROME 2": "MONOCHROME2",
    "MONOCHROME_1": "MONOCHROME1",
    "MONOCHROME2\0\0": "MONOCHROME2",
    " MONOCHROME2": "MONOCHROME2",
    "MONOCHROME2\0abc": "MONOCHROME2",
    "Palette_Color": "PALETTE COLOR",
    "PALETTE  COLOR": "PALETTE COLOR",
    "palettecolor": "PALETTE COLOR",
    "rgb": "RGB",
    "ybr full": "YBR_FULL",
    "YBR FULL 422": "YBR_FULL_422",
    "YBR_FULL422": "YBR_FULL_422",
    "ybr-partial-422": "YBR_PARTIAL_422",
    "Ybr_Rct": "YBR_RCT",
    "YBR ICT": "YBR_ICT",
}
# Padding, which many writers add (PS3.5 6.2).
PADDED = ("MONOCHROME2\0\0", " MONOCHROME2")


def file_of(pixels: np.ndarray, text: str, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Return a file with any text as its Photometric Interpretation."""
    dataset = builders.header(pixels)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    value = text.encode() + b" " * (len(text) % 2)
    tag = Tag("PhotometricInterpretation")
    dataset[tag] = RawDataElement(tag, "CS", len(value), value, 0, False, True)
    return builders.part10(dataset, syntax)


@pytest.fixture
def load(transport, context):
    """Return a function that loads a file."""

    async def load(body: bytes) -> Any:
        transport.answers[URL] = body
        context.cache.clear()
        return await load_image(f"wadouri:{URL}", context)

    return load


@pytest.mark.parametrize(("text", "meant"), SPELLED.items())
def test_every_reader_gives_the_term(text, meant):
    body = file_of(COLOR if "YBR" in meant or meant == "RGB" else GREY, text)
    dataset = parse_part10(body).dataset
    keywords = {
        "Rows": 8,
        "Columns": 12,
        "BitsAllocated": 8,
        "PixelRepresentation": 0,
        "PhotometricInterpretation": text,
        "SamplesPerPixel": dataset.SamplesPerPixel,
    }
    by_keyword, _, _ = read_attributes(keywords)
    for found in (dataset, by_keyword):
        with noting() as notes:
            assert read_pixel_module(Frame(found, 0)).photometric_interpretation == meant
        assert any("read as" in note for note in notes) is (text not in PADDED)


@pytest.mark.parametrize("text", ["monochrome2", "Monochrome 2", "MONOCHROME2\0"])
async def test_grey_is_what_gdcm_reads(load, tmp_path: Path, text):
    body = file_of(GREY, text)
    path = tmp_path / "a.dcm"
    path.write_bytes(body)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    image = await load(body)
    words = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    assert image.pixels.tobytes() == words == GREY.tobytes()


async def test_colours_are_those_of_the_term(load):
    assert np.array_equal((await load(file_of(COLOR, "rgb"))).pixels, COLOR)
    expected = convert_color_space(COLOR, "YBR_FULL", "RGB").astype(int)
    ours = (await load(file_of(COLOR, "ybr full"))).pixels
    assert np.abs(ours.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("syntax", "text"), [(RLELossless, "rgb"), (JPEG2000Lossless, "ybr_rct"), (RLELossless, "RGB ")]
)
async def test_compressed_colours(load, syntax, text):
    """JPEG 2000 has its own component transformation, whatever the spelling in the header."""
    body = builders.encode(COLOR, syntax)
    place = body.index(b"\x28\0\4\0CS") + 8
    size = int.from_bytes(body[place - 2 : place], "little")
    value = text.encode().ljust(size + size % 2)
    length = len(value).to_bytes(2, "little")
    image = await load(body[: place - 2] + length + value + body[place + size :])
    assert np.array_equal(image.pixels, COLOR)
    assert image.pixel.photometric_interpretation == "RGB"


async def test_inverted_grey_is_inverted_on_the_page(load, transport, context):
    image = await load(file_of(GREY, "monochrome1"))
    assert image.pixel.photometric_interpretation == "MONOCHROME1"
    modules = await load_metadata(f"wadouri:{URL}", context)
    assert modules["image_pixel"].photometric_interpretation == "MONOCHROME1"


def test_frame_of_a_service_that_decoded_it():
    """The metadata describe the frame before decoding: half chroma, and now RGB."""
    text = (
        '[{"00280002": {"vr": "US", "Value": [3]}, "00280004": {"vr": "CS", "Value": ["ybr full '
        '422"]}, "00280006": {"vr": "US", "Value": [0]}, "00280010": {"vr": "US", "Value": [8]},'
        '"00280011": {"vr": "US", "Value": [12]}, "00280100": {"vr": "US", "Value": [8]},'
        '"00280101": {"vr": "US", "Value": [8]}, "00280102": {"vr": "US", "Value": [7]},'
        '"00280103": {"vr": "US", "Value": [0]}}]'
    )
    with noting():
        found = labelled(parse_json(text), 0, COLOR.tobytes(), ExplicitVRLittleEndian, True)
    assert found.dataset.PhotometricInterpretation == "RGB"


@pytest.mark.parametrize("text", ["MONOCHROME", "MONOCHROME3", "GRAY", "YBR", "RGBA"])
async def test_unknown_terms_are_refused(load, text):
    with pytest.raises(UnsupportedError, match=f"photometric interpretation '{text}' cannot be"):
        await load(file_of(GREY, text))


def test_pixel_module_has_the_values_of_the_file():
    pixel = read_pixel_module(single(BitsStored=12, PixelAspectRatio=[1, 2]))
    assert (pixel.rows, pixel.columns, pixel.samples_per_pixel) == (4, 8, 1)
    assert (pixel.bits_allocated, pixel.bits_stored, pixel.high_bit) == (16, 12, 11)
    assert pixel.pixel_aspect_ratio == (1, 2)
    assert pixel.planar_configuration is None


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(("representation", "expected"), [(0, 63536), (1, -2000)])
def test_padding_is_signed_as_the_pixels_are(syntax, representation, expected):
    dataset = builders.header(PIXELS, PixelRepresentation=representation)
    # Old software writes US for either representation.
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
