"""Read the Image Pixel module and palettes (PS3.3 C.7.6.3, C.7.9), which decoding needs."""

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
# Largest ratio of the sides of a pixel.
MOST_STRETCHED = 1000
PALETTE = ("PaletteColorLookupTableUID",)
# Defined terms, also retired ones (PS3.3 C.7.6.3.1.2), by their letters and digits alone.
TERMS = {
    term.replace("_", "").replace(" ", ""): term
    for term in (
        *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "HSV", "ARGB", "CMYK", "XYB"),
        *("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT"),
    )
}


@Memo
def read_pixel_module(frame: Frame) -> PixelModule:
    """Read the Image Pixel module as it is in the file (PS3.3 C.7.6.3).

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
    """Return the samples of a pixel without (0028,0002): 1, but raise for a colour image."""
    if photometric.startswith(COLOR_FAMILIES):
        return require(frame, "SamplesPerPixel", "0028,0002")
    return 1


def is_float_without_sign(frame: Frame) -> bool:
    """Return whether pixels may be floats, without Pixel Representation (PS3.3 C.7.6.24, .25)."""
    is_wide = frame.integer("BitsAllocated") in (32, 64)
    return is_wide and frame.get("PixelRepresentation") is None


def absent_attributes(frame: Frame) -> list[str]:
    """Return tag and keyword of each absent attribute that decoding a frame needs."""
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
    """Yield the keywords of absent palette attributes."""
    for color in PALETTES[:3]:
        keyword = f"{color}PaletteColorLookupTable"
        if frame.numbers(f"{keyword}Descriptor", count=3) is None:
            yield f"{keyword}Descriptor"
        if not read_palette_entries(frame, color):
            yield f"{keyword}Data"


def require(frame: Frame, keyword: str, tag: str) -> int:
    """Return a required integer; raise `FormatError` when it is absent."""
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
    """Return the defined term for a value in another case or with other separators.

    Software writes ``monochrome2`` and ``YBR FULL 422``; DCMTK and GDCM read them. An unknown
    value is returned as it is.
    """
    letters = "".join(filter(str.isalnum, value.partition("\0")[0])).upper()
    term = TERMS.get(letters, value)
    if term != value:
        warnings.warn(
            f"(0028,0004) PhotometricInterpretation is {value!r}, read as {term!r}", stacklevel=2
        )
    return term


def signed(frame: Frame, keyword: str, representation: int) -> int | None:
    """Return a US or SS attribute, signed as Pixel Representation says (PS3.3 C.7.6.3.1.5).

    Its VR is not reliable: old software always writes US, so 63536 is -2000 for signed pixels.
    """
    value = frame.integer(keyword)
    if value is None or not -(1 << 15) <= value < 1 << 16:
        return value
    word = value & 0xFFFF
    return word - (1 << 16) if representation and word >= 1 << 15 else word


def padding(frame: Frame, keyword: str, representation: int) -> float | None:
    """Return a padding attribute; float pixels have their own keywords for it (C.7.6.24)."""
    stored = signed(frame, keyword, representation)
    names = () if stored is not None else (f"Float{keyword}", f"DoubleFloat{keyword}")
    found = (frame.number(name) for name in names)
    return next((number for number in found if number is not None), stored)


def read_aspect_ratio(frame: Frame) -> tuple[int, ...] | None:
    """Return (0028,0034) Pixel Aspect Ratio, vertical to horizontal size (C.7.6.3.1.7).

    Return None unless it is two whole numbers above 0, whose ratio is at most `MOST_STRETCHED`.
    """
    numbers = frame.numbers("PixelAspectRatio", count=2)
    if numbers is None:
        return None
    is_ratio = min(numbers) > 0 and max(numbers) <= MOST_STRETCHED * min(numbers)
    if is_ratio and all(number.is_integer() for number in numbers):
        return tuple(map(int, numbers))
    note = f"(0028,0034) PixelAspectRatio is {numbers[0]:g}\\{numbers[1]:g}, which is not a ratio"
    warnings.warn(f"{note} of two sizes: it is left out", stacklevel=2)
    return None


def read_palette(frame: Frame) -> Module:
    """Return the palettes as in the file, with unsigned descriptors (PS3.3 C.7.6.3.1.5)."""
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
    """Return the entries of one palette as words; segmented data stay so (PS3.3 C.7.9.2)."""
    found: Module = {}
    for prefix in ("", "Segmented"):
        keyword = f"{prefix}{color}PaletteColorLookupTableData"
        value = value_of(frame.dataset, keyword)
        if value is not None:
            found[snake(keyword)] = as_words(value, frame.byte_order)
    return found


def as_words(value: Any, order: str) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return 16-bit words from bytes, or from numbers, which old software wrote."""
    if isinstance(value, bytes):
        padded = value + b"\0" * (len(value) % 2)
        return np.frombuffer(padded, f"{order}u2").astype("<u2", copy=False)
    numbers = np.clip(as_numbers(value) or (), -(1 << 15), (1 << 16) - 1)
    return numbers.astype("<i8").astype("<u2")
