"""A server that is quick enough not to be what is measured, or as slow as a given link.

As an ordinary static host it has validators (``no-cache`` and ETag), ranges, and gzip; brotli when
the build has written it beside a file.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
import threading
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/wasm", ".wasm")
PIECE_BYTES = 16 << 10
# What is worth compressing: the others are compressed already.
PACKED = (".whl", ".zip", ".gz", ".png", ".br", ".dcm", ".nii")


@dataclass(frozen=True, slots=True)
class Served:
    """One answer: what was asked for, and the bytes of its body on the wire."""

    path: str
    status: int
    size: int


@dataclass(frozen=True, slots=True)
class Link:
    """The way to the server.

    Attributes
    ----------
    bits_per_second : float
        Of all answers together.
    delay : float
        Seconds from a request to the first byte of its answer.
    """

    bits_per_second: float
    delay: float


@dataclass
class BenchServer:
    """Serves folders by path prefix, and bodies that were made, on a free port.

    Attributes
    ----------
    roots : dict of str to Path
    made : dict of str to bytes
        By path.
    served : list of Served
        Since it was last emptied.
    """

    roots: dict[str, Path]
    made: dict[str, bytes] = field(default_factory=dict)
    link: Link | None = None
    compresses: bool = False
    served: list[Served] = field(default_factory=list)
    free_at: float = 0.0
    transports: set[asyncio.Transport] = field(default_factory=set)

    def start(self) -> None:
        """Serve until `stop`."""
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        # In the thread of its own: Playwright has a loop in this one.
        opening = self.loop.create_server(lambda: Connection(self), "127.0.0.1", 0)
        self.server = asyncio.run_coroutine_threadsafe(opening, self.loop).result()
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Close the port and its connections."""
        self.loop.call_soon_threadsafe(self._close)
        self.thread.join()
        self.loop.close()

    def _close(self) -> None:
        self.server.close()
        for transport in self.transports:
            transport.abort()
        # What closes them is called before this.
        self.loop.call_soon(self.loop.stop)

    def find(self, path: str, encodings: str) -> tuple[bytes, dict[str, str]] | None:
        """Return the body at a path, and what is said of it."""
        if path in self.made:
            return self.made[path], {}
        for prefix, root in self.roots.items():
            file = root / path.removeprefix(prefix)
            if path.startswith(prefix) and file.is_file():
                body, encoding = self._encoded(file, encodings)
                return body, {"ETag": tag_of(file), **encoding}
        return None

    def _encoded(self, file: Path, encodings: str) -> tuple[bytes, dict[str, str]]:
        written = file.with_name(f"{file.name}.br")
        if self.compresses and "br" in encodings and written.is_file():
            return read(written), {"Content-Encoding": "br"}
        if self.compresses and "gzip" in encodings and file.suffix not in PACKED:
            return packed(file), {"Content-Encoding": "gzip"}
        return read(file), {}


@cache
def read(file: Path) -> bytes:
    """Return a file, read once."""
    return file.read_bytes()


@cache
def packed(file: Path) -> bytes:
    """Return a file in gzip."""
    return gzip.compress(read(file), 9)


@cache
def tag_of(file: Path) -> str:
    """Return the ETag of a file."""
    return f'"{sha256(read(file)).hexdigest()[:16]}"'


class Connection(asyncio.Protocol):
    """Answers GET, one request after the other."""

    def __init__(self, site: BenchServer) -> None:
        self.site = site
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.site.transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the way back."""
        self.site.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer when a whole head has come."""
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            fields = (line.partition(":") for line in lines)
            self.answer(
                first.split()[1], {name.lower(): value.strip() for name, _, value in fields}
            )

    def answer(self, target: str, wanted: dict[str, str]) -> None:
        """Send what stands at an address."""
        path = target.partition("?")[0]
        found = self.site.find(path, wanted.get("accept-encoding", ""))
        if found is None:
            self.send(path, 404, b"", {})
            return
        body, said = found
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        headers = {"Content-Type": kind, "Accept-Ranges": "bytes", **said}
        if "ETag" in said and wanted.get("if-none-match") == said["ETag"]:
            self.send(path, 304, b"", headers)
        elif wanted.get("range", "").startswith("bytes=") and "Content-Encoding" not in said:
            self.send_part(path, body, headers, wanted["range"])
        else:
            self.send(path, 200, body, headers)

    def send_part(self, path: str, body: bytes, headers: dict[str, str], asked: str) -> None:
        """Send a range of the form ``bytes=first-last``."""
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last or len(body)) + 1, len(body))
        told = {"Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}
        self.send(path, 206, body[start:stop], headers | told)

    def send(self, path: str, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Write an answer, at the pace of the link."""
        self.site.served.append(Served(path, status, len(body)))
        told = {"Cache-Control": "no-cache", "Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        head = f"HTTP/1.1 {status} so\r\n{lines}\r\n".encode("latin-1")
        link = self.site.link
        if link is None:
            self.transport.write(head)
            self.transport.write(body)
        else:
            self.site.loop.call_later(link.delay, self.transport.write, head)
            self.site.loop.call_later(link.delay, self.pace, memoryview(body), link)

    def pace(self, rest: memoryview, link: Link) -> None:
        """Write the next piece, when the link has room for it."""
        if not rest or self.transport.is_closing():
            return
        now = self.site.loop.time()
        piece = rest[:PIECE_BYTES]
        seconds = len(piece) * 8 / link.bits_per_second
        self.site.free_at = max(self.site.free_at, now) + seconds
        self.site.loop.call_later(self.site.free_at - now, self.write_on, rest, link)

    def write_on(self, rest: memoryview, link: Link) -> None:
        """Write a piece, and go on behind it."""
        self.transport.write(rest[:PIECE_BYTES])
        self.pace(rest[PIECE_BYTES:], link)
