"""Expand segmented palettes (PS3.3 C.7.9.2): discrete, linear and indirect segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError

DISCRETE, LINEAR, INDIRECT = 0, 1, 2


class Expansion:
    """Expand the segments of one table.

    Parameters
    ----------
    table : (n,) uint8 or uint16 array
        The segmented data, in units of an entry.
    count : int
        Number of entries in the descriptor; expansion stops at it.
    """

    def __init__(self, table: NDArray[Any], count: int) -> None:
        self.table = table
        self.count = count
        self.entries: list[NDArray[Any]] = []
        self.size = 0

    def expand(self, position: int, segments: int | None, may_refer: bool) -> None:
        """Expand the given number of segments from `position` on, or all if None.

        Raises
        ------
        FormatError
            A segment is cut off, has an unknown type, or is indirect where that is not allowed.
        """
        # A byte of padding may follow the last one; a segment has at least two values.
        while position + 1 < self.table.size and segments != 0 and self.size < self.count:
            kind, length = self.values(position, 2)
            position = self.expand_one(kind, length, position + 2, may_refer)
            segments = None if segments is None else segments - 1

    def expand_one(self, kind: int, length: int, position: int, may_refer: bool) -> int:
        """Expand one segment whose values begin at `position`; return the next one's position."""
        if kind == DISCRETE:
            self.values(position, length)
            self.add(self.table[position : position + length])
            return position + length
        if kind == LINEAR:
            self.add(self.line(length, self.values(position, 1)[0]))
            return position + 1
        if kind != INDIRECT or not may_refer:
            raise FormatError(
                f"the segmented palette has a segment of type {kind} where "
                f"{'0, 1 or 2' if may_refer else '0 or 1, which an indirect one may copy,'} was "
                "expected; it is damaged"
            )
        # The offset has 32 bits, the least significant part first, and counts bytes.
        parts = self.values(position, 4 // self.table.itemsize)
        offset = int.from_bytes(np.array(parts, self.table.dtype.newbyteorder("<")), "little")
        self.expand(offset // self.table.itemsize, length, may_refer=False)
        return position + len(parts)

    def values(self, position: int, count: int) -> list[int]:
        """Return `count` values of the table from `position` on, or raise if it ends before."""
        if position + count > self.table.size:
            raise FormatError(
                f"the segmented palette ends within a segment: {self.table.size} values, "
                f"{position + count} are needed; it is cut off or damaged"
            )
        found: list[int] = self.table[position : position + count].tolist()
        return found

    def line(self, length: int, last: int) -> NDArray[Any]:
        """Return `length` entries on a straight line from the last entry (excluded) to `last`."""
        if not self.entries or not length:
            raise FormatError(
                "the segmented palette has a linear segment "
                f"{'without a length' if self.entries else 'at its beginning'}; it is damaged"
            )
        first = int(self.entries[-1][-1])
        steps = np.arange(1, length + 1)
        return np.floor(first + (last - first) * steps / length + 0.5).astype(self.table.dtype)

    def add(self, entries: NDArray[Any]) -> None:
        """Append entries."""
        if entries.size:
            self.entries.append(entries)
            self.size += entries.size


def expand_segments(table: NDArray[Any], count: int) -> NDArray[Any]:
    """Return the entries of a segmented palette.

    Parameters
    ----------
    table : (n,) uint8 or uint16 array
        The data, in units of an entry.
    count : int
        Number of entries in the descriptor.

    Returns
    -------
    (m,) array
        At most `count` entries, in the dtype of `table`.

    Raises
    ------
    FormatError
        The segments break the rules of PS3.3 C.7.9.2.
    """
    expansion = Expansion(table, count)
    expansion.expand(0, None, may_refer=True)
    if not expansion.entries:
        raise FormatError("the segmented palette has no entries")
    return np.concatenate(expansion.entries)[:count]
