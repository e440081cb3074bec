"""Read a Zarr hierarchy from a zip archive, such as OME-Zarr's ``.ozx``; it is fetched whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from pyloader import Context
from pyloader.errors import FormatError, UnsupportedError
from pyloader.inflate import DamagedError, read_member

ROOTS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
ENDINGS = (".zip", ".ozx")
# A file of the user is never a folder.
LOCAL_FILES = ("localfile:", "dicomfile:")


def is_archive(url: str) -> bool:
    """Return whether the URL of a hierarchy is that of an archive, not of a folder."""
    return url.startswith(LOCAL_FILES) or url.partition("?")[0].lower().endswith(ENDINGS)


def root_of(names: Iterable[str]) -> str | None:
    """Return the folder of the outermost hierarchy, ``""`` or ``"a/"``; None if there is none."""
    folders = [name.rpartition("/") for name in names]
    roots = [folder + mark for folder, mark, name in folders if name in ROOTS]
    return min(roots, key=lambda root: root.count("/"), default=None)


@dataclass(frozen=True, slots=True, eq=False)
class ZarrArchive:
    """A zip archive with a Zarr hierarchy.

    Attributes
    ----------
    url : str
        For error messages.
    members : mapping of str to ZipInfo
        The files by key.
    nbytes : int
        Bytes kept in memory.
    """

    url: str
    members: Mapping[str, ZipInfo] = field(repr=False)
    nbytes: int
    _zip: ZipFile = field(repr=False)

    @classmethod
    def open(cls, body: bytes, url: str) -> ZarrArchive:
        """Read the central directory.

        Raises
        ------
        FormatError
            The archive is damaged, or has no Zarr hierarchy.
        """
        try:
            opened = ZipFile(BytesIO(body))
        except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise FormatError(f"{url!r} cannot be opened as a zip archive: {error}") from error
        files = {info.filename: info for info in opened.infolist()}
        root = root_of(files)
        if root is None:
            raise FormatError(
                f"{url!r} is a zip archive of {len(files)} files without a Zarr hierarchy: "
                f"expected one of {', '.join(ROOTS)}"
            )
        members = {
            name.removeprefix(root): info for name, info in files.items() if name.startswith(root)
        }
        return cls(url, members, len(body), opened)

    def read(self, key: str, context: Context) -> bytes | None:
        """Return a file by its key, None if it does not exist.

        Raises
        ------
        FormatError
            The file is damaged, or exceeds `Context.decoded_bytes`.
        UnsupportedError
            It is compressed by a method that this Python lacks, or encrypted.
        """
        info = self.members.get(key)
        if info is None:
            return None
        size = context.check_size(info.file_size, f"the file {key!r} of {self.url!r}")
        try:
            return read_member(self._zip, info, size)
        except (ImportError, NotImplementedError, RuntimeError) as error:
            raise UnsupportedError(
                f"the file {key!r} of {self.url!r} cannot be unpacked here: {error}"
            ) from error
        except (BadZipFile, EOFError, OSError, ValueError, DamagedError) as error:
            raise FormatError(f"the file {key!r} of {self.url!r} is damaged: {error}") from error
