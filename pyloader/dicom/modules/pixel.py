"""The Image Pixel module and palettes (PS3.3 C.7.6.3, C.7.9): what decoding depends on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyloader.dicom.fast import Memo
from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.keywords import snake
from pyloader.dicom.segmentation import is_labelmap
from pyloader.dicom.structure import describe_tag
from pyloader.dicom.values import as_numbers, tag_of, value_of
from pyloader.errors import FormatError
from pyloader.image import PixelModule

PALETTES = ("Red", "Green", "Blue", "Alpha")
NUMBERS = ("Rows", "Columns", "BitsAllocated")
COLOR_FAMILIES = ("RGB", "YBR")
PHOTOMETRIC = "PhotometricInterpretation"
# How often the smaller size of a pixel goes into the larger.
MOST_STRETCHED = 1000
PALETTE = ("PaletteColorLookupTableUID",)
# Defined terms, retired ones too (PS3.3 C.7.6.3.1.2), by their letters and digits.
TERMS = {
    term.replace("_", "").replace(" ", ""): term
    for term in (
        *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "HSV", "ARGB", "CMYK", "XYB"),
        *("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT"),
    )
}


@Memo
def read_pixel_module(frame: Frame) -> PixelModule:
    """Read the Image Pixel module as the file has it (PS3.3 C.7.6.3).

    Raises
    ------
    FormatError
        An attribute that decoding needs is absent.
    """
    bits = frame.integer("BitsAllocated") or require(frame, "BitsAllocated", "0028,0100")
    is_float = is_float_without_sign(frame)
    representation = 0 if is_float else require(frame, "PixelRepresentation", "0028,0103")
    photometric = read_photometric_interpretation(frame)
    samples = frame.integer("SamplesPerPixel") or read_samples(frame, photometric)
    stored = frame.integer("BitsStored") or bits
    return PixelModule(
        rows=require(frame, "Rows", "0028,0010"),
        columns=require(frame, "Columns", "0028,0011"),
        samples_per_pixel=samples,
        photometric_interpretation=photometric,
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=frame.integer("HighBit") or stored - 1,
        pixel_representation=representation,
        planar_configuration=(frame.integer("PlanarConfiguration") or 0) if samples > 1 else None,
        pixel_aspect_ratio=read_aspect_ratio(frame),
        smallest_pixel_value=signed(frame, "SmallestImagePixelValue", representation),
        largest_pixel_value=signed(frame, "LargestImagePixelValue", representation),
        pixel_padding_value=padding(frame, "PixelPaddingValue", representation),
        pixel_padding_range_limit=padding(frame, "PixelPaddingRangeLimit", representation),
    )


def read_samples(frame: Frame, photometric: str) -> int:
    """Return the samples of a pixel where they are not told: 1 of grey, which alone is certain."""
    if photometric.startswith(COLOR_FAMILIES):
        return require(frame, "SamplesPerPixel", "0028,0002")
    return 1


def is_float_without_sign(frame: Frame) -> bool:
    """Tell whether pixels may be floats, which have no sign to tell (PS3.3 C.7.6.24, C.7.6.25)."""
    is_wide = frame.integer("BitsAllocated") in (32, 64)
    return is_wide and frame.get("PixelRepresentation") is None


def absent_attributes(frame: Frame) -> list[str]:
    """Return tag and keyword of each attribute that a frame cannot be decoded without."""
    photometric = spelled(frame.text(PHOTOMETRIC) or "")
    needed = [*NUMBERS, "SamplesPerPixel"] if photometric.startswith(COLOR_FAMILIES) else [*NUMBERS]
    if not is_float_without_sign(frame):
        needed.append("PixelRepresentation")
    absent = [keyword for keyword in needed if frame.integer(keyword) is None]
    absent += [] if photometric else [PHOTOMETRIC]
    if photometric == "PALETTE COLOR" and not is_labelmap(frame.dataset):
        absent += absent_palettes(frame)
    return [describe_tag(tag_of(keyword)) for keyword in absent]


def absent_palettes(frame: Frame) -> Iterator[str]:
    """Yield the keywords of palettes that are not there."""
    for color in PALETTES[:3]:
        keyword = f"{color}PaletteColorLookupTable"
        if frame.numbers(f"{keyword}Descriptor", count=3) is None:
            yield f"{keyword}Descriptor"
        if not read_palette_entries(frame, color):
            yield f"{keyword}Data"


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
    value = frame.text(PHOTOMETRIC)
    if not value:
        raise FormatError(
            "(0028,0004) PhotometricInterpretation is absent, but the pixel data cannot be "
            "shown without it; the file is damaged or is not an image"
        )
    return value if value in TERMS.values() else spelled(value)


def spelled(value: str) -> str:
    """Return the term that is meant by one of other letters or separators, else `value` itself.

    Software writes ``monochrome2`` and ``YBR FULL 422``; DCMTK and GDCM read them.
    """
    letters = "".join(filter(str.isalnum, value.partition("\0")[0])).upper()
    term = TERMS.get(letters, value)
    if term != value:
        warnings.warn(
            f"(0028,0004) PhotometricInterpretation is {value!r}, read as {term!r}", stacklevel=2
        )
    return term


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


def read_aspect_ratio(frame: Frame) -> tuple[int, ...] | None:
    """Return (0028,0034) Pixel Aspect Ratio, vertical to horizontal size (C.7.6.3.1.7).

    Other than two whole numbers above 0, none of which is a thousand times the other, it is none.
    """
    numbers = frame.numbers("PixelAspectRatio", count=2)
    if numbers is None:
        return None
    is_ratio = min(numbers) > 0 and max(numbers) <= MOST_STRETCHED * min(numbers)
    if is_ratio and all(number.is_integer() for number in numbers):
        return tuple(map(int, numbers))
    note = f"(0028,0034) PixelAspectRatio is {numbers[0]:g}\\{numbers[1]:g}, which is no ratio"
    warnings.warn(f"{note} of two sizes: it is left out", stacklevel=2)
    return None


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
    numbers = np.clip(as_numbers(value) or (), -(1 << 15), (1 << 16) - 1)
    return numbers.astype("<i8").astype("<u2")
