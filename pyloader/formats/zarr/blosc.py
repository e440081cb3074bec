"""Blosc 1, the container of most Zarr chunks: blocks of LZ4, Zstandard, zlib or BloscLZ.

In each block, the bytes or the bits of all elements may be shuffled: grouped by their position in
the element. LZ4 and Zstandard are decoded by imagecodecs. The container is read here, because
imagecodecs for browsers lacks it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.encodings import gunzip
from pyloader.formats.zarr.blosclz import blosclz_decode

# Versions of format and codec, flags, bytes of an element; total, block and compressed sizes.
HEADER = struct.Struct("<4B3I")
LENGTH = struct.Struct("<I")
BYTE_SHUFFLE, STORED, BIT_SHUFFLE, UNSPLIT = 1, 2, 4, 16
NAMES = ("blosclz", "lz4", "snappy", "zlib", "zstd")
KNOWN = ("lz4", "zlib", "zstd", "blosclz")
# A full block is split to one stream per byte of an element if these are few and long.
MOST_STREAMS, SHORTEST_STREAM = 16, 128

# Shift and mask of the bits that swap to transpose an 8 by 8 square of bits.
SWAPS = tuple(
    (np.uint64(shift), np.uint64(mask))
    for shift, mask in (
        (7, 0x00AA00AA00AA00AA),
        (14, 0x0000CCCC0000CCCC),
        (28, 0x00000000F0F0F0F0),
    )
)


class BloscHeader(NamedTuple):
    """The header of a Blosc chunk."""

    version: int
    codec_version: int
    flags: int
    element: int
    size: int
    block: int
    packed: int

    @property
    def codec(self) -> str:
        """The name of the codec."""
        return dict(enumerate(NAMES)).get(self.flags >> 5, f"number {self.flags >> 5}")

    def streams(self, length: int) -> int:
        """Return the number of streams in a block of `length` bytes."""
        is_split = (
            not self.flags & UNSPLIT
            and length == self.block
            and self.element <= MOST_STREAMS
            and self.block // self.element >= SHORTEST_STREAM
        )
        return self.element if is_split else 1


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """A Blosc container, and the codecs to decompress it.

    Attributes
    ----------
    body : bytes
    header : BloscHeader
    what : str
        Its name in error messages.
    codecs : module
        imagecodecs.
    """

    body: bytes
    header: BloscHeader
    what: str
    codecs: Any

    def block(self, start: int, length: int) -> bytes:
        """Decompress the block of `length` bytes that begins at the byte `start`."""
        count = self.header.streams(length)
        streams = []
        for _ in range(count):
            [packed] = LENGTH.unpack_from(self.body, start)
            start += LENGTH.size
            streams.append(self.stream(self.body[start : start + packed], length // count))
            start += packed
        return self.unshuffled(b"".join(streams))

    def stream(self, packed: bytes, size: int) -> bytes:
        """Decompress a stream to `size` bytes."""
        if len(packed) == size:
            return packed  # stored, because it was incompressible
        if self.header.codec == "zlib":
            return gunzip(packed, size, self.what)
        if self.header.codec == "blosclz":
            plain = blosclz_decode(packed, size)
        else:
            decode = {"lz4": "lz4_decode", "zstd": "zstd_decode"}[self.header.codec]
            plain = getattr(self.codecs, decode)(packed, out=size)
        if len(plain) != size:
            raise FormatError(f"{self.what} has a stream of {len(plain)} bytes, expected {size}")
        return plain

    def unshuffled(self, block: bytes) -> bytes:
        """Undo the shuffle: return a block with the bytes of each element together."""
        size = self.header.element
        count = len(block) // size
        if self.header.flags & BYTE_SHUFFLE and size > 1:
            rows = np.frombuffer(block, np.uint8, count * size).reshape(size, count)
            return rows.T.tobytes() + block[count * size :]
        if self.header.flags & BIT_SHUFFLE and count and count % 8 == 0:
            bits = np.frombuffer(block, np.uint8, count * size).reshape(size, 8, count // 8)
            return unshuffled_bits(bits).T.tobytes() + block[count * size :]
        return block


def unshuffled_bits(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the bit shuffle: return, for each byte of an element, the bytes of all elements.

    Parameters
    ----------
    rows : (places, 8, count / 8) array
        For each byte of an element, and each bit of it, the bits of all elements, the lowest first.
    """
    # Eight bytes of eight rows are a square of bits; transpose it in three steps of swaps.
    squares = np.ascontiguousarray(rows.swapaxes(1, 2)).view("<u8")
    for shift, mask in SWAPS:
        swapped = (squares ^ squares >> shift) & mask
        squares = squares ^ swapped ^ swapped << shift
    return squares.view(np.uint8).reshape(len(rows), -1)


def unpack(body: bytes, size: int, what: str, codecs: Any) -> bytes:
    """Decompress a container to `size` bytes.

    Raises
    ------
    FormatError, UnsupportedError
    """
    if len(body) < HEADER.size:
        raise FormatError(f"{what} has {len(body)} bytes, fewer than the header of Blosc")
    header = BloscHeader(*HEADER.unpack_from(body))
    if header.version not in (1, 2):
        raise UnsupportedError(f"{what} is Blosc of version {header.version}; known are 1 and 2")
    if (header.size, header.packed) != (size, len(body)) or not header.block or not header.element:
        raise FormatError(
            f"{what} is Blosc of {header.size} bytes in {header.packed}, in blocks of "
            f"{header.block}; expected {size} bytes in {len(body)}"
        )
    if header.flags & STORED:
        return body[HEADER.size : HEADER.size + size]
    if header.codec not in KNOWN:
        raise UnsupportedError(
            f"{what} is Blosc with the codec {header.codec}; known are {', '.join(KNOWN)}"
        )
    container = Container(body, header, what, codecs)
    starts = np.frombuffer(body, "<u4", -(-size // header.block), HEADER.size).tolist()
    lengths = (min(header.block, size - index * header.block) for index in range(len(starts)))
    return b"".join(map(container.block, starts, lengths))
