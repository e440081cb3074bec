"""Arrays as numpy saves them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np


def saved(array: Any, **options: Any) -> bytes:
    """Return an array as `np.save` writes it."""
    stream = BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def saved_together(save: Callable[..., None] = np.savez, **arrays: Any) -> bytes:
    """Return arrays as `np.savez` writes them."""
    stream = BytesIO()
    save(stream, **arrays)
    return stream.getvalue()
