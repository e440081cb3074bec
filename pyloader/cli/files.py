"""Which scheme serves a file of this machine: by what it holds, else by its name."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pyloader.errors import ImageIdError
from pyloader.imageid import SCHEME

BEGINNING_BYTES = 1024
# Where, what, scheme; the first that fits counts: DICOM may begin as TIFF does (PS3.10 7.1).
MAGIC = (
    (128, b"DICM", "wadouri"),
    (0, b"NRRD", "nrrd"),
    (0, b"\x93NUMPY", "numpy"),
    (344, b"n+1\0", "nifti"),
    (344, b"ni1\0", "nifti"),
    (4, b"n+2\0", "nifti"),
    (4, b"ni2\0", "nifti"),
    (0, b"ObjectType", "metaimage"),
    (0, b"NDims", "metaimage"),
    (0, b"\x89PNG", "web"),
    (0, b"\xff\xd8\xff", "web"),
    (0, b"GIF8", "web"),
    (0, b"BM", "web"),
    (0, b"II*\0", "web"),
    (0, b"II+\0", "web"),
    (0, b"MM\0*", "web"),
    (0, b"MM\0+", "web"),
    (8, b"WEBP", "web"),
    (4, b"ftyp", "web"),
    # A data set without preamble: its first element is of group 0008 or 0002 (PS3.5 7.1).
    (0, b"\x08\0", "wadouri"),
    (0, b"\x02\0", "wadouri"),
    (0, b"\0\x08\0", "wadouri"),
)
ENDINGS = {
    "wadouri": (".dcm", ".dicom", ".ima"),
    "nifti": (".nii", ".nii.gz", ".hdr", ".img", ".img.gz"),
    "nrrd": (".nrrd", ".nhdr"),
    "metaimage": (".mha", ".mhd"),
    "numpy": (".npy", ".npz"),
    "web": (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".avif", ".tif", ".tiff"),
}
ZARR = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


def image_id_of(argument: str) -> str:
    """Return the imageId that somebody means: one that is given, or that of a file.

    Parameters
    ----------
    argument : str
        An imageId, a path or a ``file:`` URL; ``?frame=3`` or ``#z-12`` may follow.

    Raises
    ------
    ImageIdError
        It has no scheme, and is no file either, or one of a kind that is not known.
    """
    scheme = SCHEME.fullmatch(argument)
    if scheme is not None and scheme[1].lower() != "file":
        return argument
    path = Path(argument)
    if scheme is not None:
        path = Path(url2pathname(urlsplit(argument).path))
    elif not path.exists():
        path = Path(re.split("[?#]", argument, maxsplit=1)[0])
    if not path.exists():
        raise ImageIdError(
            f"{argument!r} is no imageId, since it has no scheme, and there is no such file; "
            "expected a file, or 'scheme:rest', such as 'wadouri:https://host/image.dcm'"
        )
    return f"{scheme_of(path)}:{argument}"


def scheme_of(path: Path) -> str:
    """Return the scheme that serves a file, or a folder of Zarr.

    Raises
    ------
    ImageIdError
    """
    if path.is_dir():
        if any((path / name).exists() for name in ZARR):
            return "zarr"
        raise ImageIdError(f"{str(path)!r} is a folder, and none of Zarr: give a file in it")
    found = recognise(read_beginning(path))
    if found is not None:
        return found
    for scheme, endings in ENDINGS.items():
        if path.name.lower().endswith(endings):
            return scheme
    raise ImageIdError(
        f"{str(path)!r} is of no kind that is known by its content or its name: give the scheme "
        f"that serves it, such as 'wadouri:{path}' or, with --loader, your own"
    )


def read_beginning(path: Path) -> bytes:
    """Return the first bytes of a file; of one that is compressed by gzip, those of its content."""
    try:
        with path.open("rb") as file:
            head = file.read(BEGINNING_BYTES)
    except OSError as error:
        raise ImageIdError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, BEGINNING_BYTES)
    except zlib.error:
        return b""


def recognise(head: bytes) -> str | None:
    """Return the scheme of what a file begins with."""
    for offset, magic, scheme in MAGIC:
        if head.startswith(magic, offset):
            return scheme
    return None
