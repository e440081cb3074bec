"""Images of one row, and what a page is given of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyloader import Image
from pyloader.image import LookupTable
from pyloader.pixels.output.delivery import Delivery, deliver

CT = {"bits_stored": 12, "rescale_slope": 1.0, "rescale_intercept": -1024.0}


def image(values: Any, dtype: str = "u2", **attributes: Any) -> Image:
    """Return an image of one row, or of an array."""
    return Image.from_array(np.atleast_2d(np.asarray(values, dtype)), **attributes)


def rescaled(found: Image, **delivery: Any) -> Image:
    """Deliver in modality units."""
    return deliver(found, Delivery(rescale=True, **delivery))


def with_table(sop_class: str) -> Image:
    """Return an image with a modality LUT as a table."""
    table = LookupTable(0, 16, np.array([7, 8, 9], "u2"))
    modules = {"sop_common": {"sop_class_uid": sop_class}}
    return Image.from_array(np.array([[0, 2]], "u2"), lut=table, modules=modules)
