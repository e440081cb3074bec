"""Frames of one source that are fetched together, each handed on as soon as it is complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from pyloader.context import Context

MOST_FRAMES = 100
OPENED = count()
MOST_BYTES = 64 << 20
# Between one frame asked for and the next; then nobody wants the rest.
IDLE_SECONDS = 1.0

Fetch = Callable[["FrameRequest", Context], Awaitable[None]]
"""Fetches the `FrameRequest.missing` frames and gives each to `FrameRequest.deliver`."""


class FrameRequest:
    """Some frames under way, for who asked then: see `Network.identity`.

    It lives while somebody asks for its frames. Those that were only announced are kept for who
    will ask, and do not hold it for long.
    """

    def __init__(
        self, frames: Sequence[int], keep: Callable[[int, Any], None], identity: int
    ) -> None:
        loop = asyncio.get_running_loop()
        self.identity = identity
        self._frames = {index: loop.create_future() for index in frames}
        self._keep = keep
        self._listeners: list[Callable[..., None]] = []
        self._task: asyncio.Task[None] | None = None
        self._asked_at = loop.time()
        self.has_ended = False

    def start(self, fetch: Fetch, context: Context) -> None:
        """Begin to fetch, with reports to all who wait."""
        self._task = asyncio.ensure_future(self._work(fetch, replace(context, listener=self._tell)))

    @property
    def missing(self) -> list[int]:
        """Frames that have not come yet, from 0, in the order in which they are wanted."""
        return [index for index, frame in self._frames.items() if not frame.done()]

    def touch(self, index: int) -> bool:
        """Note that somebody asks for a frame, and tell whether it is one of these."""
        is_here = not self.has_ended and index in self._frames
        if is_here:
            self._asked_at = asyncio.get_running_loop().time()
        return is_here

    def is_fetching(self, index: int) -> bool:
        """Tell whether a frame will come."""
        return not self.has_ended and index in self.missing

    def deliver(self, index: int, value: Any) -> None:
        """Hand a frame on."""
        frame = self._frames.get(index)
        if frame is not None and not frame.done():
            frame.set_result(value)
            self._keep(index, value)

    def fail(self, index: int, error: Exception) -> None:
        """Let a frame fail alone."""
        frame = self._frames[index]
        if not frame.done():
            frame.set_exception(error)
            frame.exception()  # seen: perhaps nobody waits for this one

    async def wait(self, index: int, listener: Callable[..., None]) -> Any:
        """Return a frame when it is there; `listener` hears of the batch's progress."""
        self._listeners.append(listener)
        try:
            return await asyncio.shield(self._frames[index])
        finally:
            self._listeners.remove(listener)
            self._look_idle()

    def _tell(self, *report: Any) -> None:
        for listener in tuple(self._listeners):
            listener(*report)

    def _look_idle(self) -> None:
        if len(self._frames) == 1:
            self._end_if_idle(0)
        else:
            asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_if_idle, IDLE_SECONDS)

    def _end_if_idle(self, seconds: float) -> None:
        # What has come as a whole ends by itself, and has something left to do, perhaps.
        if self._listeners or self.has_ended or not self.missing or self._task is None:
            return
        if asyncio.get_running_loop().time() - self._asked_at >= seconds:
            self.has_ended = True
            self._task.cancel()
        else:
            self._look_idle()

    async def _work(self, fetch: Fetch, context: Context) -> None:
        try:
            await fetch(self, context)
        except Exception as error:
            for index in self.missing:
                self.fail(index, error)
        finally:
            self.has_ended = True
            for index in self.missing:
                self._frames[index].cancel()


class FrameRequests:
    """The frames of one source: those kept, those under way, and how the others are fetched.

    Parameters
    ----------
    key : tuple
        Begins the keys of the frames in the cache, with the source. When a file is opened again it
        may be another, whose frames are not to be taken for those of before: `opening` makes a new
        one each time.
    fetch : Fetch
    count : int
        How many frames there are.
    most : int
        Frames in one batch at most.
    """

    def __init__(self, key: tuple[Hashable, ...], fetch: Fetch, count: int, most: int) -> None:
        self.key = key
        self.fetch = fetch
        self.count = count
        self.most = most
        self._running: list[FrameRequest] = []

    async def get(self, index: int, context: Context) -> Any:
        """Return a frame, from 0, fetched with those that are wanted next."""
        identity = context.network.identity
        self._running = [
            batch for batch in self._running if not batch.has_ended and batch.identity == identity
        ]
        for batch in self._running:
            batch.touch(index)  # also when the frame is in the cache already
        return await context.cached((*self.key, index), lambda shared: self._join(index, shared))

    async def _join(self, index: int, context: Context) -> Any:
        batch = next((batch for batch in self._running if batch.touch(index)), None)
        return await (batch or self._start(index, context)).wait(index, context.listener)

    def _start(self, index: int, context: Context) -> FrameRequest:
        wanted = dict.fromkeys((index, *filter(self._is_new(context), context.upcoming)))
        network, identity = context.network, context.network.identity

        def keep(found: int, value: Any) -> None:
            if network.identity == identity:
                context.cache.keep((*self.key, found), value)

        batch = FrameRequest(list(wanted)[: self.most], keep, identity)
        self._running.append(batch)
        batch.start(self._fetch, context)
        return batch

    async def _fetch(self, batch: FrameRequest, context: Context) -> None:
        """Fetch a batch, then let go of it: the cache has what it brought."""
        try:
            await self.fetch(batch, context)
        finally:
            self._running = [other for other in self._running if other is not batch]

    def _is_new(self, context: Context) -> Callable[[int], bool]:
        def is_new(index: int) -> bool:
            if not 0 <= index < self.count:  # the page does not know how many there are
                return False
            under_way = any(batch.is_fetching(index) for batch in self._running)
            return not under_way and not context.cache.has((*self.key, index))

        return is_new


def opening(source: str) -> tuple[Hashable, ...]:
    """Return the key of what is fetched of a source that was opened just now."""
    return (source, next(OPENED))


def frames_at_once(frame_bytes: int) -> int:
    """Return how many frames of a size one batch may have, so that memory stays bounded."""
    return max(1, min(MOST_FRAMES, MOST_BYTES // max(1, frame_bytes)))
