"""Rows of how frames stand in fragments (PS3.5 A.4): with a table, with none, in several pieces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import imagecodecs
import jpeg_ls
import numpy as np
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.support.reference import images, jpeg_writer, jpeg_xl_rows
from tests.support.reference.images import Pixels
from tests.support.reference.jpeg_2000_rows import OPENJPH
from tests.support.reference.jpeg_rows import OURS, Encode, saved
from tests.support.reference.rle_rows import literal_segments
from tests.support.reference.row import Made, Row, attributes_of, with_value

FRAMES, SIZE = 3, (37, 43)
LOSSLESS_JPEG = partial(
    jpeg_writer.encode_lossless, precision=8, how=jpeg_writer.Lossless(predictor=4)
)
# Name -> transfer syntax, what encodes a frame, independent decoders.
CODECS: dict[str, tuple[str, Encode, tuple[str, ...]]] = {
    "rle": (RLELossless, literal_segments, ("pylibjpeg-rle",)),
    "jpeg_baseline": (JPEGBaseline8Bit, partial(saved, quality=95), ("pylibjpeg",)),
    "jpeg_lossless": (JPEGLossless, LOSSLESS_JPEG, ("pylibjpeg",)),
    "jpeg_ls": (JPEGLSLossless, jpeg_ls.encode_array, ("pylibjpeg",)),
    "j2k_lossless": (
        JPEG2000Lossless,
        partial(imagecodecs.jpeg2k_encode, codecformat="J2K", reversible=True),
        ("pylibjpeg-openjpeg",),
    ),
    "htj2k_lossless": (
        HTJ2KLossless,
        partial(imagecodecs.htj2k_encode, reversible=True),
        ("pylibjpeg-openjpeg",),
    ),
    "jpeg_xl_lossless": (
        jpeg_xl_rows.LOSSLESS,
        partial(imagecodecs.jpegxl_encode, lossless=True),
        (),
    ),
}
# A frame of RLE is one fragment (PS3.5 A.4.2).
IN_ONE = ("rle",)
WRITTEN_BY = {
    "rle": "numpy",
    "jpeg_baseline": "Pillow",
    "jpeg_lossless": OURS,
    "jpeg_ls": "CharLS (pyjpegls)",
    "j2k_lossless": "OpenJPEG (imagecodecs)",
    "htj2k_lossless": OPENJPH,
    "jpeg_xl_lossless": jpeg_xl_rows.LIBJXL,
}


def rows() -> Iterator[Row]:
    """Yield the rows."""
    for codec, (syntax, _, decoders) in CODECS.items():
        is_lossy = syntax == JPEGBaseline8Bit
        for form in ("no_table", "extended_table", "table-3_fragments", "no_table-3_fragments"):
            if codec in IN_ONE and "3_fragments" in form:
                continue
            make = partial(make_fragments, codec, form)
            title = f"{codec}-{form}-{FRAMES}f"
            yield Row(title, syntax, WRITTEN_BY[codec], make, decoders, int(is_lossy), 6 * is_lossy)


def make_fragments(codec: str, form: str) -> Made:
    """Make a file of three frames."""
    syntax, encode, _ = CODECS[codec]
    is_lossy = syntax == JPEGBaseline8Bit
    values = images.smooth(8, frames=FRAMES) if is_lossy else noise()
    frames = [bytes(encode(frame)) for frame in values]
    dataset = attributes_of(values)
    if form == "extended_table":
        value, offsets, lengths = encapsulate_extended(frames)
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    else:
        pieces = 3 if "3_fragments" in form else 1
        has_table = not form.startswith("no_table")
        value = encapsulate(frames, fragments_per_frame=pieces, has_bot=has_table)
    return Made(with_value(dataset, value, syntax), values)


def noise() -> Pixels:
    """Return three frames of 8 bits."""
    return np.ascontiguousarray(images.grey(8, 8, frames=FRAMES, size=SIZE))
