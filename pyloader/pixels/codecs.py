"""imagecodecs: one small function per codec of DICOM, and web images.

Each function takes a frame and its `Codestream` header, and returns samples and their photometric
interpretation. A codec's shared library is imported with the first frame that needs it. Pydicom's
decoder plugins copy frame and pixels, which took 0.7 ms longer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    HTJ2K_PRIVATE,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
    NATIVE,
    name_of,
)
from pyloader.errors import DecodeError
from pyloader.image import Codestream, PixelModule
from pyloader.pixels.codestream.consistency import (
    HALF_CHROMA,
    read_jpeg_2000_stream,
    read_jpeg_stream,
    read_jpeg_xl_stream,
    read_plain,
)
from pyloader.pixels.codestream.jpeg import is_lossless, read_jpeg
from pyloader.pixels.codestream.jpeg_2000 import without_boxes
from pyloader.pixels.codestream.jpeg_truncation import check_whole
from pyloader.pixels.color import TRANSFORMED
from pyloader.pixels.rle import rle_samples
from pyloader.pixels.samples import CONTAINERS

# OpenJPEG decodes exactly up to this many bits.
JPEG_2000_BITS = 24
Pixels = NDArray[Any]
Decoded = tuple[Pixels, str]
"""Samples, (rows, columns) or (rows, columns, 3), and their photometric interpretation."""


def decode_jpeg(frame: bytes, stream: Codestream) -> Decoded:
    """Decode JPEG of 8 to 12 bits, sequential and progressive, and lossless (ISO 10918-1).

    libjpeg converts full-range YCbCr to RGB, and interpolates half chroma.
    """
    header, photometric = read_jpeg(frame), stream.photometric_interpretation
    is_grey = stream.samples_per_pixel == 1
    is_ybr = not is_grey and not is_lossless(header) and photometric.startswith("YBR")
    coded = None if is_grey else "YCBCR" if is_ybr else "RGB"
    is_rgb = not (is_ybr and photometric.startswith("YBR_PARTIAL"))
    output = "RGB" if coded and is_rgb else coded

    def decode(frame: bytes) -> Pixels:
        return imagecodecs.jpeg8_decode(frame, colorspace=coded, outcolorspace=output)

    pixels = decode(frame)
    check_whole(frame, header, pixels, decode)
    return pixels, "RGB" if is_ybr and is_rgb else photometric


def decode_jpeg_ls(frame: bytes, stream: Codestream) -> Decoded:
    """Decode JPEG-LS, lossless or near-lossless (ISO 14495-1)."""
    return imagecodecs.jpegls_decode(frame), stream.photometric_interpretation


def decode_jpeg_2000(frame: bytes, stream: Codestream) -> Decoded:
    """Decode JPEG 2000 part 1 (ISO 15444-1).

    The decoder undoes the component transformation, so transformed colours become RGB.
    Imagecodecs upsamples half chroma and converts it to RGB.
    """
    if (stream.bits or 0) > JPEG_2000_BITS:
        raise ValueError(
            f"JPEG 2000 of {stream.bits} bits cannot be decoded exactly; at most {JPEG_2000_BITS} "
            "are supported"
        )
    return imagecodecs.jpeg2k_decode(without_boxes(frame)), decoded_photometric(stream)


def decode_htj2k(frame: bytes, stream: Codestream) -> Decoded:
    """Decode high-throughput JPEG 2000 (ISO 15444-15)."""
    if stream.photometric_interpretation == HALF_CHROMA:
        raise ValueError("high-throughput JPEG 2000 with half chroma is not supported")
    with raising_ignored_errors():
        pixels = imagecodecs.htj2k_decode(frame, planar=False)
    return pixels, decoded_photometric(stream)


def decode_jpeg_xl(frame: bytes, stream: Codestream) -> Decoded:
    """Decode JPEG XL (ISO 18181-1), recompressed JPEG included; colours are RGB.

    The codestream's own orientation is ignored: the DICOM header says how rows and columns lie.
    """
    pixels = imagecodecs.jpegxl_decode(frame, keeporientation=True)
    if pixels.dtype.kind == "f":
        raise ValueError("JPEG XL has floating-point samples; only integers are supported")
    return pixels, stream.photometric_interpretation


@contextmanager
def raising_ignored_errors() -> Iterator[None]:
    """Raise an exception that a codec could only report while it went on with half an image."""
    ignored: list[BaseException | None] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda report: ignored.append(report.exc_value)
    try:
        yield
    finally:
        sys.unraisablehook = hook
    if ignored:
        raise ValueError(f"the codestream is damaged: {ignored[0]}") from ignored[0]


def decoded_photometric(stream: Codestream) -> str:
    """Return the decoder's output: it undoes YBR_RCT and YBR_ICT (PS3.3 C.7.6.3.1.2)."""
    photometric = stream.photometric_interpretation
    return "RGB" if photometric in (*TRANSFORMED, HALF_CHROMA) else photometric


def decode_rle(frame: bytes, stream: Codestream) -> Decoded:
    """Decode RLE Lossless (PS3.5 G)."""
    shape = (stream.rows, stream.columns, stream.samples_per_pixel)
    pixels = rle_samples(frame, shape, stream.bits or 0, unpack_bytes)
    return pixels, stream.photometric_interpretation


def unpack_bytes(segment: bytes) -> bytes:
    """Expand the runs and literals of an RLE segment and of its padding (PS3.5 G.3)."""
    try:
        return bytes(imagecodecs.packbits_decode(segment))
    except RuntimeError:
        # Padding may look like a run without its byte.
        return bytes(imagecodecs.packbits_decode(segment[:-1]))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (rows, columns), or (rows, columns, 3 or 4), as PNG (ISO 15948)."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))


class Codec(NamedTuple):
    """The decoder of a transfer syntax, and the reader of its codestream headers."""

    decode: Callable[[bytes, Codestream], Decoded]
    read: Callable[[bytes, UID, PixelModule], Codestream]


JPEG = Codec(decode_jpeg, read_jpeg_stream)
JPEG_LS = Codec(decode_jpeg_ls, read_jpeg_stream)
JPEG_2000 = Codec(decode_jpeg_2000, read_jpeg_2000_stream)
HIGH_THROUGHPUT = Codec(decode_htj2k, read_jpeg_2000_stream)
XL = Codec(decode_jpeg_xl, read_jpeg_xl_stream)
RLE = Codec(decode_rle, read_plain)
CODECS: dict[str, Codec] = {
    uid.JPEGBaseline8Bit: JPEG,
    uid.JPEGExtended12Bit: JPEG,
    JPEG_SPECTRAL: JPEG,
    JPEG_PROGRESSIVE: JPEG,
    uid.JPEGLossless: JPEG,
    uid.JPEGLosslessSV1: JPEG,
    uid.JPEGLSLossless: JPEG_LS,
    uid.JPEGLSNearLossless: JPEG_LS,
    uid.JPEG2000Lossless: JPEG_2000,
    uid.JPEG2000: JPEG_2000,
    JPEG_XL_LOSSLESS: XL,
    JPEG_XL_RECOMPRESSION: XL,
    JPEG_XL: XL,
    uid.HTJ2KLossless: HIGH_THROUGHPUT,
    uid.HTJ2KLosslessRPCL: HIGH_THROUGHPUT,
    uid.HTJ2K: HIGH_THROUGHPUT,
    uid.RLELossless: RLE,
    HTJ2K_PRIVATE: HIGH_THROUGHPUT,
}


def decode_samples(frame: bytes, syntax: UID, stream: Codestream, stored: PixelModule) -> Decoded:
    """Decode one frame.

    Parameters
    ----------
    stream : Codestream
        The frame's own header.
    stored : PixelModule
        The description in the DICOM header.

    Returns
    -------
    (rows, columns) or (rows, columns, samples) integer array
        Signed if the codestream's samples are.
    str
        Their photometric interpretation.

    Raises
    ------
    ValueError
        The pixels have another size than the codestream's header says, or larger samples than the
        DICOM header says.
    """
    pixels, photometric = CODECS[syntax].decode(frame, stream)
    expected = (stream.rows, stream.columns, stream.samples_per_pixel)
    if (*pixels.shape, 1)[:3] != expected:
        raise ValueError(
            f"the codestream holds {(*pixels.shape, 1)[:3]} (rows, columns, samples), "
            f"the header says {expected}"
        )
    allowed = CONTAINERS[-(-(stream.bits or stored.bits_allocated) // 8)]
    if pixels.dtype.itemsize > allowed:
        raise ValueError(
            f"the codestream has samples of {pixels.dtype.itemsize * 8} bits, the header says "
            f"{allowed * 8}"
        )
    shape = expected if stream.samples_per_pixel > 1 else expected[:2]
    kind = f"{'ui'[bool(stream.is_signed)]}{pixels.dtype.itemsize}"
    return np.ascontiguousarray(pixels).reshape(shape).view(kind), photometric


def has_codec(name: str) -> bool:
    """Tell whether imagecodecs was built with a codec, such as ``"gif"``."""
    return bool(getattr(imagecodecs, name.upper()).available)


def decode_picture(name: str, body: bytes, *, is_rgba: bool = False) -> Pixels:
    """Decode a web image.

    Parameters
    ----------
    name : str
        Name of the codec: ``"png"``, ``"jpeg8"``, ``"webp"``, ``"gif"``, ``"avif"``.
    is_rgba : bool
        Always return alpha, from codecs that otherwise decide by themselves.

    Returns
    -------
    (rows, columns) or (rows, columns, samples) array
        GIF and AVIF of several frames have a frame axis in front.

    Raises
    ------
    DecodeError
        The codec failed.
    """
    options = {"hasalpha": True} if is_rgba else {}
    try:
        pixels: Pixels = getattr(imagecodecs, f"{name}_decode")(body, **options)
    except (RuntimeError, ValueError, IndexError, MemoryError) as error:
        raise DecodeError(
            f"the {name} codec failed on {len(body)} bytes: {error}; the file may be damaged"
        ) from error
    return pixels


def inflate_gzip(packed: bytes, room: NDArray[np.uint8]) -> bool:
    """Inflate a gzip member (RFC 1952) into `room`, and check its checksum.

    Returns
    -------
    bool
        False when the member is damaged, or does not fill `room` exactly; discard `room` then.
    """
    try:
        return len(imagecodecs.gzip_decode(packed, out=room.data)) == room.size
    except (ValueError, imagecodecs.GzipError):
        return False


def supported_syntaxes() -> list[str]:
    """Return ``name (UID)`` of every transfer syntax that can be decoded.

    The standard's come first, then private ones, each sorted by UID.
    """
    others = {*NATIVE, ENCAPSULATED_UNCOMPRESSED, DEFLATED_IMAGE_FRAME}
    known = {UID(key) for key in CODECS} | others
    return [name_of(key) for key in sorted(known, key=lambda uid: (uid.is_private, uid))]
