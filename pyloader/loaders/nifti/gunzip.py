"""Decompress a file as it arrives: gzip by its signature, other files unchanged."""

from __future__ import annotations

from collections import deque

from pyloader.errors import FormatError
from pyloader.inflate import DamagedError, Inflater, gzip

GZIP = b"\x1f\x8b"


class GunzipBuffer:
    """A buffer that takes bytes as they arrive and returns them decompressed (gzip, RFC 1952).

    The first bytes decide, since names can be wrong and servers may have decompressed the file
    already. There may be several members with zeros between them, and any bytes after the last.

    Attributes
    ----------
    arrived, taken : int
        Bytes given, and decompressed bytes taken.
    is_gzip : bool or None
        None until enough bytes have arrived.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrived = 0
        self.taken = 0
        self.is_gzip: bool | None = None
        self._given: deque[bytes | memoryview] = deque()
        self._inflater = Inflater(gzip, GZIP[:1])  # accepts a member with a damaged second byte

    @property
    def is_over(self) -> bool:
        """True when the remaining bytes are no longer gzip."""
        return self._inflater.is_over

    @property
    def is_within_member(self) -> bool:
        """True until the member's checksum has been read."""
        return self._inflater.is_within

    @property
    def is_starved(self) -> bool:
        """True if `take` returned nothing because more bytes must arrive first."""
        return self.is_gzip is None or (not self._given and self._inflater.is_starved)

    def give(self, chunk: bytes) -> None:
        """Add bytes that have arrived."""
        self.arrived += len(chunk)
        self._given.append(memoryview(chunk))
        if self.is_gzip is None and self.arrived >= len(GZIP):
            self.is_gzip = b"".join(part[: len(GZIP)] for part in self._given).startswith(GZIP)

    def peek(self) -> bytes:
        """Return all buffered bytes, still compressed."""
        return b"".join(self._given)

    def skip(self, count: int) -> None:
        """Drop all buffered bytes, which the caller has decompressed to `count` bytes itself."""
        self.taken += count
        self._given.clear()

    def take(self, most: int) -> bytes | memoryview:
        """Return up to `most` bytes, of one gzip member; maybe none, see `is_starved`.

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
        """Return up to `most` bytes unchanged."""
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
