"""Loaders of volumes: a function reads the volume, and its slices are the images."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pyloader import Context, ImageId, list_image_ids, load_image, load_metadata
from pyloader.errors import CustomLoaderError
from pyloader.image import modules_of
from pyloader.loaders import schemes
from pyloader.volume import Volume, register_volume
from tests.support.volumes import VOXELS


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
