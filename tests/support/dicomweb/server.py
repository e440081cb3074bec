"""A strict DICOMweb server whose answers can go wrong, and which knows what its clients took.

It answers to 127.0.0.1 and to localhost, which are two origins to a browser. The start of a path
chooses how:

- ``/dicomweb/``, ``/wado``, ``/files/``: honest answers, open to all origins;
- ``/quirk/<name>/dicomweb/`` and so on: with one of `quirks`, or several joined by ``+``;
- ``/plain-cors/`` before any of these: others may read, but neither send nor see more headers;
- ``/nocors/`` before any of these: no CORS at all.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import ThreadingHTTPServer
from typing import Any

from tests.support.dicomweb import services
from tests.support.dicomweb.answers import Answer, Generated, Memory, Request, text
from tests.support.dicomweb.combine import Quirk
from tests.support.dicomweb.handler import Exchange, Handler
from tests.support.dicomweb.quirks import find_quirk
from tests.support.dicomweb.services import Site


@dataclass
class DicomWebServer:
    """The server, what it holds and what it was asked.

    Attributes
    ----------
    log : list of Exchange
        All requests but preflights, in the order of their arrival.
    failures : list of str
        Faults of the server itself: tests expect none.
    """

    site: Site = field(default_factory=Site)
    log: list[Exchange] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    quirks: dict[str, Quirk] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Serve on a free port until `stop`."""
        handler = type("Bound", (Handler,), {"answerer": self})
        self.server = Listener(("127.0.0.1", 0), handler)
        self.server.failures = self.failures
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """The server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_origin(self) -> str:
        """The same server under a name that makes it another origin."""
        return f"http://localhost:{self.port}"

    @property
    def dicomweb(self) -> str:
        """The root of the honest DICOMweb service."""
        return f"{self.url}/dicomweb"

    def store(self, body: bytes) -> str:
        """Keep a Part 10 file and return its path below a DICOMweb root.

        The file itself then stands at ``/files/<SOP Instance UID>.dcm``.
        """
        return self.site.archive.store(body).path

    def put(self, path: str, body: bytes) -> str:
        """Serve `body` at `path`, which begins as none of the services do, and return the path."""
        self.site.files[path] = Memory(body)
        return path

    def put_large(
        self, path: str, header: bytes, frame: Callable[[int], bytes], frames: int
    ) -> str:
        """Serve a file of a header and frames that are made when they are asked for."""
        self.site.files[path] = Generated(header, frame, frames)
        return path

    def tally(self, prefix: str = "/") -> tuple[int, int]:
        """Count the requests of paths that begin so, and the bytes of the bodies sent."""
        found = [exchange for exchange in list(self.log) if exchange.path.startswith(prefix)]
        return len(found), sum(exchange.sent for exchange in found)

    def clear(self) -> None:
        """Forget what was asked, also for the quirks that happen once for each address."""
        with self.lock:
            self.log.clear()
            self.asked.clear()
            self.quirks.clear()

    def settle(self, seconds: float = 5) -> bool:
        """Wait until no answer is under way, and tell whether that came true."""
        deadline = time.monotonic() + seconds
        while not all(exchange.ended for exchange in list(self.log)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def note(self, exchange: Exchange) -> int:
        """Log a request and return how often its address was asked before."""
        with self.lock:
            self.log.append(exchange)
            address = (exchange.method, exchange.path)
            self.asked[address] += 1
            return self.asked[address] - 1

    def answer(self, request: Request, quirk: str | None) -> Answer:
        """Answer a request, with a quirk when there is one."""
        serve = partial(services.answer, self.site)
        try:
            if quirk is None:
                return serve(request)
            with self.lock:
                chosen = self.quirks.get(quirk) or find_quirk(quirk)
                self.quirks[quirk] = chosen
            return chosen(request, serve)
        except Exception as error:
            self.failures.append(traceback.format_exc())
            return text(500, f"the test server failed: {error}\n")


class Listener(ThreadingHTTPServer):
    """A socket server that notes faults, and takes a client that hangs up for none."""

    daemon_threads = True
    request_queue_size = 128
    failures: list[str]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note what a handler raised."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            self.failures.append(traceback.format_exc())
