"""Bit depths and numeric types (4.3): rows that other loaders get wrong, each by its name.

The expected values are those that were packed, by numpy, from the rules of PS3.5 8.1.1 and 8.2.
"""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from pyloader.dicom.instance import Instance
from pyloader.errors import FormatError, LoaderError, UnsupportedError
from pyloader.loaders.instance_source import make_image
from pyloader.pixels.frame_format import labelled
from tests.support import builders
from tests.support.raw_images import DELIMITER, described, encapsulated, items, with_pixels

LITTLE = ExplicitVRLittleEndian
SYNTAXES = (LITTLE, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)


def spread(dtype: str, count: int) -> np.ndarray:
    """Return values of a dtype from its smallest to its largest."""
    limits = np.iinfo(dtype)
    found = np.linspace(float(limits.min), float(limits.max), count)
    values = [min(max(int(value), limits.min), limits.max) for value in found]
    return np.array(values, dtype)


# ------------------------------------------------------------------ 1 bit


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vr", ["OB", "OW"])
async def test_1_bit_frames_that_do_not_begin_on_a_byte(load, syntax, vr):
    """The lowest bit comes first (PS3.5 8.1.1, 8.2); packed bytes are never handed on."""
    frames = np.random.default_rng(3).integers(0, 2, (5, 7, 9), "u1")
    packed = np.packbits(frames.ravel(), bitorder="little")
    packed = np.append(packed, [0] * (packed.size % 2)).astype("u1")
    if syntax == ExplicitVRBigEndian and vr == "OW":
        packed = packed.view("u2").byteswap().view("u1")
    dataset = described(7, 9, 1, NumberOfFrames=5)
    body = with_pixels(dataset, packed.tobytes(), syntax, vr)
    for index, frame in enumerate(frames):
        image = await load(body, index + 1)
        assert np.array_equal(image.pixels, frame), f"frame {index + 1}"
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (8, 1)


async def test_1_bit_in_8_bits_allocated(load):
    """Only the bit that is stored is the value, whatever the others are."""
    dataset = described(4, 4, 8, BitsStored=1, HighBit=0)
    content = np.arange(250, 250 + 16).astype("u1")
    image = await load(with_pixels(dataset, content.tobytes(), vr="OB"))
    assert np.array_equal(image.pixels.ravel(), content & 1)


# ------------------------------------------------------------------ integers


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
async def test_integers_of_every_width_stay_integers(load, syntax, dtype):
    """Of 32 bits others make Float32; of 64 nothing."""
    values = spread(dtype, 35).reshape(5, 7)
    bits = 8 * values.itemsize
    dataset = described(5, 7, bits, PixelRepresentation=int(dtype[0] == "i"))
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    content = values.astype(f"{order}{dtype}").tobytes()
    vr = {1: "OB", 8: "OV"}.get(values.itemsize, "OW")
    image = await load(with_pixels(dataset, content, syntax, vr))
    assert image.pixels.dtype == dtype
    assert np.array_equal(image.pixels, values)
    assert image.pixel.bits_stored == bits


@pytest.mark.parametrize("is_signed", [False, True])
async def test_24_bit_integers_stay_integers(load, is_signed):
    values = np.linspace(0, (1 << 24) - 1, 33).astype("i8").reshape(3, 11) - (is_signed << 23)
    content = b"".join(int(value).to_bytes(4, "little", signed=True)[:3] for value in values.flat)
    dataset = described(3, 11, 24, PixelRepresentation=int(is_signed))
    image = await load(with_pixels(dataset, content, vr="OB"))
    assert image.pixels.dtype == ("i4" if is_signed else "u4")
    assert np.array_equal(image.pixels, values)
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (32, 24)


async def test_40_bit_integers_stay_integers(load):
    values = np.array([[0, 1, 1 << 39, (1 << 40) - 1]])
    content = b"".join(int(value).to_bytes(5, "little") for value in values.flat)
    image = await load(with_pixels(described(1, 4, 40), content, vr="OB"))
    assert image.pixels.tolist() == values.tolist()


async def test_24_bit_integers_in_swapped_words_are_refused(load):
    body = with_pixels(described(2, 2, 24), bytes(12), ExplicitVRBigEndian)
    with pytest.raises(UnsupportedError, match=r"BitsAllocated is 24 in big endian; .* unknown"):
        await load(body)


@pytest.mark.parametrize("columns", [6, 7])
async def test_big_endian_bytes_in_words_are_swapped(load, columns):
    """OW in big endian swaps pairs of bytes, also where two frames share a word (PS3.5 D)."""
    frames = np.arange(3 * 3 * columns, dtype="u1").reshape(3, 3, columns)
    content = frames.tobytes() + b"\0" * (frames.size % 2)
    words = np.frombuffer(content, "u2").byteswap().tobytes()
    dataset = described(3, columns, 8, NumberOfFrames=3)
    for index, frame in enumerate(frames):
        body = with_pixels(dataset, words, ExplicitVRBigEndian, "OW")
        assert np.array_equal((await load(body, index + 1)).pixels, frame)


@pytest.mark.parametrize("syntax", [LITTLE, ExplicitVRBigEndian])
async def test_16_bit_colour_is_not_clamped(load, syntax):
    values = spread("u2", 2 * 4 * 3).reshape(2, 4, 3)
    image = await load(builders.native(values, syntax))
    assert np.array_equal(image.pixels, values)
    assert image.pixel.photometric_interpretation == "RGB"


# ------------------------------------------------------------------ which bits are the value


@pytest.mark.parametrize("stored", [1, 5, 8, 10, 12, 15])
@pytest.mark.parametrize("is_signed", [False, True])
async def test_unused_high_bits_are_masked_and_the_sign_is_extended(load, stored, is_signed):
    generator = np.random.default_rng(stored)
    words = generator.integers(0, 1 << 16, (6, 6), "u2")
    value = words.astype(int) & ((1 << stored) - 1)
    expected = np.where(is_signed & (value >> (stored - 1) == 1), value - (1 << stored), value)
    dataset = described(6, 6, 16, BitsStored=stored, HighBit=stored - 1)
    dataset.PixelRepresentation = int(is_signed)
    image = await load(with_pixels(dataset, words.tobytes()))
    assert np.array_equal(image.pixels, expected)
    assert image.pixels.dtype == ("i2" if is_signed else "u2")


@pytest.mark.parametrize(("allocated", "stored", "high"), [(16, 12, 15), (16, 10, 12), (8, 4, 6)])
@pytest.mark.parametrize("is_signed", [False, True])
async def test_high_bit_that_is_not_the_highest_stored(load, allocated, stored, high, is_signed):
    dtype = f"u{allocated // 8}"
    words = np.random.default_rng(1).integers(0, 1 << allocated, (5, 6), dtype)
    value = (words.astype(int) >> (high + 1 - stored)) & ((1 << stored) - 1)
    expected = np.where(is_signed & (value >> (stored - 1) == 1), value - (1 << stored), value)
    dataset = described(5, 6, allocated, BitsStored=stored, HighBit=high)
    dataset.PixelRepresentation = int(is_signed)
    image = await load(with_pixels(dataset, words.tobytes()))
    assert np.array_equal(image.pixels, expected)
    assert image.pixel.high_bit == stored - 1, "what is described is what is delivered"


@pytest.mark.parametrize("high", [3, 16, 200])
async def test_high_bit_that_cannot_be_is_noted(load, high):
    values = builders.ramp(4, 4, 12)
    dataset = described(4, 4, 16, BitsStored=12, HighBit=high)
    image = await load(with_pixels(dataset, values.tobytes()))
    assert np.array_equal(image.pixels, values)
    assert any(f"HighBit is {high}" in warning for warning in image.warnings)


async def test_padding_that_needs_more_bits_than_are_stored_stays_padding(load):
    """Old CT has 63536 of 16 bits beside values of 12; masked it would be a bright 2096."""
    words = np.array([[0, 63536, 4095, 2096]], "u2")
    dataset = described(1, 4, 16, BitsStored=12, HighBit=11, PixelPaddingValue=63536)
    image = await load(with_pixels(dataset, words.tobytes()))
    assert image.pixels.tolist() == [[0, 63536, 4095, 2096]]
    signed = described(1, 4, 16, BitsStored=12, HighBit=11)
    signed.PixelRepresentation = 1
    signed.add_new("PixelPaddingValue", "SS", -2500)
    values = np.array([[-2048, -2500, 2047, -2501]], "i2")
    image = await load(with_pixels(signed, values.tobytes()))
    assert image.pixels.tolist() == [[-2048, -2500, 2047, 1595]]


async def test_padding_range_beyond_the_stored_bits(load):
    words = np.array([[1, 5000, 6000, 7000]], "u2")
    padding = {"PixelPaddingValue": 5000, "PixelPaddingRangeLimit": 6000}
    dataset = described(1, 4, 16, BitsStored=12, HighBit=11, **padding)
    image = await load(with_pixels(dataset, words.tobytes()))
    assert image.pixels.tolist() == [[1, 5000, 6000, 7000 & 4095]]


@pytest.mark.parametrize("is_signed", [False, True])
async def test_high_bit_of_rle_frames_that_is_not_the_highest_stored(load, is_signed):
    """RLE keeps words whole (PS3.5 G), so that the value stands in them as in native frames."""
    words = np.random.default_rng(6).integers(0, 1 << 16, (5, 6), "u2")
    value = words.astype(int) >> 4
    expected = np.where(is_signed & (value >> 11 == 1), value - (1 << 12), value)
    dataset = described(5, 6, 16, BitsStored=12, HighBit=15)
    dataset.PixelRepresentation = int(is_signed)
    content = items([builders.rle_encode_frame(words)]) + DELIMITER
    image = await load(encapsulated(dataset, content, RLELossless))
    assert np.array_equal(image.pixels, expected)


# ------------------------------------------------------------------ floats


@pytest.mark.parametrize("syntax", [LITTLE, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("keyword", "dtype"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")]
)
async def test_float_and_double_float_pixel_data_of_several_frames(load, syntax, keyword, dtype):
    values = np.random.default_rng(5).normal(size=(3, 4, 5)).astype(dtype)
    values[0, 0, :3] = np.nan, np.inf, -0.0
    dataset = described(4, 5, 8 * values.itemsize, NumberOfFrames=3)
    for absent in ("PixelRepresentation", "BitsStored", "HighBit"):
        del dataset[absent]
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    setattr(dataset, keyword, values.astype(f"{order}{dtype}").tobytes())
    body = builders.part10(dataset, syntax)
    for index, frame in enumerate(values):
        image = await load(body, index + 1)
        assert image.pixels.dtype == dtype
        assert np.array_equal(image.pixels, frame, equal_nan=True)


async def test_float_pixel_data_of_another_width_are_refused(load):
    dataset = described(2, 2, 16)
    dataset.FloatPixelData = bytes(16)
    with pytest.raises(FormatError, match=r"BitsAllocated is 16 .* expected 32"):
        await load(builders.part10(dataset, LITTLE))


# ------------------------------------------------------------------ lengths


@pytest.mark.parametrize("frames", [1, 3])
async def test_odd_frame_length_with_a_pad_byte(load, frames):
    """Of 917 x 917 RGB the pad byte makes a length that cannot be divided by 3."""
    pixels = np.random.default_rng(2).integers(0, 256, (frames, 17, 9, 3), "u1")
    body = builders.native(pixels, NumberOfFrames=frames)
    for index, frame in enumerate(pixels):
        image = await load(body, index + 1)
        assert image.pixels.shape == (17, 9, 3)
        assert np.array_equal(image.pixels, frame)
        assert image.warnings == ()


@pytest.mark.parametrize("padding", [b"", b"\0"])
@pytest.mark.parametrize("syntax", [LITTLE, RLELossless])
def test_odd_frame_length_with_a_pad_byte_from_dicomweb(padding, syntax):
    """The pad byte of a part is no pixel."""
    pixels = np.random.default_rng(8).integers(0, 256, (17, 9, 3), "u1")
    frame = pixels.tobytes() if syntax == LITTLE else builders.rle_encode_frame(pixels)
    instance = Instance(builders.header(pixels), UID(syntax), None)
    found = labelled(instance, 0, frame + padding, syntax, is_original=True)
    assert np.array_equal(make_image(found, 0).pixels, pixels)


async def test_bytes_behind_the_last_frame_are_noted(load):
    pixels = builders.ramp(8, 8)
    image = await load(with_pixels(described(8, 8), pixels.tobytes() + bytes(40)))
    assert np.array_equal(image.pixels, pixels)
    assert image.warnings == (
        "the pixel data have 168 bytes, 128 were expected; those after the last frame are left out",
    )


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", [LITTLE, ExplicitVRBigEndian])
async def test_planes_and_pixels_of_several_frames(load, planar, syntax):
    pixels = np.random.default_rng(4).integers(0, 1 << 16, (2, 3, 5, 3), "u2")
    content = pixels.transpose(0, 3, 1, 2) if planar else pixels
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dataset = builders.header(pixels, NumberOfFrames=2, PlanarConfiguration=planar)
    body = with_pixels(dataset, content.astype(f"{order}u2").tobytes(), syntax)
    for index, frame in enumerate(pixels):
        image = await load(body, index + 1)
        assert np.array_equal(image.pixels, frame)
        assert image.pixel.planar_configuration == 0


# ------------------------------------------------------------------ contradictions


@pytest.mark.parametrize(
    ("attributes", "kind", "text"),
    [
        ({"BitsAllocated": 12}, UnsupportedError, "BitsAllocated is 12; 1 and multiples of 8"),
        ({"BitsAllocated": 72}, UnsupportedError, "BitsAllocated is 72; 1 and multiples of 8"),
        ({"BitsAllocated": 8, "BitsStored": 12}, FormatError, "BitsStored is 12, .* BitsAlloc"),
        ({"Rows": 0}, FormatError, "Rows is 0"),
        ({"PixelRepresentation": 2}, FormatError, "PixelRepresentation is 2"),
        ({"SamplesPerPixel": 3}, FormatError, "SamplesPerPixel is 3, expected 1 with"),
        (
            {"PhotometricInterpretation": "RGB"},
            FormatError,
            "SamplesPerPixel is 1, expected 3 with photometric interpretation 'RGB'",
        ),
    ],
)
async def test_header_that_contradicts_itself_is_refused(load, attributes, kind, text):
    with pytest.raises(kind, match=text) as caught:
        await load(with_pixels(described(4, 4, **attributes), bytes(96)))
    assert isinstance(caught.value, LoaderError)
