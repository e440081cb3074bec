"""What files begin with, and which scheme serves them; web images are told apart by `pictures`."""

from __future__ import annotations

from typing import NamedTuple


class Beginning(NamedTuple):
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
BEGINNINGS = (
    Beginning(128, b"DICM", "wadouri", "a DICOM file"),
    Beginning(0, b"NRRD", "nrrd", "a NRRD file"),
    Beginning(0, b"\x93NUMPY", "numpy", "a numpy array"),
    Beginning(344, b"n+1\0", "nifti", "a NIfTI file"),
    Beginning(344, b"ni1\0", "nifti", "a NIfTI file"),
    Beginning(4, b"n+2\0", "nifti", "a NIfTI file"),
    Beginning(4, b"ni2\0", "nifti", "a NIfTI file"),
    Beginning(0, b"ObjectType", "metaimage", "a MetaImage file"),
    Beginning(0, b"NDims", "metaimage", "a MetaImage file"),
)


def beginning_of(head: bytes) -> Beginning | None:
    """Return what is known of a file by its first bytes."""
    return next((each for each in BEGINNINGS if head.startswith(each.magic, each.offset)), None)
