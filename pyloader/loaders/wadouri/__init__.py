"""``wadouri:``, ``dicomweb:``, ``localfile:``, ``dicomfile:``: DICOM Part 10 files.

The file is fetched and parsed once for all its frames, also when they are asked for together. Of a
large file with many frames only the header and the frames that are wanted are fetched, by byte
ranges, when its server has them. A zip archive, a DICOMDIR and a folder hold files: their images
are listed, and a member of an archive is named ``#member=a/b.dcm``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyloader.context import Context
from pyloader.dicom.dicomdir import is_directory
from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.instance import Instance
from pyloader.dicom.modules import describe
from pyloader.dicom.parse import noting
from pyloader.errors import FormatError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.loaders import Loader
from pyloader.loaders.filesets.archive import Archive
from pyloader.loaders.filesets.folder import Disc, Folder, Given
from pyloader.loaders.filesets.series import Series, list_series, series_of
from pyloader.loaders.frame_metadata import heading_of
from pyloader.loaders.wadouri.ranged_file import PartialFile
from pyloader.loaders.wadouri.source import HEADER_BYTES, File, instance_of, open_file, open_source
from pyloader.pixels.decode import CheckSize, decode_frame


async def load(image_id: ImageId, context: Context) -> Image:
    """Load one frame of a Part 10 file."""
    instance = await encoded(image_id, context)
    try:
        return make_image(instance, image_id.frame_index, context.check_size)
    except CutOffError:
        context.cache.discard(image_id.source)  # a later load may find it whole
        raise


async def encoded(image_id: ImageId, context: Context) -> Instance:
    """Return an instance that holds the frame, still encoded."""
    file = await open_file(image_id, context)
    refuse_directory(file, image_id)
    if isinstance(file, PartialFile):
        file.instance.check_frame(image_id.frame_index)
        return await file.frame(image_id.frame_index, context)
    return file


def make_image(instance: Instance, frame_index: int, allow: CheckSize | None = None) -> Image:
    """Decode one frame, from 0, of an instance and describe it; see `decode_frame`."""
    with noting() as notes:
        frame = decode_frame(instance, frame_index, allow)
        image = describe(instance, frame_index, frame)
    told = (*instance.warnings, *notes)
    return replace(image, warnings=told) if told else image


def refuse_directory(file: File, image_id: ImageId) -> None:
    """Say that a DICOMDIR has no image of its own.

    Raises
    ------
    FormatError
    """
    if is_directory(instance_of(file)):
        raise FormatError(
            f"{image_id.source!r} is a DICOMDIR: it names the files of a disc and has no image of "
            "its own; imageIds() of it, or of the disc's files, lists them"
        )


async def list_image_ids(image_id: ImageId, context: Context) -> list[str]:
    """Return the imageIds of all frames, or of all images of an archive, a DICOMDIR or a folder.

    Of a large file only the header is fetched.
    """
    return [each for series in await list_of(image_id, context) for each in series.image_ids]


async def list_of(image_id: ImageId, context: Context) -> list[Series]:
    """Return the images by series."""
    opened = await open_source(image_id, context, HEADER_BYTES)
    if isinstance(opened, (Archive, Folder)) and not image_id.member:
        return await list_series(opened, context)
    instance = instance_of(await open_file(image_id, context, HEADER_BYTES))
    if is_directory(instance):
        return await list_series(Disc.of(image_id, instance), context)
    return [series_of(image_id, instance)]


async def list_files(files: Sequence[tuple[str, str]], context: Context) -> list[Series]:
    """Return the images of files that a page gives, by imageId and path, by series."""
    return await list_series(Given.of(files), context)


async def load_header(image_id: ImageId, context: Context) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules of one frame; of a large file only the header is fetched."""
    file = await open_file(image_id, context, HEADER_BYTES)
    refuse_directory(file, image_id)
    instance = instance_of(file)
    return heading_of(instance, image_id, context)


def is_at_hand(image_id: ImageId, context: Context) -> bool:
    """Tell whether the file of an imageId is here, whole and parsed."""
    key = (image_id.source, image_id.member) if image_id.member else image_id.source
    return isinstance(context.cache.peek(key), Instance)


LOADER = Loader(load, load_header, list_image_ids, encoded, is_at_hand)
