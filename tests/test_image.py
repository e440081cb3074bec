"""Images made of arrays, and what their descriptions say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from pyloader import Image
from pyloader.errors import FormatError
from pyloader.image import Encoding, ModalityLut, PixelModule, PlaneModule, VoiLut
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.wire import wire_image

GREY = np.zeros((3, 4), "i2")


def test_grey_is_described_by_its_array():
    assert Image.from_array(GREY).pixel == PixelModule(
        rows=3,
        columns=4,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        bits_stored=16,
        high_bit=15,
        pixel_representation=1,
    )


@pytest.mark.parametrize("samples", [3, 4])
def test_color_is_described_by_its_array(samples):
    pixel = Image.from_array(np.zeros((3, 4, samples), "u1")).pixel
    assert (pixel.rows, pixel.columns, pixel.samples_per_pixel) == (3, 4, samples)
    assert pixel.photometric_interpretation == "RGB"
    assert pixel.planar_configuration == 0
    assert pixel.pixel_representation == 0
    assert pixel.bits_allocated == 8


def test_array_is_not_copied():
    assert Image.from_array(GREY).pixels is GREY


def test_lists_will_do():
    image = Image.from_array([[1, 2], [3, 4]])
    assert image.pixels.shape == (2, 2)


def test_nothing_is_invented():
    image = Image.from_array(GREY)
    assert image.plane == PlaneModule()
    assert image.modality_lut == ModalityLut()
    assert image.voi_lut == VoiLut()
    assert image.encoding == Encoding()
    assert image.modules == {}
    assert image.plane.pixel_spacing is None
    assert image.modality_lut.rescale_slope is None


def test_attributes_go_to_their_modules():
    image = Image.from_array(
        GREY,
        bits_stored=12,
        pixel_spacing=(0.5, 0.25),
        rescale_slope=2.0,
        window_center=(40, 400),
        window_width=(80, 2000),
        lossy_image_compression=True,
    )
    assert image.pixel.bits_stored == 12
    assert image.plane.pixel_spacing == (0.5, 0.25)
    assert image.modality_lut.rescale_slope == 2.0
    assert image.voi_lut.window_center == (40, 400)
    assert image.voi_lut.window_width == (80, 2000)
    assert image.encoding.lossy_image_compression


def test_further_modules_are_carried():
    modules = {"general_series": {"modality": "MR"}}
    assert Image.from_array(GREY, modules=modules).modules == modules


@pytest.mark.parametrize("spacing", [[0.5, 0.25], np.array([0.5, 0.25]), (0.5, 0.25)])
def test_sequences_become_tuples_of_numbers(spacing):
    found = Image.from_array(GREY, pixel_spacing=spacing).plane.pixel_spacing
    assert found == (0.5, 0.25)
    assert isinstance(found, tuple)
    assert {type(number) for number in found} == {float}


def test_lone_window_becomes_a_tuple():
    image = Image.from_array(GREY, window_center=40, window_width=80)
    assert (image.voi_lut.window_center, image.voi_lut.window_width) == ((40,), (80,))


def test_unknown_attribute_lists_those_there_are():
    expected = r"unknown image attribute 'spacing'; known are bits_allocated, .*pixel_spacing"
    with pytest.raises(FormatError, match=expected):
        Image.from_array(GREY, spacing=(1, 1), rescale_slope=2.0)


@pytest.mark.parametrize("shape", [(4,), (2, 2, 1), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3), (0, 4)])
def test_array_of_another_shape(shape):
    with pytest.raises(FormatError, match=r"is \(rows, columns\), .* not \("):
        Image.from_array(np.zeros(shape, "u1"))


# ------------------------------------------------------------------ descriptions


@pytest.mark.parametrize(
    ("bits", "representation", "expected"),
    [(12, 0, (0, 4095)), (12, 1, (-2048, 2047)), (16, 1, (-32768, 32767)), (1, 0, (0, 1))],
)
def test_stored_range(bits, representation, expected):
    pixel = PixelModule.of(GREY, bits_stored=bits, pixel_representation=representation)
    assert pixel.stored_range == expected


def test_cosines_are_halves_of_the_orientation():
    plane = PlaneModule(image_orientation_patient=(1, 0, 0, 0, 0, -1))
    assert plane.row_cosines == (1, 0, 0)
    assert plane.column_cosines == (0, 0, -1)


def test_cosines_of_no_orientation_are_absent():
    assert PlaneModule().row_cosines is None
    assert PlaneModule().column_cosines is None


def test_absent_slope_and_intercept_are_the_identity():
    assert (ModalityLut().slope, ModalityLut().intercept) == (1, 0)
    assert ModalityLut().is_identity


@pytest.mark.parametrize(
    "attributes", [{"rescale_slope": 2.0}, {"rescale_intercept": -1024.0}, {"rescale_slope": 0.0}]
)
def test_slope_and_intercept_that_are_there(attributes):
    lut = ModalityLut(**attributes)
    assert not lut.is_identity
    assert lut.slope == attributes.get("rescale_slope", 1)
    assert lut.intercept == attributes.get("rescale_intercept", 0)


def test_size_may_be_said_when_it_is_right():
    image = Image.from_array(np.zeros((2, 3), "u2"), rows=2, columns=3, samples_per_pixel=1)
    assert (image.pixel.rows, image.pixel.columns) == (2, 3)


def test_high_bit_follows_the_bits_stored():
    assert Image.from_array(np.zeros((2, 3), "u2"), bits_stored=12).pixel.high_bit == 11


def test_floats_of_more_than_64_bits_are_refused():
    with pytest.raises(FormatError, match="not dtype"):
        Image.from_array(np.zeros((2, 2), np.longdouble))


# ------------------------------------------------------------------ arrays as authors have them

RAMP = np.arange(12).reshape(3, 4)


@pytest.mark.parametrize("dtype", [">u2", ">i2", ">i4", ">f4", ">f8", ">i8", "<u2"])
def test_byte_order_is_this_machines(dtype):
    pixels = Image.from_array(RAMP.astype(dtype)).pixels
    assert pixels.dtype == np.dtype(dtype).newbyteorder("=")
    assert pixels.dtype.isnative
    assert np.array_equal(pixels, RAMP)


def test_mask_becomes_0_and_1():
    image = Image.from_array(RAMP > 5)
    assert image.pixels.dtype == np.uint8
    assert np.array_equal(image.pixels, (RAMP > 5).astype("u1"))
    assert image.pixel.bits_allocated == 8


def test_half_becomes_float32():
    image = Image.from_array((RAMP / 8).astype("f2"))
    assert image.pixels.dtype == np.float32
    assert np.array_equal(image.pixels, RAMP / 8)


@pytest.mark.parametrize(
    "pixels",
    [RAMP.T, RAMP[::-1], RAMP[:, ::2], np.asfortranarray(RAMP), np.broadcast_to(RAMP[0], (5, 4))],
    ids=["transposed", "reversed", "strided", "fortran", "broadcast"],
)
@pytest.mark.parametrize("dtype", ["u1", ">i2", "f8"])
def test_memory_order_is_free(pixels, dtype):
    pixels = pixels.astype(dtype, order="K", subok=False)
    sent = wire_image(deliver(Image.from_array(pixels), Delivery()))
    assert (sent["pixel"]["rows"], sent["pixel"]["columns"]) == pixels.shape
    assert np.array_equal(sent["pixels"], pixels.reshape(-1))


@pytest.mark.parametrize("dtype", ["c8", "O", "U3", "M8[s]", "g", "V4"])
def test_other_dtypes_are_refused_by_name(dtype):
    pixels = np.zeros((3, 4), dtype)
    with pytest.raises(
        FormatError,
        match=re.escape(f"has integers or floats, not dtype {pixels.dtype}; convert it"),
    ):
        Image.from_array(pixels)


def test_masked_values_are_not_shown():
    with pytest.raises(FormatError, match=r"masked values, .* pixels\.filled\(0\)"):
        Image.from_array(np.ma.masked_less(RAMP, 3))


def test_masked_array_without_masked_values_will_do():
    assert np.array_equal(Image.from_array(np.ma.masked_less(RAMP, 0)).pixels, RAMP)


def test_signed_colour_is_refused():
    with pytest.raises(FormatError, match="unsigned integers, or floats from 0 to 1, not int16"):
        Image.from_array(np.zeros((3, 4, 3), "i2"))


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-0.5, 1), (0, np.nan)])
def test_float_colour_beyond_1_is_refused(low, high):
    pixels = np.full((3, 4, 3), low, "f4")
    pixels[0, 0, 0] = high
    with pytest.raises(FormatError, match="colour of floats is from 0 to 1, not from"):
        Image.from_array(pixels)


def test_float_colour_up_to_1():
    pixels = np.linspace(0, 1, 36).reshape(3, 4, 3)
    assert Image.from_array(pixels).pixels.dtype == np.float64


# ------------------------------------------------------------------ other pixels for an image

TWELVE_BITS = Image.from_array(
    RAMP.astype("u2"), bits_stored=12, pixel_padding_value=7, pixel_spacing=(2, 3),
    photometric_interpretation="MONOCHROME1", window_center=3, window_width=4,
)  # fmt: skip


def test_other_pixels_of_the_same_dtype_keep_the_description():
    image = TWELVE_BITS.with_pixels(TWELVE_BITS.pixels[:2] + 1)
    assert image.pixel == replace(TWELVE_BITS.pixel, rows=2)
    assert (image.plane, image.voi_lut) == (TWELVE_BITS.plane, TWELVE_BITS.voi_lut)
    assert np.array_equal(image.pixels, RAMP[:2] + 1)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u4", "i8", ">f4"])
def test_other_pixels_of_another_dtype_are_described_by_it(dtype):
    image = TWELVE_BITS.with_pixels(RAMP.astype(dtype))
    bits = np.dtype(dtype).itemsize * 8
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (bits, bits)
    assert image.pixel.high_bit == bits - 1
    assert image.pixel.pixel_representation == (image.pixels.dtype.kind == "i")
    assert image.pixel.photometric_interpretation == "MONOCHROME1"
    assert image.pixel.pixel_padding_value == 7
    assert image.plane == TWELVE_BITS.plane


def test_colour_in_place_of_grey():
    image = TWELVE_BITS.with_pixels(np.zeros((3, 4, 3), "u1"))
    assert image.pixel.photometric_interpretation == "RGB"
    assert image.pixel.samples_per_pixel == 3
    assert image.pixel.planar_configuration == 0


def test_grey_in_place_of_colour():
    image = Image.from_array(np.zeros((3, 4, 3), "u1")).with_pixels(RAMP.astype("u1"))
    assert image.pixel.photometric_interpretation == "MONOCHROME2"
    assert image.pixel.planar_configuration is None


def test_other_pixels_that_are_no_image():
    with pytest.raises(FormatError, match="not dtype complex128"):
        TWELVE_BITS.with_pixels(RAMP * 1j)


def test_image_tells_its_bytes():
    assert TWELVE_BITS.nbytes == 24
    assert replace(TWELVE_BITS, float_pixels=RAMP.astype("f8")).nbytes == 24 + 96
