"""The table: all rows, and how a row's pixels are held against those that something delivered."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from tests.support.reference import (
    color_rows,
    encapsulation_rows,
    jpeg_2000_rows,
    jpeg_ls_rows,
    jpeg_rows,
    jpeg_xl_rows,
    native_rows,
    rle_rows,
)
from tests.support.reference.decoders import DECODERS
from tests.support.reference.images import Pixels
from tests.support.reference.row import Row

MODULES = (
    native_rows,
    color_rows,
    rle_rows,
    jpeg_rows,
    jpeg_ls_rows,
    jpeg_2000_rows,
    jpeg_xl_rows,
    encapsulation_rows,
)


@cache
def rows() -> dict[str, Row]:
    """Return the rows by their name."""
    found = [row for module in MODULES for row in module.rows()]
    table = {row.name: row for row in found}
    assert len(table) == len(found), "each row has a name of its own"
    return table


@cache
def expected(name: str) -> list[tuple[str, Pixels, int]]:
    """Return what a row's pixels have to be: by whom, (frames, rows, columns[, 3]), how nearly."""
    row = rows()[name]
    found = [(each, DECODERS[each](row), row.bound) for each in row.decoders]
    return [*found, ("what was encoded", row.made.pixels, row.loss)]


def check(
    delivered: Pixels, name: str, form: Callable[[Pixels], Pixels] = lambda pixels: pixels
) -> None:
    """Fail unless pixels are those of a row, in the form that they are delivered in.

    Shape and class have to be right, and each value within the row's bounds.
    """
    for decoder, pixels, bound in expected(name):
        wanted = form(pixels)
        assert delivered.shape == wanted.shape
        assert delivered.dtype == wanted.dtype
        difference = largest_difference(delivered, wanted)
        assert difference <= bound, f"differs by {difference} from {decoder}"


def largest_difference(left: Pixels, right: Pixels) -> float:
    """Return the largest difference of two arrays of one class, exact for integers of 64 bits."""
    high, low = np.maximum(left, right), np.minimum(left, right)
    if left.dtype.kind == "f":
        return 0 if np.array_equal(left, right) else float((high - low).max())
    # As two's complement has it, the difference of signed values is right when read unsigned.
    with np.errstate(over="ignore"):
        return int((high - low).view(f"u{left.itemsize}").max())
