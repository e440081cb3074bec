"""Open a URL: a Part 10 file, whole or its beginning, or an archive, a folder or a DICOMDIR.

A file is fetched and parsed once for all its frames, an archive once for all its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from pyloader.context import Context
from pyloader.dicom.dicomdir import is_directory
from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.instance import Instance, lacks_pixels
from pyloader.dicom.parse import parse_beginning, parse_part10
from pyloader.errors import FormatError, HttpStatusError, NetworkError
from pyloader.facts import LIMITS
from pyloader.imageid import LOCAL_SCHEMES, ImageId
from pyloader.loaders.filesets.archive import Archive, gunzip
from pyloader.loaders.filesets.folder import Folder, PageFiles, is_folder
from pyloader.loaders.filesets.series import list_series
from pyloader.loaders.filesets.source import Directory, FileSet
from pyloader.loaders.instance_source import InstanceSource
from pyloader.loaders.signatures import HEADER_BYTES, is_gzip, is_packed, is_zip
from pyloader.loaders.wadouri.http_validators import Validators
from pyloader.loaders.wadouri.ranged_file import Parsed, PartialFile
from pyloader.source import Series, Source
from pyloader.transport import RANGE_NOT_SATISFIABLE, Request, Response

FRAMES_BYTES = 256 << 10
# Larger bodies are parsed while they arrive: they may have many frames.
WHOLE_BYTES = LIMITS["wholeBytes"]
NEVER = 1 << 62


async def open_source(image_id: ImageId, context: Context, *, pixels: bool = True) -> Source:
    """Open the file of an imageId, whole or just its beginning; pixel data stay encoded.

    Raises
    ------
    ImageIdError
        The imageId names a slice, no file of a folder or an archive, or one that does not exist.
    FormatError
        The imageId names a member, but the file is not an archive.
    """
    image_id.refuse_part()
    is_frame = image_id.names_frame and not image_id.member
    first = HEADER_BYTES if not pixels else FRAMES_BYTES if is_frame else None

    async def fetch(context: Context) -> Source:
        opening = Opening(image_id, context)
        try:
            return await (opening.whole(context) if first is None else opening.part(first, context))
        except NetworkError as error:
            if is_folder(error):
                return FileSet(await Folder.open(image_id, context), open_source)
            raise

    source = await context.cached(image_id.source, fetch)
    if isinstance(source, InstanceSource) and lacks_pixels(source.instance):
        context.cache.discard(image_id.source)  # a later load may fetch the complete file
    return await open_member(source, image_id, context) if image_id.member else source


async def open_member(source: Source, image_id: ImageId, context: Context) -> Source:
    """Open a member of an archive, unpacked and parsed once for all its frames.

    If the member is cut off, drop the archive, so that the next load fetches it again.
    """
    if not isinstance(source, FileSet):
        raise FormatError(
            f"imageId {image_id.text!r} names a member of an archive, but {image_id.source!r} is "
            "a DICOM file; only zip archives have members"
        )
    archive, name = source.files, image_id.member
    if isinstance(archive, Folder):
        archive.only_name()

    async def parse(context: Context) -> Source:
        url = f"{archive.url}, member {name!r}"
        body = await archive.read_whole(name, context)
        body = gunzip(body, url, context) if is_gzip(body) else body
        return source_of(parse_part10(body, url, context.decoded_bytes))

    try:
        return await context.cached((image_id.source, name), parse)
    except CutOffError:
        context.cache.discard(image_id.source)
        raise


def source_of(instance: Instance) -> Source:
    """Return a complete instance as a source."""
    if is_directory(instance):
        return Directory(instance, open_source)
    return InstanceSource(instance)


async def list_files(files: Sequence[tuple[str, str]], context: Context) -> list[Series]:
    """List by series the images of files that a page gives as (imageId, path)."""
    return await list_series(PageFiles.of(files), context, open_source)


def url_of(image_id: ImageId) -> str:
    """Return the URL to fetch.

    A user's local file has no URL; the page serves its Blob under the name ``localfile:…``.
    """
    return image_id.source if image_id.scheme in LOCAL_SCHEMES else image_id.rest


class Opening:
    """A `Sink` that opens a file, and parses its beginning while the body arrives."""

    def __init__(self, image_id: ImageId, context: Context) -> None:
        self.image_id = image_id
        self.url = url_of(image_id)
        self.context = context
        self._body = BytesIO()
        self._head: Response | None = None
        self._look_at = HEADER_BYTES
        self._parsed: Parsed | None = None

    async def whole(self, context: Context) -> Source:
        """Fetch a file; stop early if it turns out to be large and to have many frames."""
        response = await context.stream(lambda: Request(self.url), self)
        body = response.body or self._body.getvalue()
        if self._parsed is not None and self._head is not None:
            beginning = replace(self._head, body=body)
            return PartialFile(self.image_id.source, self.url, beginning, self._parsed)
        return self._read(body, response.url, context)

    def _read(self, body: bytes, url: str, context: Context) -> Source:
        """Return the source of a complete file."""
        if is_gzip(body):
            body = gunzip(body, url, context)
        if is_zip(body):
            return FileSet(Archive.open(self.image_id, body, url), open_source)
        return source_of(parse_part10(body, url, context.decoded_bytes))

    async def part(self, size: int, context: Context) -> Source:
        """Fetch the first `size` bytes of a file, then more until its header is complete."""
        try:
            head = await context.fetch(self.url, byte_range=(0, size))
            Validators.of(head).check(head, 0)
        except (FormatError, HttpStatusError) as error:
            # Some servers refuse ranges, and some answer them wrongly.
            if isinstance(error, HttpStatusError) and error.status != RANGE_NOT_SATISFIABLE:
                raise
            return await self.whole(context)
        while head.status == 206 and not is_complete(head, size):
            if is_packed(head.body):
                self._check_packed(Validators.of(head).size)
                return await self.whole(context)
            parsed = parse_beginning(head.body, head.url)
            if parsed is not None and is_directory(parsed[0]):
                return await self.whole(context)
            if parsed is not None:
                return PartialFile(self.image_id.source, self.url, head, parsed)
            size *= 4
            head = await self._more(head, size, context)
        return self._read(head.body, head.url, context)

    async def _more(self, head: Response, size: int, context: Context) -> Response:
        """Extend `head` to the first `size` bytes."""
        start = len(head.body)
        try:
            more = await context.fetch(self.url, byte_range=(start, size))
        except HttpStatusError as error:
            if error.status != RANGE_NOT_SATISFIABLE:
                raise
            return head  # the file ends exactly there
        if more.status == 200:
            return more
        Validators.of(head).check(more, start)
        return replace(head, body=head.body + more.body)

    def begin(self, response: Response) -> bool:
        """Reset; ask for chunks only if the body is large enough to stop early."""
        self._body = BytesIO()
        self._head = response
        self._look_at = HEADER_BYTES
        return response.length is None or response.length > WHOLE_BYTES

    def feed(self, chunk: bytes) -> bool:
        """Collect a chunk; return False if frames can be fetched one by one instead of the rest."""
        self._body.write(chunk)
        size = self._body.tell()
        if size < self._look_at:
            return True
        if self._look_at == HEADER_BYTES and not self._has_frames_apart():
            self._look_at = NEVER
            return True
        self._look_at = 4 * size
        parsed = parse_beginning(self._body.getvalue(), self.url)
        if parsed is None:
            return True
        self._look_at = NEVER
        if parsed[0].number_of_frames > 1 and not is_directory(parsed[0]):
            self._parsed = parsed
        return self._parsed is None

    def _has_frames_apart(self) -> bool:
        """Return whether frames can be fetched one by one: not if packed, nor without ranges."""
        if is_packed(bytes(self._body.getbuffer()[:HEADER_BYTES])):
            self._check_packed(self._head.length if self._head else None)
            return False
        return self._has_ranges()

    def _check_packed(self, size: int | None) -> None:
        """Raise if a packed file is too large: it has to be held in memory whole."""
        self.context.check_size(size or 0, f"{self.url}, which is compressed,")

    def _has_ranges(self) -> bool:
        return self._head is not None and self._head.headers.get("accept-ranges") == "bytes"


def is_complete(head: Response, size: int) -> bool:
    """Return whether a response to a request for the first `size` bytes has the whole file."""
    return len(head.body) < size or Validators.of(head).rest(len(head.body)) == 0
