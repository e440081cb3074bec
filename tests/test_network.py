"""The way of a request: its further attempts, its turn, and who shares it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from itertools import count
from typing import Any

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.errors import FormatError, HttpStatusError, NetworkError, RequestError
from pyloader.network import (
    FIRST_DELAY_SECONDS,
    LONGEST_DELAY_SECONDS,
    RETRIED_STATUS,
    Gate,
    Network,
    backoff,
    origin_of,
    retry_after,
)
from pyloader.transport import Request, Response
from pyloader.transport.memory import MemoryTransport
from tests.support.contracts.transport import Bucket

URL = "https://host/image"
BODY = bytes(range(100))
SOON = (0, 0.0)
Answer = int | Response | Exception


def ignore(*report: Any) -> None:
    """Take no notice."""


def answer(status: int, body: bytes = b"", **headers: str) -> Response:
    """Return an answer of a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(URL, status, {"content-type": "text/plain"} | named, body)


class Unsteady:
    """A transport that fails some times, then answers with a body.

    Parameters
    ----------
    failures : int, Response or Exception
        What happens first: a status, an answer, or an error.
    """

    def __init__(self, *failures: Answer) -> None:
        self.failures = list(failures)
        self.requests: list[Request] = []

    async def send(self, request, progress, sink=None):
        """Fail, or answer."""
        self.requests.append(request)
        failure = self.failures.pop(0) if self.failures else answer(200, BODY)
        if isinstance(failure, Exception):
            raise failure
        return answer(failure) if isinstance(failure, int) else failure


class Held:
    """A transport whose answers come when they are let go."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[Response]] = {}
        self.asked: list[str] = []

    async def send(self, request, progress, sink=None):
        """Wait."""
        self.asked.append(request.url)
        self.waiting[request.url] = asyncio.get_running_loop().create_future()
        try:
            return await self.waiting[request.url]
        finally:
            del self.waiting[request.url]

    async def let_go(self, url: str, result: Response | Exception | None = None) -> None:
        """Answer one request, and let all that follows from it happen."""
        if isinstance(result, Exception):
            self.waiting[url].set_exception(result)
        else:
            self.waiting[url].set_result(result or answer(200, BODY))
        await settle()


def no_answer() -> NetworkError:
    """Return the error of a request that is not answered."""
    return NetworkError("no answer", URL)


real_sleep = asyncio.sleep


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await real_sleep(0)


@pytest.fixture
def delays(monkeypatch):
    """Return the seconds that were waited; nobody waits in fact."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("pyloader.network.asyncio.sleep", sleep)
    return waited


async def fetch(network: Network, url: str = URL, urgency: Any = SOON) -> Response:
    """Fetch without listening."""
    return await network.fetch(Request(url), urgency, ignore)


# ------------------------------------------------------------------ retries


@pytest.mark.parametrize("failure", [no_answer(), *sorted(RETRIED_STATUS)])
async def test_tried_again(delays, failure):
    transport = Unsteady(failure, failure)
    assert (await fetch(Network(transport))).body == BODY
    assert len(transport.requests) == 3
    assert len(delays) == 2


def test_statuses_that_ask_for_another_try():
    assert sorted(RETRIED_STATUS) == [408, 429, 502, 503, 504]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 416, 500, 501])
async def test_not_tried_again(delays, status):
    transport = Unsteady(status)
    with pytest.raises(HttpStatusError, match=f"status {status}, expected"):
        await fetch(Network(transport))
    assert len(transport.requests) == 1
    assert delays == []


async def test_request_that_cannot_be_sent_is_not_tried_again(delays):
    transport = Unsteady(RequestError("a header with a line break", URL))
    with pytest.raises(RequestError, match="a header with a line break"):
        await fetch(Network(transport))
    assert len(transport.requests) == 1


async def test_last_status_is_told_and_how_often(delays):
    transport = Unsteady(502, 502, 503)
    with pytest.raises(HttpStatusError, match="status 503, 3 times, expected 200"):
        await fetch(Network(transport))
    assert len(transport.requests) == 3


async def test_last_failure_is_told(delays):
    transport = Unsteady(503, 503, no_answer())
    with pytest.raises(NetworkError, match="no answer"):
        await fetch(Network(transport))
    assert len(transport.requests) == 3
    assert len(delays) == 2


async def test_no_retries_means_one_try(delays):
    transport = Unsteady(503)
    with pytest.raises(HttpStatusError, match="status 503, expected"):
        await fetch(Network(transport, retries=0))
    assert len(transport.requests) == 1


async def test_waits_grow_up_to_a_bound(delays):
    await fetch(Network(Unsteady(*[no_answer()] * 12), retries=12))
    for failures, delay in enumerate(delays):
        longest = min(FIRST_DELAY_SECONDS * 2**failures, LONGEST_DELAY_SECONDS)
        assert longest / 2 <= delay <= longest
    assert len(delays) == 12


def test_waits_are_spread():
    assert len({backoff(3) for _ in range(20)}) > 1


async def test_requests_know_whether_another_attempt_follows(delays):
    transport = Unsteady(503, 503)
    await fetch(Network(transport, timeout=7))
    assert [request.is_last for request in transport.requests] == [False, False, True]
    assert {request.timeout for request in transport.requests} == {7}


@pytest.mark.parametrize("urgency", [(0, 5.0), (1, -5.0), (2, 0.0)])
async def test_requests_know_whether_somebody_waits(delays, urgency):
    transport = Unsteady(503)
    await fetch(Network(transport), urgency=urgency)
    assert [request.urgency for request in transport.requests] == [urgency] * 2


async def test_cancelled_while_it_waits_for_another_try():
    transport = Unsteady(503)
    task = asyncio.create_task(fetch(Network(transport)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(transport.requests) == 1


# ------------------------------------------------------------------ Retry-After


async def test_retry_after_is_waited_for(delays):
    await fetch(Network(Unsteady(answer(429, retry_after="7"))))
    assert delays == [7]


async def test_retry_after_of_no_answer_is_not_that_of_the_answer_before(delays):
    await fetch(Network(Unsteady(answer(503, retry_after="7"), no_answer())))
    first, second = delays
    assert first == 7
    assert second <= 2 * FIRST_DELAY_SECONDS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("86400", LONGEST_DELAY_SECONDS),
        ("9" * 400, LONGEST_DELAY_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_DELAY_SECONDS),
    ],
)
def test_retry_after(text, seconds):
    assert retry_after({"retry-after": text}, 0.1) == seconds


def test_retry_after_by_the_clock():
    text = formatdate(time.time() + 10, usegmt=True)
    assert 8 < retry_after({"retry-after": text}, 0.1) <= 10


ABSURD = [
    "",
    "soon",
    "-5",
    "1.5",
    "7 seconds",
    "\xb2",  # a digit to str.isdigit(), no number to float()
    "Wed, 99 Oct 2015 07:28:00 GMT",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +99999999999999",
]


@pytest.mark.parametrize("text", ABSURD)
def test_retry_after_that_says_nothing(text):
    assert retry_after({"retry-after": text}, 0.1) == 0.1


def test_no_retry_after():
    assert retry_after({}, 0.1) == 0.1


# ------------------------------------------------------------------ 401


class Door:
    """A hook that renews the user's identity, and notes when it was asked to."""

    def __init__(self, opens: bool = True) -> None:
        self.opens = opens
        self.asked: list[tuple[str, float]] = []

    async def __call__(self, url: str, sent: float) -> bool:
        """Tell whether to try again."""
        self.asked.append((url, sent))
        return self.opens


async def test_not_signed_in_is_tried_again_at_once_when_that_helped(delays):
    before = time.time()
    door, transport = Door(), Unsteady(401)
    assert (await fetch(Network(transport, retries=0, authorize=door))).body == BODY
    ((url, sent),) = door.asked
    assert url == URL
    assert before <= sent <= time.time()
    assert len(transport.requests) == 2
    assert delays == []


async def test_not_signed_in_is_told_when_that_did_not_help(delays):
    door, transport = Door(opens=False), Unsteady(401)
    with pytest.raises(HttpStatusError, match=r"status 401, expected 200 \(not signed in"):
        await fetch(Network(transport, authorize=door))
    assert len(transport.requests) == len(door.asked) == 1


async def test_door_is_asked_once_for_each_request(delays):
    door, transport = Door(), Unsteady(401, 401)
    with pytest.raises(HttpStatusError, match="status 401, 2 times"):
        await fetch(Network(transport, authorize=door))
    assert len(door.asked) == 1
    await fetch(Network(Unsteady(401), authorize=door))
    assert len(door.asked) == 2


async def test_door_takes_no_retry_away(delays):
    transport = Unsteady(503, 401, 503)
    assert (await fetch(Network(transport, authorize=Door()))).body == BODY
    assert len(transport.requests) == 4


async def test_sent_is_the_time_of_the_attempt_that_was_refused(delays, monkeypatch):
    clock = count(1000)
    monkeypatch.setattr("pyloader.network.time.time", lambda: float(next(clock)))
    door = Door()
    await fetch(Network(Unsteady(503, 401), authorize=door))
    assert door.asked == [(URL, 1001)]


class Turning(Unsteady):
    """A transport during whose first request the page gives other headers."""

    network: Network

    async def send(self, request, progress, sink=None):
        """Fail or answer, as `Unsteady` does."""
        if not self.requests:
            self.network.begin_anew()
        return await super().send(request, progress, sink)


@pytest.mark.parametrize("status", [401, 403])
async def test_refusal_of_who_asked_before_is_sent_again(delays, status):
    transport, door = Turning(status), Door(opens=False)
    transport.network = Network(transport, retries=0, authorize=door)
    assert (await fetch(transport.network)).body == BODY
    assert len(transport.requests) == 2
    assert (door.asked, delays) == ([], [])


async def test_who_asks_now_may_be_asked_to_sign_in_too(delays):
    transport, door = Turning(401, 401), Door()
    transport.network = Network(transport, authorize=door)
    assert (await fetch(transport.network)).body == BODY
    assert (len(transport.requests), len(door.asked)) == (3, 1)


@pytest.mark.parametrize("status", [400, 404])
async def test_other_answers_to_who_asked_before_count(delays, status):
    transport = Turning(status)
    transport.network = Network(transport)
    with pytest.raises(HttpStatusError, match=f"status {status}"):
        await fetch(transport.network)
    assert len(transport.requests) == 1


async def test_page_may_give_other_headers_while_it_is_asked(delays):
    """Then it need not say that this helped."""
    transport = Unsteady(401)

    async def authorize(url: str, sent: float) -> bool:
        network.begin_anew()
        return False

    network = Network(transport, authorize=authorize)
    assert (await fetch(network)).body == BODY


async def test_door_that_comes_during_a_request_is_asked(delays):
    transport = Unsteady(401)
    network = Network(transport)
    asking = asyncio.ensure_future(fetch(network))
    await asyncio.sleep(0)
    network.authorize = Door()
    assert (await asking).body == BODY


async def test_requests_are_not_shared_with_who_asked_before():
    gate, transport = asyncio.Event(), Unsteady()
    send = transport.send

    async def wait(*request: Any) -> Response:
        await gate.wait()
        return await send(*request)

    transport.send = wait
    network = Network(transport)
    asking = [asyncio.ensure_future(fetch(network)) for _ in range(2)]
    await asyncio.sleep(0.01)
    network.begin_anew()
    asking.append(asyncio.ensure_future(fetch(network)))
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*asking)
    assert len(transport.requests) == 2


async def test_authorization_that_is_refused_is_told_as_such(delays):
    refusal = replace(answer(401), has_authorization=True)
    text = r"status 401, expected 200 \(the Authorization that was sent was refused"
    with pytest.raises(HttpStatusError, match=text):
        await fetch(Network(Unsteady(refusal)))


@pytest.mark.parametrize("status", [400, 403, 407])
async def test_other_refusals_do_not_ask_the_door(delays, status):
    door = Door()
    with pytest.raises(HttpStatusError, match=f"status {status}"):
        await fetch(Network(Unsteady(status), authorize=door))
    assert door.asked == []


# ------------------------------------------------------------------ reports


async def test_listener_hears_each_attempt(delays):
    class Reporting(Unsteady):
        async def send(self, request, progress, sink=None):
            progress(3, 100)
            return await super().send(request, progress, sink)

    heard: list[tuple[Any, ...]] = []
    network = Network(Reporting(503, no_answer()))
    await network.fetch(Request(URL), SOON, lambda *report: heard.append(report))
    assert heard == [
        report
        for attempt in (1, 2, 3)
        for report in (
            ("start", URL, 0, None, attempt),
            ("progress", URL, 3, 100, attempt),
            ("end", URL, 0, None, attempt),
        )
    ]


async def test_listener_hears_no_start_of_what_waits_for_its_turn():
    heard: list[str] = []
    transport = Held()
    network = Network(transport, requests_per_origin=1)
    first = asyncio.create_task(fetch(network, f"{URL}/1"))
    await settle()
    second = asyncio.create_task(
        network.fetch(Request(f"{URL}/2"), SOON, lambda phase, *_: heard.append(phase))
    )
    await settle()
    assert heard == []
    await transport.let_go(f"{URL}/1")
    assert heard == ["start"]
    await transport.let_go(f"{URL}/2")
    assert heard == ["start", "end"]
    await asyncio.gather(first, second)


# ------------------------------------------------------------------ turns


def start(network: Network, **urgencies: Any) -> dict[str, asyncio.Task[Response]]:
    """Begin requests, by the last step of their address, in the order of their names."""
    return {
        name: asyncio.create_task(fetch(network, f"{URL}/{name}", urgency))
        for name, urgency in urgencies.items()
    }


async def finish(transport: Held) -> list[str]:
    """Let one request go after the other, and return the names of all, in order of asking."""
    await settle()
    while transport.waiting:
        await transport.let_go(next(iter(transport.waiting)))
    return [url.rpartition("/")[2] for url in transport.asked]


async def test_so_many_requests_to_an_origin_at_once():
    transport = Held()
    tasks = start(Network(transport, requests_per_origin=3), **{f"r{i}": SOON for i in range(5)})
    await settle()
    assert len(transport.waiting) == 3
    await transport.let_go(f"{URL}/r1")
    assert list(transport.waiting) == [f"{URL}/r0", f"{URL}/r2", f"{URL}/r3"]
    assert await finish(transport) == ["r0", "r1", "r2", "r3", "r4"]
    await asyncio.gather(*tasks.values())


async def test_origins_do_not_wait_for_each_other():
    transport = Held()
    network = Network(transport, requests_per_origin=1)
    urls = ["https://a/1", "https://a/2", "https://b/1", "http://a/1", "https://a:8/1", "/1", "/2"]
    tasks = [asyncio.create_task(fetch(network, url)) for url in urls]
    await settle()
    assert list(transport.waiting) == [url for url in urls if not url.endswith("2")]
    await finish(transport)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://host/a?b#c", "https://host"),
        ("http://host:8080/a", "http://host:8080"),
        ("/a/b", ""),
        ("a.dcm", ""),
        ("dicomfile:0", "dicomfile"),
        ("http://[::1", ""),
    ],
)
def test_origin(url, origin):
    assert origin_of(url) == origin


async def test_most_urgent_goes_first():
    transport = Held()
    network = Network(transport, requests_per_origin=1)
    tasks = start(network, running=(2, 0.0))
    await settle()
    tasks |= start(
        network, ahead=(2, -9.0), late=(0, 5.0), early=(0, -5.0), thumbnail=(1, 0.0), later=(0, 5.0)
    )
    order = ["running", "early", "late", "later", "thumbnail", "ahead"]
    assert await finish(transport) == order
    await asyncio.gather(*tasks.values())


async def test_who_is_cancelled_in_the_queue_is_passed_over():
    transport = Held()
    tasks = start(Network(transport, requests_per_origin=1), a=SOON, b=SOON, c=SOON)
    await settle()
    tasks.pop("b").cancel()
    assert await finish(transport) == ["a", "c"]
    await asyncio.gather(*tasks.values())


async def test_who_is_cancelled_on_the_way_gives_the_place_back():
    transport = Held()
    tasks = start(Network(transport, requests_per_origin=1), a=SOON, b=SOON)
    await settle()
    tasks.pop("a").cancel()
    await settle()
    assert list(transport.waiting) == [f"{URL}/b"]
    await finish(transport)
    await tasks["b"]


async def test_who_is_cancelled_when_just_let_in_gives_the_place_back():
    gate = Gate()
    await gate.enter(SOON, 1)
    chosen, next_one = (asyncio.create_task(gate.enter(SOON, 1)) for _ in range(2))
    await settle()
    gate.leave(1)  # `chosen` may enter, but has not run yet
    chosen.cancel()
    await settle()
    assert chosen.cancelled()
    assert next_one.done()
    await next_one


async def test_failure_gives_the_place_back(delays):
    transport = Held()
    tasks = start(Network(transport, retries=0, requests_per_origin=1), a=SOON, b=SOON)
    await settle()
    await transport.let_go(f"{URL}/a", no_answer())
    await transport.let_go(f"{URL}/b")
    with pytest.raises(NetworkError, match="no answer"):
        await tasks["a"]
    await tasks["b"]


async def test_listener_that_fails_gives_the_place_back():
    def fail(*report: Any) -> None:
        raise KeyError("mine")

    network = Network(MemoryTransport({URL: BODY}), requests_per_origin=1)
    with pytest.raises(KeyError, match="mine"):
        await network.fetch(Request(URL), SOON, fail)
    assert (await fetch(network)).body == BODY


async def test_who_waits_for_another_try_holds_no_place():
    transport = Held()
    tasks = start(Network(transport, requests_per_origin=1), a=SOON, b=SOON)
    await settle()
    await transport.let_go(f"{URL}/a", no_answer())
    assert list(transport.waiting) == [f"{URL}/b"]
    await transport.let_go(f"{URL}/b")
    await tasks["b"]
    tasks["a"].cancel()


# ------------------------------------------------------------------ sharing


async def test_equal_requests_under_way_are_one():
    transport = Held()
    network = Network(transport)
    request = Request(URL, {"Accept": "a/b", "X": "y"}, (0, 10))
    same = Request(URL, {"X": "y", "Accept": "a/b"}, (0, 10))
    tasks = [
        asyncio.create_task(network.fetch(each, SOON, ignore)) for each in (request, same, request)
    ]
    await settle()
    await transport.let_go(URL)
    responses = await asyncio.gather(*tasks)
    assert transport.asked == [URL]
    assert {response.body for response in responses} == {BODY}


async def test_request_that_is_over_is_not_shared():
    transport = Unsteady()
    network = Network(transport)
    await fetch(network)
    await fetch(network)
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    "change",
    [{"url": "https://host/other"}, {"headers": {"Accept": "a/b"}}, {"byte_range": (0, 2)}],
)
async def test_other_requests_are_not_shared(change):
    transport = Unsteady()
    network = Network(transport)
    one = Request(URL)
    await asyncio.gather(
        *[network.fetch(each, SOON, ignore) for each in (one, replace(one, **change))]
    )
    assert len(transport.requests) == 2


async def test_shared_request_reports_to_all_and_goes_on_for_those_who_stay():
    transport = Held()
    network = Network(transport)
    heard: list[list[str]] = [[], []]
    leaving, staying = (
        asyncio.create_task(
            network.fetch(Request(URL), SOON, lambda phase, *_, own=own: own.append(phase))
        )
        for own in heard
    )
    await settle()
    leaving.cancel()
    await settle()
    await transport.let_go(URL)
    assert (await staying).body == BODY
    # From Python 3.12 on the request has started before the other one joins.
    assert heard in ([["start"], ["start", "end"]], [["start"], ["end"]])


async def test_shared_request_ends_with_the_last_who_waits():
    transport = Held()
    network = Network(transport)
    tasks = [asyncio.create_task(fetch(network)) for _ in range(2)]
    await settle()
    for task in tasks:
        task.cancel()
    await settle()
    assert transport.waiting == {}
    assert all(task.cancelled() for task in tasks)


async def test_failure_is_shared_but_not_kept(delays):
    transport = Held()
    network = Network(transport, retries=0)
    tasks = [asyncio.create_task(fetch(network)) for _ in range(2)]
    await settle()
    await transport.let_go(URL, no_answer())
    failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["no answer"] * 2
    again = asyncio.create_task(fetch(network))
    await settle()
    await transport.let_go(URL)
    assert (await again).body == BODY


# ------------------------------------------------------------------ streams


class Breaking:
    """A transport whose connections break after some bytes.

    Parameters
    ----------
    breaks : int
        After how many bytes of the body each attempt breaks; then one is whole.
    """

    def __init__(self, *breaks: int) -> None:
        self.breaks = list(breaks)
        self.requests: list[Request] = []

    async def send(self, request, progress, sink=None):
        """Feed what comes, then break."""
        self.requests.append(request)
        start = request.byte_range[0] if request.byte_range else 0
        head = answer(206 if start else 200)
        stop = start + self.breaks[0] if self.breaks else len(BODY)
        assert sink.begin(head)
        for place in range(start, stop, 10):
            sink.feed(BODY[place : min(place + 10, stop)])
        if self.breaks:
            self.breaks.pop(0)
            raise no_answer()
        return head


async def stream(transport: Any, make: Callable[[], Request], sink: Bucket) -> Response:
    """Stream through a context."""
    return await Context(Network(transport), Cache(100)).stream(make, sink)


async def test_request_is_made_anew_for_each_attempt(delays):
    transport, bucket = Breaking(40, 30), Bucket()

    def make() -> Request:
        return Request(URL, byte_range=(len(bucket.body), None))

    await stream(transport, make, bucket)
    assert [request.byte_range for request in transport.requests] == [
        (0, None),
        (40, None),
        (70, None),
    ]
    assert bucket.body == BODY


async def test_sink_begins_anew_with_each_attempt(delays):
    class Anew(Bucket):
        def begin(self, response: Response) -> bool:
            self.chunks.clear()
            return super().begin(response)

    sink = Anew()
    await stream(Breaking(40, 30), lambda: Request(URL), sink)
    assert [head.status for head in sink.heads] == [200, 200, 200]
    assert sink.body == BODY


async def test_streams_are_not_shared():
    transport = MemoryTransport({URL: BODY})
    context = Context(Network(transport), Cache(100))
    buckets = [Bucket(), Bucket()]
    await asyncio.gather(*[context.stream(lambda: Request(URL), bucket) for bucket in buckets])
    assert [bucket.body for bucket in buckets] == [BODY] * 2
    assert len(transport.requests) == 2


async def test_refusal_of_a_stream_is_told(delays):
    bucket = Bucket()
    with pytest.raises(HttpStatusError, match="status 404"):
        await stream(MemoryTransport({URL: answer(404, BODY)}), lambda: Request(URL), bucket)
    assert bucket.heads == []


async def test_what_a_sink_raises_is_not_tried_again(delays):
    class Refusing(Bucket):
        def feed(self, chunk: bytes) -> bool:
            raise FormatError("these bytes are of no use")

    transport = MemoryTransport({URL: BODY})
    with pytest.raises(FormatError, match="these bytes are of no use"):
        await stream(transport, lambda: Request(URL), Refusing())
    assert len(transport.requests) == 1
    assert delays == []


# ------------------------------------------------------------------ what has arrived before

EARLY = b"it was here before"


def network_with(arrived: bytes = EARLY) -> tuple[Network, Unsteady]:
    """Return a network at which the response of `URL` has arrived, and its transport."""
    transport = Unsteady()
    network = Network(transport)
    network.arrived[URL] = answer(200, arrived)
    return network, transport


async def test_what_has_arrived_is_taken_once():
    network, transport = network_with()
    assert (await fetch(network)).body == EARLY
    assert network.arrived == {}
    assert transport.requests == []
    assert (await fetch(network)).body == BODY
    assert len(transport.requests) == 1


async def test_what_has_arrived_is_not_reported_as_a_request():
    network, _ = network_with()
    heard: list[tuple[Any, ...]] = []
    await network.fetch(Request(URL), SOON, lambda *report: heard.append(report))
    assert heard == []


async def test_what_has_arrived_waits_for_no_turn():
    transport = Held()
    network = Network(transport, requests_per_origin=1)
    network.arrived[URL] = answer(200, EARLY)
    tasks = start(network, running=SOON, waiting=SOON)
    await settle()
    assert (await fetch(network)).body == EARLY
    assert await finish(transport) == ["running", "waiting"]
    await asyncio.gather(*tasks.values())


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://host/other"},
        {"byte_range": (0, 10)},
        {"byte_range": (0, None)},
        {"headers": {"Accept": "a/b"}},
        {"linked_from": "https://host/metadata"},
    ],
)
async def test_only_a_plain_request_takes_what_has_arrived(change):
    network, transport = network_with()
    request = replace(Request(URL), **change)
    assert (await network.fetch(request, SOON, ignore)).body == BODY
    assert len(transport.requests) == 1
    assert network.arrived[URL].body == EARLY


async def test_equal_requests_share_what_has_arrived():
    network, transport = network_with()
    context = Context(network, Cache(100))
    responses = await asyncio.gather(fetch(network), context.fetch(URL))
    assert EARLY in {response.body for response in responses}
    assert len(transport.requests) <= 1, "from Python 3.12 on the first one has ended by then"


@pytest.mark.parametrize(
    ("limit", "plain"), [({}, True), ({"most_bytes": 10}, True), ({"timeout": 1.0}, True)]
)
def test_limits_make_no_other_request(limit, plain):
    assert replace(Request(URL), **limit).is_plain is plain


class Refusing(Bucket):
    """A sink that takes no chunks."""

    def begin(self, response: Response) -> bool:
        """Refuse."""
        super().begin(response)
        return False


async def test_what_has_arrived_is_fed_to_a_sink():
    network, transport = network_with()
    bucket = Bucket()
    response = await Context(network, Cache(100)).stream(lambda: Request(URL), bucket)
    assert (bucket.body, response.body) == (EARLY, b"")
    assert [(head.url, head.status, head.body) for head in bucket.heads] == [(URL, 200, b"")]
    assert transport.requests == []


async def test_what_has_arrived_is_given_whole_to_a_sink_that_takes_no_chunks():
    network, transport = network_with()
    sink = Refusing()
    response = await Context(network, Cache(100)).stream(lambda: Request(URL), sink)
    assert (sink.body, response.body) == (b"", EARLY)
    assert len(sink.heads) == 1
    assert transport.requests == []


async def test_what_a_sink_raises_of_what_has_arrived_is_not_tried_again(delays):
    class Failing(Bucket):
        def feed(self, chunk: bytes) -> bool:
            raise FormatError("these bytes are of no use")

    network, transport = network_with()
    with pytest.raises(FormatError, match="these bytes are of no use"):
        await Context(network, Cache(100)).stream(lambda: Request(URL), Failing())
    assert transport.requests == []
    assert delays == []


async def test_what_has_arrived_for_who_asked_before_is_not_taken():
    network, transport = network_with()
    network.begin_anew()
    assert network.arrived == {}
    assert (await fetch(network)).body == BODY
    assert len(transport.requests) == 1
