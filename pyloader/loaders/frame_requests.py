"""Fetch frames of one source together; each is delivered as soon as it is complete."""

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
# Idle timeout: without a load of any of its frames for so long, a request is cancelled.
IDLE_SECONDS = 1.0

Fetch = Callable[["FrameRequest", Context], Awaitable[None]]
"""Fetches the `FrameRequest.missing` frames and passes each to `FrameRequest.deliver`."""


class FrameRequest:
    """Frames being fetched together, for one `Network.identity`.

    The request lives while loads wait for its frames. Frames that were only announced go into the
    cache; they keep the request alive for `IDLE_SECONDS` at most.
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
        """Start to fetch; report progress to all loads that wait."""
        self._task = asyncio.ensure_future(
            self._work(fetch, replace(context, listener=self._report))
        )

    @property
    def missing(self) -> list[int]:
        """Frames that have not arrived, from 0, in the order in which they are wanted."""
        return [index for index, frame in self._frames.items() if not frame.done()]

    def touch(self, index: int) -> bool:
        """Reset the idle timeout if a frame is one of these, and return whether it is."""
        is_here = not self.has_ended and index in self._frames
        if is_here:
            self._asked_at = asyncio.get_running_loop().time()
        return is_here

    def is_fetching(self, index: int) -> bool:
        """Return whether a frame is still being fetched."""
        return not self.has_ended and index in self.missing

    def deliver(self, index: int, value: Any) -> None:
        """Resolve a frame, and keep it."""
        frame = self._frames.get(index)
        if frame is not None and not frame.done():
            frame.set_result(value)
            self._keep(index, value)

    def fail(self, index: int, error: Exception) -> None:
        """Fail a single frame."""
        frame = self._frames[index]
        if not frame.done():
            frame.set_exception(error)
            frame.exception()  # retrieved, because perhaps no load waits for this frame

    async def wait(self, index: int, listener: Callable[..., None]) -> Any:
        """Wait for a frame and return it; `listener` gets the progress of the whole request."""
        self._listeners.append(listener)
        try:
            return await asyncio.shield(self._frames[index])
        finally:
            self._listeners.remove(listener)
            self._check_idle()

    def _report(self, *report: Any) -> None:
        for listener in tuple(self._listeners):
            listener(*report)

    def _check_idle(self) -> None:
        if len(self._frames) == 1:
            self._end_if_idle(0)
        else:
            asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_if_idle, IDLE_SECONDS)

    def _end_if_idle(self, seconds: float) -> None:
        # A request with no frame missing ends by itself, and may still have something to do.
        if self._listeners or self.has_ended or not self.missing or self._task is None:
            return
        if asyncio.get_running_loop().time() - self._asked_at >= seconds:
            self.has_ended = True
            self._task.cancel()
        else:
            self._check_idle()

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
    """The frames of one source: cached, being fetched, or still to fetch.

    Parameters
    ----------
    key : tuple
        Prefix of the frames' cache keys; it begins with the source. A file opened again may have
        changed, and must not get the frames of before, so `opening` makes a new key each time.
    fetch : Fetch
    count : int
        The number of frames.
    most : int
        The largest number of frames in one request.
    """

    def __init__(self, key: tuple[Hashable, ...], fetch: Fetch, count: int, most: int) -> None:
        self.key = key
        self.fetch = fetch
        self.count = count
        self.most = most
        self._running: list[FrameRequest] = []

    async def get(self, index: int, context: Context) -> Any:
        """Return a frame, from 0, fetched with the frames that are wanted next."""
        identity = context.network.identity
        self._running = [
            request
            for request in self._running
            if not request.has_ended and request.identity == identity
        ]
        for request in self._running:
            request.touch(index)  # also for a frame that is already in the cache
        return await context.cached((*self.key, index), lambda shared: self._join(index, shared))

    async def _join(self, index: int, context: Context) -> Any:
        request = next((request for request in self._running if request.touch(index)), None)
        return await (request or self._start(index, context)).wait(index, context.listener)

    def _start(self, index: int, context: Context) -> FrameRequest:
        wanted = dict.fromkeys((index, *filter(self._is_new(context), context.upcoming)))
        network, identity = context.network, context.network.identity

        def keep(found: int, value: Any) -> None:
            if network.identity == identity:
                context.cache.keep((*self.key, found), value)

        request = FrameRequest(list(wanted)[: self.most], keep, identity)
        self._running.append(request)
        request.start(self._fetch, context)
        return request

    async def _fetch(self, request: FrameRequest, context: Context) -> None:
        """Fetch the frames of a request, then drop it: the cache has its frames."""
        try:
            await self.fetch(request, context)
        finally:
            self._running = [other for other in self._running if other is not request]

    def _is_new(self, context: Context) -> Callable[[int], bool]:
        def is_new(index: int) -> bool:
            if not 0 <= index < self.count:  # the page does not know the number of frames
                return False
            under_way = any(request.is_fetching(index) for request in self._running)
            return not under_way and not context.cache.has((*self.key, index))

        return is_new


def opening(source: str) -> tuple[Hashable, ...]:
    """Return a new cache key for the frames of a source that has just been opened."""
    return (source, next(OPENED))


def frames_at_once(frame_bytes: int) -> int:
    """Return the number of frames of a size that one request may have, to bound memory."""
    return max(1, min(MOST_FRAMES, MOST_BYTES // max(1, frame_bytes)))
