"""Locate each frame within the pixel data, by arithmetic, offset tables or items (PS3.5 A.4).

An offset table is used if it agrees with the items. Otherwise the fragments are grouped: one for
each frame, or all from one start of a codestream to the next.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import accumulate, pairwise

from pydicom.uid import ExplicitVRBigEndian, RLELossless

from pyloader.dicom.fragments import (
    CODESTREAM_STARTS,
    ITEM_HEADER_BYTES,
    CutOffError,
    Fragments,
    Span,
    find_fragments,
    is_rle_header,
    join_fragments,
)
from pyloader.dicom.instance import Instance, PixelElement
from pyloader.dicom.offset_tables import table_spans
from pyloader.dicom.part10 import PixelHeader
from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    ENCAPSULATED_UNCOMPRESSED,
    JPEG_XL,
    JPEG_XL_LOSSLESS,
    JPEG_XL_RECOMPRESSION,
    name_of,
)
from pyloader.dicom.whole_frames import WHOLE, group_whole, is_sized
from pyloader.errors import FormatError
from pyloader.image import PixelModule

# Starts of a JPEG XL codestream and of its box format. They are not conclusive: by chance, one of
# 65536 fragments begins with FF 0A.
JPEG_XL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
START_BYTES = 12
# JPEG and JPEG 2000 have the same end marker (ISO 10918-1 B.1.1.3, ISO 15444-1 A.2); padding may
# follow.
END_OF_CODESTREAM = b"\xff\xd9"
END_BYTES = 10
JPEG_XL_SYNTAXES = (JPEG_XL_LOSSLESS, JPEG_XL_RECOMPRESSION, JPEG_XL)
# With these, each frame is one fragment (PS3.5 A.4.2, A.4.11, A.4.13), whatever its first bytes.
ONE_FRAGMENT = (RLELossless, *WHOLE)

Place = tuple[int, int]


def native_span(
    instance: Instance, header: PixelHeader, pixel: PixelModule, index: int
) -> Span | None:
    """Return the span of a native frame; None when it does not begin and end on a byte.

    Big endian swaps the bytes of each word. A frame must then begin and end on a word, because two
    frames that share a word are swapped together.
    """
    is_swapped = header.vr == "OW" and instance.transfer_syntax_uid == ExplicitVRBigEndian
    if pixel.frame_bits % (16 if is_swapped else 8):
        return None
    length = pixel.frame_bits // 8
    start = header.start + index * length
    return Span(start, start + length)


# ---------------------------------------------------------------- in a whole file


def locate_frames(instance: Instance, fragments: Fragments, body: bytes) -> tuple[Place, ...]:
    """Return the start and stop of each encapsulated frame of a whole file, items included.

    Returns
    -------
    tuple of (int, int)
        Fewer than the number of frames if frames are missing or cannot be separated. The last one
        may end beyond `body`.
    """
    try:
        end = fragments.stop if fragments.is_ended else None
        spans = table_spans(instance, fragments.first, fragments.table, end)
        if spans:
            return check_table(instance, spans, fragments, body)
    except FormatError as error:
        warnings.warn(f"{error}; the frames were located by their fragments", stacklevel=2)
    return group_fragments(instance, fragments, body)


def check_table(
    instance: Instance, spans: list[Span], fragments: Fragments, body: bytes
) -> tuple[Place, ...]:
    """Return the places in an offset table; raise unless frames begin and end there."""
    edges = {fragments.first, *(stop for _, stop in fragments.places)}
    places = [(span.start, fragments.stop if span.stop is None else span.stop) for span in spans]
    # In a file that is cut off, edges beyond its end cannot be checked.
    seen = [edge for place in places for edge in place if edge <= min(len(body), fragments.stop)]
    if min(places)[0] != fragments.first or not edges.issuperset(seen):
        raise FormatError("the offset table points to bytes where no item begins")
    filled = not_empty(fragments)
    if len(filled) != len(places):
        starts = sorted(start for start, _ in places if start < fragments.stop)
        check_beginnings(instance, starts, filled, body)
    return tuple(places)


def check_beginnings(
    instance: Instance, starts: Sequence[int], places: Sequence[Place], body: bytes
) -> None:
    """Raise if a frame of the table would begin within another, by the bytes of the fragments."""
    syntax = instance.transfer_syntax_uid
    if syntax in ONE_FRAGMENT:
        found = [start for start, _ in group_single(instance, places, body)]
        is_right = found[: len(starts)] == starts[: len(found)]
    else:
        begun = {start for start, _ in places if begins_frame(instance, body, start)}
        ended = {stop for start, stop in places if has_end((start, stop), body)}
        is_right = begun.issubset(starts) and begun.union(ended).issuperset(starts[1:])
    if not is_right and syntax not in JPEG_XL_SYNTAXES:
        raise FormatError("the offset table points to bytes where no frame begins")


def not_empty(fragments: Fragments) -> list[Place]:
    """Return the start and stop of each fragment that is not empty."""
    return [place for place in fragments.places if place[1] - place[0] > ITEM_HEADER_BYTES]


def group_fragments(instance: Instance, fragments: Fragments, body: bytes) -> tuple[Place, ...]:
    """Return the places of frames without a usable offset table (PS3.5 A.4)."""
    count, syntax = instance.number_of_frames, instance.transfer_syntax_uid
    places = not_empty(fragments)
    if not places:
        return ()
    if syntax in ONE_FRAGMENT:
        return at_most(group_single(instance, places, body), count)
    begun = [start for start, _ in places if begins_frame(instance, body, start)]
    groups = by_beginning(places, begun)
    if len(places) == count and (len(groups) == count or not begun or syntax in JPEG_XL_SYNTAXES):
        return tuple(places)
    if count == 1 and not has_end(groups[0], body):
        groups = [(places[0][0], places[-1][1])]
    if len(groups) != count:
        by_ends = by_end(places, body)
        groups = by_ends if len(by_ends) == count else groups
    ends = {stop for start, stop in places if has_end((start, stop), body)}
    is_sure = len(groups) == len(places) or (ends and ends.issubset(stop for _, stop in groups))
    if len(groups) < count and not is_sure:
        return ()  # the start of some frame was not recognised: later frames would be misnumbered
    return at_most(groups, count)


def group_single(instance: Instance, places: Sequence[Place], body: bytes) -> list[Place]:
    """Return the places of frames that should be one fragment each; empty if uncertain."""
    count, syntax = instance.number_of_frames, instance.transfer_syntax_uid
    view = memoryview(body)
    values = [view[start + ITEM_HEADER_BYTES : stop] for start, stop in places]
    edges = [0, *accumulate(group_whole(instance.dataset, syntax, count, values))]
    return [(places[first][0], places[stop - 1][1]) for first, stop in pairwise(edges)]


def at_most(groups: Sequence[Place], count: int) -> tuple[Place, ...]:
    """Return the frames, at most Number of Frames of them; warn about the others."""
    if len(groups) > count:
        warnings.warn(
            f"the pixel data hold {len(groups)} frames, (0028,0008) NumberOfFrames says {count}; "
            "the last ones are left out",
            stacklevel=2,
        )
    return tuple(groups[:count])


def starts_of(instance: Instance) -> tuple[bytes, ...]:
    """Return the first bytes that codestreams of the instance can have."""
    return JPEG_XL_STARTS if instance.transfer_syntax_uid in JPEG_XL_SYNTAXES else CODESTREAM_STARTS


def by_beginning(places: Sequence[Place], starts: Sequence[int]) -> list[Place]:
    """Return groups of fragments, each from one start of a codestream to the next."""
    edges = [places[0][0], *(start for start in starts if start > places[0][0]), places[-1][1]]
    return list(pairwise(edges))


def by_end(places: Sequence[Place], body: bytes) -> list[Place]:
    """Return groups of fragments, each up to one end of a codestream."""
    stops = [place[1] for place in places if has_end(place, body)]
    edges = [places[0][0], *(stop for stop in stops if stop < places[-1][1]), places[-1][1]]
    return list(pairwise(edges))


def has_end(place: Place, body: bytes) -> bool:
    """Return whether a fragment contains the end of a JPEG or JPEG 2000 codestream."""
    return END_OF_CODESTREAM in body[max(place[0], place[1] - END_BYTES) : place[1]]


def encapsulated_frame(instance: Instance, element: PixelElement, index: int) -> bytes:
    """Return one encoded frame, by index from 0, with its fragments joined.

    Raises
    ------
    CutOffError
        The file ends before the frame does.
    FormatError
        The place of the frame is unknown.
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
    """Return the error that says why a frame has no place."""
    count, found = instance.number_of_frames, len(element.frames)
    if element.is_ended:
        return FormatError(
            f"frame {index + 1} cannot be found: (0028,0008) NumberOfFrames is {count}, but the "
            "fragments of the pixel data do not form that many frames, and no offset table "
            "separates them"
        )
    return CutOffError(
        f"frame {index + 1} of {count} is missing: the file ends at byte {len(element.body)}, "
        f"after frame {found}; load it again"
    )


def begins_frame(instance: Instance, body: bytes, start: int) -> bool:
    """Return whether a frame begins with the item at `start`, by the first bytes of its value."""
    start += ITEM_HEADER_BYTES
    if instance.transfer_syntax_uid == RLELossless:
        return is_rle_header(body[start : start + START_BYTES])
    return body.startswith(starts_of(instance), start)


# ---------------------------------------------------------------- in a part of a file


def is_beginning(instance: Instance, item: bytes, length: int) -> bool:
    """Return whether a frame begins with an item; only its first bytes may be here.

    Parameters
    ----------
    item : bytes
        The item from its header on.
    length : int
        Bytes of the whole value.

    Raises
    ------
    FormatError
        Frames should be one fragment each, but this may be a part of one. The whole file is
        needed to find out.
    """
    syntax = instance.transfer_syntax_uid
    if syntax not in WHOLE:
        is_start = begins_frame(instance, item, 0)
    else:
        is_start = syntax != DEFLATED_IMAGE_FRAME and is_sized(instance.dataset, syntax, length)
    if not is_start and syntax in ONE_FRAGMENT:
        raise FormatError(
            f"a fragment of {length} bytes may not be a whole frame of {name_of(syntax)}, and "
            "there is no offset table"
        )
    return is_start


def check_items(instance: Instance, items: bytes) -> None:
    """Raise if the items that an offset table gives one frame contain a second frame."""
    syntax = instance.transfer_syntax_uid
    others = find_fragments(items, 0).places  # without the first item, which it takes as the table
    if not others or syntax in JPEG_XL_SYNTAXES:
        return
    is_one = not any(begins_frame(instance, items, start) for start, _ in others)
    if syntax == ENCAPSULATED_UNCOMPRESSED:
        is_one = is_sized(instance.dataset, syntax, len(join_fragments(items)))
    if not is_one:
        raise FormatError("the offset table points to bytes where no frame begins")
