"""GIF (89a): parse its blocks; imagecodecs or the browser decodes its frames.

Decoders disagree on slightly invalid files that browsers show: no trailer, zeros between blocks,
empty comments, frames beyond the screen. They get a copy without these faults.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import partial

from pyloader.context import Context
from pyloader.errors import DecodeError, FormatError
from pyloader.loaders.web_images.picture import (
    Picture,
    PictureHeader,
    Pixels,
    decode_together,
    frames_of,
    trailing_bytes_note,
)
from pyloader.pixels.codecs import decode_picture, has_codec

SIGNATURES = (b"GIF87a", b"GIF89a")
EXTENSION, IMAGE, TRAILER, TERMINATOR = 0x21, 0x2C, 0x3B, 0
GRAPHIC_CONTROL, GRAPHIC_CONTROL_BYTES = 0xF9, 8
HEADER_BYTES, LARGEST = 13, 0xFFFF
# Disposal methods (GIF 89a 23) that remove a frame after it was shown.
TO_BACKGROUND, TO_PREVIOUS = 2, 3
# One transparent pixel, with a color table of its own.
TRANSPARENT_FRAME = bytes.fromhex("21f9040500000000 2c000000000100010080 000000000000 0202440100")


@dataclass(frozen=True, slots=True)
class GifFrame:
    """A frame: its position on the screen, and its blocks in the file.

    Attributes
    ----------
    control : bytes
        Its graphic control extension; empty if it has none.
    start, stop : int
        The bytes from its image descriptor to the end of its data.
    """

    row: int
    column: int
    rows: int
    columns: int
    control: bytes
    start: int
    stop: int

    @property
    def is_transparent(self) -> bool:
        """True if the frame has a transparent color."""
        return bool(self.control) and bool(self.control[3] & 1)

    @property
    def is_removed(self) -> bool:
        """True if the frame is removed before the next one is drawn."""
        return bool(self.control) and self.control[3] >> 2 & 7 in (TO_BACKGROUND, TO_PREVIOUS)

    @property
    def end(self) -> tuple[int, int]:
        """The row and the column after the frame."""
        return self.row + self.rows, self.column + self.columns


@dataclass(frozen=True, slots=True)
class GifLayout:
    """The frames of a file, and the areas that they cover.

    Attributes
    ----------
    screen : (rows, columns)
        The area that is shown.
    canvas : (rows, columns)
        The area that all frames fit into.
    is_sound : bool
        True if decoders can read the file unchanged.
    """

    frames: list[GifFrame]
    screen: tuple[int, int]
    canvas: tuple[int, int]
    is_sound: bool
    notes: tuple[str, ...]

    @property
    def covers_all(self) -> bool:
        """True if every pixel is covered at all times."""
        first = self.frames[0]
        is_whole = (first.row, first.column, first.end) == (0, 0, self.canvas)
        return is_whole and not any(frame.is_removed for frame in self.frames[:-1])


async def open_gif(source: str, body: bytes, context: Context) -> Picture:
    """Read the blocks of a GIF."""
    try:
        layout = read_layout(body)
    except (struct.error, IndexError) as error:
        raise FormatError(
            f"the GIF ends after {len(body)} bytes, before its trailer: it is cut off"
        ) from error
    count = len(layout.frames)
    header = PictureHeader(
        "GIF", *layout.screen, samples=4, number_of_frames=count, warnings=layout.notes
    )
    return Picture(source, body, header, fetch_pixels=partial(fetch_pixels, layout))


async def fetch_pixels(
    layout: GifLayout, picture: Picture, frame_index: int, context: Context
) -> Pixels:
    """Decode the screen, (rows, columns, 3 or 4), at the time of a frame."""
    rows, columns = layout.canvas
    context.check_size(rows * columns * 4, f"this GIF, whose frames end at {rows} x {columns},")
    if has_codec("gif"):
        pixels = await decode_by_codec(layout, picture, frame_index, context)
    else:
        body = picture.body if layout.is_sound else repaired(picture.body, layout)
        pixels = await context.host.decode(body, "image/gif", frame_index)
        check_drawn(pixels, layout.frames[frame_index], frame_index)
    return pixels[: layout.screen[0], : layout.screen[1]]


async def decode_by_codec(
    layout: GifLayout, picture: Picture, frame_index: int, context: Context
) -> Pixels:
    """Decode by imagecodecs.

    It starts from the background color, browsers from a transparent screen. A transparent first
    frame makes it do as they do.
    """
    if layout.is_sound and layout.covers_all:
        return await decode_together(
            picture, lambda: frames_of("gif", picture), frame_index, context
        )
    rows, columns = layout.canvas
    given = replace(picture, header=replace(picture.header, rows=rows, columns=columns))
    body = repaired(picture.body, layout, TRANSPARENT_FRAME)
    return await decode_together(
        given, lambda: decode_picture("gif", body)[1:], frame_index, context
    )


def read_layout(body: bytes) -> GifLayout:
    """Read the frames of all image descriptors (GIF 89a 20, 23), and their areas.

    The first frame widens the screen, as in all browsers; later frames are cropped to it.

    Raises
    ------
    FormatError, struct.error, IndexError
    """
    columns, rows = struct.unpack_from("<HH", body, 6)
    frames, end, notes = read_blocks(body)
    first = frames[0].end if frames else (0, 0)
    screen = max(rows, first[0]), max(columns, first[1])
    if not frames or not all(screen):
        raise FormatError(
            f"the GIF has {len(frames)} frames of {rows} x {columns} pixels: not an image"
        )
    canvas = screen
    for index, frame in enumerate(frames):
        if frame.end[0] > rows or frame.end[1] > columns:
            notes.append(
                f"frame {index + 1} of the GIF ends at row {frame.end[0]} and column "
                f"{frame.end[1]}, beyond its screen of {rows} x {columns}"
            )
        canvas = max(canvas[0], frame.end[0]), max(canvas[1], frame.end[1])
    if max(canvas) > LARGEST:
        raise FormatError(f"{notes[-1]}, and beyond the largest size of a GIF: it is damaged")
    is_sound = not notes
    notes += trailing_bytes_note(len(body) - end, "GIF")
    return GifLayout(frames, screen, canvas, is_sound, tuple(notes))


def read_blocks(body: bytes) -> tuple[list[GifFrame], int, list[str]]:
    """Return the frames, the position after the trailer, and notes on faults to repair.

    Raises
    ------
    FormatError, struct.error, IndexError
    """
    position, control = HEADER_BYTES + table_bytes(body[10]), b""
    frames: list[GifFrame] = []
    notes: dict[str, None] = {}
    while position < len(body) and body[position] != TRAILER:
        kind = body[position]
        stop = block_end(body, position)
        if kind == IMAGE:
            column, row, columns, rows = struct.unpack_from("<HHHH", body, position + 1)
            frames.append(GifFrame(row, column, rows, columns, control, position, stop))
            control = b""  # it applies to one frame only
        elif kind == TERMINATOR:
            notes["zeros between blocks of the GIF were left out"] = None
        elif body[position + 1] == GRAPHIC_CONTROL:
            control = checked_control(body[position:stop])
        elif not body[position + 2]:
            notes["empty extensions of the GIF were left out"] = None
        position = stop
    if position >= len(body):
        notes["the GIF has no trailer: frames may be missing after its last one"] = None
    return frames, position + 1, list(notes)


def block_end(body: bytes, position: int) -> int:
    """Return the end of the block at a position; a stray terminator is a block of one byte.

    Raises
    ------
    FormatError, IndexError
    """
    if body[position] == TERMINATOR:
        return position + 1
    if body[position] == EXTENSION:
        return after_blocks(body, position + 2)
    if body[position] == IMAGE:
        return after_blocks(body, position + 11 + table_bytes(body[position + 9]))
    raise FormatError(f"the GIF has an unknown block at byte {position}: it is damaged")


def checked_control(block: bytes) -> bytes:
    """Check the length of a graphic control extension (GIF 89a 23), and return it.

    Raises
    ------
    FormatError
    """
    if len(block) != GRAPHIC_CONTROL_BYTES:
        raise FormatError(
            f"a graphic control extension of the GIF has {len(block)} bytes, not "
            f"{GRAPHIC_CONTROL_BYTES}: it is damaged"
        )
    return block


def repaired(body: bytes, layout: GifLayout, first: bytes = b"") -> bytes:
    """Return a file of only `first` and the frames, with a screen that all of them fit into."""
    size = struct.pack("<HH", *layout.canvas[::-1])
    head = body[:6] + size + body[10 : HEADER_BYTES + table_bytes(body[10])]
    frames = (frame.control + body[frame.start : frame.stop] for frame in layout.frames)
    return b"".join([head, first, *frames, bytes([TRAILER])])


def check_drawn(pixels: Pixels, frame: GifFrame, frame_index: int) -> None:
    """Check that an opaque frame has no gaps in the decoded RGBA screen.

    Firefox silently shows the part that it has of a truncated frame.

    Raises
    ------
    DecodeError
    """
    alpha = pixels[frame.row : frame.end[0], frame.column : frame.end[1], 3]
    if not frame.is_transparent and not alpha.all():
        raise DecodeError(
            f"frame {frame_index + 1} of the GIF ends after about {(alpha > 0).sum()} of its "
            f"{alpha.size} pixels: it is damaged"
        )


def table_bytes(flags: int) -> int:
    """Return the bytes of the color table that `flags` declare."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def after_blocks(body: bytes, position: int) -> int:
    """Return the end of a series of sub-blocks."""
    while length := body[position]:
        position += 1 + length
    return position + 1
