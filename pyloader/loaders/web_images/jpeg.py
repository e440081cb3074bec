"""JPEG (ISO 10918-1): its header, and that all of it is there, which decoders only warn of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyloader.context import Context
from pyloader.errors import DecodeError, FormatError, UnsupportedError
from pyloader.loaders.web_images.exif import PREFIX, orientation_of
from pyloader.loaders.web_images.picture import Header, Picture, Pixels, note_rest
from pyloader.pixels.codecs import decode_picture

SIGNATURE = b"\xff\xd8\xff"
# Any marker but those within entropy-coded data: stuffed zeros, restarts, fill bytes (B.1.1).
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
LOSSLESS, SEQUENTIAL = frozenset({0xC3, 0xCB}), frozenset({0xC0, 0xC1})
SOS, EOI, APP1, APP14 = 0xDA, 0xD9, 0xE1, 0xEE
STANDALONE = frozenset({0x01, 0xD8})
END = b"\xff\xd9"
INK_NOTES = (
    "converted from CMYK without its color profile: colors are approximate",
    "CMYK without an Adobe marker: 255 was taken for no ink, as Adobe and browsers have it",
)
# Put before the end, it changes only an image whose own data end before the last pixel.
CANARY = bytes(range(0x11, 0xF0, 7)) * 4


class Segment(NamedTuple):
    """A marker, and where it and its payload are."""

    marker: int
    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame header (B.2.2), and what other segments say."""

    marker: int
    precision: int
    rows: int
    columns: int
    components: int
    is_adobe: bool
    orientation: int
    end: int


async def open_jpeg(source: str, body: bytes, context: Context) -> Picture:
    """Read what stands beside the pixels."""
    frame = read_frame(body)

    def decode(body: bytes) -> Pixels:
        pixels = decode_picture("jpeg8", body)
        check_complete(body, frame, pixels)
        return from_cmyk(pixels) if frame.components == 4 else pixels

    rest = note_rest(len(body) - frame.end - len(END), "JPEG")
    return Picture(source, body, header_of(frame, rest), decode)


def header_of(frame: Frame, rest: tuple[str, ...]) -> Header:
    """Describe what is decoded; `rest` holds warnings about bytes that follow it.

    Raises
    ------
    FormatError, UnsupportedError
    """
    if not frame.rows or not frame.columns:
        raise FormatError(f"the JPEG's header says {frame.rows} x {frame.columns} pixels")
    if frame.components not in (1, 3, 4):
        raise UnsupportedError(f"the JPEG has {frame.components} components; 1, 3 or 4 can be read")
    notes = INK_NOTES[: 1 if frame.is_adobe else 2] if frame.components == 4 else ()
    return Header(
        "JPEG",
        frame.rows,
        frame.columns,
        frame.components,
        bits_allocated=8 if frame.precision <= 8 else 16,
        orientation=frame.orientation,
        attributes={
            "bits_stored": max(frame.precision, 8),
            "lossy_image_compression": frame.marker not in LOSSLESS,
        },
        warnings=(*notes, *rest),
    )


def read_frame(body: bytes) -> Frame:
    """Read the header, and find the end.

    Raises
    ------
    FormatError
        The file has no frame header, or ends before its end-of-image marker.
    """
    frame: bytes | None = None
    marker, orientation, is_adobe = 0, 1, False
    segment = Segment(0, 0, b"")
    for segment in segments_of(body):
        if segment.marker in SOF and frame is None:
            marker, frame = segment.marker, segment.payload
        elif segment.marker == APP1 and segment.payload.startswith(PREFIX):
            orientation = orientation_of(segment.payload)
        elif segment.marker == APP14 and segment.payload.startswith(b"Adobe"):
            is_adobe = True
    if frame is None or len(frame) < 6:
        raise FormatError("the JPEG has no frame header (SOF): it is damaged, or no image")
    rows, columns = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    return Frame(
        marker, frame[0], rows, columns, frame[5], is_adobe, orientation, end=segment.offset
    )


def segments_of(body: bytes) -> Iterator[Segment]:
    """Yield the marker segments, with end-of-image as the last.

    Raises
    ------
    FormatError
    """
    position = 2
    while found := MARKER.search(body, position):
        marker, start = body[found.start() + 1], found.end()
        is_alone = marker in STANDALONE or marker == EOI
        length = 0 if is_alone else int.from_bytes(body[start : start + 2])
        yield Segment(marker, found.start(), body[start + 2 : start + length])
        if marker == EOI:
            return
        position = start + length
    raise FormatError(
        f"the JPEG ends after {len(body)} bytes, without an end-of-image marker: cut off"
    )


def check_complete(body: bytes, frame: Frame, pixels: Pixels) -> None:
    """Check that the data reach to the last pixel.

    libjpeg fills what is missing with middle grey, and goes on. When the last pixel is of that
    grey, the image is decoded again with other bytes behind its data: they must not matter.

    Raises
    ------
    DecodeError
    """
    if frame.marker not in SEQUENTIAL or not is_middle_grey(pixels[-1, -1], frame):
        return
    longer = body[: frame.end] + CANARY + body[frame.end :]
    if not np.array_equal(decode_picture("jpeg8", longer), pixels):
        raise DecodeError(
            f"the data of the JPEG end before its last pixel ({frame.rows} x {frame.columns}): "
            "it is damaged"
        )


def is_middle_grey(pixel: Pixels, frame: Frame) -> bool:
    """Tell whether a pixel may be one that was missing; of CMYK, always."""
    middle = 1 << (frame.precision - 1)
    weights = {1: (1.0,), 3: (0.299, 0.587, 0.114)}.get(frame.components)
    return weights is None or abs(float(np.dot(np.atleast_1d(pixel), weights)) - middle) < 4


def from_cmyk(pixels: Pixels) -> Pixels:
    """Return RGB for CMYK with 255 for no ink, as Adobe writes it, and others after it."""
    ink = pixels[..., :3].astype("u2")
    ink *= pixels[..., 3:]
    ink += 127
    ink //= 255
    return ink.astype("u1")
