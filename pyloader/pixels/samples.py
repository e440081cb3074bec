"""The samples of a frame: which of their bits are the value (PS3.5 8.1.1)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.image import PixelModule

Samples = NDArray[Any]

# What a sample is kept in: the next larger integer of numpy.
CONTAINERS = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 8: 8}
FLOATS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
# Lanes that are looked at in one go: what is made of more goes out of the processor's cache.
BLOCK = 16384


def check_samples(pixel: PixelModule, keyword: str) -> PixelModule:
    """Return the description of samples that can be read, with a High Bit that is possible.

    Parameters
    ----------
    keyword : str
        Of the element that holds the pixels.

    Raises
    ------
    FormatError
        Attributes contradict each other.
    UnsupportedError
        Bits Allocated is neither 1 nor a multiple of 8: pixels packed so were retired.
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
            "cannot have more bits than are allocated: one of them is wrong, and which is not known"
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
    """Return the description of single bits, which have no room for a sign."""
    if pixel.pixel_representation:
        warnings.warn(
            "(0028,0103) PixelRepresentation is 1 with (0028,0100) BitsAllocated 1; one bit has no "
            "room for a sign, it was taken as 0 or 1",
            stacklevel=2,
        )
    return replace(pixel, pixel_representation=0)


def check_floats(pixel: PixelModule, keyword: str) -> PixelModule:
    """Return the description of Float or Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25)."""
    bits = FLOATS[keyword]
    if pixel.bits_allocated != bits or pixel.samples_per_pixel != 1:
        raise FormatError(
            f"(0028,0100) BitsAllocated is {pixel.bits_allocated} and (0028,0002) SamplesPerPixel "
            f"{pixel.samples_per_pixel}, expected {bits} and 1 with {keyword}"
        )
    return replace(pixel, bits_stored=bits, high_bit=bits - 1)


def check_shape(pixel: PixelModule) -> None:
    """Raise when there are no pixels, or samples that no photometric interpretation has."""
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

    What else stands in a word (overlays, rubbish) is no part of the value.

    Parameters
    ----------
    words : integer array
        As allocated; of the sign that Pixel Representation says.

    Returns
    -------
    array
        `words` itself when nothing else stands in them, else a new one.
    """
    size = words.dtype.itemsize * 8
    if words.dtype.kind == "f" or pixel.bits_stored == size or is_plain(words, pixel):
        return words
    values = np.left_shift(words, size - 1 - pixel.high_bit)
    np.right_shift(values, size - pixel.bits_stored, out=values)
    return with_padding(values, words, pixel)


def is_plain(words: Samples, pixel: PixelModule) -> bool:
    """Tell whether words are their values already: no other bits, and the sign in all above it."""
    if pixel.high_bit != pixel.bits_stored - 1 or not words.flags.c_contiguous:
        return False
    return not any_bits(words.reshape(-1)) >> pixel.bits_stored


def any_bits(samples: Samples) -> int:
    """Return the bits that any sample has; of signed ones, where two neighbouring bits differ.

    Looking at 8 bytes at a time takes a tenth of the time of looking for the largest value.

    Parameters
    ----------
    samples : (n,) contiguous integer array
    """
    whole = samples.nbytes // 8 * 8 // samples.dtype.itemsize
    lanes, rest = samples[:whole].view("u8"), samples[whole:]
    return bits_of(lanes, samples.dtype) | bits_of(rest, samples.dtype)


def bits_of(lanes: Samples, dtype: np.dtype[Any]) -> int:
    """Return the bits of samples of a class, of which each lane holds one or several."""
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


def with_padding(values: Samples, words: Samples, pixel: PixelModule) -> Samples:
    """Return values with padding that needs more bits than are stored, as old scanners have it.

    Its word means nothing but padding; of its lower bits a bright pixel would be made.
    """
    low, high = pixel.stored_range
    padding = (pixel.pixel_padding_value, pixel.pixel_padding_range_limit)
    ends = sorted(end for end in padding if end is not None)
    if pixel.pixel_padding_value is None or (low <= ends[0] and ends[-1] <= high):
        return values
    is_padding = (words >= ends[0]) & (words <= ends[-1]) & ((words < low) | (words > high))
    return np.where(is_padding, words, values)


def widen(packed: NDArray[np.uint8], size: int, is_signed: bool) -> Samples:
    """Return little-endian integers of `size` bytes in the next larger ones of numpy."""
    container = CONTAINERS[size]
    words = np.zeros((packed.size // size, container), "u1")
    words[:, :size] = packed.reshape(-1, size)
    return words.view(f"<{'ui'[is_signed]}{container}").reshape(-1)
