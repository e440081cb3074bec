"""Choose the dtype of delivered pixels: the same for all images of a series."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import PixelModule
from pyloader.pixels.output.padding import padding_range, range_without, value_range

Array = NDArray[Any]
# Dtypes that viewers' textures support, the smallest first; float32 holds all other values.
TEXTURE_DTYPES = (np.dtype("u1"), np.dtype("i2"), np.dtype("u2"))
# Dtypes that a page may ask for, by their name in numpy and JavaScript; other names are ignored.
DTYPES_BY_NAME = {
    name: np.dtype(name)
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
}


def series_dtype(
    pixels: Array, pixel: PixelModule, slope: float, intercept: float
) -> np.dtype[Any]:
    """Return the dtype that holds every possible stored value after slope and intercept."""
    whole = float(slope).is_integer() and float(intercept).is_integer()
    if pixels.dtype.kind == "f" or not whole:
        return np.dtype("f4")
    ends = [value * slope + intercept for value in possible_range(pixels, pixel)]
    return smallest_dtype(min(ends), max(ends))


def shifted_dtype(
    pixels: Array, pixel: PixelModule, slope: float, intercept: float
) -> np.dtype[Any] | None:
    """Return the 16-bit dtype for 16-bit values that slope and intercept only shift, else None.

    Shifting moves the range of possible values beyond 16 bits, as with the intercept of CT. Actual
    values still fit: Hounsfield units end far below 32767. Padding does not count, and is clipped.
    Return None for other slopes, or if a pixel does not fit; only this image of its series then
    gets a wider dtype.
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
    """Return the range of stored bits and padding, or of the dtype if pixels exceed that.

    Padding counts by the header: a slice without padding gets the dtype of its series, too.
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


def smallest_dtype(low: float, high: float) -> np.dtype[Any]:
    """Return the first of `TEXTURE_DTYPES` that holds both ends, else float32."""
    for dtype in TEXTURE_DTYPES:
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return dtype
    return np.dtype("f4")


def as_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    """Convert values to `dtype`; finite ones beyond float32 become its largest."""
    if dtype == np.float32 and values.dtype == np.float64:
        largest = np.finfo(np.float32).max
        values = np.where(np.isfinite(values), np.clip(values, -largest, largest), values)
    return values.astype(dtype, copy=False)


def fits(values: Array, dtype: np.dtype[Any]) -> bool:
    """Tell whether every value fits `dtype` without overflow."""
    if dtype.kind == "f":
        return True
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return False
    limits, (low, high) = np.iinfo(dtype), value_range(values)
    return bool(limits.min <= low and high <= limits.max)


def fit_dtype(values: Array, wanted: str, is_limited: bool = False) -> Array:
    """Convert values to the dtype named `wanted`, unless one of them would overflow.

    Parameters
    ----------
    is_limited : bool
        Convert in any case: clip values to the range of `wanted`; NaN becomes 0.
    """
    dtype = DTYPES_BY_NAME.get(wanted, values.dtype)
    if dtype == values.dtype:
        return values
    if not fits(values, dtype):
        if not is_limited:
            return values
        limits = np.iinfo(dtype)
        values = np.clip(np.nan_to_num(values.astype("f8")), limits.min, limits.max)
    if dtype.kind != "f" and values.dtype.kind == "f":
        values = np.rint(values)
    return as_dtype(values, dtype)
