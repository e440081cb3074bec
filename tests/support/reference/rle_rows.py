"""Rows of RLE Lossless (PS3.5 G): 1 to 8 bytes a sample, 1 and 3 samples."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.uid import RLELossless
from rle.utils import encode_pixel_data

from tests.support.reference import images
from tests.support.reference.images import Pixels
from tests.support.reference.row import Made, Row, attributes_of, with_frames

# (bits stored, bits allocated, signed, frames)
GREY = [
    (8, 8, False, 3),
    (8, 8, True, 1),
    (16, 16, False, 1),
    (16, 16, True, 2),
    (12, 16, False, 1),
    (12, 16, True, 1),
    (24, 32, False, 1),
    (32, 32, False, 2),
    (32, 32, True, 1),
]


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for stored, allocated, signed, frames in GREY:
        values = partial(images.grey, stored, allocated, signed=signed, frames=frames)
        title = f"rle-{'s' if signed else 'u'}{stored}of{allocated}-{frames}f"
        make = partial(make_rle, values, BitsStored=stored)
        decoders = ("pylibjpeg-rle", "gdcm") if allocated <= 16 else ("pylibjpeg-rle",)
        yield Row(title, RLELossless, "pylibjpeg-rle", make, decoders)
    for stored in (8, 16):
        for planar in (0, 1):
            values = partial(images.color, stored, frames=2)
            make = partial(make_rle, values, PlanarConfiguration=planar)
            title = f"rle-rgb-u{stored}of{stored}-planar_{planar}-2f"
            yield Row(title, RLELossless, "pylibjpeg-rle", make, ("pylibjpeg-rle",))
    yield from by_segments()


def make_rle(pixels: partial[Pixels], **attributes: Any) -> Made:
    """Make a file with pylibjpeg-rle; it takes samples of a pixel side by side."""
    values = pixels()
    dataset = attributes_of(values, **attributes)
    frames = [encode_rle(frame, dataset) for frame in values]
    return Made(with_frames(dataset, frames, RLELossless), values)


def encode_rle(frame: Pixels, dataset: Dataset) -> bytes:
    """Encode one frame."""
    return bytes(
        encode_pixel_data(
            frame.tobytes(),
            rows=dataset.Rows,
            columns=dataset.Columns,
            samples_per_pixel=dataset.SamplesPerPixel,
            bits_allocated=dataset.BitsAllocated,
            byteorder="<",
        )
    )


def by_segments() -> Iterator[Row]:
    """Yield what the encoder above does not take: 64 bits, signed samples of three channels."""
    for signed in (False, True):
        values = partial(images.grey, 64, 64, signed=signed)
        make = partial(make_segments, values)
        yield Row(f"rle-{'s' if signed else 'u'}64of64", RLELossless, "numpy", make)
    make = partial(
        make_segments, partial(images.grey, 1, 1, frames=2), BitsAllocated=8, BitsStored=1
    )
    yield Row("rle-u1of8-2f", RLELossless, "numpy", make, ("pylibjpeg-rle",))


def make_segments(pixels: partial[Pixels], **attributes: Any) -> Made:
    """Make a file whose segments are literal runs alone, the upper byte's segment first."""
    values = pixels()
    dataset = attributes_of(values, **attributes)
    frames = [literal_segments(frame) for frame in values]
    return Made(with_frames(dataset, frames, RLELossless), values)


def literal_segments(frame: Pixels) -> bytes:
    """Return a frame of one sample: the header of 64 bytes, then a segment a byte (PS3.5 G.2)."""
    big_endian = frame.astype(frame.dtype.newbyteorder(">"))
    planes = big_endian.reshape(-1).view("u1").reshape(-1, frame.dtype.itemsize).T
    segments = [literal_runs(plane.tobytes()) for plane in planes]
    offsets = np.cumsum([64, *map(len, segments)])[:-1]
    numbers = np.zeros(16, "<u4")
    numbers[: len(segments) + 1] = [len(segments), *offsets]
    return numbers.tobytes() + b"".join(segments)


def literal_runs(data: bytes) -> bytes:
    """Return bytes in literal runs of up to 128, of an even length (PS3.5 G.3)."""
    runs = [data[start : start + 128] for start in range(0, len(data), 128)]
    encoded = b"".join(bytes([len(run) - 1]) + run for run in runs)
    return encoded + b"\0" * (len(encoded) % 2)
