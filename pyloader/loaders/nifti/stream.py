"""A NIfTI file while it arrives: inflated, its header read, its voxels put where they stay.

Nothing is held twice: what is inflated goes straight to the voxels' own memory, which is taken
once, when the header has told how much that is and nothing speaks against it.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyloader.context import Context
from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.nifti.fields import LARGEST_HEADER, VERSIONS
from pyloader.loaders.nifti.header import Header, parse
from pyloader.transport import Request, Response, Sink

GZIP = b"\x1f\x8b"
# wbits of zlib for one gzip member: header, deflate stream, checksum.
GZIP_MEMBER = 31
# Deflate makes at most 258 bytes of 2 bits.
LARGEST_RATIO = 1032
PIECE_BYTES = 1 << 20
SLICE_BYTES = 1 << 15
# What may follow the voxels in a gzip member on the way to its checksum.
SPARE_BYTES = 1 << 20


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
        # Short ones, since what a member leaves over is copied.
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
        view = memoryview(chunk)
        starts = range(0, len(chunk), SLICE_BYTES)
        self._given.extend(view[start : start + SLICE_BYTES] for start in starts)
        if self.is_gzip is None and self.arrived >= len(GZIP):
            self.is_gzip = b"".join(self._given).startswith(GZIP)

    def take(self, most: int) -> bytes | memoryview:
        """Return up to `most` bytes, of one member of gzip; maybe none, see `is_starved`.

        Raises
        ------
        FormatError
            The gzip stream is damaged.
        """
        if self.is_gzip is None:
            return b""
        part = self._inflate(most) if self.is_gzip else self._pass_on(most)
        self.taken += len(part)
        return part

    def _pass_on(self, most: int) -> bytes | memoryview:
        given = self._given.popleft() if self._given else b""
        if len(given) > most:
            self._given.appendleft(given[most:])
        return given[:most]

    def _inflate(self, most: int) -> bytes:
        if self._member is None and not self._begin_member():
            return b""
        try:
            # With nothing given there may still be something inside.
            given = self._given.popleft() if self._given else b""
            part: bytes = self._member.decompress(given, most)
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
            given = bytes(self._given.popleft()).lstrip(b"\0")
            if given:
                self._given.appendleft(given)
                self.is_over = not given.startswith(GZIP[:1])
                self._member = None if self.is_over else zlib.decompressobj(GZIP_MEMBER)
                break
        return self._member is not None


class Reading:
    """A `Sink` that reads the header of a file, and then its voxels if they are wanted and in it.

    Parameters
    ----------
    header : Header, optional
        Of a pair, when the file has only the voxels.
    wants_voxels : bool, optional

    Attributes
    ----------
    header : Header or None
        None until it has come.
    voxels : (header.size,) uint8 array or None
        None until the first of them has come.
    """

    def __init__(
        self,
        url: str,
        context: Context,
        header: Header | None = None,
        *,
        wants_voxels: bool = True,
    ) -> None:
        self.url = url
        self.context = context
        self.wants_voxels = wants_voxels
        self._known = header
        self.begin(Response(url, 0, {}, b""))

    async def run(self) -> None:
        """Fetch the file, as much of it as is needed.

        Raises
        ------
        LoaderError
            `FormatError` also when it ends before it should.
        """
        await self.context.stream(lambda: Request(self.url), self)
        if self._wanted():
            raise self._ended_early()

    def begin(self, response: Response) -> bool:
        """Begin anew."""
        self.header = self._known
        self.voxels: NDArray[np.uint8] | None = None
        self._unpacking = Unpacking(self.url)
        self._beginning = b""
        self._length = response.length
        return True

    def feed(self, chunk: bytes) -> bool:
        """Take what has arrived; False when the rest need not come."""
        self._unpacking.give(chunk)
        while wanted := self._wanted():
            if part := self._unpacking.take(wanted):
                self._accept(part)
            elif self._unpacking.is_starved:
                return self._wanted() > 0 and not self._unpacking.is_over
        return False

    @property
    def is_verified(self) -> bool:
        """Whether all checksums of what was read were there and right."""
        return not self._unpacking.is_within_member

    def _wanted(self) -> int:
        """Return how many bytes to take next: none of what is behind the part after them."""
        have = self._unpacking.taken
        if self.header is None:
            return header_bytes(self._beginning) - have
        if not self.wants_voxels or (self.header.is_pair and self._known is None):
            return 0
        first, end = self.header.voxels_at, self.header.voxels_at + self.header.size
        if have < end:
            return min((first if have < first else end) - have, PIECE_BYTES)
        return max(end + SPARE_BYTES - have, 0) if self._unpacking.is_within_member else 0

    def _accept(self, part: bytes | memoryview) -> None:
        """Put a part where it belongs."""
        if self.header is None:
            self._beginning += part
            self.header = parse(self._beginning, self.url)
            return
        if self.voxels is None:
            self.voxels = self._make_room(self.header)
        stop = self._unpacking.taken - self.header.voxels_at
        if 0 < stop <= self.header.size:
            self.voxels[stop - len(part) : stop] = np.frombuffer(part, "u1")

    def _make_room(self, header: Header) -> NDArray[np.uint8]:
        """Take the memory for the voxels, unless the file cannot have that many."""
        needed = header.voxels_at + header.size
        self.context.check_size(needed, f"the volume {self.url}, {describe(header)},")
        ratio = LARGEST_RATIO if self._unpacking.is_gzip else 1
        if self._length is not None and needed > self._length * ratio:
            raise FormatError(
                f"{self.url} has {self._length} bytes{' of gzip' * (ratio > 1)}, too few for what "
                f"its header says: {describe(header)}, {header.size} bytes from byte "
                f"{header.voxels_at} on; it is cut off or damaged"
            )
        try:
            return np.empty(header.size, "u1")
        except MemoryError as error:
            raise UnsupportedError(
                f"{self.url} needs {header.size} bytes for its voxels ({describe(header)}), and "
                "there is not so much memory left"
            ) from error

    def _ended_early(self) -> FormatError:
        """Say what is missing of a file that has ended."""
        unpacking = self._unpacking
        ended = f"{self.url} ends too early, after {unpacking.arrived} bytes" + (
            f" of gzip that hold {unpacking.taken}" if unpacking.is_gzip else ""
        )
        if self.header is None:
            least = VERSIONS[-1].size
            return FormatError(
                f"{ended}; the header of a NIfTI file alone has {least} or {LARGEST_HEADER}, and "
                f"this one begins with {self._beginning[:16]!r}"
            )
        there = max(0, unpacking.taken - self.header.voxels_at)
        if there >= self.header.size:
            return FormatError(
                f"{ended}: its voxels are there, but not the checksum they have to be compared with"
            )
        return FormatError(
            f"{ended}: of its voxels there are {there} of {self.header.size} bytes "
            f"({describe(self.header)}, from byte {self.header.voxels_at} on); it is cut off"
        )


def header_bytes(beginning: bytes) -> int:
    """Return how many bytes to look at next, of a header that begins with `beginning`.

    Never more than it has: what follows may be voxels.
    """
    if len(beginning) < 8:
        return 8
    large, small = VERSIONS
    return large.size if large.is_of(beginning) else small.size


def describe(header: Header) -> str:
    """Return shape and type in words."""
    columns, rows, slices, timepoints = header.shape
    kind = {3: "RGB", 4: "RGBA"}.get(header.samples, header.dtype.name)
    return f"{columns} x {rows} x {slices} x {timepoints} voxels of {kind}"


if TYPE_CHECKING:
    _proof: Sink = Reading("", Context.__new__(Context))
