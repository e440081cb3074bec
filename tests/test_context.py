"""What loaders are given: fetch with its one status check, retries, reports, and the cache."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.context import RETRIED_STATUS, STATUS_HINTS
from pyloader.errors import HttpStatusError, LoaderError, NetworkError, TransportError
from pyloader.transport import Progress, Request, Response
from pyloader.transport.memory import MemoryTransport

URL = "https://host/image"


class Unsteady:
    """A transport that fails some times, then answers."""

    def __init__(self, *failures: int | None) -> None:
        self.failures = list(failures)
        self.sent = 0

    async def send(self, request: Request, progress: Progress) -> Response:
        """Answer with the next failure: a status, or None for no answer."""
        self.sent += 1
        if not self.failures:
            return answer(200, b"body")
        status = self.failures.pop(0)
        if status is None:
            raise NetworkError("no answer", request.url)
        return answer(status)


def answer(status: int, body: bytes = b"", kind: str = "text/plain") -> Response:
    """Return an answer of a status."""
    return Response(URL, status, {"content-type": kind}, body)


@pytest.fixture
def delays(monkeypatch):
    """Return the seconds that were waited; nobody waits in fact."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("pyloader.context.asyncio.sleep", sleep)
    return waited


def over(transport: Unsteady, retries: int = 2) -> Context:
    """Return a context over `transport`."""
    return Context(transport, Cache(100), retries=retries)


# ------------------------------------------------------------------ status


@pytest.mark.parametrize("status", [200, 204, 206, 299])
async def test_success(context, transport, status):
    transport.answers[URL] = answer(status, b"body")
    assert (await context.fetch(URL)).body == b"body"


@pytest.mark.parametrize("status", [199, 300, 304, 400, 404, 500])
async def test_refusal(context, transport, status):
    transport.answers[URL] = answer(status)
    expected = f"{URL} answered with status {status}, expected 200"
    with pytest.raises(HttpStatusError, match=expected) as caught:
        await context.fetch(URL)
    assert (caught.value.url, caught.value.status) == (URL, status)


@pytest.mark.parametrize("status", STATUS_HINTS)
async def test_refusal_says_what_it_may_mean(context, transport, status):
    transport.answers[URL] = answer(status)
    with pytest.raises(HttpStatusError) as caught:
        await context.fetch(URL)
    assert str(caught.value).endswith(f"status {status}, expected 200{STATUS_HINTS[status]}")


async def test_refusal_says_the_first_line_of_a_text(context, transport):
    transport.answers[URL] = answer(404, b"no such study\nsecond line")
    with pytest.raises(HttpStatusError, match=r"; it says 'no such study'$"):
        await context.fetch(URL)


async def test_refusal_does_not_say_what_is_no_text(context, transport):
    transport.answers[URL] = answer(404, b"<html>", kind="text/html")
    with pytest.raises(HttpStatusError, match=r"^(?!.*it says)"):
        await context.fetch(URL)


async def test_refusals_and_no_answer_are_transport_errors(context, transport):
    transport.answers[URL] = answer(403)
    with pytest.raises(TransportError, match="not allowed for this user"):
        await context.fetch(URL)
    with pytest.raises(TransportError, match="nothing is stored there"):
        await context.fetch("https://host/nothing")


async def test_no_answer_is_an_error_of_the_tree(context):
    with pytest.raises(LoaderError, match="could not fetch https://host/nothing") as caught:
        await context.fetch("https://host/nothing")
    assert caught.value.code == "network"


# ------------------------------------------------------------------ request


async def test_headers_and_range_reach_the_transport(context, transport):
    transport.answers[URL] = bytes(range(10))
    response = await context.fetch(URL, headers={"Accept": "a/b"}, byte_range=(2, 5))
    assert transport.requests == [Request(URL, {"Accept": "a/b"}, (2, 5))]
    assert response.body == bytes([2, 3, 4])


# ------------------------------------------------------------------ retries


@pytest.mark.parametrize("failure", [None, *sorted(RETRIED_STATUS)])
async def test_tried_again(delays, failure):
    transport = Unsteady(failure, failure)
    assert (await over(transport).fetch(URL)).body == b"body"
    assert transport.sent == 3
    assert len(delays) == 2


async def test_statuses_that_ask_for_another_try():
    assert sorted(RETRIED_STATUS) == [408, 429, 502, 503, 504]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 500])
async def test_not_tried_again(delays, status):
    transport = Unsteady(status)
    with pytest.raises(HttpStatusError, match=f"status {status}"):
        await over(transport).fetch(URL)
    assert transport.sent == 1
    assert delays == []


async def test_last_status_is_told(delays):
    transport = Unsteady(502, 502, 503)
    with pytest.raises(HttpStatusError, match="status 503"):
        await over(transport).fetch(URL)
    assert transport.sent == 3


async def test_last_failure_is_told(delays):
    transport = Unsteady(503, 503, None)
    with pytest.raises(NetworkError, match="no answer"):
        await over(transport).fetch(URL)
    assert transport.sent == 3


async def test_no_retries_means_one_try(delays):
    transport = Unsteady(503)
    with pytest.raises(HttpStatusError, match="status 503"):
        await over(transport, retries=0).fetch(URL)
    assert transport.sent == 1


async def test_waits_grow(delays):
    await over(Unsteady(*[None] * 4), retries=4).fetch(URL)
    for attempt, delay in enumerate(delays):
        assert 0.125 * 2**attempt <= delay <= 0.25 * 2**attempt


# ------------------------------------------------------------------ reports


async def test_listener_hears_start_progress_and_end(context, transport):
    transport.answers[URL] = b"body"
    heard = []
    await replace(context, listener=lambda *report: heard.append(report)).fetch(URL)
    assert heard == [("start", URL, 0, None), ("progress", URL, 4, 4), ("end", URL, 0, None)]


async def test_listener_hears_the_end_of_a_failure(context):
    heard = []
    listening = replace(context, listener=lambda phase, *_: heard.append(phase))
    with pytest.raises(NetworkError):
        await listening.fetch(URL)
    assert heard == ["start", "end"]


async def test_retries_are_one_fetch_to_the_listener(delays):
    heard = []
    context = replace(over(Unsteady(503)), listener=lambda phase, *_: heard.append(phase))
    await context.fetch(URL)
    assert heard == ["start", "end"]


async def test_loader_may_report_work_of_its_own(context):
    heard = []
    replace(context, listener=lambda *report: heard.append(report)).progress(3, 8)
    assert heard == [("progress", "", 3, 8)]


# ------------------------------------------------------------------ cache


async def fetch_body(context: Context) -> bytes:
    """Be the work that loads share."""
    await asyncio.sleep(0)
    return (await context.fetch(URL)).body


async def test_cached_work_is_done_once_for_all(context, transport):
    transport.answers[URL] = b"body"
    bodies = await asyncio.gather(*[context.cached("key", fetch_body) for _ in range(3)])
    assert bodies == [b"body"] * 3
    assert await context.cached("key", fetch_body) == b"body"
    assert len(transport.requests) == 1


async def test_cached_work_reports_to_all_who_wait(context, transport):
    transport.answers[URL] = b"body"
    heard: list[list[str]] = [[], []]
    loads = [
        replace(context, listener=lambda phase, *_, own=own: own.append(phase)) for own in heard
    ]
    await asyncio.gather(*[load.cached("key", fetch_body) for load in loads])
    assert heard == [["start", "progress", "end"]] * 2


async def test_cached_work_has_the_options_of_its_load(transport):
    async def make(context: Context) -> object:
        return context.options["token"]

    context = Context(transport, Cache(100), {"token": "abc"})
    assert await context.cached("key", make) == "abc"


async def test_contexts_of_one_cache_share_what_is_cached():
    cache = Cache(1000)
    first = Context(MemoryTransport({URL: b"body"}), cache)
    await first.cached("key", fetch_body)
    assert await Context(MemoryTransport({}), cache).cached("key", fetch_body) == b"body"
