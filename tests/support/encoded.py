"""Encoded frames, and files of them that may say something else: shared by the fidelity tests."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from struct import pack
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import PIL.Image
from pydicom import uid
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
)

from pyloader.dicom.parse import parse_part10
from pyloader.image import Image
from pyloader.loaders.instance_source import make_image
from tests.support import builders

GREY8, GREY12 = builders.ramp(40, 48, 8), builders.ramp(40, 48, 12)
GREY16, SIGNED = builders.ramp(40, 48, 16), builders.ramp(40, 48, 16, signed=True)
SIGNED12 = builders.ramp(40, 48, 12, signed=True)
RGB = builders.color(40, 48)
YBR = convert_color_space(RGB, "RGB", "YBR_FULL")
BITS = (GREY8 > 99).astype("u1")[:, :45]  # 1800 bits: a whole number of bytes, but not of words


def loaded(
    frames: bytes | Sequence[bytes],
    like: np.ndarray,
    syntax: str,
    index: int = 0,
    **attributes: Any,
) -> Image:
    """Load a frame of a file of encoded frames; `like` is one frame decoded."""
    frames = [frames] if isinstance(frames, bytes) else frames
    body = builders.encapsulated(frames, like, syntax, **attributes)
    return make_image(parse_part10(body), index)


def jpeg(pixels: np.ndarray, **options: Any) -> bytes:
    """Encode baseline or progressive JPEG with Pillow: YCbCr with a JFIF marker."""
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def pillow(frame: bytes) -> np.ndarray:
    """Decode JPEG with Pillow."""
    return np.asarray(PIL.Image.open(io.BytesIO(frame)).convert("RGB"))


def without_segment(frame: bytes, marker: int) -> bytes:
    """Return a JPEG without its first segment of a marker."""
    start = frame.index(bytes([0xFF, marker]))
    length = int.from_bytes(frame[start + 2 : start + 4])
    return frame[:start] + frame[start + 2 + length :]


def difference(image: Image, expected: np.ndarray) -> int:
    """Return the largest difference."""
    assert image.pixels.shape == expected.shape
    return int(np.abs(image.pixels.astype("i8") - expected.astype("i8")).max())


def packed(pixels: np.ndarray) -> bytes:
    """Return a frame as it is native, in little endian."""
    return pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def deflated(frame: bytes) -> bytes:
    """Return a frame as raw deflate."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(frame) + deflater.flush()


def jpeg_ls_of(pixels: np.ndarray, bits: int, near: int = 0) -> bytes:
    """Encode with pyjpegls."""
    rows, columns = pixels.shape
    return bytes(jpeg_ls.encode_buffer(packed(pixels), rows, columns, 1, bits, near))


def transformed(encode: str, is_on: bool = True, pixels: np.ndarray = RGB) -> tuple[bytes, UID]:
    """Encode colour without loss, with or without the component transformation."""
    if encode == "htj2k":
        options = {"rgb": is_on}
        return imagecodecs.htj2k_encode(pixels, reversible=True, **options), uid.HTJ2KLossless
    frame = imagecodecs.jpeg2k_encode(pixels, codecformat="J2K", reversible=True, mct=is_on)
    return frame, uid.JPEG2000Lossless


def relabelled(body: bytes, syntax: str) -> bytes:
    """Return a file whose meta header names another transfer syntax."""
    return meta(syntax) + builders.bare(body)


def meta(syntax: str) -> bytes:
    """Return preamble, prefix and meta header."""
    body = builders.native(np.zeros((1, 1), "u2"), ExplicitVRLittleEndian)
    prefix = body[: len(body) - len(builders.bare(body))]
    element = b"\x02\x00\x10\x00UI"
    place = prefix.index(element)
    old = int.from_bytes(prefix[place + 6 : place + 8], "little")
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    length = int.from_bytes(prefix[140:144], "little") + len(value) - old
    changed = prefix[:place] + element + pack("<H", len(value)) + value
    changed += prefix[place + 8 + old :]
    return changed[:140] + pack("<L", length) + changed[144:]
