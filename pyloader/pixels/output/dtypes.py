"""The numeric class of what is delivered: one for all images of a series."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import PixelModule
from pyloader.pixels.output.padding import padding_range, range_without, value_range

Array = NDArray[Any]
# Numeric classes a viewer's textures hold, the smallest first; float32 holds the rest.
CLASSES = (np.dtype("u1"), np.dtype("i2"), np.dtype("u2"))
# What a page may ask for, by the name that numpy and JavaScript share; other names are left alone.
WANTED = {
    name: np.dtype(name)
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
}


def class_of(pixels: Array, pixel: PixelModule, slope: float, intercept: float) -> np.dtype[Any]:
    """Return the numeric class that holds every value the stored bits can become."""
    whole = float(slope).is_integer() and float(intercept).is_integer()
    if pixels.dtype.kind == "f" or not whole:
        return np.dtype("f4")
    ends = [value * slope + intercept for value in possible_range(pixels, pixel)]
    return smallest_class(min(ends), max(ends))


def usual_class(
    pixels: Array, pixel: PixelModule, slope: float, intercept: float
) -> np.dtype[Any] | None:
    """Return the 16-bit class of 16-bit values that slope and intercept only shift.

    The intercept takes what their bits allow out of 16 bits, as that of CT does, and what they are
    in practice not: Hounsfield units end far below 32767. Padding does not count, and takes the
    nearer end. None for other slopes, and where a value of these pixels is beyond: the image is
    then of the class that holds it, alone in its series.
    """
    is_shifted = abs(slope) == 1 and float(intercept).is_integer() and abs(intercept) <= 65535
    if pixels.dtype.kind == "f" or pixels.dtype.itemsize != 2 or not is_shifted:
        return None

    def fit(ends: tuple[float, float]) -> bool:
        low, high = sorted(end * slope + intercept for end in ends)
        return bool(limits.min <= low and high <= limits.max)

    lowest = min(end * slope + intercept for end in pixel.stored_range)
    dtype = np.dtype("i2" if lowest < 0 else "u2")
    limits = np.iinfo(dtype)
    padding = padding_range(pixel)
    if fit(value_range(pixels)):
        return dtype
    if padding is None:
        return None
    mask = (pixels >= padding[0]) & (pixels <= padding[1])
    return dtype if mask.all() or fit(range_without(pixels, mask)) else None


def possible_range(pixels: Array, pixel: PixelModule) -> tuple[float, float]:
    """Return what the stored bits and padding allow, or the dtype where pixels have more.

    Padding counts by what the header says of it: a slice without any is of its series' class too.
    """
    stored = pixel.stored_range
    padding = padding_range(pixel) or stored
    low, high = min(stored[0], padding[0]), max(stored[1], padding[1])
    if pixel.bits_stored < pixels.dtype.itemsize * 8:
        least, most = value_range(pixels)
        if least < low or most > high:
            limits = np.iinfo(pixels.dtype)
            return limits.min, limits.max
    return low, high


def smallest_class(low: float, high: float) -> np.dtype[Any]:
    """Return the first of `CLASSES` that holds both ends, else float32."""
    for dtype in CLASSES:
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return dtype
    return np.dtype("f4")


def as_class(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return the values as `dtype`; finite ones beyond float32 become its largest."""
    if dtype == np.float32 and values.dtype == np.float64:
        largest = np.finfo(np.float32).max
        values = np.where(np.isfinite(values), np.clip(values, -largest, largest), values)
    return values.astype(dtype, copy=False)


def fits(values: Array, dtype: np.dtype[Any]) -> bool:
    """Tell whether no value overflows as `dtype`."""
    if dtype.kind == "f":
        return True
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return False
    limits, (low, high) = np.iinfo(dtype), value_range(values)
    return bool(limits.min <= low and high <= limits.max)


def fit_class(values: Array, wanted: str, is_limited: bool = False) -> Array:
    """Return the values as `wanted`, unless that would change one of them by overflow.

    Parameters
    ----------
    is_limited : bool
        Where one would overflow, take the ends of `wanted` instead; NaN becomes 0.
    """
    dtype = WANTED.get(wanted, values.dtype)
    if dtype == values.dtype:
        return values
    if not fits(values, dtype):
        if not is_limited:
            return values
        limits = np.iinfo(dtype)
        values = np.clip(np.nan_to_num(values.astype("f8")), limits.min, limits.max)
    if dtype.kind != "f" and values.dtype.kind == "f":
        values = np.rint(values)
    return as_class(values, dtype)
