"""Compressed frames to stored values: what the frame is, its decoding, its bits and their sign."""

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
        `values` with the bits of their words that are no part of them, if the frame has these.
    photometric_interpretation : str
        Of `values`.
    stored : PixelModule
        What the header says, with the codestream's bits where these are more and are used.
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
        Its fragments put together.
    declared : UID
        The transfer syntax that the header says.
    frame_index : int
        From 0; for errors.

    Raises
    ------
    UnsupportedError
        The frame is of a transfer syntax, or has samples, that cannot be decoded here.
    DecodeError
        It is damaged, cut off, or contradicts the header.
    """
    if stored.samples_per_pixel not in (1, 3):
        raise UnsupportedError(
            f"(0028,0002) SamplesPerPixel is {stored.samples_per_pixel}; 1 and 3 are supported in "
            "compressed frames"
        )
    with failing(frame_index, declared):
        syntax = choose_syntax(frame, declared)
        check_supported(syntax)
        stream = CODECS[syntax].read(frame, syntax, stored)
        check_agreement(stream, stored)
        pixels, photometric = decode_samples(frame, syntax, stream, stored)
        is_lossy = declared in LOSSY or syntax in LOSSY
        return settle(pixels, photometric, stream, stored, is_lossy)


@contextmanager
def failing(frame_index: int, syntax: UID) -> Iterator[None]:
    """Turn what codecs raise into `DecodeError`."""
    try:
        yield
    except (UnsupportedError, NetworkError):  # of the codec's own file
        raise
    except Exception as error:
        raise DecodeError(
            f"frame {frame_index + 1}, {name_of(syntax)}, cannot be decoded: "
            f"{str(error).strip() or type(error).__name__}; its bytes may be damaged, or not of "
            "that transfer syntax"
        ) from error


def check_supported(syntax: UID) -> None:
    """Raise `UnsupportedError` for a transfer syntax that is not decoded here."""
    if syntax not in CODECS:
        raise UnsupportedError(
            f"transfer syntax {name_of(syntax)} cannot be decoded; supported are "
            f"{', '.join(supported_syntaxes())}. {instead_of(syntax)}"
        )


# ---------------------------------------------------------------- bits and sign


def settle(
    pixels: Samples, photometric: str, stream: Codestream, stored: PixelModule, is_lossy: bool
) -> DecodedSamples:
    """Return the stored values of decoded samples (PS3.5 8.1.1)."""
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
    """Raise ValueError when samples without sign go beyond the codestream's own bits.

    Those of lossless JPEG are sums modulo 65536, whatever its precision (ISO 10918-1 H.1.2.1).
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
    """Return samples with the sign that Pixel Representation says, upon the codestream's bits.

    Raises
    ------
    ValueError
        The codestream has other bits than the header, and the highest of them may be a sign or not.
    """
    is_signed = bool(stored.pixel_representation)
    bits = stream.bits or stored.bits_stored
    if bool(stream.is_signed) == is_signed:
        return pixels
    low, high = int(pixels.min()), int(pixels.max())
    if low >= 0 and high < 1 << (bits - 1):
        return pixels
    values = on_the_same_bits(pixels, bits, is_signed)
    if not is_certain(values, bits, stored):
        raise ValueError(
            f"the codestream has {bits} bits, {'signed' if stream.is_signed else 'without sign'}, "
            f"the header says {stored.bits_stored}, {'signed' if is_signed else 'without sign'}; "
            f"what values from {low} to {high} mean is not known"
        )
    if stream.is_signed is not None:
        note(
            f"(0028,0103) PixelRepresentation is {stored.pixel_representation}, the codestream is "
            f"{'signed' if stream.is_signed else 'without sign'}; its bits were taken as the "
            "header says"
        )
    return values


def on_the_same_bits(pixels: Samples, bits: int, is_signed: bool) -> Samples:
    """Return what the lowest bits of samples mean with a sign, or without one."""
    size = pixels.dtype.itemsize * 8
    words = pixels.view(f"{'ui'[is_signed]}{pixels.dtype.itemsize}")
    values: Samples = np.left_shift(words, size - bits)
    return np.right_shift(values, size - bits, out=values)


def is_certain(values: Samples, bits: int, stored: PixelModule) -> bool:
    """Tell whether samples of `bits` bits cannot mean other values.

    Whole words have their sign in the highest bit, as native ones, whatever Bits Stored is.
    """
    low, high = stored.stored_range
    is_within = low <= int(values.min()) and int(values.max()) <= high
    return bits == stored.bits_stored or (bits == stored.bits_allocated and is_within)


def with_bits(
    values: Samples, stream: Codestream, stored: PixelModule, is_lossy: bool
) -> PixelModule:
    """Return the description of values, which have as many bits as the header says.

    A lossy codestream that has more may go beyond them; its values stay, and have its bits then.

    Raises
    ------
    ValueError
        Values of a lossless one do not fit.
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
            f"BitsStored is {stored.bits_stored}: which is right is not known"
        )
    note(
        f"(0028,0101) BitsStored is {stored.bits_stored}, the codestream has {bits} bits, and "
        f"values from {smallest} to {largest}; they were kept"
    )
    return replace(stored, bits_stored=bits, high_bit=bits - 1)
