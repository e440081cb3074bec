"""Names of things on the conformance page."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.uid import UID

# Those that pydicom's dictionary has not.
NAMES = {
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "3.2.840.10008.1.2.4.96": "HTJ2K before it was in the standard (private)",
}


def syntax_name(uid: str) -> str:
    """Return the name of a transfer syntax."""
    return NAMES.get(uid) or UID(uid).name


def in_order(uid: str) -> list[int]:
    """Return what sorts UIDs by their numbers."""
    return [int(part) for part in uid.split(".")]


def bits(header: Dataset) -> str:
    """Return the bits of a sample in words."""
    stored = header.get("BitsStored")
    if stored is None:
        return f"float, {header.BitsAllocated}"
    allocated = "" if stored == header.BitsAllocated else f" of {header.BitsAllocated}"
    return f"{'signed' if header.PixelRepresentation else 'unsigned'} {stored}{allocated}"
