"""An image of stored values, and a check that an instance has it."""

from __future__ import annotations

import numpy as np

from pyloader.dicom.instance import Instance
from tests.support import builders

PIXELS = builders.ramp(16, 24)


def assert_native(instance: Instance, pixels: np.ndarray = PIXELS, order: str = "<") -> None:
    """Check that the element holds `pixels`."""
    assert instance.pixels is not None
    assert instance.pixels.keyword == "PixelData"
    assert instance.pixels.missing == 0
    expected = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    assert bytes(instance.pixels.value) == expected
