"""Decoded samples to stored values: their bits and sign, and errors with a type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.parse import noting
from pyloader.errors import DecodeError, NetworkError, UnsupportedError
from pyloader.image import Codestream, PixelModule
from pyloader.pixels.compressed import (
    DecodedSamples,
    check_precision,
    check_supported,
    decode_compressed,
    raising_decode_errors,
    reinterpret_sign,
    to_stored_values,
)
from tests.support import builders
from tests.support.encoded import GREY8, GREY12, RGB, SIGNED

BASELINE = uid.JPEGBaseline8Bit


def described(bits_stored: int = 12, is_signed: int = 0, bits_allocated: int = 16) -> PixelModule:
    """Return the header's description of two pixels."""
    return PixelModule.of(
        np.zeros((1, 2), f"{'ui'[is_signed]}{bits_allocated // 8}"), bits_stored=bits_stored
    )


def codestream(bits: int | None, is_signed: bool | None = None) -> Codestream:
    """Return the description that a frame gives of itself."""
    return Codestream(str(uid.JPEG2000), 1, 2, 1, bits, is_signed, "MONOCHROME2")


def converted(
    pixels: Any, stream: Codestream, stored: PixelModule, *, is_lossy: bool = False
) -> tuple[DecodedSamples, list[str]]:
    """Return stored values and the warnings."""
    with noting() as notes:
        found = to_stored_values(np.array([pixels[0]], pixels[1]), "X", stream, stored, is_lossy)
    assert found.values.dtype.itemsize == stored.bits_allocated // 8
    assert found.values.dtype.kind == "ui"[stored.pixel_representation]
    return found, notes


# ------------------------------------------------------------------ frames


@pytest.mark.parametrize("syntax", [uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.HTJ2KLossless])
def test_stored_values_of_lossless_frames_are_exact(syntax):
    stored = PixelModule.of(GREY12, bits_stored=12)
    found = decode_compressed(builders.ENCODERS[syntax](GREY12), UID(syntax), stored, 0)
    assert_array_equal(found.values, GREY12)
    assert found.codestream is not None
    assert found.codestream.transfer_syntax_uid == syntax


def test_signed_frames_keep_their_sign():
    frame = imagecodecs.jpeg2k_encode(SIGNED, codecformat="J2K", reversible=True)
    found = decode_compressed(frame, uid.JPEG2000Lossless, PixelModule.of(SIGNED), 0)
    assert_array_equal(found.values, SIGNED)


def test_frames_of_another_transfer_syntax_are_decoded_as_that():
    with noting() as notes:
        frame = builders.ENCODERS[uid.JPEGLSLossless](GREY8)
        found = decode_compressed(frame, BASELINE, PixelModule.of(GREY8), 0)
    assert_array_equal(found.values, GREY8)
    assert "but the frame is JPEG-LS Lossless" in notes[0]


@pytest.mark.parametrize("samples", [0, 2, 4])
def test_other_numbers_of_samples_are_not_supported(samples):
    stored = replace(PixelModule.of(RGB), samples_per_pixel=samples)
    with pytest.raises(UnsupportedError, match=f"SamplesPerPixel is {samples}; 1 and 3 are"):
        decode_compressed(b"", BASELINE, stored, 0)


@pytest.mark.parametrize("frame", [b"", b"\xff\xd8\xff", bytes(100)])
def test_damage_is_named_by_frame_and_transfer_syntax(frame):
    with pytest.raises(DecodeError, match=r"frame 8, JPEG Baseline .*its bytes may be damaged"):
        decode_compressed(frame, BASELINE, PixelModule.of(RGB), 7)


def test_a_frame_of_another_size_is_refused():
    frame = builders.ENCODERS[BASELINE](GREY8)
    with pytest.raises(DecodeError, match=r"holds \(40, 48, 1\).*header says \(48, 40, 1\)"):
        decode_compressed(frame, BASELINE, PixelModule.of(GREY8.T), 0)


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize("error", [UnsupportedError("no"), NetworkError("no", "u")])
def test_errors_that_are_no_damage_pass(error):
    with pytest.raises(type(error)) as caught, raising_decode_errors(0, BASELINE):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "text"), [(RuntimeError(" broken "), ": broken;"), (MemoryError(), ": MemoryError;")]
)
def test_exceptions_of_codecs_are_decode_errors(error, text):
    with pytest.raises(DecodeError, match=text), raising_decode_errors(0, BASELINE):
        raise error


def test_videos_have_no_codec():
    check_supported(uid.JPEG2000)
    with pytest.raises(UnsupportedError, match=r"MPEG2 .* cannot be decoded; supported are"):
        check_supported(uid.MPEG2MPML)


# ------------------------------------------------------------------ bits


def test_values_that_fit_are_kept():
    found, notes = converted(([0, 4095], "u2"), codestream(16), described(12), is_lossy=True)
    assert (found.values.tolist(), found.stored.bits_stored) == ([[0, 4095]], 12)
    assert notes == []


def test_whole_words_are_read_as_native_ones():
    """The four highest bits are no part of the value: an overlay, or rubbish."""
    found, notes = converted(([0x8123, 0x0456], "u2"), codestream(16), described(12))
    assert found.values.tolist() == [[0x123, 0x456]]
    assert found.words is not None
    assert found.words.tolist() == [[0x8123, 0x0456]]
    assert "the others were left out" in notes[0]


def test_whole_words_have_their_sign_in_the_highest_stored_bit():
    found, _ = converted(([0x0FFF, 0x0001], "u2"), codestream(16), described(12, is_signed=1))
    assert found.values.tolist() == [[-1, 1]]


def test_lossy_values_beyond_bits_stored_are_kept_with_the_codestreams_bits():
    found, notes = converted(([0, 4100], "u2"), codestream(13), described(12), is_lossy=True)
    assert (found.stored.bits_stored, found.stored.high_bit) == (13, 12)
    assert found.values.tolist() == [[0, 4100]]
    assert "the codestream has 13 bits, and values from 0 to 4100; they were kept" in notes[0]


def test_lossless_values_beyond_bits_stored_are_refused():
    with pytest.raises(ValueError, match="13 bits and values from 0 to 4100"):
        converted(([0, 4100], "u2"), codestream(13), described(12))


@pytest.mark.parametrize(("stored", "size"), [(8, 1), (16, 2), (32, 4)])
def test_values_have_the_width_of_bits_allocated(stored, size):
    found, _ = converted(([1, 2], "u4"), codestream(2), described(stored, 0, stored))
    assert found.values.itemsize == size


@pytest.mark.parametrize(
    ("largest", "bits", "is_signed", "is_refused"),
    [
        (4095, 12, None, False),
        (4096, 12, None, True),
        (65535, 12, None, True),
        (65535, 16, None, False),
        (65535, 12, True, False),
        (65535, None, None, False),
    ],
)
def test_samples_beyond_the_codestreams_own_bits_are_damage(largest, bits, is_signed, is_refused):
    pixels = np.array([[0, largest]], "u2")
    if is_refused:
        with pytest.raises(ValueError, match=f"has {bits} bits, but has values up to {largest}"):
            check_precision(pixels, codestream(bits, is_signed))
    else:
        check_precision(pixels, codestream(bits, is_signed))


# ------------------------------------------------------------------ sign


@pytest.mark.parametrize("bits", [2, 7, 8, 12, 16])
def test_bits_are_read_again_with_another_sign(bits):
    signed = np.arange(-(1 << (bits - 1)), 1 << (bits - 1), dtype="i4").astype("i2")
    unsigned = (signed.astype("i4") & ((1 << bits) - 1)).astype("u2")
    assert_array_equal(reinterpret_sign(unsigned, bits, is_signed=True), signed)
    assert_array_equal(reinterpret_sign(signed, bits, is_signed=False), unsigned)


def test_an_encoding_without_a_sign_has_that_of_the_header():
    found, notes = converted(([4095, 5], "u2"), codestream(12, None), described(12, 1))
    assert (found.values.tolist(), notes) == ([[-1, 5]], [])


def test_another_sign_than_the_headers_is_noted():
    found, notes = converted(([4095, 5], "u2"), codestream(12, False), described(12, 1))
    assert found.values.tolist() == [[-1, 5]]
    assert "the codestream is without sign; its bits were taken as the header says" in notes[0]
    found, notes = converted(([-1, 5], "i2"), codestream(12, True), described(12, 0))
    assert found.values.tolist() == [[4095, 5]]
    assert "the codestream is signed" in notes[0]


def test_values_that_both_signs_have_need_no_note():
    found, notes = converted(([2047, 5], "u2"), codestream(12, False), described(12, 1))
    assert (found.values.tolist(), notes) == ([[2047, 5]], [])


@pytest.mark.parametrize("is_signed", [False, None])
def test_a_highest_bit_of_unknown_meaning_is_refused(is_signed):
    with pytest.raises(ValueError, match=r"meaning of values from 5 to 8191 is unknown"):
        converted(([8191, 5], "u2"), codestream(13, is_signed), described(12, 1), is_lossy=True)
