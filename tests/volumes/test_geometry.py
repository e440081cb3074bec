"""Grids: where the pixels of a slice are, and how it is turned."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import ImageId
from pyloader.errors import FormatError, ImageIdError
from pyloader.image import PlaneModule
from pyloader.volume import Grid, Volume, frame_of_reference_uid, from_ras
from tests.support.nifti_builders import corners, place_of
from tests.support.volumes import PARTS, VOXELS, image_of, random_affine, voxel_of


@pytest.mark.parametrize("shear", [0, 0.2])
@pytest.mark.parametrize("seed", range(20))
def test_pixels_are_where_the_affine_says(seed, shear):
    affine = random_affine(seed, shear)
    volume = Volume.from_array(VOXELS, affine=affine)
    seen = 0
    for axis, index, time in product("xyz", range(6), range(2)):
        try:
            image = image_of(volume, f"#{axis}-{index},t-{time}")
        except ImageIdError:
            continue
        seen += image.pixels.size
        for row, column in corners(image):
            timepoint, z, y, x = voxel_of(image.pixels[row, column])
            assert timepoint == time
            assert_allclose(place_of(image, row, column), (affine @ (x, y, z, 1))[:3], atol=1e-9)
    assert seen == 3 * VOXELS.size


@pytest.mark.parametrize("seed", range(20))
def test_slices_are_turned_for_radiologists(seed):
    """As near as the voxels' axes allow: no other way through them is nearer, all axes together."""
    volume = Volume.from_array(VOXELS, affine=random_affine(seed))
    wanted = {
        "x": ((0, 1, 0), (0, 0, -1)),
        "y": ((1, 0, 0), (0, 0, -1)),
        "z": ((1, 0, 0), (0, 1, 0)),
    }
    for axis, ways in wanted.items():
        cosines = image_of(volume, f"#{axis}").plane.image_orientation_patient
        across, down = np.reshape(cosines, (2, 3))
        assert across @ ways[0] > 0
        assert down @ ways[1] > 0


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)]
)
@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)))
def test_voxels_in_any_order_give_the_same_picture(order, signs):
    """Eight voxels, known by where they are; stored in every way there is."""
    affine = np.zeros((4, 4))
    for axis, (patient_axis, sign) in enumerate(zip(order, signs, strict=True)):
        affine[patient_axis, axis] = sign
    # The cube from 0 to 1 in all directions, whatever its first voxel.
    affine[:, 3] = (*(0 if sign > 0 else 1 for sign in np.array(signs)[np.argsort(order)]), 1)
    voxels = np.zeros((2, 2, 2), "u1")
    for x, y, z in product(range(2), repeat=3):
        place = affine @ (x, y, z, 1)
        voxels[z, y, x] = 100 * place[0] + 10 * place[1] + place[2]
    volume = Volume.from_array(voxels, affine=affine)
    pictures = {
        "#x-0": [[1, 11], [0, 10]],
        "#y-0": [[1, 101], [0, 100]],
        "#z-0": [[0, 100], [10, 110]],
    }
    for part, expected in pictures.items():
        patient_axis = "xyz".index(part[1])
        if signs[order.index(patient_axis)] < 0:  # slices count in the order of the voxels
            part, expected = part.replace("0", "1"), expected
        assert_array_equal(image_of(volume, part).pixels, expected)


def test_stored_slices_keep_their_rows_and_columns():
    affine = random_affine(1)
    volume = Volume.from_array(VOXELS, affine=affine)
    for frame in range(8):
        image = image_of(volume, f"?frame={frame + 1}")
        assert_array_equal(image.pixels, VOXELS[frame // 4, frame % 4])
        plane = image.plane
        expected = (affine @ (0, 0, frame % 4, 1))[:3]
        assert_allclose(plane.image_position_patient, expected)
        between_columns, between_rows, _ = np.linalg.norm(affine[:3, :3], axis=0)
        assert_allclose(plane.pixel_spacing, (between_rows, between_columns))


def test_distance_of_slices_is_across_their_plane():
    affine = np.array([[2, 0, 0, 0], [0, 2, 3, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
    plane = image_of(Volume.from_array(VOXELS, affine=affine), "?frame=1").plane
    assert (plane.spacing_between_slices, plane.slice_thickness) == (4, 4)


def test_spacing_alone():
    volume = Volume.from_array(VOXELS, spacing=(2, 3, 4))
    plane = image_of(volume, "#z-1").plane
    assert plane.image_position_patient == (0, 0, 4)
    assert plane.image_orientation_patient == (1, 0, 0, 0, 1, 0)
    assert plane.pixel_spacing == (3, 2)
    assert image_of(volume, "#x-1").plane.pixel_spacing == (4, 3)


@pytest.mark.parametrize("part", ["x-0", "y-0", "z-0"])
def test_no_direction_has_a_negative_zero(part):
    plane = image_of(Volume.from_array(VOXELS, spacing=(1, 2, 3)), f"#{part},t-0").plane
    assert "-0.0" not in [str(each) for each in plane.image_orientation_patient]


def test_nothing_known_is_nothing_told():
    volume = Volume.from_array(VOXELS)
    for part in PARTS:
        assert image_of(volume, part).plane == PlaneModule()
    assert_array_equal(image_of(volume, "#x-5").pixels, VOXELS[0, :, :, 5])
    assert_array_equal(image_of(volume, "#y-4").pixels, VOXELS[0, :, 4])
    assert_array_equal(image_of(volume, "#z-3").pixels, VOXELS[0, 3])


GEOMETRY = {
    "pixel_spacing": (2, 3),
    "imager_pixel_spacing": (2, 3),
    "image_position_patient": (0, 0, 0),
    "image_orientation_patient": (1, 0, 0, 0, 1, 0),
    "slice_location": 5,
    "spacing_between_slices": 5,
}


@pytest.mark.parametrize("name", GEOMETRY)
@pytest.mark.parametrize("more", [{}, {"spacing": (1, 1, 1)}, {"affine": np.eye(4)}], ids=str)
def test_places_of_single_slices_are_refused(name, more):
    expected = f"a volume's geometry is `affine` or `spacing`, not {name}"
    with pytest.raises(FormatError, match=expected):
        Volume.from_array(VOXELS, **{name: GEOMETRY[name]}, **more)


def test_space_and_thickness_of_the_author_stay():
    known = {"frame_of_reference_uid": "1.2.3", "slice_thickness": 5.0}
    volume = Volume.from_array(VOXELS, spacing=(2, 3, 4), **known)
    plane = image_of(volume, "?frame=2").plane
    assert (plane.frame_of_reference_uid, plane.slice_thickness) == ("1.2.3", 5)
    assert plane.spacing_between_slices == 4
    assert image_of(volume, "#x-2").plane.slice_thickness == 2


def test_slices_of_one_source_share_a_space():
    volume = Volume.from_array(VOXELS, spacing=(1, 1, 1))
    uids = {image_of(volume, part).plane.frame_of_reference_uid for part in PARTS}
    assert uids == {frame_of_reference_uid("mine:a")}
    assert frame_of_reference_uid("mine:b") not in uids


def test_from_ras_goes_both_ways():
    affine = random_affine(3)
    assert_array_equal(from_ras(from_ras(affine)), affine)
    assert_array_equal(from_ras(affine) @ (1, 2, 3, 1), affine @ (1, 2, 3, 1) * (-1, -1, 1, 1))


def test_grid_without_voxels():
    grid = Grid((6, 5, 4, 2), np.eye(4))
    cut = grid.cut(ImageId.parse("mine:a#x-3"))
    assert (cut.axis, cut.index, cut.timepoint) == (0, 3, 0)
    with pytest.raises(FormatError, match="a volume has columns, rows, slices and timepoints"):
        Grid((6, 5, 4))  # type: ignore[arg-type] -- what a caller may get wrong
