"""Scan files for images; only the headers of DICOM files are read, and the beginnings of others."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyloader.context import Context
from pyloader.dicom.dicomdir import Reference, is_directory, references_of
from pyloader.dicom.instance import Instance, lacks_pixels
from pyloader.dicom.parse import parse_beginning, parse_part10
from pyloader.dicom.series import describe_series, place_of
from pyloader.errors import FormatError, LoaderError
from pyloader.imageid import LOCAL_SCHEMES, MOST_IMAGES, ImageId, check_count
from pyloader.loaders.filesets.archive import Archive
from pyloader.loaders.filesets.other_formats import OtherFile
from pyloader.loaders.signatures import BARE_DATA_SETS, HEADER_BYTES, is_dicom, is_packed
from pyloader.loaders.web_images.recognise import scheme_of_content
from pyloader.source import Open

# The name of PS3.10 8.6; a copy under another name would list each file twice.
DIRECTORY = re.compile(r"(?P<folder>(.*/)?)dicomdir(\.[^./]*)?(;\d+)?", re.IGNORECASE | re.DOTALL)
# The description of an array or a group, of Zarr 3 or 2.
ZARR = re.compile(r"(^|/)(zarr\.json|\.zgroup|\.zarray)$")
READS_AT_ONCE = 8
# A data set without preamble has its pixel data within this many bytes, or is another format.
BARE_HEADER_BYTES = 4 << 20


class Collection(Protocol):
    """A collection of files: `Archive`, `Folder`, `Disc`, `PageFiles`."""

    @property
    def names(self) -> Sequence[str]:
        """The names of the files, with slashes between folders."""
        ...

    def image_id_of(self, name: str) -> ImageId:
        """Return the imageId of a file."""
        ...

    async def read(self, name: str, size: int, context: Context) -> bytes | None:
        """Return the first `size` bytes of a file, or all of a shorter one; None if missing."""
        ...


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file with images.

    Attributes
    ----------
    name : str
        The path of the file in the collection.
    image_ids : list of str
        One for each frame; for a single frame, the imageId of the file.
    series : dict
        Attributes of its series; see `describe_series`.
    place : mapping
        The attributes that order it within the series; see `place_of`.
    failure : LoaderError or None
        The reason why the file cannot be read; loading it raises the same.
    """

    name: str
    image_ids: list[str]
    series: dict[str, Any] = field(default_factory=dict)
    place: Any = field(default_factory=dict)
    failure: LoaderError | None = None


@dataclass(slots=True)
class Contents:
    """The images and DICOMDIRs found in a collection of files.

    Attributes
    ----------
    names : list of str
        All existing files.
    images : list of Found
    others : list of OtherFile
        Files of other formats than DICOM.
    directories : dict of str to list of Reference
        The files that each DICOMDIR references, by its folder: ``""`` or ``"a/b/"``.
    """

    names: list[str] = field(default_factory=list)
    images: list[ScannedFile] = field(default_factory=list)
    others: list[OtherFile] = field(default_factory=list)
    directories: dict[str, list[Reference]] = field(default_factory=dict)

    def add(self, other: Contents) -> None:
        """Add the contents of other files."""
        self.names += other.names
        self.images += other.images
        self.others += other.others
        self.directories |= other.directories


@dataclass(slots=True)
class FileScan:
    """One scan of a collection, and of the archives in it.

    Attributes
    ----------
    context : Context
    open_source : Open
        Opens archives and gzipped files.
    left : int
        Images that the list still has room for: each of many files may claim a million frames.
    """

    context: Context
    open_source: Open
    left: int = MOST_IMAGES

    async def scan(self, collection: Collection, prefix: str = "") -> Contents:
        """Read the headers of all files, several at a time, and return their contents.

        Parameters
        ----------
        prefix : str
            Prepended to the names.
        """
        names = collection.names
        limit = asyncio.Semaphore(READS_AT_ONCE)
        done = 0

        async def scan_one(name: str) -> Contents:
            nonlocal done
            async with limit:
                found = await self._scan_file(collection, name, prefix + name)
            done += 1
            self.context.progress(done, len(names))
            return found

        contents = Contents()
        for found in await asyncio.gather(*map(scan_one, names)):
            contents.add(found)
        return contents

    async def _scan_file(self, collection: Collection, name: str, path: str) -> Contents:
        """Return the contents of a file; an unreadable file counts as an image with a failure."""
        try:
            return await self._read_contents(collection, name, path)
        except LoaderError as error:
            failure = error
        except Exception as error:  # one bad file must not stop the scan of the others
            failure = FormatError(f"{path!r} cannot be read: {type(error).__name__}: {error}")
        image_id = collection.image_id_of(name)
        return Contents([path], [ScannedFile(path, [image_id.text], failure=failure)])

    async def _read_contents(self, collection: Collection, name: str, path: str) -> Contents:
        """Return the contents of a file.

        Raises
        ------
        LoaderError
        """
        head = await collection.read(name, HEADER_BYTES, self.context)
        if head is None:
            return Contents()
        # After the read: only then does a `Disc` know how the server spells the name.
        image_id = collection.image_id_of(name)
        scheme = scheme_of_content(head)
        if scheme not in (None, "wadouri") and not isinstance(collection, Archive):
            return Contents([path], others=[OtherFile(path, in_scheme(scheme, image_id))])
        if not is_packed(head):
            instance = await read_instance_header(collection, name, head, self.context)
            return self._contents_of(instance, image_id, path)
        if isinstance(collection, Archive):
            return Contents([path])  # no imageId names a member of a nested archive
        opened: Any = await self.open_source(image_id, self.context)
        inner = getattr(opened, "files", None)
        if isinstance(inner, Archive):
            scheme = scheme_of_archive(inner.names)
            if scheme is not None:
                return Contents([path], others=[OtherFile(path, in_scheme(scheme, image_id))])
            return await self.scan(inner, f"{path}/")
        return self._contents_of(with_images(opened.instance, image_id), image_id, path)

    def _contents_of(self, instance: Instance | None, image_id: ImageId, path: str) -> Contents:
        """Return an instance as contents: images, a DICOMDIR, or neither."""
        if instance is None:
            return Contents([path])
        if not is_directory(instance):
            return Contents([path], [self._found_in(instance, image_id, path)])
        named = DIRECTORY.fullmatch(path)
        return Contents(
            [path], directories={named["folder"]: references_of(instance)} if named else {}
        )

    def _found_in(self, instance: Instance, image_id: ImageId, path: str) -> ScannedFile:
        """Return the images of an instance.

        Raises
        ------
        FormatError
            The instance has more frames than the list has room for.
        """
        count = check_count(instance.number_of_frames, image_id.text, self.left)
        image_ids = image_id.of_frames(count) if count > 1 else [image_id.text]
        self.left -= count
        return ScannedFile(path, image_ids, describe_series(instance), place_of(instance))


def scheme_of_archive(names: Sequence[str]) -> str | None:
    """Return the scheme for an archive that is a file of another format: .npz, or zipped Zarr."""
    if names and all(name.endswith(".npy") for name in names):
        return "numpy"
    return "zarr" if any(ZARR.search(name) for name in names) else None


def in_scheme(scheme: str, image_id: ImageId) -> ImageId:
    """Return the imageId of the same file in another scheme."""
    file = image_id.source if image_id.scheme in LOCAL_SCHEMES else image_id.rest
    return ImageId.parse(f"{scheme}:{file}")


async def read_instance_header(
    collection: Collection, name: str, head: bytes, context: Context
) -> Instance | None:
    """Return an instance with pixel data, or a DICOMDIR; None for any other file.

    Parameters
    ----------
    head : bytes
        The first `HEADER_BYTES` of the file; more is read until its header is complete.
    """
    size = HEADER_BYTES
    while is_dicom(head) or (head.startswith(BARE_DATA_SETS) and size <= BARE_HEADER_BYTES):
        is_whole = len(head) < size
        instance = parse_head(head, is_whole, collection.image_id_of(name), context)
        if instance is not None or is_whole:
            return instance
        size *= 4
        head = await collection.read(name, size, context) or b""
    return None


def parse_head(head: bytes, is_whole: bool, image_id: ImageId, context: Context) -> Instance | None:
    """Parse the first bytes for `read_instance_header`; return None also if they are too few.

    Raises
    ------
    FormatError
        The file is DICOM and damaged.
    """
    try:
        beginning = parse_beginning(head, image_id.text)
        if beginning is not None or not is_whole:
            return beginning and beginning[0]
        instance = parse_part10(head, image_id.text, context.decoded_bytes)
    except FormatError:
        if is_dicom(head):
            raise
        return None
    return with_images(instance, image_id)


def with_images(instance: Instance, image_id: ImageId) -> Instance | None:
    """Return a complete instance if it has pixel data or is a DICOMDIR, else None.

    Raises
    ------
    FormatError
        The SOP Class requires pixel data, and there is no pixel data.
    """
    if instance.pixels is not None or is_directory(instance):
        return instance
    if lacks_pixels(instance):
        raise FormatError(
            f"{image_id.text!r} is an image by its SOP Class and has no pixel data: it is cut off "
            "in its header, or its pixels were taken out"
        )
    return None
