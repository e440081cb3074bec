"""imagecodecs: a decoding plugin of pydicom, one small function per codec, and web images.

pydicom's plugin contract is three names in a module: `is_available`, `DECODER_DEPENDENCIES` and a
function ``(src, runner) -> buffer``. Its runner carries the header's description; a function that
gives pixels of another description says so there. Each codec's shared library is imported with
the first frame that needs it.
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
from pydicom.pixels.decoders.base import _PIXEL_DATA_DECODERS, Decoder, DecodeRunner
from pydicom.uid import UID

from pyloader.dicom.syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    HTJ2K_PRIVATE,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
    name_of,
)
from pyloader.errors import DecodeError
from pyloader.image import Codestream, PixelModule
from pyloader.pixels.agreement import (
    HALF_CHROMA,
    read_jpeg_2000_stream,
    read_jpeg_stream,
    read_jpeg_xl_stream,
    read_plain,
)
from pyloader.pixels.color import TRANSFORMED
from pyloader.pixels.jpeg import is_lossless, read_jpeg
from pyloader.pixels.jpeg_2000 import bare
from pyloader.pixels.jpeg_data import check_whole
from pyloader.pixels.rle import rle_samples

PLUGIN = "imagecodecs"
# OpenJPEG is exact up to here.
JPEG_2000_BITS = 24
Pixels = NDArray[Any]


def decode_jpeg(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG of 8 to 12 bits, sequential and progressive, and lossless (ISO 10918-1).

    Full-range YCbCr becomes RGB here, in libjpeg, which interpolates half chroma.
    """
    header = read_jpeg(src)
    is_ybr = runner.samples_per_pixel == 3 and not is_lossless(header) and is_color(runner, "YBR")
    coded = None if runner.samples_per_pixel == 1 else "YCBCR" if is_ybr else "RGB"
    is_rgb = not (is_ybr and is_color(runner, "YBR_PARTIAL"))
    given = "RGB" if coded and is_rgb else coded

    def decode(frame: bytes) -> Pixels:
        return imagecodecs.jpeg8_decode(frame, colorspace=coded, outcolorspace=given)

    pixels = decode(src)
    check_whole(src, header, pixels, decode)
    if is_ybr and is_rgb:
        runner.set_option("photometric_interpretation", "RGB")
    return pixels


def is_color(runner: DecodeRunner, start: str) -> bool:
    """Tell whether the photometric interpretation of the coded samples begins so."""
    return runner.photometric_interpretation.startswith(start)


def decode_jpeg_ls(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG-LS, lossless or near-lossless (ISO 14495-1)."""
    return imagecodecs.jpegls_decode(src)


def decode_jpeg_2000(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG 2000 part 1 (ISO 15444-1).

    Colours that were transformed are RGB then, and so are those with half chroma, which imagecodecs
    widens and converts.
    """
    if runner.get_option("codestream_bits", 0) > JPEG_2000_BITS:
        raise ValueError(
            f"JPEG 2000 of {runner.get_option('codestream_bits')} bits is not decoded exactly; "
            f"{JPEG_2000_BITS} are supported"
        )
    return as_rgb_transformed(imagecodecs.jpeg2k_decode(bare(src)), runner)


def decode_htj2k(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode high-throughput JPEG 2000 (ISO 15444-15)."""
    if runner.photometric_interpretation == HALF_CHROMA:
        raise ValueError("high-throughput JPEG 2000 with half chroma is not supported")
    with raising_what_is_ignored():
        pixels = imagecodecs.htj2k_decode(src, planar=False)
    return as_rgb_transformed(pixels, runner)


def decode_jpeg_xl(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG XL (ISO 18181-1), also of what was JPEG; colours are RGB.

    An orientation of its own does not count: the header says how rows and columns lie.
    """
    pixels = imagecodecs.jpegxl_decode(src, keeporientation=True)
    if pixels.dtype.kind == "f":
        raise ValueError("JPEG XL of floating point samples; integers are supported")
    return pixels


@contextmanager
def raising_what_is_ignored() -> Iterator[None]:
    """Raise what a codec's own code could only report, when it has gone on with half an image."""
    ignored: list[BaseException | None] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda report: ignored.append(report.exc_value)
    try:
        yield
    finally:
        sys.unraisablehook = hook
    if ignored:
        raise ValueError(f"the codestream is damaged: {ignored[0]}") from ignored[0]


def as_rgb_transformed(pixels: Pixels, runner: DecodeRunner) -> Pixels:
    """Say that YBR_RCT and YBR_ICT were undone by the decoder (PS3.3 C.7.6.3.1.2)."""
    if runner.photometric_interpretation in (*TRANSFORMED, HALF_CHROMA):
        runner.set_option("photometric_interpretation", "RGB")
    return pixels


def decode_rle(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode RLE Lossless (PS3.5 G)."""
    shape = (runner.rows, runner.columns, runner.samples_per_pixel)
    return rle_samples(src, shape, runner.get_option("codestream_bits"), unpack_bytes)


def unpack_bytes(segment: bytes) -> bytes:
    """Return the bytes of a segment of RLE, and of its padding, as runs or literals (PS3.5 G.3)."""
    try:
        return bytes(imagecodecs.packbits_decode(segment))
    except RuntimeError:
        # Padding may look like a run without its byte.
        return bytes(imagecodecs.packbits_decode(segment[:-1]))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (rows, columns), or (rows, columns, 3 or 4), as PNG (ISO 15948)."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))


class Codec(NamedTuple):
    """How frames of a transfer syntax are decoded, and what they say of themselves."""

    decode: Callable[[bytes, DecodeRunner], Pixels]
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
DECODER_DEPENDENCIES = dict.fromkeys(CODECS, ("imagecodecs",))


def is_available(syntax: str) -> bool:
    """Tell pydicom whether `syntax` is decoded here."""
    return syntax in CODECS


def decode_frame(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode one frame; pydicom calls this.

    Raises
    ------
    ValueError
        The codestream holds another size than the header says. pydicom copies what it gets into
        the frame, and a single value would be spread over all of it.
    """
    # pydicom changes it by rules of its own; here it has been decided before.
    runner.set_option("photometric_interpretation", runner.get_option("coded_photometric"))
    pixels = CODECS[runner.transfer_syntax].decode(src, runner)
    expected = (runner.rows, runner.columns, runner.samples_per_pixel)
    if (*pixels.shape, 1)[:3] != expected:
        raise ValueError(
            f"the codestream holds {(*pixels.shape, 1)[:3]} (rows, columns, samples), "
            f"the header says {expected}"
        )
    if pixels.dtype.itemsize * 8 > runner.bits_allocated:
        raise ValueError(
            f"the codestream has samples of {pixels.dtype.itemsize * 8} bits, the header says "
            f"{runner.bits_allocated}"
        )
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    return np.ascontiguousarray(pixels).reshape(-1)


def has_codec(name: str) -> bool:
    """Tell whether imagecodecs was built with a codec, such as ``"gif"``."""
    return bool(getattr(imagecodecs, name.upper()).available)


def decode_picture(name: str, body: bytes, *, is_rgba: bool = False) -> Pixels:
    """Decode a web image.

    Parameters
    ----------
    name : str
        Of the codec: ``"png"``, ``"jpeg8"``, ``"webp"``, ``"bmp"``, ``"gif"``, ``"avif"``.
    is_rgba : bool
        With alpha in every case, for codecs that decide by themselves.

    Returns
    -------
    (rows, columns) or (rows, columns, samples) array
        Of several frames of GIF and AVIF, with an axis before them.

    Raises
    ------
    DecodeError
    """
    options = {"hasalpha": True} if is_rgba else {}
    try:
        pixels: Pixels = getattr(imagecodecs, f"{name}_decode")(body, **options)
    except (RuntimeError, ValueError, IndexError, MemoryError) as error:
        raise DecodeError(
            f"the {name} codec failed on {len(body)} bytes: {error}; the file may be damaged"
        ) from error
    return pixels


def supported_syntaxes() -> list[str]:
    """Return ``name (UID)`` of every transfer syntax that is decoded, in the order of UIDs."""
    known = {UID(key) for key, (decoder, _) in _PIXEL_DATA_DECODERS.items() if decoder.is_available}
    return [
        name_of(key) for key in sorted(known | {ENCAPSULATED_UNCOMPRESSED, DEFLATED_IMAGE_FRAME})
    ]


def register() -> None:
    """Add the plugin to pydicom's decoders, and decoders of what pydicom has none for."""
    for syntax in map(UID, CODECS):
        if syntax not in _PIXEL_DATA_DECODERS:
            named = HTJ2K_PRIVATE if syntax == HTJ2K_PRIVATE else syntax
            _PIXEL_DATA_DECODERS[syntax] = (Decoder(named), "pyloader")
        decoder = _PIXEL_DATA_DECODERS[syntax][0]
        if PLUGIN not in decoder.available_plugins:
            decoder.add_plugin(PLUGIN, ("pyloader.pixels.codecs", "decode_frame"))


register()
