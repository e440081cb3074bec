"""Arguments of a command: which scheme a path means, and which texts are no imageIds."""

from __future__ import annotations

from gzip import compress

import imagecodecs
import nibabel
import numpy as np
import pytest

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.errors import ImageIdError
from pyloader.loaders.filesets.paths import image_id_of
from tests.support import builders
from tests.support.command_line import FILE


def nifti(shape: tuple[int, ...] = (4, 5, 6), kind: type = nibabel.Nifti1Image) -> bytes:
    """Make a NIfTI file."""
    return kind(np.arange(np.prod(shape), dtype="i2").reshape(shape), np.eye(4)).to_bytes()


GREY = builders.ramp(8, 8, 8)
KINDS = {
    "a.dcm": (FILE, "wadouri"),
    "noname": (FILE, "wadouri"),
    "bare": (builders.bare(FILE), "wadouri"),
    "wrong.png": (FILE, "wadouri"),
    "empty.dcm": (b"", "wadouri"),
    "a.nii": (nifti(), "nifti"),
    "a.nii.gz": (compress(nifti()), "nifti"),
    "volume": (nifti(kind=nibabel.Nifti2Image), "nifti"),
    "packed": (compress(nifti()), "nifti"),
    "broken.nii.gz": (b"\x1f\x8b\x08broken", "nifti"),
    "a.nrrd": (b"NRRD0004\n", "nrrd"),
    "a.mhd": (b"NDims = 3\n", "metaimage"),
    "meta": (b"ObjectType = Image\n", "metaimage"),
    "a.npy": (b"\x93NUMPY\x01\x00", "numpy"),
    "a.npz": (b"PK\x03\x04", "numpy"),
    "a.png": (imagecodecs.png_encode(GREY), "web"),
    "photo": (imagecodecs.jpeg8_encode(GREY), "web"),
    "a.tif": (imagecodecs.tiff_encode(GREY), "web"),
    "a.webp": (imagecodecs.webp_encode(builders.color(8, 8), lossless=True), "web"),
    "upper.GIF": (b"GIF89a", "web"),
}


@pytest.mark.parametrize("name", KINDS)
def test_scheme_of_a_file(tmp_path, name):
    body, scheme = KINDS[name]
    path = tmp_path / name
    path.write_bytes(body)
    assert image_id_of(str(path)) == f"{scheme}:{path}"
    assert image_id_of(path.as_uri()) == f"{scheme}:{path.as_uri()}"


@pytest.mark.parametrize("end", ["?frame=3", "#z-12", "#x-1,t-2"])
def test_what_follows_a_path_stays(tmp_path, end):
    (tmp_path / "a.nii").write_bytes(nifti())
    assert image_id_of(f"{tmp_path}/a.nii{end}") == f"nifti:{tmp_path}/a.nii{end}"


def test_folder_of_zarr(tmp_path):
    (tmp_path / ".zarray").write_text("{}")
    assert image_id_of(str(tmp_path)) == f"zarr:{tmp_path}"


@pytest.mark.parametrize("text", ["wadouri:a.dcm", "WADORS:https://host/a", "mine:x", "https://a"])
def test_imageid_stays_what_it_is(text):
    assert image_id_of(text) == text


def test_what_is_neither_imageid_nor_file():
    with pytest.raises(ImageIdError, match=r"'no\.dcm' is not an imageId, because .* no such file"):
        image_id_of("no.dcm")


@pytest.mark.parametrize(
    "text",
    ["x" * 5000, "a\0b", "file://[/", "file:", "file:?frame=1", "", "?frame=1", "#z-12", "?"],
)
async def test_what_names_no_file_is_no_imageid(text):
    for call in (load_image, load_metadata, list_image_ids):
        with pytest.raises(ImageIdError, match="no such file"):
            await call(text)


def test_file_of_no_known_kind(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(ImageIdError, match=r"a\.txt' has an unknown format, .* --loader"):
        image_id_of(str(tmp_path / "a.txt"))
