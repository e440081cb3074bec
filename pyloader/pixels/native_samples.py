"""Native frames: bits, bytes, words and chroma that pixels share, to samples (PS3.5 8.1, 8.2).

pydicom's decoder of native transfer syntaxes does not know 24 bits, YBR_PARTIAL_422, or a High Bit
that is not the highest stored. Nor does it know frames that begin within a swapped word of bits.
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
    """Return the words of one native frame, each sample as it is allocated.

    Parameters
    ----------
    stored : PixelModule
        Checked by `check_samples`.
    frame_index : int
        From 0.

    Returns
    -------
    (rows, columns) or (rows, columns, samples) array
        In this machine's byte order, a view of the file where that is possible. 4:2:2 is widened
        to a chroma for each pixel; neither unused bits nor colours are changed.

    Raises
    ------
    CutOffError
        The file ends before the frame does.
    FormatError
        The pixel data are shorter than the header says, or are of another arrangement.
    UnsupportedError
        No order of samples is defined for what the header says.

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
    packed, skipped = cut_out(element.value, place * bits, bits, is_swapped)
    samples = unpack(packed, stored, element.keyword, is_big_endian)
    first, count = skipped // stored.bits_allocated, bits // stored.bits_allocated
    return arrange(samples[first : first + count], stored)


def check_words(syntax: UID, stored: PixelModule) -> None:
    """Raise for words of GE's private transfer syntax that readers do not agree on.

    Of bytes GDCM swaps none, of words of 16 bits all; of larger ones each reader makes another.
    """
    if syntax == GE_BIG_ENDIAN_PIXELS and stored.bits_allocated > 16:
        raise UnsupportedError(
            f"(0028,0100) BitsAllocated is {stored.bits_allocated} with the transfer syntax "
            f"{name_of(syntax)}; how it has more than 16 bits is not known"
        )


def check_arrangement(element: PixelElement, stored: PixelModule, frames: int) -> None:
    """Raise for samples whose order is not defined or is contradicted; note what is left over."""
    photometric = stored.photometric_interpretation
    if photometric.endswith("_420"):
        raise UnsupportedError(
            f"photometric interpretation {photometric!r} is defined for compressed frames alone "
            "(PS3.3 C.7.6.3.1.2); the order of native samples is not known"
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
    """Note bytes behind the last frame; as many as full chroma has contradict 4:2:2."""
    if photometric.endswith("_422") and actual >= needed // 2 * 3:
        raise FormatError(
            f"the pixel data have {actual} bytes, {needed} were expected of {photometric}: as many "
            "as when each pixel has its own chroma. Whether they are RGB or YBR_FULL is not known"
        )
    if actual > needed + 1:
        warnings.warn(
            f"the pixel data have {actual} bytes, {needed} were expected; those behind the last "
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


def cut_out(value: memoryview, first: int, bits: int, is_swapped: bool) -> tuple[Bytes, int]:
    """Return the bytes that hold `bits` bits from bit `first` on, and how many come before it.

    In words of big endian the first of two bytes is the second (PS3.5 8.2 and D); a frame may
    begin in the middle of one.
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
    """Return samples of 1 to 64 bits in this machine's byte order."""
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
            f"(0028,0100) BitsAllocated is {stored.bits_allocated} in big endian; how such samples "
            "stand in swapped words is not known"
        )
    return widen(packed, size, bool(stored.pixel_representation))


def native_order(samples: NDArray[Any]) -> Samples:
    """Return samples in this machine's byte order, copied only if they are in the other."""
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)


def arrange(samples: Samples, stored: PixelModule) -> Samples:
    """Return samples by row, column and sample."""
    shape = (stored.rows, stored.columns)
    if stored.samples_per_pixel == 1:
        return samples.reshape(shape)
    if stored.photometric_interpretation.endswith("_422"):
        return share_chroma(samples).reshape(*shape, 3)
    if stored.planar_configuration:
        planes = samples.reshape(stored.samples_per_pixel, *shape)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return samples.reshape(*shape, stored.samples_per_pixel)


def share_chroma(samples: Samples) -> Samples:
    """Return each pixel with its chroma for pairs that share one: Y Y Cb Cr (PS3.3 C.7.6.3.1.2)."""
    pairs = samples.reshape(-1, 4)
    wide = np.empty((len(pairs), 2, 3), samples.dtype)
    wide[:, :, 0] = pairs[:, :2]
    wide[:, :, 1:] = pairs[:, None, 2:]
    return wide
