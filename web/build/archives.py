"""Read and write zip files as dicts, so that equal content gives equal bytes."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path

Files = dict[str, bytes]

EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o644 << 16


def read_zip(archive: Path | bytes) -> Files:
    """Return the files in a zip by path."""
    opened = archive if isinstance(archive, Path) else io.BytesIO(archive)
    with zipfile.ZipFile(opened) as source:
        return {path: source.read(path) for path in source.namelist() if not path.endswith("/")}


def zip_bytes(files: Files) -> bytes:
    """Return a zip of the files: sorted, dated 1980."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, EARLIEST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = PLAIN_FILE
            target.writestr(entry, files[path], compresslevel=9)
    return packed.getvalue()


def wheel_bytes(files: Files) -> bytes:
    """Return a wheel of the files, with the RECORD that describes them."""
    folder = next(path for path in files if path.endswith(".dist-info/METADATA")).split("/")[0]
    record = f"{folder}/RECORD"
    lines = [record_line(path, content) for path, content in sorted(files.items())]
    return zip_bytes({**files, record: "\n".join([*lines, f"{record},,", ""]).encode()})


def record_line(path: str, content: bytes) -> str:
    """Return a file's line of a wheel's RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"
