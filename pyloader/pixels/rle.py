"""Decode RLE Lossless (PS3.5 G): one segment per byte of a sample, the highest byte first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from struct import unpack_from
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.dicom.fragments import RLE_HEADER_BYTES
from pyloader.pixels.samples import CONTAINERS

Unpack = Callable[[bytes], bytes]


def rle_samples(
    frame: bytes, shape: tuple[int, int, int], bits: int, unpack: Unpack
) -> NDArray[Any]:
    """Return the samples of a frame as unsigned words.

    Parameters
    ----------
    shape : rows, columns, samples
    bits : int
        Bits allocated for a sample: 1 or a multiple of 8. Single bits are packed in one segment,
        the lowest bit first (CP-2301).
    unpack : function
        Expands the runs of a segment; its result may end with padding (PS3.5 G.3.1).

    Returns
    -------
    (rows, columns, samples) array
        In numpy's smallest unsigned integers that hold `bits`.

    Raises
    ------
    ValueError
        A segment is missing or too short, or the header is damaged.
    """
    rows, columns, samples = shape
    count, size = rows * columns, max(1, bits // 8)
    if bits == 1:
        packed = first_bytes(unpack(*segments_of(frame, 1)), -(-count * samples // 8))
        unpacked = np.unpackbits(packed, count=count * samples, bitorder="little")
        return unpacked.reshape(shape)
    container = CONTAINERS[size]
    words = np.zeros((count, samples, container), "u1")
    for index, segment in enumerate(segments_of(frame, samples * size)):
        sample, byte = divmod(index, size)
        words[:, sample, size - 1 - byte] = first_bytes(unpack(segment), count)
    return words.view(f"<u{container}").reshape(shape)


def segments_of(frame: bytes, expected: int) -> list[bytes]:
    """Return the segments of a frame (PS3.5 G.5)."""
    if len(frame) < RLE_HEADER_BYTES:
        raise ValueError(
            f"the frame has {len(frame)} bytes, its header alone has {RLE_HEADER_BYTES}"
        )
    count, *offsets = unpack_from("<16L", frame)
    if count != expected:
        raise ValueError(f"the frame has {count} segments, {expected} were expected")
    starts = [*offsets[:count], len(frame)]
    if starts[0] < RLE_HEADER_BYTES or starts != sorted(starts):
        raise ValueError(
            f"the segment offsets {offsets[:count]} do not fit a frame of {len(frame)} bytes"
        )
    return [frame[start:stop] for start, stop in pairwise(starts)]


def first_bytes(values: bytes, count: int) -> NDArray[np.uint8]:
    """Return the first `count` bytes of an unpacked segment, or raise if it has fewer."""
    if len(values) < count:
        raise ValueError(f"a segment has {len(values)} of {count} bytes: the frame is cut off")
    return np.frombuffer(values, "u1", count)
