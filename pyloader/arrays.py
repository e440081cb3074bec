"""Which arrays can be an image, and how others are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError


def as_numbers(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return an array in this machine's byte order; bool as uint8, float16 as float32: exactly."""
    # numpy.ma is imported by the first that names it, and a plain array is none of its own.
    is_plain = type(pixels) is np.ndarray
    if not is_plain and isinstance(pixels, np.ma.MaskedArray) and pixels.mask.any():
        raise FormatError(
            "the array has masked values, and an image shows every pixel: give them a value first, "
            "such as with pixels.filled(0)"
        )
    array = np.asarray(pixels)
    if array.dtype == bool:
        return array.view("u1")
    if array.dtype == "f2":
        return array.astype("f4")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_pixels(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return `pixels` when they can be an image."""
    if pixels.dtype.kind not in "uif" or pixels.dtype.itemsize > 8:
        raise FormatError(
            f"an image's array has integers or floats, not dtype {pixels.dtype}; "
            "convert it first, such as with pixels.astype('u1')"
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
    """Refuse colour samples that could only be shown wrongly."""
    if pixels.dtype.kind == "i":
        raise FormatError(
            f"colour is unsigned integers, or floats from 0 to 1, not {pixels.dtype}; "
            "convert it first, such as with pixels.astype('u1')"
        )
    if pixels.dtype.kind != "f":
        return
    low, high = float(pixels.min()), float(pixels.max())
    if not 0 <= low <= high <= 1:
        raise FormatError(
            f"colour of floats is from 0 to 1, not from {low:g} to {high:g}; divide it by its "
            "largest value, or convert it, such as with pixels.astype('u1')"
        )
