"""Rows of the JPEG processes (ISO 10918-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

import imagecodecs
import PIL.Image
from pydicom.uid import (
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
)

from tests.support.reference import colour, images, jpeg_writer
from tests.support.reference.images import Pixels
from tests.support.reference.jpeg_writer import Lossless
from tests.support.reference.row import Made, Row, attributes_of, with_frames
from tests.support.reference.transcoded import transcoded

SPECTRAL = "1.2.840.10008.1.2.4.53"
PROGRESSIVE = "1.2.840.10008.1.2.4.55"
OURS = "tests/support/reference/jpeg_writer.py"
Encode = Callable[[Pixels], bytes]


def rows() -> Iterator[Row]:
    """Yield the rows."""
    yield from baseline_rows()
    yield from dct_rows()
    yield from lossless_rows()
    yield from lossless_color_rows()
    yield from gdcm_rows()


def make_jpeg(syntax: str, pixels: Callable[[], Pixels], encode: Encode, **attributes: Any) -> Made:
    """Make a file of frames that are encoded one by one."""
    values = pixels()
    dataset = attributes_of(values, **attributes)
    return Made(with_frames(dataset, [encode(frame) for frame in values], syntax), values)


# ------------------------------------------------------------------ baseline

# Two decoders may round the inverse transform and the colour equations differently, each by 1.
COLOR_BOUND = 3


def saved(frame: Pixels, **options: Any) -> bytes:
    """Encode with Pillow."""
    stream = BytesIO()
    PIL.Image.fromarray(frame).save(stream, "JPEG", **options)
    return stream.getvalue()


def baseline_rows() -> Iterator[Row]:
    """Yield rows of 8 bits with losses: grey, YBR with and without subsampling, RGB."""
    for frames in (1, 3):
        values = partial(images.smooth, 8, frames=frames)
        make = partial(make_jpeg, JPEGBaseline8Bit, values, partial(saved, quality=95))
        title = f"jpeg_baseline-u8of8-{frames}f"
        yield Row(title, JPEGBaseline8Bit, "Pillow", make, ("gdcm", "pylibjpeg"), 1, 6)
    values = partial(images.smooth, 8)
    make = partial(
        make_jpeg,
        JPEGBaseline8Bit,
        values,
        partial(saved, quality=95),
        PhotometricInterpretation="MONOCHROME1",
    )
    yield Row(
        "jpeg_baseline-mono1-u8of8", JPEGBaseline8Bit, "Pillow", make, ("gdcm", "pylibjpeg"), 1, 6
    )
    make = partial(
        make_jpeg, JPEGBaseline8Bit, values, partial(saved, quality=95, restart_marker_rows=1)
    )
    yield Row(
        "jpeg_baseline-u8of8-restarts",
        JPEGBaseline8Bit,
        "Pillow",
        make,
        ("gdcm", "pylibjpeg"),
        1,
        6,
    )
    forms = [
        ("444", "YBR_FULL", "4:4:4"),
        ("422", "YBR_FULL_422", "4:2:2"),
        ("420", "YBR_FULL_422", "4:2:0"),
    ]
    for name, photometric, subsampling in forms:
        values = partial(images.smooth_color, frames=2)
        encode = partial(saved, quality=97, subsampling=subsampling)
        make = partial(
            make_jpeg, JPEGBaseline8Bit, values, encode, PhotometricInterpretation=photometric
        )
        title = f"jpeg_baseline-{photometric.lower()}-{name}-2f"
        yield Row(title, JPEGBaseline8Bit, "Pillow", make, ("pillow",), COLOR_BOUND, 14)
    values = images.smooth_color
    encode = partial(imagecodecs.jpeg8_encode, level=97, colorspace="RGB", outcolorspace="RGB")
    make = partial(make_jpeg, JPEGBaseline8Bit, values, encode)
    yield Row(
        "jpeg_baseline-rgb-adobe",
        JPEGBaseline8Bit,
        "libjpeg-turbo",
        make,
        ("pillow", "pylibjpeg"),
        1,
        6,
    )


# ------------------------------------------------------------------ other processes with losses


def dct_rows() -> Iterator[Row]:
    """Yield rows of the extended, spectral and progressive processes, 8 and 12 bits."""
    processes = {
        JPEGBaseline8Bit: ("baseline", jpeg_writer.BASELINE, lambda count: ()),
        JPEGExtended12Bit: ("extended", jpeg_writer.EXTENDED, lambda count: ()),
        SPECTRAL: ("spectral", jpeg_writer.PROGRESSIVE, jpeg_writer.spectral),
        PROGRESSIVE: ("progressive", jpeg_writer.PROGRESSIVE, jpeg_writer.full),
    }
    for syntax, (name, process, scans) in processes.items():
        for stored in (8, 12)[: 1 + (syntax != JPEGBaseline8Bit)]:
            values = partial(images.smooth, stored, frames=2, size=(37, 43))
            encode = partial(
                jpeg_writer.encode_dct, precision=stored, process=process, scans=scans(1)
            )
            make = partial(make_jpeg, syntax, values, encode, BitsStored=stored)
            title = f"jpeg_{name}-u{stored}of{8 if stored == 8 else 16}-2f"
            yield Row(title, syntax, OURS, make, ("pylibjpeg",), 1, 2)
        for photometric in ("RGB", "YBR_FULL"):
            encode = partial(jpeg_writer.encode_dct, precision=8, process=process, scans=scans(3))
            make = partial(make_color, syntax, encode, photometric)
            title = f"jpeg_{name}-{photometric.lower()}-no_marker"
            yield Row(title, syntax, OURS, make, ("pylibjpeg",), COLOR_BOUND, 4)
    yield progressive_by_pillow()


def make_color(syntax: str, encode: Encode, photometric: str, **attributes: Any) -> Made:
    """Make a file of RGB or YBR_FULL samples that are encoded as they are."""
    rgb = images.smooth_color(size=(37, 43))
    samples = colour.to_ybr(rgb) if photometric == "YBR_FULL" else rgb
    made = make_jpeg(
        syntax, lambda: samples, encode, PhotometricInterpretation=photometric, **attributes
    )
    return Made(made.body, colour.to_rgb(samples) if photometric == "YBR_FULL" else rgb)


def progressive_by_pillow() -> Row:
    """Return the row of a progressive JPEG as libjpeg writes it."""
    encode = partial(saved, quality=97, progressive=True, subsampling="4:4:4")
    make = partial(
        make_jpeg, PROGRESSIVE, images.smooth_color, encode, PhotometricInterpretation="YBR_FULL"
    )
    return Row(
        "jpeg_progressive-ybr_full-jfif", PROGRESSIVE, "Pillow", make, ("pillow",), COLOR_BOUND, 8
    )


# ------------------------------------------------------------------ lossless

# (bits stored, bits allocated, signed, frames)
LOSSLESS = [
    (2, 8, False, 1),
    (8, 8, False, 2),
    (10, 16, False, 1),
    (12, 16, False, 3),
    (12, 16, True, 1),
    (16, 16, False, 1),
    (16, 16, True, 2),
]


def lossless_rows() -> Iterator[Row]:
    """Yield rows of every predictor, of restart intervals, of 2 to 16 bits."""
    for predictor in range(1, 8):
        for restart_rows in (0, 4):
            title = f"jpeg_lossless-u12of16-predictor_{predictor}"
            title += "-restarts" * bool(restart_rows)
            yield lossless(title, (12, 16, False, 1), Lossless(predictor, restart_rows))
    for form in LOSSLESS:
        for predictor in (1, 5):
            stored, allocated, signed, frames = form
            title = f"jpeg_lossless{'_sv1' * (predictor == 1)}-{'s' if signed else 'u'}"
            title += f"{stored}of{allocated}-{frames}f"
            yield lossless(title, form, Lossless(predictor))


def lossless(title: str, form: tuple[int, int, bool, int], how: Lossless) -> Row:
    """Return the row of grey values; a signed one is coded as its bits stored."""
    stored, allocated, signed, frames = form
    syntax = JPEGLosslessSV1 if how.predictor == 1 else JPEGLossless

    def encode(frame: Pixels) -> bytes:
        unsigned = frame.view(f"u{frame.dtype.itemsize}") & ((1 << stored) - 1)
        return jpeg_writer.encode_lossless(unsigned, stored, how)

    values = partial(images.grey, stored, allocated, signed=signed, frames=frames)
    make = partial(make_jpeg, syntax, values, encode, BitsStored=stored)
    return Row(title, syntax, OURS, make, ("pylibjpeg",))


def lossless_color_rows() -> Iterator[Row]:
    """Yield rows of three samples."""
    for planar in (0, 1):
        for predictor in (1, 7):
            syntax = JPEGLosslessSV1 if predictor == 1 else JPEGLossless
            encode = partial(jpeg_writer.encode_lossless, precision=8, how=Lossless(predictor))
            values = partial(images.color, 8, frames=2)
            make = partial(make_jpeg, syntax, values, encode, PlanarConfiguration=planar)
            title = f"jpeg_lossless{'_sv1' * (predictor == 1)}-rgb-planar_{planar}-2f"
            yield Row(title, syntax, OURS, make, ("pylibjpeg",))
    encode = partial(jpeg_writer.encode_lossless, precision=8, how=Lossless(1))
    make = partial(make_color, JPEGLosslessSV1, encode, "YBR_FULL")
    yield Row("jpeg_lossless_sv1-ybr_full", JPEGLosslessSV1, OURS, make, ("pylibjpeg",), 1, 1)


# ------------------------------------------------------------------ written by GDCM


def gdcm_rows() -> Iterator[Row]:
    """Yield rows that GDCM has encoded."""
    forms = [
        ("jpeg_baseline", "JPEGBaselineProcess1", JPEGBaseline8Bit, (8, 8)),
        ("jpeg_lossless", "JPEGLosslessProcess14", JPEGLossless, (12, 16)),
        ("jpeg_lossless_sv1", "JPEGLosslessProcess14_1", JPEGLosslessSV1, (16, 16)),
    ]
    for name, process, syntax, (stored, allocated) in forms:
        lossy = syntax == JPEGBaseline8Bit
        values = (
            partial(images.smooth, stored, frames=2)
            if lossy
            else partial(images.grey, stored, allocated, frames=2)
        )
        make = partial(transcoded, values, process, BitsStored=stored)
        title = f"{name}-gdcm-u{stored}of{allocated}-2f"
        yield Row(title, syntax, "GDCM", make, ("gdcm", "pylibjpeg"), int(lossy), 8 * lossy)
