"""Hierarchies: levels, scales and axes of OME-Zarr in all versions, and what is refused."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

from pyloader import load_metadata
from pyloader.errors import FormatError, ImageIdError, UnsupportedError
from tests.support.zarr_builders import CHUNKS, SHAPE, VOXELS, image, write
from tests.support.zarr_server import URL, Folder, load


@pytest.mark.parametrize("version", [2, 3])
async def test_scale_that_stands_in_an_array(remote, folder, version):
    more = [{"type": "scale", "path": "numbers/scale"},
            {"type": "translation", "path": "numbers/translation"}]  # fmt: skip
    multiscale = {"coordinateTransformations": more}
    image(folder.root, version, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    for name, values in (("scale", [2.0, 4, 8]), ("translation", [1.0, 2, 3])):
        path = folder.root / "numbers" / name
        write(path, np.array(values), chunks=(3,), zarr_format=version)
    found = await load(remote, "?frame=1")
    assert found.plane.pixel_spacing == (3, 4)
    assert found.plane.image_position_patient == (35, -38, 201)


@pytest.mark.parametrize("where", [{"path": "nowhere"}, {"path": "1"}, {"path": "../out"}, {}])
async def test_scale_that_cannot_be_read_is_not_1(remote, folder, where):
    multiscale = {"coordinateTransformations": [{"type": "scale", **where}]}
    voxels = image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    found = await load(remote, "?frame=3")
    assert_array_equal(found.pixels, voxels[2])
    assert found.plane.pixel_spacing is None
    [warning] = found.warnings
    assert "a scale or translation of OME-Zarr cannot be read" in warning


async def test_transformations_of_all_levels_come_after_their_own(remote, folder):
    more = [
        {"type": "scale", "scale": [1, 2, 10]},
        {"type": "identity"},
        {"type": "translation", "translation": [0, 0, 1]},
    ]
    multiscale = {"coordinateTransformations": more}
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    plane = (await load(remote, "?frame=1")).plane
    assert plane.pixel_spacing == (1.5, 5)
    assert plane.image_position_patient == (41, -20, 100)


def rename(folder: Folder, axes: list[dict[str, str]]) -> None:
    """Describe the axes of an image otherwise."""
    document = json.loads((folder.root / "zarr.json").read_text())
    document["attributes"]["ome"]["multiscales"][0]["axes"] = axes
    (folder.root / "zarr.json").write_text(json.dumps(document))


SPACE = [{"name": name, "type": "space"} for name in "zyx"]
# The first axis; what it is.
TYPED = [({"name": "c", "type": "channel"}, "c"), ({"name": "lambda", "type": "channel"}, "c"),
         ({"name": "t", "type": "channel"}, "c"), ({"name": "Channel"}, "c"), ({"name": "c"}, "c"),
         ({"name": "t", "type": "time"}, "t"), ({"name": "frame", "type": "Time"}, "t"),
         ({"name": "c", "type": "time"}, "t"), ({"name": "time"}, "t")]  # fmt: skip


@pytest.mark.parametrize(("first", "meaning"), TYPED)
async def test_type_of_an_axis_says_what_it_is(remote, folder, first, meaning):
    voxels = image(folder.root, 3, tuple("czyx"), (2, 4, 12, 10), levels=1)
    rename(folder, [first, *SPACE])
    rest = "?channel=1&frame=3" if meaning == "c" else "?frame=7"
    found = await load(remote, rest)
    assert_array_equal(found.pixels, voxels[1, 2])
    modules = await load_metadata(f"zarr:{URL}{rest}", remote)
    assert modules["frame_content"] == found.modules["frame_content"]
    time = {"temporal_position_identifier": 2, "temporal_position_index": 2,
            "number_of_temporal_positions": 2}  # fmt: skip
    channel = {"stack_id": "2", "in_stack_position_number": 3}
    assert modules["frame_content"] == (channel if meaning == "c" else time)


async def test_axes_of_space_of_any_name_are_in_order(remote, folder):
    voxels = image(folder.root, 3, tuple("zyx"), (4, 12, 10), levels=1)
    rename(folder, [{"name": name, "type": "space"} for name in ("depth", "row", "column")])
    found = await load(remote, "?frame=3")
    assert_array_equal(found.pixels, voxels[2])
    assert found.plane.pixel_spacing == (0.75, 0.5)


async def test_second_axis_of_channels_has_one_place(remote, folder):
    voxels = image(folder.root, 3, tuple("tczyx"), (1, 2, 4, 12, 10), levels=1)
    rename(folder, [{"name": name, "type": "channel"} for name in ("c", "lambda")] + SPACE)
    assert_array_equal((await load(remote, "?frame=3")).pixels, voxels[0, 0, 2])


@pytest.mark.parametrize("axes", [None, ["t", "c", "z", "y", "x"]])
async def test_axes_of_older_versions(remote, folder, axes):
    voxels = image(folder.root, 2, tuple("tczyx"), (2, 3, 4, 12, 10))
    document = json.loads((folder.root / ".zattrs").read_text())
    multiscale = document["multiscales"][0]
    multiscale |= {"version": "0.3", "axes": axes}
    if axes is None:
        del multiscale["axes"]
    (folder.root / ".zattrs").write_text(json.dumps(document))
    found = await load(remote, "?channel=2&frame=7")
    assert_array_equal(found.pixels, voxels[1, 2, 2])


@pytest.mark.parametrize("version", [2, 3])
async def test_consolidated_descriptions_are_asked_for_once(remote, folder, version):
    image(folder.root, version, ("z", "y", "x"), (4, 12, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that version 3 does not say how
        zarr.consolidate_metadata(str(folder.root), zarr_format=version)
    assert_array_equal((await load(remote)).pixels.shape, (12, 10))
    asked = [key for key in folder.keys if key.rsplit("/")[-1].startswith((".z", "zarr"))]
    others = [".zarray", ".zattrs", ".zmetadata"] if version == 2 else []
    assert sorted(asked) == [*others, "zarr.json"]


async def test_array_of_xarray_names_its_axes(remote, folder):
    voxels = write(folder.root, VOXELS.reshape(1, *SHAPE), chunks=(1, *CHUNKS), zarr_format=2)
    (folder.root / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["c", "z", "y", "x"]}')
    assert_array_equal((await load(remote, "?channel=0&frame=3")).pixels, voxels[0, 2])
    with pytest.raises(ImageIdError, match="asks for channel '1'; there are 1, 0 to 0"):
        await load(remote, "?channel=1")


async def test_names_of_dimensions(remote, folder):
    voxels = write(folder.root, dimension_names=["x", "z", "y"])
    assert_array_equal((await load(remote, "?frame=3")).pixels, voxels[:, 2].T)


async def test_names_that_say_nothing(remote, folder):
    voxels = write(folder.root, dimension_names=["depth", "lat", "lon"])
    assert_array_equal((await load(remote, "?frame=3")).pixels, voxels[2])
    assert (await load(remote)).plane.pixel_spacing is None


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"version": "0.6"}, UnsupportedError, "is OME-Zarr 0.6; known are 0.1, "),
        ({"multiscales": []}, FormatError, "add the path of an image or an array within it"),
        ({"multiscales": 5}, FormatError, "has a description that cannot be read"),
        ({"multiscales": [{"datasets": []}]}, ImageIdError, "there are 0"),
        (
            {"multiscales": [{"datasets": [{"path": "9"}]}]},
            FormatError,
            "an array '9' that does not",
        ),
        ({"multiscales": [{"datasets": [{"path": "../0"}]}]}, FormatError, "in the folder of its"),
        ({"multiscales": [{"datasets": [{"path": "0"}]}]}, FormatError, "the axes .*for an array"),
    ],
)
async def test_descriptions_of_images(remote, folder, values, error, text):
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10))
    document = json.loads((folder.root / "zarr.json").read_text())
    document["attributes"]["ome"] |= values
    (folder.root / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(error, match=text):
        await load(remote)


@pytest.mark.parametrize(
    ("more", "error", "text"),
    [
        ([{"type": "affine"}], UnsupportedError, "a transformation 'affine'; known are"),
        ([{"type": "scale", "scale": [1, 2]}], FormatError, r"has a scale \[1, 2\] for 3 axes"),
    ],
)
async def test_transformations_that_cannot_be(remote, folder, more, error, text):
    multiscale = {"coordinateTransformations": more}
    image(folder.root, 3, ("z", "y", "x"), (4, 12, 10), multiscale=multiscale)
    with pytest.raises(error, match=text):
        await load(remote)


async def test_nothing_there(remote, folder):
    with pytest.raises(FormatError, match="is not a readable Zarr array or group: it has no zarr"):
        await load(remote)
