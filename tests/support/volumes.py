"""A volume of numbered voxels, affines, and slices of them."""

from __future__ import annotations

import numpy as np

from pyloader import ImageId
from pyloader.image import Image
from pyloader.volume import Volume

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
