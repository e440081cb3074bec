"""Frames that a codec of imagecodecs gives only together: decoded once, and kept for the others."""

from __future__ import annotations

from pyloader.context import Context
from pyloader.errors import DecodeError
from pyloader.loaders.pictures.picture import Picture, Pixels
from pyloader.pixels.codecs import decode_picture


async def decode_together(
    picture: Picture, codec: str, frame_index: int, context: Context
) -> Pixels:
    """Return a frame, from 0, of a file whose frames `codec` decodes at once.

    Raises
    ------
    FormatError
        They take more memory than there may be.
    DecodeError
    """
    count, name = picture.number_of_frames, picture.header.format_name

    async def decode(context: Context) -> Pixels:
        context.check_size(count * picture.header.frame_bytes, f"this {name} of {count} frames")
        frames = decode_picture(codec, picture.body)
        return frames if count > 1 else frames[None]

    frames: Pixels = await context.cached((picture.source, "frames"), decode)
    if len(frames) != count:
        raise DecodeError(
            f"{len(frames)} frames of the {name} were decoded, it says that it has {count}"
        )
    frame: Pixels = frames[frame_index]
    frame.flags.writeable = False  # it is kept for the next load too
    return frame
