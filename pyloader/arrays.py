"""Check arrays that become images: dtype, shape, colour, and agreement with their description."""

from __future__ import annotations

from inspect import iscoroutine
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError

# Up to this integer, float64, and so JavaScript's number, is exact.
EXACT = 1 << 53


def as_numbers(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return an array in native byte order; bool as uint8, float16 as float32, values exact."""
    if iscoroutine(pixels):
        raise FormatError("the array is a coroutine: is an `await` missing?")
    # Naming `np.ma` imports it, so plain arrays, which are never masked, skip the check.
    is_plain = type(pixels) is np.ndarray
    if not is_plain and isinstance(pixels, np.ma.MaskedArray) and pixels.mask.any():
        raise FormatError(
            "the array has masked values, and an image shows every pixel: give them a value first, "
            "for example with pixels.filled(0)"
        )
    array = np.asarray(pixels)
    if array.dtype == bool:
        return array.view("u1")
    if array.dtype == "f2":
        return array.astype("f4")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_pixels(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return `pixels` if they can be an image, else raise `FormatError`."""
    if pixels.dtype.kind not in "uif" or pixels.dtype.itemsize > 8:
        raise FormatError(
            f"an image's array has integers or floats, not dtype {pixels.dtype}; "
            "convert it first, for example with pixels.astype('u1')"
        )
    shape = pixels.shape
    is_image = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    if not is_image or 0 in shape:
        raise FormatError(
            f"an image's array is (rows, columns), (rows, columns, 3) or (rows, columns, 4), "
            f"not {shape}"
        )
    if len(shape) == 3:
        check_color(pixels)
    return pixels


def check_color(pixels: NDArray[Any]) -> None:
    """Raise for colour samples that are signed, or floats outside 0 to 1."""
    if pixels.dtype.kind == "i":
        raise FormatError(
            f"colour is unsigned integers, or floats from 0 to 1, not {pixels.dtype}; "
            "convert it first, for example with pixels.astype('u1')"
        )
    if pixels.dtype.kind != "f":
        return
    low, high = float(pixels.min()), float(pixels.max())
    if not 0 <= low <= high <= 1:
        raise FormatError(
            f"colour of floats is from 0 to 1, not from {low:g} to {high:g}; divide it by its "
            "largest value, or convert it, for example with pixels.astype('u1')"
        )


def disagreement(pixel: Any, pixels: NDArray[Any]) -> str:
    """Return how a `PixelModule` contradicts an array; "" when they agree."""
    described = (pixel.rows, pixel.columns, pixel.samples_per_pixel)
    if (*pixels.shape, 1)[:3] != described:
        return (
            f"is described as {described} (rows, columns, samples), but its array is {pixels.shape}"
        )
    bits = pixels.dtype.itemsize * 8
    if (pixel.bits_allocated, pixel.pixel_representation) != (bits, int(pixels.dtype.kind == "i")):
        sign = "signed" if pixel.pixel_representation else "unsigned"
        return (
            f"is described as {pixel.bits_allocated} bits, {sign}, but its array is of "
            f"{pixels.dtype}"
        )
    return ""


def own_fault(pixel: Any, pixels: NDArray[Any]) -> str:
    """Return how an author's own attributes contradict an array; "" when they agree."""
    bits = pixels.dtype.itemsize * 8
    if not 0 < pixel.bits_stored <= pixel.high_bit + 1 <= bits:
        return (
            f"has bits_stored {pixel.bits_stored} and high_bit {pixel.high_bit}, but its array is "
            f"of {pixels.dtype}, {bits} bits"
        )
    if (pixel.photometric_interpretation == "RGB") != (pixels.ndim == 3):
        return (
            f"has photometric_interpretation {pixel.photometric_interpretation!r}, but its array "
            f"is {pixels.shape}"
        )
    return ""


def check_agreement(pixel: Any, pixels: NDArray[Any]) -> None:
    """Raise when an author's description of an array contradicts the array.

    Raises
    ------
    FormatError
    """
    fault = disagreement(pixel, pixels) or own_fault(pixel, pixels)
    if fault:
        raise FormatError(f"the image {fault}; leave out what follows from the array")
