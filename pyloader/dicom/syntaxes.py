"""Transfer syntaxes that pydicom does not name, and what to do about those nobody decodes here."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID, register_transfer_syntax

# PS3.6 A, editions after pydicom's.
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
# In use by viewers and servers before the standard had high-throughput JPEG 2000.
HTJ2K_PRIVATE = register_transfer_syntax("3.2.840.10008.1.2.4.96", False, True)

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
# Beginning of the UID -> what to do instead. The longest that fits counts.
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
    """Return what to do with a transfer syntax that cannot be decoded."""
    return INSTEAD[max((start for start in INSTEAD if syntax.startswith(start)), key=len)]


def name_of(syntax: UID) -> str:
    """Return a transfer syntax as ``name (UID)``, the UID alone if it has no name."""
    return f"{syntax.name} ({syntax})"


def register() -> None:
    """Add the names to pydicom, whose decoders take no others."""
    for syntax, (name, keyword) in ADDED.items():
        UID_dictionary.setdefault(str(syntax), (name, "Transfer Syntax", "", "", keyword))
    private = ("High-Throughput JPEG 2000 (private)", "Transfer Syntax", "", "", "HTJ2KPrivate")
    UID_dictionary.setdefault(str(HTJ2K_PRIVATE), private)


register()
