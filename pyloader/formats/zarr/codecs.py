"""Decode the bytes of a Zarr chunk to its elements; each step must yield the expected size."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, LoaderError
from pyloader.formats.encodings import gunzip
from pyloader.formats.zarr.array import CHECKSUM, ChunkEncoding
from pyloader.formats.zarr.blosc import unpack
from pyloader.formats.zarr.crc32c import crc32c

CHECKSUM_BYTES = LENGTH_BYTES = 4


def size_of(shape: tuple[int, ...], encoding: ChunkEncoding) -> int:
    """Return the bytes of a decoded chunk."""
    return math.prod(shape) * encoding.dtype.itemsize


def encoded_size(shape: tuple[int, ...], encoding: ChunkEncoding) -> int:
    """Return the bytes of an encoded chunk that is not compressed."""
    return size_of(shape, encoding) + CHECKSUM_BYTES * encoding.codecs.count(CHECKSUM)


def needs_imagecodecs(encoding: ChunkEncoding) -> bool:
    """Return whether decompressing a chunk needs imagecodecs."""
    return not {"blosc", "lz4", "zstd"}.isdisjoint(encoding.codecs)


def decode(
    body: bytes, encoding: ChunkEncoding, shape: tuple[int, ...], what: str, codecs: Any
) -> NDArray[Any]:
    """Decode a chunk of the given shape.

    Parameters
    ----------
    codecs : module or None
        imagecodecs, if `needs_imagecodecs`.

    Raises
    ------
    FormatError, UnsupportedError
    """
    size = size_of(shape, encoding)
    for place in reversed(range(len(encoding.codecs))):
        name = encoding.codecs[place]
        # The compressed bytes include the checksums of the codecs applied before.
        inside = size + CHECKSUM_BYTES * encoding.codecs[:place].count(CHECKSUM)
        if name == CHECKSUM:
            body = without_checksum(body, what)
        else:
            body = decompress(name, body, inside, what, codecs)
    if len(body) != size:
        raise FormatError(f"{what} has {len(body)} bytes, expected {size}: {shape} elements")
    stored = [shape[axis] for axis in encoding.order]
    back = np.argsort(encoding.order)
    return np.frombuffer(body, encoding.dtype).reshape(stored).transpose(back)


def without_checksum(body: bytes, what: str) -> bytes:
    """Verify the checksum at the end of `body`, and remove it."""
    body, found = body[:-CHECKSUM_BYTES], body[-CHECKSUM_BYTES:]
    expected = crc32c(body).to_bytes(CHECKSUM_BYTES, "little")
    if found != expected:
        raise FormatError(
            f"{what} is damaged: its stored checksum is {found.hex()}, but its bytes have "
            f"{expected.hex()}"
        )
    return body


def decompress(name: str, body: bytes, size: int, what: str, codecs: Any) -> bytes:
    """Decompress to `size` bytes; the caller checks the size."""
    try:
        if name in ("gzip", "zlib"):
            return gunzip(body, size, what)
        if name == "blosc":
            return unpack(body, size, what, codecs)
        if name == "lz4":
            # numcodecs writes the decompressed size in front.
            [size_within] = struct.unpack_from("<I", body)
            if size_within != size:
                raise FormatError(f"{what} is LZ4 of {size_within} bytes, expected {size}")
            return bytes(codecs.lz4_decode(body[LENGTH_BYTES:], out=size))
        return bytes(codecs.zstd_decode(body, out=size))
    except LoaderError:
        raise
    except (RuntimeError, ValueError, struct.error) as error:
        raise FormatError(f"{what} is damaged: {name} says {error}") from error
