"""Rows of native pixels: every width, in each of the native transfer syntaxes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.support.builders import part10
from tests.support.reference import images
from tests.support.reference.images import Pixels
from tests.support.reference.row import Made, Row, attributes_of, with_frames, with_native

ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
# (bits stored, bits allocated, signed, frames): GDCM reads those of up to 32 bits.
INTEGERS = [
    (8, 8, False, 1),
    (8, 8, True, 2),
    (16, 16, False, 2),
    (16, 16, True, 1),
    (12, 16, False, 1),
    (12, 16, True, 3),
    (24, 24, False, 1),
    (24, 24, True, 1),
    (32, 32, False, 2),
    (32, 32, True, 1),
    (64, 64, False, 1),
    (64, 64, True, 1),
]


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for name in SYNTAXES:
        for stored, allocated, signed, frames in INTEGERS:
            # How 24 bits stand in swapped words is not known: those are refused.
            if (name, allocated) == ("big", 24):
                continue
            yield integers(name, (stored, allocated, signed, frames))
        yield one_bit(name)
        yield unused_bits(name, high_bit=11)
        yield unused_bits(name, high_bit=15)
        yield floats(name, "FloatPixelData", "f4")
        yield floats(name, "DoubleFloatPixelData", "f8")
        for stored in (8, 16):
            for planar in (0, 1):
                yield rgb(name, stored, planar)
    yield swapped_bytes()
    yield from in_fragments()


def integers(name: str, form: tuple[int, int, bool, int], **attributes: Any) -> Row:
    """Return the row of grey values that use all their bits, or all but the upper."""
    stored, allocated, signed, frames = form
    pixels = partial(images.grey, stored, allocated, signed=signed, frames=frames)
    title = f"{name}-{'s' if signed else 'u'}{stored}of{allocated}-{frames}f"
    is_read_by_gdcm = allocated in (8, 16) or (allocated == 32 and name != "big")
    decoders = ("gdcm",) if is_read_by_gdcm else ()
    make = partial(make_native, name, pixels, BitsAllocated=allocated, BitsStored=stored)
    return Row(title, SYNTAXES[name], "numpy", make, decoders)


def make_native(name: str, pixels: partial[Pixels], **attributes: Any) -> Made:
    """Make the file of grey values; bits above those stored repeat the sign."""
    values = pixels()
    dataset = attributes_of(values, **attributes)
    value = in_order(values, name, dataset.BitsAllocated)
    vr = "OW" if dataset.BitsAllocated > 8 else "OB"
    return Made(with_native(dataset, value, SYNTAXES[name], vr), values)


def in_order(values: Pixels, name: str, allocated: int) -> bytes:
    """Return the bytes of values of 8, 16, 24, 32 or 64 bits (PS3.5 8.1, 7.3)."""
    order = ">" if name == "big" else "<"
    data = values.astype(values.dtype.newbyteorder(order))
    if allocated != 24:
        return data.tobytes()
    # The upper byte of four is the first in one order, and the last in the other.
    quads = data.reshape(-1).view("u1").reshape(-1, 4)
    return (quads[:, 1:] if name == "big" else quads[:, :3]).tobytes()


def one_bit(name: str) -> Row:
    """Return the row of three frames of 221 bits: the second begins within a byte."""

    def make() -> Made:
        values = images.grey(1, 1, frames=3)
        dataset = attributes_of(values, BitsAllocated=1, BitsStored=1)
        packed = np.packbits(values.reshape(-1), bitorder="little").tobytes()
        return Made(with_native(dataset, packed, SYNTAXES[name], "OB"), values)

    return Row(f"{name}-u1of1-3f", SYNTAXES[name], "numpy", make)


def unused_bits(name: str, high_bit: int) -> Row:
    """Return the row of signed values of 12 bits whose other 4 bits hold something else."""

    def make() -> Made:
        values = images.grey(12, 16, signed=True)
        noise = np.random.default_rng(1).integers(0, 16, values.shape, "u2")
        kept = values.view("u2") & 0x0FFF
        filled = kept | noise << 12 if high_bit == 11 else kept << 4 | noise
        dataset = attributes_of(values, BitsStored=12, HighBit=high_bit)
        value = in_order(filled, name, 16)
        return Made(with_native(dataset, value, SYNTAXES[name], "OW"), values)

    title = f"{name}-s12of16-high_bit_{high_bit}-unused_bits_set"
    return Row(title, SYNTAXES[name], "numpy", make)


def floats(name: str, keyword: str, dtype: str) -> Row:
    """Return the row of two frames of Float or Double Float Pixel Data (PS3.3 C.7.6.24)."""

    def make() -> Made:
        values = np.random.default_rng(3).normal(0, 1000, (2, 13, 17)).astype(dtype)
        values[:, 0, :3] = [np.finfo(dtype).max, np.finfo(dtype).min, np.finfo(dtype).tiny]
        dataset = attributes_of(values)
        for absent in ("BitsStored", "HighBit", "PixelRepresentation"):
            delattr(dataset, absent)
        order = ">" if name == "big" else "<"
        setattr(dataset, keyword, values.astype(values.dtype.newbyteorder(order)).tobytes())
        return Made(part10(dataset, SYNTAXES[name]), values)

    return Row(f"{name}-{'float' if dtype == 'f4' else 'double'}-2f", SYNTAXES[name], "numpy", make)


def rgb(name: str, stored: int, planar: int) -> Row:
    """Return the row of two RGB frames of an odd number of bytes."""

    def make() -> Made:
        values = images.color(stored, frames=2)
        dataset = attributes_of(values, PlanarConfiguration=planar)
        ordered = values.transpose(0, 3, 1, 2) if planar else values
        vr = "OW" if stored > 8 else "OB"
        value = in_order(ordered, name, stored)
        return Made(with_native(dataset, value, SYNTAXES[name], vr), values)

    title = f"{name}-rgb-u{stored}of{stored}-planar_{planar}-2f"
    return Row(title, SYNTAXES[name], "numpy", make, ("gdcm",))


def swapped_bytes() -> Row:
    """Return the row of 8-bit values in big endian words: bytes change places in each pair."""

    def make() -> Made:
        values = images.grey(8, 8, frames=3)
        data = values.tobytes() + b"\0"
        value = np.frombuffer(data, "<u2").astype(">u2").tobytes()
        return Made(with_native(attributes_of(values), value, ExplicitVRBigEndian, "OW"), values)

    return Row("big-u8of8-words-3f", ExplicitVRBigEndian, "numpy", make)


def in_fragments() -> Iterator[Row]:
    """Yield rows of native frames that stand in fragments, plain or deflated."""
    forms = [(1, 1, False), (8, 8, False), (16, 16, True), (12, 16, True), (32, 32, False)]
    for stored, allocated, signed in forms:
        values = partial(images.grey, stored, allocated, signed=signed, frames=3)
        for name, syntax in (
            ("fragments", ENCAPSULATED_UNCOMPRESSED),
            ("deflated_frames", DEFLATED_FRAMES),
        ):
            title = f"{name}-{'s' if signed else 'u'}{stored}of{allocated}-3f"
            make = partial(
                make_fragments, syntax, values, BitsAllocated=allocated, BitsStored=stored
            )
            yield Row(title, syntax, "numpy", make)
    for planar in (0, 1):
        for name, syntax in (
            ("fragments", ENCAPSULATED_UNCOMPRESSED),
            ("deflated_frames", DEFLATED_FRAMES),
        ):
            values = partial(images.color, 8, frames=2)
            make = partial(make_fragments, syntax, values, PlanarConfiguration=planar)
            yield Row(f"{name}-rgb-u8of8-planar_{planar}-2f", syntax, "numpy", make)


def make_fragments(syntax: str, pixels: partial[Pixels], **attributes: Any) -> Made:
    """Make the file of native frames, each in a fragment (PS3.5 A.4.11, A.4.13)."""
    values = pixels()
    dataset = attributes_of(values, **attributes)
    frames = [native_frame(frame, dataset) for frame in values]
    if syntax == DEFLATED_FRAMES:
        frames = [deflate(frame) for frame in frames]
    return Made(with_frames(dataset, frames, syntax), values)


def native_frame(values: Pixels, dataset: Any) -> bytes:
    """Return the bytes of one frame."""
    if dataset.BitsAllocated == 1:
        return np.packbits(values.reshape(-1), bitorder="little").tobytes()
    is_planar = dataset.SamplesPerPixel == 3 and dataset.PlanarConfiguration == 1
    return (values.transpose(2, 0, 1) if is_planar else values).tobytes()


def deflate(frame: bytes) -> bytes:
    """Return a raw deflate stream (RFC 1951)."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(frame) + stream.flush()
