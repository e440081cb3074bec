"""The outcome of a load in the page, back in Python."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
from playwright.sync_api import Page


def load(page: Page, image_id: str, **options: Any) -> dict[str, Any]:
    """Load in the page and return the image's fields; ``pixels`` is an array."""
    found = page.evaluate("([id, options]) => load(id, options)", [image_id, options])
    assert "error" not in found, found["error"]
    return with_pixels(found["image"])


def fail(page: Page, image_id: str, **options: Any) -> dict[str, Any]:
    """Load in the page what cannot be loaded, and return the error's fields."""
    found = page.evaluate("([id, options]) => load(id, options)", [image_id, options])
    assert "image" not in found, f"{image_id} loaded"
    error: dict[str, Any] = found["error"]
    return error


def with_pixels(image: dict[str, Any]) -> dict[str, Any]:
    """Return an image's fields with its pixels as (rows, columns[, samples]) array."""
    dtype = np.dtype(image["dataType"].removesuffix("Array").lower())
    samples = image["numberOfComponents"]
    shape = (image["rows"], image["columns"], samples)[: 2 if samples == 1 else 3]
    pixels = np.frombuffer(base64.b64decode(image["pixels"]), dtype)
    return {**image, "pixels": pixels.reshape(shape)}


def digest_of(pixels: np.ndarray, data_type: str) -> str:
    """Return what the page's `digest` says of these pixels as a typed array."""
    rows, columns, samples = (*pixels.shape, 1)[:3]
    values = pixels.astype(data_type.removesuffix("Array").lower())
    assert np.array_equal(values, pixels), f"{data_type} cannot hold {pixels.min()}, {pixels.max()}"
    return f"{data_type} {rows} {columns} {samples} {hashlib.sha256(values.tobytes()).hexdigest()}"
