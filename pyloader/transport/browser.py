"""The browser's ``fetch``, in Pyodide only: `web/transport.js` streams, this hands bytes over.

The page's part (headers, hook, credentials, names of local files) stays in JavaScript; a body
crosses into Python once, as one ``bytes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from js import AbortController, Object
from pyodide.ffi import to_js

from pyloader.errors import NetworkError
from pyloader.transport import Progress, Request, Response, Transport


class BrowserTransport:
    """Send requests through a JavaScript function.

    Parameters
    ----------
    js_send : JavaScript function
        ``(request, signal, onProgress) -> Promise<{url, status, headers, body} | {error}>``,
        of `web/transport.js`.
    """

    def __init__(self, js_send: Any) -> None:
        self.js_send = js_send

    async def send(self, request: Request, progress: Progress) -> Response:
        """Return the answer; a cancelled task aborts the browser's request."""
        js_controller = AbortController.new()
        fields: dict[str, object] = {"url": request.url, "headers": dict(request.headers)}
        if request.byte_range is not None:
            fields["byteRange"] = list(request.byte_range)
        js_request = to_js(fields, dict_converter=Object.fromEntries)
        try:
            js_answer = await self.js_send(js_request, js_controller.signal, progress)
        finally:
            # Harmless after the answer; needed when the task was cancelled while it waited.
            js_controller.abort()
        if hasattr(js_answer, "error"):
            raise NetworkError(js_answer.error, request.url)
        headers = js_answer.headers.to_py()
        return Response(js_answer.url, js_answer.status, headers, js_answer.body.to_bytes())


if TYPE_CHECKING:
    _proof: Transport = BrowserTransport(None)
