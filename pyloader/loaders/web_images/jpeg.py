"""JPEG (ISO 10918-1): parse its header, and refuse truncated files; decoders only warn of them."""

from __future__ import annotations

from functools import partial

from pyloader.context import Context
from pyloader.errors import DecodeError, FormatError, UnsupportedError
from pyloader.loaders.web_images.exif import PREFIX, orientation_of
from pyloader.loaders.web_images.picture import Picture, PictureHeader, Pixels, trailing_bytes_note
from pyloader.pixels.codecs import decode_picture
from pyloader.pixels.codestream.jpeg import JpegHeader, is_lossless, read_jpeg, segments_of
from pyloader.pixels.codestream.jpeg_truncation import check_whole

SIGNATURE = b"\xff\xd8\xff"
END_BYTES = 2
APP1 = 0xE1
INK_NOTES = (
    "converted from CMYK without its color profile: colors are approximate",
    "CMYK without an Adobe marker: 255 was read as no ink, as Adobe and browsers do",
)
INKS = 4


async def open_jpeg(source: str, body: bytes, context: Context) -> Picture:
    """Read the segments of a JPEG.

    Raises
    ------
    FormatError
        The file has no frame header, or ends before its end-of-image marker.
    UnsupportedError
    """
    try:
        frame = read_jpeg(body)
    except ValueError as error:
        if body.endswith(b"\xff\xd9"):
            raise FormatError(
                "the JPEG has no frame header (SOF): it is damaged, or not an image"
            ) from error
        raise cut_off(body) from error
    if frame.end is None:
        raise cut_off(body)
    rest = trailing_bytes_note(len(body) - frame.end - END_BYTES, "JPEG")
    return Picture(
        source, body, header_of(frame, orientation_in(body), rest), partial(decode, frame)
    )


def cut_off(body: bytes) -> FormatError:
    """Build the error for a file that ends early."""
    return FormatError(
        f"the JPEG ends after {len(body)} bytes, without an end-of-image marker: cut off"
    )


def orientation_in(body: bytes) -> int:
    """Return the Orientation of the last EXIF segment, 1 without one."""
    found = [
        each.parameters
        for each in segments_of(body)
        if each.marker == APP1 and each.parameters.startswith(PREFIX)
    ]
    return orientation_of(found[-1]) if found else 1


def header_of(frame: JpegHeader, orientation: int, rest: tuple[str, ...]) -> PictureHeader:
    """Make the header of a picture; `rest` holds warnings about trailing bytes.

    Raises
    ------
    FormatError, UnsupportedError
    """
    components = len(frame.components)
    if not frame.rows or not frame.columns:
        raise FormatError(f"the JPEG's header says {frame.rows} x {frame.columns} pixels")
    if components not in (1, 3, INKS):
        raise UnsupportedError(f"the JPEG has {components} components; 1, 3 or 4 can be read")
    is_adobe = frame.adobe_transform is not None
    notes = INK_NOTES[: 1 if is_adobe else 2] if components == INKS else ()
    return PictureHeader(
        "JPEG",
        frame.rows,
        frame.columns,
        components,
        bits_allocated=8 if frame.precision <= 8 else 16,
        orientation=orientation,
        attributes={
            "bits_stored": max(frame.precision, 8),
            "lossy_image_compression": not is_lossless(frame),
        },
        warnings=(*notes, *rest),
    )


def decode(frame: JpegHeader, body: bytes) -> Pixels:
    """Decode to grey or RGB.

    Raises
    ------
    DecodeError
        The file is damaged, or its data end before the last pixel.
    """

    def decode_all(body: bytes) -> Pixels:
        return decode_picture("jpeg8", body)

    pixels = decode_all(body)
    try:
        check_whole(body, frame, pixels, decode_all)
    except ValueError as error:
        raise DecodeError(
            f"the JPEG's data end before its last pixel ({frame.rows} x {frame.columns}): "
            f"it is damaged: {error}"
        ) from error
    return from_cmyk(pixels) if len(frame.components) == INKS else pixels


def from_cmyk(pixels: Pixels) -> Pixels:
    """Convert CMYK to RGB; 255 means no ink, as Adobe and later writers have it."""
    ink = pixels[..., :3].astype("u2")
    ink *= pixels[..., 3:]
    ink += 127
    ink //= 255
    return ink.astype("u1")
