"""Rows of JPEG-LS (ISO 14495-1)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import imagecodecs
import jpeg_ls
import numpy as np
from pydicom.uid import JPEGLSLossless, JPEGLSNearLossless

from tests.support.reference import images
from tests.support.reference.images import Pixels
from tests.support.reference.jpeg_rows import make_color, make_jpeg
from tests.support.reference.row import Row
from tests.support.reference.transcoded import transcoded

# (bits stored, bits allocated, signed, frames)
GREY = [
    (2, 8, False, 1),
    (8, 8, False, 3),
    (8, 8, True, 1),
    (10, 16, False, 1),
    (12, 16, False, 2),
    (12, 16, True, 1),
    (16, 16, False, 1),
    (16, 16, True, 2),
]
# Both are of the house of CharLS, which pyloader uses; the third is Thomas Richter's.
DECODERS = ("pylibjpeg", "pyjpegls")
INTERLEAVE = {0: "planes", 1: "lines", 2: "samples"}


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for form in GREY:
        yield grey(form, near=0)
    for form in ((8, 8, False, 2), (12, 16, False, 1), (12, 16, True, 1), (16, 16, True, 1)):
        for near in (1, 3):
            yield grey(form, near)
    for mode in INTERLEAVE:
        for near in (0, 2):
            yield rgb(mode, near)
    yield rgb_of_16_bits()
    encode = partial(jpeg_ls.encode_array, interleave_mode=1)
    make = partial(make_color, JPEGLSLossless, encode, "YBR_FULL")
    yield Row("jpeg_ls-ybr_full-lines", JPEGLSLossless, "CharLS (pyjpegls)", make, DECODERS, 1, 1)
    yield from gdcm_rows()


def unsigned(frame: Pixels, stored: int) -> Pixels:
    """Return the bits stored, as JPEG-LS codes them; it knows no sign."""
    return frame.view(f"u{frame.dtype.itemsize}") & ((1 << stored) - 1)


def grey(form: tuple[int, int, bool, int], near: int) -> Row:
    """Return the row of grey values; `near` is the largest loss, 0 for none."""
    stored, allocated, signed, frames = form
    syntax = JPEGLSNearLossless if near else JPEGLSLossless

    def pixels() -> Pixels:
        # The codec knows no sign: a loss at -1 could carry it over to the largest value.
        values = images.grey(stored, allocated, signed=signed, frames=frames)
        return values // 2 if near and signed else values

    def encode(frame: Pixels) -> bytes:
        return bytes(jpeg_ls.encode_array(unsigned(frame, stored), lossy_error=near))

    make = partial(make_jpeg, syntax, pixels, encode, BitsStored=stored)
    kind = f"jpeg_ls_near_{near}" if near else "jpeg_ls"
    title = f"{kind}-{'s' if signed else 'u'}{stored}of{allocated}-{frames}f"
    return Row(title, syntax, "CharLS (pyjpegls)", make, DECODERS, 0, near)


def rgb(mode: int, near: int) -> Row:
    """Return the row of RGB frames, interleaved in one of three ways."""
    syntax = JPEGLSNearLossless if near else JPEGLSLossless

    def encode(frame: Pixels) -> bytes:
        planes = np.ascontiguousarray(frame.transpose(2, 0, 1)) if mode == 0 else frame
        return bytes(jpeg_ls.encode_array(planes, lossy_error=near, interleave_mode=mode))

    make = partial(
        make_jpeg,
        syntax,
        partial(images.color, 8, frames=2),
        encode,
        PlanarConfiguration=int(mode == 0),
    )
    kind = f"jpeg_ls_near_{near}" if near else "jpeg_ls"
    title = f"{kind}-rgb-{INTERLEAVE[mode]}-2f"
    return Row(title, syntax, "CharLS (pyjpegls)", make, DECODERS, 0, near)


def rgb_of_16_bits() -> Row:
    """Return the row of RGB of 16 bits."""
    make = partial(make_jpeg, JPEGLSLossless, partial(images.color, 16), imagecodecs.jpegls_encode)
    return Row("jpeg_ls-rgb-u16of16", JPEGLSLossless, "CharLS (imagecodecs)", make, DECODERS)


def gdcm_rows() -> Iterator[Row]:
    """Yield rows that GDCM has encoded."""
    for stored, allocated, signed in ((8, 8, False), (12, 16, False), (16, 16, True)):
        values = partial(images.grey, stored, allocated, signed=signed, frames=2)
        make = partial(transcoded, values, "JPEGLSLossless", BitsStored=stored)
        title = f"jpeg_ls-gdcm-{'s' if signed else 'u'}{stored}of{allocated}-2f"
        yield Row(title, JPEGLSLossless, "GDCM", make, ("gdcm", "pylibjpeg"))
