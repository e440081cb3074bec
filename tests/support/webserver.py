"""A real HTTP server for the browser tests: dist/, the corpus, and answers that go wrong.

It answers to 127.0.0.1 and to localhost, which are two origins to a browser. Every path but those
below ``/nocors/`` may be read from the other one.
"""

from __future__ import annotations

import mimetypes
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/wasm", ".wasm")
mimetypes.add_type("application/dicom", ".dcm")


# The policy that the documentation asks for, on the page and on every file of dist/.
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"


@dataclass
class Seen:
    """One request: its path and headers, and whether the client took the whole answer."""

    path: str
    headers: dict[str, str]
    whole: bool = False


@dataclass
class WebServer:
    """The server and what it was asked.

    Attributes
    ----------
    roots : dict of str to Path
        Folders by path prefix, the longest first.
    made : dict of str to bytes
        What tests put at a path themselves.
    policies : dict of str to str
        The Content-Security-Policy of the answer at a path.
    """

    roots: dict[str, Path]
    made: dict[str, bytes] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def start(self) -> None:
        """Serve on a free port until `stop`."""
        handler = type("Bound", (Handler,), {"site": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """The site."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_origin(self) -> str:
        """The same site under a name that makes it another origin."""
        return f"http://localhost:{self.port}"

    def put(self, path: str, body: bytes) -> str:
        """Serve `body` at `path` and return the path."""
        self.made[path] = body
        return path

    def asked(self, path: str) -> list[Seen]:
        """Return the requests of a path, whatever their query."""
        return [seen for seen in self.seen if seen.path.partition("?")[0] == path]

    def find(self, path: str) -> bytes | None:
        """Return what stands at a path."""
        if path in self.made:
            return self.made[path]
        for prefix, root in self.roots.items():
            if path.startswith(prefix):
                file = root / path.removeprefix(prefix)
                file = file / "index.html" if file.is_dir() else file
                return file.read_bytes() if file.is_file() else None
        return None


class Handler(BaseHTTPRequestHandler):
    """Answer one connection's requests."""

    site: WebServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_OPTIONS(self) -> None:
        """Answer a preflight."""
        self.reply(204, b"", {"Access-Control-Allow-Headers": "*, Authorization"})

    def do_GET(self) -> None:
        """Answer from the faults, what was made, or a folder."""
        seen = Seen(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.site.seen.append(seen)
        path = self.path.partition("?")[0].removeprefix("/nocors")
        with suppress(ConnectionError, TimeoutError):
            fault = FAULTS.get(path)
            if fault:
                fault(self)
            else:
                self.answer_file(path)
            seen.whole = not self.close_connection or fault is None

    def answer_file(self, path: str) -> None:
        """Answer with what stands at a path, or 404."""
        body = self.site.find(path)
        if body is None:
            self.reply(404, b"nothing here\n", {"Content-Type": "text/plain"})
        else:
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            self.reply(200, body, {"Content-Type": "text/html" if path.endswith("/") else kind})

    def reply(self, status: int, body: bytes, headers: dict[str, str], length: int = -1) -> None:
        """Send an answer; `length` announces another length than the body has."""
        path = self.path.partition("?")[0]
        self.send_response(status)
        if not self.path.startswith("/nocors"):
            self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cache-Control", "no-store")
        policy = POLICY if self.path.startswith("/csp/") else self.site.policies.get(path)
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `WebServer.seen` is the log."""


def drop(handler: Handler) -> None:
    """Announce 100,000 bytes, send 1,000 and close."""
    handler.reply(200, bytes(1000), {}, length=100_000)
    handler.close_connection = True
    handler.connection.close()


def drip(handler: Handler) -> None:
    """Send a slice of two megabytes every tenth of a second, until the client goes."""
    handler.reply(200, b"", {}, length=20 << 21)
    handler.close_connection = True
    for _ in range(20):
        handler.wfile.write(bytes(1 << 21))
        time.sleep(0.1)


def never(handler: Handler) -> None:
    """Take the request and say nothing for half a minute."""
    handler.close_connection = True
    time.sleep(30)


def status(code: int) -> Callable[[Handler], None]:
    """Return a fault that answers with a status."""
    return lambda handler: handler.reply(code, b"so it goes\n", {"Content-Type": "text/plain"})


def html(handler: Handler) -> None:
    """Answer as single-page applications do to any path."""
    handler.reply(200, b"<!DOCTYPE html><title>Log in</title>", {"Content-Type": "text/html"})


def once(fault: Callable[[Handler], None]) -> Callable[[Handler], None]:
    """Return a fault that each address with its query has once; then CT_small.dcm is there."""
    done: set[str] = set()

    def answer(handler: Handler) -> None:
        if handler.path in done:
            handler.answer_file("/corpus/CT_small.dcm")
        else:
            done.add(handler.path)
            fault(handler)

    return answer


FAULTS: dict[str, Callable[[Handler], None]] = {
    "/fault/401": status(401),
    "/fault/500": status(500),
    "/fault/busy-once": once(status(503)),
    "/fault/drip": drip,
    "/fault/drop": drop,
    "/fault/drop-once": once(drop),
    "/fault/empty": lambda handler: handler.reply(200, b"", {}),
    "/fault/html": html,
    "/fault/never": never,
}
