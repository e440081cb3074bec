"""``zarr:``: what a load of metadata fetches."""

from __future__ import annotations

from pyloader import load_metadata
from tests.support.zarr_builders import image
from tests.support.zarr_server import URL, load


async def test_header_needs_no_chunk(remote, folder):
    image(folder.root, 3, tuple("tzyx"), (3, 4, 12, 10))
    modules = await load_metadata(f"zarr:{URL}#y-5,t-2", remote)
    assert (modules["image_pixel"].rows, modules["image_pixel"].columns) == (4, 10)
    assert not [key for key in folder.keys if "/c/" in key]
    found = await load(remote, "#y-5,t-2")
    assert modules["image_plane"] == found.plane
    assert modules["image_pixel"] == found.pixel
