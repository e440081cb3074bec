"""Convert images to 8-bit pixels as a viewer shows them: modality LUT, VOI LUT, polarity.

The steps are those of the softcopy pipeline (PS3.4 N.2), without a presentation state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError
from pyloader.image import Image
from pyloader.pixels.color import to_8_bit
from pyloader.pixels.output.modality import has_table, look_up
from pyloader.pixels.output.padding import darken_padding, padding_mask, range_without

__all__ = ["display", "modality_values"]

Values = NDArray[np.float64]
Window = tuple[float, float]
"""Centre and width, in modality units."""


def display(image: Image, window: Window | None = None) -> NDArray[np.uint8]:
    """Return an image as it is displayed.

    Grey pixels go through the modality LUT, unless it is a table that is not for display. Then the
    first of these applies: `window`, the image's first VOI table, its first window if valid, or the
    range of values without padding. NaN and infinities are shown as the lowest value. Padding is
    never brighter than the rest. Colour keeps its upper 8 bits. The number of pixels stays the
    same, also when they are not square.

    Parameters
    ----------
    window : (float, float), optional
        Centre and width in modality units, for the image's own VOI LUT Function.

    Returns
    -------
    (rows, columns) or (rows, columns, 3 or 4) uint8 array

    Raises
    ------
    FormatError
        `window` is not valid for the image's VOI LUT Function.
    """
    if image.pixels.ndim == 3:
        return to_8_bit(image.pixels, image.pixel.bits_stored)
    image = darken_padding(image)
    values = modality_values(image)
    levels = apply_voi_lut(values, image, window)
    levels[~np.isfinite(values)] = 0.0
    if image.pixel.photometric_interpretation == "MONOCHROME1":
        np.subtract(1.0, levels, out=levels)
    return np.rint(levels * 255).astype("u1")


def modality_values(image: Image) -> Values:
    """Return grey pixels in modality units, such as Hounsfield units of a CT (PS3.3 C.11.1).

    Slope and intercept are applied, or the table in their place. Values of a table that is not for
    display stay as stored, as do all values of an image without a modality LUT.

    Returns
    -------
    (rows, columns) float64 array
    """
    pixels, modality = image.pixels.astype("f8"), image.modality_lut
    if image.is_rescaled:
        return pixels
    if modality.lut is None:
        slope, intercept = modality.rescale
        return pixels * slope + intercept
    return look_up(pixels, modality.lut).astype("f8") if has_table(image) else pixels


def apply_voi_lut(values: Values, image: Image, window: Window | None) -> Values:
    """Map values in modality units to levels from 0 (lowest) to 1 (PS3.3 C.11.2)."""
    voi = image.voi_lut
    if window is None and voi.luts:
        lut = voi.luts[0]
        # Entries of some tables exceed their declared bits; an author may declare any number.
        bits = min(max(lut.bits_per_entry, 1), 16)
        return look_up(values, lut) / max((1 << bits) - 1, int(lut.entries.max()))
    own = (*voi.window_center, 0.0)[0], (*voi.window_width, 0.0)[0]
    function = function_for(image, own if window is None else window)
    if window is not None:
        return function.apply(values, *check_window(function, window))
    if function.allows(own):
        return function.apply(values, *own)
    return stretch(values, *range_without(values, padding_mask(image)))


@dataclass(frozen=True, slots=True)
class Function:
    """A VOI LUT Function.

    Attributes
    ----------
    name : str
        Name in the standard.
    apply : (values, centre, width) -> levels from 0 to 1
    least_width : float
        Smallest valid width; always greater than 0.
    """

    name: str
    apply: Callable[[Values, float, float], Values]
    least_width: float

    def allows(self, window: Window) -> bool:
        """Tell whether a window is valid for this function."""
        return bool(np.isfinite(window).all()) and window[1] >= self.least_width


def function_of(image: Image) -> Function:
    """Return the VOI LUT Function of an image, by default LINEAR (PS3.3 C.11.2.1.3)."""
    return FUNCTIONS[image.voi_lut.voi_lut_function or "LINEAR"]


def function_for(image: Image, window: Window) -> Function:
    """Return the function that draws a window of an image.

    LINEAR is for whole numbers, and its windows are at least 1 wide (PS3.3 C.11.2.1.2.1). A window
    of fractional values may be narrower; LINEAR_EXACT then draws its ramp from end to end.
    """
    function = function_of(image)
    is_narrow = function.name == "LINEAR" and 0 < window[1] < function.least_width
    return FUNCTIONS["LINEAR_EXACT"] if is_narrow and has_fractions(image) else function


def has_fractions(image: Image) -> bool:
    """Tell whether grey values, in modality units, may be fractions."""
    modality = image.modality_lut
    if image.pixels.dtype.kind == "f" or image.is_rescaled or modality.lut is not None:
        return image.pixels.dtype.kind == "f"
    return not all(float(each).is_integer() for each in (modality.slope, modality.intercept))


def check_window(function: Function, window: Window) -> Window:
    """Return a requested window, or raise if it is not valid."""
    if not function.allows(window):
        raise FormatError(
            f"window centre {window[0]:g} and width {window[1]:g} cannot be used: for VOI LUT "
            f"Function {function.name} both are finite, the width at least {function.least_width:g}"
        )
    return window


def linear(values: Values, center: float, width: float) -> Values:
    """Return levels of VOI LUT Function LINEAR (PS3.3 C.11.2.1.2.1)."""
    if width == 1:
        return (values > center - 0.5).astype("f8")
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0.0, 1.0)


def linear_exact(values: Values, center: float, width: float) -> Values:
    """Return levels of VOI LUT Function LINEAR_EXACT (PS3.3 C.11.2.1.3.2)."""
    return np.clip((values - center) / width + 0.5, 0.0, 1.0)


def sigmoid(values: Values, center: float, width: float) -> Values:
    """Return levels of VOI LUT Function SIGMOID (PS3.3 C.11.2.1.3.1)."""
    # Above 700 the result is 0, and exp may overflow.
    exponents = np.minimum(-4.0 * (values - center) / width, 700.0)
    return 1.0 / (1.0 + np.exp(exponents))


SMALLEST_WIDTH = 1e-6
FUNCTIONS = {
    function.name: function
    for function in (
        Function("LINEAR", linear, 1.0),
        Function("LINEAR_EXACT", linear_exact, SMALLEST_WIDTH),
        Function("SIGMOID", sigmoid, SMALLEST_WIDTH),
    )
}


def stretch(values: Values, low: float, high: float) -> Values:
    """Return levels from 0 at `low` to 1 at `high`; all 0 when they are the same."""
    levels: Values = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    return levels
