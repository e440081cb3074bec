"""Check by HTTP's headers which part of which file a response is (RFC 9110 8.8, 14.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyloader.errors import FormatError
from pyloader.transport import Response

CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class Validators:
    """A file as it was when its first bytes were read.

    Attributes
    ----------
    size : int or None
        Bytes of the whole; None when the server does not tell, or the browser does not show it.
    tag : str or None
        What changes when the file does.
    """

    size: int | None
    tag: str | None

    @classmethod
    def of(cls, response: Response) -> Validators:
        """Read an answer's headers."""
        place = CONTENT_RANGE.match(response.headers.get("content-range", ""))
        size = place[3] if place else None
        tag = response.headers.get("etag") or response.headers.get("last-modified")
        if response.status == 206:
            return cls(None if size in (None, "*") else int(size), tag)
        return cls(response.length, tag)

    def rest(self, start: int) -> int | None:
        """Return the bytes from `start` on, None when the size is unknown."""
        return None if self.size is None else self.size - start

    def check(self, response: Response, start: int) -> None:
        """Raise when an answer (206) is not the part from `start` on, of this very file.

        Raises
        ------
        FormatError
        """
        place = CONTENT_RANGE.match(response.headers.get("content-range", ""))
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
                    "header and its pixels are of different files: load it again"
                )
