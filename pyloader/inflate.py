"""Decompress gzip, zlib, deflate, bzip2 and LZMA, and read zip members, up to a limit in bytes.

Every stream that pyloader decompresses goes through `Inflater`. A few bytes may expand to
gigabytes, so each caller gives a limit. Images that browsers and imagecodecs decode state their own
size.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

from pyloader.facts import LIMITS

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

Buffer = bytes | memoryview
Make = Callable[[], Any]
"""Returns a new decompressor of the standard library, for one stream."""

# Limit for one image or volume, unless a page or a script sets another.
DECODED_BYTES = LIMITS["decodedBytes"]
# Smallest piece given to a decompressor at once; the part that it leaves over is copied.
LEAST_BYTES = 512
# wbits of zlib: gzip only; gzip or zlib, detected from the first bytes.
GZIP_MEMBER, GZIP_OR_ZLIB = 31, 47
# Methods of zip (APPNOTE 4.4.5).
STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
LZMA_HEADER_BYTES, LZMA_PROPERTY_BYTES = 4, 5


class DamagedError(ValueError):
    """A stream does not have the expected format, or is damaged."""


def gzip() -> Any:
    """Return a decompressor for one gzip member (RFC 1952)."""
    return zlib.decompressobj(GZIP_MEMBER)


def gzip_or_zlib() -> Any:
    """Return a decompressor for gzip or zlib (RFC 1950)."""
    return zlib.decompressobj(GZIP_OR_ZLIB)


def deflate() -> Any:
    """Return a decompressor for raw deflate, without a header (RFC 1951)."""
    return zlib.decompressobj(-zlib.MAX_WBITS)


def bzip2() -> Any:
    """Return a decompressor for bzip2."""
    from bz2 import BZ2Decompressor  # few files need it

    return BZ2Decompressor()


class Inflater:
    """Incremental decompressor: give it compressed bytes, and take limited amounts of output.

    Several streams may follow each other, with zero bytes between them.

    Parameters
    ----------
    make : Make
        Called for each stream.
    magic : bytes, optional
        First bytes of each further stream; other bytes end the input. By default there is one
        stream.

    Attributes
    ----------
    is_over : bool
        True after the last stream: bytes that follow belong to none.
    """

    def __init__(self, make: Make, magic: bytes | None = None) -> None:
        self.is_over = False
        self._make = make
        self._magic = magic
        self._given: deque[memoryview] = deque()
        self._stream: Any = make()
        self._is_begun = False
        # Limit for the next input of the stream, and bytes that it has consumed. The first stream
        # has no limit: it may be the only one. Each of many small streams would leave the rest of
        # a large input over, and copying that for each of them is slow.
        self._reach: float = float("inf")
        self._consumed = 0

    @property
    def is_within(self) -> bool:
        """True inside a stream: it has begun, and has not ended."""
        return self._stream is not None and self._is_begun

    @property
    def is_starved(self) -> bool:
        """True, after `take` returned nothing, when it needs more input to return more."""
        return self.is_over or not self._given

    def give(self, chunk: Buffer) -> None:
        """Add compressed bytes."""
        if len(chunk):
            self._given.append(memoryview(chunk))

    def rest(self) -> bytes:
        """Return the input that is not used yet."""
        return b"".join(self._given)

    def take(self, most: int) -> bytes:
        """Decompress up to `most` bytes of one stream; may return none, see `is_starved`.

        Raises
        ------
        DamagedError
        """
        if most < 1 or self.is_over or (self._stream is None and not self._begin()):
            return b""
        # A compressed byte almost always expands to at least one: more input would be left over.
        chunk = self._next(min(self._reach, max(most, LEAST_BYTES)))
        self._is_begun = self._is_begun or len(chunk) > 0
        try:
            part: bytes = self._stream.decompress(chunk, most)
        except MemoryError:
            raise
        except Exception as error:  # each library has its own errors
            raise DamagedError(str(error) or type(error).__name__) from error
        left = self._stream.unused_data or getattr(self._stream, "unconsumed_tail", b"")
        if left:
            self._given.appendleft(memoryview(left))
        self._consumed += len(chunk) - len(left)
        if self._stream.eof:
            self._end()
        else:
            self._reach = max(self._reach, 2 * self._consumed)
        return part

    def take_all(self, most: int) -> bytes:
        """Decompress all streams given so far, up to `most` bytes.

        Raises
        ------
        DamagedError
        """
        parts: list[bytes] = []
        while most > 0:
            part = self.take(most)
            if not part and self.is_starved:
                break
            if part:
                parts.append(part)
            most -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _end(self) -> None:
        """Release a stream at its end."""
        self._reach = LEAST_BYTES + 2 * self._consumed
        self._consumed = 0
        self._stream = None
        self.is_over = self._magic is None

    def _begin(self) -> bool:
        """Skip zero bytes and begin the next stream; return whether one has begun."""
        assert self._magic is not None
        while self._given:
            given = bytes(self._next(LEAST_BYTES)).lstrip(b"\0")
            if given:
                self._given.appendleft(memoryview(given))
                known = min(len(given), len(self._magic))
                self.is_over = given[:known] != self._magic[:known]
                self._stream = None if self.is_over else self._make()
                self._is_begun = False
                break
        return self._stream is not None

    def _next(self, most: float) -> memoryview | bytes:
        """Return the next input, up to `most` bytes of one chunk."""
        given = self._given.popleft() if self._given else memoryview(b"")
        if len(given) > most:
            self._given.appendleft(given[int(most) :])
            given = given[: int(most)]
        return given


def inflate(make: Make, packed: Buffer, most: int) -> tuple[bytes, Inflater]:
    """Decompress up to `most` bytes of a complete stream; the `Inflater` shows how it ended.

    Raises
    ------
    DamagedError
    """
    inflater = Inflater(make)
    inflater.give(packed)
    return inflater.take_all(most), inflater


def beginning_of_gzip(packed: bytes, most: int) -> bytes:
    """Decompress up to `most` bytes of gzip; return none when it is damaged."""
    try:
        return inflate(gzip, packed, most)[0]
    except DamagedError:
        return b""


def lzma_of_zip(packed: Buffer, most: int) -> tuple[Make, Buffer]:
    """Return `Make` and the stream of a zip's LZMA member (APPNOTE 5.8.8).

    Parameters
    ----------
    most : int
        Decompressed bytes of the member: its dictionary need not be larger, whatever it declares.

    Raises
    ------
    DamagedError
        The member does not begin with an LZMA header.
    ImportError
        This Python has no LZMA.
    """
    import lzma  # few files need it, and not every Python has it

    start = LZMA_HEADER_BYTES + LZMA_PROPERTY_BYTES
    head = bytes(packed[:start])
    if len(head) < start or int.from_bytes(head[2:4], "little") != LZMA_PROPERTY_BYTES:
        raise DamagedError(f"its LZMA header is {head!r}")
    code, dictionary_bytes = head[4], int.from_bytes(head[5:9], "little")
    if code >= 9 * 5 * 5:
        raise DamagedError(f"its LZMA properties are {code}")
    options = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": min(dictionary_bytes, max(most, 4096)),
        "lc": code % 9,
        "lp": code // 9 % 5,
        "pb": code // 45,
    }
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options]), packed[start:]


def read_member(archive: ZipFile, info: ZipInfo, most: int) -> bytes:
    """Return the first `most` bytes of a member of a zip; fewer when it has no more.

    `zipfile` alone would expand a few bytes of bzip2 or LZMA to gigabytes before it applies the
    limit.

    Raises
    ------
    DamagedError
    NotImplementedError
        The compression method is not supported.
    zipfile.BadZipFile, OSError, RuntimeError
    """
    size = min(most, info.file_size)
    packed = read_packed(archive, info)
    if info.compress_type == STORED:
        body = packed[:size]
    else:
        body, _ = inflate(*unpacker_of(info, packed), size)
    if len(body) < size:
        raise DamagedError(f"{len(body)} bytes of {info.file_size}")
    if size == info.file_size and zlib.crc32(body) != info.CRC:
        raise DamagedError("its CRC-32 does not match its bytes")
    return body


def unpacker_of(info: ZipInfo, packed: bytes) -> tuple[Make, Buffer]:
    """Return `Make` for the compression method of a member, and its stream."""
    if info.compress_type == DEFLATED:
        return deflate, packed
    if info.compress_type == BZIP2:
        return bzip2, packed
    if info.compress_type == LZMA:
        return lzma_of_zip(packed, info.file_size)
    raise NotImplementedError(f"compression method {info.compress_type}")


def read_packed(archive: ZipFile, info: ZipInfo) -> bytes:
    """Return the compressed bytes of a member."""
    packed = copy(info)
    packed.compress_type, packed.file_size = STORED, info.compress_size
    del packed.CRC  # it is of the decompressed bytes
    with archive.open(packed) as stream:
        return stream.read()
