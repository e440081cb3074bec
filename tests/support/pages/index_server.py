"""A server of Python wheels: a package index (PEP 503 and 691), and files that come slowly."""

from __future__ import annotations

import hashlib
import html
import io
import json
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
SIMPLE_HTML = "text/html"


def wheel_of(
    name: str,
    modules: dict[str, bytes | str],
    needs: tuple[str, ...] = (),
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    python: str = "",
) -> bytes:
    """Make a wheel by the book: its modules, what it needs, and a RECORD of its files."""
    folder = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {need}" for need in needs]
    metadata += [f"Requires-Python: {python}"] if python else []
    files = {
        path: text.encode() if isinstance(text, str) else text for path, text in modules.items()
    }
    files[f"{folder}/METADATA"] = "\n".join([*metadata, ""]).encode()
    files[f"{folder}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    files[f"{folder}/RECORD"] = "".join(f"{path},,\n" for path in files).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return stream.getvalue()


class IndexServer:
    """Serves what was put into it, at ``http://127.0.0.1:port``, and remembers what was asked.

    Attributes
    ----------
    asked : list of str
        The paths of all requests.
    """

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self.seconds_per_piece = 0.0
        handler = type("Bound", (Handler,), {"index": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def simple(self) -> str:
        """The address of the index."""
        return f"{self.origin}/simple"

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()

    def publish(self, name: str, body: bytes, file: str, kind: str, digest: str = "") -> None:
        """Put a wheel into the index, described in HTML or in JSON with a relative address."""
        digest = digest or hashlib.sha256(body).hexdigest()
        self.files[f"/files/{file}"] = ("application/zip", body)
        row = {"filename": file, "url": f"../../files/{file}", "hashes": {"sha256": digest}}
        page = {"meta": {"api-version": "1.0"}, "name": name, "files": [row]}
        link = f'<a href="../../files/{file}#sha256={digest}">{file}</a>'
        text = json.dumps(page) if kind == SIMPLE_JSON else f"<!DOCTYPE html><body>{link}</body>"
        self.files[f"/simple/{name}/"] = (kind, text.encode())

    def publish_versions(self, name: str, rows: dict[str, dict[str, Any]], kind: str) -> None:
        """Put versions of a wheel into the index, each with what the index says of it (PEP 691)."""
        files = []
        for version, more in rows.items():
            file = f"{name}-{version}-py3-none-any.whl"
            body = wheel_of(name, {f"{name}.py": f"version = {version!r}"}, version=version)
            self.files[f"/files/{file}"] = ("application/zip", body)
            row = {"filename": file, "url": f"{self.origin}/files/{file}", "hashes": {}}
            files.append(row | more)
        page = {"meta": {"api-version": "1.0"}, "name": name, "files": files}
        text = json.dumps(page) if kind == SIMPLE_JSON else "".join(map(link_to, files))
        self.files[f"/simple/{name}/"] = (kind, text.encode())


def link_to(file: dict[str, Any]) -> str:
    """Return a file of an index as HTML has it (PEP 503, PEP 592)."""
    python, yanked = file.get("requires-python"), file.get("yanked")
    more = f' data-requires-python="{html.escape(python)}"' if python else ""
    more += f' data-yanked="{"" if yanked is True else yanked}"' if yanked else ""
    return f'<a href="{file["url"]}"{more}>{file["filename"]}</a>'


class Handler(BaseHTTPRequestHandler):
    """Answer one connection's requests."""

    index: IndexServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with what was put there, or 404; in pieces when it is to be slow."""
        self.index.asked.append(self.path)
        kind, body = self.index.files.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        step = max(1, len(body) // 8) if self.index.seconds_per_piece else len(body) + 1
        with suppress(ConnectionError):
            for start in range(0, len(body), step):
                time.sleep(self.index.seconds_per_piece)
                self.wfile.write(body[start : start + step])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `IndexServer.asked` is the log."""
