"""A client of the standard library alone, for the tests of the servers themselves."""

from __future__ import annotations

import email
import http.client
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.dicomweb.server import DicomWebServer

FRAMES = 'multipart/related; type="application/octet-stream"'
ORIGINAL = f"{FRAMES}; transfer-syntax=*"
# One frame of 16 bits; 30 of JPEG; 15 of 32 bits, big endian; two of RLE, in RGB.
CT = "CT_small.dcm"
COLOR = "examples_ybr_color.dcm"
BIG = "rtdose_expb.dcm"
RLE = "SC_rgb_rle_2frame.dcm"


@dataclass
class Reply:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def parts(self) -> list[tuple[dict[str, str], bytes]]:
        """Headers, with names in lower case, and bodies, as the standard library splits them."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + self.body)
        assert message.is_multipart(), self.body[:200]
        _, *parts = message.walk()
        return [(lower(part.items()), bytes(part.get_payload(decode=True))) for part in parts]

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the parts."""
        return [body for _, body in self.parts]


def lower(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by names in lower case."""
    return {name.lower(): value for name, value in items}


def ask(
    url: str, accept: str = "*/*", method: str = "GET", body: bytes = b"", **headers: str
) -> Reply:
    """Ask on a connection of its own; underscores in names of headers stand for hyphens."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body or None, {"Accept": accept} | named)
        answer = connection.getresponse()
        return Reply(answer.status, lower(answer.getheaders()), answer.read())
    finally:
        connection.close()


def hang_up(url: str, after: float) -> None:
    """Send a request and close the connection after some seconds."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        connection.sendall(head.encode())
        time.sleep(after)


@dataclass
class Served:
    """Our server with a few files."""

    server: DicomWebServer
    paths: dict[str, str]

    def at(self, name: str, tail: str = "", quirk: str = "") -> str:
        """Return the address of an instance, or below."""
        root = f"{self.server.url}{quirk and f'/quirk/{quirk}'}/dicomweb"
        return root + self.paths[name] + tail

    def frames(
        self, quirk: str, name: str = RLE, numbers: str = "1,2", accept: str = ORIGINAL
    ) -> Reply:
        """Ask for frames in spite of a quirk."""
        return ask(self.at(name, f"/frames/{numbers}", quirk), accept)


def file_of(served: Served, name: str) -> str:
    """Return the address of a file."""
    sop = served.paths[name].rpartition("/")[2]
    return f"{served.server.url}/files/{sop}.dcm"
