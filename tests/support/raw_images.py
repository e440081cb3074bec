"""Images whose pixel data are given as bytes: what tests of samples and encapsulation need."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.support import builders

ITEM = b"\xfe\xff\x00\xe0"
DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"


def described(rows: int, columns: int, bits: int = 16, **attributes: Any) -> Dataset:
    """Return the header of an image of unsigned grey samples; `attributes` change it."""
    pixels = np.zeros((rows, columns), "u1" if bits <= 8 else "u2")
    given = {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1}
    dataset = builders.header(pixels, **given)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def with_pixels(
    dataset: Dataset, content: bytes, syntax: str = ExplicitVRLittleEndian, vr: str = "OW"
) -> bytes:
    """Write a file with native pixel data, as they are to stand in it."""
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = vr
    return builders.part10(dataset, syntax)


def item(value: bytes, padding: bytes = b"\0") -> bytes:
    """Return an item of encapsulated pixel data, of even length (PS3.5 A.4)."""
    value += padding * (len(value) % 2)
    return ITEM + pack("<L", len(value)) + value


def items(fragments: Sequence[bytes], table: Sequence[int] = ()) -> bytes:
    """Return encapsulated pixel data: an offset table, the fragments, and no delimiter."""
    return b"".join(map(item, (pack(f"<{len(table)}L", *table), *fragments)))


def encapsulated(dataset: Dataset, content: bytes, syntax: str) -> bytes:
    """Write a file whose encapsulated pixel data are `content`, up to its last byte."""
    dataset.PixelData = items([b"\0\0"]) + DELIMITER
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    body = builders.part10(dataset, syntax)
    start = body.rindex(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff") + 12
    return body[:start] + content


def pieces(frame: bytes, count: int) -> list[bytes]:
    """Return a frame in fragments of even length but the last."""
    size = -(-len(frame) // count // 2) * 2
    return [frame[start : start + size] for start in range(0, len(frame), size)]
