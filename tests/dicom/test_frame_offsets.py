"""Offsets of frames within the pixel data: arithmetic, offset tables, items (PS3.5 A.4)."""

from __future__ import annotations

from struct import pack

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from pyloader.dicom.fragments import Span
from pyloader.dicom.frame_offsets import is_beginning, native_span
from pyloader.dicom.part10 import PixelHeader
from pyloader.errors import FormatError
from pyloader.image import PixelModule
from tests.support import builders
from tests.support.fragments import instance, item

# ------------------------------------------------------------------ native


def place(pixels: np.ndarray, index: int, syntax: str, vr: str) -> Span | None:
    """Return the byte range of a frame like `pixels`, in pixel data that begin at byte 100."""
    header = PixelHeader("PixelData", vr, 100, 1 << 20)
    return native_span(instance(syntax=syntax), header, PixelModule.of(pixels), index)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (builders.ramp(4, 5), Span(100 + 3 * 40, 100 + 4 * 40)),
        (builders.ramp(3, 5, 8), Span(100 + 3 * 15, 100 + 4 * 15)),
        (builders.color(4, 5), Span(100 + 3 * 60, 100 + 4 * 60)),
    ],
)
def test_native_frame(pixels, expected):
    assert place(pixels, 3, ExplicitVRLittleEndian, "OW") == expected


@pytest.mark.parametrize(
    ("columns", "vr", "is_apart"), [(6, "OW", True), (5, "OW", False), (5, "OB", True)]
)
def test_native_frame_of_bytes_in_swapped_words(columns, vr, is_apart):
    """Two frames of an odd number of bytes share a word, whose bytes are swapped."""
    found = place(builders.ramp(3, columns, 8), 1, ExplicitVRBigEndian, vr)
    assert (found is not None) is is_apart


def test_native_frame_of_bits():
    header = PixelHeader("PixelData", "OB", 100, 1 << 20)

    def bits(columns: int) -> Span | None:
        pixel = PixelModule.of(np.zeros((4, columns), "u1"), bits_allocated=1)
        return native_span(instance(syntax=ExplicitVRLittleEndian), header, pixel, 2)

    assert bits(6) == Span(100 + 2 * 3, 100 + 3 * 3)
    assert bits(5) is None


# ------------------------------------------------------------------ items


@pytest.mark.parametrize(
    ("syntax", "fragment", "expected"),
    [
        (JPEGLSLossless, b"\xff\xd8\xff\xf7", True),
        (JPEGBaseline8Bit, b"\xff\xd8\xff\xe0", True),
        (JPEG2000Lossless, b"\xff\x4f\xff\x51", True),
        (JPEG2000Lossless, b"\0\0\0\x0cjP  \r\n", True),
        (JPEGBaseline8Bit, b"\xd8\xff", False),
        (JPEGBaseline8Bit, b"", False),
        (RLELossless, pack("<3L", 2, 64, 70), True),
        (RLELossless, pack("<3L", 1, 64, 0), True),
    ],
)
def test_fragment_that_begins_a_frame(syntax, fragment, expected):
    found = is_beginning(instance(syntax=syntax), item(fragment), len(fragment))
    assert found is expected


PLAIN, DEFLATED = UID("1.2.840.10008.1.2.1.98"), UID("1.2.840.10008.1.2.8.1")


@pytest.mark.parametrize(
    ("syntax", "fragment"),
    [
        (RLELossless, pack("<3L", 2, 60, 70)),
        (RLELossless, pack("<3L", 3, 64, 64)),
        (RLELossless, pack("<3L", 16, 64, 70)),
        (RLELossless, b"\1\0\0\0"),
        (PLAIN, bytes(10)),
        (DEFLATED, bytes(10)),
    ],
)
def test_fragment_that_may_be_part_of_a_frame(syntax, fragment):
    with pytest.raises(
        FormatError, match=f"a fragment of {len(fragment)} bytes may not be a whole fr"
    ):
        is_beginning(instance(syntax=syntax), item(fragment), len(fragment))
