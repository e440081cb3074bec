"""Tests of every loader of volumes: each pixel is where SimpleITK puts its voxel."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from pyloader import Context, Image, load_image
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.transport.native import NativeTransport

# No axis is as long as another, and none runs along one of the patient's.
SHAPE = (4, 5, 7)


def numbered(dtype: str = "i2", shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Return voxels that all differ, so that a value tells its index."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def oblique(voxels: np.ndarray, is_vector: bool = False) -> sitk.Image:
    """Return an image of (slices, rows, columns) that stands obliquely in space."""
    image = sitk.GetImageFromArray(voxels, isVector=is_vector)
    rotation = sitk.VersorTransform((0.2, -0.5, 0.7), 0.6)
    image.SetDirection(rotation.GetMatrix())
    image.SetSpacing((0.5, 0.75, 2.5))
    image.SetOrigin((-20.5, 31.0, 402.25))
    return image


def place(image: Image, row: int, column: int) -> np.ndarray:
    """Return where the centre of a pixel is, by the Image Plane module (PS3.3 C.7.6.2.1.1)."""
    plane = image.plane
    assert plane.pixel_spacing is not None
    down, across = plane.pixel_spacing
    return (
        np.array(plane.image_position_patient)
        + np.array(plane.row_cosines) * across * column
        + np.array(plane.column_cosines) * down * row
    )


def check_places(image: Image, voxels: np.ndarray, reference: sitk.Image) -> None:
    """Assert that the corners of a slice of numbered `voxels` are where SimpleITK has them."""
    rows, columns = image.pixels.shape
    for row, column in product((0, rows - 1), (0, columns - 1)):
        index = np.argwhere(voxels == image.pixels[row, column])[0]
        expected = reference.TransformIndexToPhysicalPoint([int(each) for each in index[::-1]])
        np.testing.assert_allclose(place(image, row, column), expected, atol=1e-4)


async def check_all_directions(
    source: str, context: Context, voxels: np.ndarray, reference: sitk.Image
) -> None:
    """Assert that slices of each direction hold numbered `voxels`, where SimpleITK has them."""
    mark = "&" if "?" in source else "?"
    for part in (f"{mark}frame=3", "#z-2", "#x-1", "#y-3"):
        image = await load_image(source + part, context)
        assert len(np.unique(image.pixels)) == image.pixels.size
        check_places(image, voxels, reference)


@pytest.fixture
def local() -> Context:
    """Return the context of loads of local files."""
    return local_context()


def local_context() -> Context:
    """Return a context of loads of local files, without retries."""
    return Context(Network(NativeTransport(), retries=0), Cache(1 << 24))


def written(image: sitk.Image, path: Path, **options: Any) -> str:
    """Write an image with SimpleITK and return its path."""
    sitk.WriteImage(image, str(path), **options)
    return str(path)
