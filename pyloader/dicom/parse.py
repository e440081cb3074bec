"""Parse DICOM Part 10 files (PS3.10) into an `Instance`; pixel data stay encoded and uncopied."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pydicom import Dataset

from pyloader.dicom.elements import HeaderCutOffError
from pyloader.dicom.fragments import ITEM, ITEM_HEADER_BYTES, CutOffError, find_fragments
from pyloader.dicom.frame_offsets import locate_frames
from pyloader.dicom.instance import Instance, PixelElement
from pyloader.dicom.part10 import (
    FileMeta,
    PixelHeader,
    has_prefix,
    read_beginning,
    read_data_set,
    read_pixel_header,
)
from pyloader.dicom.transfer_syntaxes import NATIVE
from pyloader.errors import FormatError
from pyloader.inflate import DECODED_BYTES


def parse_part10(body: bytes, url: str = "", most_bytes: int = DECODED_BYTES) -> Instance:
    """Parse a DICOM file; its preamble and File Meta Information may be missing.

    Parameters
    ----------
    body : bytes
        The whole file.
    url : str
        Address of the file, for error messages.
    most_bytes : int
        Limit for the size of an inflated data set; see `Context.decoded_bytes`.

    Raises
    ------
    FormatError
        `body` is not a DICOM file, or is cut off within its header.

    References
    ----------
    PS3.10 7.1 (preamble, File Meta Information), PS3.5 7.1 (data elements).
    """
    refuse_other_formats(body, url)
    with noting() as notes:
        beginning = begin(body, url)
        if beginning.is_deflated:
            beginning = beginning.inflated(url, most_bytes)
        instance, header = read_without_pixels(beginning, body, url)
        pixels = None if header is None else pixels_in(instance, beginning.body, header)
    return replace(instance, pixels=pixels, warnings=tuple(notes))


def parse_beginning(body: bytes, url: str = "") -> tuple[Instance, PixelHeader] | None:
    """Parse the first bytes of a file.

    Returns
    -------
    (Instance, PixelHeader) or None
        The instance without its pixels, and the header of the pixel data. None when the data set
        continues beyond `body`, when it has no pixels, and when parsing needs the whole file. A
        deflated data set needs it, and so do pixels whose length contradicts their transfer syntax.

    Raises
    ------
    FormatError
        `body` is not the beginning of a DICOM file.
    """
    refuse_other_formats(body, url)
    with noting() as notes:
        try:
            beginning = begin(body, url)
            if beginning.is_deflated:
                return None
            instance, header = read_without_pixels(beginning, body, url)
        except CutOffError:
            return None
        except FormatError:
            if has_prefix(body):
                return None  # more bytes may make it readable
            raise
    is_native = instance.transfer_syntax_uid in NATIVE
    if header is None or not (is_native or header.length is None):
        return None
    if header.length is not None and body[header.start : header.start + 4] == ITEM:
        return None
    return replace(instance, warnings=tuple(notes)), header


def begin(body: bytes, url: str) -> FileMeta:
    """Read the File Meta Information; raise `FormatError` for any failure."""
    try:
        return read_beginning(body)
    except HeaderCutOffError as error:
        raise cut_off(body, url, error) from error
    except Exception as error:
        raise FormatError(f"{not_dicom(body, url)}: {type(error).__name__}: {error}") from error


def read_without_pixels(
    beginning: FileMeta, body: bytes, url: str
) -> tuple[Instance, PixelHeader | None]:
    """Return the instance without its pixels, and the header of its pixel data."""
    try:
        dataset, position = read_data_set(beginning)
    except HeaderCutOffError as error:
        raise cut_off(body, url, error) from error
    except Exception as error:
        raise FormatError(f"{not_dicom(body, url)}: {type(error).__name__}: {error}") from error
    if not is_dicom(body, dataset):
        raise FormatError(not_dicom(body, url))
    instance = Instance(dataset, beginning.transfer_syntax_uid, None)
    return instance, read_pixel_header(beginning.body, position, beginning.layout)


def is_dicom(body: bytes, dataset: Dataset) -> bool:
    """Return whether a file is DICOM; the prefix may be missing."""
    return has_prefix(body) or "SOPClassUID" in dataset or "Rows" in dataset


def cut_off(body: bytes, url: str, error: HeaderCutOffError) -> FormatError:
    """Return the error for a file that ends within its header, or is not DICOM."""
    if not is_dicom(body, error.dataset):
        return FormatError(f"{not_dicom(body, url)}: {error}")
    return CutOffError(
        f"{url or 'the file'} is cut off within its header: {error}; load it again, unless a "
        "length in it is wrong"
    )


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect warnings, each text once; the list is filled when the block ends."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    notes += dict.fromkeys(str(warning.message) for warning in caught)


def refuse_other_formats(body: bytes, url: str) -> None:
    """Raise for the bodies that a server most often sends instead of a file."""
    if not body:
        raise FormatError(f"{url or 'the file'} is empty (0 bytes), expected a DICOM file")
    start = body[:256].lstrip()[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise FormatError(
            f"{url or 'the file'} is an HTML page, expected a DICOM file; it may be the server's "
            "log-in or start page: check the address and the session"
        )


def not_dicom(body: bytes, url: str) -> str:
    """Return the message for a `body` that cannot be read as DICOM."""
    return (
        f"{url or 'the file'} cannot be read as a DICOM file ({len(body)} bytes, beginning with "
        f"{body[:16]!r}); it may be cut off, or in another format"
    )


def pixels_in(instance: Instance, body: bytes, header: PixelHeader) -> PixelElement:
    """Return the pixel data element of a whole file."""
    start, end = header.start, len(body)
    if header.length is None or is_items(body, header, instance):
        fragments = find_fragments(body, start)
        return PixelElement(
            header.keyword,
            header.vr,
            body,
            start,
            end,
            is_encapsulated=True,
            frames=locate_frames(instance, fragments, body),
            is_ended=fragments.is_ended or header.length is not None,
        )
    stop = min(start + header.length, end)
    missing = start + header.length - stop
    return PixelElement(header.keyword, header.vr, body, start, stop, missing)


def is_items(body: bytes, header: PixelHeader, instance: Instance) -> bool:
    """Return whether a value of defined length is encapsulated, which breaks PS3.5 A.4.

    With a native transfer syntax it is encapsulated if items fill it to its last byte.
    """
    if body[header.start : header.start + 4] != ITEM or header.length is None:
        return False
    if instance.transfer_syntax_uid not in NATIVE:
        return True
    fragments = find_fragments(body, header.start)
    stop = fragments.stop + (ITEM_HEADER_BYTES if fragments.is_ended else 0)
    return bool(fragments.places) and stop == header.start + header.length
