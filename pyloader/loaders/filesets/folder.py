"""Files that stand together: a local folder, the disc of a DICOMDIR, those that a page gives."""

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

NOT_THERE = frozenset({404, 410})


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """A local folder with all below it.

    Attributes
    ----------
    image_id : ImageId
        Its scheme and path.
    names : list of str
        Its files, relative to it, with slashes.
    """

    image_id: ImageId
    names: list[str]

    @classmethod
    async def open(cls, image_id: ImageId, context: Context) -> Folder:
        """Ask what is in a folder."""
        response = await context.fetch(image_id.rest, headers={"Accept": FOLDER_TYPE})
        return cls(image_id, [name for name in response.body.decode().split("\0") if name])

    @property
    def nbytes(self) -> int:
        """Bytes that stay in memory."""
        return sum(map(len, self.names))

    def the_only(self) -> NoReturn:
        """Say that a folder is no image, whatever it holds.

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
        """Return the first `size` bytes of a file, None when it is not there any more."""
        return await fetch_beginning(self.image_id_of(name).rest, size, context)


@dataclass(frozen=True, slots=True, eq=False)
class Disc:
    """The files that a DICOMDIR names, below its own folder.

    Attributes
    ----------
    image_id : ImageId
        Of the DICOMDIR.
    references : list of Reference
        In its order.
    """

    image_id: ImageId
    references: list[Reference]
    # Names that are on the server in lower case, as file systems show those of a disc.
    _spelled: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, image_id: ImageId, instance: Instance) -> Disc:
        """Return the files of a DICOMDIR.

        Raises
        ------
        FormatError
            It has come alone, so that its files cannot be asked for.
        """
        if image_id.scheme in LOCAL_SCHEMES or image_id.member:
            raise FormatError(
                f"{image_id.text!r} is a DICOMDIR without the files that it names; give them "
                "together: imageIds() takes all files of the disc's folder, or the whole archive"
            )
        return cls(image_id, references_of(instance))

    @property
    def names(self) -> list[str]:
        """The names of its files; a directory must not decide what is fetched from elsewhere."""
        return [each.file_id for each in self.references if self._is_below(each.file_id)]

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a file."""
        path, mark, query = self.image_id.rest.partition("?")
        file = url_beside(path, self._spelled.get(name, name))
        return ImageId.parse(f"{self.image_id.scheme}:{file}{mark}{query}")

    def _is_below(self, name: str) -> bool:
        try:
            url_beside(self.image_id.rest, name)
        except FormatError:
            return False
        return True

    async def read(self, name: str, size: int, context: Context) -> bytes | None:
        """Return the first `size` bytes of a file, None when it is not there."""
        found = await fetch_beginning(self.image_id_of(name).rest, size, context)
        if found is None and name not in self._spelled and name.lower() != name:
            self._spelled[name] = name.lower()
            found = await fetch_beginning(self.image_id_of(name).rest, size, context)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Files that a page gives, each under an imageId of its own.

    Attributes
    ----------
    image_ids : mapping of str to str
        By path.
    """

    image_ids: Mapping[str, str]

    @classmethod
    def of(cls, files: Iterable[tuple[str, str]]) -> Given:
        """Return files of imageIds and paths; those without a path of their own get one."""
        image_ids: dict[str, str] = {}
        for image_id, path in files:
            image_ids[f"{image_id}/{path}" if path in image_ids or not path else path] = image_id
        return cls(image_ids)

    @property
    def names(self) -> list[str]:
        """Their paths."""
        return list(self.image_ids)

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a file."""
        return ImageId.parse(self.image_ids[name])

    async def read(self, name: str, size: int, context: Context) -> bytes | None:
        """Return the first `size` bytes of a file."""
        return await fetch_beginning(self.image_ids[name], size, context)


async def fetch_beginning(url: str, size: int, context: Context) -> bytes | None:
    """Return the first `size` bytes of a file, all when it has no more; None without such a file.

    Raises
    ------
    TransportError
        It may be there, and does not come.
    """
    try:
        return (await context.fetch(url, byte_range=(0, size))).body
    except HttpStatusError as error:
        if error.status == RANGE_NOT_SATISFIABLE:
            return b""  # it is empty
        if error.status in NOT_THERE:
            return None
        raise
    except NetworkError as error:
        if isinstance(reason_of(error), (FileNotFoundError, NotADirectoryError)):
            return None
        raise


def is_folder(error: NetworkError) -> bool:
    """Tell whether a local file could not be read since it is a folder."""
    return isinstance(reason_of(error), IsADirectoryError)


def reason_of(error: NetworkError) -> object:
    """Return what the system said."""
    return getattr(error.__cause__, "reason", error.__cause__)
