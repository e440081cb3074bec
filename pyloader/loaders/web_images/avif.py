"""AVIF (ISO 14496-12, 23008-12): parse its boxes; imagecodecs or the browser decodes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from pyloader.context import Context
from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.web_images.picture import (
    Picture,
    PictureHeader,
    Pixels,
    decode_together,
    frames_of,
    trailing_bytes_note,
)
from pyloader.pixels.codecs import has_codec

BRANDS = frozenset({b"avif", b"avis"})
PIXELS, METADATA = b"mdat", (b"meta", b"moov", b"moof")
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
HIGH_BIT_DEPTH, TWELVE_BIT, MONOCHROME = 0x40, 0x20, 0x10


class Box(NamedTuple):
    """A box: its type, and its payload without size and type."""

    kind: bytes
    payload: bytes


async def open_avif(source: str, body: bytes, context: Context) -> Picture:
    """Read the boxes of an AVIF."""
    try:
        boxes, end = file_boxes(body)
        return make_picture(source, body[:end], boxes, trailing_bytes_note(len(body) - end, "AVIF"))
    except (struct.error, IndexError, KeyError) as error:
        raise FormatError(f"the AVIF's boxes are damaged, or cut off: {error!r}") from error


def make_picture(
    source: str, body: bytes, boxes: Mapping[bytes, bytes], notes: tuple[str, ...]
) -> Picture:
    """Make a picture from its boxes."""
    properties = properties_of_primary(boxes[b"meta"])
    rows, columns = struct.unpack_from(">II", properties[b"ispe"][4:])[::-1]
    if b"clap" in properties:
        raise UnsupportedError("the AVIF is cropped by a clean aperture (clap), which is not read")
    turns = properties[b"irot"][0] & 3 if b"irot" in properties else 0
    mirror = properties[b"imir"][0] & 1 if b"imir" in properties else None
    flags = properties.get(b"av1C", bytes(4))[2]
    bits = (12 if flags & TWELVE_BIT else 10) if flags & HIGH_BIT_DEPTH else 8
    count, is_here = count_frames(boxes), has_codec("avif")
    if count > 1 and not is_here:
        raise UnsupportedError(
            f"the AVIF has {count} frames, whose exact colors browsers do not return; "
            "AVIF of one frame, GIF and WebP can be read here"
        )

    async def fetch_pixels(picture: Picture, frame_index: int, context: Context) -> Pixels:
        if is_here:
            # Decoding a sequence with an index corrupts the codec's memory (imagecodecs 2026.3).
            frame = await decode_together(
                picture, lambda: frames_of("avif", picture), frame_index, context
            )
            return rotated(frame, turns, mirror)
        pixels = await context.host.decode(body, "image/avif", frame_index)
        return pixels[..., (0, 3)] if flags & MONOCHROME else pixels

    note = f"the browser's decoder reduced its {bits} bits a sample to 8"
    header = PictureHeader(
        "AVIF",
        *((columns, rows) if turns % 2 else (rows, columns)),
        samples=4,
        bits_allocated=16 if bits > 8 and is_here else 8,
        number_of_frames=count,
        attributes={"bits_stored": bits if is_here else 8, "lossy_image_compression": True},
        warnings=((note,) if bits > 8 and not is_here else ()) + notes,
    )
    return Picture(source, body, header, fetch_pixels=fetch_pixels)


def rotated(pixels: Pixels, turns: int, mirror: int | None) -> Pixels:
    """Rotate pixels by quarter turns anticlockwise, then flip: 0 vertically, 1 horizontally."""
    pixels = np.rot90(pixels, turns)
    return pixels if mirror is None else np.flip(pixels, mirror)


def file_boxes(body: bytes) -> tuple[dict[bytes, bytes], int]:
    """Return the boxes of a file by type, and the position where they end.

    Stop before invalid data after the metadata and pixels, unless it begins as another box of
    these types.

    Raises
    ------
    FormatError, struct.error
    """
    found: dict[bytes, bytes] = {}
    position = 0
    while position < len(body):
        try:
            box, stop = box_at(body, position)
        except (FormatError, struct.error):
            has_all = PIXELS in found and not found.keys().isdisjoint(METADATA)
            if has_all and body[position + 4 : position + 8] not in (PIXELS, *METADATA):
                return found, position
            raise
        found[box.kind] = box.payload
        position = stop
    return found, position


def boxes_of(body: bytes) -> Iterator[Box]:
    """Yield adjacent boxes.

    Raises
    ------
    FormatError, struct.error
    """
    position = 0
    while position < len(body):
        box, position = box_at(body, position)
        yield box


def box_at(body: bytes, position: int) -> tuple[Box, int]:
    """Return the box at a position, and the position of its end.

    Raises
    ------
    FormatError, struct.error
    """
    size, kind = struct.unpack_from(">I4s", body, position)
    start = position + 8
    if size == 1:
        (size,) = struct.unpack_from(">Q", body, start)
        start += 8
    stop = position + size if size else len(body)
    if stop > len(body) or stop < start:
        raise FormatError(f"the AVIF ends within its box {kind!r}: it is cut off")
    return Box(kind, body[start:stop]), stop


def properties_of_primary(meta: bytes) -> dict[bytes, bytes]:
    """Return the properties of the primary item by type (23008-12, 9.3).

    A grid has no decoder configuration of its own; use that of another item.
    """
    boxes = {box.kind: box.payload for box in boxes_of(meta[4:])}
    pitm, inner = boxes[b"pitm"], {box.kind: box.payload for box in boxes_of(boxes[b"iprp"])}
    (primary,) = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)
    properties = list(boxes_of(inner[b"ipco"]))
    configuration = {box.kind: box.payload for box in properties if box.kind == b"av1C"}
    chosen = associations(inner[b"ipma"])[primary]
    own = (properties[number - 1] for number in chosen if number)
    return configuration | {box.kind: box.payload for box in own}


def associations(ipma: bytes) -> dict[int, list[int]]:
    """Return the numbers, from 1, of the properties of each item (23008-12, 9.3.1)."""
    version, is_wide = ipma[0], ipma[3] & 1
    (count,) = struct.unpack_from(">I", ipma, 4)
    position = 8
    found: dict[int, list[int]] = {}
    for _ in range(count):
        item, number = struct.unpack_from(">IB" if version else ">HB", ipma, position)
        position += 5 if version else 3
        entries = struct.unpack_from(f">{number}{'H' if is_wide else 'B'}", ipma, position)
        position += number * (2 if is_wide else 1)
        found[item] = [entry & (0x7FFF if is_wide else 0x7F) for entry in entries]
    return found


def count_frames(boxes: Mapping[bytes, bytes]) -> int:
    """Return the number of samples of the first track, 1 for a file without tracks."""
    if boxes[b"ftyp"][:4] != b"avis":
        return 1
    payload = boxes[CONTAINERS[0]]
    for kind in (*CONTAINERS[1:], b"stsz"):
        found = (box.payload for box in boxes_of(payload) if box.kind == kind)
        payload = next(found, b"")
    (count,) = struct.unpack_from(">I", payload, 8)
    return max(1, int(count))
