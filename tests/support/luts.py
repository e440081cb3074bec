"""Items of LUT Sequences (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom import Dataset


def item(count: int, first: int, bits: int, entries: np.ndarray, **more: Any) -> Dataset:
    """Make an item of a LUT Sequence."""
    found = Dataset()
    found.add_new("LUTDescriptor", "US", [count, first, bits])
    found.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    for keyword, value in more.items():
        setattr(found, keyword, value)
    return found
