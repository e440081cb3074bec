"""Transfer syntaxes: the native ones, those missing in pydicom, and advice for unsupported ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    register_transfer_syntax,
)

from pyloader.dicom.structure import Layout

# From editions of PS3.6 A later than pydicom's.
ADDED: Mapping[UID, tuple[str, str]] = {
    UID("1.2.840.10008.1.2.4.110"): ("JPEG XL Lossless", "JPEGXLLossless"),
    UID("1.2.840.10008.1.2.4.111"): ("JPEG XL JPEG Recompression", "JPEGXLJPEGRecompression"),
    UID("1.2.840.10008.1.2.4.112"): ("JPEG XL", "JPEGXL"),
    UID("1.2.840.10008.1.2.8.1"): ("Deflated Image Frame Compression", "DeflatedImageFrame"),
}
JPEG_XL_LOSSLESS, JPEG_XL_RECOMPRESSION, JPEG_XL, DEFLATED_IMAGE_FRAME = ADDED
ENCAPSULATED_UNCOMPRESSED = UID("1.2.840.10008.1.2.1.98")
JPEG_SPECTRAL = UID("1.2.840.10008.1.2.4.53")
JPEG_PROGRESSIVE = UID("1.2.840.10008.1.2.4.55")
# Viewers and servers used it before the standard had high-throughput JPEG 2000.
HTJ2K_PRIVATE = register_transfer_syntax("3.2.840.10008.1.2.4.96", False, True)
# Of old GE scanners: Implicit VR Little Endian, except that 16-bit pixels are big endian.
GE_BIG_ENDIAN_PIXELS = register_transfer_syntax("1.2.840.113619.5.2", True, True)


class Native(NamedTuple):
    """A transfer syntax whose pixels are not encapsulated, with the layout of its data set.

    Attributes
    ----------
    layout : Layout
        Layout of the data set, after inflating.
    pixel_order : str
        Byte order of pixels in words, ``<`` or ``>``.
    """

    layout: Layout
    pixel_order: str


NATIVE: Mapping[UID, Native] = {
    ImplicitVRLittleEndian: Native(Layout(True, False), "<"),
    ExplicitVRLittleEndian: Native(Layout(False, False), "<"),
    DeflatedExplicitVRLittleEndian: Native(Layout(False, False), "<"),
    ExplicitVRBigEndian: Native(Layout(False, True), ">"),
    GE_BIG_ENDIAN_PIXELS: Native(Layout(True, False), ">"),
}
# One retired syntax, and those for text: neither native nor compressed.
NO_PIXELS = ("1.2.840.10008.1.20", "1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2")

ASK = "Ask the server for one of these"
VIDEO = (
    "It is a video: play it in a video element, from the service's rendered resources (PS3.18 "
    "10.4.1.1.3), or ask the server for decoded frames"
)
JPIP = (
    "Its pixels are not in the file but at a JPIP server, (0028,7FE0) Pixel Data Provider URL; ask "
    "the archive for the instance in one of these"
)
PART_2 = "JPEG 2000 part 2 codes several frames as one; ask the server for one of these"
LIVE = "It is a live stream (PS3.22), not a file; show it with a player of SMPTE ST 2110"
# Start of the UID -> advice to the user. The longest match applies.
INSTEAD: Mapping[str, str] = {
    "": ASK,
    "1.2.840.10008.1.2.4.10": VIDEO,
    "1.2.840.10008.1.2.4.204": JPIP,
    "1.2.840.10008.1.2.4.205": JPIP,
    "1.2.840.10008.1.2.4.92": PART_2,
    "1.2.840.10008.1.2.4.93": PART_2,
    "1.2.840.10008.1.2.4.94": JPIP,
    "1.2.840.10008.1.2.4.95": JPIP,
    "1.2.840.10008.1.2.7.": LIVE,
}


def instead_of(syntax: str) -> str:
    """Return the advice for a transfer syntax that cannot be decoded."""
    return INSTEAD[max((start for start in INSTEAD if syntax.startswith(start)), key=len)]


def is_compressed(syntax: UID) -> bool:
    """Return whether a transfer syntax encapsulates pixels, even if pyloader cannot decode it."""
    return syntax.is_transfer_syntax and syntax not in NATIVE and syntax not in NO_PIXELS


def name_of(syntax: UID) -> str:
    """Return a transfer syntax as ``name (UID)``."""
    return f"{syntax.name} ({syntax})"


def register() -> None:
    """Add the names to pydicom; its decoders reject unknown transfer syntaxes."""
    for syntax, (name, keyword) in ADDED.items():
        UID_dictionary.setdefault(str(syntax), (name, "Transfer Syntax", "", "", keyword))
    private = {
        HTJ2K_PRIVATE: ("High-Throughput JPEG 2000 (private)", "HTJ2KPrivate"),
        GE_BIG_ENDIAN_PIXELS: ("GE Private, Big Endian Pixels", "GEBigEndianPixels"),
    }
    for syntax, (name, keyword) in private.items():
        UID_dictionary.setdefault(str(syntax), (name, "Transfer Syntax", "", "", keyword))


register()
