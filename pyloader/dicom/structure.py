"""Heads and ends of the elements, items and sequences of a data set (PS3.5 7.1 and 7.5)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from struct import Struct, pack, unpack_from
from struct import error as StructError  # what unpack_from raises beyond the end
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
# As written -> as pydicom has it, and whether the length has four bytes (PS3.5 7.1.2).
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
# What a file may make us remember of how elements begin.
MOST_STARTS = 1 << 14


@dataclass(frozen=True, slots=True)
class Layout:
    """The encoding of a data set's elements: VR and byte order (PS3.5 7.1 and 7.3)."""

    is_implicit: bool
    is_big_endian: bool

    @property
    def order(self) -> str:
        """Byte order as `struct` and numpy name it."""
        return ">" if self.is_big_endian else "<"

    @property
    def syntax(self) -> UID:
        """The native transfer syntax of that layout."""
        if self.is_big_endian:
            return ExplicitVRBigEndian
        return ImplicitVRLittleEndian if self.is_implicit else ExplicitVRLittleEndian

    def __str__(self) -> str:
        vr = "implicit" if self.is_implicit else "explicit"
        return f"{vr} VR, {'big' if self.is_big_endian else 'little'} endian"


class Head(NamedTuple):
    """Head of an element.

    Attributes
    ----------
    tag : int
    vr : str or None
        None when it is not written; UN when it is one that no edition of the standard lists.
    start : int
        Where the value begins.
    length : int
        As written, so `UNDEFINED_LENGTH` too.
    """

    tag: int
    vr: str | None
    start: int
    length: int

    @property
    def is_sequence(self) -> bool:
        """True for one by its VR, or by the dictionary where that says nothing.

        One that neither knows, of undefined length, is one too (PS3.5 6.2.2).
        """
        kind = dictionary_vr(self.tag) if self.vr in (None, "UN") else self.vr
        return kind in ("SQ", "UN")


def dictionary_vr(tag: int) -> str:
    """Return what the dictionary has, such as ``OB or OW``; UN of a private attribute."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def describe_tag(tag: int) -> str:
    """Return tag and keyword, for texts."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword_for_tag(tag)}".strip()


def is_vr(written: bytes) -> bool:
    """Tell whether two bytes may be a VR, also one of a later edition (PS3.5 6.2)."""
    return len(written) == 2 and written.isalpha() and written.isupper()


@lru_cache(maxsize=MOST_STARTS)
def as_tag(number: int) -> BaseTag:
    """Return a tag, one object each.

    A dict finds what is the same object without asking whether it is equal, which for a `BaseTag`
    is a call into Python.
    """
    return BaseTag(number)


@cache
def start_of(layout: Layout) -> tuple[Callable[..., Any], dict[bytes, Start]]:
    """Return what unpacks the start of an element, to what `learn` takes and its length, and what
    is known of such starts."""
    return Struct(f"{layout.order}{'4sL' if layout.is_implicit else '6sH'}").unpack_from, {}


def learn(written: bytes, layout: Layout, starts: dict[bytes, Start]) -> Start:
    """Return tag, VR, and whether a long length follows, of an element that starts so; nothing of
    what is no plain element."""
    if len(starts) >= MOST_STARTS:
        starts.clear()
    group, number = unpack_from(f"{layout.order}HH", written)
    tag = group << 16 | number
    vr, is_long = (None, False) if layout.is_implicit else WRITTEN_VRS.get(written[4:], ("", False))
    # Zeros, of which files may end with many, or have some between elements, begin as a tag of 0.
    is_plain = 0 < tag < DELIMITERS and vr != ""
    starts[written] = found = (tag, as_tag(tag), vr, is_long) if is_plain else ()
    return found


def layout_at(body: bytes, position: int, layout: Layout) -> Layout:
    """Return the layout of a data set or an item by its first element.

    Some software goes over to implicit VR within sequences; nobody goes back to explicit.
    """
    written = body[position + 4 : position + 6]
    is_implicit = layout.is_implicit or (len(written) == 2 and not is_vr(written))
    return Layout(is_implicit, layout.is_big_endian)


def head_at(body: bytes, position: int, layout: Layout) -> Head:
    """Return what begins the element at `position`.

    An unknown VR has a length of 32 bits behind two bytes of zero, as all have that came since
    (PS3.5 7.1.2). Without these zeros its length has 16 bits. An element without VR may stand among
    others that have one.

    Raises
    ------
    CutOffError
        The body ends there.
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
    """Return what begins and ends items, by its bytes."""
    return {pack(f"{layout.order}HH", mark >> 16, mark & 0xFFFF): mark for mark in MARKS}


def items_at(body: bytes, position: int, layout: Layout) -> tuple[list[Place], int | None]:
    """Return where the values of the items from `position` on stand, and where they end.

    They end behind a sequence delimiter; None when the body ends before. Delimiters of items
    without an item to end are stepped over.

    Raises
    ------
    FormatError
        Something else stands there.
    """
    places: list[Place] = []
    marks, read_length = marks_of(layout), Struct(f"{layout.order}L").unpack_from
    while position + ITEM_HEADER_BYTES <= len(body):
        mark = marks.get(body[position : position + 4])
        if mark is None:
            raise FormatError(
                f"no item of a sequence, and no end of one, stands at byte {position}, where one "
                "was expected: a length is wrong"
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
    """Return where the value of an item ends: by its length, if an item or an end follows."""
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
    """Return where the elements from `position` on end that say their length, and have a VR."""
    read, starts = start_of(layout)
    read_long, last = Struct(f"{layout.order}L").unpack_from, len(body) - 12
    while position <= last:
        written, length = read(body, position)
        known = starts.get(written)
        if known is None:
            known = learn(written, layout, starts)
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
    """Return where a value ends, one of undefined length behind its delimiter."""
    if head.length != UNDEFINED_LENGTH:
        return head.start + head.length
    if not head.is_sequence:
        return end_of_fragments(body, head, layout)
    _, stop = items_at(body, head.start, layout_of_items(body, head, layout))
    if stop is None:
        raise CutOffError(f"{describe_tag(head.tag)} is cut off")
    return stop


def layout_of_items(body: bytes, head: Head, layout: Layout) -> Layout:
    """Return the layout of a sequence; one of unknown VR is little endian (PS3.5 6.2.2)."""
    is_little = head.vr == "UN" and body[head.start : head.start + 4] in marks_of(
        Layout(True, False)
    )
    return Layout(layout.is_implicit, False) if is_little else layout


# ---------------------------------------------------------------- values in fragments


def read_fragments(body: bytes, head: Head) -> bytes | None:
    """Return a value of undefined length that is no sequence, None when it is not certain.

    Only pixel data are written so (PS3.5 A.4). Some compressors write others too: an empty offset
    table, then the value in fragments.
    """
    fragments = find_fragments(body, head.start)
    places = [place for place in fragments.places if place[1] - place[0] > ITEM_HEADER_BYTES]
    parts = [body[start + ITEM_HEADER_BYTES : stop] for start, stop in places]
    has_table = not fragments.table or (bool(parts) and is_offset_table(fragments))
    value = b"".join(parts) if has_table else fragments.table
    is_known = fragments.is_ended and (has_table or not parts)
    is_coded = value.startswith(CODESTREAM_STARTS) or is_rle_header(value)
    taken = "their bytes were taken" if is_known and not is_coded else "it is left out"
    warnings.warn(
        f"{describe_tag(head.tag)} is written in items, which are for pixel data; {taken}",
        stacklevel=2,
    )
    return value if is_known and not is_coded else None


def end_of_fragments(body: bytes, head: Head, layout: Layout) -> int:
    """Return where a value in fragments ends, one that has none by the delimiter behind it."""
    fragments = find_fragments(body, head.start)
    if fragments.is_ended:
        return fragments.stop + ITEM_HEADER_BYTES
    delimiter = pack(f"{layout.order}HHL", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0)
    place = body.find(delimiter, head.start)
    if place < 0:
        raise CutOffError(f"the end of {describe_tag(head.tag)} is not there")
    return place + len(delimiter)
