"""The five loaders of the guide and the gallery, under plain CPython, and the guide itself."""

from __future__ import annotations

import ast
import re
from itertools import pairwise

import numpy as np
import pytest

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.errors import CustomLoaderError
from pyloader.testing import LoaderContract, memory_context
from tests.support import builders
from tests.support.guide import (
    CENTER,
    COSINES,
    FRAMES,
    GREY,
    LABELS,
    LOADERS,
    MODULES,
    NAMES,
    NO_LABELS,
    RANDOM,
    SPACING,
    VOXELS,
    WEB,
    Denoise,
    Film,
    Overlay,
    Raw,
    Volume,
    dicom,
    median,
    npy,
)

GUIDE = (WEB / "guide.md").read_text()
BLOCKS = re.compile(r"```python\n(.*?)```", re.DOTALL)

# ---------------------------------------------------------------- what every loader owes


class TestRaw(Raw, LoaderContract):
    """An array from a URL."""


class TestFilm(Film, LoaderContract):
    """Many images in one file."""


class TestVolume(Volume, LoaderContract):
    """A volume and its slices: the second axial one, from right to left, from front to back."""


class TestDenoise(Denoise, LoaderContract):
    """A filter."""


class TestOverlay(Overlay, LoaderContract):
    """An overlay from two sources."""


# ---------------------------------------------------------------- what they show


@pytest.fixture
def loaders():
    """Register the five loaders; take them back afterwards."""
    contracts = [kind() for kind in (TestRaw, TestFilm, TestVolume, TestDenoise, TestOverlay)]
    for contract in contracts:
        contract.setup_method()
    yield
    for contract in contracts:
        contract.teardown_method()


async def test_film_is_fetched_once_for_images_and_list(loaders) -> None:
    context = memory_context(TestFilm.answers)
    image_ids = await list_image_ids("film:https://host/a.film", context)
    assert image_ids == [f"film:https://host/a.film?frame={number}" for number in (1, 2, 3)]
    for image_id, frame in zip(image_ids, FRAMES, strict=True):
        image = await load_image(image_id, context)
        assert np.array_equal(image.pixels, frame)
        assert (image.plane.pixel_spacing, image.voi_lut.window_center) == ((2, 3), (40,))
        assert image.modules == MODULES
    modules = await load_metadata(image_ids[0], context)
    assert (modules["cine"], modules["image_plane"].pixel_spacing) == (MODULES["cine"], (2, 3))
    assert len(context.network.transport.requests) == 1
    with pytest.raises(CustomLoaderError, match=r"'film:.*frame=4': IndexError: index 3 is out"):
        await load_image("film:https://host/a.film?frame=4", context)


@pytest.mark.parametrize(("part", "count"), [("x", 4), ("y", 6), ("z", 5)])
async def test_slices_of_a_volume_are_where_they_are(loaders, part: str, count: int) -> None:
    context = memory_context(TestVolume.answers)
    image_ids = await list_image_ids(f"mgz:https://host/a.mgz#{part}", context)
    assert image_ids == [f"mgz:https://host/a.mgz#{part}-{index}" for index in range(count)]
    # FreeSurfer: the centre is that of the voxel (columns / 2, rows / 2, slices / 2), in RAS.
    first = np.array(CENTER) - np.array(COSINES).T @ (np.array([4, 5, 6]) / 2 * SPACING)
    steps = np.array(COSINES).T * SPACING
    for image_id in image_ids:
        image = await load_image(image_id, context)
        plane = image.plane
        across, down = np.array(plane.row_cosines), np.array(plane.column_cosines)
        for row, column in ((0, 0), (1, 3), (image.pixels.shape[0] - 1, 0)):
            away = column * plane.pixel_spacing[1] * across + row * plane.pixel_spacing[0] * down
            ras = (np.array(plane.image_position_patient) + away) * (-1, -1, 1)
            place = np.linalg.solve(steps, ras - first)
            assert np.abs(place - place.round()).max() < 1e-4
            i, j, k = place.round().astype(int)
            assert image.pixels[row, column] == VOXELS[k, j, i]


async def test_a_filter_keeps_what_the_image_says(loaders) -> None:
    context = memory_context(TestDenoise.answers)
    plain = await load_image("wadouri:https://host/a.dcm", context)
    image = await load_image("denoise:wadouri:https://host/a.dcm", context)
    assert (image.pixel, image.plane, image.voi_lut) == (plain.pixel, plain.plane, plain.voi_lut)
    assert image.pixels.dtype == plain.pixels.dtype


async def test_a_filter_of_colour(loaders) -> None:
    pixels = RANDOM.integers(0, 256, (6, 7, 3)).astype("u1")
    context = memory_context({"https://host/c.dcm": builders.native(pixels)})
    image = await load_image("denoise:wadouri:https://host/c.dcm", context)
    for sample in range(3):
        assert np.array_equal(image.pixels[..., sample], median(pixels[..., sample]))


async def test_the_header_of_a_filtered_file_is_read_alone(loaders) -> None:
    body = dicom()
    truncated = body[: body.index(GREY.tobytes()) + 8]
    context = memory_context({"https://host/a.dcm": truncated})
    modules = await load_metadata("denoise:wadouri:https://host/a.dcm", context)
    assert modules["image_plane"].pixel_spacing == (0.5, 0.75)


async def test_an_overlay_lies_where_the_image_does(loaders) -> None:
    context = memory_context(TestOverlay.answers)
    image = await load_image(TestOverlay.image_id, context)
    assert image.plane.pixel_spacing == (0.5, 0.75)
    assert image.plane.image_position_patient == (1, 2, 3)


async def test_an_overlay_of_a_frame(loaders) -> None:
    frames = np.stack([GREY, GREY[::-1]])
    body = builders.native(frames, NumberOfFrames=2, WindowCenter=400, WindowWidth=800)
    context = memory_context({"https://host/a.dcm": body, "https://host/b.npy": npy(0 * LABELS)})
    first, second = [
        (
            await load_image(
                f"overlay:wadouri:https://host/a.dcm?frame={number}|{NO_LABELS}", context
            )
        )
        for number in (1, 2)
    ]
    assert not np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.pixels, second.pixels[::-1])


# ---------------------------------------------------------------- the guide


@pytest.mark.parametrize("name", NAMES)
def test_loader_is_short_and_in_the_guide(name: str) -> None:
    source = (LOADERS / f"{name}.py").read_text()
    assert len(source.splitlines()) < 30
    assert source in BLOCKS.findall(GUIDE), f"{name}.py stands in the guide as it is"


def test_the_loaders_rise_in_the_guide_and_the_gallery() -> None:
    assert sorted(path.stem for path in LOADERS.glob("*.py")) == sorted(NAMES)
    places = [GUIDE.index((LOADERS / f"{name}.py").read_text()) for name in NAMES]
    assert all(one < other for one, other in pairwise(places))
    gallery = (WEB / "demo" / "custom-loader.html").read_text()
    assert re.findall(r'data-file="(\w+)\.py"', gallery) == NAMES


def test_every_piece_of_the_guide_is_python() -> None:
    blocks = BLOCKS.findall(GUIDE)
    assert len(blocks) > len(NAMES)
    for block in blocks:
        compile(block, "guide.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
