"""CRC-32C, the checksum of Zarr's chunks and shards (RFC 3720 B.4), without a loop over bytes."""

from __future__ import annotations

from functools import cache
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
ONES = 0xFFFFFFFF
# Moves a checksum from zero to `ONES`, the standard's initial value.
PREFIX = np.frombuffer(bytes.fromhex("54641f64"), np.uint8)
BITS = np.arange(32, dtype=np.int64)  # explicit, because the default integer may have 32 bits


def crc32c(body: Any) -> int:
    """Return the checksum of bytes.

    A CRC is linear, and leading zeros do not change it. So the bytes are cut into lanes of one
    length, and the sums of all lanes are computed at once, each from zero. Then they are joined:
    the sum so far is moved on by the length of a lane, and combined with the next lane's. To know
    how a sum moves on, 32 extra lanes of zeros start from one bit each.
    """
    body = np.frombuffer(body, np.uint8)
    length = isqrt(len(body)) + 4
    count = -(-(len(body) + 4) // length)
    lanes = np.zeros((count + 32, length), np.uint8)
    flat = lanes[:count].reshape(-1)
    flat[len(flat) - len(body) :] = body
    flat[len(flat) - len(body) - 4 : len(flat) - len(body)] = PREFIX
    sums = np.concatenate([np.zeros(count, np.uint32), np.uint32(1) << BITS.astype(np.uint32)])
    for column in lanes.T:
        sums = table()[(sums ^ column) & 0xFF] ^ sums >> 8
    moved, total = sums[count:], 0
    for lane in sums[:count].tolist():
        total = int(np.bitwise_xor.reduce(moved[total >> BITS & 1 == 1])) ^ lane
    return total ^ ONES


@cache
def table() -> NDArray[np.uint32]:
    """Return the lookup table: the remainder of each byte."""
    values: NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ np.uint32(POLYNOMIAL), values >> 1)
    return values
