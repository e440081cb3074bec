"""Check how samples are stored, and extract their value bits (PS3.5 8.1.1)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.image import PixelModule

Samples = NDArray[Any]

# Bytes of a sample -> bytes of the smallest numpy integer that holds it.
CONTAINERS = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 8: 8}
FLOATS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
# Lanes processed at once: temporary arrays of more do not fit the processor's cache.
BLOCK = 16384


def check_samples(pixel: PixelModule, keyword: str) -> PixelModule:
    """Return `pixel` with a possible High Bit, if its samples can be read.

    Parameters
    ----------
    keyword : str
        Keyword of the element that holds the pixels.

    Raises
    ------
    FormatError
        Attributes contradict each other.
    UnsupportedError
        Bits Allocated is neither 1 nor a multiple of 8: other packings were retired.
    """
    check_shape(pixel)
    if keyword in FLOATS:
        return check_floats(pixel, keyword)
    allocated, stored, high = pixel.bits_allocated, pixel.bits_stored, pixel.high_bit
    if allocated != 1 and allocated not in range(8, 65, 8):
        raise UnsupportedError(
            f"(0028,0100) BitsAllocated is {allocated}; 1 and multiples of 8 up to 64 are "
            "supported, samples that are packed otherwise were retired in 2001 (PS3.5 8.1.1)"
        )
    if not 1 <= stored <= allocated:
        raise FormatError(
            f"(0028,0101) BitsStored is {stored}, (0028,0100) BitsAllocated {allocated}; a sample "
            "cannot have more bits than are allocated: one of them is wrong"
        )
    if allocated == 1:
        pixel = without_sign(pixel)
    if stored - 1 <= high < allocated:
        return pixel
    warnings.warn(
        f"(0028,0102) HighBit is {high}, which {stored} bits stored of {allocated} cannot have; "
        f"{stored - 1} was taken",
        stacklevel=2,
    )
    return replace(pixel, high_bit=stored - 1)


def without_sign(pixel: PixelModule) -> PixelModule:
    """Return the description of single-bit samples as unsigned; warn if it says signed."""
    if pixel.pixel_representation:
        warnings.warn(
            "(0028,0103) PixelRepresentation is 1 with (0028,0100) BitsAllocated 1; one bit has no "
            "room for a sign, it was taken as 0 or 1",
            stacklevel=2,
        )
    return replace(pixel, pixel_representation=0)


def check_floats(pixel: PixelModule, keyword: str) -> PixelModule:
    """Check and complete (Double) Float Pixel Data's description (PS3.3 C.7.6.24, C.7.6.25)."""
    bits = FLOATS[keyword]
    if pixel.bits_allocated != bits or pixel.samples_per_pixel != 1:
        raise FormatError(
            f"(0028,0100) BitsAllocated is {pixel.bits_allocated} and (0028,0002) SamplesPerPixel "
            f"{pixel.samples_per_pixel}, expected {bits} and 1 with {keyword}"
        )
    return replace(pixel, bits_stored=bits, high_bit=bits - 1)


def check_shape(pixel: PixelModule) -> None:
    """Raise when there are no pixels, or the sign or planar configuration is impossible."""
    if pixel.rows < 1 or pixel.columns < 1:
        raise FormatError(
            f"(0028,0010) Rows is {pixel.rows}, (0028,0011) Columns {pixel.columns}; expected at "
            "least 1 of each"
        )
    if pixel.pixel_representation not in (0, 1) or pixel.planar_configuration not in (None, 0, 1):
        raise FormatError(
            f"(0028,0103) PixelRepresentation is {pixel.pixel_representation}, (0028,0006) "
            f"PlanarConfiguration {pixel.planar_configuration}; expected 0 or 1"
        )


def stored_values(words: Samples, pixel: PixelModule) -> Samples:
    """Return the BitsStored bits that end at HighBit, with their sign (PS3.5 8.1.1).

    The other bits of a word (overlays, rubbish) are not part of the value.

    Parameters
    ----------
    words : integer array
        With all allocated bits; signed as Pixel Representation says.

    Returns
    -------
    array
        `words` itself when they have no other bits, else a new array.
    """
    size = words.dtype.itemsize * 8
    if words.dtype.kind == "f" or pixel.bits_stored == size or is_plain(words, pixel):
        return words
    values = np.left_shift(words, size - 1 - pixel.high_bit)
    np.right_shift(values, size - pixel.bits_stored, out=values)
    return keep_padding(values, words, pixel)


def is_plain(words: Samples, pixel: PixelModule) -> bool:
    """Tell whether words already equal their values: no other bits, and the sign extended."""
    if pixel.high_bit != pixel.bits_stored - 1 or not words.flags.c_contiguous:
        return False
    return not any_bits(words.reshape(-1)) >> pixel.bits_stored


def any_bits(samples: Samples) -> int:
    """Return the bits set in any sample; of signed ones, those that differ from a neighbour.

    Reading 8 bytes at a time takes a tenth of the time of finding the largest value.

    Parameters
    ----------
    samples : (n,) contiguous integer array
    """
    whole = samples.nbytes // 8 * 8 // samples.dtype.itemsize
    lanes, rest = samples[:whole].view("u8"), samples[whole:]
    return bits_of(lanes, samples.dtype) | bits_of(rest, samples.dtype)


def bits_of(lanes: Samples, dtype: np.dtype[Any]) -> int:
    """Return `any_bits` of samples of `dtype`; each lane holds one or several."""
    bits = 0
    for start in range(0, lanes.size, BLOCK):
        block = lanes[start : start + BLOCK]
        if dtype.kind == "i":
            block = np.bitwise_xor(shifted := np.left_shift(block, 1), block, out=shifted)
        bits |= int(np.bitwise_or.reduce(block))
    bits &= (1 << lanes.itemsize * 8) - 1
    found = 0
    for place in range(0, 64, dtype.itemsize * 8):
        found |= bits >> place
    return found & ((1 << dtype.itemsize * 8) - 1)


def keep_padding(values: Samples, words: Samples, pixel: PixelModule) -> Samples:
    """Keep the whole word of padding pixels, if padding needs more bits than are stored.

    Old scanners write this padding. Its lower bits alone would become a bright pixel.
    """
    low, high = pixel.stored_range
    padding = (pixel.pixel_padding_value, pixel.pixel_padding_range_limit)
    ends = sorted(end for end in padding if end is not None)
    if pixel.pixel_padding_value is None or (low <= ends[0] and ends[-1] <= high):
        return values
    is_padding = (words >= ends[0]) & (words <= ends[-1]) & ((words < low) | (words > high))
    return np.where(is_padding, words, values)


def widen(packed: NDArray[np.uint8], size: int, is_signed: bool) -> Samples:
    """Widen little-endian integers of `size` bytes to the next larger numpy integers."""
    container = CONTAINERS[size]
    words = np.zeros((packed.size // size, container), "u1")
    words[:, :size] = packed.reshape(-1, size)
    return words.view(f"<{'ui'[is_signed]}{container}").reshape(-1)
