"""Ask a DICOMweb service by media type, and split its responses (PS3.18 8.6, 8.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyloader.dicomweb.multipart import MultipartReader, Part, parse_media_type, read_multipart
from pyloader.errors import FormatError
from pyloader.pixels.codestream.identify import media_type_syntax
from pyloader.transport import Request, Response

LOCATED_FRAME = re.compile(r"/frames/(\d{1,18})/?(\?.*)?$")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask.

    Attributes
    ----------
    accept : str
        Media type. Without quotes a browser sends it to another origin without asking first
        (Fetch 4.10), and most servers take it; RFC 2045 5.1 wants quotes.
    is_original : bool
        Whether what is stored is asked for, as it is stored.
    """

    accept: str
    is_original: bool = True


FRAME_WAYS = (
    Way("multipart/related; type=application/octet-stream; transfer-syntax=*"),
    Way('multipart/related; type="application/octet-stream"; transfer-syntax=*'),
    Way("multipart/related; type=application/octet-stream", is_original=False),
)
INSTANCE_WAYS = (
    Way("multipart/related; type=application/dicom; transfer-syntax=*"),
    Way('multipart/related; type="application/dicom"; transfer-syntax=*'),
    Way("application/dicom; transfer-syntax=*"),
)
BULK_DATA = "multipart/related; type=application/octet-stream"
JSON = "application/dicom+json"


def parts_of(response: Response) -> list[Part]:
    """Return the parts of an answer; one of a single part is its own."""
    content_type = response.headers.get("content-type", "")
    if parse_media_type(content_type)[0].startswith("multipart/"):
        return read_multipart(content_type, response.body)
    return [single_part(response)]


def single_part(response: Response) -> Part:
    """Return an answer that is not multipart as the part that it would have had.

    Raises
    ------
    FormatError
        It is empty, or a page or a message in place of data.
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
    """Return the UID of the transfer syntax that the server tells.

    It is a parameter of the part's Content-Type, or of the type within that of the whole, as
    Orthanc has it, or follows from the media type (PS3.18 Table 8.7.3-4).
    """
    _, whole = parse_media_type(outer)
    for text in (part.headers.get("content-type", ""), whole.get("type", ""), outer):
        kind, parameters = parse_media_type(text)
        told = parameters.get("transfer-syntax")
        if told and told != "*":
            return told
        known = media_type_syntax(kind)
        if known is not None:
            return known
    return None


OnFrame = Callable[[int, Part, str], None]
"""Given a frame, from 0, its part, and the Content-Type of the whole answer."""


class FrameParts:
    """Hands on the parts of an answer as the frames that were asked for; a `Sink`.

    Parameters
    ----------
    url_of : callable
        Returns the address of frames.
    missing : callable
        Returns the frames that have not come yet, from 0.
    """

    def __init__(
        self,
        url_of: Callable[[list[int]], str],
        missing: Callable[[], list[int]],
        way: Way,
        on_frame: OnFrame,
    ) -> None:
        self.url_of = url_of
        self.missing = missing
        self.way = way
        self.on_frame = on_frame
        self.asked: list[int] = []
        self._count = 0
        self._content_type = ""
        self._reader: MultipartReader | None = None

    def request(self) -> Request:
        """Return the request for what has not come yet."""
        self.asked = self.missing()
        return Request(self.url_of(self.asked), {"Accept": self.way.accept})

    def begin(self, response: Response) -> bool:
        """Begin to split an answer with several frames; others are taken whole."""
        self._count = 0
        self._content_type = response.headers.get("content-type", "")
        is_multipart = parse_media_type(self._content_type)[0].startswith("multipart/")
        self._reader = MultipartReader(self._content_type, self._take) if is_multipart else None
        return is_multipart and len(self.asked) > 1

    def feed(self, chunk: bytes) -> bool:
        """Split what has come; False after the last frame."""
        assert self._reader is not None, "begin has said so"
        self._reader.feed(chunk)
        return self._count < len(self.asked) or bool(self.missing())

    def finish(self, response: Response) -> None:
        """Take what the end of the answer completes."""
        reader, self._reader = self._reader, None
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
        """Return the frame of a part: the one its Content-Location names, else by its order."""
        located = LOCATED_FRAME.search(headers.get("content-location", ""))
        if located and int(located[1]) - 1 in self.asked:
            return int(located[1]) - 1
        return self.asked[self._count] if self._count < len(self.asked) else None
