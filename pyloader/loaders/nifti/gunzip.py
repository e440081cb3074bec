"""A file's bytes as they arrive, and what they unpack to as it is wanted; gzip is undone."""

from __future__ import annotations

from collections import deque

from pyloader.errors import FormatError
from pyloader.inflate import DamagedError, Inflater, gzip

GZIP = b"\x1f\x8b"


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
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrived = 0
        self.taken = 0
        self.is_gzip: bool | None = None
        self._given: deque[bytes | memoryview] = deque()
        self._inflater = Inflater(gzip, GZIP[:1])  # one of which the second byte is damaged, too

    @property
    def is_over(self) -> bool:
        """True when the bytes to come are no gzip any more."""
        return self._inflater.is_over

    @property
    def is_within_member(self) -> bool:
        """True while a checksum is still to come."""
        return self._inflater.is_within

    @property
    def is_starved(self) -> bool:
        """True when more has to arrive before anything can be taken, if `take` gave nothing."""
        return self.is_gzip is None or (not self._given and self._inflater.is_starved)

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
        while self._given:
            self._inflater.give(self._given.popleft())
        try:
            return self._inflater.take(most)
        except DamagedError as error:
            raise FormatError(
                f"{self.name} is damaged: after {self.taken} bytes its gzip stream cannot be "
                f"inflated any further ({error}); fetch or compress it again"
            ) from error
