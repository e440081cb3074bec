"""A transport that answers from a dict: for tests, notebooks and documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pyloader.errors import NetworkError
from pyloader.transport import Progress, Request, Response, Sink, Transport, check_body

CHUNK_BYTES = 1 << 16


class MemoryTransport:
    """Answer each URL with the bytes, or the `Response`, stored under it.

    Parameters
    ----------
    answers : mapping of str to bytes or Response
        The response of each URL. A URL that is missing fails as an unreachable host does.

    Attributes
    ----------
    requests : list of Request
        Every request sent, in order.
    """

    def __init__(self, answers: Mapping[str, bytes | Response]) -> None:
        self.answers = answers
        self.requests: list[Request] = []

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Return the stored response, cut to the byte range of the request."""
        self.requests.append(request)
        response = self.answers.get(request.url)
        if response is None:
            raise NetworkError(
                f"could not fetch {request.url}: nothing is stored there", request.url
            )
        if isinstance(response, bytes):
            response = Response(request.url, 200, {}, response)
        if request.byte_range is not None and response.status == 200:
            response = cut(response, *request.byte_range)
        progress(len(response.body), len(response.body))
        return pour(request, response, sink)


def cut(response: Response, start: int, stop: int | None) -> Response:
    """Return the requested range of a response (RFC 9110 15.3.7)."""
    part = response.body[start:stop]
    if not part:
        return Response(response.url, 416, response.headers, b"")
    place = f"bytes {start}-{start + len(part) - 1}/{len(response.body)}"
    return Response(response.url, 206, {**response.headers, "content-range": place}, part)


def pour(request: Request, response: Response, sink: Sink | None) -> Response:
    """Feed the body to a sink that takes it."""
    empty = replace(response, body=b"")
    if sink is None or not 200 <= response.status < 300 or not sink.begin(empty):
        check_body(request, response, len(response.body))
        return response
    for start in range(0, len(response.body), CHUNK_BYTES):
        chunk = response.body[start : start + CHUNK_BYTES]
        check_body(request, response, start + len(chunk))
        if not sink.feed(chunk):
            break
    return empty


if TYPE_CHECKING:
    _proof: Transport = MemoryTransport({})
