"""Convert stored values, and the windows for them, to modality units (PS3.3 C.11.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, LookupTable, VoiLut
from pyloader.pixels.output.dtypes import as_dtype, series_dtype, shifted_dtype
from pyloader.pixels.output.padding import padding_range

Array = NDArray[Any]
Transform = Callable[[Array], Array]
# X-Ray Angiographic and X-Ray Radiofluoroscopic Image Storage.
PROJECTION_XRAY = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")


def has_table(image: Image) -> bool:
    """Tell whether the modality LUT is a table that is for display.

    Tables of projection X-ray are not (PS3.4 N.2.1.2).
    """
    is_projection = image.told("sop_common", "sop_class_uid") in PROJECTION_XRAY
    return image.modality_lut.lut is not None and not is_projection


def look_up(values: Array, lut: LookupTable) -> NDArray[np.uint16]:
    """Look values up in a table; those outside take its first or last (PS3.3 C.11.1.1.1)."""
    last = len(lut.entries) - 1
    if values.dtype.kind == "f":
        values = np.rint(np.nan_to_num(values))
        indices = np.clip(values - lut.first_value_mapped, 0, last).astype("i8")
    else:
        indices = np.clip(values.astype("i8") - lut.first_value_mapped, 0, last)
    entries: NDArray[np.uint16] = lut.entries[indices]
    return entries


def own_factor(image: Image) -> float:
    """Return the factor from modality units to quantitative ones; 1 if there is none.

    These are standardized uptake values by body weight for PET, and dose for RT Dose.
    """
    factors = (image.told("scaling", name) for name in ("suvbw", "dose_grid_scaling"))
    return float(next(filter(None, factors), 1.0))


def to_modality(image: Image, factor: float = 1.0) -> Image:
    """Return the image in modality units, times `factor`, in one dtype for its series.

    The dtype follows from bits, sign, slope and intercept, so all slices of a series have the same.
    There is one exception: an image of shifted 16-bit values is float32 if a value exceeds 16 bits
    (`shifted_dtype`).
    """
    apply = modality_transform(image, factor)
    found = with_values(image, apply(image.pixels), apply)
    return replace(found, is_rescaled=True, voi_lut=scale_voi(image.voi_lut, factor))


def modality_transform(image: Image, factor: float) -> Transform:
    """Return the function from stored values of `image` to modality units, times `factor`."""
    lut = image.modality_lut
    if lut.lut is None:
        slope, intercept = lut.rescale
        return linear_transform(image, slope * factor, intercept * factor)
    if has_table(image):
        return Table(lut.lut, factor)
    return linear_transform(image, factor, 0.0)


def linear_transform(image: Image, slope: float, intercept: float) -> Linear:
    """Return the function ``slope * x + intercept``, to the dtype of the image's series."""
    # PET slopes differ from slice to slice, and some are whole numbers by chance.
    if image.told("general_series", "modality") == "PT":
        return Linear(slope, intercept, np.dtype("f4"))
    dtype = series_dtype(image.pixels, image.pixel, slope, intercept)
    if dtype.kind == "f" and (usual := shifted_dtype(image.pixels, image.pixel, slope, intercept)):
        return Linear(slope, intercept, usual, is_limited=True)
    return Linear(slope, intercept, dtype)


def with_values(image: Image, values: Array, apply: Transform) -> Image:
    """Return the image with `values`, the result of `apply`, and convert its padding alike."""
    if values is image.pixels:
        return image
    found = image.with_pixels(values)
    pixel = found.pixel
    if values.dtype == image.pixels.dtype:
        # The dtype stayed the same: the new values may use all of its bits.
        bits = values.dtype.itemsize * 8
        pixel = replace(pixel, bits_stored=bits, high_bit=bits - 1)
    value, limit = move_padding(image, apply)
    pixel = replace(pixel, pixel_padding_value=value, pixel_padding_range_limit=limit)
    return replace(found, pixel=pixel)


def move_padding(image: Image, apply: Transform) -> tuple[Any, Any]:
    """Return the padding range of `image` after `apply`; None if no pixel can be padding."""
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
    """A modality LUT in the form of a table, times a factor."""

    lut: LookupTable
    factor: float

    def __call__(self, values: Array) -> Array:
        """Look up each value, and multiply the result."""
        found = look_up(values, self.lut)
        return found if self.factor == 1 else as_dtype(found * self.factor, np.dtype("f4"))


@dataclass(frozen=True, slots=True)
class Linear:
    """A slope and an intercept; integers are computed as integers if both are whole.

    With `is_limited`, values that exceed the dtype are clipped to its range.
    """

    slope: float
    intercept: float
    dtype: np.dtype[Any]
    is_limited: bool = False

    def __call__(self, values: Array) -> Array:
        """Apply slope and intercept; return `dtype`."""
        if self.slope == 1 and self.intercept == 0:
            return as_dtype(values, self.dtype)
        if self.dtype.kind == "f" or values.dtype.kind == "f":
            exact = values * np.float64(self.slope) + np.float64(self.intercept)
            return as_dtype(exact, self.dtype)
        if self.is_limited:
            found = values.astype("i4") * int(self.slope) + int(self.intercept)
            limits = np.iinfo(self.dtype)
            return as_dtype(np.clip(found, limits.min, limits.max), self.dtype)
        if self.slope == 1:
            added = values.astype(self.dtype)
            added += self.dtype.type(self.intercept)
            return added
        return (values.astype("i4") * int(self.slope) + int(self.intercept)).astype(self.dtype)


def scale_voi(voi: VoiLut, factor: float) -> VoiLut:
    """Scale windows like their values; drop tables, which cannot be scaled."""
    if factor == 1:
        return voi
    windows = list(zip(voi.window_center, voi.window_width, strict=False))
    function = voi.voi_lut_function or "LINEAR"
    if function == "LINEAR":
        # The 0.5 and 1 in LINEAR's formula do not scale. LINEAR_EXACT draws the same ramp (PS3.3
        # C.11.2.1.3.2), and windows that are too narrow for LINEAR use it in any case.
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
