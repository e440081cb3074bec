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
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.pixels.decoders.base import _PIXEL_DATA_DECODERS, DecodeRunner

from pyloader.errors import DecodeError

PLUGIN = "imagecodecs"
Pixels = NDArray[Any]


def decode_jpeg(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG baseline, extended (8 and 12 bit) and lossless (ISO 10918-1).

    Colour becomes RGB here, in libjpeg. What the samples are is told by the Adobe marker when
    there is one; otherwise by the JFIF marker, the component ids and the header, in pydicom.
    """
    if runner.samples_per_pixel == 1:
        return imagecodecs.jpeg8_decode(src)
    lossless = runner.transfer_syntax in (uid.JPEGLossless, uid.JPEGLosslessSV1)
    is_rgb = lossless or runner.photometric_interpretation == "RGB"
    space = None if has_adobe_marker(src) else ("RGB" if is_rgb else "YCBCR")
    if lossless:
        # Lossless processes code the samples as they are; pydicom turns YBR to RGB afterwards.
        return imagecodecs.jpeg8_decode(src, colorspace="RGB", outcolorspace="RGB")
    pixels = imagecodecs.jpeg8_decode(src, colorspace=space, outcolorspace="RGB")
    runner.set_option("photometric_interpretation", "RGB")
    return pixels


def has_adobe_marker(src: bytes) -> bool:
    """Tell whether an APP14 Adobe segment, which names the colour transform, is in the header."""
    return b"\xff\xee\x00\x0eAdobe" in src[:4096]


def decode_jpeg_ls(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG-LS, lossless or near-lossless (ISO 14495-1)."""
    return imagecodecs.jpegls_decode(src)


def decode_jpeg_2000(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode JPEG 2000 part 1 (ISO 15444-1); the multiple component transform gives RGB."""
    return as_rgb_transformed(imagecodecs.jpeg2k_decode(src), runner)


def decode_htj2k(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode high-throughput JPEG 2000 (ISO 15444-15)."""
    with raising_what_is_ignored():
        pixels = imagecodecs.htj2k_decode(src)
    return as_rgb_transformed(pixels, runner)


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
    if runner.photometric_interpretation in ("YBR_RCT", "YBR_ICT"):
        runner.set_option("photometric_interpretation", "RGB")
    return pixels


def decode_rle(src: bytes, runner: DecodeRunner) -> Pixels:
    """Decode RLE Lossless (PS3.5 G), any number of samples and bytes a sample."""
    dtype = np.dtype(f"u{runner.bits_allocated // 8}")
    samples = runner.samples_per_pixel
    shape = (
        (runner.rows, runner.columns) if samples == 1 else (samples, runner.rows, runner.columns)
    )
    decoded = imagecodecs.dicomrle_decode(src, dtype)
    pixels = np.frombuffer(decoded, dtype).reshape(shape)
    if samples > 1:
        pixels = pixels.transpose(1, 2, 0)
    return pixels


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (rows, columns), or (rows, columns, 3 or 4), as PNG (ISO 15948)."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))


Codec = Callable[[bytes, DecodeRunner], Pixels]
CODECS: dict[str, Codec] = {
    uid.JPEGBaseline8Bit: decode_jpeg,
    uid.JPEGExtended12Bit: decode_jpeg,
    uid.JPEGLossless: decode_jpeg,
    uid.JPEGLosslessSV1: decode_jpeg,
    uid.JPEGLSLossless: decode_jpeg_ls,
    uid.JPEGLSNearLossless: decode_jpeg_ls,
    uid.JPEG2000Lossless: decode_jpeg_2000,
    uid.JPEG2000: decode_jpeg_2000,
    uid.HTJ2KLossless: decode_htj2k,
    uid.HTJ2KLosslessRPCL: decode_htj2k,
    uid.HTJ2K: decode_htj2k,
    uid.RLELossless: decode_rle,
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
    pixels = CODECS[runner.transfer_syntax](src, runner)
    expected = (runner.rows, runner.columns, runner.samples_per_pixel)
    if (*pixels.shape, 1)[:3] != expected:
        raise ValueError(
            f"the codestream holds {(*pixels.shape, 1)[:3]} (rows, columns, samples), "
            f"the header says {expected}"
        )
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    if pixels.ndim == 3:
        runner.set_option("planar_configuration", 0)
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
    known = sorted(
        key for key, (decoder, _) in _PIXEL_DATA_DECODERS.items() if decoder.is_available
    )
    return [f"{uid.UID(key).name} ({key})" for key in known]


def register() -> None:
    """Add the plugin to pydicom's decoders."""
    for syntax in CODECS:
        decoder = _PIXEL_DATA_DECODERS[uid.UID(syntax)][0]
        if PLUGIN not in decoder.available_plugins:
            decoder.add_plugin(PLUGIN, ("pyloader.pixels.codecs", "decode_frame"))


register()
