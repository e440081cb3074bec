"""The seam to the network: `Request` in, `Response` out.

Every implementation passes ``tests/support/contracts/transport.py``. `Network` is the only caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pyloader.errors import FormatError
from pyloader.transport.local import LocalFile

# The media type of a local folder's listing: the names of the files below it, with slashes, and a
# zero byte between them.
FOLDER_TYPE = "inode/directory"
# The status of a response that lacks the requested range (RFC 9110 15.5.17).
RANGE_NOT_SATISFIABLE = 416
# Limit for the body of an error response, of which errors quote only the first line.
REFUSAL_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes
    ----------
    url : str
        Absolute, relative to the page, or the name of a local file, ``localfile:3f9c27ab-0``.
    headers : mapping of str to str
        Sent in addition to those of the page.
    linked_from : str or None
        URL of the response that named `url`. Then `url` must have the same scheme, or https after
        http; if its origin is another, it gets none of the page's headers, hooks and cookies.
    byte_range : (int, int or None) or None
        First byte and the byte after the last, from 0; None for the end of the file.
    timeout : float or None
        Seconds that may pass without a byte; None for no limit.
    urgency : (int, float)
        Request type (0: a viewer waits, 1: thumbnail, 2: prefetch, ...), then priority; lower is
        sooner.
    is_last : bool
        True when no other attempt follows: then it is worth finding out why this one fails.
    most_bytes : int or None
        Limit for the decoded body; None for no limit. `Context.decoded_bytes` sets it.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    byte_range: tuple[int, int | None] | None = None
    timeout: float | None = None
    urgency: tuple[int, float] = (0, 0.0)
    is_last: bool = True
    linked_from: str | None = None
    most_bytes: int | None = None

    @property
    def is_plain(self) -> bool:
        """True for a request for the whole of a URL, without headers, that no response named."""
        return not self.headers and self.byte_range is None and self.linked_from is None

    @property
    def range_header(self) -> dict[str, str]:
        """The header that requests `byte_range` (RFC 9110 14.2); empty for the whole body."""
        if self.byte_range is None:
            return {}
        start, stop = self.byte_range
        return {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}


@dataclass(frozen=True, slots=True)
class Response:
    """One response, whatever its status.

    Attributes
    ----------
    url : str
        Its URL, after redirects.
    headers : mapping of str to str
        Names in lower case. Of another origin, a browser exposes only a few.
    body : bytes
        Decoded as the Content-Encoding says; empty when a `Sink` took it.
    files : tuple of LocalFile
        The local files that it was read from.
    has_authorization : bool
        True when its request had an Authorization.
    withheld : tuple of str
        Withheld from its request, since the page has not named its origin: names of headers,
        ``"cookies"``, and the hooks that were not called.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    files: tuple[LocalFile, ...] = ()
    has_authorization: bool = False
    withheld: tuple[str, ...] = ()

    @property
    def length(self) -> int | None:
        """Content-Length, if there is one that counts the bytes of `body`."""
        length = self.headers.get("content-length", "")
        is_number = length.isdecimal() and len(length) < 19
        return int(length) if is_number and "content-encoding" not in self.headers else None


Progress = Callable[[int, "int | None"], None]
"""Called with the bytes so far and the total, which is None when the server does not send it."""


def ignore_progress(loaded: int, total: int | None) -> None:
    """Do nothing: the default `Progress`."""


class Sink(Protocol):
    """Takes the body of a success (2xx) as it arrives; another attempt calls `begin` again."""

    def begin(self, response: Response) -> bool:
        """Take the header; return False to have the whole body in the `Response` after all."""
        ...

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes; return False when that is enough, which ends the request."""
        ...


def check_body(request: Request, head: Response, count: int) -> bool:
    """Return whether to read on, for a body that has `count` bytes or announces so many.

    Of an error response, no more than `REFUSAL_BYTES` are read.

    Raises
    ------
    FormatError
        A success has more than `Request.most_bytes`.
    """
    if not 200 <= head.status < 300:
        return count <= REFUSAL_BYTES
    most = request.most_bytes
    if most is None or count <= most:
        return True
    raise FormatError(
        f"the response of {request.url} has {count} bytes or more, decoded, and may have {most}, "
        "as one image or volume may: it has no end, is malicious, or the limit "
        "(limits.decodedBytes of init, Context.decoded_bytes) has to be raised"
    )


class Transport(Protocol):
    """Sends requests. Raises only `NetworkError` for no response, `RequestError`, and `FormatError`
    for a body that is too large."""

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Return the response, whatever its status; cancelling the task stops the request.

        Exceptions of `sink` are passed on.
        """
        ...
