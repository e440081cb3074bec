"""Split a stream of a file's bytes into frames."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from pyloader.dicom.fragments import Span
from pyloader.errors import FormatError
from pyloader.loaders.wadouri.http_validators import Validators
from pyloader.transport import Request, Response

# A gap of up to this many bytes between two frames costs less than a second request.
SMALL_GAP_BYTES = 1024


class FrameSplitter:
    """A `Sink` that delivers each frame of a body as soon as it is complete.

    A server that ignores the range sends the whole file. A file of up to `keep_bytes` is kept whole
    (`is_whole`); from a larger one, the frames are cut out as they arrive.

    Parameters
    ----------
    spans : dict of int to Span
        The span of each frame in the file, ascending; delivered frames are removed.
    cut_out : callable
        Called with the index of a frame, from 0, and its bytes.
    """

    def __init__(
        self,
        url: str,
        spans: dict[int, Span],
        validators: Validators,
        cut_out: Callable[[int, bytes], None],
        keep_bytes: int,
    ) -> None:
        self.url = url
        self.spans = spans
        self.validators = validators
        self.cut_out = cut_out
        self.keep_bytes = keep_bytes
        self.is_whole = False
        self._buffer = bytearray()
        self._position = 0

    def request(self) -> Request:
        """Return the request for the frames that have not arrived."""
        spans = list(self.spans.values())
        return Request(self.url, byte_range=(spans[0].start, spans[-1].stop))

    def begin(self, response: Response) -> bool:
        """Set the body's position in the file by the response; return whether to feed chunks."""
        self._buffer.clear()
        self._position = 0
        if response.status == 206:
            self._position = next(iter(self.spans.values())).start
        is_small = response.length is not None and response.length <= self.keep_bytes
        self.is_whole = response.status == 200 and is_small
        if not self.is_whole:
            self.validators.check(response, self._position)
        return not self.is_whole and (len(self.spans) > 1 or response.status == 200)

    def feed(self, chunk: bytes) -> bool:
        """Deliver the frames that these bytes complete; return False after the last."""
        self._buffer += chunk
        end = self._position + len(self._buffer)
        for index, span in list(self.spans.items()):
            if span.stop is None or span.stop > end:
                # Drop the bytes before the frame, as a whole file has them.
                self._drop_until(min(span.start, end))
                return True
            self._cut(index, span.stop)
        return False

    def finish(self, rest: bytes) -> None:
        """Deliver the frames that the end of the body completes, even one without a known end.

        Raises
        ------
        FormatError
            The body ended before a frame did.
        """
        self.feed(rest)
        end = self._position + len(self._buffer)
        for index, span in list(self.spans.items()):
            if span.stop is not None:
                raise FormatError(
                    f"{self.url} ends at byte {end}, frame {index + 1} at byte {span.stop}; the "
                    "file is cut off, or its offset table is wrong"
                )
            self._cut(index, end)

    def _cut(self, index: int, stop: int) -> None:
        start = self.spans.pop(index).start - self._position
        encoded = bytes(memoryview(self._buffer)[start : stop - self._position])
        self._drop_until(stop)
        self.cut_out(index, encoded)

    def _drop_until(self, position: int) -> None:
        if position > self._position:
            del self._buffer[: position - self._position]
            self._position = position


def contiguous(spans: dict[int, Span]) -> list[dict[int, Span]]:
    """Group spans, ascending, so that one request can fetch each group."""
    ordered = sorted(spans.items(), key=lambda item: item[1].start)
    groups = [dict(ordered[:1])]
    for (_, before), (index, span) in pairwise(ordered):
        gap = None if before.stop is None else span.start - before.stop
        if gap is None or not 0 <= gap <= SMALL_GAP_BYTES:
            groups.append({})
        groups[-1][index] = span
    return groups
