"""Recognise files by their first bytes, and name the scheme that serves them."""

from __future__ import annotations

from typing import NamedTuple


class Signature(NamedTuple):
    """Bytes by which a format is known.

    Attributes
    ----------
    offset : int
        Where in the file they stand.
    name : str
        Of the format, with its article.
    """

    offset: int
    magic: bytes
    scheme: str
    name: str


# The first that fits counts.
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
# A data set without preamble: its first element is of group 0008 or 0002 (PS3.5 7.1).
BARE_DATA_SETS = (b"\x08\0", b"\x02\0", b"\0\x08\0")
# An archive, and one of no files.
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
GZIP = b"\x1f\x8b"
# First bytes of a file that nearly always hold its header.
HEADER_BYTES = 64 << 10
NAMED_DICOM = SIGNATURES[0]


def is_dicom(head: bytes) -> bool:
    """Tell whether a file that begins with `head` has the prefix of PS3.10 7.1."""
    return head.startswith(NAMED_DICOM.magic, NAMED_DICOM.offset)


def is_zip(head: bytes) -> bool:
    """Tell whether a file is an archive; the preamble of a DICOM file may be of any format."""
    return head.startswith(ZIP) and not is_dicom(head)


def is_gzip(head: bytes) -> bool:
    """Tell whether a file is compressed as a whole."""
    return head.startswith(GZIP) and not is_dicom(head)


def is_packed(head: bytes) -> bool:
    """Tell whether a file says nothing of its images before it is unpacked."""
    return is_zip(head) or is_gzip(head)


def signature_of(head: bytes) -> Signature | None:
    """Return what is known of a file by its first bytes."""
    return next((each for each in SIGNATURES if head.startswith(each.magic, each.offset)), None)
