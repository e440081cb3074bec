"""Zarr hierarchies in a zip archive: the same slices as those of the folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest

from pyloader import Context, list_image_ids, load_image
from pyloader.cache import Cache
from pyloader.errors import FormatError
from pyloader.loaders.wadouri.source import list_files
from pyloader.network import Network
from pyloader.transport.native import NativeTransport
from tests.support.filesets import given
from tests.support.zarr_builders import image, write
from tests.support.zarr_server import check_all


@pytest.fixture
def local() -> Context:
    """Return the context of loads of local files."""
    return Context(Network(NativeTransport(), retries=0), Cache(1 << 24))


def pack(folder: Path, archive: Path, inside: str = "", method: int = ZIP_STORED) -> Path:
    """Pack a hierarchy, maybe in a folder of the archive."""
    with ZipFile(archive, "w", method) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, inside + path.relative_to(folder).as_posix())
    return archive


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("name", "inside", "method"),
    [("a.zarr.zip", "", ZIP_STORED), ("a.ozx", "a.zarr/", ZIP_DEFLATED)],
)
async def test_slices_are_those_of_the_folder(tmp_path, local, version, name, inside, method):
    voxels = write(tmp_path / "a.zarr", zarr_format=version)
    archive = pack(tmp_path / "a.zarr", tmp_path / name, inside, method)
    shutil.rmtree(tmp_path / "a.zarr")
    await check_all(local, f"zarr:{archive}", voxels)


async def test_an_image_of_several_levels(tmp_path, local):
    voxels = image(tmp_path / "a.zarr", 3, ("z", "y", "x"), shape=(3, 16, 16))
    archive = pack(tmp_path / "a.zarr", tmp_path / "a.zip")
    ids = await list_image_ids(f"zarr:{archive}?level=1", local)
    found = await load_image(ids[1], local)
    assert (found.pixels == voxels[1, ::2, ::2]).all()


async def test_a_user_s_archive_is_listed_by_its_content(tmp_path, transport, context):
    voxels = write(tmp_path / "a.zarr")
    body = pack(tmp_path / "a.zarr", tmp_path / "x").read_bytes()
    [series] = await list_files(given(transport, {"x": body}), context)
    assert series.image_ids[0].startswith("zarr:")
    found = await load_image(series.image_ids[2], context)
    assert (found.pixels == voxels[2]).all()


@pytest.mark.parametrize(
    ("body", "words"), [(b"no archive", "cannot be opened as a zip"), (b"", "cannot be opened")]
)
async def test_what_is_no_archive_is_refused(tmp_path, local, body, words):
    (tmp_path / "a.zip").write_bytes(body)
    with pytest.raises(FormatError, match=words):
        await load_image(f"zarr:{tmp_path}/a.zip", local)


async def test_an_archive_without_a_hierarchy_is_refused(tmp_path, local):
    with ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("notes.txt", "x")
    with pytest.raises(FormatError, match="1 files without a Zarr hierarchy"):
        await load_image(f"zarr:{tmp_path}/a.zip", local)


async def test_a_damaged_chunk_is_refused(tmp_path, local):
    write(tmp_path / "a.zarr", compressors=None)
    archive = pack(tmp_path / "a.zarr", tmp_path / "a.zip")
    body = bytearray(archive.read_bytes())
    place = body.index(b"c/0/0/0")
    body[place + 40] ^= 255
    archive.write_bytes(body)
    with pytest.raises(FormatError, match="is damaged"):
        await load_image(f"zarr:{archive}?frame=1", local)
