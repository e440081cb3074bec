"""Find padding pixels, and the value range of the other pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.image import Image, PixelModule

Array = NDArray[Any]
Range = tuple[float, float]


def value_range(pixels: Array) -> Range:
    """Return the smallest and the largest value, without NaN and infinities."""
    if pixels.dtype.kind != "f":
        return pixels.min().item(), pixels.max().item()
    finite = pixels[np.isfinite(pixels)]
    return (finite.min().item(), finite.max().item()) if finite.size else (0.0, 0.0)


def padding_range(pixel: PixelModule) -> Range | None:
    """Return the smallest and largest padding value, in the current units of the pixels.

    A negative value for unsigned pixels was written with the wrong VR; its 16 bits are read as
    unsigned.

    References
    ----------
    PS3.3 C.7.5.1.1.2 (Pixel Padding Value and Pixel Padding Range Limit, either may be larger).
    """
    value, limit = pixel.pixel_padding_value, pixel.pixel_padding_range_limit
    if value is None:
        return None
    ends = [value, value if limit is None else limit]
    if pixel.bits_allocated == 16 and not pixel.pixel_representation:
        ends = [end + 65536 if end < 0 else end for end in ends]
    return min(ends), max(ends)


def padding_mask(image: Image) -> NDArray[np.bool_] | None:
    """Return a mask of padding pixels, (rows, columns); None if there are none, or in colour."""
    ends = padding_range(image.pixel)
    if ends is None or image.pixels.ndim == 3:
        return None
    found: NDArray[np.bool_] = (image.pixels >= ends[0]) & (image.pixels <= ends[1])
    return found if found.any() else None


def range_without(values: Array, mask: NDArray[np.bool_] | None) -> Range:
    """Return the value range outside `mask`, or of all values if none outside is finite."""
    if mask is None:
        return value_range(values)
    rest = values[~mask]
    return value_range(rest if np.isfinite(rest).any() else values)


def darken_padding(image: Image) -> Image:
    """Return the image with a dark value for padding that would be drawn bright.

    Viewers ignore padding. Padding that is dark already stays. Padding beyond the stored bits on
    the bright side is removed from the description, too, as no slice has it any more. Label maps
    stay: their padding is a segment number like others, and viewers colour it by its number.
    """
    ends = padding_range(image.pixel)
    is_labelmap = image.told("segment", "segmentation_type") == "LABELMAP"
    if ends is None or image.pixels.ndim == 3 or is_labelmap:
        return image
    is_inverted = image.pixel.photometric_interpretation == "MONOCHROME1"
    if image.modality_lut.lut is None and image.modality_lut.slope < 0 and not image.is_rescaled:
        is_inverted = not is_inverted
    mask = padding_mask(image)
    if mask is not None:
        image = darkened(image, mask, is_inverted)
    least, most = image.pixel.stored_range
    if (mask is not None and mask.all()) or not (
        ends[1] < least if is_inverted else ends[0] > most
    ):
        return image
    pixel = replace(image.pixel, pixel_padding_value=None, pixel_padding_range_limit=None)
    return replace(image, pixel=pixel)


def darkened(image: Image, mask: NDArray[np.bool_], is_inverted: bool) -> Image:
    """Return the image with a dark value for pixels of `mask` that are brighter than the others."""
    low, high = range_without(image.pixels, mask)
    # Use 0 if it is darker than the image: padding must not be as bright as a uniform image.
    dark = max(high, 0) if is_inverted else min(low, 0)
    bright = mask & (image.pixels < low if is_inverted else image.pixels > high)
    if not bright.any():
        return image
    return image.with_pixels(np.where(bright, image.pixels.dtype.type(dark), image.pixels))
