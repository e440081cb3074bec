"""The requests of one interpreter: concurrency, order and retries.

`Context.fetch` and `Context.stream` are the only callers. Every request of every scheme, including
ranges, metadata and retries, goes through `Network.send`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from heapq import heappop, heappush
from itertools import count
from urllib.parse import urlsplit

from pyloader.cache import Flights
from pyloader.errors import HttpStatusError, NetworkError
from pyloader.facts import LIMITS
from pyloader.transport import Request, Response, Sink, Transport

Listener = Callable[[str, str, int, "int | None", int], None]
"""Receives ``(phase, url, loaded, total, attempt)``; phase is ``start``, ``progress`` or ``end``,
attempts count from 1."""
Authorize = Callable[[str, float], Awaitable[bool]]
"""``(url, sent)``: renew the user's credentials, after status 401 for a request sent at `sent`
(seconds since 1970); return whether to try again."""
Urgency = tuple[int, float]
"""Request type (0: a viewer waits, 1: thumbnail, 2: prefetch, ...), then priority; lower is
sooner."""

RETRIED_STATUS = frozenset({408, 429, 502, 503, 504})
UNAUTHORIZED = 401
REFUSALS = frozenset({UNAUTHORIZED, 403})
FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 30.0
REQUESTS_PER_ORIGIN = LIMITS["requestsPerOrigin"]


class Network:
    """Send requests: the most urgent first, with retries, equal ones in single flight.

    Parameters
    ----------
    transport : Transport
        The browser's ``fetch``, plain CPython, or memory.
    retries : int
        Number of retries after no response, or after a status of `RETRIED_STATUS`.
    timeout : float or None
        Seconds without a byte after which a request counts as having no response.
    requests_per_origin : int or inf
        Concurrent requests to one origin; others wait, the most urgent first.
    authorize : Authorize or None
        Called once for each request that gets status 401.

    Attributes
    ----------
    arrived : dict of str to Response
        Complete responses by URL that arrived before they were asked for; the next plain request
        for the URL takes its response from here.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        retries: int = LIMITS["retries"],
        timeout: float | None = None,
        requests_per_origin: float = REQUESTS_PER_ORIGIN,
        authorize: Authorize | None = None,
    ) -> None:
        self.transport = transport
        self.retries = retries
        self.timeout = timeout
        self.requests_per_origin = requests_per_origin
        self.authorize = authorize
        self.arrived: dict[str, Response] = {}
        self._gates: dict[str, Gate] = {}
        self._flights = Flights()
        self.identity = 0

    def begin_anew(self) -> None:
        """Note that the user's identity has changed: servers may respond differently from now on.

        Later requests do not share running ones. A running request that is refused was sent with
        the old identity, so it is sent again.
        """
        self.identity += 1
        self.arrived.clear()
        self._flights.forget(lambda key: True)

    async def fetch(self, request: Request, urgency: Urgency, listener: Listener) -> Response:
        """Send a request, or share an equal one that is running."""
        headers = tuple(sorted(request.headers.items()))
        key = (request.url, request.byte_range, headers, request.linked_from)

        def work(notify: Listener) -> Awaitable[Response]:
            return self.send(lambda: request, urgency, notify)

        response: Response = await self._flights.join(key, work, listener)
        return response

    async def send(
        self,
        make: Callable[[], Request],
        urgency: Urgency,
        listener: Listener,
        sink: Sink | None = None,
    ) -> Response:
        """Send the request that `make` returns, calling it for each attempt, until one succeeds.

        Raises
        ------
        NetworkError, RequestError, HttpStatusError
        """
        failures, admission = 0, Admission(self)
        for attempt in count(1):
            is_last = failures >= self.retries
            request = replace(make(), timeout=self.timeout, is_last=is_last, urgency=urgency)
            admission.note_attempt()
            delay = backoff(failures)
            try:
                response = await self._attempt(request, urgency, report(listener, attempt), sink)
            except NetworkError as error:
                # A missing local file will not appear before the next attempt.
                if is_last or isinstance(error.__cause__, FileNotFoundError):
                    raise
            else:
                if await admission.is_renewed(response, request.url):
                    continue
                if is_last or response.status not in RETRIED_STATUS:
                    return check_status(response, attempt)
                delay = retry_after(response.headers, delay)
            failures += 1
            await asyncio.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self, request: Request, urgency: Urgency, notify: Callable[..., None], sink: Sink | None
    ) -> Response:
        if request.is_plain and (arrived := self.arrived.pop(request.url, None)):
            return feed(arrived, sink)
        gate = self._gates.setdefault(origin_of(request.url), Gate())
        await gate.enter(urgency, self.requests_per_origin)
        try:
            notify("start", request.url, 0, None)
            return await self.transport.send(
                request, lambda loaded, total: notify("progress", request.url, loaded, total), sink
            )
        finally:
            gate.leave(self.requests_per_origin)
            notify("end", request.url, 0, None)


class Admission:
    """Decide whether to send one request again after it was refused (401, 403)."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.may_ask = True

    def note_attempt(self) -> None:
        """Record the time and the identity of the next attempt."""
        self.sent, self.identity = time.time(), self.network.identity

    async def is_renewed(self, response: Response, url: str) -> bool:
        """Return whether the identity has changed; after a 401, ask the page once to renew it."""
        if response.status not in REFUSALS:
            return False
        if self.identity != self.network.identity:
            return True
        authorize = self.network.authorize
        if response.status != UNAUTHORIZED or authorize is None or not self.may_ask:
            return False
        self.may_ask = False
        return await authorize(url, self.sent) or self.identity != self.network.identity


def feed(response: Response, sink: Sink | None) -> Response:
    """Feed the body of a complete response to a sink, if that takes it."""
    head = replace(response, body=b"")
    if sink is None or not sink.begin(head):
        return response
    sink.feed(response.body)
    return head


def report(listener: Listener, attempt: int) -> Callable[..., None]:
    """Return a listener that adds the number of the attempt."""
    return lambda phase, url, loaded, total: listener(phase, url, loaded, total, attempt)


def origin_of(url: str) -> str:
    """Return scheme and host of a URL; empty for a URL that is relative or invalid."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.scheme


def backoff(failures: int) -> float:
    """Return seconds to wait: twice as long each time, with jitter against retries in step."""
    delay = FIRST_DELAY_SECONDS * 2.0**failures
    return min(delay, LONGEST_DELAY_SECONDS) * (0.5 + random.random() / 2)


def retry_after(headers: Mapping[str, str], otherwise: float) -> float:
    """Return seconds to wait by Retry-After, a number or a date (RFC 9110 10.2.3), with a limit."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), LONGEST_DELAY_SECONDS)
    try:
        wait = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return otherwise
    return min(max(wait, 0.0), LONGEST_DELAY_SECONDS)


class Gate:
    """A semaphore that admits the most urgent request first."""

    def __init__(self) -> None:
        self._inside = 0
        self._order = count()
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []

    async def enter(self, urgency: Urgency, limit: float) -> None:
        """Wait until fewer than `limit` requests are inside."""
        if self._inside < limit and not self._waiting:
            self._inside += 1
            return
        ticket = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (urgency, next(self._order), ticket))
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():
                self.leave(limit)  # it was admitted just before
            raise

    def leave(self, limit: float) -> None:
        """Leave, and admit the next."""
        self._inside -= 1
        while self._waiting and self._inside < limit:
            _, _, ticket = heappop(self._waiting)
            if not ticket.done():
                self._inside += 1
                ticket.set_result(None)


def check_status(response: Response, attempts: int = 1) -> Response:
    """Return `response` if it is a success; else raise, quoting the first line of a plain text."""
    if 200 <= response.status < 300:
        return response
    hint = STATUS_HINTS.get(response.status, "")
    if response.status == UNAUTHORIZED and response.has_authorization:
        hint = REFUSED_HINT
    if response.status in REFUSALS and response.withheld:
        hint = withheld_hint(response)
    line = response.body[:200].decode("utf-8", "replace").strip().partition("\n")[0]
    is_text = response.headers.get("content-type", "").startswith("text/plain")
    said = f"; it says {line!r}" if is_text and line else ""
    times = f", {attempts} times" if attempts > 1 else ""
    raise HttpStatusError(
        f"{response.url} answered with status {response.status}{times}, expected 200{hint}{said}",
        response.url,
        response.status,
    )


def withheld_hint(response: Response) -> str:
    """Return a hint: what was withheld from an origin, and how the page can name it."""
    origin = origin_of(response.url)
    return (
        f" ({' and '.join(response.withheld)} of the page: kept back from {origin}, which the page "
        f"has not named. If it may have them: init({{ origins: ['{origin}'] }}), or dicomweb(base) "
        "for a DICOMweb service)"
    )


REFUSED_HINT = (
    " (the Authorization that was sent was refused: it is wrong or has expired; onUnauthorized of "
    "init() may renew it)"
)
STATUS_HINTS = {
    UNAUTHORIZED: (
        " (not signed in: give init() headers, beforeRequest or onUnauthorized, and origins when "
        "the server is not the page's; a DICOMweb service, dicomweb(base, { headers }))"
    ),
    403: " (not allowed for this user)",
    404: " (nothing there: check the address)",
    406: " (the server cannot give this format)",
    416: " (the file is shorter than its header says, or has changed)",
    429: " (too many requests)",
    500: " (the server failed; its log says why)",
}
