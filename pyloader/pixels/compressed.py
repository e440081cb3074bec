"""Decode compressed frames to stored values: codec, then bits and sign."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import (
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    JPEG_XL,
    JPEG_XL_RECOMPRESSION,
    instead_of,
    name_of,
)
from pyloader.errors import DecodeError, NetworkError, UnsupportedError
from pyloader.image import Codestream, PixelModule
from pyloader.pixels.codecs import CODECS, decode_samples, supported_syntaxes
from pyloader.pixels.codestream.consistency import check_agreement, choose_syntax, note
from pyloader.pixels.samples import CONTAINERS, Samples, any_bits, stored_values

LOSSY = frozenset(
    {
        *(uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, JPEG_SPECTRAL, JPEG_PROGRESSIVE),
        *(uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K, JPEG_XL, JPEG_XL_RECOMPRESSION),
    }
)


@dataclass(frozen=True, slots=True)
class DecodedSamples:
    """The samples of a frame.

    Attributes
    ----------
    values : (rows, columns) or (rows, columns, samples) array, stored values
    words : array or None
        The words that hold `values`, all bits included; None if a compressed frame has only values.
    photometric_interpretation : str
        Of `values`.
    stored : PixelModule
        The header's description, with the codestream's bits if these are more and are used.
    codestream : Codestream or None
        None for native frames.
    """

    values: Samples
    words: Samples | None
    photometric_interpretation: str
    stored: PixelModule
    codestream: Codestream | None


def decode_compressed(
    frame: bytes, declared: UID, stored: PixelModule, frame_index: int
) -> DecodedSamples:
    """Decode one frame.

    Parameters
    ----------
    frame : bytes
        Its fragments joined.
    declared : UID
        The header's transfer syntax.
    frame_index : int
        From 0; for error messages.

    Raises
    ------
    UnsupportedError
        The frame's transfer syntax or its number of samples is not supported.
    DecodeError
        The frame is damaged, cut off, or contradicts the header.
    """
    if stored.samples_per_pixel not in (1, 3):
        raise UnsupportedError(
            f"(0028,0002) SamplesPerPixel is {stored.samples_per_pixel}; 1 and 3 are supported in "
            "compressed frames"
        )
    with raising_decode_errors(frame_index, declared):
        syntax = choose_syntax(frame, declared)
        check_supported(syntax)
        stream = CODECS[syntax].read(frame, syntax, stored)
        check_agreement(stream, stored)
        pixels, photometric = decode_samples(frame, syntax, stream, stored)
        is_lossy = declared in LOSSY or syntax in LOSSY
        return to_stored_values(pixels, photometric, stream, stored, is_lossy)


@contextmanager
def raising_decode_errors(frame_index: int, syntax: UID) -> Iterator[None]:
    """Turn exceptions of codecs into `DecodeError`."""
    try:
        yield
    except (UnsupportedError, NetworkError):  # NetworkError: the codec's library did not load
        raise
    except Exception as error:
        raise DecodeError(
            f"frame {frame_index + 1}, {name_of(syntax)}, cannot be decoded: "
            f"{str(error).strip() or type(error).__name__}; its bytes may be damaged, or not of "
            "that transfer syntax"
        ) from error


def check_supported(syntax: UID) -> None:
    """Raise `UnsupportedError` for a transfer syntax without a codec."""
    if syntax not in CODECS:
        raise UnsupportedError(
            f"transfer syntax {name_of(syntax)} cannot be decoded; supported are "
            f"{', '.join(supported_syntaxes())}. {instead_of(syntax)}"
        )


# ---------------------------------------------------------------- bits and sign


def to_stored_values(
    pixels: Samples, photometric: str, stream: Codestream, stored: PixelModule, is_lossy: bool
) -> DecodedSamples:
    """Turn decoded samples into stored values (PS3.5 8.1.1)."""
    check_precision(pixels, stream)
    container = CONTAINERS[-(-stored.bits_allocated // 8)]
    dtype = np.dtype(f"{'ui'[stored.pixel_representation]}{container}")
    bits, words = stream.bits or stored.bits_stored, None
    if bits == stored.bits_allocated > stored.bits_stored and not is_lossy:
        words = pixels.view(f"{dtype.kind}{pixels.dtype.itemsize}")
        values = stored_values(words, stored)
        if values is not words and not np.array_equal(values, words):
            note(
                f"the codestream has all {bits} bits of a word, (0028,0101) BitsStored is "
                f"{stored.bits_stored}; the others were left out"
            )
    else:
        values = with_sign(pixels, stream, stored)
        stored = with_bits(values, stream, stored, is_lossy)
    return DecodedSamples(values.astype(dtype, copy=False), words, photometric, stored, stream)


def check_precision(pixels: Samples, stream: Codestream) -> None:
    """Raise ValueError when unsigned samples exceed the codestream's own precision.

    Lossless JPEG adds modulo 65536, whatever its precision (ISO 10918-1 H.1.2.1).
    """
    size = pixels.dtype.itemsize
    if stream.bits is None or stream.is_signed or stream.bits >= size * 8:
        return
    if any_bits(np.ascontiguousarray(pixels).reshape(-1).view(f"u{size}")) >> stream.bits:
        raise ValueError(
            f"the codestream says that it has {stream.bits} bits, but has values up to "
            f"{int(pixels.max())}"
        )


def with_sign(pixels: Samples, stream: Codestream, stored: PixelModule) -> Samples:
    """Give samples the sign of Pixel Representation, within the codestream's bits.

    Raises
    ------
    ValueError
        The codestream has another number of bits than the header, and its highest bit may be a
        sign or not.
    """
    is_signed = bool(stored.pixel_representation)
    bits = stream.bits or stored.bits_stored
    if bool(stream.is_signed) == is_signed:
        return pixels
    low, high = int(pixels.min()), int(pixels.max())
    if low >= 0 and high < 1 << (bits - 1):
        return pixels
    values = reinterpret_sign(pixels, bits, is_signed)
    if not is_unambiguous(values, bits, stored):
        raise ValueError(
            f"the codestream has {bits} bits, {'signed' if stream.is_signed else 'without sign'}, "
            f"the header says {stored.bits_stored}, {'signed' if is_signed else 'without sign'}; "
            f"the meaning of values from {low} to {high} is unknown"
        )
    if stream.is_signed is not None:
        note(
            f"(0028,0103) PixelRepresentation is {stored.pixel_representation}, the codestream is "
            f"{'signed' if stream.is_signed else 'without sign'}; its bits were taken as the "
            "header says"
        )
    return values


def reinterpret_sign(pixels: Samples, bits: int, is_signed: bool) -> Samples:
    """Read the lowest `bits` bits of samples again, as signed or as unsigned values."""
    size = pixels.dtype.itemsize * 8
    words = pixels.view(f"{'ui'[is_signed]}{pixels.dtype.itemsize}")
    values: Samples = np.left_shift(words, size - bits)
    return np.right_shift(values, size - bits, out=values)


def is_unambiguous(values: Samples, bits: int, stored: PixelModule) -> bool:
    """Tell whether samples of `bits` bits can have one meaning only.

    Whole words have their sign in the highest bit, like native ones, whatever Bits Stored is.
    """
    low, high = stored.stored_range
    is_within = low <= int(values.min()) and int(values.max()) <= high
    return bits == stored.bits_stored or (bits == stored.bits_allocated and is_within)


def with_bits(
    values: Samples, stream: Codestream, stored: PixelModule, is_lossy: bool
) -> PixelModule:
    """Return the description of values: with the header's bits, if the values fit.

    Values of a lossy codestream may exceed them; then the description has the codestream's bits.

    Raises
    ------
    ValueError
        Values of a lossless codestream do not fit.
    """
    bits = stream.bits or values.dtype.itemsize * 8
    if bits <= stored.bits_stored:
        return stored
    low, high = stored.stored_range
    smallest, largest = int(values.min()), int(values.max())
    if low <= smallest and largest <= high:
        return stored
    if not is_lossy:
        raise ValueError(
            f"the codestream has {bits} bits and values from {smallest} to {largest}, (0028,0101) "
            f"BitsStored is {stored.bits_stored}: it is unknown which is right"
        )
    note(
        f"(0028,0101) BitsStored is {stored.bits_stored}, the codestream has {bits} bits, and "
        f"values from {smallest} to {largest}; they were kept"
    )
    return replace(stored, bits_stored=bits, high_bit=bits - 1)
