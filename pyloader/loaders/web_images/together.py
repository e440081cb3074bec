"""Frames that are decoded together, since one needs another or the codec gives only all of them."""

from __future__ import annotations

from collections.abc import Callable

from pyloader.context import Context
from pyloader.errors import DecodeError
from pyloader.loaders.web_images.picture import Picture, Pixels
from pyloader.pixels.codecs import decode_picture


def frames_of(codec: str, picture: Picture) -> Pixels:
    """Return what a codec of imagecodecs decodes, one frame as the first of one."""
    frames = decode_picture(codec, picture.body)
    return frames if picture.number_of_frames > 1 else frames[None]


async def decode_together(
    picture: Picture, decode_all: Callable[[], Pixels], frame_index: int, context: Context
) -> Pixels:
    """Return a frame, from 0, of a file whose frames are decoded once, and kept for the others.

    Parameters
    ----------
    decode_all : callable
        Returns (frames, rows, columns) or (frames, rows, columns, samples).

    Raises
    ------
    FormatError
        They take more memory than there may be.
    DecodeError
    """
    count, name = picture.number_of_frames, picture.header.format_name

    async def decode(context: Context) -> Pixels:
        context.check_size(count * picture.header.frame_bytes, f"this {name} of {count} frames")
        return decode_all()

    frames: Pixels = await context.cached((picture.source, "frames"), decode)
    if len(frames) != count:
        raise DecodeError(
            f"{len(frames)} frames of the {name} were decoded, it says that it has {count}"
        )
    frame: Pixels = frames[frame_index]
    frame.flags.writeable = False  # it is kept for the next load too
    return frame
