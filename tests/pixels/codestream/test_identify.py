"""Identify codestreams by their bytes: from each encoder, and never from native pixels."""

from __future__ import annotations

import random
import struct

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    HTJ2K,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pyloader.pixels.codestream.identify import MEDIA_TYPES, identify, media_type_syntax
from tests.support import builders, corpus

GREY = builders.ramp(40, 48, 12)
COLOR = builders.color(40, 48)
# The codestream does not distinguish them from HTJ2KLossless.
PLAIN = {HTJ2KLosslessRPCL: HTJ2KLossless}
BASELINE = builders.ENCODERS[JPEGBaseline8Bit](COLOR)
LOSSLESS_2000 = builders.ENCODERS[JPEG2000Lossless](GREY)


def grey(syntax: str) -> np.ndarray:
    """Return a grey image that a transfer syntax's encoder accepts."""
    return builders.ramp(40, 48, 8 if syntax == JPEGBaseline8Bit else 12)


FRAMES = {syntax: encode(grey(syntax)) for syntax, encode in builders.ENCODERS.items()}
FRAMES[RLELossless] = builders.rle_encode_frame(COLOR)
# Files of JPEG 2000, which allows the reversible transformation too.
REVERSIBLE = ("693_J2KI.dcm", "SC_rgb_gdcm_KY.dcm")

# ------------------------------------------------------------------ encoders


@pytest.mark.parametrize("syntax", builders.ENCODERS)
def test_grey(syntax):
    found = identify(FRAMES[syntax])
    assert found == PLAIN.get(UID(syntax), syntax)
    assert type(found) is UID


@pytest.mark.parametrize("syntax", [each for each in builders.COLOR if each in builders.ENCODERS])
def test_color(syntax):
    assert identify(builders.ENCODERS[syntax](COLOR)) == PLAIN.get(UID(syntax), syntax)


@pytest.mark.parametrize("pixels", [GREY, COLOR, GREY.astype("u1"), np.zeros((2, 2), "u1")])
def test_rle(pixels):
    assert identify(builders.rle_encode_frame(pixels)) == RLELossless


@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_jpeg_by_its_predictor(predictor):
    frame = imagecodecs.jpeg8_encode(GREY, lossless=True, predictor=predictor, bitspersample=12)
    assert identify(frame) == (JPEGLosslessSV1 if predictor == 1 else JPEGLossless)


def test_extended_jpeg_of_12_bits():
    assert identify(builders.ENCODERS[JPEGExtended12Bit](GREY)) == JPEGExtended12Bit


def test_progressive_jpeg():
    """No encoder here makes one, so change the marker of the frame header."""
    place = BASELINE.index(b"\xff\xc0")
    frame = BASELINE[:place] + b"\xff\xc2" + BASELINE[place + 2 :]
    assert identify(frame) == "1.2.840.10008.1.2.4.55"


@pytest.mark.parametrize("marker", [0xC5, 0xC9, 0xCB])
def test_jpeg_of_other_processes(marker):
    place = BASELINE.index(b"\xff\xc0")
    assert identify(BASELINE[:place] + bytes([0xFF, marker]) + BASELINE[place + 2 :]) is None


def test_fill_bytes_before_a_marker():
    place = BASELINE.index(b"\xff\xc0")
    assert identify(BASELINE[:place] + b"\xff\xff\xff" + BASELINE[place:]) == JPEGBaseline8Bit


@pytest.mark.parametrize("level", [0, 1, 3])
def test_jpeg_ls_by_near(level):
    expected = "1.2.840.10008.1.2.4.81" if level else JPEGLSLossless
    assert identify(imagecodecs.jpegls_encode(COLOR, level=level)) == expected


@pytest.mark.parametrize("reversible", [True, False])
def test_jp2_file(reversible):
    frame = imagecodecs.jpeg2k_encode(GREY, 90, codecformat="JP2", reversible=reversible)
    assert frame.startswith(b"\0\0\0\x0cjP  ")
    assert identify(frame) == f"1.2.840.10008.1.2.4.9{0 if reversible else 1}"


def box(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """Return a box of a JP2 file."""
    return struct.pack(">L4s", 8 + len(content) if length is None else length, kind) + content


SIGNATURE = box(b"jP  ", b"\r\n\x87\n")


@pytest.mark.parametrize(
    "boxes",
    [
        box(b"jp2c", LOSSLESS_2000),
        box(b"jp2c", LOSSLESS_2000, length=0),
        box(b"jp2c", struct.pack(">Q", 16 + len(LOSSLESS_2000)) + LOSSLESS_2000, length=1),
        box(b"free", struct.pack(">Q", 20) + b"abcd", length=1) + box(b"jp2c", LOSSLESS_2000),
    ],
    ids=["plain", "to the end", "extended", "after an extended one"],
)
def test_lengths_of_boxes(boxes):
    assert identify(SIGNATURE + box(b"ftyp", b"jp2 ") + boxes) == JPEG2000Lossless


@pytest.mark.parametrize("boxes", [b"", box(b"free", b"", 0), box(b"free", b"", 7), b"\0" * 40])
def test_boxes_without_a_codestream(boxes):
    assert identify(SIGNATURE + boxes) is None


@pytest.mark.parametrize("start", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_jpeg_xl(start):
    assert identify(start + b"\xfa\x7f\x01\x90") == "1.2.840.10008.1.2.4.110"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", corpus.images())
def test_frames_of_files(name):
    """Each frame has the transfer syntax of its file."""
    dataset = dcmread(corpus.DATA / name, force=True)
    syntax = dataset.file_meta.get("TransferSyntaxUID", UID("1.2.840.10008.1.2"))
    if not syntax.is_encapsulated:
        assert identify(dataset.PixelData) is None
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    frame = next(generate_frames(dataset.PixelData, number_of_frames=count))
    assert identify(frame) == (JPEG2000Lossless if name in REVERSIBLE else syntax)


# ------------------------------------------------------------------ none


@pytest.mark.parametrize("syntax", FRAMES)
def test_frame_that_is_cut_off(syntax):
    """Identify it as the whole frame, or not at all; never raise."""
    frame = FRAMES[syntax]
    for length in range(min(len(frame), 700)):
        assert identify(frame[:length]) in (None, identify(frame))


@pytest.mark.parametrize("syntax", FRAMES)
def test_frame_that_is_damaged(syntax):
    """Never raise: the decoder reports the damage."""
    frame = FRAMES[syntax]
    chance = random.Random(3)
    for _ in range(300):
        damaged = bytearray(frame)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(min(len(frame), 200))] = chance.randrange(256)
        identify(bytes(damaged))


@pytest.mark.parametrize(
    "pixels",
    [
        GREY,
        COLOR,
        builders.ramp(64, 64, 16, signed=True),
        np.zeros((64, 64), "u2"),
        np.full((64, 64), 0xFFFF, "u2"),
        np.arange(4096, dtype="u4"),
        np.arange(1, 4096, dtype="u4") * 64,
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_native_pixels_are_no_codestream(pixels, order):
    assert identify(pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()) is None


def test_random_bytes_are_no_codestream():
    chance = random.Random(1)
    jpeg_xl = 0
    for _ in range(20_000):
        frame = chance.randbytes(chance.randrange(200))
        found = identify(frame)
        jpeg_xl += found is not None
        assert found is None or frame.startswith(b"\xff\x0a")
    assert jpeg_xl < 5


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xc0"])
def test_random_bytes_after_a_start(start):
    chance = random.Random(2)
    for _ in range(5000):
        assert identify(start + chance.randbytes(chance.randrange(400))) is None


def rle_header(*numbers: int, size: int = 100) -> bytes:
    """Return an RLE frame: the number of segments, their offsets, and zeros."""
    return struct.pack(f"<{len(numbers)}L", *numbers).ljust(size, b"\0")


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (rle_header(1, 64), RLELossless),
        (rle_header(3, 64, 70, 99), RLELossless),
        (rle_header(15, *range(64, 79)), RLELossless),
        (rle_header(1, 64, size=65), RLELossless),
        (rle_header(1, 64, size=64), None),
        (rle_header(0, 64), None),
        (rle_header(16, *range(64, 79)), None),
        (rle_header(1, 65), None),
        (rle_header(2, 64, 64), None),
        (rle_header(2, 64), None),
        (rle_header(3, 64, 80, 70), None),
        (rle_header(2, 64, 100), None),
        (b"", None),
    ],
)
def test_rle_headers(frame, expected):
    assert identify(frame) == expected


# ------------------------------------------------------------------ media types


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("image/jpeg", JPEGBaseline8Bit),
        ("image/jls", JPEGLSLossless),
        ("image/jp2", JPEG2000Lossless),
        ("image/jpx", "1.2.840.10008.1.2.4.92"),
        ("image/jphc", HTJ2KLossless),
        ("image/jxl", "1.2.840.10008.1.2.4.110"),
        ("image/dicom-rle", RLELossless),
        ("image/x-dicom-rle", RLELossless),
        ("application/x-deflate", "1.2.840.10008.1.2.8.1"),
        (" Image/JPEG ; x=1", JPEGBaseline8Bit),
        ("application/octet-stream", None),
        ("application/dicom", None),
        ("image/png", None),
        ("", None),
    ],
)
def test_media_types(media_type, expected):
    assert media_type_syntax(media_type) == expected


def test_media_types_are_sorted():
    assert list(MEDIA_TYPES) == sorted(MEDIA_TYPES)
    assert HTJ2K not in MEDIA_TYPES.values()
