"""Read the size of JPEG XL (ISO 18181-1, -2), before memory is allocated for it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from struct import unpack_from

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
# Box type -> bytes in it before the codestream: jxlp begins with a number (ISO 18181-2).
BOXES: Mapping[bytes, int] = {b"jxlc": 0, b"jxlp": 4}
# SizeHeader: bits of a read_side by its selector; columns / rows by the ratio index.
SIDE_BITS = (9, 13, 18, 30)
RATIOS = (
    *(Fraction(1), Fraction(12, 10), Fraction(4, 3), Fraction(3, 2)),
    *(Fraction(16, 9), Fraction(5, 4), Fraction(2)),
)
# Enough for the largest SizeHeader.
HEADER_BYTES = 12


class BitReader:
    """Read numbers from bytes, the lowest bit first."""

    def __init__(self, content: bytes) -> None:
        self._rest = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        """Return the number in the next `count` bits."""
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return value


def read_size(frame: bytes) -> tuple[int, int]:
    """Return rows and columns as stored, before any orientation is applied.

    Raises
    ------
    ValueError
        There is no codestream: the frame is cut off, or not JPEG XL.
    """
    start = start_of_codestream(frame)
    if frame[start : start + 2] != CODESTREAM:
        raise ValueError("there is no JPEG XL codestream; it may be cut off")
    bits = BitReader(frame[start + 2 : start + 2 + HEADER_BYTES])
    is_small = bool(bits.take(1))
    rows = read_side(bits, is_small)
    ratio = bits.take(3)
    columns = int(rows * RATIOS[ratio - 1]) if ratio else read_side(bits, is_small)
    return rows, columns


def read_side(bits: BitReader, is_small: bool) -> int:
    """Read a number of rows or columns."""
    if is_small:
        return 8 * (bits.take(5) + 1)
    return bits.take(SIDE_BITS[bits.take(2)]) + 1


def start_of_codestream(frame: bytes) -> int:
    """Return where the codestream begins; 0 without boxes, or if none contains it."""
    position = 0
    while frame.startswith(CONTAINER) and position + 8 <= len(frame):
        length, kind = unpack_from(">L4s", frame, position)
        if kind in BOXES:
            return position + (16 if length == 1 else 8) + BOXES[kind]
        if length < 8:
            break
        position += length
    return 0
