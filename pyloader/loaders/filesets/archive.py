"""Zip archives of DICOM files, and whole files compressed by gzip."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import NoReturn
from zipfile import BadZipFile, ZipFile, ZipInfo

from pyloader.context import Context
from pyloader.errors import DecodeError, FormatError, ImageIdError, UnsupportedError
from pyloader.imageid import ImageId
from pyloader.inflate import DamagedError, Inflater, gzip, read_member
from pyloader.loaders.signatures import GZIP

# Bits of the general purpose flag (APPNOTE 4.4.4).
ENCRYPTED = 0x01
UTF_8 = 0x800
# macOS adds a sidecar for each file in this folder, under the file's own name.
MACOS_FOLDER = "__MACOSX/"
NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """A zip archive; a member stays compressed until it is read.

    Attributes
    ----------
    image_id : ImageId
        Of the archive; the imageIds of its members extend it.
    url : str
        The source of the archive, for error messages.
    body : bytes
    members : mapping of str to ZipInfo
        The files by name, with slashes; if several have one name, the last counts, as unpacking
        would have it.
    """

    image_id: ImageId
    url: str
    body: bytes
    members: Mapping[str, ZipInfo] = field(repr=False)
    _zip: ZipFile = field(repr=False)

    @classmethod
    def open(cls, image_id: ImageId, body: bytes, url: str) -> Archive:
        """Read the central directory of an archive.

        Raises
        ------
        FormatError
            The archive is cut off or damaged.
        """
        try:
            opened = ZipFile(BytesIO(body))
        except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise FormatError(
                f"{url} begins as a zip archive and cannot be opened ({len(body)} bytes): {error}. "
                "Its directory is at its end: it may be cut off; fetch or pack it again"
            ) from error
        packed = [info for info in opened.infolist() if not info.is_dir()]
        files = {name_of(info): info for info in packed}
        if len(files) < len(packed):
            warnings.warn(
                f"{url} has {len(packed) - len(files)} members whose name another one also has: "
                "the last member of a name counts, as when the archive is unpacked",
                stacklevel=2,
            )
        members = {n: info for n, info in files.items() if not n.startswith(MACOS_FOLDER)}
        return cls(image_id, url, body, members, opened)

    @property
    def nbytes(self) -> int:
        """Bytes kept in memory."""
        return len(self.body)

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return list(self.members)

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a member."""
        return ImageId.parse(self.image_id.of_member(name))

    def only_name(self) -> str:
        """Return the name of the archive's only file.

        Raises
        ------
        ImageIdError
            The archive has several files or none, so the imageId is ambiguous.
        """
        if len(self.members) == 1:
            return next(iter(self.members))
        raise ImageIdError(
            f"{self.url} is a zip archive of {len(self.members)} files, and the imageId names none "
            f"of them, as {self.image_id.of_member('a/b.dcm')!r} does; imageIds() of the archive "
            "lists its images"
        )

    async def read(self, name: str, size: int, context: Context) -> bytes:
        """Return the first `size` bytes of a member, or all of a shorter one.

        Raises
        ------
        ImageIdError
            The archive has no member of this name.
        UnsupportedError
            The member is encrypted, or compressed by a method that this Python lacks.
        DecodeError
            The member is damaged.
        FormatError
            The bytes exceed `Context.decoded_bytes`.
        """
        info = self.members.get(name)
        if info is None:
            raise ImageIdError(
                f"{self.url} has no member {name!r}; it has {len(self.members)}, such as "
                f"{', '.join(map(repr, self.names[:NAMES_SHOWN]))}"
            )
        if info.flag_bits & ENCRYPTED:
            raise UnsupportedError(
                f"the member {name!r} of {self.url} is encrypted; unpack the archive with its "
                "password and load the files"
            )
        size = min(size, info.file_size)
        context.check_size(size, f"the member {name!r} of {self.url}, unpacked,")
        return self._unpack(info, name, size)

    async def read_whole(self, name: str, context: Context) -> bytes:
        """Return all bytes of a member; see `read`.

        Raises
        ------
        FormatError
            The member exceeds `Context.decoded_bytes`.
        """
        info = self.members.get(name)
        return await self.read(name, info.file_size if info else 0, context)

    def _unpack(self, info: ZipInfo, name: str, size: int) -> bytes:
        try:
            return read_member(self._zip, info, size)
        except (ImportError, NotImplementedError) as error:
            raise UnsupportedError(
                f"the member {name!r} of {self.url} is compressed by a method that is not "
                f"supported here: {error}; supported are stored, deflated, bzip2 and, where Python "
                "has it, lzma"
            ) from error
        except (BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
            self._refuse(name, error)

    def _refuse(self, name: str, reason: Exception) -> NoReturn:
        raise DecodeError(
            f"the member {name!r} of {self.url} is damaged and cannot be unpacked: {reason}; the "
            "other members may be intact"
        )


def name_of(info: ZipInfo) -> str:
    """Return the name of a member as its writer meant it.

    Some programs write UTF-8 without setting its flag; others write backslashes.
    """
    name = info.filename
    if not info.flag_bits & UTF_8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/").removeprefix("./")


def gunzip(body: bytes, url: str, context: Context) -> bytes:
    """Decompress a gzip file of one or several members (RFC 1952 2.2).

    Raises
    ------
    FormatError
        The file is damaged or cut off, or its content exceeds `Context.decoded_bytes`.
    """
    inflater = Inflater(gzip, GZIP)
    inflater.give(body)
    try:
        # One byte beyond the limit shows that the content exceeds it.
        unpacked = inflater.take_all(context.decoded_bytes + 1)
    except DamagedError as error:
        raise FormatError(f"{url} is compressed by gzip and damaged: {error}") from error
    context.check_size(len(unpacked), f"{url}, unpacked,")
    if inflater.is_within:
        raise FormatError(
            f"{url} is compressed by gzip and cut off: its {len(body)} bytes end within a member"
        )
    return unpacked
