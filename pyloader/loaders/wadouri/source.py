"""Opens what stands behind an address: a Part 10 file, whole or its beginning, or what holds some.

A file is fetched and parsed once for all its frames, an archive once for all its members.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from pyloader.context import Context
from pyloader.dicom.fragments import CutOffError
from pyloader.dicom.headline import lacks_pixels
from pyloader.dicom.instance import Instance
from pyloader.dicom.parse import parse_beginning, parse_part10
from pyloader.errors import FormatError, HttpStatusError, NetworkError
from pyloader.imageid import LOCAL_SCHEMES, ImageId
from pyloader.loaders.filesets.archive import Archive, gunzip
from pyloader.loaders.filesets.folder import Folder, is_folder
from pyloader.loaders.signatures import is_gzip, is_zip
from pyloader.loaders.wadouri.http_validators import RANGE_NOT_SATISFIABLE, Version
from pyloader.loaders.wadouri.ranged_file import Parsed, PartialFile
from pyloader.transport import Request, Response

File = Instance | PartialFile
Opened = File | Archive | Folder
# First bytes of a file whose header alone is wanted, or that is known to have frames.
HEADER_BYTES = 64 << 10
FRAMES_BYTES = 256 << 10
# Bodies from here on are looked at while they arrive: they may have many frames.
LARGE_BYTES = 4 << 20
NEVER = 1 << 62


async def open_file(image_id: ImageId, context: Context, first: int | None = None) -> File:
    """Return the file of an imageId, whole or the beginning of it; pixel data stay encoded.

    Parameters
    ----------
    first : int, optional
        Bytes to ask for at first; by default as many as suit the imageId.

    Raises
    ------
    ImageIdError
        The imageId names a slice, no file of a folder or an archive, or one that is not there.
    FormatError
        It names a member, and there is no archive.
    """
    opened = await open_source(image_id, context, first)
    if isinstance(opened, Folder):
        opened.refuse()
    if isinstance(opened, Archive):
        return await open_member(opened, image_id.member or opened.the_only(), context)
    if image_id.member:
        raise FormatError(
            f"imageId {image_id.text!r} names a member of an archive, and {image_id.source!r} is "
            "a DICOM file; only zip archives have members"
        )
    return opened


async def open_source(image_id: ImageId, context: Context, first: int | None = None) -> Opened:
    """Return what stands behind the address of an imageId; see `open_file`."""
    image_id.refuse_part()
    if first is None and image_id.names_frame and not image_id.member:
        first = FRAMES_BYTES

    async def fetch(context: Context) -> Opened:
        opening = Opening(image_id, context)
        try:
            return await (opening.whole(context) if first is None else opening.part(first, context))
        except NetworkError as error:
            if is_folder(error):
                return await Folder.open(image_id, context)
            raise

    opened = await context.cached(image_id.source, fetch)
    if isinstance(opened, Instance) and lacks_pixels(opened):
        context.cache.discard(image_id.source)  # a later load may find it whole
    return opened


async def open_member(archive: Archive, name: str, context: Context) -> Instance:
    """Return a file of an archive, unpacked and parsed once for all its frames.

    One that is cut off has the archive fetched anew when it is asked for again.
    """

    async def parse(context: Context) -> Instance:
        url = f"{archive.url}, member {name!r}"
        body = await archive.read_whole(name, context)
        body = gunzip(body, url, context) if is_gzip(body) else body
        return parse_part10(body, url, context.decoded_bytes)

    source = archive.image_id.source
    try:
        return await context.cached((source, name), parse)
    except CutOffError:
        context.cache.discard(source)
        raise


def instance_of(file: File) -> Instance:
    """Return what the header of a file says."""
    return file.instance if isinstance(file, PartialFile) else file


def url_of(image_id: ImageId) -> str:
    """Return what to fetch.

    A file of the user has no address; the page gives its Blob under the name ``localfile:…``.
    """
    return image_id.source if image_id.scheme in LOCAL_SCHEMES else image_id.rest


class Opening:
    """Opens a file; a `Sink` that looks for frames in what arrives."""

    def __init__(self, image_id: ImageId, context: Context) -> None:
        self.image_id = image_id
        self.url = url_of(image_id)
        self.context = context
        self._body = BytesIO()
        self._head: Response | None = None
        self._look_at = HEADER_BYTES
        self._parsed: Parsed | None = None

    async def whole(self, context: Context) -> Opened:
        """Fetch a file, unless it turns out on the way to be large and to have many frames."""
        response = await context.stream(lambda: Request(self.url), self)
        body = response.body or self._body.getvalue()
        if self._parsed is not None and self._head is not None:
            beginning = replace(self._head, body=body)
            return PartialFile(self.image_id.source, self.url, beginning, self._parsed)
        return self._read(body, response.url, context)

    def _read(self, body: bytes, url: str, context: Context) -> Opened:
        """Return what a whole file is."""
        if is_gzip(body):
            body = gunzip(body, url, context)
        if is_zip(body):
            return Archive.open(self.image_id, body, url)
        return parse_part10(body, url, context.decoded_bytes)

    async def part(self, size: int, context: Context) -> Opened:
        """Fetch the first `size` bytes of a file, and more until its header is complete."""
        try:
            head = await context.fetch(self.url, byte_range=(0, size))
            Version.of(head).check(head, 0)
        except (FormatError, HttpStatusError) as error:
            # Some servers refuse what they cannot do, and some do another thing.
            if isinstance(error, HttpStatusError) and error.status != RANGE_NOT_SATISFIABLE:
                raise
            return await self.whole(context)
        while head.status == 206 and not is_complete(head, size):
            if is_packed(head.body):
                self._check_packed(Version.of(head).size)
                return await self.whole(context)
            parsed = parse_beginning(head.body, head.url)
            if parsed is not None:
                return PartialFile(self.image_id.source, self.url, head, parsed)
            size *= 4
            head = await self._more(head, size, context)
        return self._read(head.body, head.url, context)

    async def _more(self, head: Response, size: int, context: Context) -> Response:
        """Return the first `size` bytes, of which `head` has some."""
        start = len(head.body)
        try:
            more = await context.fetch(self.url, byte_range=(start, size))
        except HttpStatusError as error:
            if error.status != RANGE_NOT_SATISFIABLE:
                raise
            return head  # it ended just there
        if more.status == 200:
            return more
        Version.of(head).check(more, start)
        return replace(head, body=head.body + more.body)

    def begin(self, response: Response) -> bool:
        """Ask to be fed only with what may be worth to be left."""
        self._body = BytesIO()
        self._head = response
        self._look_at = HEADER_BYTES
        return response.length is None or response.length > LARGE_BYTES

    def feed(self, chunk: bytes) -> bool:
        """Collect; False when the rest need not come, since frames can be fetched alone."""
        self._body.write(chunk)
        size = self._body.tell()
        if size < self._look_at:
            return True
        if self._look_at == HEADER_BYTES and is_packed(self._body.getvalue()):
            self._look_at = NEVER
            self._check_packed(self._head.length if self._head else None)
        if size < self._look_at or not self._has_ranges():
            return True
        self._look_at = 4 * size
        parsed = parse_beginning(self._body.getvalue(), self.url)
        if parsed is None:
            return True
        self._look_at = NEVER
        if parsed[0].number_of_frames > 1:
            self._parsed = parsed
        return self._parsed is None

    def _check_packed(self, size: int | None) -> None:
        """Refuse what is too large to be held whole, as archives are."""
        self.context.check_size(size or 0, f"{self.url}, which is compressed,")

    def _has_ranges(self) -> bool:
        return self._head is not None and self._head.headers.get("accept-ranges") == "bytes"


def is_packed(head: bytes) -> bool:
    """Tell whether a file says nothing of its images before it is unpacked."""
    return is_zip(head) or is_gzip(head)


def is_complete(head: Response, size: int) -> bool:
    """Tell whether an answer to a request for the first `size` bytes has the whole file."""
    return len(head.body) < size or Version.of(head).rest(len(head.body)) == 0
