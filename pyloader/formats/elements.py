"""Elements of arrays: one rule for all formats of which are colours, and which complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What a `Volume` takes: bool becomes 0 and 1, complex numbers their magnitude.
NUMBERS = "bool, integers and floats of up to 64 bits, and complex numbers of two such floats"


def are_numbers(dtype: np.dtype[Any]) -> bool:
    """Tell whether elements are such as a `Volume` takes; see `NUMBERS`."""
    return dtype.kind in "biufc" and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def can_be_color(count: int, dtype: np.dtype[Any]) -> bool:
    """Tell whether samples that a file calls a colour can be one, as of `Image.from_array`.

    RGB or RGBA, of unsigned integers, or of floats from 0 to 1.
    """
    return count in (3, 4) and dtype.kind in "uf"


def is_color_by_default(count: int, dtype: np.dtype[Any]) -> bool:
    """Tell whether numbers of which a file says no more than their count are a colour.

    3 or 4 bytes are: ITK writes its colours so. Others are vectors: each component is a picture.
    """
    return count in (3, 4) and dtype == np.uint8


def as_complex(parts: NDArray[Any]) -> NDArray[Any]:
    """Return complex numbers of their real and imaginary parts, which the last axis holds."""
    dtype = np.result_type(parts.dtype, np.float32)
    pairs = np.ascontiguousarray(parts, dtype.newbyteorder("="))
    found: NDArray[Any] = pairs.view(np.result_type(dtype, np.complex64))[..., 0]
    return found
