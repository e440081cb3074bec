"""Slices of a volume by imageId: which there are, and which are not."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader import ImageId
from pyloader.errors import ImageIdError
from pyloader.volume import Volume
from tests.support.volumes import SHAPE, VOXELS, random_affine


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
