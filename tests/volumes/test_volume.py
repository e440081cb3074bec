"""Slices of volumes: which voxels they have, and which arrays are no volumes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import ImageId
from pyloader.errors import FormatError
from pyloader.image import modules_of
from pyloader.volume import Volume
from tests.support.volumes import PARTS, VOXELS, image_of, random_affine

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
