"""Colour: palettes to RGB, wide samples to 8 bits, RGB to RGBA."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from pyloader.errors import FormatError


def apply_palette(pixels: NDArray[Any], dataset: Dataset) -> tuple[NDArray[Any], int]:
    """Return RGB for the indices of a PALETTE COLOR image, and the bits of its entries.

    Parameters
    ----------
    pixels : (rows, columns) array of indices

    Returns
    -------
    (rows, columns, 3) uint8 or uint16 array
    int
        8 or 16.

    References
    ----------
    PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6 (descriptors and data, also segmented, C.7.9.2).
    """
    try:
        rgb = apply_color_lut(pixels, dataset)
    except Exception as error:
        raise FormatError(
            f"the palette, (0028,1101) to (0028,1203), cannot be used: {error}"
        ) from error
    return np.ascontiguousarray(rgb[..., :3]), rgb.dtype.itemsize * 8


def to_8_bit(pixels: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    """Return colour samples as 8 bits: the upper 8 of `bits_stored`, never clamped."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "f":
        return np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)
    return (pixels >> max(0, bits_stored - 8)).astype(np.uint8)


def to_rgba(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (rows, columns, 4) with opaque alpha for (rows, columns, 3)."""
    if pixels.shape[2] == 4:
        return pixels
    rgba = np.empty((*pixels.shape[:2], 4), np.uint8)
    rgba[..., :3] = pixels
    rgba[..., 3] = 255
    return rgba


def to_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (rows, columns, 3) for (rows, columns, 4): colors as they are seen on black.

    What stands under a transparent pixel was never to be seen.
    """
    if pixels.shape[2] == 3 or (pixels[..., 3] == 255).all():
        return pixels[..., :3]
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)
