"""Web images in every format, and their pixels as an independent reader has them."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
import PIL.Image

from tests.support import bitmaps, pictures
from tests.support.bitmaps import BITFIELDS, CORE, INFO, RLE8, bmp, palette, rows_of, runs
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    noise,
    photo,
    read,
    saved,
    tiff,
)

GREY16 = noise(ROWS, COLUMNS, dtype="u2")
QUANTISED = PIL.Image.fromarray(photo()).quantize(200)
LINES = noise(ROWS, COLUMNS) > 99


def run_length() -> bytes:
    """Return a BMP in runs."""
    indices = noise(bitmaps.ROWS, bitmaps.COLUMNS)
    return bmp(INFO, 8, runs(indices), palette=palette(256), compression=RLE8)


# Name -> file, and the pixels that an independent reader has of it.
EXACT: dict[str, tuple[bytes, np.ndarray]] = {
    "grey.png": (saved(photo()[..., 0], "PNG"), photo()[..., 0]),
    "grey16.png": (saved(GREY16, "PNG"), GREY16),
    "rgb.png": (saved(photo(), "PNG"), photo()),
    "rgba.png": (saved(noise(ROWS, COLUMNS, 4), "PNG"), noise(ROWS, COLUMNS, 4)),
    "palette.png": (saved(QUANTISED, "PNG"), np.asarray(QUANTISED.convert("RGB"))),
    "lossless.webp": (saved(photo(), "WEBP", lossless=True), photo()),
    "alpha.webp": (
        saved(noise(ROWS, COLUMNS, 4), "WEBP", lossless=True, exact=True),
        noise(ROWS, COLUMNS, 4),
    ),
    "rgb.bmp": (saved(photo(), "BMP"), photo()),
    "still.gif": (saved(QUANTISED, "GIF"), np.asarray(QUANTISED.convert("RGB"))),
    "grey.avif": (imagecodecs.avif_encode(noise(ROWS, COLUMNS), level=100), noise(ROWS, COLUMNS)),
    "rgb.avif": (imagecodecs.avif_encode(photo(), level=100, pixelformat="444"), photo()),
    "grey16.tiff": (tiff(GREY16, compression="zlib", predictor=True), GREY16),
    "signed.tiff": (tiff(GREY16.view("i2"), byteorder=">"), GREY16.view("i2")),
    "float.tiff": (
        tiff((GREY16 / 3).astype("f4"), compression="zstd", tile=(16, 16), predictor=True),
        (GREY16 / 3).astype("f4"),
    ),
    "lzw.tiff": (tiff(photo(), compression="lzw", predictor=True, bigtiff=True), photo()),
    "packbits.tiff": (tiff(photo(), compression="packbits", planarconfig="contig"), photo()),
    "fax.tiff": (saved(PIL.Image.fromarray(LINES), "TIFF", compression="group4"), LINES.view("u1")),
    "fax3.tiff": (
        saved(PIL.Image.fromarray(LINES), "TIFF", compression="group3"),
        LINES.view("u1"),
    ),
    "runs.tiff": (
        saved(PIL.Image.fromarray(LINES), "TIFF", compression="tiff_ccitt"),
        LINES.view("u1"),
    ),
    "lzma.tiff": (tiff(GREY16, compression="lzma"), GREY16),
    "lerc.tiff": (tiff(GREY16, compression="lerc"), GREY16),
    "jpegxr.tiff": (tiff(photo(), compression="jpegxr"), photo()),
    "jpegxl.tiff": (tiff(GREY16, compression="jpegxl"), GREY16),
    "webp.tiff": (tiff(photo(), compression="webp", compressionargs={"lossless": True}), photo()),
    "jpeg2000.tiff": (tiff(GREY16, compression="jpeg2000"), GREY16),
    "png.tiff": (tiff(photo(), compression="png"), photo()),
    "runs.bmp": (body := run_length(), read(body, "RGB")),
    "os2.bmp": (
        body := bmp(CORE, 8, rows_of(8), palette=palette(256, 3)),
        read(body, "RGB"),
    ),
    "masks.bmp": (
        body := bmp(INFO, 32, rows_of(32), masks=(0xFF0000, 0xFF00, 0xFF), compression=BITFIELDS),
        read(body, "RGB"),
    ),
}


def jpeg(kind: str, **options: Any) -> tuple[bytes, np.ndarray]:
    """Return a lossy file and what Pillow makes of it."""
    body = saved(photo(), kind, **options)
    return body, read(body, "RGB")


def inks() -> bytes:
    """Return CMYK without an Adobe marker."""
    body = saved(PIL.Image.fromarray(photo()).convert("CMYK"), "JPEG")
    start = body.index(b"\xff\xee")
    return body[:start] + body[start + 16 :]


LOSSY = {
    "rgb.jpg": jpeg("JPEG"),
    "progressive.jpg": jpeg("JPEG", progressive=True),
    "turned.jpg": jpeg("JPEG", exif=pictures.oriented(6)),
    "lossy.webp": jpeg("WEBP", quality=80),
    "lossy.avif": jpeg("AVIF", quality=80),
    "jpeg.tiff": (
        body := tiff(photo(), compression="jpeg", photometric="ycbcr"),
        read(body, "RGB"),
    ),
    "inks.jpg": (body := inks(), read(body, "RGB")),
}


def samples(image: dict[str, Any], expected: np.ndarray) -> np.ndarray:
    """Return an image's pixels with as many samples as are expected; alpha that is gone is 255."""
    pixels = image["pixels"]
    if expected.ndim == 2 or pixels.shape[2] == expected.shape[2]:
        return pixels
    assert (pixels[..., 3] == 255).all()
    return pixels[..., :3]
