"""Read JSON of elsewhere, refusing what is nested so deep that a parser runs out of stack."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

# Objects and lists within each other. A sequence of DICOM takes three, and few files have ten; the
# stack of WebAssembly bears some hundreds, and Python and JavaScript walk through what was read.
MOST_DEPTH = 192
OTHERS = bytes(set(range(256)) - set(b"[]{}"))
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def read_json(text: str | bytes) -> Any:
    """Return what `json.loads` does.

    Raises
    ------
    ValueError
        It is no JSON, or nested deeper than `MOST_DEPTH`.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    elif 0 in text[:4]:  # UTF-16 or UTF-32
        text = text.decode(json.detect_encoding(text), "surrogatepass").encode()
    # Most have few brackets, and those within texts seldom count: so these are looked at last.
    if depth_of(text) > MOST_DEPTH and depth_of(TEXT.sub(b"", text)) > MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {MOST_DEPTH} levels")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(f"it is nested too deep: {error}") from error


def depth_of(text: bytes) -> int:
    """Return how deep brackets are nested, those within texts too."""
    brackets = text.translate(None, OTHERS)
    if len(brackets) <= MOST_DEPTH:
        return 0
    steps = np.frombuffer(brackets, "i1")
    # Closing brackets alone have this bit.
    return int(np.cumsum(np.where(steps & 4, -1, 1), dtype="i4").max())
