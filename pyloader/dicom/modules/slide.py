"""Whole-slide images: place of a tile in the total pixel matrix and on the slide (PS3.3 C.8.12)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import Dataset

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.keywords import snake
from pyloader.dicom.segmentation import count_segments
from pyloader.dicom.values import as_numbers, item_of, items_of, value_of

MATRIX = (
    "TotalPixelMatrixRows",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixFocalPlanes",
    "DimensionOrganizationType",
    "ImageOrientationSlide",
    "ImagedVolumeWidth",
    "ImagedVolumeHeight",
    "ImagedVolumeDepth",
)
POSITION = (
    "RowPositionInTotalImagePixelMatrix",
    "ColumnPositionInTotalImagePixelMatrix",
    "XOffsetInSlideCoordinateSystem",
    "YOffsetInSlideCoordinateSystem",
    "ZOffsetInSlideCoordinateSystem",
)
OFFSETS = POSITION[2:]
OPTICAL_PATH = ("OpticalPathIdentifier", "OpticalPathDescription")
MICROMETRES = 1000.0


def read_slide_plane(frame: Frame) -> Module:
    """Return the place of a tile: row and column from 1, offsets x and y in mm, z in micrometres.

    The place is in the functional group of the tile. In a TILED_FULL matrix, it follows from the
    frame number.
    """
    if frame.get("TotalPixelMatrixColumns") is None:
        return {}
    found = pick(frame.dataset, MATRIX)
    if frame.get("DimensionOrganizationType") == "TILED_FULL":
        return found | tile_in_full(frame)
    path = frame.get("OpticalPathIdentifier", "OpticalPathIdentificationSequence")
    place = frame.pick(POSITION, "PlanePositionSlideSequence")
    return found | place | optical_path(frame, path)


def tile_in_full(frame: Frame) -> Module:
    """Return the place of a tile in a TILED_FULL matrix, which has no gaps (PS3.3 C.7.6.17.3).

    Frames run along the rows of tiles, then down, then through focal planes, optical paths and
    segments, over all parts of a concatenation.
    """
    tile = find_tile(frame)
    if tile is None:
        return {}
    rows, columns = frame.integer("Rows") or 0, frame.integer("Columns") or 0
    row, column = tile.row * rows, tile.column * columns
    place = {
        "row_position_in_total_image_pixel_matrix": row + 1,
        "column_position_in_total_image_pixel_matrix": column + 1,
    }
    offsets = slide_offsets(frame, row, column, tile.plane)
    return place | offsets | optical_path(frame, nth_path(frame, tile.path))


@dataclass(frozen=True, slots=True)
class Tile:
    """The place of a frame in a TILED_FULL matrix; each number counts from 0.

    Attributes
    ----------
    row, column : int
        In tiles.
    plane, path, segment : int
        Focal plane, optical path and segment, by their order.
    """

    row: int
    column: int
    plane: int
    path: int
    segment: int


def find_tile(frame: Frame) -> Tile | None:
    """Return the tile of a frame, by its number; None, with a warning, when it is uncertain."""
    rows, columns = frame.integer("Rows"), frame.integer("Columns")
    across, down = frame.integer("TotalPixelMatrixColumns"), frame.integer("TotalPixelMatrixRows")
    sizes = (rows or 0, columns or 0, across or 0, down or 0)
    if min(sizes) <= 0:
        return None
    rows, columns, across, down = sizes
    per_row, per_column = math.ceil(across / columns), math.ceil(down / rows)
    planes = max(1, frame.integer("TotalPixelMatrixFocalPlanes") or 1)
    paths = count_paths(frame, per_row * per_column * planes)
    if frame.index_in_source is None or paths is None:
        warnings.warn(
            f"the matrix is TILED_FULL, {per_column} x {per_row} tiles in {planes} focal "
            f"plane{'s' if planes > 1 else ''}, but the tile of frame {frame.index + 1} of "
            f"{frame.integer('NumberOfFrames') or 1} cannot be determined: its place is left out",
            stacklevel=2,
        )
        return None
    rest, column = divmod(frame.index_in_source, per_row)
    rest, row = divmod(rest, per_column)
    rest, plane = divmod(rest, planes)
    segment, path = divmod(rest, paths)
    return Tile(row, column, plane, path, segment)


def count_paths(frame: Frame, tiles: int) -> int | None:
    """Return the number of optical paths of a segment, or of all frames without segments.

    Parameters
    ----------
    tiles : int
        Number of tiles in all focal planes.

    Returns
    -------
    int or None
        None when there are more frames than tiles, paths and segments.
    """
    paths, segments = (
        len(items_of(frame.dataset, "OpticalPathSequence")),
        count_segments(frame.dataset),
    )
    before = (frame.index_in_source or 0) - frame.index
    frames = before + (frame.integer("NumberOfFrames") or 1)
    is_part = frame.get("InConcatenationNumber") is not None
    if segments and not is_part and frames <= tiles * segments:
        paths = 1  # the optical paths are those of the source images
    if not paths and not segments:
        return frames  # the largest possible number
    return None if frames > tiles * (paths or 1) * (segments or 1) else paths or 1


def slide_offsets(frame: Frame, row: int, column: int, plane: int) -> Module:
    """Return the offsets on the slide of a pixel of the total matrix, given its indices, from 0."""
    origin = item_of(frame.dataset, "TotalPixelMatrixOriginSequence")
    cosines = frame.numbers("ImageOrientationSlide", count=6)
    spacing = frame.numbers("PixelSpacing", "PixelMeasuresSequence", 2)
    if origin is None or cosines is None or spacing is None:
        return {}
    pairs = zip(cosines[:3], cosines[3:], strict=True)
    steps = [column * spacing[1] * along + row * spacing[0] * down for along, down in pairs]
    depth = focal_depth(frame, plane)
    found = {}
    for keyword, step in zip(OFFSETS, (*steps[:2], depth), strict=True):
        start = as_numbers(value_of(origin, keyword), 1)
        if start is not None and step is not None:
            found[snake(keyword)] = start[0] + step
    return found


def focal_depth(frame: Frame, plane: int) -> float | None:
    """Return the distance of a focal plane, from 0, to the first one, in micrometres."""
    between = frame.number("SpacingBetweenSlices", "PixelMeasuresSequence")
    if plane == 0:
        return 0.0
    return None if between is None else plane * between * MICROMETRES


def nth_path(frame: Frame, index: int) -> Any:
    """Return the identifier of an optical path by its index, from 0."""
    item = item_of(frame.dataset, "OpticalPathSequence", index)
    return None if item is None else value_of(item, "OpticalPathIdentifier")


def optical_path(frame: Frame, identifier: Any) -> Module:
    """Return the description of an optical path, by its identifier (PS3.3 C.8.12.5)."""
    if identifier is None:
        return {}
    for item in items_of(frame.dataset, "OpticalPathSequence"):
        if value_of(item, "OpticalPathIdentifier") == identifier:
            return pick(item, OPTICAL_PATH)
    return {"optical_path_identifier": identifier}


def read_icc_profile(frame: Frame) -> Module:
    """Return the ICC profile of a frame's colours; pyloader does not apply it.

    ``icc_profile`` has the bytes of the profile (ISO 15076-1), ``color_space`` its name, if the
    file has one. The profile of the image takes precedence over that of the optical path.
    """
    for owner in (frame.dataset, *optical_paths(frame)):
        profile = value_of(owner, "ICCProfile")
        if isinstance(profile, bytes) and profile:
            found: Module = {"icc_profile": np.frombuffer(profile, "u1")}
            space = value_of(owner, "ColorSpace")
            return found | ({"color_space": space} if space else {})
    return {}


def optical_paths(frame: Frame) -> Sequence[Dataset]:
    """Return the optical path of a frame: the only one, or the one with the frame's identifier."""
    paths = items_of(frame.dataset, "OpticalPathSequence")
    if len(paths) < 2:
        return paths
    name = read_slide_plane(frame).get("optical_path_identifier")
    return [path for path in paths if name and value_of(path, "OpticalPathIdentifier") == name][:1]
