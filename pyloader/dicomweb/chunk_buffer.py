"""Search and slice a body that arrives in chunks, without joining them."""

from __future__ import annotations

from bisect import bisect_right


class ChunkBuffer:
    """The chunks of a body, addressed by offset into the whole body."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.starts: list[int] = []
        self.end = 0

    def append(self, chunk: bytes) -> None:
        """Add the next chunk."""
        if chunk:
            self.chunks.append(chunk)
            self.starts.append(self.end)
            self.end += len(chunk)

    def index_of(self, offset: int) -> int:
        """Return the index of the chunk that holds `offset`."""
        return max(0, bisect_right(self.starts, offset) - 1)

    def find(self, needle: bytes, start: int) -> int:
        """Return the offset of the first `needle` from `start` on, or -1; it may span chunks."""
        for index in range(self.index_of(start), len(self.chunks)):
            first, chunk = self.starts[index], self.chunks[index]
            within = chunk.find(needle, max(0, start - first))
            if within >= 0:
                return first + within
            stop = first + len(chunk)
            seam = max(start, first, stop - len(needle) + 1)
            across = self.take(seam, stop + len(needle) - 1).find(needle)
            if across >= 0:
                return seam + across
        return -1

    def take(self, start: int, stop: int) -> bytes:
        """Return a copy of the bytes in ``[start, stop)``, as far as they are buffered."""
        pieces = []
        for index in range(self.index_of(start), len(self.chunks)):
            first = self.starts[index]
            if first >= stop:
                break
            pieces.append(memoryview(self.chunks[index])[max(0, start - first) : stop - first])
        return b"".join(pieces)

    def drop(self, stop: int) -> None:
        """Forget the chunks that end before `stop`."""
        count = self.index_of(stop)
        del self.chunks[:count], self.starts[:count]
