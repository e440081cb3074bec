"""Bits and signs of a codestream that its header contradicts."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import JPEG_XL_LOSSLESS
from pyloader.errors import DecodeError
from tests.support import builders
from tests.support.encoded import (
    GREY8,
    GREY12,
    GREY16,
    SIGNED,
    SIGNED12,
    difference,
    jpeg_ls_of,
    loaded,
)


def coded_2000(pixels: np.ndarray, bits: int) -> bytes:
    """Encode JPEG 2000, signed as the array is."""
    frame = imagecodecs.jpeg2k_encode(
        pixels, codecformat="J2K", reversible=True, bitspersample=bits
    )
    assert frame[42] == bits - 1 + 128 * (pixels.dtype.kind == "i")
    return bytes(frame)


@pytest.mark.parametrize("bits", [12, 16])
def test_jpeg_2000_that_codes_signed_values_as_unsigned(bits):
    pixels = SIGNED if bits == 16 else SIGNED12
    frame = coded_2000(pixels.view("u2") & ((1 << bits) - 1), bits)
    image = loaded(frame, pixels, uid.JPEG2000Lossless, BitsStored=bits)
    assert np.array_equal(image.pixels, pixels)
    assert image.warnings[0].startswith(
        "(0028,0103) PixelRepresentation is 1, the codestream is wi"
    )
    assert image.encoding.codestream.is_signed is False


@pytest.mark.parametrize("bits", [12, 16])
def test_jpeg_2000_that_codes_unsigned_values_as_signed(bits):
    pixels = GREY16 if bits == 16 else GREY12
    words = np.left_shift(pixels.view("i2"), 16 - bits) >> (16 - bits)
    image = loaded(coded_2000(words, bits), pixels, uid.JPEG2000Lossless, BitsStored=bits)
    assert np.array_equal(image.pixels, pixels)
    assert "PixelRepresentation is 0, the codestream is signed" in image.warnings[0]


def test_sign_that_agrees_is_not_noted():
    image = loaded(coded_2000(SIGNED12, 12), SIGNED12, uid.JPEG2000Lossless, BitsStored=12)
    assert np.array_equal(image.pixels, SIGNED12)
    assert image.warnings == ()
    found = image.encoding.codestream
    assert (found.bits, found.is_signed, found.rows, found.columns) == (12, True, 40, 48)


@pytest.mark.parametrize("kind", ["jpeg_2000", "jpeg_ls", "jpeg_lossless"])
def test_codestream_of_fewer_bits_than_the_header_says(kind):
    frame, syntax = coded(kind, GREY12)
    image = loaded(frame, GREY12, syntax, BitsStored=16)
    assert np.array_equal(image.pixels, GREY12)


def coded(kind: str, pixels: np.ndarray) -> tuple[bytes, UID]:
    """Encode 12 bits without loss."""
    if kind == "jpeg_2000":
        return coded_2000(pixels, 12), uid.JPEG2000Lossless
    syntax = uid.JPEGLSLossless if kind == "jpeg_ls" else uid.JPEGLosslessSV1
    return imagecodecs_lossless(pixels, syntax), syntax


def imagecodecs_lossless(pixels: np.ndarray, syntax: UID) -> bytes:
    """Encode JPEG-LS or lossless JPEG of 12 bits."""
    if syntax == uid.JPEGLSLossless:
        return jpeg_ls_of(pixels, 12)
    return imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=12)


@pytest.mark.parametrize("kind", ["jpeg_2000", "jpeg_ls", "jpeg_lossless"])
def test_sign_that_nothing_tells_is_refused(kind):
    """12 bits whose highest is set, in a signed image of 16: a number or its complement."""
    frame, syntax = coded(kind, GREY12)
    with pytest.raises(DecodeError, match=r"the codestream has 12 bits, without sign, the header "):
        loaded(frame, GREY12.view("i2"), syntax, BitsStored=16)


@pytest.mark.parametrize("kind", ["jpeg_2000", "jpeg_ls", "jpeg_lossless"])
def test_more_bits_than_are_stored_are_refused_when_they_are_used(kind):
    frame, syntax = coded(kind, GREY12)
    with pytest.raises(DecodeError, match=r"has 12 bits and values from 20 to 4095, \(0028,0101\)"):
        loaded(frame, GREY12, syntax, BitsStored=10)
    frame, syntax = coded(kind, np.maximum(GREY12 >> 2, 1))
    image = loaded(frame, GREY12, syntax, BitsStored=10)
    assert np.array_equal(image.pixels, np.maximum(GREY12 >> 2, 1))


def test_more_bits_than_are_stored_are_kept_of_a_lossy_codestream():
    image = loaded(coded_2000(GREY12, 12), GREY12, uid.JPEG2000, BitsStored=10)
    assert np.array_equal(image.pixels, GREY12)
    assert image.pixel.bits_stored == 12
    assert (
        "BitsStored is 10, the codestream has 12 bits, and values from 20 to" in image.warnings[0]
    )


@pytest.mark.parametrize("kind", ["jpeg_ls", "jpeg_2000"])
def test_bits_beside_the_value_are_left_out_as_in_native_words(kind):
    """A lossless codestream of whole words has what native pixels have."""
    words = GREY12 | 0x5000
    frame = imagecodecs.jpegls_encode(words) if kind == "jpeg_ls" else coded_2000(words, 16)
    syntax = uid.JPEGLSLossless if kind == "jpeg_ls" else uid.JPEG2000Lossless
    image = loaded(frame, GREY12, syntax, BitsStored=12)
    assert np.array_equal(image.pixels, GREY12)
    assert (
        "has all 16 bits of a word, (0028,0101) BitsStored is 12; the others" in image.warnings[0]
    )


@pytest.mark.parametrize("near", [0, 2])
def test_whole_words_of_a_near_lossless_codestream_keep_their_sign(near):
    pixels = np.clip(SIGNED12, -2000, 2000)
    frame = jpeg_ls_of(pixels.view("u2"), 16, near)
    image = loaded(frame, pixels, uid.JPEGLSNearLossless, BitsStored=12)
    assert difference(image, pixels) <= near


def test_lossless_jpeg_beyond_its_own_bits_is_refused():
    """Differences are added modulo 65536, so that a codestream may say 12 bits and have 16."""
    frame = imagecodecs.jpeg8_encode(GREY16, lossless=True, predictor=1, bitspersample=16)
    place = frame.index(b"\xff\xc3") + 4
    assert frame[place] == 16
    frame = frame[:place] + b"\x0c" + frame[place + 1 :]
    with pytest.raises(DecodeError, match=r"says that it has 12 bits, but has values up to 65\d+"):
        loaded(frame, GREY16, uid.JPEGLosslessSV1)


def test_more_bits_than_are_allocated_are_refused():
    frame = builders.ENCODERS[uid.JPEG2000Lossless](GREY16)
    with pytest.raises(
        DecodeError, match=r"has 16 bits per sample, \(0028,0100\) BitsAllocated is 8"
    ):
        loaded(frame, GREY8, uid.JPEG2000Lossless)


@pytest.mark.parametrize(
    "syntax",
    [*builders.COMPRESSED, JPEG_XL_LOSSLESS],
    ids=lambda syntax: UID(syntax).keyword,
)
def test_size_that_disagrees_with_the_header_is_refused(syntax):
    pixels = GREY12 if syntax == uid.JPEGExtended12Bit else GREY8
    encoder = {
        uid.RLELossless: builders.rle_encode_frame,
        JPEG_XL_LOSSLESS: imagecodecs.jpegxl_encode,
    }.get(UID(syntax)) or builders.ENCODERS[syntax]
    with pytest.raises(DecodeError, match=r"the header says|were expected|bytes: the frame is cut"):
        loaded(encoder(pixels), np.vstack([pixels, pixels[:4]]), syntax)
