"""Rows that other loaders miss: many files at once, from a disc's DICOMDIR or a zip archive."""

from __future__ import annotations

from io import BytesIO

from numpy.testing import assert_array_equal
from pydicom import dcmread

from pyloader import ImageId, list_image_ids, load_image
from tests.support.corpus import DATA
from tests.support.filesets import order_by_pydicom, zip_of

DISC = DATA / "dicomdirtests"


async def test_dicomdir():
    """Every image of a real disc in the order of its DICOMDIR, with the pixels of its file."""
    expected = order_by_pydicom(DISC / "DICOMDIR")
    image_ids = await list_image_ids(f"wadouri:{DISC}/DICOMDIR")
    assert image_ids == [f"wadouri:{DISC}/{name}" for name in expected]
    for image_id, name in zip(image_ids, expected, strict=True):
        image = await load_image(image_id)
        assert_array_equal(image.pixels, dcmread(DISC / name).pixel_array)


async def test_zip_of_dicoms(transport, context):
    """The same disc, packed below a folder: its order, pixels and positions."""
    names = order_by_pydicom(DISC / "DICOMDIR")
    files = {f"CD 1/{name}": (DISC / name).read_bytes() for name in sorted([*names, "DICOMDIR"])}
    transport.answers["/cd.zip"] = zip_of({**files, "CD 1/README.TXT": b"run VIEWER.EXE"})
    image_ids = await list_image_ids("wadouri:/cd.zip", context)
    assert [ImageId.parse(each).member for each in image_ids] == [f"CD 1/{each}" for each in names]
    for image_id in image_ids:
        image = await load_image(image_id, context)
        dataset = dcmread(BytesIO(files[ImageId.parse(image_id).member]))
        assert_array_equal(image.pixels, dataset.pixel_array)
        assert list(image.plane.image_position_patient or ()) == list(
            dataset.get("ImagePositionPatient", ())
        )
    assert len(transport.requests) <= 2, "its beginning, and the archive"
