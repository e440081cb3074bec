"""Stored values to what a page asked for: rescaled, RGBA, of one numeric class, resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, ModalityLut, PixelModule
from pyloader.pixels.color import to_8_bit, to_rgb, to_rgba

Array = NDArray[Any]
# Numeric classes a viewer's textures hold, the smallest first; float32 holds the rest.
CLASSES = (np.dtype("u1"), np.dtype("i2"), np.dtype("u2"))
# What a page may ask for, by the name that numpy and JavaScript share; other names are left alone.
WANTED = {
    name: np.dtype(name)
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
}
# X-Ray Angiographic and X-Ray Radiofluoroscopic Image Storage.
PROJECTION_XRAY = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a page wants its pixels.

    Attributes
    ----------
    rgba : bool
        Colour as 4 samples, else as 3. Colour is 8-bit in every case.
    rescale : bool
        Apply the modality LUT.
    factor : float
        Multiply rescaled values, such as by an SUV factor.
    integers : bool
        At most 16-bit integers; others are quantised, and slope and intercept say how.
    dtype : str
        Numeric class wanted, such as ``"int16"``; kept to only if every value fits.
    rows, columns : int
        Resample to this size; 0 keeps the size.
    """

    rgba: bool = False
    rescale: bool = False
    factor: float = 1.0
    integers: bool = False
    dtype: str = ""
    rows: int = 0
    columns: int = 0

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Delivery:
        """Read the page's ``delivery`` options; what is not there keeps its default."""
        known = {name: options[name] for name in cls.__slots__ if options.get(name) is not None}
        return cls(**known)


def deliver(image: Image, delivery: Delivery) -> Image:
    """Return `image` as `delivery` asks; its pixels are C-contiguous and little-endian."""
    image = resample(image, delivery.rows, delivery.columns)
    if image.pixels.ndim == 3:
        return deliver_color(image, delivery)
    if delivery.rescale or (delivery.integers and has_table_for_display(image)):
        image = rescale(image, delivery)
    elif delivery.dtype:
        image = image.with_pixels(fit_class(image.pixels, delivery.dtype))
    if delivery.integers:
        image = quantise(image)
    return image.with_pixels(np.ascontiguousarray(image.pixels))


def has_table_for_display(image: Image) -> bool:
    """Tell whether a modality LUT stands as a table that a viewer without tables has to be spared.

    That of projection X-ray is not for display (PS3.4 N.2.1.2).
    """
    sop_class = image.modules.get("sop_common", {}).get("sop_class_uid")
    return image.modality_lut.lut is not None and sop_class not in PROJECTION_XRAY


def deliver_color(image: Image, delivery: Delivery) -> Image:
    """Return colour as 8-bit RGB or RGBA."""
    pixels = to_8_bit(image.pixels, image.pixel.bits_stored)
    pixels = to_rgba(pixels) if delivery.rgba else to_rgb(pixels)
    return image.with_pixels(np.ascontiguousarray(pixels))


def resample(image: Image, rows: int, columns: int) -> Image:
    """Return the image at another size, by the nearest pixel."""
    height, width = image.pixels.shape[:2]
    if not (rows and columns) or (rows, columns) == (height, width):
        return image
    row_indices = np.arange(rows) * height // rows
    column_indices = np.arange(columns) * width // columns
    return image.with_pixels(image.pixels[row_indices[:, None], column_indices])


def rescale(image: Image, delivery: Delivery) -> Image:
    """Return the image in modality units, in one numeric class for all images of its kind.

    The class follows from bits, sign, slope and intercept, never from this image's own minimum
    and maximum: neighbouring slices of a series must not differ in class.
    """
    values = fit_class(apply_modality_lut(image, delivery.factor), delivery.dtype)
    if values.dtype == image.pixels.dtype and values is not image.pixels:
        # Values were changed within their dtype: they may use all of its bits.
        bits = values.dtype.itemsize * 8
        pixel = replace(image.pixel, bits_stored=bits, high_bit=bits - 1)
        image = replace(image, pixel=pixel)
    return image.with_pixels(values, is_rescaled=True)


def apply_modality_lut(image: Image, factor: float) -> Array:
    """Return the values in modality units, times `factor`."""
    lut = image.modality_lut
    if lut.lut is not None:
        last = len(lut.lut.entries) - 1
        indices = np.clip(image.pixels.astype("i4") - lut.lut.first_value_mapped, 0, last)
        values: Array = lut.lut.entries[indices]
        return values if factor == 1 else (values * factor).astype("f4")
    slope, intercept = lut.slope * factor, lut.intercept * factor
    dtype = class_of(image.pixel, image.pixels.dtype, slope, intercept)
    if slope == 1 and intercept == 0:
        return image.pixels.astype(dtype, copy=False)
    if dtype.kind == "f":
        return (image.pixels * np.float64(slope) + np.float64(intercept)).astype(dtype)
    if slope == 1:
        values = image.pixels.astype(dtype)
        values += dtype.type(intercept)
        return values
    return (image.pixels.astype("i4") * int(slope) + int(intercept)).astype(dtype)


def class_of(
    pixel: PixelModule, stored: np.dtype[Any], slope: float, intercept: float
) -> np.dtype[Any]:
    """Return the numeric class that holds every value the stored bits can become."""
    if stored.kind == "f" or not (slope.is_integer() and intercept.is_integer()):
        return np.dtype("f4")
    ends = [value * slope + intercept for value in pixel.stored_range]
    return smallest_class(min(ends), max(ends))


def smallest_class(low: float, high: float) -> np.dtype[Any]:
    """Return the first of `CLASSES` that holds both ends, else float32."""
    for dtype in CLASSES:
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return dtype
    return np.dtype("f4")


def fit_class(values: Array, wanted: str) -> Array:
    """Return the values as `wanted`, unless that would change one of them by overflow."""
    dtype = WANTED.get(wanted, values.dtype)
    if dtype == values.dtype:
        return values
    if dtype.kind != "f":
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            return values
        limits = np.iinfo(dtype)
        low, high = value_range(values)
        if low < limits.min or high > limits.max:
            return values
        values = np.rint(values) if values.dtype.kind == "f" else values
    return values.astype(dtype)


def quantise(image: Image) -> Image:
    """Return the image as integers of at most 16 bits, with the slope and intercept to undo it.

    For viewers whose lookup table has an entry for each value between minimum and maximum.
    """
    pixels = image.pixels
    if pixels.dtype.kind != "f" and pixels.dtype.itemsize <= 2:
        return image
    low, high = value_range(pixels)
    narrow = smallest_class(low, high)
    if pixels.dtype.kind != "f" and narrow.kind != "f":
        return image.with_pixels(pixels.astype(narrow))
    step = (high - low) / 65535 or 1.0
    finite = np.nan_to_num(pixels.astype("f8"), nan=low, posinf=high, neginf=low)
    levels = np.rint((finite - low) / step).astype("u2")
    before = ModalityLut() if image.is_rescaled else image.modality_lut
    lut = replace(
        before,
        rescale_slope=before.slope * step,
        rescale_intercept=before.slope * low + before.intercept,
    )
    exact = np.ascontiguousarray(pixels)
    return image.with_pixels(levels, modality_lut=lut, is_rescaled=False, float_pixels=exact)


def value_range(pixels: Array) -> tuple[float, float]:
    """Return the smallest and the largest value, NaN and infinities left out."""
    if pixels.dtype.kind != "f":
        return pixels.min().item(), pixels.max().item()
    finite = pixels[np.isfinite(pixels)]
    return (finite.min().item(), finite.max().item()) if finite.size else (0.0, 0.0)
