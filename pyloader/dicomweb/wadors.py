"""``wadors:``: frames and metadata of a DICOMweb service (PS3.18 10.4).

The metadata come from the page, else they are fetched once for a series. Frames that are wanted
together share one request, and each is delivered as soon as its part is complete. A server that
cannot send the original frames is asked for decoded frames, then for the whole instance, then by
WADO-URI.
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
    FRAME_ACCEPTS,
    INSTANCE_ACCEPTS,
    Accept,
    FrameParts,
    parts_of,
    syntax_of,
)
from pyloader.dicomweb.metadata import (
    REFUSED,
    describe,
    describe_by_instance,
    incomplete_error,
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
    """Open the instance of an imageId; fetch it whole if the server has no metadata."""
    image_id.refuse_part()
    address = Address.parse(image_id.rest)

    async def fetch(context: Context) -> Source:
        instance = await describe(image_id.source, address, context)
        if is_complete(instance):
            return RemoteInstance(image_id.source, address, instance)
        return await open_further(image_id.source, address, context, instance)

    return await context.cached(image_id.source, fetch)


async def open_further(
    source: str, address: Address, context: Context, known: Instance | None
) -> Source:
    """Open an instance whose metadata are absent, or not enough to decode it.

    The series' metadata may be older than the instance. So the instance's own metadata are fetched,
    once for all loads, if the series' have other instances or the whole instance is refused.

    Parameters
    ----------
    known : Instance or None
        The instance by the metadata so far.
    """
    has_others = known is None and bool(context.cache.peek(address.series_url))
    if has_others:
        known = await describe_by_instance(source, address, context)
        if is_complete(known):
            return RemoteInstance(source, address, known)
    try:
        # The file has the attributes that its metadata lack.
        return InstanceSource(await fetch_instance(address, context))
    except LoaderError as error:
        if isinstance(error, HttpStatusError) and error.status not in REFUSED:
            raise
        if not has_others:
            known = await describe_refused(source, address, context, known)
        if is_complete(known):
            return RemoteInstance(source, address, known)
        if known is None:
            raise
        raise incomplete_error(known, address, error) from error


async def describe_refused(
    source: str, address: Address, context: Context, known: Instance | None
) -> Instance | None:
    """Return a refused instance by its own metadata, else `known`."""
    if known is None and context.host.describe is None:
        # The series has no metadata, or no instances yet: the next load fetches them again.
        context.cache.discard(address.series_url)
        return None
    return await describe_by_instance(source, address, context) or known


async def fetch_instance(address: Address, context: Context) -> Instance:
    """Fetch a whole instance: by WADO-RS, else by WADO-URI."""
    refusals: list[HttpStatusError] = []
    wado_uri = address.wado_uri(context.options.get("wadoURI"))
    url = address.instance_url + address.query
    asked = [(url, {"Accept": accept.value}) for accept in INSTANCE_ACCEPTS]
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
    """Parse the file of an instance that a service sent.

    Raises
    ------
    FormatError
        The file is damaged, or holds another instance than the address names.
    """
    instance = parse_part10(body, url, context.decoded_bytes)
    address.check_instance(value_of(instance.dataset, "SOPInstanceUID"), url)
    return instance


@dataclass(frozen=True, slots=True)
class RequestMode:
    """The kind of request that works with a series.

    Attributes
    ----------
    accept : int
        Index into `FRAME_ACCEPTS`; past its end, the whole instance is fetched.
    singly : bool
        True if each frame needs a request of its own.
    """

    accept: int = 0
    singly: bool = False

    def after(self, status: int) -> RequestMode:
        """Return the next mode to try after a server refused this one with `status`.

        A server that failed (500, 501) understood the request, so other quotes would not help. A
        server that finds no frame (404), although its metadata have it, does not serve frames.
        """
        if status == NOT_FOUND:
            return RequestMode(len(FRAME_ACCEPTS))
        following = FRAME_ACCEPTS[self.accept + 1 :]
        asked = FRAME_ACCEPTS[self.accept].is_original
        alike = sum(each.is_original == asked for each in following) if status in FAILED else 0
        return RequestMode(self.accept + 1 + alike)


class RemoteInstance:
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
        An attribute that every frame needs is missing.
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
        """Bytes of the metadata; each frame accounts for its own bytes."""
        return self.instance.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> Sequence[Series]:
        """Return all frames that the metadata have."""
        return [series_of(image_id, self.instance)]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Fetch the bytes of one frame; without `pixels`, only its metadata."""
        index = self.instance.check_frame(image_id.frame_index)
        if not pixels:
            return InstanceFrame(self.instance, image_id)
        held: Held = await self._batches.get(index, context)
        return InstanceFrame(held.instance, image_id)

    def ready(self, image_id: ImageId) -> None:
        """Return None: each frame has to be fetched."""

    async def _fetch(self, batch: FrameRequest, context: Context) -> None:
        """Try one mode after the other until no frame is missing."""
        key = (self.address.series_url, "mode")
        mode: RequestMode = await context.cached(key, first_mode)
        while batch.missing:
            if mode.accept < len(FRAME_ACCEPTS):
                mode = await self._follow(mode, batch, context)
            else:
                await self._fetch_whole(batch, context)
        context.cache.keep(key, mode)

    async def _follow(
        self, mode: RequestMode, batch: FrameRequest, context: Context
    ) -> RequestMode:
        """Request the missing frames, and return the mode for the next attempt."""
        frames = batch.missing
        try:
            await self._ask(frames[:1] if mode.singly else frames, mode, batch, context)
        except HttpStatusError as error:
            if len(frames) > 1 and not mode.singly and error.status in REFUSED:
                return RequestMode(mode.accept, singly=True)
            if error.status not in REFUSED:
                raise
            return mode.after(error.status)
        except AmbiguousError:
            return mode.after(SERVER_ERROR)
        if mode.singly:
            await asyncio.gather(*[self._ask_alone(i, mode, batch, context) for i in frames[1:]])
        return RequestMode(mode.accept, singly=bool(batch.missing) or mode.singly)

    async def _ask_alone(
        self, index: int, mode: RequestMode, batch: FrameRequest, context: Context
    ) -> None:
        """Request one frame; its failure does not affect the others."""
        try:
            await self._ask([index], mode, batch, context)
        except LoaderError as error:
            batch.fail(index, error)

    async def _ask(
        self, frames: list[int], mode: RequestMode, batch: FrameRequest, context: Context
    ) -> None:
        accept = FRAME_ACCEPTS[mode.accept]

        def missing() -> list[int]:
            return [index for index in frames if index in batch.missing]

        def take(index: int, part: Part, outer: str) -> None:
            held = self._hold(index, part, outer, accept, context)
            batch.deliver(index, held)

        parts = FrameParts(self.address.frames_url, missing, accept, take)
        response = await context.stream(parts.request, parts)
        parts.finish(response)
        if missing() == frames:
            raise FormatError(
                f"{response.url} answered without the requested frames, with "
                f"{response.headers.get('content-type')!r}"
            )

    def _hold(self, index: int, part: Part, outer: str, accept: Accept, context: Context) -> Held:
        if parse_media_type(part.headers.get("content-type", ""))[0] == "application/dicom":
            url = self.address.instance_url
            return Held(instance_at(self.address, part.body, url, context), len(part.body))
        declared = syntax_of(part, outer)
        instance = labelled(self.instance, index, part.body, declared, accept.is_original)
        return Held(instance, len(part.body))

    async def _fetch_whole(self, batch: FrameRequest, context: Context) -> None:
        async def fetch(context: Context) -> Held:
            instance = await fetch_instance(self.address, context)
            check_pixels(instance)  # raises if it is cut off, so that it is fetched again
            # Do not replace another source that was opened meanwhile.
            if context.cache.peek(self.source) in (None, self):
                context.cache.keep(self.source, InstanceSource(instance))
            return Held(instance, 0)  # the source accounts for the bytes

        whole = await context.cached((*self._batches.key, "whole"), fetch)
        for index in batch.missing:
            batch.deliver(index, whole)


async def first_mode(context: Context) -> RequestMode:
    """Return the mode to try first with a series."""
    return RequestMode()
