"""`Picture`: a fetched web image, still encoded; its frames become an `Image` each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.context import Context
from pyloader.errors import DecodeError, ImageIdError
from pyloader.image import Image, modules_of
from pyloader.imageid import ImageId
from pyloader.loaders.web_images.exif import oriented
from pyloader.pixels.codecs import decode_picture
from pyloader.source import Modules, Ready, Series

Pixels = NDArray[Any]
Decode = Callable[[bytes], Pixels]
FetchPixels = Callable[["Picture", int, Context], Awaitable[Pixels]]


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """The header of a file: its frames as stored, before Orientation is applied.

    Attributes
    ----------
    format_name : str
        The format, such as ``"PNG"``.
    samples : int
        The largest number of samples that a decoded pixel can have.
    bits_allocated : int
        Bits of a decoded sample.
    orientation : int
        EXIF Orientation, 1 to 8; 1 means unchanged.
    attributes : mapping
        Attributes for `Image.from_array`.
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
        """Bytes of one decoded frame."""
        return self.rows * self.columns * self.samples * self.bits_allocated // 8

    def check_size(self, context: Context) -> None:
        """Raise if a frame takes more memory than `Context.decoded_bytes`."""
        size = f"{self.rows} x {self.columns}"
        context.check_size(self.frame_bytes, f"this {self.format_name} of {size} pixels")


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A file whose frames all have one size; a `Source`.

    Attributes
    ----------
    source : str
        The source of its imageId, and the prefix of its cache keys.
    decode : (bytes) -> (rows, columns) or (rows, columns, samples) array, or None
        Decodes the body of a single-frame file, before Orientation is applied; if there are 2 or 4
        samples, the last is alpha.
    fetch_pixels : async (Picture, int, Context) -> the same, or None
        Decodes a frame, from 0, if that must be awaited: by the browser's decoder, or together
        with the other frames.
    """

    source: str
    body: bytes
    header: PictureHeader
    decode: Decode | None = None
    fetch_pixels: FetchPixels | None = None
    is_encoded = False

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return len(self.body)

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List all frames."""
        return [Series({}, image_id.of_frames(self.header.number_of_frames))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return a frame; decode it here if that must be awaited."""
        if self.fetch_pixels is None:
            return PictureFrame(self, image_id)
        frame_index = check_frame(image_id, self.header.number_of_frames)
        self.header.check_size(context)
        return PictureFrame(self, image_id, await self.fetch_pixels(self, frame_index, context))

    def ready(self, image_id: ImageId) -> Ready | None:
        """Return the frame if decoding it need not be awaited, else None."""
        return None if self.decode is None else PictureFrame(self, image_id)


class PictureFrame:
    """A frame of a picture; a `Ready`.

    Attributes
    ----------
    pixels : array or None
        The decoded pixels, if they had to be awaited.
    """

    def __init__(self, picture: Picture, image_id: ImageId, pixels: Pixels | None = None) -> None:
        self.picture = picture
        self.image_id = image_id
        self.pixels = pixels

    def make(self, context: Context) -> Image:
        """Decode the frame, unless `fetch` did, and describe it.

        Raises
        ------
        ImageIdError, FormatError, UnsupportedError, DecodeError
        """
        picture, header, pixels = self.picture, self.picture.header, self.pixels
        check_frame(self.image_id, header.number_of_frames)
        if pixels is None:
            assert picture.decode is not None, "else fetch has decoded them"
            header.check_size(context)
            pixels = picture.decode(picture.body)
        if pixels.shape[:2] != (header.rows, header.columns):
            raise DecodeError(
                f"the {header.format_name} decodes to {pixels.shape[0]} x {pixels.shape[1]} "
                f"pixels (rows, columns), its header says {header.rows} x {header.columns}: the "
                "file is damaged"
            )
        return make_image(pixels, header)

    def describe(self, context: Context) -> Modules:
        """Describe the frame; decode it, because its alpha decides the number of samples."""
        return modules_of(self.make(context))

    def encoded(self) -> None:
        """Return None: decoding a web image is never offloaded."""


def check_frame(image_id: ImageId, number_of_frames: int) -> int:
    """Return the index of an imageId's frame, from 0.

    Raises
    ------
    ImageIdError
    """
    if image_id.frame_index >= number_of_frames:
        raise ImageIdError(
            f"frame {image_id.frame_index + 1} was asked for; the file has {number_of_frames} "
            "(frames and pages count from 1)"
        )
    return image_id.frame_index


# ------------------------------------------------------------------ frames decoded together


def frames_of(codec: str, picture: Picture) -> Pixels:
    """Decode all frames by a codec of imagecodecs; the first axis is the frame."""
    frames = decode_picture(codec, picture.body)
    return frames if picture.header.number_of_frames > 1 else frames[None]


async def decode_together(
    picture: Picture, decode_all: Callable[[], Pixels], frame_index: int, context: Context
) -> Pixels:
    """Return a frame, from 0, of a file whose frames are all decoded once and cached.

    This is for formats whose frames depend on each other, and codecs that decode only all frames.

    Parameters
    ----------
    decode_all : callable
        Returns (frames, rows, columns) or (frames, rows, columns, samples).

    Raises
    ------
    FormatError
        The frames exceed `Context.decoded_bytes`.
    DecodeError
    """
    count, name = picture.header.number_of_frames, picture.header.format_name

    async def decode(context: Context) -> Pixels:
        context.check_size(count * picture.header.frame_bytes, f"this {name} of {count} frames")
        return decode_all()

    frames: Pixels = await context.cached((picture.source, "frames"), decode)
    if len(frames) != count:
        raise DecodeError(
            f"{len(frames)} frames of the {name} were decoded, but its header says {count}"
        )
    frame: Pixels = frames[frame_index]
    frame.flags.writeable = False  # the next load uses the same memory
    return frame


# ------------------------------------------------------------------ pixels to images


def trailing_bytes_note(count: int, format_name: str) -> tuple[str, ...]:
    """Return a warning if `count` bytes follow the end of the last image."""
    return (f"{count} bytes after the end of the {format_name} were left out",) if count > 0 else ()


def make_image(pixels: Pixels, header: PictureHeader) -> Image:
    """Make an image of decoded pixels: drop an opaque alpha, and apply Orientation."""
    pixels = oriented(without_opaque_alpha(pixels), header.orientation)
    image = Image.from_array(pixels, **header.attributes)
    notes = header.warnings
    if header.orientation != 1:
        notes = (*notes, f"turned as its Orientation {header.orientation} (EXIF) says")
    return replace(image, warnings=notes)


def without_opaque_alpha(pixels: Pixels) -> Pixels:
    """Return grey or RGB if all pixels are opaque, else RGBA, also for grey."""
    if pixels.ndim == 2 or pixels.shape[2] not in (2, 4):
        return pixels
    alpha = pixels[..., -1]
    opaque = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    if (alpha == opaque).all():
        return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return pixels if pixels.shape[2] == 4 else pixels[..., (0, 0, 0, 1)]
