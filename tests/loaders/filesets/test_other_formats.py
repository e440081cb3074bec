"""Files of other formats among those that are listed: by content, each a series of its own."""

from __future__ import annotations

import pytest

from pyloader import list_image_ids, load_image
from pyloader.errors import FormatError, LoaderError
from pyloader.loaders.wadouri.source import list_files
from tests.support.filesets import given, slice_file, zip_of
from tests.support.mixed_files import volumes, web_images

SCHEMES = ["nifti", "nifti", "nrrd", "metaimage", "numpy", "numpy"]
COUNTS = [3, 3, 4, 4, 4, 4]


async def test_volumes_are_listed_by_their_content(transport, context):
    found = await list_files(given(transport, volumes()), context)
    assert [series.attributes["series_description"] for series in found] == [*volumes()]
    assert [series.image_ids[0].partition(":")[0] for series in found] == SCHEMES
    assert [len(series.image_ids) for series in found] == COUNTS
    for series in found:
        image = await load_image(series.image_ids[-1], context)
        assert image.pixels.size in (5 * 4, 7 * 5)


async def test_web_images_are_listed_when_they_are_alone(transport, context):
    found = await list_files(given(transport, web_images()), context)
    assert [len(series.image_ids) for series in found] == [1, 1, 2]
    image = await load_image(found[2].image_ids[1], context)
    assert image.pixels.shape == (6, 8)


@pytest.mark.parametrize("other", [{"s.dcm": slice_file(1)}, {"a1": volumes()["a1"]}])
async def test_pictures_beside_a_study_are_left_out(transport, context, other):
    found = await list_files(given(transport, web_images() | other), context)
    assert len(found) == 1
    assert not found[0].image_ids[0].startswith("web:")


async def test_dicom_comes_before_other_formats(transport, context):
    found = await list_files(given(transport, volumes() | {"z.dcm": slice_file(1)}), context)
    assert found[0].attributes["modality"] == "CT"
    assert len(found) == 7


async def test_a_damaged_file_is_listed_and_says_why_when_it_is_loaded(transport, context):
    files = {"a": volumes()["a3"][:40], "b": volumes()["a3"]}
    cut, whole = await list_files(given(transport, files), context)
    assert (len(cut.image_ids), len(whole.image_ids)) == (1, 4)
    with pytest.raises(LoaderError):
        await load_image(cut.image_ids[0], context)
    context.cache.clear()
    with pytest.raises(LoaderError):
        await list_files(given(transport, {"a": files["a"]}), context)


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"not an image", r"'a' begins with b'not an image'"), (b"%PDF-1.7", "'a' is a PDF document")],
)
async def test_a_format_that_nobody_reads_names_those_that_are_read(
    transport, context, body, words
):
    with pytest.raises(
        FormatError, match=rf"{words}, which no loader reads: expected DICOM.*NIfTI.*PNG.*TIFF"
    ):
        await list_files(given(transport, {"a": body}), context)
    with pytest.raises(FormatError, match=r"no DICOM image among 2 files.*NIfTI"):
        await list_files(given(transport, {"a": body, "b": body}), context)


async def test_an_archive_of_another_format_says_what_to_do(transport, context):
    with pytest.raises(FormatError, match="unpack the archive"):
        await list_files(given(transport, {"a.zip": zip_of({"b": volumes()["a1"]})}), context)


async def test_a_folder_on_a_disk(tmp_path):
    for name, body in volumes().items():
        (tmp_path / name).write_bytes(body)
    assert len(await list_image_ids(tmp_path)) == sum(COUNTS)
