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
        What stands behind each URL. An URL that is missing answers as an unreachable host does.

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
        """Return the stored answer, cut to the byte range when one is asked for."""
        self.requests.append(request)
        answer = self.answers.get(request.url)
        if answer is None:
            raise NetworkError(
                f"could not fetch {request.url}: nothing is stored there", request.url
            )
        if isinstance(answer, bytes):
            answer = Response(request.url, 200, {}, answer)
        if request.byte_range is not None and answer.status == 200:
            answer = cut(answer, *request.byte_range)
        progress(len(answer.body), len(answer.body))
        return pour(request, answer, sink)


def cut(answer: Response, start: int, stop: int | None) -> Response:
    """Return the part of an answer that was asked for (RFC 9110 15.3.7)."""
    part = answer.body[start:stop]
    if not part:
        return Response(answer.url, 416, answer.headers, b"")
    place = f"bytes {start}-{start + len(part) - 1}/{len(answer.body)}"
    return Response(answer.url, 206, {**answer.headers, "content-range": place}, part)


def pour(request: Request, answer: Response, sink: Sink | None) -> Response:
    """Feed the body to a sink that wants it."""
    empty = replace(answer, body=b"")
    if sink is None or not 200 <= answer.status < 300 or not sink.begin(empty):
        check_body(request, answer, len(answer.body))
        return answer
    for start in range(0, len(answer.body), CHUNK_BYTES):
        chunk = answer.body[start : start + CHUNK_BYTES]
        check_body(request, answer, start + len(chunk))
        if not sink.feed(chunk):
            break
    return empty


if TYPE_CHECKING:
    _proof: Transport = MemoryTransport({})
