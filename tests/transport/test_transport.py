"""The transports that run under CPython; `web/worker/fetch.js` has its own tests."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from pyloader import Context
from pyloader.cache import Cache
from pyloader.errors import LoaderError, NetworkError
from pyloader.network import Network
from pyloader.transport import Request, Response, Transport, ignore_progress
from pyloader.transport.memory import MemoryTransport
from pyloader.transport.native import CHUNK_BYTES, NativeTransport
from tests.support.contracts.transport import BODY, LARGE, Bucket, TransportContract, Trouble, send
from tests.support.dicomweb import DicomWebServer
from tests.support.webserver import WebServer


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    """Serve answers that go wrong."""
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
    def put(self, dicomweb_server: DicomWebServer) -> Callable[[str, bytes], str]:
        dicomweb_server.clear()
        return lambda name, body: dicomweb_server.url + dicomweb_server.put(f"/{name}", body)

    @pytest.fixture
    def refused(self, dicomweb_server: DicomWebServer) -> str:
        return f"{dicomweb_server.url}/nothing"

    @pytest.fixture
    def silent(self) -> Iterator[str]:
        with socket.socket() as taken:  # bound, but nobody listens
            taken.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{taken.getsockname()[1]}/a"

    async def test_headers_and_range_are_sent(self, transport, put, dicomweb_server):
        url = put("headers", BODY)
        request = Request(url, {"Accept": "a/b", "X-Token": "abc"}, (2, 5))
        assert (await transport.send(request, ignore_progress)).body == BODY[2:5]
        (seen,) = dicomweb_server.log
        assert (seen.headers["accept"], seen.headers["x-token"]) == ("a/b", "abc")
        assert seen.headers["range"] == "bytes=2-4"

    async def test_range_to_the_end_is_sent_open(self, transport, put, dicomweb_server):
        await transport.send(Request(put("open", BODY), byte_range=(7, None)), ignore_progress)
        (seen,) = dicomweb_server.log
        assert seen.headers["range"] == "bytes=7-"

    async def test_no_range_is_no_header(self, transport, put, dicomweb_server):
        await send(transport, put("whole", BODY))
        (seen,) = dicomweb_server.log
        assert "range" not in seen.headers

    @pytest.mark.parametrize(
        "make_sink", [lambda: Bucket(enough=1), lambda: Trouble("feed"), lambda: Trouble("begin")]
    )
    async def test_sink_that_takes_no_more_ends_the_request(
        self, transport, put, dicomweb_server, make_sink
    ):
        request = Request(put("large", LARGE * 10))
        with suppress(LoaderError):
            await transport.send(request, ignore_progress, make_sink())
        assert dicomweb_server.settle()
        (seen,) = dicomweb_server.log
        assert seen.closed
        assert seen.sent < 10 * len(LARGE)

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
        context = Context(Network(NativeTransport(), retries=1), Cache(100))
        assert (await context.fetch(url)).body == BODY
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

    async def test_cancelled_task_does_not_wait_for_the_body(self, transport):
        """The server keeps the body back until the task has ended, or gives up."""
        ended = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            serving = asyncio.create_task(asyncio.to_thread(hold_back, server, ended))
            begun = Begun()
            task = asyncio.create_task(transport.send(Request(url), ignore_progress, begun))
            await begun.event.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            ended.set()
            assert await serving, "the event loop stood still until the server gave up"


class Begun(Bucket):
    """A sink that tells when it has been given the header."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def begin(self, response: Response) -> bool:
        """Tell."""
        self.event.set()
        return super().begin(response)


def hold_back(server: socket.socket, ended: threading.Event) -> bool:
    """Answer with a header alone; tell whether `ended` came before patience did."""
    connection, _ = server.accept()
    with connection:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        return ended.wait(2)


# ------------------------------------------------------------------ redirects

SECRETS = {"Authorization": "Bearer good", "X-Token": "good", "Accept": "a/b"}


async def follow(server: DicomWebServer, redirect: str) -> tuple[Response, dict[str, str]]:
    """Ask for what has moved, and return the answer and the headers of the second request."""
    server.clear()
    url = f"{server.url}/quirk/{redirect}" + server.put("/moved", BODY)
    response = await NativeTransport().send(Request(url, SECRETS, (2, 5)), ignore_progress)
    first, second = server.log
    assert first.headers["authorization"] == "Bearer good"
    return response, second.headers


async def test_redirect_to_another_origin_leaves_behind_who_asks(dicomweb_server):
    response, headers = await follow(dicomweb_server, "redirect-other")
    assert response.url == f"{dicomweb_server.other_origin}/moved"
    assert not {"authorization", "x-token"} & headers.keys()
    assert (headers["accept"], headers["range"]) == ("a/b", "bytes=2-4")
    assert response.body == BODY[2:5]


async def test_redirect_on_the_same_origin_keeps_all(dicomweb_server):
    response, headers = await follow(dicomweb_server, "redirect-same")
    assert response.url == f"{dicomweb_server.url}/moved"
    assert (headers["authorization"], headers["x-token"]) == ("Bearer good", "good")
    assert (headers["accept"], headers["range"]) == ("a/b", "bytes=2-4")
    assert response.body == BODY[2:5]


# ------------------------------------------------------------------ lengths


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "10"}, 10),
        ({"content-length": "0"}, 0),
        ({"content-length": "10", "content-encoding": "gzip"}, None),
        ({"content-length": ""}, None),
        ({"content-length": "ten"}, None),
        ({"content-length": "-1"}, None),
        ({"content-length": "\xb2"}, None),  # a digit to str.isdigit(), no number to int()
        ({}, None),
    ],
)
def test_length_that_is_told(headers, length):
    assert Response("https://host/a", 200, headers, b"").length == length


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [
        (None, {}),
        ((0, 10), {"Range": "bytes=0-9"}),
        ((5, 6), {"Range": "bytes=5-5"}),
        ((5, None), {"Range": "bytes=5-"}),
    ],
)
def test_header_that_asks_for_a_range(byte_range, expected):
    assert Request("https://host/a", byte_range=byte_range).range_header == expected


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


@pytest.mark.parametrize(
    ("asked", "status", "told", "body"),
    [
        ((0, 10), 206, "bytes 0-9/4096", BODY[:10]),
        ((4000, 5000), 206, "bytes 4000-4095/4096", BODY[4000:]),
        ((4090, None), 206, "bytes 4090-4095/4096", BODY[4090:]),
        ((4096, None), 416, None, b""),
        ((5000, 6000), 416, None, b""),
    ],
)
async def test_range_of_a_path_is_answered_as_a_server_does(tmp_path, asked, status, told, body):
    path = tmp_path / "a.dcm"
    path.write_bytes(BODY)
    response = await NativeTransport().send(Request(str(path), byte_range=asked), ignore_progress)
    assert (response.status, response.body) == (status, body)
    if told:
        assert response.headers["content-range"] == told
