"""HTTP validators: check that responses are parts of the same file (RFC 9110 8.8, 14.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyloader.errors import FormatError
from pyloader.transport import Response

CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class Validators:
    """The size and version of a file when its first bytes were read.

    Attributes
    ----------
    size : int or None
        Bytes of the whole file; None if the server does not send it or the browser hides it.
    tag : str or None
        ETag or Last-Modified, which change when the file does.
    """

    size: int | None
    tag: str | None

    @classmethod
    def of(cls, response: Response) -> Validators:
        """Read the headers of a response."""
        place = CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        size = place[3] if place else None
        tag = response.headers.get("etag") or response.headers.get("last-modified")
        if response.status == 206:
            return cls(None if size in (None, "*") else int(size), tag)
        return cls(response.length, tag)

    def rest(self, start: int) -> int | None:
        """Return the number of bytes from `start` on, None if the size is unknown."""
        return None if self.size is None else self.size - start

    def check(self, response: Response, start: int) -> None:
        """Check that a response (206) is the part of this same file that begins at `start`.

        Raises
        ------
        FormatError
        """
        place = CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if place and int(place[1]) != start:
            raise FormatError(
                f"{response.url} answered with {place[0]!r} to a request for bytes from {start}; "
                "its server does not serve byte ranges as it should"
            )
        other = Validators.of(response)
        for mine, theirs in ((self.size, other.size), (self.tag, other.tag)):
            if mine is not None and theirs is not None and mine != theirs:
                raise FormatError(
                    f"{response.url} has changed while it was read, from {mine} to {theirs}; its "
                    "header and its pixels are of different versions: load it again"
                )
