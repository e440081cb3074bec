"""`urllib.request` in a page, where Python has no sockets: the browser sends, and Python waits.

pyodide-http does the sending, and is brought by the first request. Only what opens a connection is
exchanged: redirections, errors for a status, handlers and openers stay those of the standard
library. `requests` and `urllib3` need nothing of this: they know by themselves where they are.
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
# Set by browsers themselves, which complain on their console when somebody else does it.
FORBIDDEN = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})
# Of the bytes on the wire, which the browser has decoded.
OF_THE_WIRE = frozenset({"connection", "content-encoding", "content-length", "transfer-encoding"})


def enable(bring: Callable[[], object]) -> None:
    """Have `urllib.request` send by the browser, as soon as somebody imports it.

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
    """Waits for the import of `urllib.request`, which takes too long to be done in advance."""

    def __init__(self, bring: Callable[[], object]) -> None:
        self.bring = bring

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module where it is, and patch it when it has run."""
        if fullname != PATCHED:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        spec.loader = PatchingLoader(spec.loader, self.bring)
        return spec


class PatchingLoader(Loader):
    """Loads `urllib.request` by another loader, and patches it."""

    def __init__(self, loader: Loader, bring: Callable[[], object]) -> None:
        self.loader = loader
        self.bring = bring

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave that to the other loader."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and patch it."""
        self.loader.exec_module(module)
        patch(module, self.bring)


def patch(request_module: ModuleType, bring: Callable[[], object]) -> None:
    """Exchange how `urllib.request` opens http, and let it open https, for which it has no ssl."""

    def open_url(_handler: object, request: Any) -> HTTPResponse:
        bring()
        return send(request)

    opener = request_module.HTTPHandler
    opener.http_open = opener.https_open = open_url
    opener.https_request = request_module.AbstractHTTPHandler.do_request_


def send(request: Any) -> HTTPResponse:
    """Send a `urllib.request.Request`, and return the answer, whatever its status.

    Raises
    ------
    URLError
        No answer that the page may read, or not the whole of it.
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
        answer = pyodide_http.send(sent)
    except Exception as error:
        # Whatever the browser throws: its words are all that can be known.
        raise no_answer(str(error)) from error
    if not answer.status_code:  # so Firefox says it
        raise no_answer("the browser tells no status")
    return response_of(request, answer)


def no_answer(words: str) -> URLError:
    """Return the error of a request without an answer."""
    from urllib.error import URLError

    return URLError(
        f"{words} (no answer, or one that its server does not let this page read: "
        "Access-Control-Allow-Origin)"
    )


def body_of(content: Any) -> bytes | None:
    """Return what a request sends: bytes, a file or parts of bytes, as one."""
    if content is None or isinstance(content, bytes):
        return content
    return bytes(content.read() if hasattr(content, "read") else b"".join(content))


def response_of(request: Any, answer: Any) -> HTTPResponse:
    """Return pyodide-http's answer as `http.client` would have it."""
    from http.client import HTTPResponse, responses
    from urllib.error import URLError

    headers = {name.lower(): value for name, value in answer.headers.items()}
    length = None if "content-encoding" in headers else headers.get("content-length")
    is_head = request.get_method() == "HEAD"
    if length is not None and not is_head and int(length) != len(answer.body):
        raise URLError(
            f"{len(answer.body)} bytes came of {length}. On the page itself (workers: 0) browsers "
            "give text only, and one that begins with a byte order mark is not what was sent: "
            "use a worker, or context.fetch"
        )
    kept = {name: value for name, value in headers.items() if name not in OF_THE_WIRE}
    kept["content-length"] = str(len(answer.body)) if not is_head else length or "0"
    # Browsers do not tell the words of a status.
    status = f"HTTP/1.1 {answer.status_code} {responses.get(answer.status_code, '')}"
    lines = [status, *(f"{name}: {value}" for name, value in kept.items()), "", ""]
    head = "\r\n".join(lines).encode("latin-1", "replace")
    response = HTTPResponse(Answered(head + answer.body), method=request.get_method())  # type: ignore[arg-type]
    response.begin()
    # As urllib's own do_open does: it is what HTTPError shows.
    response.msg = response.reason  # type: ignore[assignment]
    response.url = request.full_url
    return response


class Answered:
    """The body that `HTTPResponse` reads in place of a socket."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def makefile(self, mode: str) -> BytesIO:
        """Return a stream of the answer."""
        return BytesIO(self.content)
