"""Read the samples of native frames: bits, bytes, words, and shared chroma (PS3.5 8.1, 8.2).

pydicom's decoder of native transfer syntaxes does not support 24 bits, YBR_PARTIAL_422, or a High
Bit that is not the highest stored bit. Nor does it support frames that begin inside a swapped word
of single bits.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID, ExplicitVRBigEndian

from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.instance import Instance, PixelElement
from pyloader.dicom.transfer_syntaxes import GE_BIG_ENDIAN_PIXELS, NATIVE, name_of
from pyloader.errors import FormatError, UnsupportedError
from pyloader.image import PixelModule
from pyloader.pixels.samples import CONTAINERS, FLOATS, Samples, widen

Bytes = NDArray[np.uint8]
# Photometric interpretation -> samples of a pixel (PS3.3 C.7.6.3.1.1, C.7.6.3.1.2).
SAMPLES = {
    **dict.fromkeys(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), 1),
    **dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422"), 3),
    **dict.fromkeys(("YBR_RCT", "YBR_ICT"), 3),
}


def native_frame(
    instance: Instance, element: PixelElement, stored: PixelModule, frame_index: int
) -> Samples:
    """Return the words of one native frame: each sample with all its allocated bits.

    Parameters
    ----------
    stored : PixelModule
        Checked by `check_samples`.
    frame_index : int
        From 0.

    Returns
    -------
    (rows, columns) or (rows, columns, samples) array
        In this machine's byte order; a view of the file where possible. 4:2:2 gets chroma for each
        pixel; unused bits and colours stay unchanged.

    Raises
    ------
    CutOffError
        The file ends before the frame does.
    FormatError
        The pixel data are shorter than the header says, or their sample order contradicts it.
    UnsupportedError
        No sample order is defined for the header's attributes.

    References
    ----------
    PS3.5 8.1.1, 8.2 and D (samples in bytes and words), A.3 (big endian).
    """
    check_arrangement(element, stored, instance.number_of_frames)
    syntax = instance.transfer_syntax_uid
    is_big_endian = NATIVE[syntax].pixel_order == ">"
    check_words(syntax, stored)
    is_bytes = stored.bits_allocated <= 8
    place = 0 if element.frame_index is not None else frame_index
    bits = stored.frame_bits
    check_length(element, frame_index, -(-(place + 1) * bits // 8))
    is_swapped = syntax == ExplicitVRBigEndian and is_bytes and element.vr == "OW"
    packed, skipped = extract_bits(element.value, place * bits, bits, is_swapped)
    samples = unpack(packed, stored, element.keyword, is_big_endian)
    first, count = skipped // stored.bits_allocated, bits // stored.bits_allocated
    return arrange(samples[first : first + count], stored)


def check_words(syntax: UID, stored: PixelModule) -> None:
    """Raise for samples that readers of GE's private transfer syntax read differently.

    GDCM swaps no bytes of 8-bit samples and all of 16-bit ones. For larger samples readers differ.
    """
    if syntax == GE_BIG_ENDIAN_PIXELS and stored.bits_allocated > 16:
        raise UnsupportedError(
            f"(0028,0100) BitsAllocated is {stored.bits_allocated} with the transfer syntax "
            f"{name_of(syntax)}; its byte order of more than 16 bits is unknown"
        )


def check_arrangement(element: PixelElement, stored: PixelModule, frames: int) -> None:
    """Raise when the sample order is undefined or contradictory; warn about excess bytes."""
    photometric = stored.photometric_interpretation
    if photometric.endswith("_420"):
        raise UnsupportedError(
            f"photometric interpretation {photometric!r} is defined for compressed frames only "
            "(PS3.3 C.7.6.3.1.2); the order of native samples is unknown"
        )
    if photometric.endswith("_422") and (stored.columns % 2 or stored.planar_configuration):
        raise FormatError(
            f"{photometric} needs an even number of columns and planar configuration 0, this image "
            f"has {stored.columns} and {stored.planar_configuration}"
        )
    if stored.bits_allocated == 1 and stored.samples_per_pixel > 1 and stored.planar_configuration:
        raise UnsupportedError("planes of single bits are not supported")
    expected = SAMPLES.get(photometric, stored.samples_per_pixel)
    if stored.samples_per_pixel != expected:
        raise FormatError(
            f"(0028,0002) SamplesPerPixel is {stored.samples_per_pixel}, expected {expected} with "
            f"photometric interpretation {photometric!r}"
        )
    held = 1 if element.frame_index is not None else frames
    needed, actual = -(-stored.frame_bits * held // 8), element.stop - element.start
    check_excess(photometric, needed, actual)


def check_excess(photometric: str, needed: int, actual: int) -> None:
    """Warn about bytes after the last frame; raise if 4:2:2 has as many as full chroma needs."""
    if photometric.endswith("_422") and actual >= needed // 2 * 3:
        raise FormatError(
            f"the pixel data have {actual} bytes, {needed} were expected of {photometric}: as many "
            "as when each pixel has its own chroma. They may be RGB or YBR_FULL"
        )
    if actual > needed + 1:
        warnings.warn(
            f"the pixel data have {actual} bytes, {needed} were expected; those after the last "
            "frame are left out",
            stacklevel=2,
        )


def check_length(element: PixelElement, frame_index: int, needed: int) -> None:
    """Raise when the element ends before the frame does."""
    actual = element.stop - element.start
    if actual >= needed:
        return
    text = f"frame {frame_index + 1} needs {needed} bytes of pixel data, the file has {actual}"
    if element.missing:
        raise CutOffError(
            f"{text}; the file is cut off, {element.missing} bytes are missing: load it again"
        )
    raise FormatError(f"{text}; its header describes more than it holds")


def extract_bits(value: memoryview, first: int, bits: int, is_swapped: bool) -> tuple[Bytes, int]:
    """Return the bytes that hold `bits` bits from bit `first` on, and how many bits precede it.

    Big-endian words swap each pair of bytes (PS3.5 8.2 and D); a frame may begin inside a word.
    """
    unit = 16 if is_swapped else 8
    start, stop = first // unit * unit // 8, -(-(first + bits) // unit) * unit // 8
    packed: Bytes = np.frombuffer(value[start:stop], "u1")
    if is_swapped:
        whole = packed[: packed.size // 2 * 2]
        packed = np.concatenate([whole.view("u2").byteswap().view("u1"), packed[whole.size :]])
    skipped = first - start * 8
    return packed, skipped


def unpack(packed: Bytes, stored: PixelModule, keyword: str, is_big_endian: bool) -> Samples:
    """Unpack samples of 1 to 64 bits into this machine's byte order."""
    if stored.bits_allocated == 1:
        return np.unpackbits(packed, bitorder="little")  # PS3.5 8.1.1, 8.2: the lowest bit first
    size = stored.bits_allocated // 8
    order = "><"[not is_big_endian]
    if keyword in FLOATS:
        return native_order(packed.view(f"{order}f{size}"))
    if CONTAINERS[size] == size:
        return native_order(packed.view(f"{order}{'ui'[stored.pixel_representation]}{size}"))
    if is_big_endian:
        raise UnsupportedError(
            f"(0028,0100) BitsAllocated is {stored.bits_allocated} in big endian; the order of "
            "such samples in swapped words is unknown"
        )
    return widen(packed, size, bool(stored.pixel_representation))


def native_order(samples: NDArray[Any]) -> Samples:
    """Return samples in this machine's byte order; copy them only if they have the other."""
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)


def arrange(samples: Samples, stored: PixelModule) -> Samples:
    """Return samples in the order row, column, sample."""
    shape = (stored.rows, stored.columns)
    if stored.samples_per_pixel == 1:
        return samples.reshape(shape)
    if stored.photometric_interpretation.endswith("_422"):
        return duplicate_chroma(samples).reshape(*shape, 3)
    if stored.planar_configuration:
        planes = samples.reshape(stored.samples_per_pixel, *shape)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return samples.reshape(*shape, stored.samples_per_pixel)


def duplicate_chroma(samples: Samples) -> Samples:
    """Give each pixel of a pair the chroma that they share: Y Y Cb Cr (PS3.3 C.7.6.3.1.2)."""
    pairs = samples.reshape(-1, 4)
    wide = np.empty((len(pairs), 2, 3), samples.dtype)
    wide[:, :, 0] = pairs[:, :2]
    wide[:, :, 1:] = pairs[:, None, 2:]
    return wide
