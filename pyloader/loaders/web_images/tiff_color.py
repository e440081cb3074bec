"""What the samples of a TIFF page mean (TIFF 6.0, sections 3 to 6 and 18)."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.web_images.picture import Header, Pixels

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
PHOTOMETRIC = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE)
# ExtraSamples (section 18).
ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA = 1, 2


def colors_of(page: Any, pixels: Pixels, what: str) -> tuple[Pixels, Header]:
    """Return (rows, columns[, samples]) as `make_image` takes them, and what is known of them.

    Parameters
    ----------
    page : tifffile.TiffPage
    pixels : array
        As tifffile decodes them, by `page.axes`.

    Raises
    ------
    FormatError, UnsupportedError
    """
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels.astype("u1") if pixels.dtype == bool else pixels
    bits = min(page.bitspersample, pixels.dtype.itemsize * 8)
    attributes: dict[str, Any] = {} if pixels.dtype.kind == "f" else {"bits_stored": bits}
    pixels, notes = without_extra_samples(page, pixels, what)
    if page.photometric == PALETTE:
        pixels, attributes = resolved(pixels, page.colormap, what), {}
    if page.photometric == WHITE_IS_ZERO:
        attributes["photometric_interpretation"] = "MONOCHROME1"
    check_color(pixels, what)
    rows, columns, samples = (*pixels.shape, 1)[:3]
    return pixels, Header("TIFF", rows, columns, samples, attributes=attributes, warnings=notes)


def without_extra_samples(page: Any, pixels: Pixels, what: str) -> tuple[Pixels, tuple[str, ...]]:
    """Return pixels with no more than alpha beside their colors, and what was left out."""
    count = 3 if page.photometric in (RGB, YCBCR) else 1
    extra = (*pixels.shape, 1)[2] - count
    if extra < 0 or (extra and not page.extrasamples and count == 1):
        raise UnsupportedError(f"{what} has {count + extra} samples a pixel, which are no color")
    if not extra:
        return pixels, ()
    kind = page.extrasamples[0] if page.extrasamples else 0
    base = pixels[..., 0] if count == 1 else pixels[..., :count]
    if kind == UNASSOCIATED_ALPHA and page.photometric in (BLACK_IS_ZERO, RGB):
        return pixels[..., : count + 1], ()
    if kind == ASSOCIATED_ALPHA:
        return base, ("its colors are multiplied with their alpha: they are shown on black",)
    return base, (f"{extra} samples a pixel beside its colors were left out",)


def resolved(indices: Pixels, palette: Pixels | None, what: str) -> Pixels:
    """Return RGB for the indices of a palette (section 5), of 8 bits when it has no more.

    Parameters
    ----------
    palette : (3, n) uint16 array
    """
    if palette is None or indices.ndim != 2 or indices.max() >= palette.shape[1]:
        raise FormatError(f"{what} has no palette for all of its values: it is damaged")
    # Palettes of 8 bits are written with them in the upper byte, or in both.
    is_8_bit = not (palette & 255).any() or not (palette % 257).any()
    entries = (palette >> 8).astype("u1") if is_8_bit else palette
    return np.ascontiguousarray(entries.T)[indices]


def check_color(pixels: Pixels, what: str) -> None:
    """Check that colors are of a kind that can be shown: unsigned integers, or 0 to 1.

    Raises
    ------
    UnsupportedError
    """
    if pixels.ndim == 2 or pixels.dtype.kind == "u":
        return
    if pixels.dtype.kind != "f" or not (pixels.min() >= 0 and pixels.max() <= 1):
        raise UnsupportedError(
            f"{what} has colors of type {pixels.dtype} from {pixels.min()} to {pixels.max()}; "
            "unsigned integers, or floats from 0 to 1, can be shown"
        )
