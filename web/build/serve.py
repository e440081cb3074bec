"""
A static server for dist/ on the loopback address: `python3 -m web.build.serve DIR`.

It sends the right media types, validators (ETag) with `no-cache`, and CORS headers for pages on
other ports. With `--orthanc` it runs an Orthanc, and passes DICOMweb requests on to that.
"""

import argparse
import errno
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from select import select
from typing import Any, BinaryIO

MEDIA_TYPES = {
    ".css": "text/css",
    ".dcm": "application/dicom",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".py": "text/x-python",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
}
PORTS_TRIED = 50
# Endings of the compressed forms that the build writes, the smaller one first.
ENCODINGS = {"br": ".br", "gzip": ".gz"}

PASSED_ON = ("/dicom-web/", "/wado")
CHUNK_BYTES = 1 << 16
END_OF_HEAD = b"\r\n\r\n"
# Headers of a single connection, not of the message (RFC 9110 7.6.1): this server sets its own.
CONNECTION_HEADERS = {"connection", "expect", "forwarded", "keep-alive", "proxy-connection"}
CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*, Authorization",
    "Access-Control-Expose-Headers": "*",
}


class Handler(SimpleHTTPRequestHandler):
    """Serves files, and passes requests of `PASSED_ON` on to the server at port `upstream`."""

    protocol_version = "HTTP/1.1"
    # Header and body are two writes: with delayed acknowledgement, each response took 40 ms.
    disable_nagle_algorithm = True
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, **MEDIA_TYPES}  # noqa: RUF012 -- the base class declares it so

    def __init__(self, *arguments: Any, upstream: int | None, **options: Any) -> None:
        self.upstream = upstream
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Send a file, or pass the request on."""
        if self.upstream and self.path.startswith(PASSED_ON):
            self.pass_on(self.upstream)
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """Pass the request on."""
        if not self.upstream or not self.path.startswith(PASSED_ON):
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
        elif "Content-Length" not in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
        else:
            self.pass_on(self.upstream)

    def do_OPTIONS(self) -> None:
        """Answer the preflight of a page on another port."""
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Send status 304 if the browser has the same file, else respond as the base class does."""
        tag = self.entity_tag()
        if tag and self.headers.get("If-None-Match") == tag:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return self.send_compressed() or super().send_head()

    def send_compressed(self) -> BinaryIO | None:
        """Send a compressed form of the file, if the build wrote one and the browser accepts it."""
        path = Path(self.translate_path(self.path))
        accepted = self.headers.get("Accept-Encoding", "")
        for encoding, suffix in ENCODINGS.items():
            form = path.with_name(path.name + suffix)
            if encoding in accepted and form.is_file():
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", self.guess_type(path))
                self.send_header("Content-Encoding", encoding)
                self.send_header("Content-Length", str(form.stat().st_size))
                self.send_header("Vary", "Accept-Encoding")
                self.end_headers()
                return form.open("rb")
        return None

    def entity_tag(self) -> str | None:
        """Return the ETag of the requested file, None if it does not exist."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return None
        status = path.stat()
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    def end_headers(self) -> None:
        """Add the headers of every response."""
        tag = self.entity_tag()
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        for name, value in CROSS_ORIGIN.items():
            self.send_header(name, value)
        super().end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log no requests; errors are still logged."""

    # ---------------------------------------------------------------- passing on

    def pass_on(self, port: int) -> None:
        """Pass the request on to the server at `port`, and its response back, as bytes arrive."""
        self.close_connection = True
        try:
            upstream = socket.create_connection(("127.0.0.1", port))
        except OSError as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, "Orthanc has ended", str(error))
            return
        with upstream:
            upstream.sendall(self.head_to_pass_on())
            for chunk in self.body():
                upstream.sendall(chunk)
            response = self.response_of(upstream)
            head, begun = until_end_of_head(response)
            if not head:
                self.send_error(HTTPStatus.BAD_GATEWAY, "Orthanc closed the connection")
                return
            self.wfile.write(head_to_pass_back(head) + begun)
            for chunk in response:
                self.wfile.write(chunk)

    def head_to_pass_on(self) -> bytes:
        """Return the request's head, with the address that the client knows this server by."""
        host = self.headers.get("Host", "")
        headers = [
            *((name, value) for name, value in self.headers.items() if not is_ours(name)),
            ("Connection", "close"),
            # Orthanc makes the absolute URLs in its responses from this (RFC 7239).
            ("Forwarded", f"proto=http;host={host}"),
        ]
        lines = [f"{self.command} {self.path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers)]
        return "\r\n".join(lines).encode("latin-1") + END_OF_HEAD

    def body(self) -> Iterator[bytes]:
        """Yield the request's body as it arrives."""
        rest = int(self.headers.get("Content-Length", 0))
        while rest:
            chunk = self.rfile.read1(min(rest, CHUNK_BYTES))
            if not chunk:
                raise ConnectionAbortedError("the client went away")
            rest -= len(chunk)
            yield chunk

    def response_of(self, upstream: socket.socket) -> Iterator[bytes]:
        """Yield the upstream server's bytes; raise ConnectionError if the client disconnects."""
        watched = [upstream, self.connection]
        while True:
            ready, _, _ = select(watched, [], [])
            if self.connection in ready:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    raise ConnectionAbortedError("the client went away")
                watched.remove(self.connection)  # it has sent more, so it is connected
            if upstream in ready:
                chunk = upstream.recv(CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk


def is_ours(name: str) -> bool:
    """Return whether a header is about the connection and must not be passed on."""
    return name.lower() in CONNECTION_HEADERS


def until_end_of_head(chunks: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Return a response's head and the start of its body; an empty head if it ends too early."""
    received = b""
    for chunk in chunks:
        received += chunk
        head, end, begun = received.partition(END_OF_HEAD)
        if end:
            return head, begun
    return b"", b""


def head_to_pass_back(head: bytes) -> bytes:
    """
    Return a response's head for the browser.

    Rename `WWW-Authenticate`: otherwise the browser shows its own password dialog before the page
    learns of the 401.
    """
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [line.partition(":") for line in lines]
    kept = [
        f"{'X-' if name.lower() == 'www-authenticate' else ''}{name}:{value}"
        for name, _, value in headers
        if not is_ours(name)
    ]
    added = [f"{name}: {value}" for name, value in CROSS_ORIGIN.items()]
    return "\r\n".join([status, *kept, *added, "Connection: close"]).encode() + END_OF_HEAD


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread that ends with the program."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that hang up; report anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server_from(folder: Path, port: int, upstream: int | None) -> Server:
    """Return a server on the first free port from `port` on."""
    handler = partial(Handler, directory=str(folder), upstream=upstream)
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        try:
            return Server(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SystemExit(f"cannot serve on port {candidate}: {error.strerror}") from error
    raise SystemExit(f"no free port from {port} on; choose another with --port")


def serve(folder: Path, port: int, with_orthanc: bool) -> None:
    """Serve until interrupted, with an Orthanc or without."""
    with ExitStack() as stack:
        upstream, page, login = None, "", ""
        if with_orthanc:
            from web.build import orthanc

            upstream = stack.enter_context(orthanc.running(folder / "samples"))
            page = "dicomweb.html?server=../dicom-web"
            login = f"user {orthanc.USER}, password {orthanc.PASSWORD}; "
        server = stack.enter_context(server_from(folder, port, upstream))
        address = f"http://127.0.0.1:{server.server_port}/demo/{page}"
        print(f"pyloader demo: {address} ({login}Ctrl-C ends it)", flush=True)
        server.serve_forever()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve a folder on the loopback address.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--orthanc", action="store_true", help="with a DICOMweb server behind it")
    arguments = parser.parse_args()
    # These signals must end Orthanc too.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        serve(arguments.folder, arguments.port, arguments.orthanc)


if __name__ == "__main__":
    main()
