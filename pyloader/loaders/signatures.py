"""File signatures: recognise a file by its first bytes, and name the scheme that reads it."""

from __future__ import annotations

from typing import NamedTuple


class Signature(NamedTuple):
    """The bytes that identify a format.

    Attributes
    ----------
    offset : int
        Position of `magic` in the file, from 0.
    magic : bytes
    scheme : str
        The scheme that reads the format.
    name : str
        The format with its article, for error messages.
    """

    offset: int
    magic: bytes
    scheme: str
    name: str


# The first match wins.
SIGNATURES = (
    Signature(128, b"DICM", "wadouri", "a DICOM file"),
    Signature(0, b"NRRD", "nrrd", "a NRRD file"),
    Signature(0, b"\x93NUMPY", "numpy", "a numpy array"),
    Signature(344, b"n+1\0", "nifti", "a NIfTI file"),
    Signature(344, b"ni1\0", "nifti", "a NIfTI file"),
    Signature(4, b"n+2\0", "nifti", "a NIfTI file"),
    Signature(4, b"ni2\0", "nifti", "a NIfTI file"),
    Signature(0, b"ObjectType", "metaimage", "a MetaImage file"),
    Signature(0, b"NDims", "metaimage", "a MetaImage file"),
)
# A data set without preamble starts with an element of group 0008 or 0002 (PS3.5 7.1).
BARE_DATA_SETS = (b"\x08\0", b"\x02\0", b"\0\x08\0")
# A zip archive, and an empty one.
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
GZIP = b"\x1f\x8b"
# Enough bytes to hold the header of nearly every file.
HEADER_BYTES = 64 << 10
NAMED_DICOM = SIGNATURES[0]


def is_dicom(head: bytes) -> bool:
    """Return whether a file that begins with `head` has the prefix of PS3.10 7.1."""
    return head.startswith(NAMED_DICOM.magic, NAMED_DICOM.offset)


def is_zip(head: bytes) -> bool:
    """Return whether a file is a zip archive.

    A DICOM file is none, even if its preamble has the signature of a zip archive.
    """
    return head.startswith(ZIP) and not is_dicom(head)


def is_gzip(head: bytes) -> bool:
    """Return whether a whole file is compressed by gzip."""
    return head.startswith(GZIP) and not is_dicom(head)


def is_packed(head: bytes) -> bool:
    """Return whether a file must be unpacked before its images can be listed."""
    return is_zip(head) or is_gzip(head)


def signature_of(head: bytes) -> Signature | None:
    """Return the signature that a file begins with, or None."""
    return next((each for each in SIGNATURES if head.startswith(each.magic, each.offset)), None)
