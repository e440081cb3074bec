"""A file's bytes as they arrive, and what they unpack to as it is wanted; gzip is undone."""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any

from pyloader.errors import FormatError

GZIP = b"\x1f\x8b"
# wbits of zlib for one gzip member: header, deflate stream, checksum.
GZIP_MEMBER = 31
# Little at a time, since what a member leaves over is copied.
SLICE_BYTES = 1 << 15


class Unpacking:
    """Bytes given as they arrive, taken as they are wanted; gzip (RFC 1952) is undone.

    It is recognised by its first bytes: names lie, and servers may have undone it already. There
    may be several members, with zeros between them, and anything behind the last.

    Attributes
    ----------
    arrived, taken : int
        Bytes given, and bytes taken of what they unpack to.
    is_gzip : bool or None
        None as long as that cannot be known.
    is_over : bool
        Whether what comes now is no gzip any more.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrived = 0
        self.taken = 0
        self.is_gzip: bool | None = None
        self.is_over = False
        self._given: deque[bytes | memoryview] = deque()
        self._member: Any = None

    @property
    def is_within_member(self) -> bool:
        """Whether a checksum is still to come."""
        return self._member is not None

    @property
    def is_starved(self) -> bool:
        """Whether more has to arrive before anything can be taken, if `take` gave nothing."""
        return not self._given or self.is_gzip is None or self.is_over

    def give(self, chunk: bytes) -> None:
        """Add what has arrived."""
        self.arrived += len(chunk)
        self._given.append(memoryview(chunk))
        if self.is_gzip is None and self.arrived >= len(GZIP):
            self.is_gzip = b"".join(part[: len(GZIP)] for part in self._given).startswith(GZIP)

    def look(self) -> bytes:
        """Return all that waits to be taken, as it was given."""
        return b"".join(self._given)

    def skip(self, count: int) -> None:
        """Count as taken what was made of all that was given, which is let go of."""
        self.taken += count
        self._given.clear()

    def take(self, most: int) -> bytes | memoryview:
        """Return up to `most` bytes, of one member of gzip; maybe none, see `is_starved`.

        Raises
        ------
        FormatError
            The gzip stream is damaged.
        """
        if self.is_gzip is None:
            return b""
        part = self._inflate(most) if self.is_gzip else self._next(most)
        self.taken += len(part)
        return part

    def _next(self, most: int) -> bytes | memoryview:
        """Return up to `most` bytes as they were given."""
        given = self._given.popleft() if self._given else b""
        if len(given) > most:
            self._given.appendleft(given[most:])
        return given[:most]

    def _inflate(self, most: int) -> bytes:
        if self._member is None and not self._begin_member():
            return b""
        try:
            # With nothing given there may still be something inside.
            part: bytes = self._member.decompress(self._next(SLICE_BYTES), most)
        except zlib.error as error:
            raise FormatError(
                f"{self.name} is damaged: after {self.taken} bytes its gzip stream cannot be "
                f"inflated any further ({error}); fetch or compress it again"
            ) from error
        rest = self._member.unused_data or self._member.unconsumed_tail
        if rest:
            self._given.appendleft(rest)
        if self._member.eof:
            self._member = None
        return part

    def _begin_member(self) -> bool:
        """Begin the next member, behind zeros, if there is one."""
        while self._given:
            given = bytes(self._next(SLICE_BYTES)).lstrip(b"\0")
            if given:
                self._given.appendleft(given)
                self.is_over = not given.startswith(GZIP[:1])
                self._member = None if self.is_over else zlib.decompressobj(GZIP_MEMBER)
                break
        return self._member is not None


def beginning_of(packed: bytes, most: int) -> bytes:
    """Return up to `most` bytes of what gzip holds; none when it is damaged."""
    try:
        return zlib.decompressobj(GZIP_MEMBER).decompress(packed, most)
    except zlib.error:
        return b""
