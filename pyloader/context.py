"""What a loader may use: fetch, cache, progress and the options of the load."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pyloader.cache import Cache
from pyloader.errors import HttpStatusError, NetworkError
from pyloader.transport import Request, Response, Transport

Value = TypeVar("Value")
Listener = Callable[[str, str, int, "int | None"], None]
"""Hears ``(phase, url, loaded, total)``; phase is ``start``, ``progress`` or ``end``."""

RETRIED_STATUS = frozenset({408, 429, 502, 503, 504})
FIRST_DELAY_SECONDS = 0.25


def ignore(phase: str, url: str, loaded: int, total: int | None) -> None:
    """Take no notice: the default `Listener`."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a loader is given for one load.

    Attributes
    ----------
    transport : Transport
        Where `fetch` goes: the browser's ``fetch``, plain CPython, or memory.
    cache : Cache
        Shared by all loads of this interpreter; use it through `cached`.
    options : mapping
        The options of the load, as the page gave them.
    retries : int
        How often a request is tried again after no answer, or a status that asks for it.
    """

    transport: Transport
    cache: Cache
    options: Mapping[str, Any] = field(default_factory=dict)
    listener: Listener = ignore
    retries: int = 2

    async def fetch(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        byte_range: tuple[int, int] | None = None,
    ) -> Response:
        """Fetch `url` and check that it was a success.

        Parameters
        ----------
        url : str
            Absolute, or relative to the page.
        headers : mapping of str to str, optional
            Beside those that the page's ``init({headers})`` sets.
        byte_range : (int, int), optional
            First byte and the byte after the last, from 0. A server that ignores it answers
            with the whole body and status 200.

        Raises
        ------
        NetworkError
            No answer, after the retries.
        HttpStatusError
            A status other than 2xx, after the retries for 408, 429, 502, 503 and 504.
        """
        request = Request(url, headers or {}, byte_range)
        self.listener("start", url, 0, None)
        try:
            return await self._send(request)
        finally:
            self.listener("end", url, 0, None)

    async def _send(self, request: Request) -> Response:
        def progress(loaded: int, total: int | None) -> None:
            self.listener("progress", request.url, loaded, total)

        for attempt in range(self.retries + 1):
            last = attempt == self.retries
            try:
                response = await self.transport.send(request, progress)
            except NetworkError:
                if last:
                    raise
            else:
                if last or response.status not in RETRIED_STATUS:
                    return check_status(response)
            # Full jitter keeps a page's many loads from knocking again all at once.
            await asyncio.sleep(FIRST_DELAY_SECONDS * 2**attempt * (0.5 + random.random() / 2))
        raise AssertionError("the last attempt returns or raises")

    async def cached(self, key: Hashable, make: Callable[[Context], Awaitable[Value]]) -> Value:
        """Return ``await make(context)``, made once for all loads that name the same `key`.

        `make` runs with a context whose progress reaches every load that waits for it. What it
        returns is kept in a byte-bounded LRU; use the source of the imageId as key and its
        release by the viewer lets go of it early.
        """

        def work(notify: Listener) -> Awaitable[Value]:
            return make(replace(self, listener=notify))

        value: Value = await self.cache.get(key, work, self.listener)
        return value

    def progress(self, loaded: int, total: int | None = None) -> None:
        """Report work done in any unit, of `total` when that is known."""
        self.listener("progress", "", loaded, total)


def check_status(response: Response) -> Response:
    """Return `response` when it is a success, with the body's first line in the error if not."""
    if 200 <= response.status < 300:
        return response
    hint = STATUS_HINTS.get(response.status, "")
    line = response.body[:200].decode("utf-8", "replace").strip().partition("\n")[0]
    is_text = response.headers.get("content-type", "").startswith("text/plain")
    said = f"; it says {line!r}" if is_text and line else ""
    raise HttpStatusError(
        f"{response.url} answered with status {response.status}, expected 200{hint}{said}",
        response.url,
        response.status,
    )


STATUS_HINTS = {
    401: " (not signed in: give init() headers or beforeRequest)",
    403: " (not allowed for this user)",
    404: " (nothing there: check the address in the imageId)",
    406: " (the server cannot give this format)",
    500: " (the server failed; its log tells why)",
}
