"""Rows of native colour that is not RGB: luminance and chroma, and palettes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
from pydicom import Dataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.support.reference import colour, images, jpeg_writer
from tests.support.reference.images import Pixels
from tests.support.reference.jpeg_writer import Lossless
from tests.support.reference.native_rows import (
    DEFLATED_FRAMES,
    ENCAPSULATED_UNCOMPRESSED,
    SYNTAXES,
    deflate,
)
from tests.support.reference.rle_rows import encode_rle
from tests.support.reference.row import Made, Row, attributes_of, with_frames, with_native

EVEN = (13, 18)
FRAGMENTS = {"fragments": ENCAPSULATED_UNCOMPRESSED, "deflated_frames": DEFLATED_FRAMES}
# Name -> transfer syntax, what encodes the indices of a palette, and how.
ENCODERS: dict[str, tuple[str, str, Callable[[Pixels, Dataset], bytes]]] = {
    "rle": (RLELossless, "pylibjpeg-rle", encode_rle),
    "jpeg_ls": (
        JPEGLSLossless,
        "CharLS (pyjpegls)",
        lambda frame, dataset: jpeg_ls.encode_array(frame),
    ),
    "j2k_lossless": (
        JPEG2000Lossless,
        "OpenJPEG (imagecodecs)",
        lambda frame, dataset: imagecodecs.jpeg2k_encode(
            frame, codecformat="J2K", reversible=True, bitspersample=dataset.BitsStored
        ),
    ),
    "jpeg_lossless": (
        JPEGLosslessSV1,
        "tests/support/reference/jpeg_writer.py",
        lambda frame, dataset: jpeg_writer.encode_lossless(frame, dataset.BitsStored, Lossless()),
    ),
}


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for name in SYNTAXES:
        for planar in (0, 1):
            make = partial(make_ybr_full, name, planar)
            title = f"{name}-ybr_full-planar_{planar}-2f"
            yield Row(title, SYNTAXES[name], "numpy", make, ("gdcm",), 1, 1)
        for kind in ("FULL", "PARTIAL"):
            make = partial(make_422, name, kind)
            yield Row(f"{name}-ybr_{kind.lower()}_422-2f", SYNTAXES[name], "numpy", make, (), 0, 1)
    for name, syntax in FRAGMENTS.items():
        make = partial(make_422_fragments, syntax)
        yield Row(f"{name}-ybr_full_422-2f", syntax, "numpy", make, (), 0, 1)
    yield rle_ybr()
    yield from palette_rows()
    yield inverted()


# ------------------------------------------------------------------ luminance and chroma


def make_ybr_full(name: str, planar: int) -> Made:
    """Make native YBR_FULL by pixels or by planes."""
    samples = colour.to_ybr(images.color(frames=2))
    dataset = attributes_of(
        samples, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=planar
    )
    value = (samples.transpose(0, 3, 1, 2) if planar else samples).tobytes()
    return Made(with_native(dataset, value, SYNTAXES[name], "OB"), colour.to_rgb(samples))


def make_422(name: str, kind: str) -> Made:
    """Make native 4:2:2, of the full or the partial range."""
    picture = images.color(frames=2, size=EVEN)
    samples = colour.halve_chroma(colour.to_ybr(picture, kind))
    dataset = attributes_of(
        samples, PhotometricInterpretation=f"YBR_{kind}_422", PlanarConfiguration=0
    )
    value = colour.pack_422(samples)
    return Made(with_native(dataset, value, SYNTAXES[name], "OB"), colour.to_rgb(samples, kind))


def make_422_fragments(syntax: str) -> Made:
    """Make 4:2:2 whose native frames stand in fragments, plain or deflated."""
    samples = colour.halve_chroma(colour.to_ybr(images.color(frames=2, size=EVEN)))
    dataset = attributes_of(
        samples, PhotometricInterpretation="YBR_FULL_422", PlanarConfiguration=0
    )
    frames = [colour.pack_422(frame) for frame in samples]
    if syntax == DEFLATED_FRAMES:
        frames = [deflate(frame) for frame in frames]
    return Made(with_frames(dataset, frames, syntax), colour.to_rgb(samples))


def rle_ybr() -> Row:
    """Return the row of YBR_FULL in RLE."""

    def make() -> Made:
        samples = colour.to_ybr(images.color(frames=2))
        dataset = attributes_of(
            samples, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=1
        )
        frames = [encode_rle(frame, dataset) for frame in samples]
        return Made(with_frames(dataset, frames, RLELossless), colour.to_rgb(samples))

    return Row("rle-ybr_full-2f", RLELossless, "pylibjpeg-rle", make, (), 0, 1)


# ------------------------------------------------------------------ palettes


@dataclass(frozen=True)
class Palette:
    """A palette of three channels (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6).

    Attributes
    ----------
    first : int
        Pixel value of the first entry.
    bits : int
        Of an entry, 8 or 16.
    entries : (3, number of entries) array
    """

    first: int
    bits: int
    entries: Pixels

    def look_up(self, indices: Pixels) -> Pixels:
        """Return RGB; values beyond either end take the entry there."""
        places = np.clip(indices.astype("i8") - self.first, 0, self.entries.shape[1] - 1)
        return np.moveaxis(self.entries[:, places], 0, -1)

    def attributes(self, order: str = "<") -> dict[str, Any]:
        """Return the elements of a header; entries stand in words, two of 8 bits in one."""
        count = self.entries.shape[1] % 65536
        words = {
            8: lambda row: eight_bit_words(row, order),
            16: lambda row: row.astype(f"{order}u2").tobytes(),
        }
        found: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
        for name, row in zip(("Red", "Green", "Blue"), self.entries, strict=True):
            found[f"{name}PaletteColorLookupTableDescriptor"] = [count, self.first, self.bits]
            found[f"{name}PaletteColorLookupTableData"] = words[self.bits](row)
        return found


def eight_bit_words(row: Pixels, order: str) -> bytes:
    """Return 8-bit entries in words, the first in the lower byte (PS3.3 C.7.6.3.1.6)."""
    padded = np.append(row, np.zeros(len(row) % 2, "u1")).astype("u1")
    return padded.view("<u2").astype(f"{order}u2").tobytes()


def palette(count: int, bits: int, first: int = 0) -> Palette:
    """Return a palette of noise."""
    noise = np.random.default_rng(count + bits)
    entries = noise.integers(0, 1 << bits, (3, count), f"u{bits // 8}")
    return Palette(first, bits, entries)


def palette_rows() -> Iterator[Row]:
    """Yield rows of palettes: bits of entries and of indices, first value, byte order, codec."""
    forms: dict[str, tuple[Callable[[], Pixels], Palette]] = {
        "256_of_8": (partial(images.grey, 8, 8, frames=2), palette(256, 8)),
        "256_of_16": (partial(images.grey, 8, 8, frames=2), palette(256, 16)),
        "100_of_16-first_50": (partial(images.grey, 8, 8), palette(100, 16, 50)),
        "65536_of_16": (partial(images.grey, 16, 16), palette(65536, 16)),
        "4096_of_16": (partial(images.grey, 12, 16), palette(4096, 16)),
        "300_of_16-first_-100": (partial(images.grey, 9, 16, signed=True), palette(300, 16, -100)),
    }
    for title, (indices, table) in forms.items():
        make = partial(make_palette, ExplicitVRLittleEndian, indices, table)
        yield Row(f"palette-{title}", ExplicitVRLittleEndian, "numpy", make)
    for title in ("256_of_8", "256_of_16", "4096_of_16"):
        make = partial(make_palette, ExplicitVRBigEndian, *forms[title])
        yield Row(f"palette-big-{title}", ExplicitVRBigEndian, "numpy", make)
        for name, (syntax, encoder, _) in ENCODERS.items():
            make = partial(make_palette, syntax, *forms[title])
            yield Row(f"palette-{name}-{title}", syntax, encoder, make)
    for bits in (8, 16):
        yield segmented(bits)


def make_palette(syntax: str, pixels: Callable[[], Pixels], table: Palette, **other: Any) -> Made:
    """Make a file of indices and their palette."""
    indices = pixels()
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    bits_stored = {2: 12, 1: 8}[indices.dtype.itemsize] if indices.max() < 4096 else 16
    attributes = {"BitsStored": bits_stored, **table.attributes(order), **other}
    dataset = attributes_of(indices, **attributes)
    expected = table.look_up(indices)
    encoders = {uid: encode for uid, _, encode in ENCODERS.values()}
    if syntax in encoders:
        frames = [bytes(encoders[syntax](frame, dataset)) for frame in indices]
        return Made(with_frames(dataset, frames, syntax), expected)
    value = indices.astype(indices.dtype.newbyteorder(order)).tobytes()
    vr = "OW" if indices.dtype.itemsize > 1 else "OB"
    return Made(with_native(dataset, value, syntax, vr), expected)


def segmented(bits: int) -> Row:
    """Return the row of a palette in segments: discrete, linear, and one that repeats both."""
    top = (1 << bits) - 1
    unit = "B" if bits == 8 else "H"

    def words(*values: int) -> bytes:
        return struct.pack(f"<{len(values)}{unit}", *values)

    discrete = words(0, 4, 10, top, 0, 77)
    linear = words(1, 60, top)
    # Two segments anew, from the first byte on: the place is in bytes, its lower half first.
    again = words(2, 2, 0, 0) if bits == 16 else words(2, 2, 0, 0, 0, 0)
    values = [10, top, 0, 77]
    values += [round(77 + (top - 77) * step / 60) for step in range(1, 61)]
    values += [10, top, 0, 77]
    values += [round(77 + (top - 77) * step / 60) for step in range(1, 61)]
    row = np.array(values, f"u{bits // 8}")

    def make() -> Made:
        table = Palette(0, bits, np.stack([row] * 3))
        attributes = table.attributes()
        for name in ("Red", "Green", "Blue"):
            del attributes[f"{name}PaletteColorLookupTableData"]
            attributes[f"Segmented{name}PaletteColorLookupTableData"] = discrete + linear + again
        indices = images.grey(8, 8)
        dataset = attributes_of(indices, **attributes)
        value = indices.tobytes()
        body = with_native(dataset, value, ExplicitVRLittleEndian, "OB")
        return Made(body, table.look_up(indices))

    return Row(f"palette-segmented-{bits}", ExplicitVRLittleEndian, "numpy", make)


def inverted() -> Row:
    """Return the row of MONOCHROME1: stored values stay as they are."""

    def make() -> Made:
        values = images.grey(12, 16, frames=2)
        dataset = attributes_of(values, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
        return Made(with_native(dataset, values.tobytes(), ExplicitVRLittleEndian, "OW"), values)

    return Row("explicit-mono1-u12of16-2f", ExplicitVRLittleEndian, "numpy", make, ("gdcm",))
