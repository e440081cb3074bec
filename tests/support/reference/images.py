"""Pictures of a few hundred pixels that hold what goes wrong: extremes, every bit, odd sizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.generic]
# Bits allocated -> bytes of the numpy class that holds them.
WIDTHS = {1: 1, 8: 1, 16: 2, 24: 4, 32: 4, 64: 8}


def grey(
    stored: int, allocated: int, *, signed: bool = False, frames: int = 1, size=(13, 17)
) -> Pixels:
    """Return noise with the smallest and largest value, -1, and a ramp.

    Parameters
    ----------
    stored, allocated : int
        Bits of a value, and of its place.
    size : (rows, columns)

    Returns
    -------
    (frames, rows, columns) array
        Frames differ.
    """
    dtype = np.dtype(f"{'i' if signed else 'u'}{WIDTHS[allocated]}")
    low, high = (
        (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    )
    noise = np.random.default_rng(stored + allocated)
    values = noise.integers(low, high, (frames, *size), dtype, endpoint=True)
    values[:, 0, :4] = [low, high, -1 if signed else high // 2, low + 1]
    values[:, 1] = ramp(low, high, size[1], dtype)
    values[:, -1, -1] = high
    return values


def ramp(low: int, high: int, count: int, dtype: np.dtype) -> Pixels:
    """Return `count` values from `low` to `high`, also of 64 bits, which floats would round."""
    steps = [low + (high - low) * step // (count - 1) for step in range(count)]
    return np.array(steps, dtype)


def smooth(stored: int, *, signed: bool = False, frames: int = 1, size=(40, 48)) -> Pixels:
    """Return what lossy codecs are made for: slopes of all values, with a little noise.

    Returns
    -------
    (frames, rows, columns) array
        Each frame is darker than the one before.
    """
    high = (1 << stored) - 1
    down, across = np.mgrid[0 : size[0], 0 : size[1]]
    slope = (down * 0.6 + across * 0.4) / (size[0] * 0.6 + size[1] * 0.4 - 1)
    noise = np.random.default_rng(stored).normal(0, high / 400, (frames, *size))
    shade = np.linspace(1, 0.6, frames)[:, None, None]
    values = ((slope * high) * shade + noise).round().clip(0, high).astype("i8")
    dtype = f"{'i' if signed else 'u'}{1 if stored <= 8 else 2}"
    return (values - (1 << (stored - 1)) * signed).astype(dtype)


def color(stored: int = 8, *, frames: int = 1, size=(13, 17)) -> Pixels:
    """Return noise in three channels, with the pure colours and black and white.

    Returns
    -------
    (frames, rows, columns, 3) array
    """
    high = (1 << stored) - 1
    noise = np.random.default_rng(stored + 100)
    dtype = np.dtype("u1" if stored <= 8 else "u2")
    values = noise.integers(0, high, (frames, *size, 3), dtype, endpoint=True)
    corners = np.array([[index >> bit & 1 for bit in range(3)] for index in range(8)]) * high
    values[:, 0, :8] = corners
    return values


def smooth_color(*, frames: int = 1, size=(40, 48)) -> Pixels:
    """Return slopes of another direction in each of three 8-bit channels.

    Returns
    -------
    (frames, rows, columns, 3) uint8 array
    """
    down, across = np.mgrid[0 : size[0], 0 : size[1]]
    channels = (
        down * 255 // (size[0] - 1),
        across * 255 // (size[1] - 1),
        (down + across) * 255 // (sum(size) - 2),
    )
    picture = np.stack(channels, axis=-1)
    return np.stack([picture // (number + 1) for number in range(frames)]).astype("u1")
