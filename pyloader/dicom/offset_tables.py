"""Read the Basic and the Extended Offset Table of encapsulated pixel data (PS3.5 A.4)."""

from __future__ import annotations

from itertools import pairwise
from struct import iter_unpack

from pyloader.dicom.fragments import ITEM_HEADER_BYTES, Span
from pyloader.dicom.instance import Instance
from pyloader.dicom.values import value_of
from pyloader.errors import FormatError


def table_spans(instance: Instance, first: int, table: bytes, end: int | None) -> list[Span]:
    """Return the span of each encapsulated frame, items included; empty without an offset table.

    Parameters
    ----------
    first : int
        Start of the first item after the Basic Offset Table.
    table : bytes
        The Basic Offset Table (PS3.5 A.4).
    end : int or None
        Latest possible end of the last frame; None when unknown.

    Raises
    ------
    FormatError
        No table fits the number of frames.
    """
    count = instance.number_of_frames
    found = (extended_spans(instance, first), basic_spans(first, table, end, count))
    tables = [spans for spans in found if spans]
    fits = [are_spans(spans, first, end) for spans in tables]
    for spans, is_fit in zip(tables, fits, strict=True):
        if len(spans) == count and is_fit:
            return spans
    if tables:
        raise FormatError(
            f"the offset table has {len(tables[0])} entries, ascending and within the file: "
            f"{fits[0]}; expected one for each of {count} frames"
        )
    return []


def are_spans(spans: list[Span], first: int, end: int | None) -> bool:
    """Return whether frames are not empty, within the pixel data, and do not overlap."""
    ordered = sorted((span.start, span.stop or end or span.start + 1) for span in spans)
    is_filled = all(start < stop for start, stop in ordered)
    is_apart = all(stop <= start for (_, stop), (start, _) in pairwise(ordered))
    last = ordered[-1][1]
    return is_filled and is_apart and first <= ordered[0][0] and last <= (end or last)


def basic_spans(first: int, table: bytes, end: int | None, count: int) -> list[Span]:
    """Return the spans in the Basic Offset Table, at most one for each frame."""
    offsets = [offset for (offset,) in iter_unpack("<L", table[: len(table) // 4 * 4])]
    starts = [first + offset for offset in offsets]
    pairs = zip(starts, [*starts[1:], end], strict=True) if starts else ()
    return [Span(*pair) for pair in pairs][:count]


def extended_spans(instance: Instance, first: int) -> list[Span]:
    """Return the spans in the Extended Offset Table (PS3.3 C.7.6.3.1.8)."""
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
