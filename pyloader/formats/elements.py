"""Array elements: one rule for all formats to recognise colours and complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The element types of a `Volume`: bool becomes 0 and 1, complex numbers their magnitude.
NUMBERS = "bool, integers and floats of up to 64 bits, and complex numbers of two such floats"


def are_numbers(dtype: np.dtype[Any]) -> bool:
    """Return whether a `Volume` supports elements of a dtype; see `NUMBERS`."""
    return dtype.kind in "biufc" and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def can_be_color(count: int, dtype: np.dtype[Any]) -> bool:
    """Return whether samples that a file declares as a colour can be one for `Image.from_array`.

    A colour is RGB or RGBA, of unsigned integers, or of floats from 0 to 1.
    """
    return count in (3, 4) and dtype.kind in "uf"


def is_color_by_default(count: int, dtype: np.dtype[Any]) -> bool:
    """Return whether elements are a colour if a file gives only the number of their components.

    3 or 4 bytes are a colour, as ITK writes them. Others are vectors: each component is an image.
    """
    return count in (3, 4) and dtype == np.uint8


def as_complex(parts: NDArray[Any]) -> NDArray[Any]:
    """Join real and imaginary parts, on the last axis, to complex numbers."""
    dtype = np.result_type(parts.dtype, np.float32)
    pairs = np.ascontiguousarray(parts, dtype.newbyteorder("="))
    found: NDArray[Any] = pairs.view(np.result_type(dtype, np.complex64))[..., 0]
    return found
