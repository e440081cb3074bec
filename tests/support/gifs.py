"""GIFs made in code, block by block."""

from __future__ import annotations

import struct

import numpy as np

from tests.support.pictures import noise

TABLE = noise(8, 3, seed=4)
BITS = 3
TRAILER = b";"


def gif(rows: int, columns: int, *blocks: bytes, end: bytes = TRAILER) -> bytes:
    """Make a GIF with a table of eight colors."""
    screen = struct.pack("<HHBBB", columns, rows, 0xF2, 0, 0)
    return b"GIF89a" + screen + TABLE.tobytes() + b"".join(blocks) + end


def control(disposal: int = 0, transparent: int | None = None) -> bytes:
    """Return a graphic control extension."""
    flags = disposal << 2 | (transparent is not None)
    return b"\x21\xf9\x04" + bytes([flags, 5, 0, transparent or 0, 0])


def frame(row: int, column: int, indices: np.ndarray) -> bytes:
    """Return an image descriptor and its data."""
    rows, columns = indices.shape
    return b"\x2c" + struct.pack("<HHHHB", column, row, columns, rows, 0) + coded(indices)


def coded(indices: np.ndarray) -> bytes:
    """Return indices in codes that never grow: the table is cleared before it is full."""
    clear = 1 << BITS
    codes = []
    for start in range(0, indices.size, clear - 2):
        codes += [clear, *indices.ravel()[start : start + clear - 2].tolist()]
    codes.append(clear + 1)
    bits = "".join(f"{code:0{BITS + 1}b}" for code in reversed(codes))
    data = int(bits, 2).to_bytes(-(-len(bits) // 8), "little")
    blocks = (data[start : start + 255] for start in range(0, len(data), 255))
    return bytes([BITS]) + b"".join(bytes([len(each)]) + each for each in blocks) + b"\0"


def pixels(rows: int, columns: int, seed: int) -> np.ndarray:
    """Return indices."""
    return noise(rows, columns, seed=seed) & 7
