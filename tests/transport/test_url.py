"""URLs of plain Python, as Chromium writes them (`new URL(text).href`)."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from pyloader import load_image
from pyloader.errors import NetworkError
from pyloader.transport import Request, ignore_progress
from pyloader.transport.native import NativeTransport
from pyloader.transport.url import encode_url
from tests.support import builders

PATHS = {
    "a b.nii": "a%20b.nii",
    "größe.nii": "gr%C3%B6%C3%9Fe.nii",
    "日本/語.dcm?q=日本": "%E6%97%A5%E6%9C%AC/%E8%AA%9E.dcm?q=%E6%97%A5%E6%9C%AC",
    "a%20b": "a%20b",
    "%C3%A9é": "%C3%A9%C3%A9",
    "100%.nii": "100%.nii",
    "a%zz": "a%zz",
    "a#b.nii": "a",
    "a?x#y z": "a?x",
    "a?b c=ü'<>\"|^`{}[]\\": "a?b%20c=%C3%BC%27%3C%3E%22|^`{}[]\\",
    "x^y`{}[]\\w\"<>'": "x%5Ey%60%7B%7D[]/w%22%3C%3E'",
    "~!$&'()*+,;=:@": "~!$&'()*+,;=:@",
    "a/../b/./c": "b/c",
    "a/%2e%2e/b/.%2E/c": "c",
    "a/..": "",
    "a//b": "a//b",
    "  a ": "%20%20a",
    "a\tb\nc": "abc",
    "\x7f": "%7F",
}
HOSTS = {
    "http://Bücher.example/": "http://xn--bcher-kva.example/",
    "http://xn--bcher-kva.example/": "http://xn--bcher-kva.example/",
    "http://h%C3%BC.de/": "http://xn--h-eha.de/",
    "http://straße.de/": "http://xn--strae-oqa.de/",
    "http://faß.ẞ.de/": "http://xn--fa-hia.xn--zca.de/",
    "http://ΟΔΟΣ.gr/": "http://xn--pxavbq.gr/",
    "http://日本。jp/": "http://xn--wgv71a.jp/",
    "http://\ufb00.de/": "http://ff.de/",
    "HTTPS://H.de?q=ä": "https://h.de/?q=%C3%A4",
    "http:\\\\h.de\\x": "http://h.de/x",
    "http://h.de:8080": "http://h.de:8080/",
    "http://[::1]:8080/ä": "http://[::1]:8080/%C3%A4",
    "http://user@h.de/ä": "http://user@h.de/%C3%A4",
}


NO_HOSTS = ["good.com%2f.evil.com", "a%40b.com", "h%3a99", "a%25b", "a%5cb", "a%00b", "a b", "a<b"]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_hosts_that_encoding_would_make_of_others_are_refused(host):
    with pytest.raises(ValueError, match="is not a host"):
        encode_url(f"http://{host}/x")


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_paths_are_written_as_browsers_do(path, expected):
    assert encode_url(f"http://h/{path}") == f"http://h/{expected}"


@pytest.mark.parametrize(("url", "expected"), HOSTS.items())
def test_hosts_are_written_as_browsers_do(url, expected):
    assert encode_url(url) == expected


@pytest.mark.parametrize("url", [*(f"http://h/{path}" for path in PATHS), *HOSTS])
def test_what_is_encoded_is_not_encoded_again(url):
    assert encode_url(encode_url(url)) == encode_url(url)


# ------------------------------------------------------------------ what is sent


class Site(http.server.ThreadingHTTPServer):
    """A server of one file that notes the targets it is asked for."""

    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the file; below ``/moved/`` with a redirect, as servers misspell them."""

    server: Site

    def log_message(self, *_: object) -> None:
        """Be silent."""

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)
        is_moved = self.path.startswith("/moved/")
        self.send_response(302 if is_moved else 200)
        if is_moved:
            self.send_header("Location", "/größe 1.dcm".encode().decode("latin-1"))
        body = b"" if is_moved else self.server.body
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve a DICOM file."""
    server = Site(builders.native(builders.ramp(4, 6)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("prefix", ["wadouri:", "dicomweb:"])
async def test_scheme_sends_an_encoded_address(site, prefix):
    image = await load_image(f"{prefix}{site.url}/größe 1.dcm")
    assert image.pixels.shape == (4, 6)
    assert site.asked == ["/gr%C3%B6%C3%9Fe%201.dcm"]


async def test_redirect_is_encoded(site):
    url = f"{site.url}/moved/a"
    response = await NativeTransport().send(Request(url), ignore_progress)
    assert response.url == f"{site.url}/gr%C3%B6%C3%9Fe%201.dcm"
    assert site.asked[1:] == ["/gr%C3%B6%C3%9Fe%201.dcm"]


async def test_host_that_cannot_be_is_a_network_error():
    with pytest.raises(NetworkError, match="could not fetch"):
        await NativeTransport().send(Request("http://a b/ä"), ignore_progress)
