"""Research formats through dist/ in Chromium: the same pixels and places as in plain Python."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from pyloader import load_image, load_metadata
from pyloader.wire import wire_image, wire_modules
from tests.support.nrrd_builders import nrrd
from tests.support.numpy_files import saved, saved_together
from tests.support.pages.outcome import fail, load
from tests.support.slices import local_context, numbered, oblique, written
from tests.support.webserver import WebServer
from tests.support.zarr_builders import V2, V3, VOXELS, image, write

PARTS = ("?frame=2", "#x-1", "#y-3", "#z-2")


def publish(site: WebServer, folder: Path, root: str) -> None:
    """Serve all files below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            site.put(f"{root}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def check(page: Page, site: WebServer, scheme: str, folder: Path, rest: str) -> dict[str, Any]:
    """Assert that an image is in the page what it is in plain Python, and return it."""
    root = f"/made/{folder.name}"
    publish(site, folder, root)
    # The driver of the browser has this thread's event loop.
    with ThreadPoolExecutor() as executor:
        work = executor.submit(lambda: asyncio.run(expect(f"{scheme}:{folder}/{rest}")))
        expected = work.result()
    image_id = f"{scheme}:{root}/{rest}"
    found = load(page, image_id)
    pixels = found["pixels"] if expected["samples"] == 1 else found["pixels"][..., :3]
    assert pixels.dtype == expected["pixels"].dtype
    assert np.array_equal(pixels.ravel(), expected["pixels"])
    plane = page.evaluate("(id) => pyloader.metaData('imagePlaneModule', id)", image_id)
    # The space of a volume is named after its source, which is another one here.
    for each in (plane, expected["plane"]):
        each.pop("frameOfReferenceUID", None)
    assert plane.keys() == expected["plane"].keys()
    for name, value in expected["plane"].items():
        assert plane[name] == pytest.approx(value, rel=1e-12, abs=1e-12)
    return found


async def expect(image_id: str) -> dict[str, Any]:
    """Return pixels and plane of an image in plain Python, as a message to a page."""
    context = local_context()
    message = wire_image(await load_image(image_id, context))
    modules = wire_modules(await load_metadata(image_id, context))
    samples = message["pixel"]["samplesPerPixel"]
    return {"pixels": message["pixels"], "samples": samples, "plane": modules["imagePlaneModule"]}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
def test_volumes_that_simpleitk_writes(
    page: Page, site: WebServer, tmp_path: Path, name: str, part: str
) -> None:
    written(oblique(numbered()), tmp_path / name, useCompression=True)
    scheme = "nrrd" if ".n" in name else "metaimage"
    check(page, site, scheme, tmp_path, name + part)


@pytest.mark.parametrize(
    "rest", ["a.npy?frame=3", "a.npy?axes=xyz#y-1", "b.npz?array=mask&frame=2"]
)
def test_arrays_of_numpy(page: Page, site: WebServer, tmp_path: Path, rest: str) -> None:
    voxels = numbered("f2").astype(">f4" if "y-1" in rest else "f2") / 7
    (tmp_path / "a.npy").write_bytes(saved(voxels))
    (tmp_path / "b.npz").write_bytes(saved_together(np.savez_compressed, a=voxels, mask=voxels > 9))
    check(page, site, "numpy", tmp_path, rest)
    assert {seen.path.partition("?")[2] for seen in site.seen if tmp_path.name in seen.path} <= {""}


def test_color_of_numpy(page: Page, site: WebServer, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(saved(numbered("u1", (5, 7, 3))))
    assert check(page, site, "numpy", tmp_path, "a.npy?axes=yxc")["pixels"].shape == (5, 7, 4)


@pytest.mark.parametrize(
    "name", ["zlib", "zstd", "lz4", "blosc-lz4-1", "blosc-zstd-2", "blosc-zlib-1"]
)
def test_zarr_of_version_2(page: Page, site: WebServer, tmp_path: Path, name: str) -> None:
    write(tmp_path, zarr_format=2, **V2[name])
    found = check(page, site, "zarr", tmp_path, "?frame=3")
    assert np.array_equal(found["pixels"], VOXELS[2])


@pytest.mark.parametrize(
    "name", ["default", "gzip", "blosc", "sum-packed", "transposes", "sharded"]
)
def test_zarr_of_version_3(page: Page, site: WebServer, tmp_path: Path, name: str) -> None:
    write(tmp_path, **V3[name])
    found = check(page, site, "zarr", tmp_path, "#x-17")
    assert np.array_equal(found["pixels"], VOXELS[:, :, 17])


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr(page: Page, site: WebServer, tmp_path: Path, version: int) -> None:
    voxels = image(tmp_path, version, tuple("czyx"), (2, 4, 12, 10))
    found = check(page, site, "zarr", tmp_path, "?level=1&channel=1#z-3")
    assert np.array_equal(found["pixels"], voxels[1, 3, ::2, ::2])
    root = f"zarr:/made/{tmp_path.name}/?level=1&channel=1"
    image_ids = page.evaluate("(source) => pyloader.imageIds(source)", root)
    assert image_ids == [f"{root}&frame={number}" for number in range(1, 5)]


def test_damage_is_an_error_of_the_page(page: Page, site: WebServer) -> None:
    path = site.put("/made/short.nrrd", nrrd(bytes(100)))
    error = fail(page, f"nrrd:{path}")
    assert (error["code"], error["kind"]) == ("format", "FormatError")
    assert "100 bytes of pixels, expected 280" in error["message"]
