"""Rows of JPEG XL (ISO 18181), lossless, as a JPEG packed anew, and with losses.

All decoders at hand are libjxl, which pyloader uses: lossless rows are compared with what was
encoded, packed JPEG with Pillow's reading of that JPEG, and lossy ones with FFmpeg's libjxl.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image

from tests.support.reference import images
from tests.support.reference.images import Pixels
from tests.support.reference.jpeg_rows import make_jpeg, saved
from tests.support.reference.row import Made, Row

LOSSLESS = "1.2.840.10008.1.2.4.110"
RECOMPRESSED = "1.2.840.10008.1.2.4.111"
ANY = "1.2.840.10008.1.2.4.112"
LIBJXL = "libjxl (imagecodecs)"
OTHER = ("ffmpeg-libjxl",)


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for syntax, name in ((LOSSLESS, "jpeg_xl_lossless"), (ANY, "jpeg_xl")):
        for stored, allocated, frames in ((8, 8, 2), (12, 16, 1), (16, 16, 2)):
            values = partial(images.grey, stored, allocated, frames=frames)
            encode = partial(imagecodecs.jpegxl_encode, lossless=True, bitspersample=stored)
            make = partial(make_jpeg, syntax, values, encode, BitsStored=stored)
            yield Row(f"{name}-u{stored}of{allocated}-{frames}f", syntax, LIBJXL, make)
        for stored in (8, 16):
            values = partial(images.color, stored, frames=2)
            make = partial(
                make_jpeg, syntax, values, partial(imagecodecs.jpegxl_encode, lossless=True)
            )
            yield Row(f"{name}-rgb-u{stored}of{stored}-2f", syntax, LIBJXL, make)
        yield in_a_container(syntax, name)
    yield from recompressed_rows()
    yield from lossy_rows()


def in_a_container(syntax: str, name: str) -> Row:
    """Return the row whose codestream stands in boxes."""
    encode = partial(imagecodecs.jpegxl_encode, lossless=True, usecontainer=True)
    make = partial(make_jpeg, syntax, partial(images.grey, 16, 16), encode)
    return Row(f"{name}-u16of16-boxes", syntax, LIBJXL, make)


def recompressed_rows() -> Iterator[Row]:
    """Yield rows of JPEG files that JPEG XL packs smaller, to the bit."""
    for name, picture, attributes in (
        ("u8of8", partial(images.smooth, 8, frames=2), {}),
        ("rgb", images.smooth_color, {"PhotometricInterpretation": "RGB"}),
    ):
        make = partial(make_recompressed, picture, attributes)
        yield Row(
            f"jpeg_xl_recompressed-{name}", RECOMPRESSED, f"Pillow, {LIBJXL}", make, OTHER, 1, 3
        )


def make_recompressed(picture: partial[Pixels], attributes: dict[str, Any]) -> Made:
    """Make the file; its pixels are those that Pillow reads from the JPEG."""

    def encode(frame: Pixels) -> bytes:
        return bytes(imagecodecs.jpegxl_encode_jpeg(saved(frame, quality=95, subsampling="4:4:4")))

    made = make_jpeg(RECOMPRESSED, picture, encode, **attributes)
    jpegs = [saved(frame, quality=95, subsampling="4:4:4") for frame in picture()]
    read = [np.asarray(PIL.Image.open(BytesIO(jpeg))) for jpeg in jpegs]
    return Made(made.body, np.stack(read))


def lossy_rows() -> Iterator[Row]:
    """Yield rows with losses, which are held to what was encoded."""
    for stored, distance, decoders, bound, loss in ((8, 0.3, OTHER, 1, 6), (16, 0.05, (), 0, 256)):
        values = partial(images.smooth, stored)
        encode = partial(imagecodecs.jpegxl_encode, distance=distance)
        make = partial(make_jpeg, ANY, values, encode)
        title = f"jpeg_xl_lossy-u{stored}of{stored}"
        yield Row(title, ANY, LIBJXL, make, decoders, bound, loss)
    # XYB is inside the codestream: what comes out is RGB (PS3.5 8.2.16).
    encode = partial(imagecodecs.jpegxl_encode, distance=0.3)
    make = partial(make_jpeg, ANY, images.smooth_color, encode, PhotometricInterpretation="XYB")
    yield Row("jpeg_xl_lossy-xyb", ANY, LIBJXL, make, OTHER, 1, 18)
