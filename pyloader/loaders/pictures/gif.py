"""GIF (89a): its frames are counted here, and decoded by imagecodecs or by the browser."""

from __future__ import annotations

import struct

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.loaders.pictures.picture import Header, Picture, Pixels
from pyloader.loaders.pictures.together import decode_together, frames_of
from pyloader.pixels.codecs import has_codec

SIGNATURES = (b"GIF87a", b"GIF89a")
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B


async def open_gif(source: str, body: bytes, context: Context) -> Picture:
    """Walk through the blocks."""
    try:
        header = read_header(body)
    except (struct.error, IndexError) as error:
        raise FormatError(
            f"the GIF ends after {len(body)} bytes, before its trailer: it is cut off"
        ) from error
    return Picture(source, body, header, decode)


async def decode(picture: Picture, frame_index: int, context: Context) -> Pixels:
    """Return the screen, (rows, columns, 3 or 4), as it is when a frame is shown."""
    if not has_codec("gif"):
        return await context.host.decode(picture.body, "image/gif", frame_index)
    return await decode_together(picture, lambda: frames_of("gif", picture), frame_index, context)


def read_header(body: bytes) -> Header:
    """Return the screen's size and the number of frames.

    Raises
    ------
    FormatError, struct.error, IndexError
    """
    columns, rows, flags = struct.unpack_from("<HHB", body, 6)
    position = 13 + table_bytes(flags)
    count = 0
    while body[position] != TRAILER:
        if body[position] == IMAGE:
            count += 1
            check_place(body, position, (rows, columns))
            position += 11 + table_bytes(body[position + 9])
        elif body[position] == EXTENSION:
            position += 2
        else:
            raise FormatError(f"the GIF has an unknown block at byte {position}: it is damaged")
        position = after_blocks(body, position)
    if not count or not rows or not columns:
        raise FormatError(f"the GIF has {count} frames of {rows} x {columns} pixels: no image")
    return Header("GIF", rows, columns, samples=4, number_of_frames=count)


def table_bytes(flags: int) -> int:
    """Return the size of the color table that `flags` announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def check_place(body: bytes, position: int, screen: tuple[int, int]) -> None:
    """Check that a frame is within the screen, beyond which decoders disagree."""
    column, row, columns, rows = struct.unpack_from("<HHHH", body, position + 1)
    if row + rows > screen[0] or column + columns > screen[1]:
        raise FormatError(
            f"a frame of the GIF ends at row {row + rows} and column {column + columns}, beyond "
            f"the screen of {screen[0]} x {screen[1]}: it is damaged"
        )


def after_blocks(body: bytes, position: int) -> int:
    """Return where a series of sub-blocks ends."""
    while length := body[position]:
        position += 1 + length
    return position + 1
