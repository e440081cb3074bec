"""Read a NIfTI file while it arrives: decompress it, parse its header, fill its voxels.

Nothing is held twice: decompressed bytes go straight to the voxels' own memory. It is allocated
once, after the header has given its size and the checks have passed. A file that arrives quickly is
decompressed in one call, in half the time; for a slower one, each piece is decompressed while the
next one arrives.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyloader.context import Context
from pyloader.errors import FormatError, UnsupportedError
from pyloader.inflate import beginning_of_gzip
from pyloader.loaders.nifti.fields import LARGEST_HEADER, VERSIONS
from pyloader.loaders.nifti.gunzip import GunzipBuffer
from pyloader.loaders.nifti.header import NiftiHeader, parse
from pyloader.pixels.codecs import inflate_gzip
from pyloader.transport import Request, Response, Sink

# Deflate expands 2 bits to at most 258 bytes.
LARGEST_RATIO = 1032
PIECE_BYTES = 1 << 20
# Read at most this many bytes after the voxels to reach the checksum of a gzip member.
SPARE_BYTES = 1 << 20
# Wait this long, and for this many bytes, for the end of the file before starting to decompress.
PATIENCE_SECONDS = 0.15
WHOLE_BYTES = 16 << 20


class NiftiReader:
    """A `Sink` that reads the header of a file, then its voxels if wanted and present.

    Parameters
    ----------
    header : NiftiHeader, optional
        The header of a pair, if the file has only the voxels.
    wants_voxels : bool, optional

    Attributes
    ----------
    header : NiftiHeader or None
        None until it has arrived.
    voxels : (header.size,) uint8 array or None
        None until the first ones have arrived.
    """

    def __init__(
        self,
        url: str,
        context: Context,
        header: NiftiHeader | None = None,
        *,
        wants_voxels: bool = True,
    ) -> None:
        self.url = url
        self.context = context
        self.wants_voxels = wants_voxels
        self._known = header
        self._patience = 0.0
        self.begin(Response(url, 0, {}, b""))

    async def run(self) -> None:
        """Fetch as much of the file as is needed.

        Raises
        ------
        LoaderError
            `FormatError` also if the file ends early.
        """
        self._patience = PATIENCE_SECONDS
        await self.context.stream(lambda: Request(self.url), self)
        if self._can_wait and not self._take_whole():
            self._take()
        if self._wanted():
            raise self._ended_early()

    def begin(self, response: Response) -> bool:
        """Reset for a new response."""
        self.header = self._known
        self.voxels: NDArray[np.uint8] | None = None
        self._buffer = GunzipBuffer(self.url)
        self._beginning = b""
        self._length = response.length
        self._began = time.perf_counter()
        return True

    def feed(self, chunk: bytes) -> bool:
        """Process a chunk; return False when the rest of the body is not needed."""
        self._buffer.give(chunk)
        is_slow = time.perf_counter() - self._began >= self._patience
        if self._can_wait and not is_slow and self._buffer.arrived <= WHOLE_BYTES:
            return True
        return self._take()

    @property
    def _can_wait(self) -> bool:
        """True while decompression can still wait for the whole file."""
        return self.wants_voxels and self._buffer.is_gzip is True and not self._buffer.taken

    def _take(self) -> bool:
        """Process the buffered bytes in pieces; return False when no more are needed."""
        while wanted := self._wanted():
            if part := self._buffer.take(wanted):
                self._accept(part)
            elif self._buffer.is_starved:
                return self._wanted() > 0 and not self._buffer.is_over
        return False

    def _take_whole(self) -> bool:
        """Decompress a file in one call; return False unless its only member ends with the voxels.

        Also return False for a damaged file: reading it in pieces says where the damage is.
        """
        packed = self._buffer.peek()
        header = self._known or parse(beginning_of_gzip(packed, LARGEST_HEADER), self.url)
        if header is None or (header.is_pair and self._known is None):
            return False
        size = header.voxels_at + header.size
        # The last four bytes of a member are its decompressed size (RFC 1952 2.3.1).
        if packed[-4:] != (size & 0xFFFFFFFF).to_bytes(4, "little"):
            return False
        room = self._make_room(header, size)
        if not inflate_gzip(packed, room):
            return False
        self.header, self.voxels = header, room[header.voxels_at :]
        self._buffer.skip(size)
        return True

    @property
    def is_verified(self) -> bool:
        """True when all checksums of the bytes read were present and correct."""
        return not self._buffer.is_within_member

    def _wanted(self) -> int:
        """Return the number of bytes to take next, never across the end of a part of the file."""
        have = self._buffer.taken
        if self.header is None:
            return header_bytes(self._beginning) - have
        if not self.wants_voxels or (self.header.is_pair and self._known is None):
            return 0
        first, end = self.header.voxels_at, self.header.voxels_at + self.header.size
        if have < end:
            return min((first if have < first else end) - have, PIECE_BYTES)
        return max(end + SPARE_BYTES - have, 0) if self._buffer.is_within_member else 0

    def _accept(self, part: bytes | memoryview) -> None:
        """Store a decompressed part in the header or in the voxels."""
        if self.header is None:
            self._beginning += part
            self.header = parse(self._beginning, self.url)
            return
        if self.voxels is None:
            self.voxels = self._make_room(self.header, self.header.size)
        stop = self._buffer.taken - self.header.voxels_at
        if 0 < stop <= self.header.size:
            self.voxels[stop - len(part) : stop] = np.frombuffer(part, "u1")

    def _make_room(self, header: NiftiHeader, size: int) -> NDArray[np.uint8]:
        """Allocate `size` bytes for the voxels.

        Raises
        ------
        FormatError
            The file is too short to hold the voxels.
        UnsupportedError
        """
        needed = header.voxels_at + header.size
        self.context.check_size(needed, f"the volume {self.url}, {describe(header)},")
        ratio = LARGEST_RATIO if self._buffer.is_gzip else 1
        if self._length is not None and needed > self._length * ratio:
            raise FormatError(
                f"{self.url} has {self._length} bytes{' of gzip' * (ratio > 1)}, too few for what "
                f"its header says: {describe(header)}, {header.size} bytes from byte "
                f"{header.voxels_at} on; it is cut off or damaged"
            )
        try:
            return np.empty(size, "u1")
        except MemoryError as error:
            raise UnsupportedError(
                f"{self.url} needs {header.size} bytes for its voxels ({describe(header)}), but "
                "less memory is free"
            ) from error

    def _ended_early(self) -> FormatError:
        """Build the error for a file that ended early."""
        buffer = self._buffer
        ended = f"{self.url} ends too early, after {buffer.arrived} bytes" + (
            f" of gzip that hold {buffer.taken}" if buffer.is_gzip else ""
        )
        if self.header is None:
            least = VERSIONS[-1].size
            return FormatError(
                f"{ended}; the header of a NIfTI file alone has {least} or {LARGEST_HEADER}, and "
                f"this one begins with {self._beginning[:16]!r}"
            )
        there = max(0, buffer.taken - self.header.voxels_at)
        if there >= self.header.size:
            return FormatError(
                f"{ended}: its voxels are complete, but the checksum to verify them is missing"
            )
        return FormatError(
            f"{ended}: it has {there} of the {self.header.size} bytes of its voxels "
            f"({describe(self.header)}, from byte {self.header.voxels_at} on); it is cut off"
        )


def header_bytes(beginning: bytes) -> int:
    """Return the size of a header that begins with `beginning`: 8 until its version is known.

    It never exceeds the header, because voxels may follow.
    """
    if len(beginning) < 8:
        return 8
    large, small = VERSIONS
    return large.size if large.matches(beginning) else small.size


def describe(header: NiftiHeader) -> str:
    """Return the shape and voxel type as text."""
    columns, rows, slices, timepoints = header.shape
    kind = {3: "RGB", 4: "RGBA"}.get(header.samples, header.dtype.name)
    return f"{columns} x {rows} x {slices} x {timepoints} voxels of {kind}"


if TYPE_CHECKING:
    _proof: Sink = NiftiReader("", Context.__new__(Context))
