"""WebP (RFC 9649), still and animated; each frame of an animation is drawn over those before."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.loaders.web_images.exif import orientation_of
from pyloader.loaders.web_images.picture import (
    Picture,
    PictureHeader,
    Pixels,
    decode_together,
    trailing_bytes_note,
)
from pyloader.pixels.codecs import decode_picture

SIGNATURE = b"RIFF"
KEY_FRAME = b"\x9d\x01\x2a"
HAS_ALPHA = 0x10


class RiffChunk(NamedTuple):
    """One chunk (2.3)."""

    kind: bytes
    payload: bytes


class WebpFrame(NamedTuple):
    """One frame of an animation (2.7.1.1): its area on the canvas, blending and disposal.

    `is_cleared` means that the frame's area is cleared after the frame was shown.
    """

    row: int
    column: int
    rows: int
    columns: int
    is_blended: bool
    is_cleared: bool
    chunks: bytes


async def open_webp(source: str, body: bytes, context: Context) -> Picture:
    """Read the chunks of a WebP."""
    end = 8 + int.from_bytes(body[4:8], "little")
    if end > len(body):
        raise FormatError(f"the WebP ends after {len(body)} bytes, before its last chunk: cut off")
    notes = trailing_bytes_note(len(body) - end - end % 2, "WebP")
    body = body[: end + end % 2]
    chunks = list(chunks_of(body, 12))
    frames = frames_of(body)
    rows, columns = canvas_of(chunks)
    exif = next((chunk.payload for chunk in chunks if chunk.kind == b"EXIF"), b"")

    async def fetch_pixels(picture: Picture, frame_index: int, context: Context) -> Pixels:
        # Parse again, because keeping the frames of above would keep copies of the body.
        return await decode_together(
            picture,
            lambda: composite_frames(frames_of(picture.body), (rows, columns)),
            frame_index,
            context,
        )

    header = PictureHeader(
        "WebP",
        rows,
        columns,
        samples=4,
        number_of_frames=max(1, len(frames)),
        orientation=orientation_of(exif),
        attributes={"lossy_image_compression": is_lossy(chunks, frames)},
        warnings=notes,
    )
    if frames:
        return Picture(source, body, header, fetch_pixels=fetch_pixels)
    return Picture(source, body, header, partial(decode_picture, "webp"))


def frames_of(body: bytes) -> list[WebpFrame]:
    """Return the frames of an animation; a still image has none."""
    return [frame_of(chunk.payload) for chunk in chunks_of(body, 12) if chunk.kind == b"ANMF"]


def is_lossy(chunks: list[RiffChunk], frames: list[WebpFrame]) -> bool:
    """Return whether there is a lossy bitstream (2.5); VP8L is lossless."""
    inner = (chunk for frame in frames for chunk in chunks_of(frame.chunks, 0))
    return any(chunk.kind == b"VP8 " for chunk in (*chunks, *inner))


def chunks_of(body: bytes, position: int) -> Iterator[RiffChunk]:
    """Yield the chunks from a position on.

    Raises
    ------
    FormatError
    """
    while position + 8 <= len(body):
        kind, length = struct.unpack_from("<4sI", body, position)
        stop = position + 8 + length
        if stop > len(body):
            raise FormatError(f"the WebP ends within its chunk {kind!r}: it is cut off")
        yield RiffChunk(kind, body[position + 8 : stop])
        position = stop + length % 2


def canvas_of(chunks: list[RiffChunk]) -> tuple[int, int]:
    """Return rows and columns of the canvas, from the first chunk.

    Raises
    ------
    FormatError
    """
    kind, payload = chunks[0] if chunks else RiffChunk(b"", b"")
    if kind == b"VP8X" and len(payload) >= 10:
        return 1 + int.from_bytes(payload[7:10], "little"), 1 + int.from_bytes(
            payload[4:7], "little"
        )
    if kind == b"VP8L" and len(payload) >= 5 and payload[0] == 0x2F:
        bits = int.from_bytes(payload[1:5], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if kind == b"VP8 " and len(payload) >= 10 and payload[3:6] == KEY_FRAME:
        columns, rows = struct.unpack_from("<HH", payload, 6)
        return rows & 0x3FFF, columns & 0x3FFF
    raise FormatError(f"the WebP begins with the chunk {kind!r}, which is damaged or unknown")


def frame_of(payload: bytes) -> WebpFrame:
    """Read an ANMF chunk."""
    if len(payload) < 16:
        raise FormatError("the WebP has a frame without a header: it is damaged")
    column, row, columns, rows = (
        int.from_bytes(payload[start : start + 3], "little") for start in (0, 3, 6, 9)
    )
    flags = payload[15]
    return WebpFrame(
        2 * row, 2 * column, rows + 1, columns + 1, not flags & 2, bool(flags & 1), payload[16:]
    )


def composite_frames(frames: list[WebpFrame], size: tuple[int, int]) -> Pixels:
    """Draw the canvas after each of `frames`: (frames, rows, columns, 4).

    Raises
    ------
    FormatError
        A frame reaches beyond the canvas.
    """
    canvas = np.zeros((*size, 4), "u1")
    shown = np.empty((len(frames), *canvas.shape), "u1")
    for index, frame in enumerate(frames):
        place = canvas[frame.row :, frame.column :][: frame.rows, : frame.columns]
        if place.shape[:2] != (frame.rows, frame.columns):
            raise FormatError(
                f"frame {index + 1} of the WebP, {frame.rows} x {frame.columns} pixels at row "
                f"{frame.row} and column {frame.column}, exceeds its {size[0]} x {size[1]}"
            )
        pixels = decode_picture("webp", as_file(frame), is_rgba=True)
        place[:] = blend_over(pixels, place) if frame.is_blended else pixels
        shown[index] = canvas
        if frame.is_cleared:
            place[:] = 0
    return shown


def as_file(frame: WebpFrame) -> bytes:
    """Return a frame as a WebP file of its own."""
    size = (frame.columns - 1).to_bytes(3, "little") + (frame.rows - 1).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<IB3x", 10, HAS_ALPHA) + size
    contents = b"WEBP" + extended + frame.chunks
    return SIGNATURE + struct.pack("<I", len(contents)) + contents


def blend_over(pixels: Pixels, below: Pixels) -> Pixels:
    """Blend RGBA over RGBA, with alpha not premultiplied (2.7.1.1)."""
    if (pixels[..., 3] == 255).all():
        return pixels
    alpha = pixels[..., 3:] / np.float32(255)
    rest = below[..., 3:] / np.float32(255) * (1 - alpha)
    total = alpha + rest
    color = pixels[..., :3] * alpha + below[..., :3] * rest
    np.divide(color, total, out=color, where=total > 0)
    blended: Pixels = np.rint(np.concatenate([color, total * 255], axis=2)).astype("u1")
    return blended
