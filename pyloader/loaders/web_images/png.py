"""PNG (ISO 15948, PNG 3rd edition): parse its header, and refuse truncated files."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple
from zlib import crc32

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.loaders.web_images.exif import orientation_of
from pyloader.loaders.web_images.picture import Picture, PictureHeader, trailing_bytes_note
from pyloader.pixels.codecs import decode_picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Colour type -> samples of a pixel; a palette becomes RGB (11.2.1).
SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


class PngChunk(NamedTuple):
    """One chunk (5.3), and the position of its end."""

    kind: bytes
    payload: memoryview
    is_whole: bool
    stop: int


async def open_png(source: str, body: bytes, context: Context) -> Picture:
    """Read the chunks of a PNG."""
    # The decoder scales samples of 1, 2 and 4 bits to 8 (12.5) and keeps 16.
    return Picture(source, body, read_chunks(body), partial(decode_picture, "png"))


def read_chunks(body: bytes) -> PictureHeader:
    """Read the header of a picture from the chunks other than IDAT.

    Raises
    ------
    FormatError
        A chunk is damaged or missing.
    """
    chunks = list(chunks_of(body))
    found = {chunk.kind: chunk.payload for chunk in chunks}
    if len(found.get(b"IHDR", b"")) != 13 or b"IDAT" not in found:
        raise FormatError("the PNG has no image header (IHDR) or no pixels (IDAT)")
    columns, rows, depth, color, *_ = struct.unpack(">IIBBBBB", found[b"IHDR"])
    if color not in SAMPLES or not rows or not columns:
        raise FormatError(
            f"the PNG's header says {rows} x {columns} pixels of color type {color}: it is damaged"
        )
    has_key = b"tRNS" in found and color in (0, 2, 3)
    return PictureHeader(
        "PNG",
        rows,
        columns,
        SAMPLES[color] + has_key,
        bits_allocated=16 if depth == 16 else 8,
        orientation=orientation_of(bytes(found.get(b"eXIf", b""))),
        warnings=(*animation_note(found.get(b"acTL")), *notes_of_end(body, chunks[-1])),
    )


def animation_note(control: memoryview | None) -> tuple[str, ...]:
    """Return a warning if the PNG is animated (11.3.4.1): only its default image is shown."""
    if control is None or len(control) < 4:
        return ()
    (count,) = struct.unpack_from(">I", control)
    return (f"an animated PNG of {count} frames; only its default image is shown",)


def chunks_of(body: bytes) -> Iterator[PngChunk]:
    """Yield all chunks up to IEND.

    Raises
    ------
    FormatError
        The file ends before IEND, or a checksum is wrong. The decoder checks those of IDAT; that of
        IEND does not count, because nothing follows it.
    """
    view = memoryview(body)
    position = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(body):
            raise cut_off(len(body))
        (length,) = struct.unpack_from(">I", body, position)
        stop = position + 8 + length
        if stop + 4 > len(body):
            raise cut_off(len(body))
        kind = body[position + 4 : position + 8]
        is_whole = kind == b"IDAT" or crc32(view[position + 4 : stop]) == int.from_bytes(
            body[stop : stop + 4]
        )
        # The decoder only warns of damaged ancillary chunks, such as transparency.
        if not is_whole and kind != b"IEND":
            raise FormatError(f"the PNG's chunk {kind!r} has a wrong checksum: it is damaged")
        yield PngChunk(kind, view[position + 8 : stop], is_whole, stop + 4)
        position = stop + 4


def notes_of_end(body: bytes, end: PngChunk) -> tuple[str, ...]:
    """Return warnings about a wrong checksum of IEND, and about bytes after it."""
    note = "the PNG's last chunk (IEND) has a wrong checksum"
    return (*(() if end.is_whole else (note,)), *trailing_bytes_note(len(body) - end.stop, "PNG"))


def cut_off(count: int) -> FormatError:
    """Build the error for a file that ends early."""
    return FormatError(f"the PNG ends after {count} bytes, before its last chunk (IEND): cut off")
