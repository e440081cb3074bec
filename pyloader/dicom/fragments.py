"""The items of encapsulated pixel data: an offset table, then fragments (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from struct import iter_unpack, unpack_from

from pyloader.errors import FormatError

ITEM = b"\xfe\xff\x00\xe0"
DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
ITEM_HEADER_BYTES = 8
RLE_HEADER_BYTES = 64
RLE_START_BYTES = 12
# First bytes of codestreams: JPEG family, JPEG 2000 family, its box format.
CODESTREAM_STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")


class CutOffError(FormatError):
    """The file ends too early: some of its bytes are missing."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of bytes of a file, from 0.

    Attributes
    ----------
    start : int
    stop : int or None
        The byte after the last; None for the end of the file.
    """

    start: int
    stop: int | None


@dataclass(frozen=True, slots=True)
class Fragments:
    """The items of encapsulated pixel data.

    Attributes
    ----------
    table : bytes
        The Basic Offset Table; empty when there is none.
    first : int
        Start of the first item after the table; offsets count from here.
    places : tuple of (int, int)
        Start and stop of each following item, header included; the last one may end beyond the
        file.
    is_ended : bool
        True when the sequence delimiter follows the items.
    """

    table: bytes
    first: int
    places: tuple[tuple[int, int], ...]
    is_ended: bool

    @property
    def stop(self) -> int:
        """The byte after the last item."""
        return self.places[-1][1] if self.places else self.first


def find_fragments(body: bytes, start: int) -> Fragments:
    """Walk the items of encapsulated pixel data, up to the first bytes that are not an item.

    Parameters
    ----------
    start : int
        Start of the Basic Offset Table's item in `body`.
    """
    places: list[tuple[int, int]] = []
    position = start
    while body[position : position + 4] == ITEM and position + ITEM_HEADER_BYTES <= len(body):
        stop = position + ITEM_HEADER_BYTES + unpack_from("<L", body, position + 4)[0]
        places.append((position, stop))
        position = stop
    is_ended = body[position : position + 4] == DELIMITER[:4]
    if not places:
        return Fragments(b"", start, (), is_ended)
    first = places[0][1]
    return Fragments(body[start + ITEM_HEADER_BYTES : first], first, tuple(places[1:]), is_ended)


def is_offset_table(fragments: Fragments) -> bool:
    """Return whether the first item is an offset table: its offsets point to other items."""
    table = fragments.table
    offsets = [offset for (offset,) in iter_unpack("<L", table[: len(table) // 4 * 4])]
    starts = {start - fragments.first for start, _ in fragments.places}
    is_rising = offsets[:1] == [0] and offsets == sorted(set(offsets))
    return len(table) % 4 == 0 and is_rising and starts.issuperset(offsets)


def is_rle_header(frame: bytes | bytearray | memoryview) -> bool:
    """Return whether bytes begin with an RLE header: segment offsets rise from 64 (PS3.5 G.5).

    The first `RLE_START_BYTES` are enough.
    """
    if len(frame) < RLE_START_BYTES:
        return False
    (count,) = unpack_from("<L", frame)
    if not 1 <= count <= 15:
        return False
    there = min(count, len(frame) // 4 - 1)
    places = unpack_from(f"<{there}L", frame, 4)
    is_rising = all(one < other for one, other in pairwise(places))
    return bool(places[0] == RLE_HEADER_BYTES and is_rising)


def item_length(body: bytes, position: int = 0) -> int | None:
    """Return the length of the item at `position`; None for the sequence delimiter.

    Raises
    ------
    FormatError
        Neither of them is at `position`.
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
    """Join the items of a frame, up to the delimiter or the end of `body`."""
    fragments = list(fragments_of(body))
    return fragments[0] if len(fragments) == 1 else b"".join(fragments)


def fragments_of(body: bytes) -> Iterator[bytes]:
    """Yield the values of the items at the start of `body`."""
    position = 0
    while position < len(body):
        length = item_length(body, position)
        if length is None:
            return
        start = position + ITEM_HEADER_BYTES
        position = start + length
        if position > len(body):
            raise CutOffError(
                f"an item of the pixel data is cut off: {len(body) - start} of {length} bytes; the "
                "offset table is wrong, or the file is damaged"
            )
        yield body[start:position]
