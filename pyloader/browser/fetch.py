"""The transport over the browser's ``fetch``, in Pyodide only; `web/worker/fetch.js` streams.

Headers, hooks, credentials and names of local files stay in JavaScript. A body crosses into Python
once: as one ``bytes`` or, for a `Sink`, in chunks of the bytes that arrived together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from js import JSON, AbortController

from pyloader.errors import FormatError, LoaderError, NetworkError, RequestError
from pyloader.transport import Progress, Request, Response, Sink, Transport

ERRORS: dict[str, Callable[[str, str], LoaderError]] = {
    "network": NetworkError,
    "request": RequestError,
    "size": lambda text, url: FormatError(text),
}


class BrowserTransport:
    """Send requests through a JavaScript function.

    Parameters
    ----------
    js_send : JavaScript function
        ``(request, signal, onProgress, begin?, feed?) -> Promise<{url, status, headers, body} |
        {error, kind}>``, of `web/worker/fetch.js`; its ``reuse(response)`` takes the body back.
    """

    def __init__(self, js_send: Any) -> None:
        self.js_send = js_send

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Return the response; a cancelled task aborts the browser's request."""
        js_controller = AbortController.new()
        js_request = JSON.parse(json.dumps(plain_request(request)))
        guard = None if sink is None else Guard(sink)
        callbacks = () if guard is None else (guard.begin, guard.feed)
        try:
            js_response = await self.js_send(js_request, js_controller.signal, progress, *callbacks)
        except BaseException:
            js_controller.abort()  # the task was cancelled while it waited
            raise
        if guard is not None and guard.failure is not None:
            raise guard.failure
        if hasattr(js_response, "error"):
            raise ERRORS[js_response.kind](js_response.error, request.url)
        head = guard.head if guard is not None and guard.head is not None else head_of(js_response)
        body = js_response.body.to_bytes()
        self.js_send.reuse(js_response)
        return replace(head, body=body)


class Guard:
    """A sink as JavaScript calls it: an exception is kept, and ends the request."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.head: Response | None = None
        self.failure: Exception | None = None

    def begin(self, js_response: Any) -> bool:
        """Pass the header on; after a failure return True, so that the first chunk ends it."""
        try:
            self.head = head_of(js_response)
            return self.sink.begin(self.head)
        except Exception as error:
            self.failure = error
            return True

    def feed(self, js_chunk: Any) -> bool:
        """Pass a chunk on."""
        try:
            return self.failure is None and self.sink.feed(js_chunk.to_bytes())
        except Exception as error:
            self.failure = error
            return False


def plain_request(request: Request) -> dict[str, Any]:
    """Return a request as `web/worker/fetch.js` takes it."""
    fields: dict[str, Any] = {
        "url": request.url,
        "headers": {**request.headers, **request.range_header},
        "urgency": request.urgency,
        "isLast": request.is_last,
    }
    if request.linked_from is not None:
        fields["linkedFrom"] = request.linked_from
    if request.byte_range is not None:
        start, stop = request.byte_range
        fields["byteRange"] = [start] if stop is None else [start, stop]
    if request.most_bytes is not None:
        fields["mostBytes"] = request.most_bytes
    if request.timeout is not None:
        fields["timeout"] = request.timeout * 1000
    return fields


def head_of(js_response: Any) -> Response:
    """Return a response without its body."""
    headers = json.loads(JSON.stringify(js_response.headers))
    has_authorization = bool(getattr(js_response, "hasAuthorization", False))
    js_withheld = getattr(js_response, "withheld", None)
    return Response(
        js_response.url,
        js_response.status,
        headers,
        b"",
        has_authorization=has_authorization,
        withheld=tuple(js_withheld) if js_withheld else (),
    )


if TYPE_CHECKING:
    _proof: Transport = BrowserTransport(None)
