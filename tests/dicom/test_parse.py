"""Files to instances: locate the pixel data without decoding them."""

from __future__ import annotations

import struct

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

from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.parse import parse_beginning, parse_part10
from pyloader.errors import FormatError
from tests.support import builders
from tests.support.instances import PIXELS, assert_native


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_native(syntax):
    instance = parse_part10(builders.native(PIXELS, syntax))
    assert_native(instance)
    assert instance.transfer_syntax_uid == syntax
    assert instance.dataset.Rows == 16
    assert "PixelData" not in instance.dataset
    assert instance.warnings == ()


def test_big_endian():
    instance = parse_part10(builders.native(PIXELS, ExplicitVRBigEndian))
    assert_native(instance, order=">")
    assert instance.transfer_syntax_uid == ExplicitVRBigEndian


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_file_without_meta(syntax):
    instance = parse_part10(builders.bare(builders.native(PIXELS, syntax)))
    assert_native(instance)
    assert instance.transfer_syntax_uid == syntax


def test_value_is_a_view_of_the_file():
    body = builders.native(PIXELS)
    instance = parse_part10(body)
    assert instance.pixels is not None
    assert instance.pixels.body is body
    assert instance.pixels.value.obj is body


def test_nbytes_are_those_of_the_file():
    body = builders.native(PIXELS)
    assert parse_part10(body).nbytes == len(body)


def test_instance_without_pixels():
    dataset = builders.header(PIXELS)
    instance = parse_part10(builders.part10(dataset, ExplicitVRLittleEndian))
    assert instance.pixels is None
    assert instance.nbytes == 0


# ------------------------------------------------------------------ encapsulated


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_undefined_length_reaches_to_the_end(syntax):
    body = builders.encode(PIXELS, syntax)
    pixels = parse_part10(body).pixels
    assert pixels is not None
    assert bytes(pixels.value[:4]) == b"\xfe\xff\x00\xe0"  # the item of the offset table
    assert bytes(pixels.value[-8:-4]) == b"\xfe\xff\xdd\xe0"  # the sequence delimiter
    assert (pixels.vr, pixels.stop, pixels.missing) == ("OB", len(body), 0)


# ------------------------------------------------------------------ cut off


@pytest.mark.parametrize("count", [0, 1, 100, PIXELS.nbytes])
def test_missing_bytes_are_counted(count):
    body = builders.native(PIXELS)
    pixels = parse_part10(body[: len(body) - count]).pixels
    assert pixels is not None
    assert pixels.missing == count
    assert len(pixels.value) == PIXELS.nbytes - count


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_file_that_ends_within_the_header_of_its_pixel_data(syntax):
    body = builders.native(PIXELS, syntax)
    start = body.index(b"\xe0\x7f\x10\x00")
    for stop in range(start, len(body) - PIXELS.nbytes):
        assert parse_beginning(body[:stop]) is None, "more of it is fetched"
        if stop == start:
            assert parse_part10(body[:stop]).pixels is None
            continue
        expected = rf"cut off after \(0028,0103\) PixelRepresentation, at byte {stop}: .* again"
        with pytest.raises(CutOffError, match=expected):
            parse_part10(body[:stop])


def test_smallest_image_at_the_end_of_a_file():
    body = builders.native(np.array([[7]], "u2"), ImplicitVRLittleEndian)
    pixels = parse_part10(body).pixels
    assert pixels is not None
    assert bytes(pixels.value) == b"\7\0"


def test_deflated_data_set_that_would_take_all_memory():
    with pytest.raises(
        FormatError, match=r"inflates to more than the 100 that .*limits.decodedBytes"
    ):
        parse_part10(builders.native(PIXELS, DeflatedExplicitVRLittleEndian), most_bytes=100)


def test_trailing_bytes_are_no_pixels():
    instance = parse_part10(builders.native(PIXELS) + b"\xfc\xff\xfc\xff" + bytes(20))
    assert_native(instance)


@pytest.mark.parametrize("size", [1, 100, 131])
def test_file_cut_off_before_its_meta(size):
    expected = rf"^https://host/a cannot be read as a DICOM file \({size} bytes, beginning with"
    with pytest.raises(FormatError, match=expected):
        parse_part10(builders.native(PIXELS)[:size], "https://host/a")


def test_error_without_an_address_says_the_file():
    with pytest.raises(FormatError, match=r"^the file is empty \(0 bytes\)"):
        parse_part10(b"")


# ------------------------------------------------------------------ elements before the pixels


def private_sequence(is_undefined_length: bool) -> Dataset:
    """Return an image's header with a private sequence just before the pixel data."""
    dataset, item = builders.header(PIXELS), Dataset()
    # An item with bytes that look like the start of pixel data.
    item.add_new(0x7FDF1011, "OB", b"\xe0\x7f\x10\x00OW\x00\x00\x04\x00\x00\x00")
    item.is_undefined_length_sequence_item = is_undefined_length
    dataset.add_new(0x7FDF0010, "LO", "PRIVATE")
    dataset.add_new(0x7FDF1010, "SQ", Sequence([item]))
    dataset[0x7FDF1010].is_undefined_length = is_undefined_length
    dataset.PixelData = PIXELS.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


@pytest.mark.parametrize("is_undefined_length", [False, True])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_pixels_after_a_private_sequence(syntax, is_undefined_length):
    body = builders.part10(private_sequence(is_undefined_length), syntax)
    assert_native(parse_part10(body))


def test_icon_is_not_taken_for_the_image():
    icon = builders.header(np.zeros((2, 2), "u1"))
    icon.PixelData = b"icon"
    icon["PixelData"].VR = "OB"
    body = builders.native(PIXELS, IconImageSequence=Sequence([icon]))
    assert body.count(b"\xe0\x7f\x10\x00") == 2
    assert_native(parse_part10(body))


@pytest.mark.parametrize(
    ("keyword", "vr", "dtype"),
    [("FloatPixelData", "OF", "f4"), ("DoubleFloatPixelData", "OD", "f8")],
)
def test_float_pixels(keyword, vr, dtype):
    values = np.linspace(0, 1, PIXELS.size).astype(dtype)
    dataset = builders.header(PIXELS, BitsAllocated=values.itemsize * 8)
    setattr(dataset, keyword, values.tobytes())
    pixels = parse_part10(builders.part10(dataset, ExplicitVRLittleEndian)).pixels
    assert pixels is not None
    assert (pixels.keyword, pixels.vr) == (keyword, vr)
    assert np.array_equal(np.frombuffer(pixels.value, dtype), values)


def test_pixel_data_of_a_vr_with_a_short_length():
    """Some software writes US, with two bytes of length instead of four (PS3.5 7.1.2)."""
    body = builders.native(PIXELS)
    position = body.index(b"\xe0\x7f\x10\x00OW")
    value = PIXELS.tobytes()
    start = body[:position] + b"\xe0\x7f\x10\x00US" + struct.pack("<H", len(value))
    instance = parse_part10(start + value)
    assert_native(instance)
    assert instance.pixels is not None
    assert instance.pixels.vr == "US"


# ------------------------------------------------------------------ notes


def test_pydicom_warnings_are_kept_once():
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 100"
    icon = Sequence([item])
    dataset = builders.header(PIXELS, SpecificCharacterSet="ISO_IR 100", IconImageSequence=icon)
    dataset["IconImageSequence"].is_undefined_length = True  # read it at once
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    assert body.count(b"ISO_IR 100") == 2
    instance = parse_part10(body.replace(b"ISO_IR 100", b"ISO_IR 999"))
    assert instance.warnings == ("Unknown encoding 'ISO_IR 999' - using default encoding instead",)
