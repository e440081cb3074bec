"""BMPs made in code, of any header, depth and compression."""

from __future__ import annotations

import struct

import numpy as np

from tests.support.pictures import noise

ROWS, COLUMNS = 9, 13
CORE, INFO, V2, V3, OS2, V4, V5 = 12, 40, 52, 56, 64, 108, 124
RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6


def bmp(
    header: int, depth: int, data: bytes, *, palette: bytes = b"", **fields: int | tuple[int, ...]
) -> bytes:
    """Make a BMP.

    Parameters
    ----------
    header : int
        Its size, which is its version.
    **fields
        ``compression``, ``masks``, ``used`` (colors), ``rows`` (negative: from top to bottom),
        ``offset`` (of the pixels).
    """
    given = fields.get("masks", ())
    masks = struct.pack(f"<{len(given)}I", *given)  # type: ignore[arg-type]
    rows, compression = fields.get("rows", ROWS), fields.get("compression", RGB)
    if header == CORE:
        info = struct.pack("<IHHHH", header, COLUMNS, rows, 1, depth)
    else:
        numbers = (header, COLUMNS, rows, 1, depth, compression, len(data))
        info = struct.pack("<IiiHHIIiiII", *numbers, 2835, 2835, fields.get("used", 0), 0)
        info = info + masks if header == INFO else (info[:header] + masks).ljust(header, b"\0")
    start = 14 + len(info) + len(palette)
    offset = fields.get("offset", start)
    return struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, offset) + info + palette + data


def rows_of(depth: int) -> bytes:
    """Return noise for all rows, each padded to four bytes."""
    return noise(ROWS, (COLUMNS * depth + 31) // 32 * 4).tobytes()


def palette(count: int, width: int = 4) -> bytes:
    """Return a palette; the fourth byte of an entry is 0."""
    entries = noise(count, width, seed=count)
    entries[:, 3:] = 0
    return entries.tobytes()


def runs(indices: np.ndarray, end: bytes = b"\0\1") -> bytes:
    """Return rows of indices in runs of one pixel, as RLE8."""
    return b"".join(b"".join(bytes((1, value)) for value in row) + b"\0\0" for row in indices) + end
