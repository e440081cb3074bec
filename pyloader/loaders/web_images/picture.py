"""`Picture`: a web image as it was fetched, still encoded, and what is made of its pixels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pyloader.context import Context
from pyloader.errors import DecodeError, ImageIdError
from pyloader.image import Image
from pyloader.loaders.web_images.exif import turned

Pixels = NDArray[Any]


class File(Protocol):
    """A file of some format that holds images."""

    @property
    def nbytes(self) -> int:
        """What it takes in memory; `Context.cached` counts it."""
        ...

    @property
    def number_of_frames(self) -> int:
        """Frames or pages, at least 1."""
        ...

    async def image(self, frame_index: int, context: Context) -> Image:
        """Decode a frame, from 0, and describe it.

        Raises
        ------
        FormatError, UnsupportedError, DecodeError
        """
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """What the beginning of a file says of its frames, before they are turned.

    Attributes
    ----------
    format_name : str
        Such as ``"PNG"``.
    samples : int
        Of a pixel, as decoded, at most.
    bits_allocated : int
        Of a sample, as decoded.
    orientation : int
        1 to 8, as EXIF counts; 1 leaves an image as it is.
    attributes : mapping
        What `Image.from_array` takes.
    """

    format_name: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int = 8
    number_of_frames: int = 1
    orientation: int = 1
    attributes: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def frame_bytes(self) -> int:
        """What one frame takes when it is decoded."""
        return self.rows * self.columns * self.samples * self.bits_allocated // 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A file whose frames are all of one size.

    Attributes
    ----------
    source : str
        Of its imageId; what is cached for it has a key that begins with it.
    decode : async (Picture, int, Context) -> (rows, columns) or (rows, columns, samples) array
        Decodes a frame, from 0, as it is stored; 2 and 4 samples end with alpha.
    """

    source: str
    body: bytes
    header: Header
    decode: Callable[[Picture, int, Context], Awaitable[Pixels]]

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return len(self.body)

    @property
    def number_of_frames(self) -> int:
        """Frames, at least 1."""
        return self.header.number_of_frames

    async def image(self, frame_index: int, context: Context) -> Image:
        """Decode a frame, from 0, and describe it; see `File`."""
        header = self.header
        size = f"{header.rows} x {header.columns}"
        context.check_size(header.frame_bytes, f"this {header.format_name} of {size} pixels")
        pixels = await self.decode(self, frame_index, context)
        if pixels.shape[:2] != (header.rows, header.columns):
            raise DecodeError(
                f"the {header.format_name} decodes to {pixels.shape[0]} x {pixels.shape[1]} "
                f"pixels (rows, columns), its header says {size}: the file is damaged"
            )
        return make_image(pixels, header)


def check_frame(file: File, frame_index: int) -> int:
    """Return a frame's index, from 0, when the file has it.

    Raises
    ------
    ImageIdError
    """
    if frame_index >= file.number_of_frames:
        raise ImageIdError(
            f"frame {frame_index + 1} was asked for; the file has {file.number_of_frames} "
            "(frames and pages count from 1)"
        )
    return frame_index


def note_rest(count: int, format_name: str) -> tuple[str, ...]:
    """Return the warning about bytes that follow the end of a file's last image."""
    return (f"{count} bytes after the end of the {format_name} were left out",) if count > 0 else ()


def make_image(pixels: Pixels, header: Header) -> Image:
    """Describe decoded pixels: without alpha that says nothing, turned as `header` asks."""
    pixels = turned(without_idle_alpha(pixels), header.orientation)
    image = Image.from_array(pixels, **header.attributes)
    notes = header.warnings
    if header.orientation != 1:
        notes = (*notes, f"turned as its Orientation {header.orientation} (EXIF) says")
    return replace(image, warnings=notes)


def without_idle_alpha(pixels: Pixels) -> Pixels:
    """Return grey or RGB when all pixels are opaque, else RGBA, also of grey."""
    if pixels.ndim == 2 or pixels.shape[2] not in (2, 4):
        return pixels
    alpha = pixels[..., -1]
    opaque = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    if (alpha == opaque).all():
        return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return pixels if pixels.shape[2] == 4 else pixels[..., (0, 0, 0, 1)]
