"""Series as volumes, against SimpleITK and nibabel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from pydicom.uid import generate_uid

from pyloader import list_image_ids
from pyloader.errors import FormatError
from pyloader.volume import Volume, from_ras, load_volume
from tests.support import builders

ROWS, COLUMNS, SLICES = 7, 5, 6
VOXELS = np.random.default_rng(3).integers(-500, 500, (SLICES, ROWS, COLUMNS)).astype("i2")
# Orthogonal and unit length, about 20 degrees from the axes.
ROW, COLUMN = (0.9396926, 0.3420201, 0.0), (-0.3213938, 0.8830222, -0.3420201)
NORMAL = np.cross(ROW, COLUMN)
FIRST, STEP = np.array([-30.0, 12.5, 80.0]), 2.5


def write(
    folder: Path,
    steps: Sequence[float] = range(SLICES),
    along: Any = NORMAL,
    slopes: Sequence[float] = (2,) * SLICES,
    **attributes: Any,
) -> None:
    """Write slices at a number of steps from the first, under names in no order."""
    series = generate_uid()
    for index, number in enumerate(steps):
        body = builders.native(
            VOXELS[index],
            SeriesInstanceUID=series,
            SOPInstanceUID=generate_uid(),
            InstanceNumber=index + 1,
            PixelSpacing=[0.75, 0.5],
            ImageOrientationPatient=[*ROW, *COLUMN],
            ImagePositionPatient=[*(FIRST + number * STEP * np.asarray(along))],
            RescaleIntercept=-1024,
            RescaleSlope=slopes[index],
            **attributes,
        )
        folder.mkdir(exist_ok=True)
        (folder / f"{(index * 5) % 13:02}-{series[-4:]}.dcm").write_bytes(body)


def load(source: Any, **options: Any) -> Volume:
    """Load a volume."""
    return asyncio.run(load_volume(source, **options))


def reference(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return voxels in modality units, and the affine, as SimpleITK reads them."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image), affine


@pytest.mark.parametrize("given", ["folder", "imageIds"])
def test_an_oblique_series_is_the_volume_of_simpleitk(tmp_path, given):
    write(tmp_path)
    voxels, affine = reference(tmp_path)
    source = tmp_path if given == "folder" else asyncio.run(list_image_ids(tmp_path))
    volume = load(source, modality_units=True)
    assert volume.voxels.dtype == np.float32
    np.testing.assert_array_equal(volume.voxels[0], voxels)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-5)


def test_stored_values_keep_their_rescale(tmp_path):
    write(tmp_path, WindowCenter=40, WindowWidth=400)
    volume = load(tmp_path)
    assert volume.voxels.dtype == np.int16
    assert volume.attributes["rescale_slope"] == 2
    assert volume.attributes["window_width"] == (400,)
    values = volume.voxels[0] * volume.attributes["rescale_slope"] - 1024.0
    np.testing.assert_array_equal(values, reference(tmp_path)[0])


def test_a_tilted_gantry_shears_the_affine(tmp_path):
    along = NORMAL + 0.2 * np.asarray(COLUMN)
    write(tmp_path, along=along)
    np.testing.assert_allclose(load(tmp_path).affine[:3, 2], STEP * along, atol=1e-5)


def test_a_nifti_file_is_the_volume_of_nibabel(tmp_path):
    affine = np.array([[0, -2.0, 0.1, 9], [1.5, 0, 0, -8], [0, 0.1, 3.0, 7], [0, 0, 0, 1]])
    path = tmp_path / "brain.nii.gz"
    nibabel.save(nibabel.Nifti1Image(VOXELS, affine), path)
    volume = load(path)
    np.testing.assert_array_equal(volume.voxels[0], VOXELS.T)
    np.testing.assert_allclose(from_ras(volume.affine), affine, atol=1e-4)


def test_slices_of_several_slopes_need_modality_units(tmp_path):
    write(tmp_path, slopes=[1.5, 2, 2.5, 3, 3.5, 4])
    with pytest.raises(FormatError, match=r"different scales.*modality_units=True"):
        load(tmp_path)
    values = load(tmp_path, modality_units=True).voxels[0]
    np.testing.assert_array_equal(values, reference(tmp_path)[0])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([0, 1, 2, 4, 5, 6], r"2\.5 to 5 mm; slices may be missing"),
        ([0, 1, 2, 0, 1, 2], r"0 to 2\.5 mm; .*several images at one position"),
        ([0, 1, 2.2, 3, 4, 5], "2 to 3 mm"),
    ],
)
def test_unequal_steps_are_no_volume(tmp_path, steps, expected):
    write(tmp_path, steps)
    with pytest.raises(FormatError, match=expected):
        load(tmp_path)


def test_rounded_positions_are_equal_steps(tmp_path):
    write(tmp_path, [0, 1.004, 1.996, 3, 4.004, 5])
    np.testing.assert_allclose(load(tmp_path).affine[:3, 2], STEP * NORMAL, atol=1e-5)


def test_one_slice_is_as_thick_as_it_says(tmp_path):
    write(tmp_path, [0], SliceThickness=4)
    np.testing.assert_allclose(load(tmp_path).affine[:3, 2], 4 * NORMAL, atol=1e-5)
    bare = tmp_path / "bare"
    write(bare, [0])
    with pytest.raises(FormatError, match="one slice, and has neither Slice Thickness"):
        load(bare)


def test_images_without_positions_have_no_affine(tmp_path):
    path = tmp_path / "film.dcm"
    path.write_bytes(builders.native(VOXELS, NumberOfFrames=SLICES))
    volume = load(path)
    assert volume.affine is None
    np.testing.assert_array_equal(volume.voxels[0], VOXELS)


def test_several_series_are_not_one_volume(tmp_path):
    write(tmp_path, SeriesDescription="thin")
    write(tmp_path, SeriesDescription="thick")
    with pytest.raises(FormatError, match=r"has 2 series.*'thi"):
        load(tmp_path)


def test_images_of_other_shapes_are_no_volume(tmp_path):
    write(tmp_path, range(2))
    (tmp_path / "z.dcm").write_bytes(builders.native(VOXELS[0, :3]))
    found = [f"wadouri:{path}" for path in sorted(tmp_path.iterdir())]
    with pytest.raises(FormatError, match=r"image 3 is \(3, 5\) int16, the first is \(7, 5\)"):
        load(found)


def test_no_imageids_are_no_volume():
    with pytest.raises(FormatError, match="no imageIds"):
        load([])
