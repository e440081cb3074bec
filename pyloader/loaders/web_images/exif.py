"""EXIF Orientation: the rotation and mirroring needed for display (EXIF 3.0, 4.6.5.1.6)."""

from __future__ import annotations

import struct
from typing import Any

from numpy.typing import NDArray

ORIENTATION = 0x0112
SHORT = 3
PREFIX = b"Exif\0\0"
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def orientation_of(exif: bytes) -> int:
    """Return Orientation, 1 to 8, of an EXIF block; 1 if it is missing or cannot be read."""
    tiff = exif.removeprefix(PREFIX)
    order = BYTE_ORDERS.get(tiff[:4])
    try:
        return 1 if order is None else find_orientation(tiff, order)
    except struct.error:
        return 1  # damaged EXIF is no reason to refuse the image


def find_orientation(tiff: bytes, order: str) -> int:
    """Return Orientation from the first directory (TIFF 6.0, section 2)."""
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for index in range(count):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * index)
        if (tag, kind) == (ORIENTATION, SHORT):
            return int(value) if 1 <= value <= 8 else 1
    return 1


def is_transposed(orientation: int) -> bool:
    """Return whether an orientation swaps rows and columns."""
    return orientation >= 5


def oriented(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply Orientation to (rows, columns) or (rows, columns, samples), without copying.

    Orientation gives the sides of the scene at row 0 and column 0. 1 is top and left, 2 top and
    right, 3 bottom and right, 4 bottom and left. 5 is left and top, 6 right and top, 7 right and
    bottom, 8 left and bottom.
    """
    if is_transposed(orientation):
        pixels = pixels.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    across = -1 if orientation in (2, 3, 6, 7) else 1
    oriented_pixels: NDArray[Any] = pixels[::down, ::across]
    return oriented_pixels
