"""One rule for each contradiction of a frame and its file's header, and a warning."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.parse import noting
from pyloader.dicom.transfer_syntaxes import (
    HTJ2K_PRIVATE,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
)
from pyloader.image import Codestream, PixelModule
from pyloader.pixels.codestream.consistency import (
    check_agreement,
    choose_color,
    choose_jpeg_2000_color,
    choose_syntax,
    read_jpeg_2000_stream,
    read_jpeg_stream,
    read_jpeg_xl_stream,
    read_plain,
)
from pyloader.pixels.codestream.jpeg import JpegHeader, read_jpeg
from pyloader.pixels.codestream.jpeg_2000 import Jpeg2000Header, read_jpeg_2000
from tests.support import builders
from tests.support.encoded import GREY8, GREY12, RGB, jpeg

COLOR = PixelModule.of(RGB)
FRAMES = {
    uid.JPEGBaseline8Bit: jpeg(RGB),
    JPEG_PROGRESSIVE: jpeg(RGB, progressive=True),
    uid.JPEGLosslessSV1: builders.ENCODERS[uid.JPEGLosslessSV1](GREY12),
    uid.JPEGLossless: builders.ENCODERS[uid.JPEGLossless](GREY12),
    uid.JPEGLSLossless: builders.ENCODERS[uid.JPEGLSLossless](GREY12),
    uid.JPEGLSNearLossless: builders.ENCODERS[uid.JPEGLSNearLossless](GREY12),
    uid.JPEG2000Lossless: builders.ENCODERS[uid.JPEG2000Lossless](GREY12),
    uid.JPEG2000: builders.ENCODERS[uid.JPEG2000](GREY12),
    uid.HTJ2KLossless: builders.ENCODERS[uid.HTJ2KLossless](GREY12),
    uid.HTJ2K: builders.ENCODERS[uid.HTJ2K](GREY12),
    JPEG_XL_LOSSLESS: imagecodecs.jpegxl_encode(GREY8, lossless=True),
}


# ------------------------------------------------------------------ transfer syntax


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        *((syntax, syntax) for syntax in FRAMES),
        (uid.JPEGExtended12Bit, uid.JPEGBaseline8Bit),
        (JPEG_SPECTRAL, JPEG_PROGRESSIVE),
        (uid.JPEGLossless, uid.JPEGLosslessSV1),
        (uid.JPEGLSNearLossless, uid.JPEGLSLossless),
        (uid.JPEG2000, uid.JPEG2000Lossless),
        (uid.HTJ2K, uid.HTJ2KLossless),
        (uid.HTJ2KLosslessRPCL, uid.HTJ2KLossless),
        (HTJ2K_PRIVATE, uid.HTJ2K),
        (JPEG_XL, JPEG_XL_LOSSLESS),
        (JPEG_XL_RECOMPRESSION, JPEG_XL_LOSSLESS),
    ],
    ids=str,
)
def test_frames_that_the_transfer_syntax_allows(declared, found):
    with warnings.catch_warnings(action="error"):
        assert choose_syntax(FRAMES[found], UID(declared)) == declared


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (uid.JPEGBaseline8Bit, JPEG_PROGRESSIVE),
        (uid.JPEGLosslessSV1, uid.JPEGLossless),
        (uid.JPEGLSLossless, uid.JPEGLSNearLossless),
        (uid.JPEG2000Lossless, uid.JPEG2000),
        (uid.JPEG2000, uid.HTJ2KLossless),
        (uid.RLELossless, uid.JPEGBaseline8Bit),
        (uid.JPEGBaseline8Bit, JPEG_XL_LOSSLESS),
    ],
)
def test_frames_that_it_does_not_allow_are_decoded_as_what_they_are(declared, found):
    with noting() as notes:
        assert choose_syntax(FRAMES[found], UID(declared)) == found
    (note,) = notes
    assert f"({declared}), but the frame is " in note
    assert f"({found}); it was decoded as that" in note


def test_frames_that_nothing_identifies_are_what_the_file_says():
    assert choose_syntax(b"nothing known", uid.RLELossless) == uid.RLELossless


# ------------------------------------------------------------------ size and bits


def codestream(**changes: Any) -> Codestream:
    """Return what a frame that agrees with `COLOR` says."""
    found = Codestream(str(uid.JPEGBaseline8Bit), 40, 48, 3, 8, None, "RGB")
    return replace(found, **changes)


def test_size_and_samples_agree():
    check_agreement(codestream(), COLOR)
    check_agreement(codestream(bits=None), COLOR)
    check_agreement(codestream(bits=5), COLOR)
    for changes in ({"rows": 48, "columns": 40}, {"samples_per_pixel": 1}):
        with pytest.raises(ValueError, match=r"holds .* the header says \(40, 48, 3\)"):
            check_agreement(codestream(**changes), COLOR)
    with pytest.raises(ValueError, match=r"has 9 bits per sample, .* is 8"):
        check_agreement(codestream(bits=9), COLOR)


def test_rle_is_what_the_header_says():
    stored = replace(PixelModule.of(GREY12), bits_stored=12, high_bit=11)
    found = read_plain(b"", uid.RLELossless, stored)
    assert (found.rows, found.columns, found.bits, found.is_signed) == (40, 48, 16, None)


# ------------------------------------------------------------------ colours of JPEG


def jpeg_header(**changes: Any) -> JpegHeader:
    """Return the header of three components without any sign of their colours."""
    plain = {"adobe_transform": None, "is_jfif": False, "sampling": (0x11,) * 3}
    return replace(read_jpeg(jpeg(RGB)), **(plain | changes))


SAYS_YBR = [{"adobe_transform": 1}, {"sampling": (0x22, 0x11, 0x11)}, {"is_jfif": True}]
SAYS_RGB = [{"adobe_transform": 0}, {"components": b"RGB"}, {"components": b"rgb", "is_jfif": True}]


@pytest.mark.parametrize("changes", SAYS_YBR)
@pytest.mark.parametrize("declared", ["YBR_FULL", "YBR_FULL_422"])
def test_ybr_that_the_header_says_too_is_kept(changes, declared):
    assert choose_color(jpeg_header(**changes), declared) == declared


@pytest.mark.parametrize(
    ("changes", "declared", "expected"),
    [
        *((each, "RGB", "YBR_FULL_422") for each in SAYS_YBR),
        *((each, "YBR_RCT", "YBR_FULL_422") for each in SAYS_YBR),
        *((each, "YBR_FULL_422", "RGB") for each in SAYS_RGB),
        *((each, "MONOCHROME2", "RGB") for each in SAYS_RGB),
    ],
)
def test_the_codestreams_colours_count_with_a_warning(changes, declared, expected):
    with noting() as notes:
        assert choose_color(jpeg_header(**changes), declared) == expected
    assert f"is {declared!r}, but the codestream is {expected} by " in notes[0]


def test_luminance_of_jfif_has_the_full_range():
    declared = "YBR_PARTIAL_422"
    assert choose_color(jpeg_header(is_jfif=True), declared) == "YBR_FULL"
    assert choose_color(jpeg_header(adobe_transform=1), declared) == declared


@pytest.mark.parametrize("declared", ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422"])
def test_the_header_counts_where_the_codestream_says_nothing(declared):
    assert choose_color(jpeg_header(), declared) == declared


@pytest.mark.parametrize("declared", ["YBR_RCT", "YBR_ICT", "MONOCHROME2", ""])
def test_colours_that_nothing_tells_are_refused(declared):
    with pytest.raises(ValueError, match="does not say what its three components are"):
        choose_color(jpeg_header(), declared)


def test_rgb_of_half_chroma_is_refused():
    contradiction = jpeg_header(adobe_transform=0, sampling=(0x21, 0x11, 0x11))
    with pytest.raises(ValueError, match="the colours are RGB, but two of them have fewer"):
        choose_color(contradiction, "RGB")


@pytest.mark.parametrize("process", [0xC3, 0xF7])
def test_lossless_processes_have_no_colour_transformation(process):
    found = jpeg_header(process=process, is_jfif=True)
    for declared in ("RGB", "YBR_FULL", "MONOCHROME2"):
        assert choose_color(found, declared) == declared
    adobe = replace(found, adobe_transform=1)
    assert choose_color(adobe, "YBR_FULL") == "YBR_FULL"
    with pytest.raises(ValueError, match="unknown which is right"):
        choose_color(adobe, "RGB")


def test_grey_has_the_headers_interpretation():
    stored = replace(PixelModule.of(GREY8), photometric_interpretation="MONOCHROME1")
    found = read_jpeg_stream(jpeg(GREY8), uid.JPEGBaseline8Bit, stored)
    assert found.photometric_interpretation == "MONOCHROME1"
    assert (found.bits, found.is_signed, found.samples_per_pixel) == (8, None, 1)


# ------------------------------------------------------------------ JPEG 2000


def header_2000(**changes: Any) -> Jpeg2000Header:
    """Return the header of three components, each whole and not transformed."""
    plain = read_jpeg_2000(imagecodecs.jpeg2k_encode(RGB, mct=False, codecformat="J2K"))
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("changes", "declared", "expected", "is_noted"),
    [
        ({"has_transform": True, "is_reversible": True}, "YBR_RCT", "YBR_RCT", False),
        ({"has_transform": True, "is_reversible": False}, "YBR_ICT", "YBR_ICT", False),
        ({"has_transform": True, "is_reversible": True}, "YBR_ICT", "YBR_RCT", True),
        ({"has_transform": True, "is_reversible": False}, "RGB", "YBR_ICT", True),
        ({}, "RGB", "RGB", False),
        ({}, "YBR_RCT", "RGB", True),
        ({}, "YBR_ICT", "RGB", True),
        ({}, "YBR_FULL", "YBR_FULL", False),
        ({}, "YBR_FULL_422", "YBR_FULL", False),
        ({}, "YBR_PARTIAL_420", "YBR_PARTIAL_420", False),
        ({"is_subsampled": True}, "YBR_FULL_422", "YBR_FULL_422", False),
        ({"is_subsampled": True}, "RGB", "YBR_FULL_422", True),
    ],
)
def test_the_component_transformation_decides(changes, declared, expected, is_noted):
    with noting() as notes:
        assert choose_jpeg_2000_color(header_2000(**changes), declared) == expected
    assert bool(notes) is is_noted


def test_half_chroma_of_a_partial_range_is_refused():
    with pytest.raises(ValueError, match="unknown which range"):
        choose_jpeg_2000_color(header_2000(is_subsampled=True), "YBR_PARTIAL_422")


@pytest.mark.parametrize("depth", [b"\x07\x07\x08", b"\x07\x87\x07"])
def test_components_of_different_bits_or_signs_are_refused(depth):
    frame = bytearray(imagecodecs.jpeg2k_encode(RGB, mct=False, codecformat="J2K"))
    place = frame.index(b"\xff\x51") + 4 + 36
    frame[place : place + 9 : 3] = depth
    with pytest.raises(ValueError, match="the components have different bits"):
        read_jpeg_2000_stream(bytes(frame), uid.JPEG2000, COLOR)


def test_sign_and_bits_are_those_of_the_codestream():
    pixels = builders.ramp(40, 48, 16, signed=True)
    frame = imagecodecs.jpeg2k_encode(pixels, codecformat="J2K", reversible=True)
    found = read_jpeg_2000_stream(frame, uid.JPEG2000Lossless, PixelModule.of(pixels))
    assert (found.bits, found.is_signed) == (16, True)


# ------------------------------------------------------------------ JPEG XL


@pytest.mark.parametrize(
    ("syntax", "declared", "expected"),
    [
        (JPEG_XL, "RGB", "RGB"),
        (JPEG_XL, "XYB", "RGB"),
        (JPEG_XL_RECOMPRESSION, "YBR_FULL_422", "RGB"),
    ],
)
def test_colours_of_jpeg_xl_are_decoded_to_rgb(syntax, declared, expected):
    frame = imagecodecs.jpegxl_encode(RGB, lossless=True)
    stored = replace(COLOR, photometric_interpretation=declared)
    found = read_jpeg_xl_stream(frame, syntax, stored)
    assert found.photometric_interpretation == expected
    assert (found.rows, found.columns, found.bits) == (40, 48, None)


def test_ybr_of_jpeg_xl_is_refused():
    stored = replace(COLOR, photometric_interpretation="YBR_FULL")
    with pytest.raises(ValueError, match="or are RGB"):
        read_jpeg_xl_stream(imagecodecs.jpegxl_encode(RGB, lossless=True), JPEG_XL, stored)


def test_grey_of_jpeg_xl_keeps_its_interpretation():
    stored = replace(PixelModule.of(np.asarray(GREY8)), photometric_interpretation="MONOCHROME1")
    found = read_jpeg_xl_stream(FRAMES[JPEG_XL_LOSSLESS], JPEG_XL, stored)
    assert found.photometric_interpretation == "MONOCHROME1"
