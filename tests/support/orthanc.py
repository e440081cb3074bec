"""Orthanc with its DICOMweb plugin, and nginx before it, which adds CORS and logs what was taken.

Never ask it for JPEG-LS that it would have to encode: that ends the whole server.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydicom import dcmread

from tests.support.dicomweb.archive import quiet
from tests.support.program import Program, find_program, free_ports

NEEDED = "install the Debian packages orthanc, orthanc-dicomweb and nginx-light"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
BATCH_BYTES = 4 << 20
CONFIGURATION = {
    "Name": "test",
    "StorageDirectory": "storage",
    "IndexDirectory": "storage",
    "Plugins": [str(PLUGIN)],
    "RemoteAccessAllowed": False,
    "DicomServerEnabled": False,
    "HttpCompressionEnabled": False,
    "DicomWeb": {
        "Enable": True,
        "Root": "/dicom-web/",
        "EnableWado": True,
        "WadoRoot": "/wado",
        "Ssl": False,
        "StudiesMetadata": "Full",
        "SeriesMetadata": "Full",
    },
}
NGINX = r"""
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  log_format entry escape=json '{"method":"$request_method","path":"$request_uri",'
    '"status":$status,"sent":$body_bytes_sent,"seconds":$request_time,'
    '"completion":"$request_completion"}';
  access_log access.log entry;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 1g;
  map $http_origin $cors { default $http_origin; "" "*"; }
  server {
    listen 127.0.0.1:@front@;
    add_header Access-Control-Allow-Origin $cors always;
    add_header Access-Control-Allow-Credentials true always;
    add_header Access-Control-Expose-Headers
      "Content-Type, Content-Length, Content-Location, Content-Encoding, ETag, Warning" always;
    add_header Vary Origin always;
    location / { return 404; }
    location ~ ^/(dicom-web/|wado$) {
      if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin $cors always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Access-Control-Allow-Methods "GET, POST, OPTIONS" always;
        add_header Access-Control-Allow-Headers "Accept, Authorization, Content-Type, Range" always;
        add_header Vary Origin always;
        return 204;
      }
      proxy_pass http://127.0.0.1:@back@;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header Forwarded "proto=$scheme;host=$http_host";
      proxy_buffering off;
    }
  }
}
"""


def is_installed() -> bool:
    """Tell whether all that is needed is there."""
    return PLUGIN.exists() and all(map(find_program, ("Orthanc", "nginx")))


@dataclass(frozen=True)
class Entry:
    """One request in the log of nginx.

    Attributes
    ----------
    status : int
        499 when the client hung up before the answer began.
    sent : int
        Bytes of the body that went out, with the framing of chunks.
    whole : bool
        Whether all of the answer went out.
    """

    method: str
    path: str
    status: int
    sent: int
    seconds: float
    whole: bool


@dataclass
class Orthanc:
    """The server, behind its proxy.

    Attributes
    ----------
    users : dict of str to str
        Passwords by name; with any, all requests need basic authentication.
    instances : dict of str to tuple
        Study, series and SOP instance UID by the name that whoever filled it chose.
    """

    users: dict[str, str] = field(default_factory=dict)
    instances: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def start(self) -> None:
        """Start both programs on free ports."""
        self.folder = Path(tempfile.mkdtemp(prefix="orthanc-"))
        # The workers of nginx are another user when root starts it.
        self.folder.chmod(0o755)
        back, front = free_ports(2)
        # It takes seconds to put in order what is about to be removed.
        self.orthanc = Program(["Orthanc", "orthanc.json"], self.folder, back, signal.SIGKILL)
        self.nginx = Program(
            ["nginx", "-p", f"{self.folder}/", "-c", f"{self.folder}/nginx.conf", "-e", "stderr"],
            self.folder,
            front,
        )
        configuration = CONFIGURATION | {
            "HttpPort": back,
            "AuthenticationEnabled": bool(self.users),
            "RegisteredUsers": self.users,
        }
        (self.folder / "orthanc.json").write_text(json.dumps(configuration))
        proxy = NGINX.replace("@front@", str(front)).replace("@back@", str(back))
        (self.folder / "nginx.conf").write_text(proxy)
        try:
            self.orthanc.start()
            self.nginx.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both programs and remove all they wrote."""
        self.nginx.stop()
        self.orthanc.stop()
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        """The origin of the proxy."""
        return f"http://127.0.0.1:{self.nginx.port}"

    @property
    def dicomweb(self) -> str:
        """The root of the DICOMweb service."""
        return f"{self.url}/dicom-web"

    @property
    def wado(self) -> str:
        """The address of WADO-URI."""
        return f"{self.url}/wado"

    @property
    def direct(self) -> str:
        """The origin of Orthanc itself, without CORS and log."""
        return f"http://127.0.0.1:{self.orthanc.port}"

    @property
    def authorization(self) -> dict[str, str]:
        """The header that lets the first user in; none when all may."""
        if not self.users:
            return {}
        first = ":".join(next(iter(self.users.items())))
        return {"Authorization": f"Basic {b64encode(first.encode()).decode()}"}

    def fill(self, files: Iterable[bytes]) -> list[int]:
        """Store files by STOW-RS and return the indices of those that were refused.

        Raises
        ------
        RuntimeError
            The answer was none of storing or refusing.
        """
        refused = []
        for batch in batches(files):
            stored = self.store([body for _, body in batch])
            refused += [index for index, body in batch if sop_instance_uid(body) not in stored]
        return refused

    def store(self, bodies: list[bytes]) -> set[str]:
        """Store files in one request and return the SOP Instance UIDs that are there now."""
        boundary = uuid.uuid4().hex
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        parts = [head + body + b"\r\n" for body in bodies]
        headers = {
            "Accept": "application/dicom+json",
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        }
        request = Request(
            f"{self.direct}/dicom-web/studies",
            b"".join([*parts, f"--{boundary}--\r\n".encode()]),
            headers | self.authorization,
        )
        return referenced(*send(request))

    def log(self) -> list[Entry]:
        """Return what nginx has seen so far, in the order in which it ended."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [parse_entry(json.loads(line)) for line in lines]


def parse_entry(line: dict[str, Any]) -> Entry:
    """Turn a line of the log into an entry."""
    return Entry(whole=line.pop("completion") == "OK", **line)


def send(request: Request) -> tuple[int, bytes]:
    """Return the status and the body of an answer, whatever the status."""
    try:
        with urlopen(request) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def referenced(status: int, body: bytes) -> set[str]:
    """Return the instances that an answer of STOW-RS says are stored (PS3.18 10.5.3.3)."""
    # Orthanc answers 400 when any file of several is refused.
    if status not in (200, 202, 400, 409):
        raise RuntimeError(f"storing was answered with status {status}: {body[:500]!r}")
    try:
        stored = json.loads(body)["00081199"].get("Value", [])
    except (ValueError, KeyError) as error:
        raise RuntimeError(f"storing was answered with {body[:500]!r}") from error
    return {item["00081155"]["Value"][0] for item in stored}


def sop_instance_uid(body: bytes) -> str | None:
    """Return the SOP Instance UID of a file, None when it has none or is no file."""
    with suppress(Exception), quiet():
        dataset = dcmread(BytesIO(body), specific_tags=["SOPInstanceUID"], force=True)
        return str(dataset.get("SOPInstanceUID") or "") or None
    return None


def batches(files: Iterable[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    """Return files with their indices, a few megabytes at a time."""
    batch: list[tuple[int, bytes]] = []
    for index, body in enumerate(files):
        batch.append((index, body))
        if sum(len(body) for _, body in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch
