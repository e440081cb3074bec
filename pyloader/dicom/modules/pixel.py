"""The Image Pixel module and palettes (PS3.3 C.7.6.3, C.7.9): what decoding depends on."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyloader.dicom.frame import Frame, Module, pick
from pyloader.dicom.keywords import snake
from pyloader.dicom.recall import Recalling
from pyloader.dicom.values import as_numbers, value_of
from pyloader.errors import FormatError
from pyloader.image import PixelModule

PALETTES = ("Red", "Green", "Blue", "Alpha")
PALETTE = ("PaletteColorLookupTableUID",)


@Recalling
def read_pixel_module(frame: Frame) -> PixelModule:
    """Read the Image Pixel module as the file has it (PS3.3 C.7.6.3).

    Raises
    ------
    FormatError
        An attribute that decoding needs is absent.
    """
    bits = frame.integer("BitsAllocated") or require(frame, "BitsAllocated", "0028,0100")
    # Float and Double Float Pixel Data have no sign to tell (PS3.3 C.7.6.24, C.7.6.25).
    is_float = bits in (32, 64) and frame.get("PixelRepresentation") is None
    representation = 0 if is_float else require(frame, "PixelRepresentation", "0028,0103")
    samples = frame.integer("SamplesPerPixel") or 1
    stored = frame.integer("BitsStored") or bits
    return PixelModule(
        rows=require(frame, "Rows", "0028,0010"),
        columns=require(frame, "Columns", "0028,0011"),
        samples_per_pixel=samples,
        photometric_interpretation=read_photometric_interpretation(frame),
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=frame.integer("HighBit") or stored - 1,
        pixel_representation=representation,
        planar_configuration=(frame.integer("PlanarConfiguration") or 0) if samples > 1 else None,
        pixel_aspect_ratio=as_integers(frame.numbers("PixelAspectRatio", count=2)),
        smallest_pixel_value=signed(frame, "SmallestImagePixelValue", representation),
        largest_pixel_value=signed(frame, "LargestImagePixelValue", representation),
        pixel_padding_value=padding(frame, "PixelPaddingValue", representation),
        pixel_padding_range_limit=padding(frame, "PixelPaddingRangeLimit", representation),
    )


def require(frame: Frame, keyword: str, tag: str) -> int:
    """Return an integer that must be there."""
    value = frame.integer(keyword)
    if value is None:
        raise FormatError(
            f"({tag}) {keyword} is absent, but the pixel data cannot be read without it; "
            "the file is damaged or is not an image"
        )
    return value


def read_photometric_interpretation(frame: Frame) -> str:
    """Return (0028,0004) Photometric Interpretation."""
    value = frame.text("PhotometricInterpretation")
    if not value:
        raise FormatError(
            "(0028,0004) PhotometricInterpretation is absent, but the pixel data cannot be "
            "shown without it; the file is damaged or is not an image"
        )
    return value


def signed(frame: Frame, keyword: str, representation: int) -> int | None:
    """Return a US or SS attribute as Pixel Representation says (PS3.3 C.7.6.3.1.5).

    Its VR does not tell: old software writes US for all, and 63536 means -2000 of signed pixels.
    """
    value = frame.integer(keyword)
    if value is None or not -(1 << 15) <= value < 1 << 16:
        return value
    word = value & 0xFFFF
    return word - (1 << 16) if representation and word >= 1 << 15 else word


def padding(frame: Frame, keyword: str, representation: int) -> float | None:
    """Return a padding attribute, which floats have under names of their own (C.7.6.24)."""
    stored = signed(frame, keyword, representation)
    names = () if stored is not None else (f"Float{keyword}", f"DoubleFloat{keyword}")
    found = (frame.number(name) for name in names)
    return next((number for number in found if number is not None), stored)


def as_integers(numbers: tuple[float, ...] | None) -> tuple[int, ...] | None:
    """Return numbers as integers."""
    return None if numbers is None else tuple(map(int, numbers))


def read_palette(frame: Frame) -> Module:
    """Return the palettes as the file has them, descriptors unsigned (PS3.3 C.7.6.3.1.5)."""
    found: Module = {}
    for color in PALETTES:
        keyword = f"{color}PaletteColorLookupTableDescriptor"
        descriptor = frame.numbers(keyword, count=3)
        if descriptor is None:
            continue
        found[snake(keyword)] = [int(number) & 0xFFFF for number in descriptor]
        found |= read_palette_entries(frame, color)
    return found and found | pick(frame.dataset, PALETTE)


def read_palette_entries(frame: Frame, color: str) -> Module:
    """Return the entries of one palette, as words; segmented ones as they are (PS3.3 C.7.9.2)."""
    found: Module = {}
    for prefix in ("", "Segmented"):
        keyword = f"{prefix}{color}PaletteColorLookupTableData"
        value = value_of(frame.dataset, keyword)
        if value is not None:
            found[snake(keyword)] = as_words(value, frame.byte_order)
    return found


def as_words(value: Any, order: str) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return bytes, two for each, or numbers, which old software wrote, as 16-bit words."""
    if isinstance(value, bytes):
        padded = value + b"\0" * (len(value) % 2)
        return np.frombuffer(padded, f"{order}u2").astype("<u2", copy=False)
    return np.array(as_numbers(value) or (), "<f8").astype("<i8").astype("<u2")
