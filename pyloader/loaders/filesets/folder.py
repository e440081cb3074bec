"""Collections of files: a local folder, the files of a DICOMDIR, the files that a page gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from pyloader.context import Context
from pyloader.dicom.dicomdir import Reference, references_of
from pyloader.dicom.instance import Instance
from pyloader.errors import FormatError, HttpStatusError, ImageIdError, NetworkError
from pyloader.imageid import LOCAL_SCHEMES, ImageId
from pyloader.transport import FOLDER_TYPE, RANGE_NOT_SATISFIABLE
from pyloader.transport.url import url_beside

MISSING_STATUSES = frozenset({404, 410})


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """A local folder and its subfolders.

    Attributes
    ----------
    image_id : ImageId
        The scheme and path of the folder.
    names : list of str
        The files, relative to the folder, with slashes.
    """

    image_id: ImageId
    names: list[str]

    @classmethod
    async def open(cls, image_id: ImageId, context: Context) -> Folder:
        """List the files of a folder."""
        response = await context.fetch(image_id.rest, headers={"Accept": FOLDER_TYPE})
        return cls(image_id, [name for name in response.body.decode().split("\0") if name])

    @property
    def nbytes(self) -> int:
        """Bytes kept in memory."""
        return sum(map(len, self.names))

    def only_name(self) -> NoReturn:
        """Raise: a folder is no image, even one that holds a single file.

        Raises
        ------
        ImageIdError
        """
        raise ImageIdError(
            f"{self.image_id.rest!r} is a folder of {len(self.names)} files, not an image; "
            "list_image_ids lists its images"
        )

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a file."""
        return ImageId.parse(f"{self.image_id.source.rstrip('/')}/{name}")

    async def read(self, name: str, size: int, context: Context) -> bytes | None:
        """Return the first `size` bytes of a file, None if it no longer exists."""
        return await fetch_beginning(self.image_id_of(name).rest, size, context)


@dataclass(frozen=True, slots=True, eq=False)
class Disc:
    """The files that a DICOMDIR references, below its own folder.

    Attributes
    ----------
    image_id : ImageId
        Of the DICOMDIR.
    references : list of Reference
        In the order of the DICOMDIR.
    """

    image_id: ImageId
    references: list[Reference]
    # Names that the server has in lower case, as file systems show the names of a disc.
    _spellings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, image_id: ImageId, instance: Instance) -> Disc:
        """Return the files that a DICOMDIR references.

        Raises
        ------
        FormatError
            The DICOMDIR was given alone, so its files cannot be fetched.
        """
        if image_id.scheme in LOCAL_SCHEMES or image_id.member:
            raise FormatError(
                f"{image_id.text!r} is a DICOMDIR without the files that it names; give them "
                "together: imageIds() takes all files of the disc's folder, or the whole archive"
            )
        return cls(image_id, references_of(instance))

    @property
    def names(self) -> list[str]:
        """The referenced files; one outside the DICOMDIR's folder is never fetched."""
        return [each.file_id for each in self.references if self._is_below(each.file_id)]

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a file."""
        path, mark, query = self.image_id.rest.partition("?")
        file = url_beside(path, self._spellings.get(name, name))
        return ImageId.parse(f"{self.image_id.scheme}:{file}{mark}{query}")

    def _is_below(self, name: str) -> bool:
        try:
            url_beside(self.image_id.rest, name)
        except FormatError:
            return False
        return True

    async def read(self, name: str, size: int, context: Context) -> bytes | None:
        """Return the first `size` bytes of a file, None if it does not exist."""
        found = await fetch_beginning(self.image_id_of(name).rest, size, context)
        if found is None and name not in self._spellings and name.lower() != name:
            self._spellings[name] = name.lower()
            found = await fetch_beginning(self.image_id_of(name).rest, size, context)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class PageFiles:
    """Files that a page gives, each with its own imageId.

    Attributes
    ----------
    image_ids : mapping of str to str
        The imageId of each file, by path.
    """

    image_ids: Mapping[str, str]

    @classmethod
    def of(cls, files: Iterable[tuple[str, str]]) -> PageFiles:
        """Make a collection of (imageId, path) pairs; make an empty or repeated path unique."""
        image_ids: dict[str, str] = {}
        for image_id, path in files:
            image_ids[f"{image_id}/{path}" if path in image_ids or not path else path] = image_id
        return cls(image_ids)

    @property
    def names(self) -> list[str]:
        """The paths of the files."""
        return list(self.image_ids)

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a file."""
        return ImageId.parse(self.image_ids[name])

    async def read(self, name: str, size: int, context: Context) -> bytes | None:
        """Return the first `size` bytes of a file."""
        return await fetch_beginning(self.image_ids[name], size, context)


async def fetch_beginning(url: str, size: int, context: Context) -> bytes | None:
    """Return the first `size` bytes of a file, or all of a shorter one; None if it does not exist.

    Raises
    ------
    TransportError
        The request failed for another reason than a missing file.
    """
    try:
        return (await context.fetch(url, byte_range=(0, size))).body
    except HttpStatusError as error:
        if error.status == RANGE_NOT_SATISFIABLE:
            return b""  # the file is empty
        if error.status in MISSING_STATUSES:
            return None
        raise
    except NetworkError as error:
        if isinstance(reason_of(error), (FileNotFoundError, NotADirectoryError)):
            return None
        raise


def is_folder(error: NetworkError) -> bool:
    """Return whether reading a local file failed because it is a folder."""
    return isinstance(reason_of(error), IsADirectoryError)


def reason_of(error: NetworkError) -> object:
    """Return the operating system's error."""
    return getattr(error.__cause__, "reason", error.__cause__)
