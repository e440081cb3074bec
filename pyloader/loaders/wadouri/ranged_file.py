"""A Part 10 file read by byte ranges: first its header, then the wanted frames."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from pyloader.context import Context
from pyloader.dicom.fragments import ITEM_HEADER_BYTES, Span, item_length, join_fragments
from pyloader.dicom.frame_offsets import (
    END_BYTES,
    END_OF_CODESTREAM,
    START_BYTES,
    check_items,
    is_beginning,
    native_span,
)
from pyloader.dicom.instance import Instance, one_frame
from pyloader.dicom.modules import Frame, read_pixel_module
from pyloader.dicom.offset_tables import table_spans
from pyloader.dicom.parse import noting, parse_part10
from pyloader.dicom.part10 import PixelHeader
from pyloader.errors import FormatError, HttpStatusError
from pyloader.imageid import ImageId
from pyloader.loaders.frame_requests import FrameRequest, FrameRequests, frames_at_once, opening
from pyloader.loaders.instance_source import InstanceFrame, InstanceSource, series_of
from pyloader.loaders.wadouri.frame_splitter import FrameSplitter, contiguous
from pyloader.loaders.wadouri.http_validators import Validators
from pyloader.source import Ready, Series
from pyloader.transport import RANGE_NOT_SATISFIABLE, Response

# If at most this much of a file is missing, it is fetched whole: one request instead of several.
SMALL_REST_BYTES = 1 << 20
# The time of one request, in bytes that could be fetched meanwhile: walking over more frames than
# that takes longer than fetching them.
REQUEST_BYTES = 256 << 10
# Requests that may find no new frame before the whole file is fetched: at least, at most, and the
# bytes of the file that allow one more.
LEAST_PROBES, MOST_PROBES, PROBE_BYTES = 64, 1024, 256 << 10

Parsed = tuple[Instance, PixelHeader]


@dataclass(frozen=True, slots=True)
class Held:
    """An instance with one decodable frame, and the bytes that the cache counts for it."""

    instance: Instance
    nbytes: int


class PartialFile:
    """The beginning of a file, and the means to fetch the rest; a `Source`.

    Parameters
    ----------
    source : str
        The cache key.
    head : Response
        Its headers give the size and the validators of the file; its body is the beginning.
    parsed : (Instance, PixelHeader)
        The result of `parse_beginning` for that body.
    """

    is_encoded = True

    def __init__(self, source: str, url: str, head: Response, parsed: Parsed) -> None:
        self.source = source
        self.url = url
        self.beginning = head.body
        self.instance, self.header = parsed
        self.validators = Validators.of(head)
        self._spans: list[Span] | None = None
        self._starts: list[tuple[int, int]] = []
        self._next_item: int | None = None
        self._walking = asyncio.Lock()
        self._probes = 0
        with noting():
            self.pixel = read_pixel_module(Frame(self.instance.dataset, 0))
        most = frames_at_once(self.pixel.frame_bits // 8)
        count = self.instance.number_of_frames
        self._requests = FrameRequests(opening(source), self._fetch_request, count, most)
        self._whole: InstanceSource | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the beginning; the cache counts frames separately."""
        return len(self.beginning)

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List all frames, by the header."""
        return [series_of(image_id, self.instance)]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return a frame with its own bytes; without `pixels`, the header alone."""
        index = self.instance.check_frame(image_id.frame_index)
        instance = await self.frame(index, context) if pixels else self.instance
        return InstanceFrame(instance, image_id)

    def ready(self, image_id: ImageId) -> Ready | None:
        """Return the frame if the whole file was fetched after all, else None."""
        return None if self._whole is None else self._whole.ready(image_id)

    # ------------------------------------------------------------------ frames

    async def frame(self, index: int, context: Context) -> Instance:
        """Return an instance with the frame `index`, from 0, still encoded."""
        try:
            if not await self._is_better_whole(index, context):
                held: Held = await self._requests.get(index, context)
                return held.instance
        except FormatError:
            pass  # read an inconsistent file whole: pydicom can read many bad files
        except HttpStatusError as error:
            if error.status != RANGE_NOT_SATISFIABLE:
                raise
        return await self.complete(context)

    async def complete(self, context: Context) -> Instance:
        """Return the instance of the whole file, which replaces this source in the cache."""
        held = await context.cached((*self._requests.key, "whole"), self._fetch_rest)
        return held.instance

    async def _is_better_whole(self, index: int, context: Context) -> bool:
        rest = self.validators.rest(len(self.beginning))
        if self.instance.number_of_frames == 1 or (rest is not None and rest <= SMALL_REST_BYTES):
            return True
        if self.header.length is not None:
            return native_span(self.instance, self.header, self.pixel, index) is None
        if await self._table(context):
            return False
        to_walk = max(0, index + 1 - len(self._starts)) * REQUEST_BYTES
        return rest is not None and to_walk > rest

    async def _fetch_rest(self, context: Context) -> Held:
        start = len(self.beginning)
        if self.validators.rest(start) == 0:
            return self.replace_by_whole(self.beginning, context)
        try:
            response = await context.fetch(self.url, byte_range=(start, None))
            if response.status == 206:
                self.validators.check(response, start)
                return self.replace_by_whole(self.beginning + response.body, context)
        except (FormatError, HttpStatusError) as error:
            if isinstance(error, HttpStatusError) and error.status != RANGE_NOT_SATISFIABLE:
                raise
            response = await context.fetch(self.url)
        return self.replace_by_whole(response.body, context)

    def replace_by_whole(self, body: bytes, context: Context) -> Held:
        """Replace the parts by the whole file; the cache counts its bytes for the source alone."""
        instance = parse_part10(body, self.url, context.decoded_bytes)
        self._whole = InstanceSource(instance)
        if context.cache.peek(self.source) in (None, self):  # else the file was opened again
            context.cache.keep(self.source, self._whole, context.files)
        return Held(instance, 0)

    def frame_instance(self, index: int, encoded: bytes) -> Held:
        """Make an instance of one frame from the frame's bytes in the file."""
        is_encapsulated = self.header.length is None
        if is_encapsulated:
            check_items(self.instance, encoded)
        frame = join_fragments(encoded) if is_encapsulated else encoded
        instance = one_frame(self.instance, index, frame, self.header.vr)
        assert instance.pixels is not None, "one_frame has set it"
        pixels = replace(
            instance.pixels, keyword=self.header.keyword, is_encapsulated=is_encapsulated
        )
        instance = replace(instance, pixels=pixels)
        return Held(instance, len(frame))

    # ------------------------------------------------------------------ positions of frames

    async def _table(self, context: Context) -> list[Span]:
        """Return the spans of the frames by the offset tables; an empty list without tables."""
        if self._spans is None:
            start = self.header.start
            length = item_length(await self._read(Span(start, start + 8), context)) or 0
            first = start + ITEM_HEADER_BYTES + length
            table = await self._read(Span(start + ITEM_HEADER_BYTES, first), context)
            self._spans = table_spans(self.instance, first, table, self.validators.size)
            self._next_item = first
        return self._spans

    def _span(self, index: int) -> Span:
        if self.header.length is not None:
            span = native_span(self.instance, self.header, self.pixel, index)
            assert span is not None, "_is_better_whole has looked"
            return span
        assert self._spans, "_is_better_whole has looked"
        return self._spans[index]

    # ------------------------------------------------------------------ fetching

    async def _fetch_request(self, request: FrameRequest, context: Context) -> None:
        if self.header.length is None and not self._spans:
            await self._walk_request(request, context)
            return
        runs = contiguous({index: self._span(index) for index in request.missing})
        await asyncio.gather(*[self._fetch_run(run, request, context) for run in runs])

    async def _fetch_run(
        self, run: dict[int, Span], request: FrameRequest, context: Context
    ) -> None:
        """Fetch adjacent frames; deliver each as soon as it is complete."""

        def cut_out(index: int, encoded: bytes) -> None:
            request.deliver(index, self.frame_instance(index, encoded))

        splitter = FrameSplitter(self.url, run, self.validators, cut_out, context.cache.limit)
        response = await context.stream(splitter.request, splitter)
        if not splitter.is_whole:
            splitter.finish(response.body)
            return
        whole = self.replace_by_whole(response.body, context)
        for index in request.missing:
            request.deliver(index, whole)

    async def _walk_request(self, request: FrameRequest, context: Context) -> None:
        for index in request.missing:
            async with self._walking:
                items = await self._walk_to(index, context)
            request.deliver(index, self.frame_instance(index, items))

    async def _walk_to(self, index: int, context: Context) -> bytes:
        """Return the items of a frame, found by walking from item to item.

        Of the fragments before the frame, only the first bytes are fetched.
        """
        while len(self._starts) <= index and self._next_item is not None:
            await self._step(self._next_item, context)
        if len(self._starts) <= index:
            raise FormatError(
                f"{self.url} holds {len(self._starts)} frames, its header announces "
                f"{self.instance.number_of_frames}; the file is damaged"
            )
        return await self._read_frame_at(*self._starts[index], context)

    async def _step(self, position: int, context: Context) -> None:
        """Read the header of the item at `position`; note a new frame and the next position."""
        # Include the end of the item before.
        span = Span(position - END_BYTES, position + ITEM_HEADER_BYTES + START_BYTES)
        piece = await self._read(span, context)
        tail, peek = piece[:END_BYTES], piece[END_BYTES:]
        length = item_length(peek)
        self._next_item = None if length is None else position + ITEM_HEADER_BYTES + length
        if length and (is_beginning(self.instance, peek, length) or not self._starts):
            self._starts.append((position, length))
            self._probes = 0
        elif length and END_OF_CODESTREAM in tail:
            raise FormatError(
                f"cannot tell where frame {len(self._starts) + 1} starts: the data after frame "
                f"{len(self._starts)} match no known codestream, so later frames would be "
                "misnumbered"
            )

    async def _read_frame_at(self, start: int, length: int | None, context: Context) -> bytes:
        """Return the items of a frame whose first item, of `length` bytes, is at `start`."""
        items: list[bytes] = []
        self._probes = 0
        while length is not None:
            stop = start + ITEM_HEADER_BYTES + length
            # Read a little past the item: the next header says whether it continues this frame.
            beyond = Span(start, stop + ITEM_HEADER_BYTES + START_BYTES)
            piece = await self._read(beyond, context)
            items.append(piece[: stop - start])
            following = piece[stop - start :]
            length = item_length(following) if following else None
            if length and is_beginning(self.instance, following, length):
                break
            start = stop
        return b"".join(items)

    def _count_probe(self) -> None:
        """Count a request for a few bytes; raise if too many of them found no new frame."""
        self._probes += 1
        rest = self.validators.rest(len(self.beginning)) or 0
        most = min(MOST_PROBES, LEAST_PROBES + rest // PROBE_BYTES)
        if self._probes > most:
            raise FormatError(
                f"{self.url} starts no new frame in {most} fragments of its pixel data; it is "
                "damaged or malicious"
            )

    async def _read(self, span: Span, context: Context) -> bytes:
        """Return bytes of the file, from the fetched beginning if it has them."""
        if span.stop is not None and span.stop <= len(self.beginning):
            return self.beginning[span.start : span.stop]
        self._count_probe()
        response = await context.fetch(self.url, byte_range=(span.start, span.stop))
        if response.status != 206:
            raise FormatError(
                f"{response.url} answered a request for a few bytes with the whole file; its "
                "server no longer serves byte ranges"
            )
        self.validators.check(response, span.start)
        return response.body
