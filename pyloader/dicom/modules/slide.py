"""Whole-slide images: where a tile is in the total pixel matrix and on the slide (PS3.3 C.8.12)."""

from __future__ import annotations

import math
from typing import Any

from pyloader.dicom.frame import Frame, Module, pick
from pyloader.dicom.keywords import snake
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

    A tile is placed by its functional group, or by its number when the matrix is tiled in full.
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
    """Return the place of a tile of a matrix without gaps (PS3.3 C.7.6.17.3).

    Frames run along the rows of tiles, then down, then through the focal planes, then through
    the optical paths.
    """
    rows, columns = frame.integer("Rows"), frame.integer("Columns")
    across, down = frame.integer("TotalPixelMatrixColumns"), frame.integer("TotalPixelMatrixRows")
    sizes = (rows or 0, columns or 0, across or 0, down or 0)
    if min(sizes) <= 0:
        return {}
    rows, columns, across, down = sizes
    per_row, per_column = math.ceil(across / columns), math.ceil(down / rows)
    planes = max(1, frame.integer("TotalPixelMatrixFocalPlanes") or 1)
    rest, column = divmod(frame.index, per_row)
    rest, row = divmod(rest, per_column)
    path, plane = divmod(rest, planes)
    place = {
        "row_position_in_total_image_pixel_matrix": row * rows + 1,
        "column_position_in_total_image_pixel_matrix": column * columns + 1,
    }
    offsets = slide_offsets(frame, row * rows, column * columns, plane)
    return place | offsets | optical_path(frame, nth_path(frame, path))


def slide_offsets(frame: Frame, row: int, column: int, plane: int) -> Module:
    """Return where a pixel of the total matrix is on the slide, from its indices, from 0."""
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
    """Return how far a focal plane, from 0, is from the first one, in micrometres."""
    between = frame.number("SpacingBetweenSlices", "PixelMeasuresSequence")
    if plane == 0:
        return 0.0
    return None if between is None else plane * between * MICROMETRES


def nth_path(frame: Frame, index: int) -> Any:
    """Return the identifier of an optical path by its place among them, from 0."""
    item = item_of(frame.dataset, "OpticalPathSequence", index)
    return None if item is None else value_of(item, "OpticalPathIdentifier")


def optical_path(frame: Frame, identifier: Any) -> Module:
    """Return an optical path by its identifier (PS3.3 C.8.12.5)."""
    if identifier is None:
        return {}
    for item in items_of(frame.dataset, "OpticalPathSequence"):
        if value_of(item, "OpticalPathIdentifier") == identifier:
            return pick(item, OPTICAL_PATH)
    return {"optical_path_identifier": identifier}
