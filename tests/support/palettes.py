"""An image whose colours stand elsewhere, as metadata of a service name them."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from tests.support import builders

PIXELS = np.arange(24, dtype="u1").reshape(4, 6)


def palette_header(sop_instance_uid: str) -> Dataset:
    """Return what describes `PIXELS`, without the entries of red."""
    header = builders.header(PIXELS, SOPInstanceUID=sop_instance_uid)
    header.PhotometricInterpretation = "PALETTE COLOR"
    for color in ("Green", "Blue"):
        setattr(header, f"{color}PaletteColorLookupTableData", bytes(512))
    for color in ("Red", "Green", "Blue"):
        setattr(header, f"{color}PaletteColorLookupTableDescriptor", [256, 0, 16])
    return header
