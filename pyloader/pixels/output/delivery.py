"""Deliver stored values as a page asks for: rescaled, RGBA, in one dtype, resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, ModalityLut, PixelModule, VoiLut
from pyloader.pixels.color import to_8_bit, to_rgb, to_rgba
from pyloader.pixels.output.dtypes import DTYPES_BY_NAME, fit_dtype, fits, smallest_dtype
from pyloader.pixels.output.modality import has_table, own_factor, to_modality, with_values
from pyloader.pixels.output.padding import darken_padding, padding_mask, range_without, value_range
from pyloader.pixels.output.voi import display

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The form in which a page wants its pixels.

    Attributes
    ----------
    rgba : bool
        Colour with 4 samples, else with 3. Colour always has 8 bits.
    rescale : bool
        Apply the modality LUT, unless it is a table that is not for display.
    factor : float or None
        Multiply rescaled values, such as by an SUV factor; None takes the image's own factor.
    integers : bool
        Return integers of at most 16 bits. Other values are quantised; slope and intercept undo it.
    dtype : str
        Wanted dtype, such as ``"int16"``; used only if every value fits.
    limit : bool
        Always use `dtype`: values that do not fit are clipped to its range.
    darken : bool
        Replace padding that would be drawn bright by a value at the dark end.
    display : bool
        Return 8-bit values as displayed, after every table and window. For grey images only `rows`
        and `columns` count then.
    rows, columns : int
        Resample to this size; 0 keeps the size.
    """

    rgba: bool = False
    rescale: bool = False
    factor: float | None = 1.0
    integers: bool = False
    dtype: str = ""
    limit: bool = False
    darken: bool = False
    display: bool = False
    rows: int = 0
    columns: int = 0

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Delivery:
        """Read the page's ``delivery`` options; absent ones keep their defaults.

        A ``factor`` of ``"own"`` means the image's own.
        """
        known = {name: options[name] for name in cls.__slots__ if options.get(name) is not None}
        if known.get("factor") == "own":
            known["factor"] = None
        return cls(**known)


def deliver(image: Image, delivery: Delivery) -> Image:
    """Return `image` in the form of `delivery`; its pixels are C-contiguous and little-endian."""
    image = resample(without_flat_slope(image), delivery.rows, delivery.columns)
    if image.pixels.ndim == 3:
        return deliver_color(image, delivery)
    if delivery.display:
        return deliver_display(image)
    if delivery.darken:
        image = darken_padding(image)
    if delivery.rescale or (delivery.integers and has_table(image)):
        factor = own_factor(image) if delivery.factor is None else delivery.factor
        image = to_modality(image, factor if delivery.rescale else 1.0)
    if delivery.dtype:
        image = to_wanted_dtype(image, delivery)
    if delivery.integers:
        image = quantise(image)
    return image.with_pixels(np.ascontiguousarray(image.pixels))


def without_flat_slope(image: Image) -> Image:
    """Remove a rescale slope near 0, which an author gave, and add a warning."""
    lut = image.modality_lut
    if not lut.is_flat:
        return image
    note = f"rescale_slope is {lut.slope:g}, which makes all pixels the same: values stay as stored"
    found = replace(lut, rescale_slope=None, rescale_intercept=None)
    return replace(image, modality_lut=found, warnings=(*image.warnings, note))


def deliver_color(image: Image, delivery: Delivery) -> Image:
    """Deliver colour as 8-bit RGB or RGBA."""
    pixels = to_8_bit(image.pixels, image.pixel.bits_stored)
    pixels = to_rgba(pixels) if delivery.rgba else to_rgb(pixels)
    return image.with_pixels(np.ascontiguousarray(pixels))


def deliver_display(image: Image) -> Image:
    """Deliver grey pixels as displayed, with the window that keeps them unchanged."""
    pixels = np.ascontiguousarray(display(image))
    return replace(
        image,
        pixels=pixels,
        pixel=PixelModule.of(pixels),
        modality_lut=ModalityLut(),
        voi_lut=VoiLut((127.5,), (255.0,), voi_lut_function="LINEAR_EXACT"),
        is_rescaled=True,
    )


def resample(image: Image, rows: int, columns: int) -> Image:
    """Return the image at another size, by nearest-neighbour resampling."""
    height, width = image.pixels.shape[:2]
    if not (rows and columns) or (rows, columns) == (height, width):
        return image
    row_indices = np.arange(rows) * height // rows
    column_indices = np.arange(columns) * width // columns
    return image.with_pixels(image.pixels[row_indices[:, None], column_indices])


def to_wanted_dtype(image: Image, delivery: Delivery) -> Image:
    """Convert the image to the wanted dtype, if its values fit or are to be clipped."""
    pixels = image.pixels
    dtype = DTYPES_BY_NAME.get(delivery.dtype, pixels.dtype)
    if delivery.limit and not fits(pixels, dtype):
        image = replace(image, warnings=(*image.warnings, *clipping_warnings(image, dtype)))

    def apply(values: Array) -> Array:
        return fit_dtype(values, delivery.dtype, delivery.limit)

    return with_values(image, apply(pixels), apply)


def clipping_warnings(image: Image, dtype: np.dtype[Any]) -> list[str]:
    """Return a warning with the number of values that do not fit `dtype`, except padding."""
    limits = np.iinfo(dtype)
    beyond = ~((image.pixels >= limits.min) & (image.pixels <= limits.max))
    mask = padding_mask(image)
    count = int(np.count_nonzero(beyond if mask is None else beyond & ~mask))
    if not count:
        return []
    return [
        f"{count} of {image.pixels.size} values are outside {limits.min} to {limits.max}, the "
        f"range of the {dtype.name} that the viewer asked for; they were clipped to it"
    ]


def quantise(image: Image) -> Image:
    """Return the image as integers of at most 16 bits, with the slope and intercept to undo it.

    This is for viewers whose lookup table has one entry per value from minimum to maximum. Padding
    is clipped to the range of the other pixels.
    """
    pixels = image.pixels
    if pixels.dtype.kind != "f" and pixels.dtype.itemsize <= 2:
        return image
    narrow = smallest_dtype(*value_range(pixels))
    if pixels.dtype.kind != "f" and narrow.kind != "f":
        return image.with_pixels(pixels.astype(narrow))
    low, high = range_without(pixels, padding_mask(image))
    step = (high - low) / 65535 or 1.0
    finite = np.nan_to_num(pixels.astype("f8"), nan=low, posinf=high, neginf=low)
    levels = np.rint((np.clip(finite, low, high) - low) / step).astype("u2")
    before = ModalityLut() if image.is_rescaled else image.modality_lut
    slope, intercept = before.rescale
    lut = replace(before, rescale_slope=slope * step, rescale_intercept=slope * low + intercept)
    exact = np.ascontiguousarray(pixels)
    found = image.with_pixels(levels, modality_lut=lut, is_rescaled=False, float_pixels=exact)
    pixel = replace(found.pixel, pixel_padding_value=None, pixel_padding_range_limit=None)
    return replace(found, pixel=pixel)
