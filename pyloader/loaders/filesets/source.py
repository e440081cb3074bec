"""File sets as sources: they list the images of their files, and have none of their own."""

from __future__ import annotations

from dataclasses import replace

from pyloader.context import Context
from pyloader.dicom.instance import Instance
from pyloader.errors import FormatError
from pyloader.imageid import ImageId
from pyloader.loaders.filesets.archive import Archive
from pyloader.loaders.filesets.folder import Disc, Folder
from pyloader.loaders.filesets.series import list_series
from pyloader.source import Open, Ready, Series


class FileSet:
    """An archive or a folder; a `Source`.

    Attributes
    ----------
    files : Archive or Folder
    open_source : Open
        Opens single files.
    """

    is_encoded = True

    def __init__(self, files: Archive | Folder, open_source: Open) -> None:
        self.files = files
        self.open_source = open_source

    @property
    def nbytes(self) -> int:
        """Bytes kept in memory."""
        return self.files.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List the images of all files by series; see `list_series`."""
        return await list_series(self.files, context, self.open_source)

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return the image of the only file.

        Raises
        ------
        ImageIdError
            The file set has several files or none.
        """
        member = replace(image_id, member=self.files.only_name())
        source = await self.open_source(member, context, pixels=pixels)
        return await source.fetch(member, context, pixels=pixels)

    def ready(self, image_id: ImageId) -> None:
        """Return None: the file must be opened first."""


class Directory:
    """A DICOMDIR; a `Source`.

    Attributes
    ----------
    instance : Instance
    open_source : Open
        Opens the files that the DICOMDIR references.
    """

    is_encoded = False

    def __init__(self, instance: Instance, open_source: Open) -> None:
        self.instance = instance
        self.open_source = open_source

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return self.instance.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List the images of the referenced files by series; see `list_series`.

        Raises
        ------
        FormatError
            The DICOMDIR was given alone, so its files cannot be fetched.
        """
        return await list_series(Disc.of(image_id, self.instance), context, self.open_source)

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Raise: a DICOMDIR has no image of its own.

        Raises
        ------
        FormatError
        """
        raise FormatError(
            f"{image_id.source!r} is a DICOMDIR: it names the files of a disc and has no image of "
            "its own; imageIds() of it, or of the disc's files, lists them"
        )

    def ready(self, image_id: ImageId) -> None:
        """Return None: a DICOMDIR has no image."""
