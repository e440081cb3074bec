"""Write minimal DICOM Part 10 files (explicit VR, little endian), for the sample volume."""

import hashlib
import struct
from collections.abc import Iterable

Element = tuple[int, str, bytes | str | int]

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
LONG_FORM = {"OB", "OW", "SQ", "UN", "UT"}


def uid(name: str) -> str:
    """Return a UID that depends only on a name (PS3.5 B.2)."""
    return f"2.25.{int.from_bytes(hashlib.sha256(name.encode()).digest()[:15])}"


def element(tag: int, representation: str, value: bytes | str | int) -> bytes:
    """Encode one data element (PS3.5 7.1.2)."""
    content = encoded(representation, value)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, representation.encode())
    if representation in LONG_FORM:
        return head + struct.pack("<HI", 0, len(content)) + content
    return head + struct.pack("<H", len(content)) + content


def encoded(representation: str, value: bytes | str | int) -> bytes:
    """Encode a value, padded to even length."""
    if isinstance(value, int):
        return struct.pack("<I" if representation == "UL" else "<H", value)
    if isinstance(value, bytes):
        return value + b"\0" * (len(value) % 2)
    padding = "\0" if representation == "UI" else " "
    return (value + padding * (len(value) % 2)).encode("ascii")


def part10(sop_instance_uid: str, elements: Iterable[Element]) -> bytes:
    """Return a CT Image Storage file with the given elements (PS3.10 7.1)."""
    meta = b"".join(
        element(*row)
        for row in (
            (0x00020001, "OB", b"\0\1"),
            (0x00020002, "UI", CT_IMAGE_STORAGE),
            (0x00020003, "UI", sop_instance_uid),
            (0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN),
            (0x00020012, "UI", uid("pyloader build")),
        )
    )
    body = b"".join(element(*row) for row in sorted(elements))
    return b"\0" * 128 + b"DICM" + element(0x00020000, "UL", len(meta)) + meta + body
