"""Read the main header of JPEG 2000 (ISO 15444-1, -15), and check that all tiles are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import iter_unpack, unpack_from

from pyloader.pixels.codestream.identify import (
    CODING_STYLE,
    SIZE,
    START_OF_TILE,
    identify_jpeg_2000,
    segments,
    start_of_codestream,
)

END = b"\xff\xd9"
TILE_PART_HEADER_BYTES = 12
IRREVERSIBLE = 0


@dataclass(frozen=True, slots=True)
class Jpeg2000Header:
    """The main header of a JPEG 2000 codestream.

    Attributes
    ----------
    precisions : tuple of int
        Bits of each component.
    signs : tuple of bool
        Whether each component is signed.
    is_subsampled : bool
        Whether a component has fewer samples than the image has pixels.
    has_transform : bool
        Whether the multiple component transformation was applied (A.6.1, Table A.17).
    tiles : int
    """

    rows: int
    columns: int
    precisions: tuple[int, ...]
    signs: tuple[bool, ...]
    is_subsampled: bool
    has_transform: bool
    is_reversible: bool
    tiles: int


def read_jpeg_2000(frame: bytes) -> Jpeg2000Header:
    """Read the main header.

    Raises
    ------
    ValueError
        It is not complete: the codestream is cut off, or not JPEG 2000.
    """
    start = start_of_codestream(frame)
    found = dict(segments(frame, start + 2)) if identify_jpeg_2000(frame, start) else {}
    size, style = found.get(SIZE, b""), found.get(CODING_STYLE, b"")
    if len(size) < 36 or len(style) < 10:
        raise ValueError("the codestream has no whole main header; it may be cut off")
    x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0 = unpack_from(">8L", size, 2)
    if not tile_x or not tile_y:
        raise ValueError("the codestream has tiles without size; it is damaged")
    components = list(iter_unpack("3B", size[36:]))
    return Jpeg2000Header(
        rows=y1 - y0,
        columns=x1 - x0,
        precisions=tuple((depth & 0x7F) + 1 for depth, _, _ in components),
        signs=tuple(bool(depth & 0x80) for depth, _, _ in components),
        is_subsampled=any((across, down) != (1, 1) for _, across, down in components),
        has_transform=bool(style[4]),
        is_reversible=style[9] != IRREVERSIBLE,
        tiles=-(-(x1 - tile_x0) // tile_x) * -(-(y1 - tile_y0) // tile_y),
    )


def without_boxes(frame: bytes) -> bytes:
    """Return a complete codestream without JP2 boxes, with an end marker.

    OpenJPEG would convert colours by the boxes of a JP2 file; DICOM ignores them (PS3.5 8.2.4).
    """
    start = start_of_codestream(frame)
    stop = max((stop for _, stop in tile_parts(frame)), default=len(frame))
    if not start and frame[stop : stop + 2] == END:
        return frame
    return frame[start:stop] + END


def check_tiles(frame: bytes, header: Jpeg2000Header) -> None:
    """Check that each tile is there, and that no tile-part is cut off (A.4.2).

    OpenJPH decodes incomplete codestreams; the missing pixels would be grey.

    Raises
    ------
    ValueError
        A tile is missing, or a tile-part is cut off.
    """
    seen: set[int] = set()
    for tile, stop in tile_parts(frame):
        if stop > len(frame):
            raise ValueError(f"{stop - len(frame)} bytes of tile {tile} are missing: cut off")
        seen.add(tile)
    if len(seen) < header.tiles:
        raise ValueError(
            f"{len(seen)} of {header.tiles} tiles are there: the codestream is cut off"
        )


def tile_parts(frame: bytes) -> Iterator[tuple[int, int]]:
    """Yield each tile-part's tile index and the offset of its end."""
    position = main_header_end(frame)
    while frame[position : position + 2] == bytes([0xFF, START_OF_TILE]):
        if position + TILE_PART_HEADER_BYTES > len(frame):
            return
        tile, length = unpack_from(">HL", frame, position + 4)
        # Length 0: the tile-part reaches to the end, which then needs its marker.
        stop = position + length if length else find_end(frame)
        yield tile, stop
        if stop <= position:
            return
        position = stop


def main_header_end(frame: bytes) -> int:
    """Return where the first tile-part begins."""
    position = start_of_codestream(frame) + 2
    for _, parameters in segments(frame, position):
        position += 4 + len(parameters)
    return position


def find_end(frame: bytes) -> int:
    """Return the offset of the end-of-codestream marker; past the end if there is none."""
    place = frame.rfind(END)
    is_end = place >= 0 and not frame[place + 2 :].strip(b"\0")
    return place if is_end else len(frame) + len(END)
