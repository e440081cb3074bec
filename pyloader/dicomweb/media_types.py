"""Ask a DICOMweb service by media type, and split its responses (PS3.18 8.6, 8.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyloader.dicomweb.multipart import MultipartReader, Part, parse_media_type, read_multipart
from pyloader.errors import FormatError
from pyloader.pixels.codestream.identify import media_type_syntax
from pyloader.transport import Request, Response

# The first delimiter of a multipart body and its first header (RFC 2046 5.1.1, RFC 2387).
MULTIPART = re.compile(
    rb"\s{0,2}--[^\r\n]{1,70}\r?\nContent-(Type|Location|Length|ID)[ \t]*:", re.I
)
LOCATED_FRAME = re.compile(r"/frames/(\d{1,18})/?(\?.*)?$")


@dataclass(frozen=True, slots=True)
class Accept:
    """An Accept header to try.

    Attributes
    ----------
    value : str
        Media type. RFC 2045 5.1 requires quotes around its `type`. Without them a browser needs no
        preflight request to another origin (Fetch 4.10), and most servers accept it.
    is_original : bool
        True to ask for the data as stored, False to let the server decode them.
    """

    value: str
    is_original: bool = True


FRAME_ACCEPTS = (
    Accept("multipart/related; type=application/octet-stream; transfer-syntax=*"),
    Accept('multipart/related; type="application/octet-stream"; transfer-syntax=*'),
    Accept("multipart/related; type=application/octet-stream", is_original=False),
)
INSTANCE_ACCEPTS = (
    Accept("multipart/related; type=application/dicom; transfer-syntax=*"),
    Accept('multipart/related; type="application/dicom"; transfer-syntax=*'),
    Accept("application/dicom; transfer-syntax=*"),
)
BULK_DATA = "multipart/related; type=application/octet-stream"
JSON = "application/dicom+json"


def parts_of(response: Response) -> list[Part]:
    """Return the parts of a response; a response that is not multipart is one part."""
    content_type = response.headers.get("content-type", "")
    if parse_media_type(content_type)[0].startswith("multipart/") or is_multipart(response.body):
        return read_multipart(content_type, response.body)
    return [single_part(response)]


def is_multipart(body: bytes) -> bool:
    """Return whether a body is multipart, although its server does not say so.

    Static servers know no media type for files of a static tree.
    """
    return MULTIPART.match(body) is not None


def single_part(response: Response) -> Part:
    """Return a response that is not multipart as a part.

    Raises
    ------
    FormatError
        The response is empty, or is a web page or a message instead of data.
    """
    kind, _ = parse_media_type(response.headers.get("content-type", ""))
    if not response.body:
        raise FormatError(
            f"{response.url} answered with status {response.status} and no content; the server "
            "does not have these data"
        )
    if kind.startswith("text/") or kind.endswith("json") or kind.endswith("xml"):
        line = response.body[:120].decode("utf-8", "replace").strip().partition("\n")[0]
        raise FormatError(
            f"{response.url} answered with {kind}, which begins with {line!r}; expected image "
            "data: servers answer so with a log-in page or a message"
        )
    return Part(response.headers, response.body)


def syntax_of(part: Part, outer: str) -> str | None:
    """Return the transfer syntax UID that the server declares for a part, else None.

    It is a parameter of the part's Content-Type. Orthanc puts it into the ``type`` parameter of
    the whole response's instead. Else it follows from the media type (PS3.18 Table 8.7.3-4).

    Parameters
    ----------
    outer : str
        Content-Type of the whole response.
    """
    _, whole = parse_media_type(outer)
    for text in (part.headers.get("content-type", ""), whole.get("type", ""), outer):
        kind, parameters = parse_media_type(text)
        declared = parameters.get("transfer-syntax")
        if declared and declared != "*":
            return declared
        known = media_type_syntax(kind)
        if known is not None:
            return known
    return None


OnFrame = Callable[[int, Part, str], None]
"""Receives a frame's index from 0, its part, and the Content-Type of the whole response."""


class FrameParts:
    """Match the parts of a response to the requested frames; a `Sink`.

    Parameters
    ----------
    url_of : callable
        Returns the URL of the frames with the given indices.
    missing : callable
        Returns the indices, from 0, of the frames that have not arrived yet.
    """

    def __init__(
        self,
        url_of: Callable[[list[int]], str],
        missing: Callable[[], list[int]],
        accept: Accept,
        on_frame: OnFrame,
    ) -> None:
        self.url_of = url_of
        self.missing = missing
        self.accept = accept
        self.on_frame = on_frame
        self.asked: list[int] = []
        self._count = 0
        self._content_type = ""
        self._reader: MultipartReader | None = None

    def request(self) -> Request:
        """Return the request for the missing frames."""
        self.asked = self.missing()
        return Request(self.url_of(self.asked), {"Accept": self.accept.value})

    def begin(self, response: Response) -> bool:
        """Return True to get a multipart response of several frames in chunks, else whole."""
        self._count = 0
        self._content_type = response.headers.get("content-type", "")
        is_multipart = parse_media_type(self._content_type)[0].startswith("multipart/")
        self._reader = MultipartReader(self._content_type, self._take) if is_multipart else None
        return is_multipart and len(self.asked) > 1

    def feed(self, chunk: bytes) -> bool:
        """Split the next chunk; return False after the last frame."""
        assert self._reader is not None, "begin returned True"
        self._reader.feed(chunk)
        return self._count < len(self.asked) or bool(self.missing())

    def finish(self, response: Response) -> None:
        """Take the parts that the end of the response completes."""
        reader, self._reader = self._reader, None
        if reader is None and is_multipart(response.body):
            reader = MultipartReader(self._content_type, self._take)
        if reader is None:
            self._take(single_part(response))
            return
        reader.feed(response.body)
        if self.missing():
            reader.close()
        reader.release()

    def _take(self, part: Part) -> None:
        index = self._index_of(part.headers)
        self._count += 1
        if index is not None:
            self.on_frame(index, part, self._content_type)

    def _index_of(self, headers: Mapping[str, str]) -> int | None:
        """Return the frame index of a part: from its Content-Location, else by its order."""
        located = LOCATED_FRAME.search(headers.get("content-location", ""))
        if located and int(located[1]) - 1 in self.asked:
            return int(located[1]) - 1
        return self.asked[self._count] if self._count < len(self.asked) else None
