"""Scripts and notebooks: loading without a context, through plain CPython's own transport."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyloader import (
    Context,
    Image,
    ImageId,
    list_image_ids,
    load_image,
    load_images,
    load_metadata,
    register_loader,
)
from pyloader.cache import Cache
from pyloader.errors import ImageIdError, LoaderError, NetworkError
from pyloader.load import default_context
from pyloader.loaders import schemes
from pyloader.network import Network
from pyloader.pixels.codecs import encode_png
from pyloader.transport import Request, Response, Transport, ignore_progress
from pyloader.transport.native import CHUNK_BYTES, NativeTransport
from tests.support import builders
from tests.support.contracts.transport import BODY, LARGE, Bucket, TransportContract, Trouble, send
from tests.support.dicomweb import DicomWebServer
from tests.support.webserver import WebServer

PIXELS = builders.ramp(16, 24)


@pytest.fixture
def path(tmp_path):
    """Return the path of a file of two frames."""
    path = tmp_path / "two frames.dcm"
    frames = np.stack([PIXELS, PIXELS[::-1]])
    path.write_bytes(builders.native(frames, NumberOfFrames=2, Modality="MR"))
    return path


async def test_path(path):
    assert np.array_equal((await load_image(f"wadouri:{path}")).pixels, PIXELS)


async def test_plain_path(path):
    for each in (str(path), path, path.as_uri()):
        assert np.array_equal((await load_image(each)).pixels, PIXELS)
        assert (await load_metadata(each))["general_series"]["modality"] == "MR"
    found = await load_image(f"{path}?frame=2")
    assert np.array_equal(found.pixels, PIXELS[::-1])


async def test_list_of_a_plain_path(path):
    listed = [f"wadouri:{path}?frame=1", f"wadouri:{path}?frame=2"]
    for each in (str(path), path, path.parent, str(path.parent)):
        assert await list_image_ids(each) == listed
    (path.parent / "a.png").write_bytes(encode_png(np.zeros((2, 3), "u1")))
    assert await list_image_ids(path.parent / "a.png") == [f"web:{path.parent}/a.png?frame=1"]


def test_many_plain_paths(path):
    first, second = load_images([path, f"{path}?frame=2"])
    assert np.array_equal(first.pixels, PIXELS)
    assert np.array_equal(second.pixels, PIXELS[::-1])
    (failed,) = load_images([path.parent / "no.dcm"], errors="return")
    assert isinstance(failed, ImageIdError)


async def test_relative_path(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert np.array_equal((await load_image(path.name)).pixels, PIXELS)
    assert len(await list_image_ids(".")) == 2


@pytest.mark.parametrize("wrong", ["no.dcm", "", Path("no/no.dcm")], ids=str)
async def test_path_where_nothing_is(wrong):
    for function in (load_image, load_metadata, list_image_ids):
        with pytest.raises(ImageIdError, match="has no scheme, and no such file exists"):
            await function(wrong)


@pytest.mark.parametrize("wrong", [5, None, b"a.dcm", ["a.dcm"]], ids=str)
async def test_imageid_that_is_no_text(wrong):
    with pytest.raises(ImageIdError, match=r"an imageId is a text, .* not"):
        await load_image(wrong)


async def test_path_is_nothing_for_a_loader_to_ask_for(path):
    @register_loader("other")
    async def load(image_id: ImageId, context: Context) -> Image:
        return await context.load(str(path))  # on a page there are no files

    with pytest.raises(ImageIdError, match="has no scheme"):
        await load_image("other:x")
    schemes.drop(__name__)


async def test_frame_of_a_path(path):
    assert np.array_equal((await load_image(f"wadouri:{path}?frame=2")).pixels, PIXELS[::-1])


async def test_file_url(path):
    image = await load_image(f"wadouri:{path.as_uri()}?frame=2")
    assert np.array_equal(image.pixels, PIXELS[::-1])


async def test_metadata_of_a_path(path):
    modules = await load_metadata(f"wadouri:{path}")
    assert modules["general_series"]["modality"] == "MR"


async def test_file_is_read_once_by_a_process(path):
    await load_image(f"wadouri:{path}")
    path.unlink()
    assert np.array_equal((await load_image(f"wadouri:{path}?frame=2")).pixels, PIXELS[::-1])


async def test_file_that_is_not_there(path, monkeypatch):
    monkeypatch.setattr("pyloader.network.FIRST_DELAY_SECONDS", 0)
    with pytest.raises(NetworkError, match="No such file") as caught:
        await load_image(f"wadouri:{path}.other")
    assert caught.value.image_id == f"wadouri:{path}.other"


@pytest.mark.parametrize("url", ["http://host/a b", "http://[::1", "http://host:port/", "\0"])
async def test_address_that_cannot_be_is_a_network_error(url):
    context = replace(default_context(), network=Network(NativeTransport(), retries=0))
    with pytest.raises(NetworkError, match="could not fetch"):
        await load_image(f"wadouri:{url}", context)


async def test_range_of_a_path_is_partial_content(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    request = Request(str(tmp_path / "a"), byte_range=(2, 5))
    answer = await NativeTransport().send(request, ignore_progress)
    assert (answer.status, answer.body) == (206, b"234")


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    """Serve answers that go wrong."""
    server = WebServer({})
    server.start()
    yield server
    server.stop()


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
async def test_address_of_a_file_that_is_not_there(tmp_path, address):
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
