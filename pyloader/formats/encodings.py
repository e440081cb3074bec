"""Decode the bytes of a file to an array, never to more bytes or numbers than declared."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import Context
from pyloader.errors import FormatError
from pyloader.inflate import Buffer, DamagedError, Inflater, Make, bzip2, gzip_or_zlib


def check_shape(context: Context, shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> int:
    """Check the shape of an array before it is made, and return its number of elements.

    Raises
    ------
    FormatError
        A length is less than 1, or the array takes more than `Context.decoded_bytes`.
    """
    if min(shape, default=1) < 1:
        raise FormatError(f"{what} has the shape {shape}; expected each length to be 1 or more")
    count = math.prod(shape)
    context.check_size(count * dtype.itemsize, f"{what}, {shape} of {dtype},")
    return count


def from_bytes(
    body: Buffer, dtype: np.dtype[Any], count: int, what: str, start: int = 0
) -> NDArray[Any]:
    """Return `count` elements from the byte `start` on, without copying.

    Raises
    ------
    FormatError
        The body has fewer elements.
    """
    there = max(0, len(body) - max(0, start))
    if start < 0 or there < count * dtype.itemsize:
        raise FormatError(
            f"{what} is cut off: {there} bytes of pixels, expected {count * dtype.itemsize} "
            f"({count} of {dtype})"
        )
    return np.frombuffer(body, dtype, count, start)


def from_text(body: bytes, dtype: np.dtype[Any], count: int, what: str) -> NDArray[Any]:
    """Parse `count` numbers of text, separated by spaces or commas.

    Raises
    ------
    FormatError
        The text has more or fewer numbers, or something else.
    """
    # Parse wide, because numpy wraps integers that are too large.
    wide = np.dtype({"i": "i8", "u": "u8"}.get(dtype.kind, dtype))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = numbers_of(body.replace(b",", b" "), wide)
    except (ValueError, Warning) as error:
        raise FormatError(f"{what} is text with something other than numbers: {error}") from error
    if len(values) != count:
        raise FormatError(f"{what} has {len(values)} numbers written out, expected {count}")
    narrow: NDArray[Any] = values.astype(dtype, copy=False)
    if wide.kind in "iu" and (narrow != values).any():
        raise FormatError(f"{what} has numbers written out that do not fit {dtype}")
    return narrow


def numbers_of(text: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Parse numbers separated by blanks; an integer may be written as ``7.0``."""
    try:
        return np.fromstring(text, dtype, sep=" ")
    except (ValueError, Warning):
        values = np.fromstring(text, np.float64, sep=" ")
    is_whole = (values == np.rint(values)) & (abs(values) <= 2**53)  # exact in float64
    if dtype.kind != "f" and not is_whole.all():
        raise ValueError("there are numbers that are not integers")
    return values


def from_hex(body: bytes, dtype: np.dtype[Any], count: int, what: str) -> NDArray[Any]:
    """Parse `count` elements of hexadecimal text, two digits a byte, with blanks anywhere.

    Raises
    ------
    FormatError
        The text has fewer elements, or something else.
    """
    digits = b"".join(body.split())[: 2 * count * dtype.itemsize]
    try:
        return from_bytes(bytes.fromhex(digits.decode("ascii")), dtype, count, what)
    except ValueError as error:
        raise FormatError(f"{what} has something other than hexadecimal digits: {error}") from error


def gunzip(body: Buffer, size: int, what: str, make: Make = gzip_or_zlib) -> bytes:
    """Decompress gzip or zlib, or the format of the decompressor that `make` returns.

    Raises
    ------
    FormatError
        The body is damaged or cut off, or does not decompress to exactly `size` bytes.
    """
    # Several gzip or bzip2 streams may follow each other, padded with zeros.
    inflater = Inflater(make, b"")
    inflater.give(body)
    parts: list[bytes] = []
    left = size + 1  # one byte more shows that there are too many
    try:
        while left > 1 or (left == 1 and inflater.is_within):
            part = inflater.take(left)
            if not part and inflater.is_starved:
                break
            parts.append(part)
            left -= len(part)
    except DamagedError as error:
        raise FormatError(f"{what} is damaged: {error}") from error
    is_cut_off = inflater.is_within or not body
    if left != 1 or is_cut_off:
        raise FormatError(
            f"{what} does not decompress to what its header declares: "
            f"{'more than ' * (left < 1)}{size + 1 - max(left, 1)} bytes, expected {size}"
            f"{'; it is cut off' * (left >= 1 and is_cut_off)}"
        )
    return parts[0] if len(parts) == 1 else b"".join(parts)


def bunzip2(body: Buffer, size: int, what: str) -> bytes:
    """Decompress bzip2; see `gunzip`."""
    return gunzip(body, size, what, bzip2)
