"""Addresses that files and answers name: they lead to nowhere else."""

from __future__ import annotations

import http.server
import json
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from pyloader import Context, load_image
from pyloader.cache import Cache
from pyloader.dicomweb.address import Address
from pyloader.errors import FormatError, LoaderError, NetworkError, RequestError
from pyloader.network import Network
from pyloader.testing.memory import memory_context, requests_of
from pyloader.transport import Request, ignore_progress
from pyloader.transport.native import NativeTransport
from pyloader.transport.url import url_beside
from tests.support.palettes import PIXELS, palette_header

ELSEWHERE = [
    *("../a", "/a", "a/../../b", "..\\a", "a//b", "C:\\a", "a\tb", "a\nb", "a\x00b", "a\x7fb"),
    *("%2e%2e/a", "%2E%2E%2Fa", "a%2F..%2Fb", "%252e%252e/a", "a%5c..%5cb", "a%0ab", "a%00"),
    *(
        " a",
        "a ",
        "\u00a0a",
        "https://evil/a",
        "file:///etc/passwd",
        "javascript:1",
        "//evil/a",
        "",
    ),
]


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("url", ["https://host/f/a.hdr", "/f/a.hdr", "f/a.hdr", "file:///f/a.hdr"])
def test_names_that_lead_elsewhere_are_refused(url, name):
    with pytest.raises(FormatError, match="expected in the folder of"):
        url_beside(url, name)
    with pytest.raises(FormatError, match="expected in the folder of"):
        Context.url_beside(url, name)


@pytest.mark.parametrize(
    ("name", "path"),
    [("a b#c?d%.raw", "a%20b%23c%3Fd%25.raw"), ("x\\y.raw", "x/y.raw"), ("..a/b..", "..a/b..")],
)
def test_each_step_is_encoded(name, path):
    assert url_beside("https://host/f/a.hdr", name) == f"https://host/f/{path}"


def test_a_path_without_a_scheme_is_a_url_on_a_page(monkeypatch):
    assert Path(url_beside("/f/a.hdr", "a b#c")) == Path("/f/a b#c")
    monkeypatch.setattr("sys.platform", "emscripten")
    assert url_beside("/f/a.hdr", "a b#c") == "/f/a%20b%23c"


HEADERS = {
    "nrrd": "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: {}\n",
    "metaimage": "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = {}\n",
}


@pytest.mark.parametrize("name", ["../secret.raw", "https://evil/a.raw", "a\x01b.raw", "%2e%2e/a"])
@pytest.mark.parametrize("scheme", HEADERS)
async def test_headers_fetch_nothing_from_elsewhere(scheme, name):
    context = memory_context({"https://host/f/a": HEADERS[scheme].format(name).encode()})
    with pytest.raises(FormatError):
        await load_image(f"{scheme}:https://host/f/a?frame=1", context)
    assert {url for url, _ in requests_of(context)} == {"https://host/f/a"}


@pytest.mark.parametrize("path", ["../0", " 0", "0\t", "/0", "..%2f0", "https://evil/0"])
async def test_zarr_fetches_nothing_from_elsewhere(path):
    multiscales = [{"version": "0.4", "axes": ["z", "y", "x"], "datasets": [{"path": path}]}]
    answers = {
        "https://host/z/.zgroup": b'{"zarr_format": 2}',
        "https://host/z/.zattrs": json.dumps({"multiscales": multiscales}).encode(),
    }
    context = memory_context(answers)
    with pytest.raises(LoaderError):
        await load_image("zarr:https://host/z#z-1", context)
    asked = {url for url, _ in requests_of(context)}
    assert all(urlsplit(url).path.count("/") == 2 for url in asked), asked
    assert all(url.startswith("https://host/z/") for url in asked), asked


def test_a_link_out_of_the_folder_is_told(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "outside.raw").write_bytes(bytes(8))
    (tmp_path / "f/inside.raw").write_bytes(bytes(8))
    (tmp_path / "f/out.raw").symlink_to(tmp_path / "outside.raw")
    (tmp_path / "f/in.raw").symlink_to("inside.raw")
    header = str(tmp_path / "f/a.nhdr")
    with pytest.warns(UserWarning, match=r"is a link to .*outside\.raw', outside of the folder"):
        url_beside(header, "out.raw")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        url_beside(header, "in.raw")
        url_beside(header, "absent.raw")


# ------------------------------------------------------------------ bulk data


class Evil(http.server.ThreadingHTTPServer):
    """A DICOMweb service whose metadata name an address of bulk data, and which redirects."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.uri = ""
        self.location = ""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with metadata, frames, or a redirect."""

    server: Evil

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.server.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = bytes(512) if "/bulk/" in self.path else PIXELS.tobytes()
        body, kind = content, "application/octet-stream"
        if self.path.endswith("/metadata"):
            described = json.loads(HEADER.to_json())
            described["00281201"] = {"vr": "OW", "BulkDataURI": self.server.uri}
            body, kind = json.dumps([described]).encode(), "application/dicom+json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HEADER = palette_header("1.1")


@pytest.fixture
def evil() -> Iterator[Evil]:
    server = Evil()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def context() -> Context:
    """Return a context of plain Python."""
    return Context(Network(NativeTransport(), retries=0), Cache(1 << 26))


async def outcome(image_id: str) -> tuple[bytes, Exception | None]:
    """Return all that a load tells, and its error."""
    try:
        image = await load_image(image_id, context())
    except LoaderError as error:
        return str(error).encode(), error
    return np.asarray(image.pixels).tobytes(), None


async def test_bulk_data_by_http_are_read(evil):
    evil.uri = "bulk/1"
    image = await load_image(
        f"wadors:{evil.url}/studies/1/series/2/instances/1.1/frames/1", context()
    )
    assert image.pixels.shape == (4, 6, 3)


@pytest.mark.parametrize(
    "form", ["file://{}", "file://localhost{}", "{}", "FILE:{}", "ftp://127.0.0.1{}"]
)
async def test_a_server_reads_no_local_file(evil, tmp_path, form):
    secret = tmp_path / "secret"
    secret.write_bytes(b"s3cr3t" * 100)
    evil.uri = form.format(secret)
    image_id = f"wadors:{evil.url}/studies/1/series/2/instances/1.1/frames/1"
    told, error = await outcome(image_id)
    assert b"s3cr3t" not in told
    assert isinstance(error, RequestError | FormatError), error


@pytest.mark.parametrize("uri", ["a\\1", "a\tb", "a\x00", " a", "a\n", "\x7f", "a\x9f"])
def test_bulk_data_uris_that_programs_read_differently_are_refused(uri):
    address = Address.parse("https://host/studies/1/series/2/instances/3")
    with pytest.raises(FormatError, match="which is not a valid URI"):
        address.bulk_url(uri)


async def test_redirects_lead_to_http_alone(evil):
    moved = Request(f"{evil.url}/moved")
    evil.location = "ftp://127.0.0.1/a"
    with pytest.raises(
        NetworkError, match=r"it redirects to .*, which is not an http or https URL"
    ):
        await NativeTransport().send(moved, ignore_progress)
    for evil.location in ("file:///etc/passwd", "data:text/plain,a"):
        answer = await NativeTransport().send(moved, ignore_progress)
        assert (answer.status, answer.body) == (302, b"")  # the standard library stops there
    evil.location = f"{evil.url}/a"
    assert (await NativeTransport().send(moved, ignore_progress)).status == 200


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "/etc/passwd", "ftp://host/a", "http://host/a"]
)
async def test_an_answer_by_https_names_addresses_of_https(url):
    with pytest.raises(RequestError, match="may name only addresses of https"):
        await context().fetch(url, linked_from="https://host/metadata")
