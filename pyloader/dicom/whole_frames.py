"""Group the fragments of frames that should be one fragment each (PS3.5 A.4.2, A.4.11, A.4.13).

An RLE frame begins with a header, and ends when its last segment has all pixels. A deflated frame
marks its own end. An uncompressed frame ends when it has all its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import unpack_from

from pydicom import Dataset
from pydicom.uid import UID, RLELossless

from pyloader.dicom.fragments import is_rle_header
from pyloader.dicom.transfer_syntaxes import DEFLATED_IMAGE_FRAME, ENCAPSULATED_UNCOMPRESSED
from pyloader.dicom.values import as_numbers, value_of
from pyloader.inflate import Buffer, Inflater, deflate

# With more fragments for each frame, the ends of frames are not searched for.
MOST_FRAGMENTS = 64

IsWhole = Callable[[Buffer], bool]
"""Takes the fragments of a frame in order; returns True for the last one."""


def group_whole(
    dataset: Dataset, syntax: UID, count: int, fragments: Sequence[Buffer]
) -> list[int]:
    """Return the number of fragments of each frame; an empty list when that is uncertain.

    Parameters
    ----------
    count : int
        Number of Frames.
    fragments : sequence of bytes or memoryview
        All fragments that are not empty.
    """
    if syntax == RLELossless:
        return group_rle(dataset, count, fragments)
    if len(fragments) == count and all(is_sized(dataset, syntax, len(each)) for each in fragments):
        return [1] * count
    try:
        groups = by_end(count, fragments, lambda: WHOLE[syntax](frame_bytes(dataset)))
    except ValueError:
        groups = []
    return groups or ([len(fragments)] if count == 1 else [])


def group_rle(dataset: Dataset, count: int, fragments: Sequence[Buffer]) -> list[int]:
    """Group RLE fragments, like `group_whole`: by headers alone, or also by the ends of frames."""
    by_header = by_end_or_header(fragments)
    if len(by_header) in (count, len(fragments)):
        return by_header
    if len(fragments) > count * MOST_FRAGMENTS:
        return []
    found = by_end_or_header(fragments, frame_bytes(dataset, of_segment=True))
    return found if len(found) == count or found == by_header else []


def is_sized(dataset: Dataset, syntax: UID, length: int) -> bool:
    """Return whether a fragment may be a frame, by its length."""
    size = frame_bytes(dataset)
    return syntax == DEFLATED_IMAGE_FRAME or length in (size, size + size % 2)


def frame_bytes(dataset: Dataset, of_segment: bool = False) -> int:
    """Return the size in bytes of a native frame, or of a decoded RLE segment; 0 if unknown."""
    keywords = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    found = [as_numbers(value_of(dataset, keyword), 1) or (0,) for keyword in keywords]
    rows, columns, samples, bits = (int(each[0]) for each in found)
    if of_segment and bits > 1:
        return rows * columns
    size = rows * columns * samples * bits
    is_half = str(value_of(dataset, "PhotometricInterpretation")).rstrip(" \0").endswith("422")
    return -(-(size // 3 * 2 if is_half else size) // 8)


# ---------------------------------------------------------------- ends of frames


def by_end(count: int, fragments: Sequence[Buffer], begin: Callable[[], IsWhole]) -> list[int]:
    """Return the number of fragments of each frame, by its end; the rest forms one more frame."""
    if len(fragments) > count * MOST_FRAGMENTS:
        raise ValueError(f"{len(fragments)} fragments of {count} frames")
    groups, is_whole = [0], begin()
    for fragment in fragments:
        groups[-1] += 1
        if is_whole(fragment):
            groups.append(0)
            is_whole = begin()
    return groups if groups[-1] else groups[:-1]


def by_end_or_header(fragments: Sequence[Buffer], size: int = 0) -> list[int]:
    """Return the number of fragments of each RLE frame.

    Parameters
    ----------
    size : int
        Bytes of a decoded segment, to detect the end of a frame; 0 to use the headers alone.
    """
    groups: list[int] = []
    is_ended, is_whole = True, until_last_segment(size)
    for fragment in fragments:
        if is_ended or is_rle_header(fragment):
            groups.append(0)
            is_whole = until_last_segment(size)
        groups[-1] += 1
        is_ended = size > 0 and is_whole(fragment)
    return groups


def until_last_segment(size: int) -> IsWhole:
    """Return a detector of the end of an RLE frame; it reads each fragment once (PS3.5 G.3.2).

    Parameters
    ----------
    size : int
        Bytes of the last segment, decoded.
    """
    frame, position, found = bytearray(), 0, 0

    def is_whole(fragment: Buffer) -> bool:
        nonlocal position, found
        frame.extend(fragment)
        if not position:
            position = last_segment(frame)
        while 0 < position < len(frame) and found < size:
            control = frame[position]
            length = control + 1 if control < 128 else 1
            if control == 128:
                length = 0
            elif position + length >= len(frame):
                break  # the next fragment has the rest
            else:
                found += length if control < 128 else 257 - control
            position += 1 + length
        return found >= size

    return is_whole


def last_segment(frame: bytearray) -> int:
    """Return the start of the last segment of a frame; 0 while its header is incomplete."""
    if not is_rle_header(frame):
        return 0
    count: int = unpack_from("<L", frame)[0]
    is_there = len(frame) >= 4 + 4 * count
    return int(unpack_from("<L", frame, 4 * count)[0]) if is_there else 0


def until_size(size: int) -> IsWhole:
    """Return a detector of the end of an uncompressed frame of `size` bytes."""
    rest = size

    def is_whole(fragment: Buffer) -> bool:
        nonlocal rest
        rest -= len(fragment)
        if rest < -(size % 2) or not size:
            raise ValueError(f"frames of {size} bytes do not end with a fragment")
        return rest <= 0

    return is_whole


def until_end(size: int) -> IsWhole:
    """Return a detector of the end of a deflated frame (RFC 1951) of `size` inflated bytes.

    It stops when a frame inflates to more than that.
    """
    inflater, rest = Inflater(deflate), size + 2

    def is_whole(fragment: Buffer) -> bool:
        nonlocal rest
        inflater.give(fragment)
        rest -= len(inflater.take_all(max(1, rest)))
        if rest < 0 or len(inflater.rest()) > 1 or not (inflater.is_over or inflater.is_starved):
            raise ValueError(f"frames of {size} bytes do not end with a fragment")
        return inflater.is_over

    return is_whole


WHOLE: Mapping[UID, Callable[[int], IsWhole]] = {
    ENCAPSULATED_UNCOMPRESSED: until_size,
    DEFLATED_IMAGE_FRAME: until_end,
}
