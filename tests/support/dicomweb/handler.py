"""The wire: requests are read, and answers sent in their way, with CORS and a record of both."""

from __future__ import annotations

import math
import re
import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Protocol
from urllib.parse import unquote

from tests.support.dicomweb.answers import Answer, Request

PREFIX = re.compile(r"(?P<cors>/plain-cors|/nocors)?(?:/quirk/(?P<quirk>[^/?]+))?(?=/)")
ALLOWED = "Accept, Authorization, Content-Type, Range, X-Token"
EXPOSED = "Content-Range, Content-Length, ETag, Retry-After, Accept-Ranges, Content-Location"
SLICE = 1 << 16


@dataclass
class Exchange:
    """One request and what became of its answer.

    Attributes
    ----------
    path : str
        The path with its query.
    status : int
        0 when there was no answer.
    sent : int
        Bytes of the body that went out, without chunked framing.
    whole : bool
        Whether all of the answer went out.
    closed : bool
        Whether the client hung up before; one that does after the last byte is not seen.
    ended : bool
        Whether the server is done with it.
    is_faulty : bool
        Whether the answer was one of `random_faults`.
    began, finished : float
        Seconds of one clock.
    """

    method: str
    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0
    whole: bool = False
    closed: bool = False
    ended: bool = False
    is_faulty: bool = False
    began: float = field(default_factory=time.monotonic)
    finished: float = math.inf


class Server(Protocol):
    """The part of a server that a handler needs."""

    def note(self, exchange: Exchange) -> int:
        """Log a request and return how often its address was asked before."""
        ...

    def answer(self, request: Request, quirk: str | None) -> Answer:
        """Answer a request, with a quirk when there is one."""
        ...


class Handler(BaseHTTPRequestHandler):
    """Answer one connection's requests."""

    answerer: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_OPTIONS(self) -> None:
        """Answer a preflight."""
        cors = cors_headers(self.path, self.headers.get("Origin"))
        if cors:
            cors["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
            cors["Access-Control-Allow-Headers"] = "" if is_plain(self.path) else ALLOWED
        self.send_head(Answer(204), cors)

    def do_GET(self) -> None:
        """Answer, and note what the client took."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        exchange = Exchange(self.command, self.path, headers)
        earlier = self.answerer.note(exchange)
        try:
            request, quirk = self.read_request(headers, earlier)
            self.deliver(self.answerer.answer(request, quirk), exchange)
        except (ConnectionError, TimeoutError):
            exchange.closed = self.close_connection = True
        finally:
            exchange.finished = time.monotonic()
            exchange.ended = True

    do_HEAD = do_GET
    do_POST = do_GET

    def read_request(self, headers: dict[str, str], earlier: int) -> tuple[Request, str | None]:
        """Take a request apart, and return the name of its quirk."""
        path, _, query = self.path.partition("?")
        prefix = PREFIX.match(path)
        start = prefix[0] if prefix else ""
        request = Request(
            method=self.command,
            origin=f"http://{headers.get('host', '127.0.0.1')}",
            prefix=start,
            path=unquote(path.removeprefix(start)),
            query=query,
            headers=headers,
            body=self.rfile.read(int(headers.get("content-length", 0))),
            earlier=earlier,
        )
        return request, prefix["quirk"] if prefix else None

    def deliver(self, answer: Answer, exchange: Exchange) -> None:
        """Send an answer in its way."""
        how = answer.delivery
        exchange.is_faulty = "X-Fault" in answer.headers
        self.wait(how.delay)
        if not how.answers:
            self.close_connection = True
            return
        exchange.status = answer.status
        self.send_head(answer, cors_headers(self.path, self.headers.get("Origin")))
        if self.command != "HEAD":
            self.send_body(answer, exchange)
        exchange.whole = how.stop_after is None

    def send_head(self, answer: Answer, cors: Mapping[str, str]) -> None:
        """Send the status and the headers."""
        headers = {"Cache-Control": "no-store", **cors, **answer.headers}
        framing = answer.delivery.framing
        if framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif framing == "close":
            headers["Connection"] = "close"
        elif answer.status != 204:
            headers["Content-Length"] = str(answer.body.size)
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_body(self, answer: Answer, exchange: Exchange) -> None:
        """Send the body, slice by slice."""
        is_chunked = answer.delivery.framing == "chunked"
        for piece in slices(answer):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            exchange.sent += len(piece)
            self.wait(answer.delivery.pause)
        if answer.delivery.stop_after is not None:
            self.close_connection = True
        elif is_chunked:
            self.wfile.write(b"0\r\n\r\n")

    def wait(self, seconds: float) -> None:
        """Pause, and raise when the client hangs up meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], left)
            if not readable:
                return
            if not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError("the client hung up")
            # Its next request is there already: select() would not wait.
            time.sleep(min(left, 0.02))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the server's log says it all."""


def slices(answer: Answer) -> Iterator[bytes]:
    """Cut a body into what is sent at a time, up to where its delivery stops."""
    how = answer.delivery
    size = max(1, -(-answer.body.size // how.slices)) if how.slices else SLICE
    left = sys.maxsize if how.stop_after is None else how.stop_after
    for chunk in answer.body.chunks():
        view = memoryview(chunk)[:left]
        left -= len(view)
        for start in range(0, len(view), size):
            yield bytes(view[start : start + size])


def is_plain(path: str) -> bool:
    """Tell whether a path belongs to what allows and exposes no headers."""
    return path.startswith("/plain-cors/")


def cors_headers(path: str, origin: str | None) -> dict[str, str]:
    """Return the headers that let another origin read an answer."""
    if path.startswith("/nocors/"):
        return {}
    allowed = {"Access-Control-Allow-Origin": origin or "*", "Vary": "Origin"}
    if is_plain(path):
        return allowed
    return allowed | {
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": EXPOSED,
    }
