"""The transports that run under CPython; `web/transport.js` has its own tests."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Callable, Iterator

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.errors import NetworkError
from pyloader.transport import Request, Response, Transport, ignore_progress
from pyloader.transport.memory import MemoryTransport
from pyloader.transport.native import CHUNK_BYTES, NativeTransport
from tests.contracts.transport import BODY, TransportContract, send
from tests.webserver import WebServer


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    """Serve what tests put there."""
    server = WebServer({})
    server.start()
    yield server
    server.stop()


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


class TestNativeTransport(TransportContract):
    @pytest.fixture
    def transport(self) -> Transport:
        return NativeTransport()

    @pytest.fixture
    def put(self, site: WebServer) -> Callable[[str, bytes], str]:
        return lambda name, body: site.url + site.put(f"/{name}", body)

    @pytest.fixture
    def refused(self, site: WebServer) -> str:
        return f"{site.url}/nothing"

    @pytest.fixture
    def silent(self) -> Iterator[str]:
        with socket.socket() as taken:  # bound, but nobody listens
            taken.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{taken.getsockname()[1]}/a"

    async def test_headers_and_range_are_sent(self, transport, put, site):
        url = put("headers", BODY)
        request = Request(url, {"Accept": "a/b", "X-Token": "abc"}, (2, 5))
        await transport.send(request, ignore_progress)
        (seen,) = site.asked("/headers")
        assert (seen.headers["accept"], seen.headers["x-token"]) == ("a/b", "abc")
        assert seen.headers["range"] == "bytes=2-4"

    async def test_no_range_is_no_header(self, transport, put, site):
        await send(transport, put("whole", BODY))
        (seen,) = site.asked("/whole")
        assert "range" not in seen.headers

    async def test_large_bodies_report_on_their_way(self, transport, put):
        reports: list[tuple[int, int | None]] = []
        body = bytes(3 * CHUNK_BYTES + 5)
        response = await transport.send(
            Request(put("large", body)), lambda *report: reports.append(report)
        )
        assert response.body == body
        assert [loaded for loaded, _ in reports] == [
            CHUNK_BYTES,
            2 * CHUNK_BYTES,
            3 * CHUNK_BYTES,
            len(body),
        ]
        assert {total for _, total in reports} == {len(body)}

    @pytest.mark.parametrize("status", [401, 500])
    async def test_status_of_a_refusal(self, transport, site, status):
        response = await send(transport, f"{site.url}/fault/{status}")
        assert (response.status, response.body) == (status, b"so it goes\n")

    async def test_connection_that_is_cut(self, transport, site):
        url = f"{site.url}/fault/drop"
        with pytest.raises(NetworkError, match=rf"{url}: .* closed after 1000 of 100000 bytes"):
            await send(transport, url)

    async def test_connection_that_is_cut_is_tried_again(self, site):
        site.put("/corpus/CT_small.dcm", BODY)
        url = f"{site.url}/fault/drop-once?tried"
        assert (await Context(NativeTransport(), Cache(100), retries=1).fetch(url)).body == BODY
        assert len(site.asked("/fault/drop-once")) == 2

    async def test_scheme_that_nobody_fetches(self, transport):
        with pytest.raises(NetworkError, match="unknown url type: blob"):
            await send(transport, "blob:abc")

    async def test_bytes_are_not_taken_for_text(self, transport, put):
        packed = gzip.compress(BODY)
        assert (await send(transport, put("a.gz", packed))).body == packed

    async def test_cancelled_task_ends_at_once(self, transport):
        asked, let_go = asyncio.Event(), asyncio.Event()

        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await let_go.wait()
            writer.close()

        async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            task = asyncio.create_task(send(transport, f"http://127.0.0.1:{port}/"))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            let_go.set()


# ------------------------------------------------------------------ files

FILES = [
    pytest.param(str, id="path"),
    pytest.param(lambda path: path.as_uri(), id="file URL"),
]


@pytest.mark.parametrize("address", FILES)
async def test_file(tmp_path, address):
    path = tmp_path / "a file.dcm"
    path.write_bytes(BODY)
    reports = []
    response = await NativeTransport().send(
        Request(address(path)), lambda *report: reports.append(report)
    )
    assert (response.status, response.body) == (200, BODY)
    assert reports[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize("address", FILES)
async def test_file_that_is_not_there(tmp_path, address):
    url = address(tmp_path / "nothing.dcm")
    with pytest.raises(NetworkError, match=r"nothing\.dcm: .*No such file"):
        await send(NativeTransport(), url)


async def test_folder_is_no_file(tmp_path):
    with pytest.raises(NetworkError, match="Is a directory"):
        await send(NativeTransport(), str(tmp_path))


async def test_range_of_a_path(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(BODY)
    request = Request(str(path), byte_range=(300, 310))
    assert (await NativeTransport().send(request, ignore_progress)).body == BODY[300:310]
