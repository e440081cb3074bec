"""Data sets in the DICOM JSON Model as pydicom writes them, and modules to compare."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from pydicom import Dataset


def plain(modules: Any) -> Any:
    """Return modules with arrays as bytes, so that they can be compared."""
    if isinstance(modules, np.ndarray):
        return modules.dtype.str, modules.shape, modules.tobytes()
    if isinstance(modules, dict):
        return {key: plain(value) for key, value in modules.items()}
    if isinstance(modules, (list, tuple)):
        return [plain(value) for value in modules]
    if hasattr(modules, "__dataclass_fields__"):
        return {name: plain(getattr(modules, name)) for name in modules.__dataclass_fields__}
    return modules


def as_json(dataset: Dataset, threshold: int = 1 << 30) -> dict[str, Any]:
    """Return a data set in the DICOM JSON Model, longer values elsewhere, as pydicom writes it."""
    text = dataset.to_json(
        bulk_data_threshold=threshold,
        bulk_data_element_handler=lambda each: f"bulk/{each.tag:08x}",
        suppress_invalid_tags=True,
    )
    found: dict[str, Any] = json.loads(text)
    return found
