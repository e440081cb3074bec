"""Stored values to modality units, windows with them (PS3.3 C.11.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, LookupTable, VoiLut
from pyloader.pixels.output.dtypes import as_class, class_of, usual_class
from pyloader.pixels.output.padding import padding_range

Array = NDArray[Any]
Transform = Callable[[Array], Array]
# X-Ray Angiographic and X-Ray Radiofluoroscopic Image Storage.
PROJECTION_XRAY = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")


def has_table(image: Image) -> bool:
    """Tell whether a modality LUT stands as a table that is for display.

    That of projection X-ray is not (PS3.4 N.2.1.2).
    """
    is_projection = image.told("sop_common", "sop_class_uid") in PROJECTION_XRAY
    return image.modality_lut.lut is not None and not is_projection


def look_up(values: Array, lut: LookupTable) -> NDArray[np.uint16]:
    """Return the entries of a table; values outside take its first or last (PS3.3 C.11.1.1.1)."""
    last = len(lut.entries) - 1
    if values.dtype.kind == "f":
        values = np.rint(np.nan_to_num(values))
        indices = np.clip(values - lut.first_value_mapped, 0, last).astype("i8")
    else:
        indices = np.clip(values.astype("i8") - lut.first_value_mapped, 0, last)
    entries: NDArray[np.uint16] = lut.entries[indices]
    return entries


def own_factor(image: Image) -> float:
    """Return what turns modality units into those of quantitative viewing; 1 when nothing does.

    That is the standardized uptake value by body weight of PET, and the dose of RT dose.
    """
    factors = (image.told("scaling", name) for name in ("suvbw", "dose_grid_scaling"))
    return float(next(filter(None, factors), 1.0))


def to_modality(image: Image, factor: float = 1.0) -> Image:
    """Return the image in modality units, times `factor`, in one numeric class for its series.

    The class follows from bits, sign, slope and intercept, so that neighbouring slices of a series
    do not differ in class. One exception is exact: an image of shifted 16-bit values that has one
    beyond 16 bits is float32 (`usual_class`).
    """
    apply = modality_of(image, factor)
    found = with_values(image, apply(image.pixels), apply)
    return replace(found, is_rescaled=True, voi_lut=scale_voi(image.voi_lut, factor))


def modality_of(image: Image, factor: float) -> Transform:
    """Return what takes stored values of `image` to modality units, times `factor`."""
    lut = image.modality_lut
    if lut.lut is None:
        slope, intercept = lut.rescale
        return linear_of(image, slope * factor, intercept * factor)
    if has_table(image):
        return Table(lut.lut, factor)
    return linear_of(image, factor, 0.0)


def linear_of(image: Image, slope: float, intercept: float) -> Linear:
    """Return the line of these, into the class of the image's series."""
    # Slopes of PET differ from slice to slice, and some are whole numbers by chance.
    if image.told("general_series", "modality") == "PT":
        return Linear(slope, intercept, np.dtype("f4"))
    dtype = class_of(image.pixels, image.pixel, slope, intercept)
    if dtype.kind == "f" and (usual := usual_class(image.pixels, image.pixel, slope, intercept)):
        return Linear(slope, intercept, usual, is_limited=True)
    return Linear(slope, intercept, dtype)


def with_values(image: Image, values: Array, apply: Transform) -> Image:
    """Return the image with what `apply` made of its pixels, padding with them."""
    if values is image.pixels:
        return image
    found = image.with_pixels(values)
    pixel = found.pixel
    if values.dtype == image.pixels.dtype:
        # Values were changed within their dtype: they may use all of its bits.
        bits = values.dtype.itemsize * 8
        pixel = replace(pixel, bits_stored=bits, high_bit=bits - 1)
    value, limit = move_padding(image, apply)
    pixel = replace(pixel, pixel_padding_value=value, pixel_padding_range_limit=limit)
    return replace(found, pixel=pixel)


def move_padding(image: Image, apply: Transform) -> tuple[Any, Any]:
    """Return the ends of the padding of `image` after `apply`; None when no pixel can be it."""
    ends = padding_range(image.pixel)
    if ends is None:
        return None, None
    if image.pixels.dtype.kind != "f":
        low, high = image.pixel.stored_range
        ends = max(ends[0], low), min(ends[1], high)
        if ends[0] > ends[1]:
            return None, None
    value, limit = apply(np.array(ends, image.pixels.dtype)).tolist()
    return value, limit


@dataclass(frozen=True, slots=True)
class Table:
    """A modality LUT that stands as a table, times a factor."""

    lut: LookupTable
    factor: float

    def __call__(self, values: Array) -> Array:
        """Return what the table has for each value."""
        found = look_up(values, self.lut)
        return found if self.factor == 1 else as_class(found * self.factor, np.dtype("f4"))


@dataclass(frozen=True, slots=True)
class Linear:
    """A slope and an intercept, applied without a detour over floats where both are whole.

    With `is_limited`, what leaves the dtype takes its nearer end.
    """

    slope: float
    intercept: float
    dtype: np.dtype[Any]
    is_limited: bool = False

    def __call__(self, values: Array) -> Array:
        """Return the values as `dtype`."""
        if self.slope == 1 and self.intercept == 0:
            return as_class(values, self.dtype)
        if self.dtype.kind == "f" or values.dtype.kind == "f":
            exact = values * np.float64(self.slope) + np.float64(self.intercept)
            return as_class(exact, self.dtype)
        if self.is_limited:
            found = values.astype("i4") * int(self.slope) + int(self.intercept)
            limits = np.iinfo(self.dtype)
            return as_class(np.clip(found, limits.min, limits.max), self.dtype)
        if self.slope == 1:
            added = values.astype(self.dtype)
            added += self.dtype.type(self.intercept)
            return added
        return (values.astype("i4") * int(self.slope) + int(self.intercept)).astype(self.dtype)


def scale_voi(voi: VoiLut, factor: float) -> VoiLut:
    """Return windows for values that were multiplied; tables have no place for these."""
    if factor == 1:
        return voi
    windows = list(zip(voi.window_center, voi.window_width, strict=False))
    function = voi.voi_lut_function or "LINEAR"
    if function == "LINEAR":
        # Its half and its one do not scale: the same ramp by LINEAR_EXACT (PS3.3 C.11.2.1.3.2),
        # by which windows that are too narrow for it are drawn in any case.
        windows = [
            (center, width) if width < 1 else (center - 0.5, width - 1)
            for center, width in windows
            if width > 0 and width != 1
        ]
        function = "LINEAR_EXACT"
    return replace(
        voi,
        window_center=tuple(center * factor for center, _ in windows),
        window_width=tuple(width * factor for _, width in windows),
        voi_lut_function=function if windows else voi.voi_lut_function,
        luts=(),
    )
