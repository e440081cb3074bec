"""The transport of plain CPython: http(s) and files, for scripts, notebooks and batch jobs.

A request runs in a thread of asyncio's pool, since `urllib` blocks; cancelling the task abandons
it. In the browser `transport/browser.py` takes this place.
"""

from __future__ import annotations

import asyncio
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

from pyloader.errors import NetworkError
from pyloader.transport import Progress, Request, Response, Transport

TIMEOUT_SECONDS = 60.0
CHUNK_BYTES = 1 << 20


class NativeTransport:
    """Read http, https and file URLs, and plain paths."""

    async def send(self, request: Request, progress: Progress) -> Response:
        """Return the answer; a file that can be read answers with status 200."""
        try:
            return await asyncio.to_thread(send_blocking, request, progress)
        except (OSError, HTTPException, ValueError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise NetworkError(f"could not fetch {request.url}: {reason}", request.url) from error


def send_blocking(request: Request, progress: Progress) -> Response:
    """Send `request` and wait for its answer."""
    if len(urlsplit(request.url).scheme) > 1:
        return send_url(request, progress)
    body = Path(request.url).read_bytes()
    start, stop = request.byte_range or (0, len(body))
    progress(len(body), len(body))
    return Response(request.url, 206 if request.byte_range else 200, {}, body[start:stop])


def send_url(request: Request, progress: Progress) -> Response:
    """Send a request through `urllib`; a refusal is an answer too."""
    headers = dict(request.headers)
    if request.byte_range is not None:
        headers["Range"] = f"bytes={request.byte_range[0]}-{request.byte_range[1] - 1}"
    try:
        answer = urlopen(UrlRequest(request.url, headers=headers), timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        answer = error
    with answer:
        length = answer.headers.get("Content-Length")
        total = int(length) if length else None
        chunks: list[bytes] = []
        loaded = 0
        while chunk := answer.read(CHUNK_BYTES):
            chunks.append(chunk)
            loaded += len(chunk)
            progress(loaded, total)
        if total is not None and loaded < total:
            raise OSError(f"the connection closed after {loaded} of {total} bytes")
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.url, answer.status or 200, names, b"".join(chunks))


if TYPE_CHECKING:
    _proof: Transport = NativeTransport()
