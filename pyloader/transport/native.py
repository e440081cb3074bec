"""The transport of plain CPython: http(s) and files, for scripts, notebooks and batch jobs.

A request runs in threads of asyncio's pool, since `urllib` blocks; cancelling the task abandons
it. In a browser `browser/fetch.py` does this instead.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener, url2pathname
from urllib.request import Request as UrlRequest

from pyloader.errors import NetworkError, RequestError
from pyloader.transport import (
    FOLDER_TYPE,
    Progress,
    Request,
    Response,
    Sink,
    Transport,
    check_body,
)
from pyloader.transport.local import LocalFile, version_of
from pyloader.transport.url import encode_url

TIMEOUT_SECONDS = 60.0
CHUNK_BYTES = 1 << 20
FAILURES = (OSError, HTTPException, ValueError)
HTTP = ("http", "https")
# Headers that say nothing of the user, and may follow a redirect to another origin.
FOLLOWING_HEADERS = frozenset({"accept", "accept-encoding", "range", "user-agent"})


class NativeTransport:
    """Read http, https and file URLs, plain paths, and the names of the files of a folder."""

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Return the response; a file that can be read has status 200."""
        check_link(request)
        response = await open_in_thread(request)
        try:
            return await read_response(request, response, progress, sink)
        except asyncio.CancelledError:
            response.is_being_read = True
            raise
        finally:
            response.close()


async def read_response(
    request: Request, response: OpenResponse, progress: Progress, sink: Sink | None
) -> Response:
    """Read a body to its end, or until its sink has enough."""
    head = response.head
    fed = sink if sink and 200 <= head.status < 300 and sink.begin(head) else None
    if fed is None:  # a sink may have enough long before the end
        check_body(request, head, head.length or 0)
    chunks: list[bytes] = []
    loaded = 0
    while chunk := await in_thread(request, response.read):
        loaded += len(chunk)
        progress(loaded, response.total)
        if not check_body(request, head, loaded):
            break
        if fed is None:
            chunks.append(chunk)
        elif not fed.feed(chunk):
            return head
    else:
        check_end(request, response, loaded)
    return replace(head, body=b"".join(chunks))


def check_end(request: Request, response: OpenResponse, loaded: int) -> None:
    """Raise when a body ended too early."""
    if response.total is not None and loaded < response.total:
        raise no_response(
            request, f"the connection closed after {loaded} of {response.total} bytes"
        )


@dataclass(slots=True)
class OpenResponse:
    """A response whose body is still to be read; its size, and the bytes left, if known."""

    head: Response
    stream: IO[bytes]
    total: int | None
    left: int | None
    is_being_read: bool = False

    def close(self) -> None:
        """Close the stream; in a thread if another may be reading it, since this waits for that."""
        if self.is_being_read:
            asyncio.get_running_loop().run_in_executor(None, self.stream.close)
        else:
            self.stream.close()

    def read(self) -> bytes:
        """Return the next bytes of the body, none at its end."""
        chunk = self.stream.read(CHUNK_BYTES if self.left is None else min(CHUNK_BYTES, self.left))
        self.left = None if self.left is None else self.left - len(chunk)
        return chunk


async def open_in_thread(request: Request) -> OpenResponse:
    """Open a response in a thread; close one that arrives after the task was cancelled."""
    opening = asyncio.ensure_future(in_thread(request, open_response, request))
    try:
        response: OpenResponse = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(close_late)
        raise
    return response


def close_late(opening: asyncio.Future[OpenResponse]) -> None:
    """Close a response that nobody waits for any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def in_thread(request: Request, function: Any, *arguments: Any) -> Any:
    """Call a blocking function in a thread; raise its failures as `NetworkError`."""
    try:
        return await asyncio.to_thread(function, *arguments)
    except FAILURES as error:
        raise no_response(request, error) from error


def no_response(request: Request, error: Exception | str) -> NetworkError:
    """Return the error of a request without a response."""
    reason = error.reason if isinstance(error, URLError) else error
    return NetworkError(f"could not fetch {request.url}: {reason}", request.url)


def open_response(request: Request) -> OpenResponse:
    """Send `request` and wait for the header of its response."""
    path = path_of(request.url)
    return open_url(request) if path is None else open_file(request, path)


def check_link(request: Request) -> None:
    """Raise for a URL that a response may not name: a server must not read this machine's files.

    Raises
    ------
    RequestError
    """
    if request.linked_from is None:
        return
    before, after = (urlsplit(url).scheme.lower() for url in (request.linked_from, request.url))
    if after not in (before, "https") or after not in HTTP:
        raise RequestError(
            f"{request.url!r} was not requested: a response of {request.linked_from} names it, and "
            f"may name only addresses of {before}",
            request.url,
        )


def path_of(url: str) -> Path | None:
    """Return the path of a local file, None for the URL of anything else."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(url2pathname(parts.path))
    # A scheme of one letter is a drive.
    return None if len(parts.scheme) > 1 else Path(url)


def open_file(request: Request, path: Path) -> OpenResponse:
    """Open a file, at the requested range, or a folder."""
    if request.headers.get("Accept") == FOLDER_TYPE and path.is_dir():
        return open_folder(path)
    stream = path.open("rb")  # `send` closes it
    status = os.fstat(stream.fileno())
    size = status.st_size
    start, stop = request.byte_range or (0, None)
    stream.seek(start)
    length = max(0, min(size if stop is None else stop, size) - start)
    headers = {
        "content-length": str(length),
        "accept-ranges": "bytes",
        "etag": "-".join(map(str, version_of(status))),
    }
    if request.byte_range is not None:
        headers["content-range"] = f"bytes {start}-{start + length - 1}/{size}"
    code = 200 if request.byte_range is None else 206 if length else 416
    file = LocalFile.of(str(path), status)
    return OpenResponse(Response(request.url, code, headers, b"", (file,)), stream, length, length)


def open_folder(folder: Path) -> OpenResponse:
    """Open a folder; see `FOLDER_TYPE`."""
    # A folder changes when a file or folder is added to it, or removed from it.
    folders, names = [], []
    for path, _, files in os.walk(folder):
        folders.append(LocalFile.of(path, os.stat(path)))
        found = filter(Path.is_file, (Path(path, name) for name in files))
        names += [file.relative_to(folder).as_posix() for file in found]
    body = "\0".join(sorted(names)).encode()
    head = Response(str(folder), 200, {"content-type": FOLDER_TYPE}, b"", tuple(folders))
    return OpenResponse(head, BytesIO(body), len(body), len(body))


def open_url(request: Request) -> OpenResponse:
    """Send a request through `urllib`; an error status is a response too."""
    is_http = urlsplit(request.url).scheme in HTTP
    url = encode_url(request.url) if is_http else request.url
    sent = UrlRequest(url, headers={**request.headers, **request.range_header})
    try:
        response = opener.open(sent, timeout=request.timeout or TIMEOUT_SECONDS)
    except HTTPError as error:
        response = error
    names = {name.lower(): value for name, value in response.headers.items()}
    length = names.get("content-length")
    total = int(length) if length else None
    return OpenResponse(
        Response(response.url, response.status or 200, names, b""), response, total, None
    )


class CarefulRedirects(HTTPRedirectHandler):
    """Follows redirects; credentials stay with the origin that they were meant for."""

    def redirect_request(self, req: UrlRequest, *response: Any) -> UrlRequest | None:
        """Return the request that follows, without credentials on another origin."""
        if urlsplit(response[-1]).scheme.lower() not in HTTP:
            response[0].close()
            raise URLError(f"it redirects to {response[-1]!r}, which is not an http or https URL")
        newurl = encode_url(response[-1])
        following = super().redirect_request(req, *(*response[:-1], newurl))
        if following is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            kept = {n: v for n, v in following.headers.items() if n.lower() in FOLLOWING_HEADERS}
            following.headers = kept
        return following


opener = build_opener(CarefulRedirects)

if TYPE_CHECKING:
    _proof: Transport = NativeTransport()
