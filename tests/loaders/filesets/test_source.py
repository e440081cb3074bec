"""File sets as sources: they list the images of their files, and have none themselves."""

from __future__ import annotations

from io import BytesIO

import pytest
from numpy.testing import assert_array_equal
from pydicom import dcmread

from pyloader.dicom.parse import parse_part10
from pyloader.errors import FormatError, ImageIdError
from pyloader.imageid import ImageId
from pyloader.loaders.filesets.archive import Archive
from pyloader.loaders.filesets.source import Directory, FileSet
from pyloader.loaders.wadouri.source import open_source
from pyloader.source import Source
from tests.support.filesets import DISC, IN_ORDER, pixels_of, slice_file, study_files, zip_of

ZIP = ImageId.parse("wadouri:/study.zip")


def archive_of(files: dict[str, bytes]) -> FileSet:
    """Return an archive as a source."""
    return FileSet(Archive.open(ZIP, zip_of(files), "/study.zip"), open_source)


def directory() -> Directory:
    """Return a DICOMDIR as a source."""
    return Directory(parse_part10(DISC), open_source)


def put(transport, files: dict[str, bytes]) -> None:
    """Put an archive where its imageId says."""
    transport.answers["/study.zip"] = zip_of(files)


async def test_images_of_all_files_are_listed(transport, context):
    put(transport, study_files())
    found = await archive_of(study_files()).list_series(ZIP, context)
    members = [ImageId.parse(each).member for series in found for each in series.image_ids]
    assert members == IN_ORDER


async def test_the_only_file_is_the_image(transport, context):
    files = {"README/": b"", "a/b.dcm": slice_file(3)}
    put(transport, files)
    ready = await archive_of(files).fetch(ZIP, context)
    assert_array_equal(ready.make(context).pixels, pixels_of(103))
    header = await archive_of(files).fetch(ZIP, context, pixels=False)
    assert header.describe(context)["image_plane"].image_position_patient == (0, 0, 3)


@pytest.mark.parametrize("count", [0, 2])
async def test_of_several_files_none_is_the_image(context, count):
    files = {f"{number}.dcm": slice_file(number) for number in range(count)}
    with pytest.raises(ImageIdError, match=f"zip archive of {count} files, and the imageId names"):
        await archive_of(files).fetch(ZIP, context)


async def test_a_dicomdir_has_no_image(context):
    with pytest.raises(FormatError, match="/DICOMDIR' is a DICOMDIR: it names the files"):
        await directory().fetch(ImageId.parse("wadouri:/DICOMDIR"), context)


def test_nothing_is_ready_before_a_file_is_opened():
    for source in (archive_of({"a": slice_file(1)}), directory()):
        assert source.ready(ZIP) is None


def test_memory_is_that_of_the_archive_but_not_of_a_directory_without_pixels():
    archive: Source = archive_of({"a": slice_file(1)})
    assert archive.nbytes == len(zip_of({"a": slice_file(1)}))
    assert archive.is_encoded
    assert "PixelData" not in dcmread(BytesIO(DISC))
    found: Source = directory()
    assert (found.nbytes, found.is_encoded) == (0, False)
