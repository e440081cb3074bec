"""GIF (89a): its frames are counted here, and decoded by imagecodecs or by the browser."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import partial

from pyloader.context import Context
from pyloader.errors import DecodeError, FormatError
from pyloader.loaders.pictures.picture import Header, Picture, Pixels
from pyloader.loaders.pictures.together import decode_together, frames_of
from pyloader.pixels.codecs import has_codec

SIGNATURES = (b"GIF87a", b"GIF89a")
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL = 0xF9


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a frame is on the screen, and whether what is below can be seen through it."""

    row: int
    column: int
    rows: int
    columns: int
    is_transparent: bool


async def open_gif(source: str, body: bytes, context: Context) -> Picture:
    """Walk through the blocks."""
    try:
        frames = frames_in(body)
        header = read_header(body, frames)
    except (struct.error, IndexError) as error:
        raise FormatError(
            f"the GIF ends after {len(body)} bytes, before its trailer: it is cut off"
        ) from error
    return Picture(source, body, header, partial(decode, frames))


async def decode(
    frames: list[Frame], picture: Picture, frame_index: int, context: Context
) -> Pixels:
    """Return the screen, (rows, columns, 3 or 4), as it is when a frame is shown."""
    if not has_codec("gif"):
        pixels = await context.host.decode(picture.body, "image/gif", frame_index)
        check_drawn(pixels, frames[frame_index], frame_index)
        return pixels
    return await decode_together(picture, lambda: frames_of("gif", picture), frame_index, context)


def read_header(body: bytes, frames: list[Frame]) -> Header:
    """Return the screen's size and the number of frames.

    Raises
    ------
    FormatError, struct.error
    """
    columns, rows = struct.unpack_from("<HH", body, 6)
    for frame in frames:
        check_place(frame, (rows, columns))
    count = len(frames)
    if not count or not rows or not columns:
        raise FormatError(f"the GIF has {count} frames of {rows} x {columns} pixels: no image")
    return Header("GIF", rows, columns, samples=4, number_of_frames=count)


def frames_in(body: bytes) -> list[Frame]:
    """Return the frames of the image descriptors (GIF 89a 20, 23).

    Raises
    ------
    FormatError, struct.error, IndexError
    """
    position = 13 + table_bytes(body[10])
    frames = []
    is_transparent = False
    while body[position] != TRAILER:
        if body[position] == IMAGE:
            column, row, columns, rows, flags = struct.unpack_from("<HHHHB", body, position + 1)
            frames.append(Frame(row, column, rows, columns, is_transparent))
            is_transparent = False  # what was said is of one frame
            position += 11 + table_bytes(flags)
        elif body[position] == EXTENSION:
            if body[position + 1] == GRAPHIC_CONTROL:
                is_transparent = bool(body[position + 3] & 1)
            position += 2
        else:
            raise FormatError(f"the GIF has an unknown block at byte {position}: it is damaged")
        position = after_blocks(body, position)
    return frames


def check_drawn(pixels: Pixels, frame: Frame, frame_index: int) -> None:
    """Refuse the screen, RGBA, when a frame that lets nothing through has gaps.

    Firefox shows what it has of a frame whose data end too early, and says nothing.

    Raises
    ------
    DecodeError
    """
    stop = frame.row + frame.rows, frame.column + frame.columns
    alpha = pixels[frame.row : stop[0], frame.column : stop[1], 3]
    if not frame.is_transparent and not alpha.all():
        raise DecodeError(
            f"frame {frame_index + 1} of the GIF ends after about {(alpha > 0).sum()} of its "
            f"{alpha.size} pixels: it is damaged"
        )


def table_bytes(flags: int) -> int:
    """Return the size of the color table that `flags` announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def check_place(frame: Frame, screen: tuple[int, int]) -> None:
    """Check that a frame is within the screen, beyond which decoders disagree."""
    row, column = frame.row + frame.rows, frame.column + frame.columns
    if row > screen[0] or column > screen[1]:
        raise FormatError(
            f"a frame of the GIF ends at row {row} and column {column}, beyond "
            f"the screen of {screen[0]} x {screen[1]}: it is damaged"
        )


def after_blocks(body: bytes, position: int) -> int:
    """Return where a series of sub-blocks ends."""
    while length := body[position]:
        position += 1 + length
    return position + 1
