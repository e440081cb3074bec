"""Identify a frame's codestream by its bytes, or by the media type of its response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import unpack_from

from pydicom import uid
from pydicom.uid import UID

from pyloader.dicom.fragments import RLE_HEADER_BYTES, is_rle_header
from pyloader.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    JPEG_PROGRESSIVE,
    JPEG_XL_LOSSLESS,
)
from pyloader.pixels.codestream.jpeg_xl import CODESTREAM, CONTAINER

# Markers have two bytes, FF first; these are the second bytes.
# JPEG and JPEG-LS: ISO 10918-1 B.1.1.3, ISO 14495-1 C.1.1.
LOSSLESS, JPEG_LS, START_OF_SCAN = 0xC3, 0xF7, 0xDA
STARTS_OF_FRAME: Mapping[int, UID] = {
    0xC0: uid.JPEGBaseline8Bit,
    0xC1: uid.JPEGExtended12Bit,
    0xC2: JPEG_PROGRESSIVE,
    LOSSLESS: uid.JPEGLossless,
    JPEG_LS: uid.JPEGLSNearLossless,
}
# By the process and the first parameter of its scan: the predictor, or NEAR.
SCANS: Mapping[tuple[int, int], UID] = {
    (LOSSLESS, 1): uid.JPEGLosslessSV1,
    (JPEG_LS, 0): uid.JPEGLSLossless,
}
# JPEG 2000: ISO 15444-1 A.2, ISO 15444-15 A.3.
SIZE, CAPABILITIES, CODING_STYLE, START_OF_TILE = 0x51, 0x50, 0x52, 0x90
PART_15 = 1 << (32 - 15)
# By high-throughput block coding or not, and the transformation: 0 is 9-7, 1 is 5-3.
TRANSFORMATIONS: Mapping[tuple[bool, int], UID] = {
    (False, 0): uid.JPEG2000,
    (False, 1): uid.JPEG2000Lossless,
    (True, 0): uid.HTJ2K,
    (True, 1): uid.HTJ2KLossless,
}
JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
NO_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA), START_OF_TILE})


# PS3.18 Table 8.7.3-5, the names of its 2013 edition, and others in use. For image/jpeg the
# table's default is Lossless SV1; servers that declare no transfer syntax mean Baseline.
MEDIA_TYPES: Mapping[str, UID] = {
    "application/x-deflate": DEFLATED_IMAGE_FRAME,
    "image/dicom+jp2": uid.JPEG2000Lossless,
    "image/dicom+jpeg": uid.JPEGBaseline8Bit,
    "image/dicom+jpeg-ls": uid.JPEGLSLossless,
    "image/dicom+jpx": uid.JPEG2000MCLossless,
    "image/dicom+rle": uid.RLELossless,
    "image/dicom-rle": uid.RLELossless,
    "image/jll": uid.JPEGLosslessSV1,
    "image/jls": uid.JPEGLSLossless,
    "image/jp2": uid.JPEG2000Lossless,
    "image/jpeg": uid.JPEGBaseline8Bit,
    "image/jphc": uid.HTJ2KLossless,
    "image/jpx": uid.JPEG2000MCLossless,
    "image/jxl": JPEG_XL_LOSSLESS,
    "image/x-dicom-rle": uid.RLELossless,
    "image/x-jls": uid.JPEGLSLossless,
}


def media_type_syntax(media_type: str) -> UID | None:
    """Return the default transfer syntax of a media type, None if it has none."""
    return MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower())


def identify(frame: bytes) -> UID | None:
    """Return the transfer syntax of a frame by its bytes, None when they are no known codestream.

    JPEG, JPEG-LS and JPEG 2000 are certain, RLE nearly so. JPEG XL begins with only two fixed
    bytes, as one of 65536 native frames does by chance. Where a codestream leaves a choice, the
    plain case is assumed: reversible JPEG 2000 is lossless, HTJ2K has no RPCL, JPEG XL is lossless.

    References
    ----------
    ISO 10918-1 B.2, ISO 14495-1 C.2, ISO 15444-1 A and I, ISO 18181-2, PS3.5 G.5.
    """
    return (
        identify_jpeg(frame)
        or identify_jpeg_2000(frame, start_of_codestream(frame))
        or identify_rle(frame)
        or (JPEG_XL_LOSSLESS if frame.startswith((CODESTREAM, CONTAINER)) else None)
    )


def segments(frame: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and parameters of each marker segment from `position` on."""
    while position + 4 <= len(frame) and frame[position] == 0xFF:
        marker, length = unpack_from(">BH", frame, position + 1)
        if marker == 0xFF:  # fill bytes may precede a marker (ISO 10918-1 B.1.1.2)
            position += 1
            continue
        if marker in NO_LENGTH or length < 2:
            return
        yield marker, frame[position + 4 : position + 2 + length]
        position += 2 + length


def identify_jpeg(frame: bytes) -> UID | None:
    """Return the transfer syntax of JPEG or JPEG-LS, by its frame header and first scan."""
    if not frame.startswith(b"\xff\xd8\xff"):
        return None
    process = 0
    for marker, parameters in segments(frame, 2):
        if marker in STARTS_OF_FRAME and has_counted_items(parameters, 5, 3, 6):
            process = marker
        elif marker == START_OF_SCAN:
            if not process or not has_counted_items(parameters, 0, 2, 4):
                return None
            first = parameters[1 + 2 * parameters[0]]
            return SCANS.get((process, first), STARTS_OF_FRAME[process])
    return None


def has_counted_items(parameters: bytes, position: int, size: int, others: int) -> bool:
    """Tell whether parameters are `others` bytes, and items of `size` counted at `position`."""
    if len(parameters) <= position:
        return False
    count = parameters[position]
    return count > 0 and len(parameters) == others + size * count


def start_of_codestream(frame: bytes) -> int:
    """Return where the codestream of a JP2 file begins (ISO 15444-1 I.5); 0 without boxes."""
    position = 0
    while frame.startswith(JP2_SIGNATURE) and position + 16 <= len(frame):
        length, kind, extended = unpack_from(">L4sQ", frame, position)
        if kind == b"jp2c":
            return position + (16 if length == 1 else 8)
        length = extended if length == 1 else length
        if length < 8:
            break
        position += length
    return 0


def identify_jpeg_2000(frame: bytes, start: int) -> UID | None:
    """Return the transfer syntax of JPEG 2000 by its main header: capabilities, coding style."""
    if frame[start : start + 4] != b"\xff\x4f\xff\x51":
        return None
    is_high_throughput = False
    for marker, parameters in segments(frame, start + 2):
        if marker == SIZE and not has_counted_items(parameters, 35, 3, 36):
            return None
        if marker == CAPABILITIES and len(parameters) >= 4:
            is_high_throughput = bool(unpack_from(">L", parameters)[0] & PART_15)
        if marker == CODING_STYLE and len(parameters) >= 10:
            return TRANSFORMATIONS.get((is_high_throughput, parameters[9]))
    return None


def identify_rle(frame: bytes) -> UID | None:
    """Return RLE Lossless if a frame begins with its header, and every segment starts inside."""
    if len(frame) <= RLE_HEADER_BYTES or not is_rle_header(frame):
        return None
    count, *places = unpack_from("<16L", frame)
    return uid.RLELossless if places[count - 1] < len(frame) else None
