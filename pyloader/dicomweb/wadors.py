"""``wadors:``: frames and metadata of a DICOMweb service (PS3.18 10.4).

Metadata are those the page has; else they are fetched once for a series. Frames that are wanted
together go out as one request, and each is handed on as soon as its part is complete. A server
that cannot give the original frames is asked for decoded ones, the whole instance, and by WADO-URI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pyloader.context import Context
from pyloader.dicom.instance import Instance
from pyloader.dicom.modules import Frame, read_pixel_module
from pyloader.dicom.parse import noting, parse_part10
from pyloader.dicom.values import value_of
from pyloader.dicomweb.address import Address
from pyloader.dicomweb.media_types import (
    FRAME_WAYS,
    INSTANCE_WAYS,
    FrameParts,
    Way,
    parts_of,
    syntax_of,
)
from pyloader.dicomweb.metadata import (
    REFUSED,
    describe,
    describe_anew,
    incomplete,
    is_complete,
)
from pyloader.dicomweb.multipart import Part, parse_media_type
from pyloader.errors import FormatError, HttpStatusError, LoaderError
from pyloader.imageid import ImageId
from pyloader.loaders.frame_requests import FrameRequest, FrameRequests, frames_at_once, opening
from pyloader.loaders.instance_source import InstanceFrame, InstanceSource, series_of
from pyloader.loaders.wadouri.ranged_file import Held
from pyloader.pixels.decode import check_pixels
from pyloader.pixels.frame_format import AmbiguousError, labelled
from pyloader.source import Ready, Series, Source

NOT_FOUND = 404
SERVER_ERROR = 500
FAILED = frozenset({SERVER_ERROR, 501})


async def open_source(image_id: ImageId, context: Context, *, pixels: bool = True) -> Source:
    """Open what an imageId names; the whole instance where the server has no metadata."""
    image_id.refuse_part()
    address = Address.parse(image_id.rest)

    async def fetch(context: Context) -> Source:
        instance = await describe(image_id.source, address, context)
        if is_complete(instance):
            return Remote(image_id.source, address, instance)
        return await open_further(image_id.source, address, context, instance)

    return await context.cached(image_id.source, fetch)


async def open_further(
    source: str, address: Address, context: Context, known: Instance | None
) -> Source:
    """Return an instance of which no metadata are known, or `known` is not enough to decode it.

    The metadata of its series may have been asked for before it came: where they have others, or
    the whole instance is refused, its own are asked for, once for all loads.
    """
    has_others = known is None and bool(context.cache.peek(address.series_url))
    if has_others:
        known = await describe_anew(source, address, context)
        if is_complete(known):
            return Remote(source, address, known)
    try:
        # A file has what its metadata lack.
        return InstanceSource(await fetch_instance(address, context))
    except LoaderError as error:
        if isinstance(error, HttpStatusError) and error.status not in REFUSED:
            raise
        if not has_others:
            known = await describe_again(source, address, context, known)
        if is_complete(known):
            return Remote(source, address, known)
        if known is None:
            raise
        raise incomplete(known, address, error) from error


async def describe_again(
    source: str, address: Address, context: Context, known: Instance | None
) -> Instance | None:
    """Return what metadata of its own say of an instance that is refused whole, else `known`."""
    if known is None and context.host.describe is None:
        # The series has none, or is empty as yet: the next load asks for them again.
        context.cache.discard(address.series_url)
        return None
    return await describe_anew(source, address, context) or known


async def fetch_instance(address: Address, context: Context) -> Instance:
    """Fetch a whole instance: by WADO-RS, else by WADO-URI."""
    refusals: list[HttpStatusError] = []
    wado_uri = address.wado_uri(context.options.get("wadoURI"))
    url = address.instance_url + address.query
    asked = [(url, {"Accept": way.accept}) for way in INSTANCE_WAYS]
    for url, headers in (*asked, (wado_uri, {})):
        try:
            response = await context.fetch(url, headers=headers)
        except HttpStatusError as error:
            if error.status not in REFUSED:
                raise
            refusals.append(error)
        else:
            return instance_at(address, parts_of(response)[0].body, response.url, context)
    raise refusals[0]


def instance_at(address: Address, body: bytes, url: str, context: Context) -> Instance:
    """Return the instance of a file that a service has sent.

    Raises
    ------
    FormatError
        It is damaged, or another instance than the address names.
    """
    instance = parse_part10(body, url, context.decoded_bytes)
    address.check_instance(value_of(instance.dataset, "SOPInstanceUID"), url)
    return instance


@dataclass(frozen=True, slots=True)
class Route:
    """The way of asking that has worked with a series.

    Attributes
    ----------
    way : int
        Index into `FRAME_WAYS`; past its end: the whole instance.
    singly : bool
        Frames have to be asked for one by one.
    """

    way: int = 0
    singly: bool = False

    def after(self, status: int) -> Route:
        """Return the next route, when this one was refused.

        A server that failed has understood the question: to put it otherwise would not help. One
        that finds nothing, though its metadata tell of the frame, has no frames at all.
        """
        if status == NOT_FOUND:
            return Route(len(FRAME_WAYS))
        following = FRAME_WAYS[self.way + 1 :]
        asked = FRAME_WAYS[self.way].is_original
        alike = sum(way.is_original == asked for way in following) if status in FAILED else 0
        return Route(self.way + 1 + alike)


class Remote:
    """An instance whose frames are on a server; a `Source`.

    Parameters
    ----------
    source : str
        Key of the cache.
    instance : Instance
        Without pixels.

    Raises
    ------
    FormatError
        An attribute is missing without which no frame can be read.
    """

    is_encoded = True

    def __init__(self, source: str, address: Address, instance: Instance) -> None:
        self.source = source
        self.address = address
        self.instance = instance
        with noting():
            pixel = read_pixel_module(Frame(instance.dataset, 0))
        most = frames_at_once(pixel.frame_bits // 8)
        self._batches = FrameRequests(opening(source), self._fetch, instance.number_of_frames, most)

    @property
    def nbytes(self) -> int:
        """No pixels are kept; frames have their own bytes."""
        return self.instance.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> Sequence[Series]:
        """Return all frames, by the metadata."""
        return [series_of(image_id, self.instance)]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return a frame with bytes of its own; without `pixels` the metadata alone."""
        index = self.instance.check_frame(image_id.frame_index)
        if not pixels:
            return InstanceFrame(self.instance, image_id)
        held: Held = await self._batches.get(index, context)
        return InstanceFrame(held.instance, image_id)

    def ready(self, image_id: ImageId) -> None:
        """Return None: each frame is asked for."""

    async def _fetch(self, batch: FrameRequest, context: Context) -> None:
        """Ask in one way after the other until all frames are there."""
        key = (self.address.series_url, "route")
        route: Route = await context.cached(key, first_route)
        while batch.missing:
            if route.way < len(FRAME_WAYS):
                route = await self._follow(route, batch, context)
            else:
                await self._fetch_whole(batch, context)
        context.cache.keep(key, route)

    async def _follow(self, route: Route, batch: FrameRequest, context: Context) -> Route:
        """Ask for what is missing, and return how to go on."""
        frames = batch.missing
        try:
            await self._ask(frames[:1] if route.singly else frames, route, batch, context)
        except HttpStatusError as error:
            if len(frames) > 1 and not route.singly and error.status in REFUSED:
                return Route(route.way, singly=True)
            if error.status not in REFUSED:
                raise
            return route.after(error.status)
        except AmbiguousError:
            return route.after(SERVER_ERROR)
        if route.singly:
            await asyncio.gather(*[self._ask_alone(i, route, batch, context) for i in frames[1:]])
        return Route(route.way, singly=bool(batch.missing) or route.singly)

    async def _ask_alone(
        self, index: int, route: Route, batch: FrameRequest, context: Context
    ) -> None:
        """Ask for one frame, whose failure leaves the others alone."""
        try:
            await self._ask([index], route, batch, context)
        except LoaderError as error:
            batch.fail(index, error)

    async def _ask(
        self, frames: list[int], route: Route, batch: FrameRequest, context: Context
    ) -> None:
        way = FRAME_WAYS[route.way]

        def missing() -> list[int]:
            return [index for index in frames if index in batch.missing]

        def take(index: int, part: Part, outer: str) -> None:
            held = self._hold(index, part, outer, way, context)
            batch.deliver(index, held)

        parts = FrameParts(self.address.frames_url, missing, way, take)
        response = await context.stream(parts.request, parts)
        parts.finish(response)
        if missing() == frames:
            raise FormatError(
                f"{response.url} answered without the frames that were asked for, with "
                f"{response.headers.get('content-type')!r}"
            )

    def _hold(self, index: int, part: Part, outer: str, way: Way, context: Context) -> Held:
        if parse_media_type(part.headers.get("content-type", ""))[0] == "application/dicom":
            url = self.address.instance_url
            return Held(instance_at(self.address, part.body, url, context), len(part.body))
        declared = syntax_of(part, outer)
        instance = labelled(self.instance, index, part.body, declared, way.is_original)
        return Held(instance, len(part.body))

    async def _fetch_whole(self, batch: FrameRequest, context: Context) -> None:
        async def fetch(context: Context) -> Held:
            instance = await fetch_instance(self.address, context)
            check_pixels(instance)  # one that is cut off is fetched again
            # Else it was opened again meanwhile.
            if context.cache.peek(self.source) in (None, self):
                context.cache.keep(self.source, InstanceSource(instance))
            return Held(instance, 0)  # the source alone accounts for its bytes

        whole = await context.cached((*self._batches.key, "whole"), fetch)
        for index in batch.missing:
            batch.deliver(index, whole)


async def first_route(context: Context) -> Route:
    """Return the route of a series of which nothing is known yet."""
    return Route()
