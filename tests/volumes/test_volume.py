"""Slices of volumes: which voxels they have, how they are turned, and where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import Context, ImageId, list_image_ids, load_image, load_metadata
from pyloader.errors import CustomLoaderError, FormatError, ImageIdError
from pyloader.image import Image, PlaneModule, modules_of
from pyloader.loaders import schemes
from pyloader.volume import Grid, Volume, frame_of_reference_uid, from_ras, register_volume
from tests.support.nifti_builders import corners, place_of

SHAPE = (2, 4, 5, 6)
VOXELS = np.arange(240, dtype="u2").reshape(SHAPE)
PARTS = ["#x-5,t-1", "#y-4", "#z-3,t-1", "#x", "#2", "?frame=1", "?frame=8", ""]


def image_of(volume: Volume, part: str = "", source: str = "mine:a") -> Image:
    """Return a slice by what stands behind the source."""
    return volume.image(ImageId.parse(source + part))


def random_affine(seed: int, shear: float = 0.0) -> np.ndarray:
    """Return an affine in any orientation, mirrored or not, of different steps."""
    generator = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag(generator.uniform(0.5, 3, 3))
    affine[:3, :3] += shear * generator.normal(size=(3, 3))
    affine[:3, 3] = generator.normal(size=3) * 50
    return affine


def voxel_of(value: int) -> tuple[int, ...]:
    """Return timepoint, slice, row and column of a value of `VOXELS`."""
    return np.unravel_index(value, SHAPE)


# ------------------------------------------------------------------ places


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


# ------------------------------------------------------------------ voxels


@pytest.mark.parametrize("part", PARTS)
def test_slices_are_views(part):
    for voxels in (VOXELS, np.asfortranarray(VOXELS), VOXELS[:, ::-1]):
        volume = Volume.from_array(voxels, affine=random_affine(5))
        assert np.shares_memory(image_of(volume, part).pixels, voxels)


def test_array_of_nibabel_is_given_as_its_transpose():
    array = np.asfortranarray(np.arange(60).reshape(5, 4, 3))
    image = image_of(Volume.from_array(array.T), "?frame=2")
    assert_array_equal(image.pixels, array[:, :, 1].T)
    assert np.shares_memory(image.pixels, array)


def test_one_slice():
    volume = Volume.from_array(VOXELS[0, 0])
    assert volume.grid.shape == (6, 5, 1, 1)
    assert_array_equal(image_of(volume).pixels, VOXELS[0, 0])


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6), (2, 4, 5, 6)])
def test_colour(shape, samples):
    voxels = np.random.default_rng(7).integers(0, 255, (*shape, samples), "u1")
    volume = Volume.from_array(voxels, is_color=True)
    image = image_of(volume, "#x-3")
    full = voxels.reshape(*(1,) * (4 - len(shape)), *voxels.shape)
    assert_array_equal(image.pixels, full[0, :, :, 3])
    assert image.pixel.photometric_interpretation == "RGB"


def test_complex_voxels_are_shown_by_their_magnitude():
    volume = Volume.from_array(VOXELS * (3 + 4j))
    image = image_of(volume, "#y-1")
    assert image.pixels.dtype == "f8"
    assert_allclose(image.pixels, VOXELS[0, :, 1] * 5.0)


def test_mask():
    image = image_of(Volume.from_array(VOXELS % 3 == 0), "#x-1")
    assert_array_equal(image.pixels, VOXELS[0, :, :, 1] % 3 == 0)
    assert image.pixels.dtype == "u1"


def test_attributes_are_those_of_all_slices():
    volume = Volume.from_array(VOXELS, rescale_slope=2.0, window_center=40, bits_stored=12)
    for part in PARTS:
        image = image_of(volume, part)
        assert image.modality_lut.slope == 2
        assert image.voi_lut.window_center == (40,)
        assert (image.pixel.bits_stored, image.pixel.high_bit) == (12, 11)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("voxels", [VOXELS, VOXELS * 1j, VOXELS.astype("i8")], ids=str)
def test_modules_are_those_of_the_image(part, voxels):
    volume = Volume.from_array(voxels, affine=random_affine(5), rescale_slope=2.0)
    found = volume.modules(ImageId.parse(f"mine:a{part}"))
    assert found == modules_of(image_of(volume, part))


@pytest.mark.parametrize("value", [2**53, -(2**53)])
def test_integers_that_javascript_has_no_number_for(value):
    volume = Volume.from_array(np.full((1, 1), value))
    assert image_of(volume).warnings == ()
    beyond = value + np.sign(value)
    [warning] = image_of(Volume.from_array(np.full((1, 1), beyond))).warnings
    assert f"{beyond} to {beyond}, are exact in Python only" in warning


def test_nbytes():
    assert Volume.from_array(VOXELS).nbytes == 480


# ------------------------------------------------------------------ imageIds


def ids_of(part: str, shape: tuple[int, ...] = SHAPE, scheme: str = "mine") -> list[str]:
    """Return what stands behind the source in each imageId of a list."""
    found = Volume.from_array(VOXELS.reshape(shape)).image_ids(ImageId.parse(f"{scheme}:a{part}"))
    assert all(each.startswith(f"{scheme}:a") for each in found)
    return [each.removeprefix(f"{scheme}:a") for each in found]


def test_list_of_stored_slices():
    assert ids_of("") == [f"?frame={number}" for number in range(1, 9)]
    assert ids_of("?frame=3") == ids_of("")
    assert ids_of("", scheme="nifti") == [f"?frame={number}" for number in range(8)]
    assert ids_of("?token=x")[7] == "?token=x&frame=8"


def test_list_of_one_direction():
    assert ids_of("#y") == [f"#y-{index},t-{time}" for time in range(2) for index in range(5)]
    assert ids_of("#x-2,t-1") == [f"#x-{index},t-1" for index in range(6)]
    assert ids_of("#z", (8, 5, 6)) == [f"#z-{index}" for index in range(8)]


@pytest.mark.parametrize("part", ["", "#x", "#y,t-1", "#z"])
def test_every_slice_of_a_list_is_there_and_different(part):
    volume = Volume.from_array(VOXELS, affine=random_affine(2))
    found = volume.image_ids(ImageId.parse(f"mine:a{part}"))
    images = [volume.image(ImageId.parse(image_id)) for image_id in found]
    pixels = np.concatenate([image.pixels.ravel() for image in images])
    assert len(np.unique(pixels)) == len(pixels) == VOXELS.size // (2 if "t-1" in part else 1)


@pytest.mark.parametrize(
    ("image_id", "expected"),
    [
        ("mine:a?frame=9", "asks for frame 9; there are 8, 1 to 8"),
        ("nifti:a?frame=8", "asks for frame 8; there are 8, 0 to 7"),
        ("mine:a#x-6", "asks for x slice 6; there are 6, 0 to 5"),
        ("mine:a#y-5", "asks for y slice 5; there are 5, 0 to 4"),
        ("mine:a#4", "asks for z slice 4; there are 4, 0 to 3"),
        ("mine:a#z-1,t-2", "asks for timepoint 2; there are 2, 0 to 1"),
        ("mine:a#w-1", "names no slice by '#w-1'; expected '#z-12', '#x-12,t-3' or '#12'"),
        ("mine:a#x-1,t", "names no slice by '#x-1,t'"),
        ("mine:a?frame=1#w", "names no slice by '#w'"),
    ],
)
def test_slice_that_is_not_there(image_id, expected):
    volume = Volume.from_array(VOXELS)
    for call in (volume.image, volume.modules):
        with pytest.raises(ImageIdError, match=expected):
            call(ImageId.parse(image_id))


# ------------------------------------------------------------------ what is no volume


@pytest.mark.parametrize("shape", [(6,), (1, 2, 3, 4, 5), ()])
def test_array_that_is_no_volume(shape):
    with pytest.raises(
        FormatError, match=r"a volume's array is \(slices, rows, columns\) or .* not"
    ):
        Volume.from_array(np.zeros(shape))


@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 6, 2), (2, 4, 5, 6, 5)])
def test_array_that_is_no_colour(shape):
    with pytest.raises(FormatError, match="and the samples of a color"):
        Volume.from_array(np.zeros(shape, "u1"), is_color=True)


def test_empty_array():
    with pytest.raises(FormatError, match=r"at least 1 each, not \(6, 0, 4, 1\)"):
        Volume.from_array(np.zeros((4, 0, 6)))


@pytest.mark.parametrize("dtype", ["O", "U1", "M8[s]"])
def test_type_that_is_no_number(dtype):
    with pytest.raises(FormatError, match="an image's array has integers or floats"):
        Volume.from_array(np.zeros((4, 5, 6), dtype))


def test_unknown_attribute():
    with pytest.raises(FormatError, match="unknown image attribute 'spacings'"):
        Volume.from_array(VOXELS, spacings=(1, 1, 1))


def with_value(row: int, column: int, value: float) -> np.ndarray:
    """Return the identity with another value."""
    affine = np.eye(4)
    affine[row, column] = value
    return affine


@pytest.mark.parametrize(
    "affine",
    [
        with_value(0, 0, np.nan),
        with_value(0, 3, np.inf),
        with_value(1, 1, 0),
        np.ones((4, 4)),
        np.eye(3),
        np.eye(4)[:3],
        with_value(3, 0, 5),  # points in rows
        with_value(3, 3, 2),
        np.diag([1e-300, 1, 1, 1]),
        np.diag([1e300, 1, 1, 1]),
        [[1, 1, 0, 0], [0, 1e-9, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    ],
)
def test_affine_that_is_not_usable(affine):
    with pytest.raises(
        FormatError, match="that can be inverted, with a last row of 0, 0, 0, 1, not"
    ):
        Volume.from_array(VOXELS, affine=affine)


SPACINGS = [
    *((0.5, 0.5), (1, 1, 1, 1), 0.5, (), (1, 1, 0), (1, -1, 1), (1, np.nan, 1), (1, np.inf, 1)),
    *(
        "abc",
        "111",
        ("1", "1", "1"),
        (1, None, 1),
        (10**400, 1, 1),
        np.eye(3),
        {1, 2, 3},
        (True, True, True),
    ),
]


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_spacing_that_is_not_usable(spacing):
    expected = "spacing is three numbers above 0, between columns, rows and slices, not "
    with pytest.raises(FormatError, match=expected):
        Volume.from_array(VOXELS, spacing=spacing)


@pytest.mark.parametrize("affine", ["abc", object, [[1], [1, 2]], {1: 2}, [[10**400] * 4] * 4])
def test_affine_that_is_no_array_of_numbers(affine):
    with pytest.raises(FormatError, match="the affine of a volume is a"):
        Volume.from_array(VOXELS, affine=affine)


def test_attributes_of_a_volume_are_those_of_an_image():
    with pytest.raises(FormatError, match="rescale_slope is a number other than 0, not '2'"):
        Volume.from_array(VOXELS, rescale_slope="2")


def test_grid_without_voxels():
    grid = Grid((6, 5, 4, 2), np.eye(4))
    cut = grid.cut(ImageId.parse("mine:a#x-3"))
    assert (cut.axis, cut.index, cut.timepoint) == (0, 3, 0)
    with pytest.raises(FormatError, match="a volume has columns, rows, slices and timepoints"):
        Grid((6, 5, 4))  # type: ignore[arg-type] -- what a caller may get wrong


# ------------------------------------------------------------------ a loader of volumes


@pytest.fixture
def reads() -> Iterator[list[str]]:
    """Register a loader of volumes, and collect the imageIds that it is called with."""
    found: list[str] = []

    @register_volume("mine")
    async def read(image_id: ImageId, context: Context) -> Any:
        found.append(image_id.text)
        await asyncio.sleep(0)
        if image_id.rest == "bad":
            return np.zeros((2, 3, 4))
        modules = {"general_series": {"modality": "MR"}}
        voxels = np.arange(24, dtype="i2").reshape(2, 3, 4)
        return Volume.from_array(voxels, spacing=(1, 2, 3), modules=modules)

    yield found
    schemes.drop(__name__)


async def test_volume_is_read_once_for_all_its_slices(context, reads):
    image_ids = await list_image_ids("mine:a", context)
    assert image_ids == ["mine:a?frame=1", "mine:a?frame=2"]
    images = await asyncio.gather(*[load_image(each, context) for each in image_ids])
    expected = np.arange(24).reshape(2, 3, 4)
    assert np.array_equal([image.pixels for image in images], expected)
    assert images[1].plane.image_position_patient == (0, 0, 3)
    assert (await load_image("mine:a#x-1", context)).pixels.shape == (2, 3)
    assert reads == ["mine:a"]


async def test_volumes_asked_for_at_once_are_read_once(context, reads):
    await asyncio.gather(*[load_image(f"mine:a#{axis}", context) for axis in "xyz"])
    assert len(reads) == 1
    await load_image("mine:b", context)
    assert len(reads) == 2


async def test_metadata_of_a_slice_are_those_of_its_image(context, reads):
    found = await load_metadata("mine:a#y-1", context)
    image = await load_image("mine:a#y-1", context)
    assert found == modules_of(image)
    assert found["general_series"] == {"modality": "MR"}


async def test_what_is_no_volume_is_refused(context, reads):
    with pytest.raises(
        CustomLoaderError, match=r"'mine' returned ndarray, expected .*Volume.*line \d+\)"
    ):
        await load_image("mine:bad", context)


def test_scheme_of_volumes_belongs_to_the_file_that_reads(reads):
    assert schemes.owner("mine") == __name__


def test_decorator_without_a_scheme():
    async def vox(image_id: ImageId, context: Context) -> Any:
        return None

    expected = r'register_volume takes the scheme: @register_volume\("vox"\)'
    with pytest.raises(ValueError, match=expected):
        register_volume(vox)  # type: ignore[arg-type] -- the mistake


async def test_loader_that_is_not_asynchronous_is_named_with_its_line(context):
    @register_volume("mine")
    def read(image_id: ImageId, context: Context) -> Any:  # type: ignore[type-var] -- the mistake
        return Volume.from_array(VOXELS)

    expected = r"returned Volume: write `async def` \(read in .*test_volume\.py, line \d+\)"
    for load in (load_image, load_metadata, list_image_ids):
        with pytest.raises(CustomLoaderError, match=expected):
            await load("mine:a", context)
    schemes.drop(__name__)
