"""The contract of `pyloader.transport.Transport`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pyloader.errors import NetworkError
from pyloader.transport import Progress, Request, Response, Transport, ignore_progress

BODY = bytes(range(256)) * 16


class TransportContract:
    """Inherit, and give the fixtures that raise here."""

    @pytest.fixture
    def transport(self) -> Transport:
        """Return the transport."""
        raise NotImplementedError

    @pytest.fixture
    def put(self) -> Callable[[str, bytes], str]:
        """Return a function that makes bytes available under a name, and tells their URL."""
        raise NotImplementedError

    @pytest.fixture
    def refused(self) -> str:
        """Return a URL that answers with status 404 and a text."""
        raise NotImplementedError

    @pytest.fixture
    def silent(self) -> str:
        """Return a URL that nobody answers."""
        raise NotImplementedError

    async def test_body_arrives_whole_as_bytes(self, transport, put):
        url = put("body", BODY)
        response = await send(transport, url)
        assert isinstance(response, Response)
        assert type(response.body) is bytes
        assert (response.status, response.body, response.url) == (200, BODY, url)

    async def test_empty_body(self, transport, put):
        response = await send(transport, put("empty", b""))
        assert (response.status, response.body) == (200, b"")

    async def test_header_names_are_lower_case(self, transport, put):
        for name in (await send(transport, put("body", BODY))).headers:
            assert name == name.lower()

    async def test_progress_grows_to_the_size_of_the_body(self, transport, put):
        reports: list[tuple[int, int | None]] = []
        url = put("body", BODY)
        await send(transport, url, lambda loaded, total: reports.append((loaded, total)))
        assert reports == sorted(reports)
        assert reports[-1] == (len(BODY), len(BODY))

    async def test_range_is_cut_out_or_ignored(self, transport, put):
        """As in HTTP: 206 tells the part from the whole (RFC 9110 14.2)."""
        request = Request(put("body", BODY), byte_range=(300, 310))
        response = await transport.send(request, ignore_progress)
        expected = {200: BODY, 206: BODY[300:310]}
        assert response.body == expected[response.status]

    async def test_refusal_is_an_answer(self, transport, refused):
        response = await send(transport, refused)
        assert response.status == 404
        assert response.headers["content-type"].startswith("text/plain")
        assert response.body

    async def test_no_answer_is_a_network_error(self, transport, silent):
        with pytest.raises(NetworkError, match=f"could not fetch {silent}: .") as caught:
            await send(transport, silent)
        assert caught.value.url == silent

    async def test_requests_do_not_mix(self, transport, put):
        bodies = [bytes([number]) * 1000 for number in range(8)]
        urls = [put(f"body-{body[0]}", body) for body in bodies]
        responses = await asyncio.gather(*[send(transport, url) for url in urls])
        assert [response.body for response in responses] == bodies


async def send(transport: Transport, url: str, progress: Progress = ignore_progress) -> Response:
    """Ask for the whole of `url`."""
    return await transport.send(Request(url), progress)
