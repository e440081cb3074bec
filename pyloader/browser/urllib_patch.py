"""`urllib.request` in a page, where Python has no sockets: the browser sends, and Python waits.

pyodide-http does the sending; the first request fetches it. Only the opening of connections is
replaced: redirects, errors for a status, handlers and openers stay those of the standard library.
`requests` and `urllib3` need no patch: they detect the browser themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.error import URLError

PATCHED = "urllib.request"
# Headers that browsers set themselves; they log an error when anybody else sets them.
FORBIDDEN = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})
# Headers about the bytes on the wire, which the browser has decoded.
OF_THE_WIRE = frozenset({"connection", "content-encoding", "content-length", "transfer-encoding"})


def enable(bring: Callable[[], object]) -> None:
    """Make `urllib.request` send through the browser, as soon as it is imported.

    Parameters
    ----------
    bring : callable
        Makes `pyodide_http` importable; called before each request.
    """
    if PATCHED in sys.modules:
        patch(sys.modules[PATCHED], bring)
    else:
        sys.meta_path.insert(0, Watcher(bring))


class Watcher(MetaPathFinder):
    """Waits for the import of `urllib.request`, which is too slow to do in advance."""

    def __init__(self, bring: Callable[[], object]) -> None:
        self.bring = bring

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module as usual, with a loader that patches it."""
        if fullname != PATCHED:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        spec.loader = PatchingLoader(spec.loader, self.bring)
        return spec


class PatchingLoader(Loader):
    """Loads `urllib.request` with its own loader, then patches it."""

    def __init__(self, loader: Loader, bring: Callable[[], object]) -> None:
        self.loader = loader
        self.bring = bring

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave this to the module's own loader."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then patch it."""
        self.loader.exec_module(module)
        patch(module, self.bring)


def patch(request_module: ModuleType, bring: Callable[[], object]) -> None:
    """Replace how `urllib.request` opens http, and add https, which is missing without ssl."""

    def open_url(_handler: object, request: Any) -> HTTPResponse:
        bring()
        return send(request)

    opener = request_module.HTTPHandler
    opener.http_open = opener.https_open = open_url
    opener.https_request = request_module.AbstractHTTPHandler.do_request_


def send(request: Any) -> HTTPResponse:
    """Send a `urllib.request.Request`, and return the response, whatever its status.

    Raises
    ------
    URLError
        No response that the page may read, or an incomplete one.
    """
    from pyodide_http import _core as pyodide_http

    headers = {
        name: value for name, value in request.header_items() if name.lower() not in FORBIDDEN
    }
    sent = pyodide_http.Request(
        request.get_method(), request.full_url, body=body_of(request.data), headers=headers
    )
    if isinstance(request.timeout, int | float):
        sent.timeout = request.timeout
    try:
        received = pyodide_http.send(sent)
    except Exception as error:
        # The browser may throw anything; its message is the only information.
        raise no_response(str(error)) from error
    if not received.status_code:  # a failure in Firefox
        raise no_response("the browser gives no status")
    return response_of(request, received)


def no_response(words: str) -> URLError:
    """Return the error of a request without a response."""
    from urllib.error import URLError

    return URLError(
        f"{words} (no response, or one that its server does not let this page read: "
        "Access-Control-Allow-Origin)"
    )


def body_of(content: Any) -> bytes | None:
    """Return the body of a request as bytes; it may be a file, or an iterable of bytes."""
    if content is None or isinstance(content, bytes):
        return content
    return bytes(content.read() if hasattr(content, "read") else b"".join(content))


def response_of(request: Any, received: Any) -> HTTPResponse:
    """Return pyodide-http's response as one of `http.client`."""
    from http.client import HTTPResponse, responses
    from urllib.error import URLError

    headers = {name.lower(): value for name, value in received.headers.items()}
    length = None if "content-encoding" in headers else headers.get("content-length")
    is_head = request.get_method() == "HEAD"
    if length is not None and not is_head and int(length) != len(received.body):
        raise URLError(
            f"{len(received.body)} bytes arrived of {length}. On the page itself (workers: 0) "
            "browsers give text only, and change a body that begins with a byte order mark: "
            "use a worker, or context.fetch"
        )
    kept = {name: value for name, value in headers.items() if name not in OF_THE_WIRE}
    kept["content-length"] = str(len(received.body)) if not is_head else length or "0"
    # Browsers do not give the reason phrase of a status.
    status = f"HTTP/1.1 {received.status_code} {responses.get(received.status_code, '')}"
    lines = [status, *(f"{name}: {value}" for name, value in kept.items()), "", ""]
    head = "\r\n".join(lines).encode("latin-1", "replace")
    response = HTTPResponse(BufferSocket(head + received.body), method=request.get_method())  # type: ignore[arg-type]
    response.begin()
    # As urllib's own do_open does: HTTPError shows it.
    response.msg = response.reason  # type: ignore[assignment]
    response.url = request.full_url
    return response


class BufferSocket:
    """A stand-in for the socket from which `HTTPResponse` reads."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def makefile(self, mode: str) -> BytesIO:
        """Return a stream of the response."""
        return BytesIO(self.content)
