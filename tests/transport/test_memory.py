"""The network in memory keeps the contract of transports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyloader.transport import Request, Response, ignore_progress
from pyloader.transport.memory import MemoryTransport
from tests.support.contracts.transport import BODY, TransportContract


class TestMemoryTransport(TransportContract):
    @pytest.fixture
    def transport(self) -> MemoryTransport:
        return MemoryTransport({})

    @pytest.fixture
    def put(self, transport: MemoryTransport) -> Callable[[str, bytes], str]:
        def keep(name: str, body: bytes) -> str:
            transport.answers[f"https://host/{name}"] = body
            return f"https://host/{name}"

        return keep

    @pytest.fixture
    def refused(self, transport: MemoryTransport) -> str:
        headers = {"content-type": "text/plain"}
        transport.answers["https://host/none"] = Response("https://host/none", 404, headers, b"no")
        return "https://host/none"

    @pytest.fixture
    def silent(self) -> str:
        return "https://nowhere/a"

    async def test_requests_are_noted_in_order(self, transport, put):
        url = put("body", BODY)
        requests = [Request(url), Request(url, {"Accept": "a/b"}, (0, 1))]
        for request in requests:
            await transport.send(request, ignore_progress)
        assert transport.requests == requests

    async def test_refusals_are_not_cut(self, transport, refused):
        response = await transport.send(Request(refused, byte_range=(0, 1)), ignore_progress)
        assert (response.status, response.body) == (404, b"no")
