"""``wadouri:``, ``dicomweb:`` and ``dicomfile:``: a DICOM Part 10 file behind an address.

The file is fetched and parsed once for all its frames, also when they are asked for together. Of a
large file with many frames only the header and the frames that are wanted are fetched, by byte
ranges, when its server has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

from pyloader.context import Context
from pyloader.dicom.instance import Instance, noting, parse_beginning, parse_part10
from pyloader.dicom.modules import describe, header
from pyloader.errors import FormatError, HttpStatusError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.loaders import Loader
from pyloader.loaders.partial import Parsed, PartialFile
from pyloader.loaders.version import RANGE_NOT_SATISFIABLE, Version
from pyloader.pixels.decode import decode_frame
from pyloader.transport import Request, Response

File = Instance | PartialFile
# First bytes of a file whose header alone is wanted, or that is known to have frames.
HEADER_BYTES = 64 << 10
FRAMES_BYTES = 256 << 10
# Bodies from here on are looked at while they arrive: they may have many frames.
LARGE_BYTES = 4 << 20


async def load(image_id: ImageId, context: Context) -> Image:
    """Load one frame of a Part 10 file."""
    file = await open_file(image_id, context)
    if isinstance(file, PartialFile):
        file.instance.check_frame(image_id.frame_index)
        file = await file.frame(image_id.frame_index, context)
    return make_image(file, image_id.frame_index)


def make_image(instance: Instance, frame_index: int) -> Image:
    """Decode one frame, from 0, of an instance and describe it."""
    with noting() as notes:
        frame = decode_frame(instance, frame_index)
        image = describe(instance, frame_index, frame)
    return replace(image, warnings=(*instance.warnings, *notes))


async def list_image_ids(image_id: ImageId, context: Context) -> list[str]:
    """Return the imageIds of all frames; of a large file only the header is fetched."""
    file = await open_file(image_id, context, HEADER_BYTES)
    instance = file.instance if isinstance(file, PartialFile) else file
    return [image_id.of_frame(index) for index in range(instance.number_of_frames)]


async def load_header(image_id: ImageId, context: Context) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules of one frame; of a large file only the header is fetched."""
    file = await open_file(image_id, context, HEADER_BYTES)
    instance = file.instance if isinstance(file, PartialFile) else file
    with noting():
        return header(instance, instance.check_frame(image_id.frame_index))


LOADER = Loader(load, load_header, list_image_ids)


async def open_file(image_id: ImageId, context: Context, first: int | None = None) -> File:
    """Return the file of an imageId, whole or the beginning of it; pixel data stay encoded.

    Parameters
    ----------
    first : int, optional
        Bytes to ask for at first; by default as many as suit the imageId.
    """
    image_id.refuse_part()
    # A dicomfile: has no address of its own; the page gives its Blob under this name.
    url = image_id.source if image_id.scheme == "dicomfile" else image_id.rest
    if first is None and image_id.names_frame:
        first = FRAMES_BYTES

    async def fetch(context: Context) -> File:
        opening = Opening(image_id.source, url)
        return await (opening.whole(context) if first is None else opening.part(first, context))

    return await context.cached(image_id.source, fetch)


class Opening:
    """Opens a file; a `Sink` that looks for frames in what arrives."""

    def __init__(self, source: str, url: str) -> None:
        self.source = source
        self.url = url
        self._body = BytesIO()
        self._head: Response | None = None
        self._look_at = HEADER_BYTES
        self._parsed: Parsed | None = None

    async def whole(self, context: Context) -> File:
        """Fetch a file, unless it turns out on the way to be large and to have many frames."""
        response = await context.stream(lambda: Request(self.url), self)
        body = response.body or self._body.getvalue()
        if self._parsed is not None and self._head is not None:
            beginning = replace(self._head, body=body)
            return PartialFile(self.source, self.url, beginning, self._parsed)
        return parse_part10(body, response.url)

    async def part(self, size: int, context: Context) -> File:
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
            parsed = parse_beginning(head.body, head.url)
            if parsed is not None:
                return PartialFile(self.source, self.url, head, parsed)
            size *= 4
            head = await self._more(head, size, context)
        return parse_part10(head.body, head.url)

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
        if size < self._look_at or not self._has_ranges():
            return True
        self._look_at = 4 * size
        parsed = parse_beginning(self._body.getvalue(), self.url)
        if parsed is None:
            return True
        self._look_at = 1 << 62
        if parsed[0].number_of_frames > 1:
            self._parsed = parsed
        return self._parsed is None

    def _has_ranges(self) -> bool:
        return self._head is not None and self._head.headers.get("accept-ranges") == "bytes"


def is_complete(head: Response, size: int) -> bool:
    """Tell whether an answer to a request for the first `size` bytes has the whole file."""
    return len(head.body) < size or Version.of(head).rest(len(head.body)) == 0
