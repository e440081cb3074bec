"""Read regions of a Zarr array: fetch the chunks that they touch together, and cache them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import Context
from pyloader.errors import FormatError
from pyloader.formats.sidecar import MOST_FILES, gather_or_cancel
from pyloader.formats.zarr.array import ZarrArray
from pyloader.formats.zarr.codecs import decode, encoded_size, needs_imagecodecs, size_of
from pyloader.formats.zarr.store import Store

# Offset and size of a missing chunk in the index of a shard.
NONE = 2**64 - 1
Index = tuple[int, ...]


async def read_region(store: Store, array: ZarrArray, region: Sequence[range]) -> NDArray[Any]:
    """Return a region of an array.

    Parameters
    ----------
    region : sequence of range
        One for each axis, within its length.

    Raises
    ------
    FormatError, UnsupportedError, TransportError
    """
    spans = [
        range(part.start // size, (part.stop - 1) // size + 1)
        for part, size in zip(region, array.chunks, strict=True)
    ]
    count = math.prod(map(len, spans))
    if count > MOST_FILES:
        raise FormatError(
            f"a slice of array {array.path!r} touches {count} chunks of {array.chunks}; expected "
            f"{MOST_FILES} at most: its chunks do not suit slices in this direction"
        )
    dtype = array.encoding.dtype.newbyteorder("=")
    shape = [len(part) for part in region]
    store.context.check_size(math.prod(shape) * dtype.itemsize, f"a slice of {array.path!r}")
    found = np.empty(shape, dtype)

    async def place(index: Index) -> None:
        chunk = await read_chunk(store, array, index)
        there, here = zip(*map(overlap, region, array.chunks, index), strict=True)
        found[here] = chunk[there]

    await gather_or_cancel(place(index) for index in product(*spans))
    return found


def overlap(part: range, size: int, number: int) -> tuple[slice, slice]:
    """Return the overlap of chunk `number` and a region along an axis, as a slice of each."""
    start = max(part.start, number * size)
    stop = min(part.stop, (number + 1) * size)
    return slice(start - number * size, stop - number * size), slice(
        start - part.start, stop - part.start
    )


async def read_chunk(store: Store, array: ZarrArray, index: Index) -> NDArray[Any]:
    """Return a chunk, fetched and decoded once for all loads that need it."""
    what = f"chunk {index} of array {array.path!r}"
    store.context.check_size(size_of(array.chunks, array.encoding), what)

    async def make(context: Context) -> NDArray[Any]:
        inner = replace(store, context=context)
        body = await (part_of_shard if array.shards else file_of)(inner, array, index)
        if body is None:
            return np.broadcast_to(array.fill, array.chunks)
        is_needed = needs_imagecodecs(array.encoding)
        codecs = await context.package("imagecodecs") if is_needed else None
        return decode(body, array.encoding, array.chunks, what, codecs)

    return await store.context.cached((store.source, array.path, index), make)


async def file_of(store: Store, array: ZarrArray, index: Index) -> bytes | None:
    """Return the file of a chunk, None if it does not exist."""
    return await store.get(array.key(index))


async def part_of_shard(store: Store, array: ZarrArray, index: Index) -> bytes | None:
    """Return the bytes of a chunk from its shard, None if either does not exist."""
    assert array.shards is not None
    counts = [whole // part for whole, part in zip(array.shards.shape, array.chunks, strict=True)]
    number = tuple(place // count for place, count in zip(index, counts, strict=True))
    what = f"shard {number} of array {array.path!r}"
    store.context.check_size(size_of(array.shards.shape, array.encoding), what)

    async def make(context: Context) -> tuple[bytes, NDArray[Any]] | None:
        file = await replace(store, context=context).get(array.key(number))
        return None if file is None else (file, read_index(file, array, (*counts, 2), what))

    shard = await store.context.cached((store.source, array.path, "shard", number), make)
    if shard is None:
        return None
    file, places = shard
    inner = tuple(place % count for place, count in zip(index, counts, strict=True))
    start, size = places[inner].tolist()
    if start == size == NONE:
        return None
    if start + size > len(file):
        raise FormatError(
            f"{what} is cut off: chunk {inner} is {size} bytes from {start} on, of {len(file)}"
        )
    return file[start : start + size]


def read_index(file: bytes, array: ZarrArray, shape: Index, what: str) -> NDArray[Any]:
    """Return the index of a shard: offset and size of each chunk, in bytes."""
    assert array.shards is not None
    encoding = array.shards.index
    size = encoded_size(shape, encoding)
    part = file[-size:] if array.shards.is_at_end else file[:size]
    return decode(part, encoding, shape, f"the index of {what}", None)
