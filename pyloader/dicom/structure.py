"""Headers and ends of the elements, items and sequences of a data set (PS3.5 7.1 and 7.5)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from struct import Struct, pack, unpack_from
from struct import error as StructError  # unpack_from raises it past the end
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import empty_value_for_VR
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from pyloader.dicom.fragments import (
    CODESTREAM_STARTS,
    ITEM_HEADER_BYTES,
    CutOffError,
    find_fragments,
    is_offset_table,
    is_rle_header,
)
from pyloader.errors import FormatError

UNDEFINED_LENGTH = 0xFFFFFFFF
DELIMITERS = 0xFFFE0000
MARKS = ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
# VR as written -> pydicom's VR, and whether its length field has four bytes (PS3.5 7.1.2).
WRITTEN_VRS = {
    vr.value.encode(): (vr.value, vr in EXPLICIT_VR_LENGTH_32) for vr in VR if len(vr.value) == 2
}
PIXEL_KEYWORDS = {
    0x7FE00008: "FloatPixelData",
    0x7FE00009: "DoubleFloatPixelData",
    0x7FE00010: "PixelData",
}
Place = tuple[int, int]
Start = tuple[int, BaseTag, str | None, bool] | tuple[()]
NO_VALUE = {vr: empty_value_for_VR(vr, raw=True) for vr in (None, *(vr.value for vr in VR))}
# Limit for the cached element starts, so that a file cannot fill the memory.
MOST_STARTS = 1 << 14


@dataclass(frozen=True, slots=True)
class Layout:
    """The encoding of a data set's elements: VR and byte order (PS3.5 7.1 and 7.3)."""

    is_implicit: bool
    is_big_endian: bool

    @property
    def order(self) -> str:
        """Byte order in the notation of `struct` and numpy: ``<`` or ``>``."""
        return ">" if self.is_big_endian else "<"

    @property
    def syntax(self) -> UID:
        """The native transfer syntax with this layout."""
        if self.is_big_endian:
            return ExplicitVRBigEndian
        return ImplicitVRLittleEndian if self.is_implicit else ExplicitVRLittleEndian

    def __str__(self) -> str:
        vr = "implicit" if self.is_implicit else "explicit"
        return f"{vr} VR, {'big' if self.is_big_endian else 'little'} endian"


class Head(NamedTuple):
    """The header of an element.

    Attributes
    ----------
    tag : int
    vr : str or None
        None when not written; UN for a VR that is not in `WRITTEN_VRS`.
    start : int
        Start of the value in the body, in bytes from 0.
    length : int
        As written; may be `UNDEFINED_LENGTH`.
    """

    tag: int
    vr: str | None
    start: int
    length: int

    @property
    def is_sequence(self) -> bool:
        """True for a sequence by its VR, or by the dictionary if the VR is absent or UN.

        An element that is UN in the dictionary too also counts: with an undefined length it is a
        sequence (PS3.5 6.2.2).
        """
        kind = dictionary_vr(self.tag) if self.vr in (None, "UN") else self.vr
        return kind in ("SQ", "UN")


def dictionary_vr(tag: int) -> str:
    """Return the VR in the dictionary, such as ``OB or OW``; UN for a private attribute."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def describe_tag(tag: int) -> str:
    """Return tag and keyword, for messages."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword_for_tag(tag)}".strip()


def is_vr(written: bytes) -> bool:
    """Return whether two bytes may be a VR, also one of a later edition (PS3.5 6.2)."""
    return len(written) == 2 and written.isalpha() and written.isupper()


@lru_cache(maxsize=MOST_STARTS)
def as_tag(number: int) -> BaseTag:
    """Return a tag, always the same object for the same number.

    A dict finds an identical object without calling ``__eq__``, which for `BaseTag` is written in
    Python.
    """
    return BaseTag(number)


@cache
def start_parser(layout: Layout) -> tuple[Callable[..., Any], dict[bytes, Start]]:
    """Return a function that unpacks the start of an element, and the cache of parsed starts.

    The function returns the bytes that `parse_start` takes, and the length field after them.
    """
    return Struct(f"{layout.order}{'4sL' if layout.is_implicit else '6sH'}").unpack_from, {}


def parse_start(written: bytes, layout: Layout, starts: dict[bytes, Start]) -> Start:
    """Parse and cache the start of an element: tag, VR, and whether a long length follows.

    Return an empty tuple for a delimiter, an unknown VR or a tag of zeros.
    """
    if len(starts) >= MOST_STARTS:
        starts.clear()
    group, number = unpack_from(f"{layout.order}HH", written)
    tag = group << 16 | number
    vr, is_long = (None, False) if layout.is_implicit else WRITTEN_VRS.get(written[4:], ("", False))
    # Files may have zeros at their end or between elements; these parse as tag 0.
    is_plain = 0 < tag < DELIMITERS and vr != ""
    starts[written] = found = (tag, as_tag(tag), vr, is_long) if is_plain else ()
    return found


def layout_at(body: bytes, position: int, layout: Layout) -> Layout:
    """Return the layout of a data set or an item, from its first element.

    Some software switches to implicit VR within sequences; none switches back to explicit VR.
    """
    written = body[position + 4 : position + 6]
    is_implicit = layout.is_implicit or (len(written) == 2 and not is_vr(written))
    return Layout(is_implicit, layout.is_big_endian)


def head_at(body: bytes, position: int, layout: Layout) -> Head:
    """Return the header of the element at `position`.

    An unknown VR has a 32-bit length after two zero bytes, like all VRs added to the standard
    later (PS3.5 7.1.2). Without these zeros its length has 16 bits. An element without VR may be
    among elements that have one.

    Raises
    ------
    CutOffError
        The body ends within the header.
    """
    order, start = layout.order, position + 8
    try:
        group, number, length = unpack_from(f"{order}HHL", body, position)
        tag = group << 16 | number
        written = body[position + 4 : position + 6]
        if layout.is_implicit or tag >= DELIMITERS or not is_vr(written):
            return Head(tag, None, start, length)
        has_room = body[position + 6 : start] == b"\0\0"
        vr, is_long = WRITTEN_VRS.get(written, ("UN", has_room))
        if is_long:
            return Head(tag, vr, start + 4, unpack_from(f"{order}L", body, start)[0])
        return Head(tag, vr, start, unpack_from(f"{order}H", body, position + 6)[0])
    except StructError as error:
        raise CutOffError(f"an element that begins at byte {position} is cut off") from error


@cache
def marks_of(layout: Layout) -> dict[bytes, int]:
    """Return the tags of items and their delimiters, by their encoded bytes."""
    return {pack(f"{layout.order}HH", mark >> 16, mark & 0xFFFF): mark for mark in MARKS}


def items_at(body: bytes, position: int, layout: Layout) -> tuple[list[Place], int | None]:
    """Return start and stop of the values of the items from `position` on, and their end.

    The end is after the sequence delimiter, or None when the body ends before it. Item delimiters
    outside an item are skipped.

    Raises
    ------
    FormatError
        Neither an item nor a delimiter follows.
    """
    places: list[Place] = []
    marks, read_length = marks_of(layout), Struct(f"{layout.order}L").unpack_from
    while position + ITEM_HEADER_BYTES <= len(body):
        mark = marks.get(body[position : position + 4])
        if mark is None:
            raise FormatError(
                f"found neither an item of a sequence nor its end at byte {position}, expected "
                "one of them: a length before it is wrong"
            )
        (length,) = read_length(body, position + 4)
        position += ITEM_HEADER_BYTES
        if mark == SEQUENCE_END:
            return places, position
        if mark == ITEM:
            stop = end_of_item(body, position, length, layout)
            places.append((position, stop))
            is_ended = marks.get(body[stop : stop + 4]) == ITEM_END
            position = stop + ITEM_HEADER_BYTES if is_ended else stop
    return places, None


def end_of_item(body: bytes, start: int, length: int, layout: Layout) -> int:
    """Return where the value of an item ends: by its length if an item or delimiter follows.

    Otherwise the length is undefined or wrong, and the item's elements are read up to its end.
    """
    stop = start + length
    is_followed = stop >= len(body) or body[stop : stop + 4] in marks_of(layout)
    if length != UNDEFINED_LENGTH and is_followed:
        return stop
    layout, position = layout_at(body, start, layout), start
    while True:
        position = end_of_plain(body, position, layout)
        head = head_at(body, position, layout)
        if head.tag >= DELIMITERS:
            return position
        position = end_of_value(body, head, layout)


def end_of_plain(body: bytes, position: int, layout: Layout) -> int:
    """Return where the run of plain elements from `position` on ends; see `parse_start`.

    An element of undefined length ends it too.
    """
    read, starts = start_parser(layout)
    read_long, last = Struct(f"{layout.order}L").unpack_from, len(body) - 12
    while position <= last:
        written, length = read(body, position)
        known = starts.get(written)
        if known is None:
            known = parse_start(written, layout, starts)
        if not known:
            break
        start = position + 8
        if known[3]:
            (length,) = read_long(body, start)
            start += 4
        if length == UNDEFINED_LENGTH:
            break
        position = start + length
    return position


def end_of_value(body: bytes, head: Head, layout: Layout) -> int:
    """Return where a value ends: after its delimiter if its length is undefined."""
    if head.length != UNDEFINED_LENGTH:
        return head.start + head.length
    if not head.is_sequence:
        return end_of_fragments(body, head, layout)
    _, stop = items_at(body, head.start, layout_of_items(body, head, layout))
    if stop is None:
        raise CutOffError(f"{describe_tag(head.tag)} is cut off")
    return stop


def layout_of_items(body: bytes, head: Head, layout: Layout) -> Layout:
    """Return the layout of the items of a sequence; VR UN means little endian (PS3.5 6.2.2)."""
    is_little = head.vr == "UN" and body[head.start : head.start + 4] in marks_of(
        Layout(True, False)
    )
    return Layout(layout.is_implicit, False) if is_little else layout


# ---------------------------------------------------------------- fragmented values


def read_fragments(body: bytes, head: Head) -> bytes | None:
    """Return a value of undefined length that is not a sequence; None when it is uncertain.

    Only pixel data may be written in this form (PS3.5 A.4). Some compressors use it for other
    attributes too: an empty offset table, then the value in fragments.
    """
    fragments = find_fragments(body, head.start)
    places = [place for place in fragments.places if place[1] - place[0] > ITEM_HEADER_BYTES]
    parts = [body[start + ITEM_HEADER_BYTES : stop] for start, stop in places]
    has_table = not fragments.table or (bool(parts) and is_offset_table(fragments))
    value = b"".join(parts) if has_table else fragments.table
    is_known = fragments.is_ended and (has_table or not parts)
    is_coded = value.startswith(CODESTREAM_STARTS) or is_rle_header(value)
    action = "their bytes were joined" if is_known and not is_coded else "it is left out"
    warnings.warn(
        f"{describe_tag(head.tag)} is written in items, which are for pixel data only; {action}",
        stacklevel=2,
    )
    return value if is_known and not is_coded else None


def end_of_fragments(body: bytes, head: Head, layout: Layout) -> int:
    """Return where a fragmented value ends; without a readable end, search for its delimiter."""
    fragments = find_fragments(body, head.start)
    if fragments.is_ended:
        return fragments.stop + ITEM_HEADER_BYTES
    delimiter = pack(f"{layout.order}HHL", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0)
    place = body.find(delimiter, head.start)
    if place < 0:
        raise CutOffError(f"the end of {describe_tag(head.tag)} is missing")
    return place + len(delimiter)
