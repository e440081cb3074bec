"""Our own loaders keep the contract that authors are given."""

from __future__ import annotations

from gzip import compress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import nibabel
import numpy as np
import SimpleITK as sitk
import zarr
from PIL import Image as Pillow
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from pyloader.testing import LoaderContract, faults
from pyloader.transport import Response
from tests.support import builders

CT = builders.ramp(40, 48, 16, signed=True)
CINE = np.stack([builders.ramp(16, 24, 8) + np.uint8(index) for index in range(4)])
PLACE = {
    "ImagePositionPatient": [-10.5, 20, 30.25],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [0.5, 0.75],
    "RescaleSlope": 2,
    "RescaleIntercept": -1024,
    "WindowCenter": [40, 300],
    "WindowWidth": [400, 1500],
    "PatientID": "p1",
}


class TestWadouri(LoaderContract):
    image_id = "wadouri:https://host/ct.dcm"
    answers: ClassVar = {
        "https://host/ct.dcm": builders.native(CT, **PLACE),
        "https://host/mr.dcm": builders.native(builders.ramp(40, 48, 12), BitsStored=12),
    }
    expected = CT
    others = ("wadouri:https://host/mr.dcm",)


class TestWadouriFrame(LoaderContract):
    image_id = "wadouri:https://host/us.dcm?frame=3"
    answers: ClassVar = {"https://host/us.dcm": builders.native(CINE, NumberOfFrames=4)}
    expected = CINE[2]


class TestWadouriColor(LoaderContract):
    image_id = "dicomweb:https://host/photo.dcm"
    answers: ClassVar = {"https://host/photo.dcm": builders.color_file(JPEGBaseline8Bit)[0]}


class TestWadouriRle(LoaderContract):
    image_id = "wadouri:https://host/rle.dcm"
    answers: ClassVar = {"https://host/rle.dcm": builders.color_file(RLELossless)[0]}
    expected = builders.color(40, 48)


class TestWadouriJpeg2000(LoaderContract):
    image_id = "wadouri:https://host/j2k.dcm"
    answers: ClassVar = {"https://host/j2k.dcm": builders.grey_file(JPEG2000Lossless)[0]}
    expected = builders.grey_file(JPEG2000Lossless)[1]


# ------------------------------------------------------------------ volumes

VOXELS = np.arange(4 * 5 * 7, dtype="i2").reshape(4, 5, 7)


def written(name: str) -> dict[str, bytes]:
    """Return the files that SimpleITK writes a volume to, by their addresses."""
    image = sitk.GetImageFromArray(VOXELS)
    image.SetSpacing((0.5, 0.75, 2.5))
    image.SetOrigin((-20.5, 31.0, 402.25))
    with TemporaryDirectory() as folder:
        sitk.WriteImage(image, f"{folder}/{name}")
        return {f"https://host/{path.name}": path.read_bytes() for path in Path(folder).iterdir()}


def nifti(voxels: np.ndarray) -> bytes:
    """Return the file that nibabel writes of (slices, rows, columns)."""
    return bytes(nibabel.Nifti1Image(voxels.T, np.diag([2, 2, 3, 1])).to_bytes())


def saved(array: np.ndarray) -> bytes:
    """Return the file that numpy writes."""
    stream = BytesIO()
    np.save(stream, array)
    return stream.getvalue()


class TestNifti(LoaderContract):
    image_id = "nifti:https://host/a.nii?frame=2"
    answers: ClassVar = {
        "https://host/a.nii": nifti(VOXELS),
        "https://host/b.nii": nifti(VOXELS + 1),
    }
    expected = VOXELS[2]
    others = ("nifti:https://host/b.nii?frame=2", "nifti:https://host/a.nii#x-3")


class TestNiftiPacked(LoaderContract):
    image_id = "nifti:https://host/a.nii.gz#z-1"
    answers: ClassVar = {"https://host/a.nii.gz": compress(nifti(VOXELS))}


class TestNrrd(LoaderContract):
    image_id = "nrrd:https://host/a.nrrd?frame=3"
    answers: ClassVar = written("a.nrrd")
    expected = VOXELS[2]
    others = ("nrrd:https://host/a.nrrd#y-3",)


class TestNrrdOfTwoFiles(LoaderContract):
    image_id = "nrrd:https://host/a.nhdr?frame=1"
    answers: ClassVar = written("a.nhdr")
    expected = VOXELS[0]


class TestMetaimage(LoaderContract):
    image_id = "metaimage:https://host/a.mha?frame=3"
    answers: ClassVar = written("a.mha")
    expected = VOXELS[2]
    others = ("metaimage:https://host/a.mha#x-3",)


class TestMetaimageOfTwoFiles(LoaderContract):
    image_id = "metaimage:https://host/a.mhd?frame=1"
    answers: ClassVar = written("a.mhd")
    expected = VOXELS[0]


class TestNumpy(LoaderContract):
    image_id = "numpy:https://host/a.npy?frame=3"
    answers: ClassVar = {
        "https://host/a.npy": saved(VOXELS),
        "https://host/b.npy": saved(VOXELS + 1),
    }
    expected = VOXELS[2]
    others = ("numpy:https://host/b.npy?frame=3", "numpy:https://host/a.npy?axes=xyz&frame=3")


def stored(**options: Any) -> dict[str, bytes | Response]:
    """Return the files that zarr writes, by their addresses."""
    store: dict[str, Any] = {}
    array = zarr.create_array(
        zarr.storage.MemoryStore(store), shape=VOXELS.shape, chunks=(2, 5, 7), dtype="i2", **options
    )
    array[:] = VOXELS + 1
    found = {key: part.to_bytes() for key, part in store.items()}
    absent = {key: Response(key, 404, {}, b"") for key in ASKED if key not in found}
    return {f"https://host/a.zarr/{key}": answer for key, answer in (found | absent).items()}


# Where descriptions of Zarr may be; which of them are there tells the version.
ASKED = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


class TestZarr(LoaderContract):
    image_id = "zarr:https://host/a.zarr?frame=3"
    answers: ClassVar = stored(zarr_format=3)
    expected = VOXELS[2] + 1

    def test_answer_404(self) -> None:
        """Of a chunk, it means that all of it has the fill value."""
        for url in self.answers:
            if url.rpartition("/")[2] in ASKED:
                self.ends_well(faults.spoil(self.answers, url, faults.status_404), url)


class TestZarr2(TestZarr):
    answers: ClassVar = stored(zarr_format=2)


# ------------------------------------------------------------------ pictures


def picture(kind: str, *pages: np.ndarray, **options: Any) -> bytes:
    """Return the file that Pillow writes."""
    stream = BytesIO()
    first, *rest = map(Pillow.fromarray, pages)
    more = {"save_all": True, "append_images": rest} if rest else {}
    first.save(stream, kind, **more, **options)
    return stream.getvalue()


class TestPng(LoaderContract):
    image_id = "web:https://host/a.png"
    answers: ClassVar = {"https://host/a.png": picture("PNG", builders.color(20, 30))}
    expected = builders.color(20, 30)


class TestPngOf16Bits(LoaderContract):
    image_id = "https://host/a.png"
    answers: ClassVar = {"https://host/a.png": picture("PNG", builders.ramp(20, 30))}
    expected = builders.ramp(20, 30)


class TestJpeg(LoaderContract):
    image_id = "web:https://host/a.jpg"
    answers: ClassVar = {"https://host/a.jpg": picture("JPEG", builders.color(20, 30))}


class TestTiff(LoaderContract):
    image_id = "web:https://host/a.tif?frame=2"
    answers: ClassVar = {"https://host/a.tif": picture("TIFF", CINE[0], CINE[1])}
    expected = CINE[1]


class TestGif(LoaderContract):
    image_id = "web:https://host/a.gif?frame=2"
    answers: ClassVar = {"https://host/a.gif": picture("GIF", CINE[0], CINE[2])}
