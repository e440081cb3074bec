"""Choose the scheme for a local file: by its content, else by its name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pyloader.errors import ImageIdError
from pyloader.imageid import SCHEME
from pyloader.loaders.web_images.recognise import scheme_of_content

BEGINNING_BYTES = 1024
ENDINGS = {
    "wadouri": (".dcm", ".dicom", ".ima", ".zip"),
    "nifti": (".nii", ".nii.gz", ".hdr", ".img", ".img.gz"),
    "nrrd": (".nrrd", ".nhdr"),
    "metaimage": (".mha", ".mhd"),
    "numpy": (".npy", ".npz"),
    "web": (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".avif", ".tif", ".tiff"),
}
ZARR = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


def image_id_of(argument: str) -> str:
    """Return the imageId for an argument of a command line: itself, or the imageId of a file.

    Parameters
    ----------
    argument : str
        An imageId, a path or a ``file:`` URL; ``?frame=3`` or ``#z-12`` may follow.

    Raises
    ------
    ImageIdError
        The argument is neither an imageId nor an existing file, or the file's format is unknown.
    """
    scheme = SCHEME.fullmatch(argument)
    if scheme is not None and scheme[1].lower() != "file":
        return argument
    path = path_of(argument, is_url=scheme is not None)
    if path is None:
        raise ImageIdError(
            f"{argument!r} is not an imageId, because it has no scheme, and no such file exists; "
            "expected a file, or 'scheme:rest', such as 'wadouri:https://host/image.dcm'"
        )
    found = scheme_of(path)
    return f"{found}:{path if path.is_dir() and found == 'wadouri' else argument}"


def path_of(argument: str, *, is_url: bool) -> Path | None:
    """Return the file or folder that a text names, without query or fragment; None if missing."""
    try:
        names = [url2pathname(urlsplit(argument).path)] if is_url else [argument]
        if not is_url:
            names.append(re.split("[?#]", argument, maxsplit=1)[0])
        # An empty name would mean the current folder.
        return next((Path(name) for name in names if name and Path(name).exists()), None)
    except (OSError, ValueError):  # the name is too long, or the URL is invalid
        return None


def scheme_of(path: Path) -> str:
    """Return the scheme that reads a file, or a folder: a Zarr store or a folder of DICOM files.

    Raises
    ------
    ImageIdError
    """
    if path.is_dir():
        return "zarr" if any((path / name).exists() for name in ZARR) else "wadouri"
    found = scheme_of_content(read_beginning(path))
    if found is not None:
        return found
    for scheme, endings in ENDINGS.items():
        if path.name.lower().endswith(endings):
            return scheme
    raise ImageIdError(
        f"{str(path)!r} has an unknown format, by its content and its name: give the scheme that "
        f"reads it, such as 'wadouri:{path}' or, with --loader, your own"
    )


def read_beginning(path: Path) -> bytes:
    """Return the first bytes of a file."""
    try:
        with path.open("rb") as file:
            return file.read(BEGINNING_BYTES)
    except OSError as error:
        raise ImageIdError(f"{str(path)!r} cannot be read: {error.strerror}") from error
