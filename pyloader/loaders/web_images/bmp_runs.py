"""RLE8 and RLE4 of BMP: runs, literal pixels, and jumps over pixels that are never set."""

from __future__ import annotations

import numpy as np

from pyloader.errors import FormatError
from pyloader.loaders.web_images.picture import Pixels

# Second bytes of an escape (first byte 0); a larger one counts the literal pixels that follow.
END_OF_ROW, END_OF_IMAGE, JUMP = 0, 1, 2


class Canvas:
    """Palette indices, and a mask of the pixels set; pixels beyond the end of a row are dropped."""

    def __init__(self, rows: int, columns: int) -> None:
        self.indices, self.is_set = bytearray(rows * columns), bytearray(rows * columns)
        self.rows, self.columns = rows, columns
        self.row = self.column = 0

    def put(self, values: bytes) -> None:
        """Set the next pixels of the row."""
        fitting = values[: max(0, self.columns - self.column)]
        start = self.row * self.columns + self.column
        self.indices[start : start + len(fitting)] = fitting
        self.is_set[start : start + len(fitting)] = b"\1" * len(fitting)
        self.column += len(values)

    def move(self, down: int, across: int) -> None:
        """Move the position of the next pixel."""
        self.row += down
        self.column += across


def decode_runs(data: bytes, size: tuple[int, int], depth: int) -> tuple[Pixels, Pixels]:
    """Decode to palette indices, rows in stored order, and a mask of the pixels set.

    Parameters
    ----------
    size : (rows, columns)
    depth : int
        8 for RLE8, 4 for RLE4.

    Raises
    ------
    FormatError
        The data end before the end-of-image marker, and not all pixels are set.
    """
    canvas = Canvas(*size)
    if not apply_runs(data, canvas, depth) and not all(canvas.is_set):
        raise FormatError(
            f"the BMP's runs end after {len(data)} bytes, at stored row {canvas.row + 1} of "
            f"{size[0]}: it is cut off"
        )
    indices, is_set = (np.frombuffer(each, "u1") for each in (canvas.indices, canvas.is_set))
    return indices.reshape(size), is_set.reshape(size)


def apply_runs(data: bytes, canvas: Canvas, depth: int) -> bool:
    """Decode runs onto a canvas; return whether they reach their end."""
    position = 0
    while canvas.row < canvas.rows:
        pair = data[position : position + 2]
        if len(pair) < 2:
            return False
        (count, value), position = pair, position + 2
        if count:
            canvas.put(pixels_of(bytes((value,)) * count, depth)[:count])
        elif value == END_OF_ROW:
            canvas.move(1, -canvas.column)
        elif value == END_OF_IMAGE:
            return True
        elif value == JUMP:
            across, down = (*data[position : position + 2], 0, 0)[:2]
            canvas.move(down, across)
            position += 2
        else:
            stored = (value * depth + 7) // 8
            canvas.put(pixels_of(data[position : position + stored], depth)[:value])
            position += stored + stored % 2
    return True


def pixels_of(values: bytes, depth: int) -> bytes:
    """Return one byte for each pixel; for 4 bits, the upper half comes first."""
    if depth == 8:
        return values
    return bytes(half for value in values for half in (value >> 4, value & 15))
