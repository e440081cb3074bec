"""What a loader may use: fetch, cache, progress and the options of the load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pyloader.cache import Cache
from pyloader.network import Listener, Network, Urgency
from pyloader.transport import Request, Response, Sink

Value = TypeVar("Value")
Describe = Callable[[str], Awaitable["Mapping[str, Any] | None"]]
"""``(source)``: what the page knows of an image: ``{"json": DICOM JSON}``, ``{"attributes": values
by DICOM keyword}``, or None."""


def ignore(phase: str, url: str, loaded: int, total: int | None, attempt: int) -> None:
    """Take no notice: the default `Listener`."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a loader is given for one load.

    Attributes
    ----------
    network : Network
        Where `fetch` goes.
    cache : Cache
        Shared by all loads of this interpreter; use it through `cached`.
    options : mapping
        The options of the load, as the page gave them.
    urgency : (int, float)
        Request type and priority of the load; lower is sooner.
    upcoming : tuple of int
        Frames of the same source, from 0, that wait to be loaded next.
    describe : Describe or None
        What the page knows of an image beforehand, or finds out once for all its workers.
    """

    network: Network
    cache: Cache
    options: Mapping[str, Any] = field(default_factory=dict)
    listener: Listener = ignore
    urgency: Urgency = (0, 0.0)
    upcoming: tuple[int, ...] = ()
    describe: Describe | None = None

    async def fetch(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        byte_range: tuple[int, int | None] | None = None,
    ) -> Response:
        """Fetch `url` and check that it was a success.

        Parameters
        ----------
        url : str
            Absolute, or relative to the page.
        headers : mapping of str to str, optional
            Beside those that the page's ``init({headers})`` sets.
        byte_range : (int, int or None), optional
            First byte and the byte after the last, from 0; None for the end of the file. A server
            that ignores it answers with the whole body and status 200.

        Raises
        ------
        NetworkError
            No answer, after the retries.
        RequestError
            It cannot be sent: a header with a line break, mixed content, a failed hook.
        HttpStatusError
            A status other than 2xx, after the retries for 408, 429, 502, 503 and 504.
        """
        request = Request(url, headers or {}, byte_range)
        return await self.network.fetch(request, self.urgency, self.listener)

    async def stream(self, make: Callable[[], Request], sink: Sink) -> Response:
        """Send the request that `make` returns, and give the body to `sink` as it arrives.

        Each further attempt asks `make` again, which can leave out what has come already.

        Raises
        ------
        LoaderError
            As `fetch`, and what `sink` raises.
        """
        return await self.network.send(make, self.urgency, self.listener, sink)

    async def cached(self, key: Hashable, make: Callable[[Context], Awaitable[Value]]) -> Value:
        """Return ``await make(context)``, made once for all loads that name the same `key`.

        `make` runs with a context whose progress reaches every load that waits for it. What it
        returns is kept in a byte-bounded LRU; use the source of the imageId as key, or a tuple
        that begins with it, and its release by the viewer lets go of it early.
        """

        def work(notify: Listener) -> Awaitable[Value]:
            return make(replace(self, listener=notify))

        value: Value = await self.cache.get(key, work, self.listener)
        return value

    def progress(self, loaded: int, total: int | None = None) -> None:
        """Report work done in any unit, of `total` when that is known."""
        self.listener("progress", "", loaded, total, 1)
