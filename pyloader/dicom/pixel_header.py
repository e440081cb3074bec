"""The header of the element that holds the pixels (PS3.5 7.1)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import error as StructError  # what unpack_from raises beyond the end
from struct import unpack_from

from pyloader.dicom.structure import UNDEFINED_LENGTH, Layout

PIXEL_KEYWORDS = {
    0x7FE00008: "FloatPixelData",
    0x7FE00009: "DoubleFloatPixelData",
    0x7FE00010: "PixelData",
}
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"})


@dataclass(frozen=True, slots=True)
class PixelHeader:
    """The header of the element that holds the pixels.

    Attributes
    ----------
    keyword : str
    vr : str
    start : int
        Where the value begins in the file, from 0.
    length : int or None
        Bytes of the value; None when it is encapsulated, whose length is undefined.
    """

    keyword: str
    vr: str
    start: int
    length: int | None


def read_pixel_header(body: bytes, position: int, layout: Layout) -> PixelHeader | None:
    """Return the header of the pixel data element that begins at `position`, if one does."""
    order = layout.order
    try:
        group, element = unpack_from(f"{order}HH", body, position)
        vr, length, start = read_element_header(body, position + 4, layout)
    except StructError:
        return None
    keyword = PIXEL_KEYWORDS.get(group << 16 | element)
    if keyword is None:
        return None
    return PixelHeader(keyword, vr, start, None if length == UNDEFINED_LENGTH else length)


def read_element_header(body: bytes, position: int, layout: Layout) -> tuple[str, int, int]:
    """Return VR, length and the start of the value of the element whose tag ends at `position`.

    Files exist whose elements are explicit here and implicit there. The bytes tell: a long VR
    read as an implicit length would be odd, which none is.
    """
    order, vr = layout.order, body[position : position + 2]
    if vr in LONG_VRS and body[position + 2 : position + 4] == b"\0\0":
        return vr.decode(), unpack_from(f"{order}L", body, position + 4)[0], position + 8
    if layout.is_implicit or not (vr.isalpha() and vr.isupper()):
        return "OW", unpack_from(f"{order}L", body, position)[0], position + 4
    return vr.decode(), unpack_from(f"{order}H", body, position + 2)[0], position + 4
