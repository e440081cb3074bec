"""Arrays that become images, and those that cannot."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader.arrays import as_numbers, check_agreement, check_pixels, disagreement
from pyloader.errors import FormatError
from pyloader.image import PixelModule

GREY = np.arange(6, dtype="u2").reshape(2, 3)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("?", "u1"), ("f2", "f4"), (">u2", "u2"), (">f8", "f8"), ("<i4", "i4"), ("u1", "u1")],
)
def test_numbers_are_in_native_order_and_exact(dtype, expected):
    values = np.array([[0, 1], [1, 0]], dtype)
    found = as_numbers(values)
    assert found.dtype == np.dtype(expected)
    assert found.dtype.isnative
    assert found.tolist() == [[0, 1], [1, 0]]


def test_small_floats_of_16_bits_are_kept():
    smallest = np.array([[2.0**-24, 65504.0]], "f2")  # IEEE 754: least subnormal, and largest
    assert as_numbers(smallest).tolist() == [[2.0**-24, 65504.0]]


def test_lists_become_arrays():
    assert as_numbers([[1, 2], [3, 4]]).shape == (2, 2)


def test_masked_values_are_refused():
    masked = np.ma.masked_array(GREY, GREY == 3)
    with pytest.raises(FormatError, match=r"masked values.*filled"):
        as_numbers(masked)
    assert_array_equal(as_numbers(np.ma.masked_array(GREY, np.zeros_like(GREY, bool))), GREY)


def test_a_coroutine_is_named():
    async def pixels():
        return GREY

    given = pixels()
    with pytest.raises(FormatError, match=r"coroutine.*await"):
        as_numbers(given)
    given.close()


@pytest.mark.parametrize("dtype", ["c8", "O", "M8[s]", "S1", "U1", "g", "?"])
def test_dtypes_that_no_image_has(dtype):
    with pytest.raises(FormatError, match="integers or floats, not dtype"):
        check_pixels(np.zeros((2, 2), dtype))


@pytest.mark.parametrize(
    "shape", [(), (2,), (0, 2), (2, 0), (2, 2, 0), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3)]
)
def test_shapes_that_no_image_has(shape):
    with pytest.raises(FormatError, match=r"not \("):
        check_pixels(np.zeros(shape, "u1"))


@pytest.mark.parametrize("value", [-0.01, 1.01, np.nan, np.inf, -np.inf])
def test_colour_of_floats_is_from_0_to_1(value):
    pixels = np.full((2, 2, 3), 0.5)
    assert check_pixels(pixels) is pixels
    pixels[1, 1, 2] = value
    with pytest.raises(FormatError, match="from 0 to 1, not from"):
        check_pixels(pixels)


def test_signed_colour_is_refused():
    with pytest.raises(FormatError, match="unsigned integers, or floats"):
        check_pixels(np.zeros((2, 2, 3), "i2"))
    assert check_pixels(np.full((2, 2), -5, "i2"))[0, 0] == -5


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (GREY.T, r"described as \(2, 3, 1\)"),
        (np.zeros((2, 3, 3), "u2"), r"described as \(2, 3, 1\)"),
        (GREY.astype("u1"), "16 bits, unsigned, but its array is of uint8"),
        (GREY.astype("i2"), "16 bits, unsigned, but its array is of int16"),
    ],
)
def test_descriptions_of_other_arrays(other, text):
    pixel = PixelModule.of(GREY)
    assert disagreement(pixel, GREY) == ""
    check_agreement(pixel, GREY)
    with pytest.raises(FormatError, match=text):
        check_agreement(pixel, other)
