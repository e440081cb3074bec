"""List the images of files in other formats than DICOM, each file a series of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyloader.context import Context
from pyloader.errors import LoaderError
from pyloader.imageid import ImageId
from pyloader.loaders import schemes
from pyloader.loaders.web_images.recognise import READ
from pyloader.source import Series

FORMATS = f"NIfTI, NRRD, MetaImage, NumPy arrays (.npy, .npz), zipped Zarr, {READ}"


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file whose format another scheme than ``wadouri:`` reads.

    Attributes
    ----------
    name : str
        The path of the file in the collection.
    image_id : ImageId
    """

    name: str
    image_id: ImageId


async def list_other_formats(
    files: Sequence[OtherFile], has_dicom: bool, context: Context
) -> list[Series]:
    """Return a series for each file, described by its name.

    A file that cannot be listed is listed by itself; loading it raises the reason. Web images count
    only if there is nothing else: discs and folders of studies come with pictures of their viewers.

    Raises
    ------
    LoaderError
        No file can be listed, and there are no DICOM images; then the error of the first.
    """
    volumes = [file for file in files if file.image_id.scheme != "web"]
    wanted = volumes if volumes or has_dicom else files
    series, errors = [], []
    for file in wanted:
        try:
            image_ids = await list_file(file.image_id, context)
        except LoaderError as error:
            errors.append(error)
            image_ids = [file.image_id.text]
        series.append(Series({"series_description": file.name}, image_ids))
    if errors and len(errors) == len(wanted) and not has_dicom:
        raise errors[0]
    return series


async def list_file(image_id: ImageId, context: Context) -> list[str]:
    """Return the imageIds of a file, as stored."""
    source = await schemes[image_id.scheme](image_id, context, pixels=False)
    found = await source.list_series(image_id, context)
    return [each for series in found for each in series.image_ids]
