"""Local files that are written anew under their name within one process."""

from __future__ import annotations

import asyncio
import gzip
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
import zarr

import pyloader
from pyloader import Context, Image, ImageId, list_image_ids, load_image, load_metadata
from pyloader.load import default_context, register_loader
from pyloader.loaders import schemes
from pyloader.transport.local import TICK_NS, LocalFile
from tests.support import builders

Write = Callable[[Path, int], None]
SHAPE = (3, 4, 5)


def voxels(value: int) -> np.ndarray:
    """Return a volume of one value."""
    return np.full(SHAPE, value, "i2")


def write_dicom(path: Path, value: int) -> None:
    """Write a DICOM file."""
    path.write_bytes(builders.native(np.full((4, 5), value, "u2"), PatientName=f"P{value}"))


def write_film(path: Path, value: int) -> None:
    """Write a DICOM file of many frames, which is read by ranges."""
    frames = np.full((600, 64, 64), value, "u2")
    path.write_bytes(builders.native(frames, NumberOfFrames=600, PatientName=f"P{value}"))


def write_archive(path: Path, value: int) -> None:
    """Write a zip archive of one DICOM file."""
    body = builders.native(np.full((4, 5), value, "u2"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.dcm", body)


def write_pair(path: Path, value: int, packed: bool = False) -> None:
    """Write the data of a NIfTI pair anew, and its header once."""
    nibabel.save(nibabel.Nifti1Pair(voxels(value).T, np.eye(4)), path.with_suffix(".new.hdr"))
    if not path.exists():
        path.with_suffix(".new.hdr").replace(path)
    path.with_suffix(".new.img").replace(path.with_suffix(".img"))


def write_itk(path: Path, value: int) -> None:
    """Write a volume with SimpleITK."""
    sitk.WriteImage(sitk.GetImageFromArray(voxels(value)), str(path))


def write_data(path: Path, value: int, suffix: str) -> None:
    """Write the data file of a header anew, and the header once."""
    if not path.exists():
        write_itk(path, value)
    path.with_suffix(suffix).write_bytes(voxels(value).tobytes())


def write_zarr(path: Path, value: int) -> None:
    """Write one chunk of an array anew, and the array once."""
    if not path.exists():
        array = zarr.create_array(str(path), shape=SHAPE, chunks=(1, 4, 5), dtype="i2")
        array[0] = 0  # no file
    zarr.open_array(str(path))[0] = value


def write_nifti(path: Path, value: int) -> None:
    """Write a NIfTI file."""
    nibabel.save(nibabel.Nifti1Image(voxels(value).T, np.eye(4)), path)


def write_gzip(path: Path, value: int) -> None:
    """Write a DICOM file, compressed."""
    path.write_bytes(gzip.compress(builders.native(np.full((4, 5), value, "u2"))))


KINDS: dict[str, tuple[str, Write, str]] = {
    "dicom": ("wadouri:{}/a.dcm", write_dicom, ""),
    "film": ("wadouri:{}/a.dcm?frame=300", write_film, ""),
    "gzip": ("wadouri:{}/a.dcm.gz", write_gzip, ""),
    "archive": ("wadouri:{}/a.zip", write_archive, ""),
    "member": ("wadouri:{}/a.zip", write_archive, "#member=a.dcm"),
    "nifti": ("nifti:{}/a.nii.gz?frame=0", write_nifti, ""),
    "pair": ("nifti:{}/a.hdr?frame=0", write_pair, ""),
    "nrrd": ("nrrd:{}/a.nrrd", write_itk, ""),
    "nhdr": ("nrrd:{}/a.nhdr", partial(write_data, suffix=".raw"), ""),
    "metaimage": ("metaimage:{}/a.mha", write_itk, ""),
    "mhd": ("metaimage:{}/a.mhd", partial(write_data, suffix=".raw"), ""),
    "npy": ("numpy:{}/a.npy", lambda path, value: np.save(path, voxels(value)), ""),
    "npz": ("numpy:{}/a.npz", lambda path, value: np.savez(path, a=voxels(value)), ""),
    "tiff": ("web:{}/a.tif", lambda path, value: tifffile.imwrite(path, voxels(value)[0]), ""),
    "zarr": ("zarr:{}/a.zarr", write_zarr, ""),
}


@pytest.fixture(autouse=True)
def settled(monkeypatch) -> None:
    """Let files of a moment ago count as settled, as they do later."""
    monkeypatch.setattr("pyloader.transport.local.TICK_NS", 0)


def path_of(template: str) -> str:
    """Return the file's name of an imageId."""
    return template.partition("/")[2].partition("?")[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["{}", "file://{}"], ids=["path", "file URL"])
async def test_what_was_written_anew_is_read_anew(tmp_path, kind, scheme):
    template, write, member = KINDS[kind]
    if kind == "zarr" and scheme != "{}":
        pytest.skip("a Zarr store is a folder")
    image_id = template.format(scheme.format(tmp_path)) + member
    for value in (1, 2, 3):
        await asyncio.sleep(TICK_NS / 1e9)
        write(tmp_path / path_of(template), value)
        for _ in range(2):
            image = await load_image(image_id)
            assert set(np.unique(image.pixels)) == {value}


async def test_metadata_are_read_anew(tmp_path):
    for value in (1, 2):
        write_dicom(tmp_path / "a.dcm", value)
        modules = await load_metadata(f"wadouri:{tmp_path}/a.dcm")
        assert str(modules["patient"]["patient_name"]) == f"P{value}"


async def test_lists_are_made_anew(tmp_path):
    path = tmp_path / "a.npy"
    for count in (2, 3):
        np.save(path, np.zeros((count, 4, 5), "i2"))
        assert len(await list_image_ids(f"numpy:{path}")) == count


async def test_folder_is_listed_anew(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for count in (1, 2, 3):
        write_dicom(tmp_path / "a" / "b" / f"{count}.dcm", count)
        assert len(await list_image_ids(f"wadouri:{tmp_path}")) == count
    (tmp_path / "a" / "b" / "1.dcm").unlink()
    assert len(await list_image_ids(f"wadouri:{tmp_path}")) == 2


async def test_chunk_that_comes_later_is_seen(tmp_path):
    store = tmp_path / "a.zarr"
    array = zarr.create_array(str(store), shape=SHAPE, chunks=(1, 4, 5), dtype="i2")
    image_id = f"zarr:{store}?frame=2"
    assert not (await load_image(image_id)).pixels.any()
    array[1] = 7
    assert ((await load_image(image_id)).pixels == 7).all()


async def test_copy_with_the_time_of_the_old_file_is_seen(tmp_path):
    path, times = tmp_path / "a.dcm", (10**18, 10**18)
    for value in (1, 2):
        write_dicom(tmp_path / "new", value)
        os.utime(tmp_path / "new", ns=times)
        (tmp_path / "new").replace(path)
        assert set(np.unique((await load_image(f"wadouri:{path}")).pixels)) == {value}


async def test_what_another_loader_made_of_a_file_is_made_anew(tmp_path):
    path = tmp_path / "a.npy"

    @register_loader("twice")
    async def load(image_id: ImageId, context: Context) -> Image:
        async def double(context: Context) -> np.ndarray:
            return (await context.load(image_id.inner)).pixels * 2

        return Image.from_array(await context.cached("a name of its own", double))

    try:
        for value in (1, 2):
            np.save(path, voxels(value))
            image = await load_image(f"twice:numpy:{path}")
            assert set(np.unique(image.pixels)) == {2 * value}
    finally:
        schemes.drop(__name__)
        pyloader.purge()


async def test_what_did_not_change_is_read_once(tmp_path, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr(
        "pyloader.transport.native.open_file", noting(opened, "pyloader.transport.native.open_file")
    )
    write_dicom(tmp_path / "a.dcm", 1)
    for _ in range(3):
        await load_image(f"wadouri:{tmp_path}/a.dcm")
    assert len(opened) == 1


def noting(calls: list[str], name: str) -> Callable[..., Any]:
    """Return a function of the package that notes the URLs it is called for."""
    module, _, attribute = name.rpartition(".")
    function = getattr(__import__(module, fromlist=[attribute]), attribute)

    def call(request: Any, path: Path) -> Any:
        calls.append(request.url)
        return function(request, path)

    return call


async def test_purge_forgets_all(tmp_path):
    write_dicom(tmp_path / "a.dcm", 1)
    await load_image(f"wadouri:{tmp_path}/a.dcm")
    assert default_context().cache.size
    pyloader.purge()
    assert default_context().cache.size == 0


# ------------------------------------------------------------------ versions


def test_file_is_current_until_it_changes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    file = LocalFile.of(str(path), path.stat())
    assert file.is_current
    path.write_bytes(b"12")
    assert not file.is_current


def test_file_that_is_gone_was_not_written_anew(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    file = LocalFile.of(str(path), path.stat())
    path.unlink()
    assert file.is_current


def test_file_that_was_not_there_and_is(tmp_path):
    file = LocalFile(str(tmp_path / "a"), None)
    assert file.is_current
    (tmp_path / "a").write_bytes(b"1")
    assert not file.is_current


def test_file_of_this_very_moment_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("pyloader.transport.local.TICK_NS", TICK_NS)
    path = tmp_path / "a"
    path.write_bytes(b"1")
    assert not LocalFile.of(str(path), path.stat()).is_current
    status = path.stat()
    later = max(status.st_mtime_ns, status.st_ctime_ns) + TICK_NS
    monkeypatch.setattr("pyloader.transport.local.time.time_ns", lambda: later)
    assert LocalFile.of(str(path), status).is_current
