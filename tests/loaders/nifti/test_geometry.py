"""``nifti:``: where the pixels are, compared with nibabel and SimpleITK."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import list_image_ids, load_image
from tests.support.nifti_builders import (
    OBLIQUE,
    SHEARED,
    Nifti,
    corners,
    load_all,
    make,
    numbers,
    oblique,
    place_in,
    place_of,
    serve,
    with_fields,
)

URL = "https://host/a.nii"
CORPUS = Path(nibabel.__file__).parent / "tests" / "data"


# ------------------------------------------------------------------ places


def with_qform(affine: np.ndarray, code: int = 1, version: int = 1, **fields: Any) -> Nifti:
    """Make a file with a qform and no sform."""
    header = {1: nibabel.Nifti1Header, 2: nibabel.Nifti2Header}[version]()
    header.set_qform(affine, code)
    names = ("qform_code", "quatern_b", "quatern_c", "quatern_d")
    names = (*names, "qoffset_x", "qoffset_y", "qoffset_z")
    set_fields = {name: header[name] for name in names} | {"pixdim": header["pixdim"]} | fields
    return make(numbers(), None, version=version, **set_fields)


HALF_TURNS = [np.diag([*signs, 1.0]) for signs in ((-1, -1, 1), (-1, 1, -1), (1, -1, -1))]
GEOMETRIES = {
    "oblique sform": make(numbers(), OBLIQUE),
    "sheared sform": make(numbers(), SHEARED),
    "sagittal": make(numbers(), OBLIQUE[[2, 0, 1, 3]]),
    "coronal": make(numbers(), OBLIQUE[[0, 2, 1, 3]]),
    "mirrored": make(numbers(), OBLIQUE @ np.diag([-1, 1, 1, 1])),
    "upside down": make(numbers(), OBLIQUE @ np.diag([1, -1, -1, 1])),
    "sform before qform": make(numbers(), OBLIQUE, qform_code=1, qoffset_x=99),
    "any sform code": make(numbers(), OBLIQUE, sform_code=4),
    "qform": with_qform(oblique(flip=True)),
    "qform, qfac -1": with_qform(oblique()),
    "qform, NIfTI-2": with_qform(oblique(), version=2),
    "qform, half turns": with_qform(HALF_TURNS[0]),
    "qform, half turn of y": with_qform(HALF_TURNS[1]),
    "qform, half turn of x": with_qform(HALF_TURNS[2]),
    "qform, half turn, NIfTI-2": with_qform(HALF_TURNS[1], version=2),
    "qform, negative distances": with_qform(oblique(), pixdim=[1, -2, -2.5, 3.5, 1, 1, 1, 1]),
    "convention": make(numbers(), None),
    "convention, negative": make(numbers(), None, pixdim=[1, -2, 2, 2, 0, 0, 0, 0]),
    "4-D": make(numbers(shape=(5, 4, 3, 2)), OBLIQUE),
    "one slice": make(numbers(shape=(5, 4, 1)), OBLIQUE),
    "2-D": make(numbers(shape=(5, 4)), OBLIQUE),
    "2-D by convention": make(numbers(shape=(5, 4)), None),
    "NIfTI-2, big endian": make(numbers(), OBLIQUE, version=2, order=">"),
}


@pytest.mark.parametrize("name", GEOMETRIES)
async def test_places_of_all_slices(context, transport, name):
    """Each corner pixel, known by its value, is where nibabel's affine says."""
    file = GEOMETRIES[name]
    source, reference = serve(transport, file), file.read()
    lists = [await list_image_ids(source + part, context) for part in ("", "#x", "#y", "#z")]
    assert [len(found) for found in lists[1:]] == slices_of(reference)
    for image_id in chain.from_iterable(lists):
        image = await load_image(image_id, context)
        for row, column in corners(image):
            expected = place_in(reference, image.pixels[row, column])
            assert_allclose(place_of(image, row, column), expected, rtol=1e-6, atol=1e-5)


def slices_of(reference: Any) -> list[int]:
    """Return how many slices there are across the patient's x, y and z axis."""
    shape = (*reference.shape, 1, 1)[:3]
    times = int(np.prod(reference.shape[3:]))
    axes = [axis for axis, _ in nibabel.orientations.io_orientation(reference.affine)]
    return [shape[axes.index(patient_axis)] * times for patient_axis in range(3)]


@pytest.mark.parametrize("part", ["x", "y", "z"])
@pytest.mark.parametrize("name", ["sagittal", "coronal", "mirrored", "upside down", "convention"])
async def test_slices_are_turned_for_radiologists(context, transport, part, name):
    source = serve(transport, GEOMETRIES[name])
    image = await load_image(f"{source}#{part}-1", context)
    across, down = np.reshape(image.plane.image_orientation_patient, (2, 3))
    left, back, feet = (1, 0, 0), (0, 1, 0), (0, 0, -1)
    expected = {"x": (back, feet), "y": (left, feet), "z": (left, back)}[part]
    # Nearest to these ways, and not to their opposites.
    assert across @ expected[0] > 0.8
    assert down @ expected[1] > 0.8


async def test_places_as_simpleitk_has_them(context, transport, tmp_path):
    file = with_qform(oblique(flip=True))
    (tmp_path / "a.nii").write_bytes(file.single)
    reference = SimpleITK.ReadImage(tmp_path / "a.nii")
    array = SimpleITK.GetArrayFromImage(reference)
    for index, image in enumerate(await load_all(serve(transport, file), context)):
        assert_array_equal(image.pixels, array[index])
        for row, column in corners(image):
            expected = reference.TransformIndexToPhysicalPoint((column, row, index))
            assert_allclose(place_of(image, row, column), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("units", "scale"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (2 | 8, 1), (3 | 16, 0.001)]
)
@pytest.mark.parametrize("file", ["oblique sform", "qform", "convention"])
async def test_units(context, transport, units, scale, file):
    file = GEOMETRIES[file]
    file = with_fields(file, xyzt_units=units)
    image = await load_image(serve(transport, file) + "?frame=2", context)
    for row, column in corners(image):
        expected = place_in(file.read(), image.pixels[row, column]) * scale
        assert_allclose(place_of(image, row, column), expected, rtol=1e-6, atol=1e-8)


async def test_orientation_by_convention_is_told(context, transport):
    image = await load_image(serve(transport, GEOMETRIES["convention"]), context)
    [warning] = image.warnings
    assert "left and right may be exchanged" in warning


async def test_slices_share_a_space_that_other_files_do_not(context, transport):
    one, other = (
        serve(transport, GEOMETRIES["qform"]),
        serve(transport, GEOMETRIES["qform"], URL + "2"),
    )
    image_ids = [f"{one}#x-1", f"{one}?frame=2", other]
    uids = [
        (await load_image(image_id, context)).plane.frame_of_reference_uid for image_id in image_ids
    ]
    assert uids[0] == uids[1] != uids[2]
    assert uids[0].startswith("2.25.")
    assert len(uids[0]) <= 64


LEANING = np.array([[2, 0.5, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]])
TILTED = np.array([[2, 0, 0, 0], [0, 2, 0.5, 0], [0, 0, 3, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("affine", "part", "expected"),
    [
        (LEANING, "z", "axes of this slice meet at 75.96 degrees"),
        (LEANING, "x", "slices follow each other at 75.96 degrees"),
        (TILTED, "z", "slices follow each other at 80.54 degrees"),
        (TILTED, "x", "axes of this slice meet at 80.54 degrees"),
        (TILTED, "y", "slices follow each other at 80.54 degrees"),
        (oblique(), "z", None),
    ],
)
async def test_shear_is_told(context, transport, affine, part, expected):
    image = await load_image(f"{serve(transport, make(numbers(), affine))}#{part}-1", context)
    assert len(image.warnings) == (expected is not None)
    assert expected is None or expected in image.warnings[0]


NAN_SFORM = {"srow_x": [np.nan, 0, 0, 0]}
UNUSABLE = {
    "NaN": NAN_SFORM,
    "infinite": {"srow_x": [np.inf, 0, 0, 0]},
    "singular": {"srow_x": [1, 0, 0, 0], "srow_y": [1, 0, 0, 0]},
    "zero": {"srow_x": [0] * 4, "srow_y": [0] * 4, "srow_z": [0] * 4},
}


@pytest.mark.parametrize("name", UNUSABLE)
async def test_sform_that_is_not_usable(context, transport, name):
    good = with_qform(oblique(), sform_code=1, **UNUSABLE[name])
    image = await load_image(serve(transport, good) + "?frame=1", context)
    expected = nibabel.affines.apply_affine(good.read().get_qform(), (0, 0, 1)) * (-1, -1, 1)
    assert_allclose(image.plane.image_position_patient, expected, rtol=1e-6)
    assert image.warnings == ("the sform of the file (sform_code 1) is not usable",)
    bad = make(numbers(), sform_code=1, **UNUSABLE[name])
    image = await load_image(serve(transport, bad, URL + "2") + "?frame=1", context)
    assert image.plane.image_position_patient is None
    assert image.plane.pixel_spacing is None
    assert "where the voxels are in the patient is not known" in image.warnings


@pytest.mark.parametrize(
    "fields",
    [
        {"qform_code": 1, "quatern_b": np.nan},
        {"qform_code": 1, "quatern_b": 1, "quatern_c": 1},
        {"qform_code": 1, "pixdim": [1, 2, 0, 2, 0, 0, 0, 0]},
        {"qform_code": 1, "qoffset_x": np.inf},
        {"pixdim": [1, 2, np.nan, 2, 0, 0, 0, 0]},
        {"pixdim": [1, 2, 0, 2, 0, 0, 0, 0]},
    ],
)
async def test_geometry_that_is_not_usable_is_none(context, transport, fields):
    image = await load_image(serve(transport, make(numbers(), None, **fields)) + "#x-2", context)
    assert image.plane == type(image.plane)()
    assert any("is not known" in warning for warning in image.warnings)
    assert_array_equal(image.pixels, numbers()[2].T)


@pytest.mark.parametrize("version", [1, 2])
async def test_numbers_that_overflow_are_not_usable(context, transport, version):
    largest = np.finfo({1: "f4", 2: "f8"}[version]).max
    file = make(numbers(), None, version=version, sform_code=1, srow_x=[largest] * 4)
    image = await load_image(serve(transport, file), context)
    assert image.plane.image_position_patient is None


async def test_thickness_of_a_single_slice_may_be_missing(context, transport):
    fields = {"pixdim": [1, 2, 2.5, 0, 0, 0, 0, 0], "qform_code": 1}
    image = await load_image(serve(transport, make(numbers(shape=(5, 4)), None, **fields)), context)
    assert image.plane.pixel_spacing == (2.5, 2)
    assert image.warnings == ("the thickness of its only slice is unknown; 1 unit is assumed",)


async def test_old_files_have_no_qfac(context, transport):
    file = with_qform(oblique(flip=True))
    file = with_fields(file, pixdim=[0, 2, 2.5, 3.5, 1, 1, 1, 1])
    image = await load_image(serve(transport, file) + "?frame=2", context)
    expected = oblique(flip=True) @ (0, 0, 2, 1) * (-1, -1, 1, 1)
    assert_allclose(image.plane.image_position_patient, expected[:3], rtol=1e-6)
