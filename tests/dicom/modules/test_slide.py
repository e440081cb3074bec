"""Tiles of whole slides: their place by the functional groups, or by their number alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.slide import Tile, find_tile, read_icc_profile, read_slide_plane
from pyloader.dicom.parse import noting
from tests.support.enhanced import group, item, merged

ROW, COLUMN = (f"{line}_position_in_total_image_pixel_matrix" for line in ("row", "column"))
OFFSETS = tuple(f"{axis}_offset_in_slide_coordinate_system" for axis in "xyz")
# Rows run along -y and columns along +x, as scanners have them: 2 x 3 tiles, the last ones cut.
FULL = {
    "Rows": 10,
    "Columns": 20,
    "TotalPixelMatrixRows": 15,
    "TotalPixelMatrixColumns": 45,
    "DimensionOrganizationType": "TILED_FULL",
    "ImageOrientationSlide": [0, -1, 0, 1, 0, 0],
}


def paths(*names: str) -> dict[str, Any]:
    """Return the optical paths."""
    found = [
        item(OpticalPathIdentifier=name, OpticalPathDescription=f"path {name}", ICCProfile=icc)
        for name, icc in zip(names, (b"one.", b"two."), strict=False)
    ]
    return {"OpticalPathSequence": Sequence(found)}


def tiled(index: int, count: int, **attributes: Any) -> Frame:
    """Return a frame of a TILED_FULL matrix of `count` frames."""
    return Frame(item(**FULL, **{"NumberOfFrames": count, **attributes}), index)


# ------------------------------------------------------------------ frames by their number


def test_frames_run_along_rows_then_planes_then_paths():
    """PS3.3 C.7.6.17.3: columns change fastest, then rows, focal planes and optical paths."""
    order = [*product(range(2), range(2), range(2), range(3))]  # paths, planes, rows, columns
    for index, (path, plane, row, column) in enumerate(order):
        frame = tiled(index, len(order), TotalPixelMatrixFocalPlanes=2, **paths("a", "b"))
        assert find_tile(frame) == Tile(row, column, plane, path, 0)
        found = read_slide_plane(frame)
        assert (found[ROW], found[COLUMN]) == (1 + 10 * row, 1 + 20 * column)
        assert found["optical_path_identifier"] == "ab"[path]
        assert found["optical_path_description"] == f"path {'ab'[path]}"


def test_segments_count_the_frames_instead_of_paths():
    segments = Sequence([item(SegmentNumber=number) for number in (1, 2, 3)])
    for index, (segment, row, column) in enumerate(product(range(3), range(2), range(3))):
        frame = tiled(index, 18, SegmentSequence=segments, **paths("a", "b"))
        assert find_tile(frame) == Tile(row, column, 0, 0, segment)


def test_offsets_follow_the_axes_of_the_matrix():
    """Compare with the product of a matrix of PS3.3 C.8.12.2.1.1, in homogeneous coordinates."""
    origin = item(XOffsetInSlideCoordinateSystem="20", YOffsetInSlideCoordinateSystem="40")
    origin.ZOffsetInSlideCoordinateSystem = "5"
    measures = group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SpacingBetweenSlices="0.01")
    frame = tiled(
        11,
        12,
        TotalPixelMatrixFocalPlanes=2,
        TotalPixelMatrixOriginSequence=Sequence([origin]),
        SharedFunctionalGroupsSequence=Sequence([measures]),
    )
    to_slide = np.array([[0, 0.5, 20], [-0.25, 0, 40], [0, 0, 1]])
    x, y, _ = to_slide @ (40, 10, 1)  # column and row of the last tile
    found = read_slide_plane(frame)
    # The second focal plane is 0.01 mm, or 10 micrometres, above the first.
    assert [found[name] for name in OFFSETS] == pytest.approx([x, y, 15])


def test_without_an_origin_there_are_no_offsets():
    found = read_slide_plane(tiled(0, 6))
    assert found[ROW] == found[COLUMN] == 1
    assert not set(OFFSETS) & set(found)


@pytest.mark.parametrize("before", [6, 0])
def test_parts_of_a_concatenation_go_on(before):
    frame = tiled(
        1, 3, InConcatenationNumber=2, ConcatenationFrameOffsetNumber=before, **paths("a", "b")
    )
    assert find_tile(frame) == Tile(0, 1, 0, before // 6, 0)


@pytest.mark.parametrize(
    ("count", "attributes"),
    [(13, paths("a", "b")), (6, {"InConcatenationNumber": 2})],
    ids=["more frames than tiles", "a later part that does not say where it begins"],
)
def test_a_place_that_is_uncertain_is_left_out_with_a_warning(count, attributes):
    with noting() as notes:
        found = read_slide_plane(tiled(0, count, **attributes))
    assert ROW not in found
    assert found["total_pixel_matrix_rows"] == 15
    assert "2 x 3 tiles in 1 focal plane, but the tile of frame 1 of" in notes[0]


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "TotalPixelMatrixRows"])
def test_matrices_without_a_size_have_no_tiles(keyword):
    frame = tiled(0, 6)
    frame.dataset[keyword].value = 0
    assert find_tile(frame) is None


# ------------------------------------------------------------------ frames by their groups


def test_place_of_a_sparse_tile_is_in_its_groups():
    position = {
        "RowPositionInTotalImagePixelMatrix": 11,
        "ColumnPositionInTotalImagePixelMatrix": 21,
        "ZOffsetInSlideCoordinateSystem": "7.5",
    }
    own = merged(
        group("PlanePositionSlideSequence", **position),
        group("OpticalPathIdentificationSequence", OpticalPathIdentifier="b"),
    )
    dataset = item(**FULL | {"DimensionOrganizationType": "TILED_SPARSE"}, **paths("a", "b"))
    dataset.PerFrameFunctionalGroupsSequence = Sequence([Dataset(), own])
    found = read_slide_plane(Frame(dataset, 1))
    assert (found[ROW], found[COLUMN], found[OFFSETS[2]]) == (11, 21, 7.5)
    assert found["optical_path_description"] == "path b"
    assert ROW not in read_slide_plane(Frame(dataset, 0))


def test_an_optical_path_that_is_not_described_keeps_its_identifier():
    own = group("OpticalPathIdentificationSequence", OpticalPathIdentifier="z")
    dataset = item(TotalPixelMatrixColumns=9, PerFrameFunctionalGroupsSequence=Sequence([own]))
    assert read_slide_plane(Frame(dataset, 0))["optical_path_identifier"] == "z"


def test_other_objects_have_no_total_matrix():
    assert read_slide_plane(Frame(item(Rows=4, Columns=4), 0)) == {}


# ------------------------------------------------------------------ colours


def test_profile_of_the_image_comes_first_then_that_of_the_frames_path():
    for index, expected in ((0, b"one."), (6, b"two.")):
        frame = tiled(index, 12, **paths("a", "b"))
        assert read_icc_profile(frame)["icc_profile"].tobytes() == expected
        frame.dataset.ICCProfile, frame.dataset.ColorSpace = b"own.", "SRGB"
        assert read_icc_profile(frame)["icc_profile"].tobytes() == b"own."
        assert read_icc_profile(frame)["color_space"] == "SRGB"


def test_the_profile_of_an_only_path_is_that_of_all_frames():
    assert read_icc_profile(Frame(item(**paths("a")), 3))["icc_profile"].tobytes() == b"one."


def test_several_paths_without_a_place_have_no_profile():
    assert read_icc_profile(Frame(item(**paths("a", "b")), 0)) == {}
    assert read_icc_profile(Frame(Dataset(), 0)) == {}
