"""Sizes of JPEG XL."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from pyloader.pixels.codestream.jpeg_xl import read_size


@pytest.mark.parametrize(
    "shape", [(8, 8), (40, 48), (256, 512), (10, 12), (300, 7), (9000, 1), (3, 4), (9, 16), (1, 1)]
)
@pytest.mark.parametrize("container", [False, True])
def test_size_of_jpeg_xl(shape, container):
    """In all forms that its header has: multiples of 8, ratios, small and large numbers."""
    frame = imagecodecs.jpegxl_encode(
        np.zeros(shape, "u1"), lossless=True, effort=1, usecontainer=container
    )
    assert read_size(frame) == shape
