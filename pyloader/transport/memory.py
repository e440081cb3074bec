"""A transport that answers from a dict: for tests, notebooks and documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyloader.errors import NetworkError
from pyloader.transport import Progress, Request, Response, Transport


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

    async def send(self, request: Request, progress: Progress) -> Response:
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
            start, stop = request.byte_range
            answer = Response(answer.url, 206, answer.headers, answer.body[start:stop])
        progress(len(answer.body), len(answer.body))
        return answer


if TYPE_CHECKING:
    _proof: Transport = MemoryTransport({})
