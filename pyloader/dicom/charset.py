"""Infer the character set of a data set that does not declare one (PS3.3 C.12.1.1.2)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from pydicom import Dataset

from pyloader.dicom.values import value_of, vr_of

# The VRs that Specific Character Set applies to (PS3.5 6.2).
TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
ASCII = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
ESCAPE = b"\x1b"


def infer_character_set(dataset: Dataset) -> None:
    """Set the character set of a new data set that declares none or ASCII.

    Without Specific Character Set, texts should be ASCII. Others are read as UTF-8 if their bytes
    are valid UTF-8, which texts in other sets hardly ever are; else as ISO 8859-1.
    """
    declared = value_of(dataset, "SpecificCharacterSet") or ""
    if not isinstance(declared, str) or declared.strip() not in ASCII:
        return
    others = list(texts_beyond_ascii(dataset))
    if not others:
        return
    is_utf8 = all(map(is_utf_8, others))
    if is_utf8:
        is_implicit, is_little_endian = dataset.original_encoding
        dataset.set_original_encoding(is_implicit, is_little_endian, ["utf8"])
    warnings.warn(
        f"(0008,0005) SpecificCharacterSet is {declared.strip() or 'absent'!r}, but texts are not "
        f"ASCII: they are read as {'UTF-8, which they are' if is_utf8 else 'ISO 8859-1'}",
        stacklevel=2,
    )


def texts_beyond_ascii(dataset: Dataset) -> Iterator[bytes]:
    """Yield the non-ASCII texts at the top level, as encoded; skip private attributes."""
    for element in dataset.values():
        body = element.value
        if not isinstance(body, bytes) or body.isascii() or ESCAPE in body:
            continue
        if not element.tag.is_private and (element.VR or vr_of(element.tag)) in TEXT_VRS:
            yield body


def is_utf_8(body: bytes) -> bool:
    """Return whether bytes are valid UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
