"""Parse untrusted JSON; refuse nesting so deep that a parser would run out of stack."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

# Levels of nested objects and lists. A sequence of DICOM takes three, and few files have ten.
# WebAssembly's stack bears some hundreds, and Python and JavaScript recurse through the result.
MOST_DEPTH = 192
OTHERS = bytes(set(range(256)) - set(b"[]{}"))
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def read_json(text: str | bytes) -> Any:
    """Parse JSON as `json.loads` does.

    Raises
    ------
    ValueError
        The text is not JSON, or is nested deeper than `MOST_DEPTH`.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    elif 0 in text[:4]:  # UTF-16 or UTF-32
        text = text.decode(json.detect_encoding(text), "surrogatepass").encode()
    # Most texts have few brackets, and those inside strings seldom matter: strip strings last.
    if depth_of(text) > MOST_DEPTH and depth_of(STRING.sub(b"", text)) > MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {MOST_DEPTH} levels")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(f"it is nested too deep: {error}") from error


def depth_of(text: bytes) -> int:
    """Return the depth of nested brackets, also inside strings; 0 if there are few brackets."""
    brackets = text.translate(None, OTHERS)
    if len(brackets) <= MOST_DEPTH:
        return 0
    steps = np.frombuffer(brackets, "i1")
    # Only closing brackets have this bit.
    return int(np.cumsum(np.where(steps & 4, -1, 1), dtype="i4").max())
