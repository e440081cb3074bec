"""A network in memory, and one that can hold back its responses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pyloader.cache import Cache
from pyloader.context import Context
from pyloader.network import Network
from pyloader.transport import Progress, Request, Response, Sink
from pyloader.transport.memory import MemoryTransport

CACHE_BYTES = 1 << 28


def memory_context(answers: Mapping[str, bytes | Response], **changes: Any) -> Context:
    """Return a context that loads from memory, with a cache of its own.

    Parameters
    ----------
    answers : mapping of str to bytes or Response
        The response of each URL; any other URL fails as an unreachable host does. It may be changed
        between loads.
    **changes
        Further attributes of the `Context`, such as ``options={"rows": 512}``.

    Examples
    --------
    >>> context = memory_context({"https://host/a.raw": bytes(512 * 512 * 2)})
    >>> image = await load_image("custom1://host/a.raw", context)
    """
    return context_over(MemoryTransport(answers), **changes)


def context_over(transport: MemoryTransport, **changes: Any) -> Context:
    """Return a context that loads over `transport`, without retries."""
    return Context(Network(transport, retries=0), Cache(CACHE_BYTES), **changes)


def requests_of(context: Context) -> list[tuple[str, tuple[int, int | None] | None]]:
    """Return URL and byte range of the requests that were sent, sorted."""
    transport = context.network.transport
    assert isinstance(transport, MemoryTransport)
    return sorted(((each.url, each.byte_range) for each in transport.requests), key=repr)


class SilentTransport(MemoryTransport):
    """Responds only after `may_answer` is set.

    Attributes
    ----------
    asked : asyncio.Event
        Set by the first request.
    may_answer : asyncio.Event
    """

    def __init__(self, answers: Mapping[str, bytes | Response]) -> None:
        super().__init__(answers)
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Wait, then respond from memory."""
        self.asked.set()
        await self.may_answer.wait()
        return await super().send(request, progress, sink)
