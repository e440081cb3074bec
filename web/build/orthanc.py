"""
Run an Orthanc for the demo: DICOMweb with a log-in, on this machine only, with the samples.

It runs from a temporary folder, which is deleted at the end.
"""

import base64
import io
import json
import shutil
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from web.build.fetch import manifest
from web.samples.dicom_file import uid

USER = PASSWORD = "demo"
# Debian's folders of servers, which are not on every user's PATH.
SERVER_PROGRAMS = "/usr/sbin:/usr/local/sbin"
PLUGIN = "OrthancDicomWeb"
PLUGIN_FOLDERS = (
    "/usr/share/orthanc/plugins",
    "/usr/local/share/orthanc/plugins",
    "/usr/lib/orthanc",
    "/usr/local/lib/orthanc",
)
MISSING = (
    "demo: --orthanc needs Orthanc and its DICOMweb plugin, and {} was not found: "
    "install both, on Debian and Ubuntu with `apt install orthanc orthanc-dicomweb`"
)
SECONDS_TO_START = 30
SECONDS_TO_END = 10
FAILED_SOP_SEQUENCE = "00081198"


@contextmanager
def running(samples: Path) -> Iterator[int]:
    """Run Orthanc with the images of `samples` in it, and yield its port."""
    program, plugin = installed()
    with TemporaryDirectory(prefix="pyloader-orthanc-") as temporary:
        folder = Path(temporary)
        port = free_port()
        (folder / "orthanc.json").write_text(json.dumps(settings(folder, plugin, port)))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, folder / "orthanc.json"], stdout=log, stderr=log)
        try:
            wait_until_up(process, port, folder / "log")
            fill(port, series_of(samples, pydicom_from_wheel(folder / "pydicom")))
            yield port
        finally:
            end(process)


def installed() -> tuple[str, Path]:
    """Return the program and its DICOMweb plugin."""
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path=SERVER_PROGRAMS)
    if not program:
        raise SystemExit(MISSING.format("the program Orthanc"))
    beside = Path(program).resolve().parent
    folders = [*map(Path, PLUGIN_FOLDERS), beside, beside.parent / "share/orthanc/plugins"]
    plugins = [path for folder in folders for path in sorted(folder.glob(f"*{PLUGIN}*"))]
    if not plugins:
        raise SystemExit(MISSING.format(f"the plugin {PLUGIN}"))
    return program, plugins[0]


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(folder: Path, plugin: Path, port: int) -> dict[str, Any]:
    """Return the configuration: no DICOM network, access only from this machine, and a log-in."""
    return {
        "Name": "pyloader demo",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(plugin)],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomServerEnabled": False,
        # Compressed responses have no length to show progress by.
        "HttpCompressionEnabled": False,
        "DicomWeb": {
            "Enable": True,
            "Root": "/dicom-web/",
            "EnableWado": True,
            "WadoRoot": "/wado",
            "Ssl": False,
        },
    }


def wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait for the first response; exit with the end of Orthanc's log if it does not start."""
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(port, "/system").close()
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    words = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise SystemExit(f"demo: Orthanc did not start; its last words:\n{words}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End Orthanc and wait until it has ended: it still writes to its folder for a while."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ask(port: int, path: str, body: bytes | None = None, media_type: str = "") -> Any:
    """Send a GET, or a POST if there is a body, as the demo's user; return the open response."""
    secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Accept": "application/dicom+json"}
    if body is not None:
        headers["Content-Type"] = media_type
    return urlopen(Request(f"http://127.0.0.1:{port}{path}", body, headers))


# ---------------------------------------------------------------- images


def fill(port: int, series: Mapping[str, Sequence[bytes]]) -> None:
    """Store each series with one STOW-RS request (PS3.18 10.5)."""
    for title, files in series.items():
        boundary = uuid.uuid4().hex
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = b"".join(head + file + b"\r\n" for file in files) + f"--{boundary}--\r\n".encode()
        media_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        try:
            with ask(port, "/dicom-web/studies", body, media_type) as response:
                stored = json.load(response)
        except HTTPError as error:
            raise SystemExit(f"demo: Orthanc did not store {title!r}: {error.read()!r}") from error
        if stored.get(FAILED_SOP_SEQUENCE, {}).get("Value"):
            raise SystemExit(f"demo: Orthanc did not store {title!r}: {stored}")


def pydicom_from_wheel(folder: Path) -> Any:
    """Import pydicom from the wheel that the build has fetched."""
    with zipfile.ZipFile(manifest()["pydicom"].path) as wheel:
        wheel.extractall(folder)
    sys.path.insert(0, str(folder))
    import pydicom

    return pydicom


def series_of(samples: Path, pydicom: Any) -> dict[str, list[bytes]]:
    """
    Return the files of each sample by its title, as a series with that title.

    Several samples are one image in different transfer syntaxes, with the same UIDs: a server
    would keep only the first. So each gets its own UIDs; studies stay the same.
    """
    rows = json.loads((samples / "samples.json").read_text())
    series: dict[str, list[bytes]] = {}
    for row in rows:
        image_ids = row.get("imageIds", [row["file"]])
        names = [image_id.removeprefix("wadouri:") for image_id in image_ids]
        series[row["title"]] = [copy_of(samples / name, name, row, pydicom) for name in names]
    return series


def copy_of(path: Path, name: str, row: Mapping[str, str], pydicom: Any) -> bytes:
    """Return a sample file with UIDs derived from its name, and its title in the header."""
    dataset = pydicom.dcmread(path)
    dataset.SOPInstanceUID = uid(f"pyloader demo, {name}")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesInstanceUID = uid(f"pyloader demo, series of {row['file']}")
    dataset.SeriesDescription = row["title"]
    dataset.StudyDescription = dataset.get("StudyDescription") or row["origin"].split(",")[0]
    target = io.BytesIO()
    dataset.save_as(target)
    return target.getvalue()
