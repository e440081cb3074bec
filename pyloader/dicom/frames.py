"""Where each frame stands within the pixel data: arithmetic, offset tables, items (PS3.5 A.4).

An offset table is taken when it agrees with the items; otherwise, and without one, the fragments
tell: one for each frame, or those from one beginning of a codestream to the next.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from struct import iter_unpack
from typing import TYPE_CHECKING

from pydicom.uid import ExplicitVRBigEndian, RLELossless

from pyloader.dicom.fragments import (
    CODESTREAM_STARTS,
    ITEM_HEADER_BYTES,
    CutOffError,
    Fragments,
    Span,
    join_fragments,
)
from pyloader.dicom.syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
)
from pyloader.dicom.values import value_of
from pyloader.errors import FormatError
from pyloader.image import PixelModule

if TYPE_CHECKING:
    from pyloader.dicom.instance import Instance, PixelElement
    from pyloader.dicom.pixel_header import PixelHeader

# Those of JPEG XL and of its box may stand within others, FF 0A in one of 65536 fragments.
JPEG_XL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
START_BYTES = 12
# JPEG and JPEG 2000 end alike (ISO 10918-1 B.1.1.3, ISO 15444-1 A.2); padding may follow.
END_OF_CODESTREAM = b"\xff\xd9"
END_BYTES = 10
JPEG_XL_SYNTAXES = (JPEG_XL_LOSSLESS, JPEG_XL_RECOMPRESSION, JPEG_XL)
# Of these each frame is one fragment (PS3.5 A.4.2, A.4.11, A.4.13), whatever it begins with.
ONE_FRAGMENT = (RLELossless, ENCAPSULATED_UNCOMPRESSED, DEFLATED_IMAGE_FRAME)

Place = tuple[int, int]


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


# ---------------------------------------------------------------- offset tables


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
    count = instance.number_of_frames
    found = (extended_spans(instance, first), basic_spans(first, table, end, count))
    tables = [spans for spans in found if spans]
    fits = [all(is_span(span, first, end) for span in spans) for spans in tables]
    for spans, is_fit in zip(tables, fits, strict=True):
        if len(spans) == count and is_fit:
            return spans
    if tables:
        raise FormatError(
            f"the offset table has {len(tables[0])} entries, ascending and within the file: "
            f"{fits[0]}; expected one for each of {count} frames"
        )
    return []


def is_span(span: Span, first: int, end: int | None) -> bool:
    """Tell whether a frame is not empty and within the pixel data; offsets may not rise."""
    return span.stop is None or first <= span.start < span.stop <= (end or span.stop)


def basic_spans(first: int, table: bytes, end: int | None, count: int) -> list[Span]:
    """Return what the Basic Offset Table tells; entries beyond the number of frames are left."""
    offsets = [offset for (offset,) in iter_unpack("<L", table[: len(table) // 4 * 4])]
    starts = [first + offset for offset in offsets]
    pairs = zip(starts, [*starts[1:], end], strict=True) if starts else ()
    return [Span(*pair) for pair in pairs][:count]


def extended_spans(instance: Instance, first: int) -> list[Span]:
    """Return what the Extended Offset Table tells (PS3.3 C.7.6.3.1.8)."""
    table = value_of(instance.dataset, "ExtendedOffsetTable")
    lengths = value_of(instance.dataset, "ExtendedOffsetTableLengths")
    if not (isinstance(table, bytes) and isinstance(lengths, bytes)):
        return []
    if len(table) != len(lengths) or len(table) % 8:
        return []
    pairs = zip(iter_unpack("<Q", table), iter_unpack("<Q", lengths), strict=True)
    return [
        Span(first + offset, first + offset + ITEM_HEADER_BYTES + length + length % 2)
        for (offset,), (length,) in pairs
    ]


# ---------------------------------------------------------------- of a whole file


def locate_frames(instance: Instance, fragments: Fragments, body: bytes) -> tuple[Place, ...]:
    """Return the bytes of each encapsulated frame of a whole file, items included.

    Returns
    -------
    tuple of (int, int)
        Fewer than there are frames when they cannot be told apart, or are not there; the last
        one that is there may end beyond `body`.
    """
    try:
        end = fragments.stop if fragments.is_ended else None
        spans = table_spans(instance, fragments.first, fragments.table, end)
        if spans:
            return check_table(spans, fragments, len(body))
    except FormatError as error:
        warnings.warn(f"{error}; the frames were found by their fragments", stacklevel=2)
    return group_fragments(instance, fragments, body)


def check_table(spans: list[Span], fragments: Fragments, end: int) -> tuple[Place, ...]:
    """Return the places that an offset table tells, if items begin and end there."""
    edges = {fragments.first, *(stop for _, stop in fragments.places)}
    places = [(span.start, fragments.stop if span.stop is None else span.stop) for span in spans]
    # What lies beyond the end of a file that was cut off cannot be looked at.
    seen = [edge for place in places for edge in place if edge <= min(end, fragments.stop)]
    if min(places)[0] != fragments.first or not edges.issuperset(seen):
        raise FormatError("the offset table names places where no item begins")
    return tuple(places)


def group_fragments(instance: Instance, fragments: Fragments, body: bytes) -> tuple[Place, ...]:
    """Return the places of frames for which no table tells (PS3.5 A.4)."""
    count = instance.number_of_frames
    places = [place for place in fragments.places if place[1] - place[0] > ITEM_HEADER_BYTES]
    if len(places) == count or not places:
        return tuple(places)
    if instance.transfer_syntax_uid in ONE_FRAGMENT:
        groups = places
    else:
        groups = by_beginning(places, body, starts_of(instance))
        if count == 1 and not has_end(groups[0], body):
            groups = [(places[0][0], places[-1][1])]
        if len(groups) != count:
            by_ends = by_end(places, body)
            groups = by_ends if len(by_ends) == count else groups
    ends = {stop for start, stop in places if has_end((start, stop), body)}
    if len(groups) < count and not ends.issubset(stop for _, stop in groups):
        return ()  # a frame's beginning was not known; those behind it would take its number
    return at_most(groups, count)


def at_most(groups: Sequence[Place], count: int) -> tuple[Place, ...]:
    """Return the frames, at most as many as the header says."""
    if len(groups) > count:
        warnings.warn(
            f"the pixel data hold {len(groups)} frames, (0028,0008) NumberOfFrames says {count}; "
            "those behind are left out",
            stacklevel=2,
        )
    return tuple(groups[:count])


def starts_of(instance: Instance) -> tuple[bytes, ...]:
    """Return how codestreams of the instance begin."""
    return JPEG_XL_STARTS if instance.transfer_syntax_uid in JPEG_XL_SYNTAXES else CODESTREAM_STARTS


def by_beginning(
    places: Sequence[Place], body: bytes, beginnings: tuple[bytes, ...]
) -> list[Place]:
    """Return fragments put together from each beginning of a codestream to the next."""
    starts = [
        start for start, _ in places if body.startswith(beginnings, start + ITEM_HEADER_BYTES)
    ]
    edges = [places[0][0], *(start for start in starts if start > places[0][0]), places[-1][1]]
    return list(pairwise(edges))


def by_end(places: Sequence[Place], body: bytes) -> list[Place]:
    """Return fragments put together up to each end of a codestream."""
    stops = [place[1] for place in places if has_end(place, body)]
    edges = [places[0][0], *(stop for stop in stops if stop < places[-1][1]), places[-1][1]]
    return list(pairwise(edges))


def has_end(place: Place, body: bytes) -> bool:
    """Tell whether a codestream of JPEG or JPEG 2000 ends there."""
    return END_OF_CODESTREAM in body[max(place[0], place[1] - END_BYTES) : place[1]]


def encapsulated_frame(instance: Instance, element: PixelElement, index: int) -> bytes:
    """Return one encoded frame, from 0, its fragments put together.

    Raises
    ------
    CutOffError
        The file ends before the frame does.
    FormatError
        Nothing tells where the frame is.
    """
    if element.frame_index is not None:
        return element.body[element.start : element.stop]
    frames, end = element.frames, len(element.body)
    if index >= len(frames):
        raise absent_frame(instance, element, index)
    start, stop = frames[index]
    if stop > end:
        missing = min(stop - start, stop - end)
        raise CutOffError(
            f"frame {index + 1} of {instance.number_of_frames} is cut off: {missing} of its "
            f"{stop - start} bytes are missing, the file ends at byte {end}; load it again"
        )
    return join_fragments(element.body[start:stop])


def absent_frame(instance: Instance, element: PixelElement, index: int) -> FormatError:
    """Say why a frame has no place."""
    count, found = instance.number_of_frames, len(element.frames)
    if element.is_ended:
        return FormatError(
            f"frame {index + 1} cannot be found: (0028,0008) NumberOfFrames is {count}, and the "
            "fragments of the pixel data are not of that many frames; no offset table tells them "
            "apart"
        )
    return CutOffError(
        f"frame {index + 1} of {count} is missing: the file ends at byte {len(element.body)}, "
        f"behind frame {found}; load it again"
    )


def begins_frame(instance: Instance, fragment: bytes) -> bool:
    """Tell by its first bytes whether a fragment begins a frame, where no table tells."""
    is_whole = instance.transfer_syntax_uid in ONE_FRAGMENT
    return is_whole or fragment.startswith(starts_of(instance))
