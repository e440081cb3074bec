"""The seam to the network: `Request` in, `Response` out.

Every implementation passes ``tests/support/contracts/transport.py``. `Network` is the only caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pyloader.errors import FormatError
from pyloader.transport.local import LocalFile

# What to accept for the content of a local folder: the names of the files below it, with slashes,
# and a zero byte between them.
FOLDER_TYPE = "inode/directory"
# The status of an answer without the range that was asked for (RFC 9110 15.5.17).
RANGE_NOT_SATISFIABLE = 416
# What is read of the body of a refusal, whose first line alone is told.
REFUSAL_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes
    ----------
    url : str
        Absolute, relative to the page, or the name of a local file, ``localfile:3f9c27ab-0``.
    headers : mapping of str to str
        Sent beside those the page set.
    linked_from : str or None
        The address of the answer that named `url`. Such an address keeps its scheme, or goes from
        http to https; of another origin it is asked without the page's headers, hooks and cookies.
    byte_range : (int, int or None) or None
        First byte and the byte after the last, from 0; None in its place: to the end.
    timeout : float or None
        Seconds that may pass without a byte; None for no limit.
    is_urgent : bool
        Somebody waits for it, it is not fetched ahead.
    is_last : bool
        No other attempt follows, so that it is worth finding out why this one fails.
    most_bytes : int or None
        What the body may have, decoded; None for no limit. `Context.decoded_bytes` sets it.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    byte_range: tuple[int, int | None] | None = None
    timeout: float | None = None
    is_urgent: bool = True
    is_last: bool = True
    linked_from: str | None = None
    most_bytes: int | None = None

    @property
    def range_header(self) -> dict[str, str]:
        """The header that asks for `byte_range` (RFC 9110 14.2), none for the whole."""
        if self.byte_range is None:
            return {}
        start, stop = self.byte_range
        return {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, whatever its status.

    Attributes
    ----------
    url : str
        Where it came from, after redirects.
    headers : mapping of str to str
        Names in lower case. A browser shows few of them of another origin's server.
    body : bytes
        Decoded as the Content-Encoding says; empty when a `Sink` took it.
    files : tuple of LocalFile
        The local files that it was read from.
    has_authorization : bool
        An Authorization was sent with its request.
    withheld : tuple of str
        What its request would have had, were its origin one that the page names: names of headers,
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
        """Content-Length, when the server tells and it counts the bytes of the body."""
        length = self.headers.get("content-length", "")
        is_number = length.isdecimal() and len(length) < 19
        return int(length) if is_number and "content-encoding" not in self.headers else None


Progress = Callable[[int, "int | None"], None]
"""Called with the bytes so far and the total, None when the server does not tell."""


def ignore_progress(loaded: int, total: int | None) -> None:
    """Take no notice: the default `Progress`."""


class Sink(Protocol):
    """Takes the body of a success (2xx) as it arrives; a new attempt begins anew."""

    def begin(self, response: Response) -> bool:
        """Take the header; return False to have the whole body in the `Response` after all."""
        ...

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes; return False when that is enough, which ends the request."""
        ...


def check_body(request: Request, head: Response, count: int) -> bool:
    """Tell whether to read on, when a body has `count` bytes or announces so many.

    Of a refusal no more is read than `REFUSAL_BYTES`.

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
        f"the answer of {request.url} has {count} bytes or more, decoded, and may have {most}, as "
        "one image or volume may: it has no end, is made to do harm, or the limit "
        "(limits.decodedBytes of init, Context.decoded_bytes) has to be raised"
    )


class Transport(Protocol):
    """Sends requests. Raises `NetworkError` for no answer, `RequestError`, and `FormatError` for a
    body that is too large, nothing else."""

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Return the answer, whatever its status; cancelling the task stops the request.

        What `sink` raises is passed on.
        """
        ...
