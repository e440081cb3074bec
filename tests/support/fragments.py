"""Instances of encapsulated pixel data, their items and offset tables."""

from __future__ import annotations

from struct import pack

from pydicom import Dataset
from pydicom.uid import JPEGLSLossless

from pyloader.dicom.fragments import ITEM
from pyloader.dicom.instance import Instance
from pyloader.dicom.offset_tables import table_spans

END = 5000
FIRST = 1000


def instance(frames: int = 3, syntax: str = JPEGLSLossless, **attributes: bytes) -> Instance:
    """Return an instance without pixels."""
    dataset = Dataset()
    dataset.NumberOfFrames = frames
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return Instance(dataset, syntax, None)


def item(value: bytes) -> bytes:
    """Return an item of the pixel data."""
    return ITEM + pack("<L", len(value)) + value


def basic(*offsets: int) -> bytes:
    """Return a Basic Offset Table."""
    return pack(f"<{len(offsets)}L", *offsets)


def extended(*entries: tuple[int, int]) -> dict[str, bytes]:
    """Return an Extended Offset Table, of offsets and lengths."""
    offsets, lengths = zip(*entries, strict=True)
    return {
        "ExtendedOffsetTable": pack(f"<{len(entries)}Q", *offsets),
        "ExtendedOffsetTableLengths": pack(f"<{len(entries)}Q", *lengths),
    }


def spans(found: Instance, table: bytes = b"", end: int | None = END) -> list[tuple[int, int]]:
    """Return the places of the frames."""
    return [(span.start, span.stop) for span in table_spans(found, FIRST, table, end)]
