"""JPEG 2000, HTJ2K and JPEG XL: what their samples mean, whatever the header calls them."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from pydicom import uid
from pydicom.pixels.processing import convert_color_space

from pyloader.dicom.transfer_syntaxes import (
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
)
from pyloader.errors import DecodeError
from tests.support import builders
from tests.support.encoded import (
    GREY8,
    GREY12,
    GREY16,
    RGB,
    YBR,
    difference,
    jpeg,
    loaded,
    pillow,
    transformed,
)
from tests.support.tiffs import HALF_CHROMA

# ------------------------------------------------------------------ JPEG 2000: colours


@pytest.mark.parametrize("encode", ["jpeg2k", "htj2k"])
@pytest.mark.parametrize("declared", ["RGB", "YBR_RCT", "YBR_ICT", "YBR_FULL", "YBR_FULL_422"])
def test_component_transformation_gives_rgb_whatever_the_label(encode, declared):
    """RGB comes out of the decoder, and is not converted again."""
    frame, syntax = transformed(encode)
    image = loaded(frame, RGB, syntax, PhotometricInterpretation=declared)
    assert np.array_equal(image.pixels, RGB)
    assert image.encoding.codestream.photometric_interpretation == "YBR_RCT"
    assert bool(image.warnings) == (declared != "YBR_RCT")


@pytest.mark.parametrize("encode", ["jpeg2k", "htj2k"])
@pytest.mark.parametrize("declared", ["YBR_FULL", "YBR_FULL_422"])
def test_luminance_and_chroma_without_component_transformation(encode, declared):
    frame, syntax = transformed(encode, is_on=False, pixels=YBR)
    image = loaded(frame, RGB, syntax, PhotometricInterpretation=declared)
    assert difference(image, convert_color_space(YBR, "YBR_FULL", "RGB")) <= 1
    assert image.warnings == ()


@pytest.mark.parametrize("encode", ["jpeg2k", "htj2k"])
@pytest.mark.parametrize("declared", ["RGB", "YBR_RCT", "YBR_ICT"])
def test_label_of_a_transformation_that_was_not_made_is_rgb(encode, declared):
    frame, syntax = transformed(encode, is_on=False)
    image = loaded(frame, RGB, syntax, PhotometricInterpretation=declared)
    assert np.array_equal(image.pixels, RGB)
    notes = [each for each in image.warnings if "its component transformation is off" in each]
    assert len(notes) == len(image.warnings) == (declared != "RGB")


def test_boxes_of_a_jp2_file_are_read():
    frame = imagecodecs.jpeg2k_encode(RGB, codecformat="JP2", reversible=True)
    image = loaded(frame, RGB, uid.JPEG2000Lossless, PhotometricInterpretation="YBR_RCT")
    assert np.array_equal(image.pixels, RGB)


@pytest.mark.parametrize("declared", ["RGB", "YBR_FULL"])
def test_boxes_do_not_tell_the_colours(declared):
    """A decoder would convert by them, and then the header's conversion would come on top."""
    coded = RGB if declared == "RGB" else YBR
    frame = imagecodecs.jpeg2k_encode(coded, codecformat="JP2", reversible=True, mct=False)
    box = b"colr\x01\x00\x00\x00\x00\x00"
    assert frame.count(box + b"\x10") == 1  # sRGB; 12 is sYCC (ISO 15444-1 I.5.3.3)
    frame = frame.replace(box + b"\x10", box + b"\x12")
    assert not np.array_equal(imagecodecs.jpeg2k_decode(frame), coded)
    image = loaded(frame, RGB, uid.JPEG2000Lossless, PhotometricInterpretation=declared)
    expected = RGB if declared == "RGB" else convert_color_space(YBR, "YBR_FULL", "RGB")
    assert difference(image, expected) <= (declared != "RGB")


@pytest.mark.parametrize("declared", ["RGB", "YBR_FULL_422", "YBR_FULL", "YBR_ICT"])
def test_jpeg_2000_with_half_chroma(declared):
    pixels = builders.color(16, 16)
    image = loaded(HALF_CHROMA, pixels, uid.JPEG2000, PhotometricInterpretation=declared)
    assert difference(image, pixels) < 32
    assert image.encoding.codestream.photometric_interpretation == "YBR_FULL_422"
    assert bool(image.warnings) == (declared != "YBR_FULL_422")


def test_half_chroma_of_a_range_that_nothing_tells_is_refused():
    attributes = {"PhotometricInterpretation": "YBR_PARTIAL_420"}
    with pytest.raises(DecodeError, match=r"with half chroma; it is unknown which range"):
        loaded(HALF_CHROMA, builders.color(16, 16), uid.JPEG2000, **attributes)


def test_components_of_different_bits_are_refused():
    frame = bytearray(transformed("jpeg2k", is_on=False)[0])
    frame[45] = 6  # the second component's Ssiz (ISO 15444-1 Table A.9)
    with pytest.raises(DecodeError, match=r"have different bits, \(8, 7, 8\), or signs"):
        loaded(bytes(frame), RGB, uid.JPEG2000Lossless)


# ------------------------------------------------------------------ JPEG XL


@pytest.mark.parametrize("syntax", [JPEG_XL_LOSSLESS, JPEG_XL])
@pytest.mark.parametrize("pixels", [GREY8, GREY12, GREY16, RGB], ids=["8", "12", "16", "rgb"])
def test_jpeg_xl_lossless(syntax, pixels):
    bits = 12 if pixels is GREY12 else pixels.dtype.itemsize * 8
    frame = imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=bits)
    image = loaded(frame, pixels, syntax, BitsStored=bits)
    assert image.pixels.dtype == pixels.dtype
    assert np.array_equal(image.pixels, pixels)


def test_jpeg_xl_lossy():
    frame = imagecodecs.jpegxl_encode(RGB, distance=0.5)
    assert difference(loaded(frame, RGB, JPEG_XL), RGB) < 24


@pytest.mark.parametrize("pixels", [GREY8, RGB], ids=["grey", "colour"])
def test_jpeg_xl_of_what_was_jpeg(pixels):
    frame = jpeg(pixels)
    photometric = "YBR_FULL_422" if pixels is RGB else "MONOCHROME2"
    recompressed = imagecodecs.jpegxl_encode_jpeg(frame)
    image = loaded(
        recompressed, pixels, JPEG_XL_RECOMPRESSION, PhotometricInterpretation=photometric
    )
    expected = pillow(frame) if pixels is RGB else np.asarray(PIL.Image.open(io.BytesIO(frame)))
    assert difference(image, expected) <= 3


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_orientation_of_jpeg_xl_does_not_turn_the_image(orientation):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    frame = jpeg(GREY8, exif=exif)
    recompressed = imagecodecs.jpegxl_encode_jpeg(frame)
    image = loaded(recompressed, GREY8, JPEG_XL_RECOMPRESSION)
    assert difference(image, np.asarray(PIL.Image.open(io.BytesIO(frame)))) <= 2


def test_jpeg_xl_whose_colours_nothing_tells_is_refused():
    frame = imagecodecs.jpegxl_encode(RGB, lossless=True)
    with pytest.raises(
        DecodeError, match="unknown whether the samples had that before compression"
    ):
        loaded(frame, RGB, JPEG_XL_LOSSLESS, PhotometricInterpretation="YBR_FULL")
