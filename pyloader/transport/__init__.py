"""The seam to the network: `Request` in, `Response` out.

Every implementation passes ``tests/contracts/transport.py``. `Context.fetch` is the only caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes
    ----------
    url : str
        Absolute, relative to the page, or the name of a local file such as ``dicomfile:0``.
    headers : mapping of str to str
        Sent beside those the page set.
    byte_range : (int, int) or None
        First byte and the byte after the last, from 0.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    byte_range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, whatever its status.

    Attributes
    ----------
    url : str
        Where it came from, after redirects.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        Decoded as the Content-Encoding says.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


Progress = Callable[[int, "int | None"], None]
"""Called with the bytes so far and the total, None when the server does not tell."""


def ignore_progress(loaded: int, total: int | None) -> None:
    """Take no notice: the default `Progress`."""


class Transport(Protocol):
    """Sends requests. Raises `NetworkError` when there is no answer, and only then."""

    async def send(self, request: Request, progress: Progress) -> Response:
        """Return the answer, whatever its status; cancelling the task stops the request."""
        ...
