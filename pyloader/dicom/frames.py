"""Where each frame stands within the pixel data: arithmetic, offset tables, items (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import iter_unpack, unpack_from

from pydicom.uid import ExplicitVRBigEndian, RLELossless

from pyloader.dicom.instance import DELIMITER, ITEM, Instance, PixelHeader
from pyloader.errors import FormatError
from pyloader.image import PixelModule

ITEM_HEADER_BYTES = 8
# How codestreams begin: JPEG family, JPEG 2000 family, its box format, JPEG XL and its box.
CODESTREAM_STARTS = (
    b"\xff\xd8",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cjP  ",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file, from 0.

    Attributes
    ----------
    start : int
    stop : int or None
        The byte after the last; None for the end of the file.
    """

    start: int
    stop: int | None


def native_span(
    instance: Instance, header: PixelHeader, pixel: PixelModule, index: int
) -> Span | None:
    """Return the bytes of a native frame, None when it does not begin and end on a byte.

    In big endian the bytes of words are swapped, also where two frames share a word.
    """
    is_swapped = header.vr == "OW" and instance.transfer_syntax_uid == ExplicitVRBigEndian
    if pixel.frame_bits % (16 if is_swapped else 8):
        return None
    length = pixel.frame_bits // 8
    start = header.start + index * length
    return Span(start, start + length)


def table_spans(instance: Instance, first: int, table: bytes, end: int | None) -> list[Span]:
    """Return the bytes of each encapsulated frame, items included; none without offset table.

    Parameters
    ----------
    first : int
        Where the first item after the Basic Offset Table's begins.
    table : bytes
        The Basic Offset Table (PS3.5 A.4).
    end : int or None
        Where the last frame ends at the latest; None when that is not known.

    Raises
    ------
    FormatError
        A table does not fit the number of frames.
    """
    extended = extended_spans(instance, first)
    offsets = [offset for (offset,) in iter_unpack("<L", table[: len(table) // 4 * 4])]
    if not extended and not offsets:
        return []
    starts = [first + offset for offset in offsets]
    spans = extended or [Span(*pair) for pair in zip(starts, [*starts[1:], end], strict=True)]
    # Offsets that do not rise give spans that end before they begin.
    fit = all(span.stop is None or span.start < span.stop <= (end or span.stop) for span in spans)
    if len(spans) != instance.number_of_frames or not fit:
        raise FormatError(
            f"the offset table has {len(spans)} entries, ascending and within the file: {fit}; "
            f"expected one for each of {instance.number_of_frames} frames"
        )
    return spans


def extended_spans(instance: Instance, first: int) -> list[Span]:
    """Return what the Extended Offset Table tells (PS3.3 C.7.6.3.1.8)."""
    table = instance.dataset.get("ExtendedOffsetTable") or b""
    lengths = instance.dataset.get("ExtendedOffsetTableLengths") or b""
    if not table or len(table) != len(lengths) or len(table) % 8:
        return []
    pairs = zip(iter_unpack("<Q", table), iter_unpack("<Q", lengths), strict=True)
    return [
        Span(first + offset, first + offset + ITEM_HEADER_BYTES + length + length % 2)
        for (offset,), (length,) in pairs
    ]


def item_length(body: bytes, position: int = 0) -> int | None:
    """Return the length of the item that begins at `position`, None for the delimiter.

    Raises
    ------
    FormatError
        Neither begins there.
    """
    tag = body[position : position + 4]
    if tag == DELIMITER[:4]:
        return None
    if tag != ITEM or len(body) < position + ITEM_HEADER_BYTES:
        raise FormatError(
            f"no item of the pixel data begins with {body[position : position + 8]!r}; the offset "
            "table is wrong, or the file is damaged"
        )
    length: int = unpack_from("<L", body, position + 4)[0]
    return length


def join_fragments(body: bytes) -> bytes:
    """Return a frame of its items, up to the delimiter or the end of `body`."""
    fragments = list(fragments_of(body))
    return fragments[0] if len(fragments) == 1 else b"".join(fragments)


def fragments_of(body: bytes) -> Iterator[bytes]:
    """Yield the values of the items that `body` begins with."""
    position = 0
    while position < len(body):
        length = item_length(body, position)
        if length is None:
            return
        start = position + ITEM_HEADER_BYTES
        position = start + length
        if position > len(body):
            raise FormatError(
                f"an item of the pixel data is cut off: {len(body) - start} of {length} bytes; the "
                "offset table is wrong, or the file is damaged"
            )
        yield body[start:position]


def begins_frame(instance: Instance, fragment: bytes) -> bool:
    """Tell by its first bytes whether a fragment begins a frame, where no table tells.

    RLE has one fragment for each frame (PS3.5 A.4.2).
    """
    is_rle = instance.transfer_syntax_uid == RLELossless
    return is_rle or fragment.startswith(CODESTREAM_STARTS)
