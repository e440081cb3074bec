"""Convert colour: YBR to RGB, wide samples to 8 bits, RGB to RGBA."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Chroma:
    """The conversion of luminance and two colour differences to red, green and blue.

    Attributes
    ----------
    black : int
        Luminance of black, in 8-bit units.
    luma : float
        Factor of luminance, for each colour.
    red, green, blue : (2,) tuple of float
        Factors of Cb and of Cr for this colour.
    """

    black: int
    luma: float
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]


# PS3.3 C.7.6.3.1.2 has the equations from RGB to YBR; these are their inverses, as in ITU-T T.871 7
# (full range) and ITU-R BT.601 (luminance of 16 to 235, chrominance of 16 to 240, 8 bits).
FULL = Chroma(0, 1.0, (0.0, 1.402), (-0.344136, -0.714136), (1.772, 0.0))
PARTIAL = Chroma(
    16,
    255 / 219,
    (0.0, 1.402 * 255 / 224),
    (-0.344136 * 255 / 224, -0.714136 * 255 / 224),
    (1.772 * 255 / 224, 0.0),
)
# 4:2:0 and 4:2:2 arrive here with chroma for each pixel.
EQUATIONS = {
    "YBR_FULL": FULL,
    "YBR_FULL_422": FULL,
    "YBR_PARTIAL_420": PARTIAL,
    "YBR_PARTIAL_422": PARTIAL,
}
# Transformations inside a JPEG 2000 codestream. Its decoder undoes them: no samples have them.
TRANSFORMED = ("YBR_RCT", "YBR_ICT")


def as_rgb(pixels: NDArray[Any], photometric: str, bits: int) -> tuple[NDArray[Any], str]:
    """Convert YBR to RGB, and return it with its photometric interpretation; leave others alone.

    Parameters
    ----------
    pixels : (rows, columns, 3) integer array
        With chroma for each pixel.
    bits : int
        Bits of a sample.

    References
    ----------
    PS3.3 C.7.6.3.1.2.
    """
    if photometric in TRANSFORMED:
        warnings.warn(
            f"photometric interpretation {photometric} exists only inside JPEG 2000 codestreams, "
            "and these samples are not in one; they were taken as RGB, which decoders output",
            stacklevel=2,
        )
        return pixels, "RGB"
    equations = EQUATIONS.get(photometric)
    if equations is None or pixels.ndim != 3:
        return pixels, photometric
    return to_rgb_samples(pixels, equations, bits), "RGB"


def to_rgb_samples(pixels: NDArray[Any], chroma: Chroma, bits: int) -> NDArray[Any]:
    """Convert luminance and chroma to RGB, rounded and clipped to the range of `bits` bits."""
    middle = 1 << (bits - 1)
    scale = (1 << bits) / 256
    ybr = pixels.astype("f4" if bits <= 16 else "f8")
    luma = (ybr[..., 0] - chroma.black * scale) * chroma.luma
    blue, red = ybr[..., 1] - middle, ybr[..., 2] - middle
    rgb = np.empty(pixels.shape, pixels.dtype)
    for index, (by_blue, by_red) in enumerate((chroma.red, chroma.green, chroma.blue)):
        values = luma + by_blue * blue + by_red * red
        np.clip(np.rint(values, out=values), 0, (1 << bits) - 1, out=values)
        rgb[..., index] = values
    return rgb


def to_8_bit(pixels: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    """Reduce colour samples to the upper 8 bits of `bits_stored`, without clamping integers."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "f":
        return np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)
    return (pixels >> max(0, bits_stored - 8)).astype(np.uint8)


def to_rgba(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add opaque alpha to (rows, columns, 3), for (rows, columns, 4)."""
    if pixels.shape[2] == 4:
        return pixels
    rgba = np.empty((*pixels.shape[:2], 4), np.uint8)
    rgba[..., :3] = pixels
    rgba[..., 3] = 255
    return rgba


def to_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend (rows, columns, 4) with black, for (rows, columns, 3).

    The colour under a transparent pixel was never visible.
    """
    if pixels.shape[2] == 3 or (pixels[..., 3] == 255).all():
        return pixels[..., :3]
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)
