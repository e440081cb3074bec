"""Strips and tiles of a TIFF page: check that all are present and that codestreams fit the tags.

Both the tags of a page and each codestream of an image codec describe the samples. They are
compared before anything is shown, because tifffile silently casts wider samples, takes the color of
JPEG from the tag, and leaves the YCbCr of Aperio unconverted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pyloader.errors import DecodeError, FormatError
from pyloader.loaders.web_images.picture import Pixels
from pyloader.pixels.codestream.consistency import RGB_IDENTIFIERS, find_color
from pyloader.pixels.codestream.identify import start_of_codestream
from pyloader.pixels.codestream.jpeg import is_lossless, read_jpeg
from pyloader.pixels.codestream.jpeg_2000 import Jpeg2000Header, check_tiles, read_jpeg_2000
from pyloader.pixels.color import FULL, to_rgb_samples

RGB, YCBCR = 2, 6
JPEG = frozenset({6, 7, 33007, 34892})
JPEG_2000 = frozenset({33003, 33004, 33005, 34712})
APERIO_YCBCR = 33003
JPEG_XR = frozenset({22610, 34934})
# Codestreams of LERC, WebP, PNG and JPEG XL. Like those above and the data of Deflate, LZMA and
# Zstandard, they mark their end, and decoders refuse truncated ones.
OTHER_IMAGES = frozenset({34887, 34927, 34933, 50001, 50002, 52546})
DELIMITED = JPEG | JPEG_2000 | OTHER_IMAGES | {8, 32946, 34925, 34926, 50000, 50013}
IMAGES = JPEG | JPEG_2000 | JPEG_XR | OTHER_IMAGES
# Uncompressed, LZW and PackBits: a truncated strip yields too few bytes.
NOT_COMPRESSED, LZW, PACKBITS = 1, 5, 32773
END_OF_JPEG = b"\xff\xd9"
# EnumCS of a JP2 file's color box (ISO 15444-1 I.5.3.3, 15444-2 M.11.7.3.1).
SRGB, SYCC, E_YCC = 16, 18, 24


def check_segments(page: Any, body: bytes, what: str) -> tuple[str, ...]:
    """Check that all strips or tiles are present; return warnings about them.

    One whose offset and byte count are 0 was never written and holds nodata values (GDAL's
    SPARSE_OK). A byte count beyond the end of the file may be wrong: it is only a warning if the
    decoder notices missing data.

    Raises
    ------
    FormatError
    """
    expected = int(np.prod(page.chunked, dtype=object))
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))[:expected]
    if len(segments) < expected or any(bool(at) != bool(count) for at, count in segments):
        raise FormatError(f"{what} has strips or tiles that are not stored: it is damaged")
    notes = []
    stored = [(at, count) for at, count in segments if count]
    if len(stored) < expected:
        notes.append(
            f"{expected - len(stored)} of {expected} strips or tiles are not stored: their pixels "
            f"are {page.keyframe.nodata}"
        )
    end = max((at + count for at, count in stored), default=0)
    if end > len(body):
        if not is_cut_noticed(page.keyframe, max(at for at, _ in stored), len(body)):
            raise cut_off(what, end, len(body))
        notes.append(f"byte counts of its strips or tiles are larger than the file: {end} bytes")
    if page.compression in JPEG:
        tails = (body[max(at, min(at + n, len(body)) - 64) : at + n] for at, n in stored)
        if not all(END_OF_JPEG in tail for tail in tails):
            raise no_end(what, end, len(body))
    return tuple(notes)


def is_cut_noticed(keyframe: Any, last: int, size: int) -> bool:
    """Return whether the decoder notices that the file ends within the last strip or tile.

    tifffile accepts a border tile as complete if it has only the pixels within the image.
    """
    if last >= size:
        return False
    if keyframe.compression in DELIMITED:
        return True
    has_whole_tiles = keyframe.is_tiled and not (
        keyframe.imagewidth % keyframe.tilewidth or keyframe.imagelength % keyframe.tilelength
    )
    if not keyframe.is_tiled or has_whole_tiles:
        return keyframe.compression in (NOT_COMPRESSED, LZW, PACKBITS)
    bits = int(np.prod(keyframe.chunks, dtype=object)) * int(keyframe.bitspersample)
    return bool(keyframe.compression == NOT_COMPRESSED) and last + bits / 8 <= size


def cut_off(what: str, end: int, size: int) -> FormatError:
    """Build the error for a page whose segments are not all in the file."""
    return FormatError(f"{what} ends at byte {end}, the file has {size}: it is cut off")


def no_end(what: str, end: int, size: int) -> FormatError:
    """Build the error for JPEG data without an end marker, which decoders would fill with grey."""
    if end > size:
        return cut_off(what, end, size)
    return FormatError(f"{what} has JPEG data without an end: it is damaged")


def read_pixels(page: Any, body: bytes, what: str) -> tuple[Pixels, tuple[str, ...]]:
    """Decode a page; return its pixels, and warnings about contradictions in its codestreams.

    Raises
    ------
    Exception
        Any error of tifffile and its codecs; FormatError if the file ends before the page.
    """
    keyframe = page.keyframe
    if not any(page.databytecounts):
        return np.full(keyframe.shape, keyframe.nodata, keyframe.dtype), ()
    end = max(at + n for at, n in zip(page.dataoffsets, page.databytecounts, strict=False) if n)
    try:
        if keyframe.compression not in IMAGES or keyframe.jpegheader is not None:
            return page.asarray(maxworkers=1), ()
        return assembled(page, body)
    except ImportError:
        raise  # a codec is missing
    except Exception as error:
        raise cut_off(what, end, len(body)) if end > len(body) else error from error


def assembled(page: Any, body: bytes) -> tuple[Pixels, tuple[str, ...]]:
    """Decode a page whose strips or tiles are image codestreams."""
    keyframe = page.keyframe
    segments = [
        body[at : at + count]
        for at, count in zip(page.dataoffsets, page.databytecounts, strict=False)
        if count
    ]
    is_ybr = False
    notes: tuple[str, ...] = ()
    # tifffile decodes by these fields; restore the tags' values for the next load.
    told = keyframe.photometric, keyframe.subsampling
    try:
        if keyframe.compression in JPEG:
            notes = set_jpeg_color(keyframe, segments[0])
        elif keyframe.compression in JPEG_2000:
            is_ybr = set_jpeg_2000_color(keyframe, segments)
        return joined(page, is_ybr=is_ybr), notes
    finally:
        keyframe.photometric, keyframe.subsampling = told


def joined(page: Any, *, is_ybr: bool) -> Pixels:
    """Join the pixels of all strips or tiles; convert YCbCr to RGB."""
    keyframe = page.keyframe
    result = np.full(keyframe.shaped, keyframe.nodata, keyframe.dtype)
    for pixels, (plane, depth, row, column, _), _ in page.segments(maxworkers=1, sort=True):
        if pixels is None:
            continue
        place = result[plane, depth:, row:, column:]
        part = pixels[tuple(slice(length) for length in place.shape)]
        check_type(part, keyframe)
        part = to_rgb_samples(part, FULL, keyframe.bitspersample) if is_ybr else part
        place[tuple(slice(length) for length in part.shape)] = part
    return result.reshape(keyframe.shape)


def check_type(pixels: Pixels, keyframe: Any) -> None:
    """Check that decoded samples fit into the dtype that the tags describe.

    Raises
    ------
    DecodeError
    """
    if not np.can_cast(pixels.dtype, keyframe.dtype, "safe"):
        raise DecodeError(
            f"its codestreams have samples of type {pixels.dtype}, its tags say {keyframe.dtype}: "
            "one of them is wrong"
        )


def set_jpeg_color(keyframe: Any, frame: bytes) -> tuple[str, ...]:
    """Make tifffile decode JPEG by the color space of its codestream, else by that of the tag.

    Some writers leave Photometric Interpretation at RGB, the color space of their input, although
    the codec converted it to YCbCr.

    Raises
    ------
    ValueError
        The codestream's color contradicts itself, or its bits contradict the tags.
    """
    header = read_jpeg(frame)
    check_bits((header.precision,), keyframe)
    is_color = len(header.components) == 3 and keyframe.photometric in (RGB, YCBCR)
    if not is_color or keyframe.planarconfig != 1 or is_lossless(header):
        return ()
    is_ybr, reason = find_color(header)
    found = keyframe.photometric if is_ybr is None else YCBCR if is_ybr else RGB
    if found == YCBCR and header.components in RGB_IDENTIFIERS:
        raise ValueError(f"its JPEG data are YCbCr by {reason}, and RGB by their components' names")
    keyframe.is_jfif = False  # tifffile would let it override the color space set here
    if found == keyframe.photometric:
        return ()
    keyframe.photometric = found
    names = ("RGB", "YCbCr") if found == YCBCR else ("YCbCr", "RGB")
    return (
        f"Photometric Interpretation says {names[0]}, the JPEG data are {names[1]} by {reason}; "
        f"they were decoded as {names[1]}",
    )


def set_jpeg_2000_color(keyframe: Any, frames: list[bytes]) -> bool:
    """Make tifffile decode JPEG 2000; return whether the result is still YCbCr.

    Decoders undo the component transformation. They also convert subsampled YCbCr, and YCbCr that a
    box declares, to RGB. Only the number of Aperio's compression 33003 declares its YCbCr.

    Raises
    ------
    ValueError
        It declares both YCbCr and RGB, its bits contradict the tags, or it is cut off.
    """
    headers = [read_jpeg_2000(frame) for frame in frames]
    for frame, header in zip(frames, headers, strict=True):
        check_tiles(frame, header)
        check_bits(header.precisions, keyframe)
    if len(headers[0].precisions) != 3 or keyframe.planarconfig != 1:
        return False
    is_declared = keyframe.compression == APERIO_YCBCR or keyframe.photometric == YCBCR
    kinds = {kind_of(header, frame) for frame, header in zip(frames, headers, strict=True)}
    if len(kinds) > 1 or (is_declared and "RGB" in kinds):
        raise ValueError(
            f"Compression {int(keyframe.compression)} and Photometric Interpretation "
            f"{int(keyframe.photometric)} do not agree with the JPEG 2000 data, which are "
            f"{' and '.join(sorted(kinds))}: the colors are ambiguous"
        )
    # The decoded pixels are RGB, or are converted to it.
    keyframe.photometric, keyframe.subsampling = RGB, None
    return kinds == {"YCbCr"} or (kinds == {"undeclared"} and is_declared)


def kind_of(header: Jpeg2000Header, frame: bytes) -> str:
    """Return a codestream's color space: RGB, made RGB (by the decoder), YCbCr or undeclared."""
    box = frame.find(b"colr\1", 0, start_of_codestream(frame))
    number = int.from_bytes(frame[box + 7 : box + 11]) if box >= 0 else 0
    if header.is_subsampled or number == SYCC:
        return "made RGB"
    if header.has_transform or number == SRGB:
        return "RGB"
    return "YCbCr" if number == E_YCC else "undeclared"


def check_bits(precisions: tuple[int, ...], keyframe: Any) -> None:
    """Check that a codestream has no more bits than the tags, which set the range of values.

    Raises
    ------
    ValueError
    """
    if max(precisions) > keyframe.bitspersample:
        raise ValueError(
            f"its codestreams have samples of {max(precisions)} bits, its tags say "
            f"{keyframe.bitspersample}: one of them is wrong"
        )
