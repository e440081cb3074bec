"""BMP: its header (BITMAPINFOHEADER and later), and that all of it is there."""

from __future__ import annotations

import struct

from pyloader.context import Context
from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.pictures.picture import Header, Picture, Pixels
from pyloader.pixels.codecs import decode_picture

SIGNATURE = b"BM"
DEPTHS = (1, 4, 8, 16, 24, 32)
# biCompression; the decoder reads those of `STORED`.
COMPRESSIONS = {1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG"}
STORED = (0, 3, 6)


async def open_bmp(source: str, body: bytes, context: Context) -> Picture:
    """Read what stands before the pixels."""
    return Picture(source, body, read_header(body), decode)


async def decode(picture: Picture, frame_index: int, context: Context) -> Pixels:
    """Decode; palettes become grey or RGB."""
    return decode_picture("bmp", picture.body)


def read_header(body: bytes) -> Header:
    """Return what the header says.

    Raises
    ------
    FormatError, UnsupportedError
    """
    if len(body) < 54:
        raise FormatError(f"the BMP ends after {len(body)} bytes, within its header: cut off")
    offset, size, columns, height, _, depth, compression = struct.unpack_from("<IIiiHHI", body, 10)
    rows = abs(height)
    if size < 40:
        raise UnsupportedError(f"the BMP is of OS/2 (header of {size} bytes), which is not read")
    if compression not in STORED:
        name = COMPRESSIONS.get(compression, compression)
        raise UnsupportedError(f"the BMP is compressed by {name}; uncompressed ones are read")
    if columns < 1 or rows < 1 or depth not in DEPTHS:
        raise FormatError(f"the BMP's header says {rows} x {columns} pixels of {depth} bits")
    end = offset + (columns * depth + 31) // 32 * 4 * rows
    if end > len(body):
        raise FormatError(
            f"the BMP ends after {len(body)} bytes, its {rows} x {columns} pixels of {depth} bits "
            f"end at {end}: it is cut off, or its header is damaged"
        )
    return Header("BMP", rows, columns, samples=4 if depth in (16, 32) else 3)
