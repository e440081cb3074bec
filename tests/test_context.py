"""The context of loaders: fetch with its one status check, streams, reports, and the cache."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest

from pyloader import Context, load_image, loaders
from pyloader.cache import Cache
from pyloader.custom import define_loaders
from pyloader.errors import HttpStatusError, LoaderError, NetworkError, TransportError
from pyloader.network import STATUS_HINTS, Network
from pyloader.transport import Request, Response
from pyloader.transport.memory import MemoryTransport
from tests.support.contracts.transport import Bucket

URL = "https://host/image"


def answer(status: int, body: bytes = b"", kind: str = "text/plain") -> Response:
    """Return an answer of a status."""
    return Response(URL, status, {"content-type": kind}, body)


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
    request = Request(URL, {"Accept": "a/b"}, (2, 5), most_bytes=context.decoded_bytes)
    assert transport.requests == [request]
    assert response.body == bytes([2, 3, 4])


async def test_range_may_be_open(context, transport):
    transport.answers[URL] = bytes(range(10))
    assert (await context.fetch(URL, byte_range=(7, None))).body == bytes([7, 8, 9])


async def test_stream_gives_a_sink_what_is_there(context, transport):
    transport.answers[URL] = b"body"
    bucket = Bucket()
    response = await context.stream(lambda: Request(URL), bucket)
    assert (response.status, response.body, bucket.body) == (200, b"", b"body")


async def test_stream_checks_the_status(context, transport):
    transport.answers[URL] = answer(404)
    with pytest.raises(HttpStatusError, match="nothing there: check the address"):
        await context.stream(lambda: Request(URL), Bucket())


# ------------------------------------------------------------------ reports


async def test_listener_hears_start_progress_and_end(context, transport):
    transport.answers[URL] = b"body"
    heard = []
    await replace(context, listener=lambda *report: heard.append(report)).fetch(URL)
    assert heard == [
        ("start", URL, 0, None, 1),
        ("progress", URL, 4, 4, 1),
        ("end", URL, 0, None, 1),
    ]


async def test_listener_hears_the_end_of_a_failure(context):
    heard = []
    listening = replace(context, listener=lambda phase, *_: heard.append(phase))
    with pytest.raises(NetworkError):
        await listening.fetch(URL)
    assert heard == ["start", "end"]


async def test_loader_may_report_work_of_its_own(context):
    heard = []
    replace(context, listener=lambda *report: heard.append(report)).progress(3, 8)
    assert heard == [("progress", "", 3, 8, 1)]


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

    context = Context(Network(transport), Cache(100), {"token": "abc"})
    assert await context.cached("key", make) == "abc"


async def test_contexts_of_one_cache_share_what_is_cached():
    cache = Cache(1000)
    first = Context(Network(MemoryTransport({URL: b"body"})), cache)
    await first.cached("key", fetch_body)
    assert await Context(Network(MemoryTransport({})), cache).cached("key", fetch_body) == b"body"


async def test_authors_may_use_the_same_keys_in_different_files():
    """Also a key that is the source of a built-in scheme."""
    schemes = [f"keys{number}" for number in range(2)]
    made = [
        define_loaders(
            f"keys{number}.py",
            f"""
            import numpy as np
            from pyloader import Image, register_loader

            @register_loader("{scheme}")
            async def load(image_id, context):
                async def make(context):
                    return np.full((2, 2), {number}, "u1")
                return Image.from_array(await context.cached("volume", make))
            """,
        )
        for number, scheme in enumerate(schemes)
    ]
    try:
        assert made == [[scheme] for scheme in schemes]
        context = Context(Network(MemoryTransport({})), Cache(1 << 20))
        images = [await load_image(f"{scheme}:a", context) for scheme in schemes]
        assert [int(image.pixels[0, 0]) for image in images] == [0, 1]
    finally:
        for number in range(2):
            loaders.schemes.drop(f"keys{number}.py")
            sys.modules.pop(f"keys{number}.py")
