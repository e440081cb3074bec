"""
A static server for dist/ on the loopback address: `python3 serve.py DIR [--port N]`.

Right media types, validators (ETag) with `no-cache`, and CORS open to pages on other ports.
"""

import argparse
import errno
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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


class Handler(SimpleHTTPRequestHandler):
    """Serves files, quietly."""

    protocol_version = "HTTP/1.1"
    # Header and body are two writes; together with delayed acknowledgement each answer took 40 ms.
    disable_nagle_algorithm = True
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, **MEDIA_TYPES}  # noqa: RUF012 -- the base class declares it so

    def send_head(self):  # noqa: ANN201 -- as in the base class: a binary file or None
        """Answer 304 when the browser has this very file, else as the base class does."""
        tag = self.entity_tag()
        if tag and self.headers.get("If-None-Match") == tag:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return super().send_head()

    def entity_tag(self) -> str | None:
        """Return the ETag of the requested file, None when there is no such file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return None
        status = path.stat()
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    def end_headers(self) -> None:
        """Add the headers that every answer has."""
        tag = self.entity_tag()
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet about requests; errors are still logged."""


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread that ends with the program."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore browsers that hang up; report anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server_from(folder: Path, port: int) -> Server:
    """Return a server on the first free port from `port` on."""
    handler = partial(Handler, directory=str(folder))
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        try:
            return Server(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SystemExit(f"cannot serve on port {candidate}: {error.strerror}") from error
    raise SystemExit(f"no free port from {port} on; choose another with --port")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve a folder on the loopback address.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    server = server_from(arguments.folder, arguments.port)
    print(
        f"pyloader demo: http://127.0.0.1:{server.server_port}/demo/ (Ctrl-C ends it)", flush=True
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
