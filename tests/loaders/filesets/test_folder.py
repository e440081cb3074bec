"""Local folders and discs, and DICOMDIRs on a server."""

from __future__ import annotations

from io import BytesIO

import pytest
from numpy.testing import assert_array_equal
from pydicom import dcmread, dcmwrite

from pyloader import list_image_ids, load_image
from pyloader.errors import FormatError, HttpStatusError, ImageIdError
from pyloader.transport import Response
from tests.support.filesets import (
    DISCS,
    IN_ORDER,
    change_first,
    order_by_pydicom,
    study_files,
)


@pytest.mark.parametrize("source", [DISCS, DISCS / "DICOMDIR", DISCS / "DICOMDIR-nooffset"])
async def test_a_real_disc(source):
    found = await list_image_ids(f"wadouri:{source}")
    # Below the folder is another disc, whose images have lost their pixels.
    found = [each for each in found if "TINY_ALPHA" not in each]
    assert found == [f"wadouri:{DISCS}/{name}" for name in order_by_pydicom(DISCS / "DICOMDIR")]
    image = await load_image(found[-1])
    assert_array_equal(image.pixels, dcmread(found[-1].removeprefix("wadouri:")).pixel_array)


async def test_a_folder_without_a_directory_is_in_order_of_series_and_position(tmp_path):
    for name, body in {**study_files(), "README.txt": b"read me"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(body)
    found = await list_image_ids(f"wadouri:{tmp_path}")
    assert found == [f"wadouri:{tmp_path}/{name}" for name in IN_ORDER]
    assert await list_image_ids(f"wadouri:{tmp_path}/") == found


async def test_a_folder_and_a_directory_are_no_images(tmp_path, disc):
    with pytest.raises(ImageIdError, match="is a folder of 7 files, not an image"):
        await load_image(f"wadouri:{tmp_path}")
    with pytest.raises(FormatError, match="is a DICOMDIR: it names the files of a disc"):
        await load_image(f"wadouri:{tmp_path}/DICOMDIR")


async def test_a_folder_of_nothing(tmp_path):
    with pytest.raises(FormatError, match="there is no DICOM image among 0 files"):
        await list_image_ids(f"wadouri:{tmp_path}")


async def test_a_disc_whose_images_have_no_pixels():
    with pytest.raises(
        FormatError, match="IM000000' is an image by its SOP Class and has no pixel"
    ):
        await list_image_ids(f"wadouri:{DISCS}/TINY_ALPHA")


async def test_a_directory_lists_what_stands_beside_it(transport, context, disc):
    base = "https://host/disc"
    transport.answers.update({f"{base}/{name}?t=1": body for name, body in disc.items()})
    found = await list_image_ids(f"wadouri:{base}/DICOMDIR?t=1", context)
    assert found == [f"wadouri:{base}/{name}?t=1" for name in list(disc)[:-1]]
    images = [await load_image(each, context) for each in found]
    for image, body in zip(images, disc.values(), strict=False):
        assert_array_equal(image.pixels, dcmread(BytesIO(body)).pixel_array)


async def test_a_directory_on_a_server_whose_names_are_lower_case(transport, context, disc):
    transport.answers.update({f"/disc/{name.lower()}": body for name, body in disc.items()})
    for name in list(disc)[:-1]:
        transport.answers[f"/disc/{name}"] = Response(name, 404, {}, b"")
    found = await list_image_ids("wadouri:/disc/dicomdir", context)
    assert found == [f"wadouri:/disc/{name.lower()}" for name in list(disc)[:-1]]


async def test_what_fails_on_the_way_stays_in_its_place(transport, context, disc):
    transport.answers.update({f"/disc/{name}": body for name, body in disc.items()})
    names = list(disc)[:-1]
    transport.answers[f"/disc/{names[1]}"] = Response(names[1], 403, {}, b"")
    found = await list_image_ids("wadouri:/disc/DICOMDIR", context)
    assert found == [f"wadouri:/disc/{name}" for name in names]
    with pytest.raises(HttpStatusError, match="403"):
        await load_image(found[1], context)


async def test_a_directory_does_not_lead_out_of_its_folder(transport, context, disc):
    dataset = dcmread(BytesIO(disc["DICOMDIR"]))
    change_first(dataset, "..\\..\\secret")
    stream = BytesIO()
    dcmwrite(stream, dataset)
    transport.answers.update({f"/a/b/{name}": body for name, body in disc.items()})
    transport.answers["/a/b/DICOMDIR"] = stream.getvalue()
    with pytest.warns(UserWarning, match=r"1 of the files .* do not exist, such as '\.\./\.\./sec"):
        found = await list_image_ids("wadouri:/a/b/DICOMDIR", context)
    assert len(found) == 5
    assert all(
        request.url.startswith("/a/b/") and ".." not in request.url
        for request in transport.requests
    )
